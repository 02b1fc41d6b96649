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
    part: int = -1  # block of the fabric that it lies in, where runs must stay in one

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
    part_nodes = _part_nodes(case, pool)
    top = int(laid.end_id.max(initial=0))
    borders = np.arange(0, top, part_nodes) if part_nodes else np.zeros(0, dtype=np.int64)
    cuts = np.unique(np.concatenate([laid.first_id, laid.end_id, borders])).tolist()
    found: list[Block] = []
    for low, high in pairwise(cuts):
        here = (laid.first_id <= low) & (low < laid.end_id)
        spans = _merged(list(zip(laid.first_day[here], laid.end_day[here], strict=True)))
        if not spans:
            continue
        part = low // part_nodes if part_nodes else -1
        touches = bool(found) and found[-1].first + found[-1].nodes == low
        if touches and found[-1].spans == spans and found[-1].part == part:
            low = found.pop().first
        found.append(Block(first=low, nodes=high - low, spans=spans, part=part))
    return tuple(found)


def _part_nodes(case: Case, pool: int) -> int:
    """Nodes of a block of the pool's fabric, 0 where no job that may run there must stay in one."""
    size = int(case.pool_block_nodes[pool]) if len(case.pool_block_nodes) else 0
    if not size or not case.job_one_block.any():
        return 0
    here = case.pair_job[(case.pair_pool == pool) & (case.pair_reason == 0)]
    return size if case.job_one_block[here].any() else 0


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
    largest overlap. Not so where runs must stay inside one of several blocks of a fabric.
    """
    if len({block.part for block in here}) > 1:
        return False
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
