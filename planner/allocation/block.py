"""Blocks of a pool: the node ids that are delivered and taken away on the same days."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Ints
from planner.delivery import layout_blocks

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["Block", "blocks", "free_nodes", "nests", "node_rows"]


@dataclass(frozen=True)
class Block:
    """Node ids `first` to `first + nodes - 1`, available in each of `spans` [start, end)."""

    first: int
    nodes: int
    spans: tuple[tuple[int, int], ...]

    def holds(self, start_day: Ints | int, end_day: Ints | int) -> Bools:
        """Whether the block stays available from start to end, run by run."""
        held = np.zeros(np.shape(start_day), dtype=np.bool_)
        for first, end in self.spans:
            held |= (start_day >= first) & (end_day <= end)
        return held


def blocks(case: Case) -> tuple[tuple[Block, ...], ...]:
    """
    Blocks of every pool of a case.

    Deliveries get their ids by `planner.delivery.layout_blocks`: those that overlap lie side
    by side, those that do not may be the same nodes, and a run may then stay on them from
    one to the next.

    Returns
    -------
    tuple of tuple of Block
        By pool, then by first id; none for a pool without nodes.
    """
    return tuple(_pool_blocks(case, pool) for pool in range(len(case.pool_names)))


def _pool_blocks(case: Case, pool: int) -> tuple[Block, ...]:
    """Blocks of one pool: ids cut at the edges of its deliveries, spans of each cut joined."""
    rows = np.flatnonzero(case.delivery_pool == pool)
    first = np.maximum(case.delivery_first_day[rows], 0).tolist()
    end = np.minimum(case.delivery_end_day[rows], case.days).tolist()
    nodes = case.delivery_nodes[rows].tolist()
    laid = layout_blocks(list(zip(first, end, nodes, strict=True)))
    cuts = np.unique(np.concatenate([laid.first_id, laid.end_id])).tolist()
    found: list[Block] = []
    for low, high in pairwise(cuts):
        here = (laid.first_id <= low) & (low < laid.end_id)
        spans = _merged(list(zip(laid.first_day[here], laid.end_day[here], strict=True)))
        if not spans:
            continue
        if found and found[-1].spans == spans and found[-1].first + found[-1].nodes == low:
            low = found.pop().first
        found.append(Block(first=low, nodes=high - low, spans=spans))
    return tuple(found)


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans in order, those that touch made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((int(low), int(high)) for low, high in spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def free_nodes(here: tuple[Block, ...], start_day: Ints, end_day: Ints) -> Ints:
    """Nodes of a pool that stay available from start to end, run by run."""
    total = np.zeros(np.shape(start_day), dtype=np.int64)
    for block in here:
        total += block.nodes * block.holds(start_day, end_day)
    return total


def nests(here: tuple[Block, ...]) -> bool:
    """
    Whether counting nodes by day is enough for an assignment of ids to exist.

    True when each block has one span and all spans begin together or all end together.
    Then the days on which a block is missing are intervals with a common end, which can be
    coloured first like runs, and an interval graph never needs more colours than its
    largest overlap.
    """
    if any(len(block.spans) != 1 for block in here):
        return False
    return (
        len({block.spans[0][0] for block in here}) <= 1
        or len({block.spans[0][1] for block in here}) <= 1
    )


def node_rows(here: tuple[Block, ...], days: Ints) -> Ints:
    """Nodes of a pool available on each of some days."""
    days = np.asarray(days, dtype=np.int64)
    return free_nodes(here, days, days + 1)
