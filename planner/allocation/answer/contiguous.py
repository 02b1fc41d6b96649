"""Contiguous node ids for the runs of a pool, by an exact search that ends after some steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.allocation.offer.block import Block

__all__ = ["STEPS", "Held", "contiguous_ids"]

STEPS = 20_000
"""Positions tried before the search gives up."""


@dataclass(frozen=True)
class Held:
    """Nodes held from a day to a day, to be given ids side by side."""

    start_day: int
    end_day: int
    nodes: int


def contiguous_ids(
    blocks: Sequence[Block], held: Sequence[Held], *, steps: int = STEPS
) -> tuple[tuple[int, ...] | None, bool]:
    """
    The lowest id of each holding, so that the ids of each lie side by side.

    Parameters
    ----------
    blocks : sequence of Block
        Node ids and the days on which they are there.
    held : sequence of Held
        What is held; days half-open. [day], [1]
    steps : int
        Positions tried at most.

    Returns
    -------
    (tuple of int or None, bool)
        Lowest ids, or None; and whether None is a proof that there are none.

    Notes
    -----
    A plan of ids is a packing of rectangles, days by ids. Each can be pushed towards lower
    ids until it touches the edge of a block or another one, so some packing has every lowest
    id at an edge of a block plus a sum of sizes of others; only these are tried, lowest
    first, depth first in order of start. Earlier holdings that end before a later one starts
    do not meet it.
    """
    order = sorted(range(len(held)), key=lambda at: (held[at].start_day, -held[at].nodes, at))
    edges = {block.first for block in blocks} | {block.first + block.nodes for block in blocks}
    top = max(edges, default=0)
    lows = sorted(_sums(edges, [each.nodes for each in held], top))
    placed: list[tuple[Held, int]] = []
    left = [steps]
    found: dict[int, int] = {}

    def descend(depth: int) -> bool:
        if depth == len(order):
            return True
        each = held[order[depth]]
        for low in lows:
            if low + each.nodes > top or left[0] <= 0:
                break
            left[0] -= 1
            if _is_free(placed, each, low) and _is_there(blocks, each, low):
                placed.append((each, low))
                found[order[depth]] = low
                if descend(depth + 1):
                    return True
                placed.pop()
        return False

    if descend(0):
        return tuple(found[at] for at in range(len(held))), False
    return None, left[0] > 0


def _sums(edges: set[int], sizes: list[int], top: int) -> set[int]:
    """Edges plus sums of some of the sizes, below the top."""
    reached = set(edges)
    for size in sizes:
        reached |= {low + size for low in reached if low + size < top}
    return reached


def _is_free(placed: list[tuple[Held, int]], each: Held, low: int) -> bool:
    """Whether no holding that meets this one in time has an id of it."""
    return not any(
        other.start_day < each.end_day
        and each.start_day < other.end_day
        and at < low + each.nodes
        and low < at + other.nodes
        for other, at in placed
    )


def _is_there(blocks: Sequence[Block], each: Held, low: int) -> bool:
    """Whether the ids are there on all days of a holding."""
    covered = sum(
        max(min(block.first + block.nodes, low + each.nodes) - max(block.first, low), 0)
        for block in blocks
        if block.holds(each.start_day, each.end_day).all()
    )
    return covered == each.nodes
