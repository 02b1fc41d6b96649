"""Node ids for what a plan holds: in each block an exact colouring of intervals, as ranges."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

import numpy as np

from hardware.column import Floats, Ints
from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.answer.contiguous import Held, contiguous_ids
from planner.allocation.answer.placement import PlacementTable
from planner.allocation.offer.block import Block, nests
from planner.allocation.program.register import Register

__all__ = ["Ranges", "assign_nodes", "ranges_text"]

Ranges = tuple[tuple[int, int], ...]  # half-open, in order


def ranges_text(ranges: Ranges) -> str:
    """
    Node ids as written in a plan file, ends included.

    Examples
    --------
    >>> ranges_text(((0, 64), (70, 71)))
    '0-63,70'
    """
    return ",".join(
        str(low) if high == low + 1 else f"{low}-{high - 1}" for low, high in sorted(ranges)
    )


def assign_nodes(register: Register, placed: PlacementTable, point: Floats) -> tuple[Ranges, ...]:
    """
    Node ids for every placement, so that no id is held twice on a day.

    Parameters
    ----------
    register : Register
        The blocks of the pools, and the columns of block counts.
    placed : PlacementTable
        What is held.
    point : ndarray [column]
        The settled point that the placements come from.

    Returns
    -------
    tuple of Ranges [placement]
        Ranges of ids; a contiguous one where a free one is long enough.

    Raises
    ------
    SolverFailure
        More is held than there is, so the point broke its rows.

    Notes
    -----
    Taken in order of start, intervals need no more ids than their largest overlap, whatever
    free ids each takes (interval graphs are perfect). Blocks that all stay until the same
    day are taken in that order; blocks that all begin on the same day in the order of ends,
    backwards in time. Where blocks do not nest, the program has said how many nodes each
    span takes of each block, and the blocks are coloured one by one. Where a pool asks for
    contiguous ids, a search for them follows if some are not; it may find none.
    """
    found: list[Ranges] = [()] * len(placed)
    for pool, here in enumerate(register.options.blocks):
        rows = np.flatnonzero(placed.pool == pool)
        if len(rows) == 0:
            continue
        if nests(here):
            shares = [(here, {int(row): int(placed.nodes[row]) for row in rows})]
        else:
            shares = _shares(register, placed, point, pool, rows)
        for blocks, wanted in shares:
            given = _coloured(register, placed, blocks, wanted)
            if len(register.case.pool_contiguous) and register.case.pool_contiguous[pool]:
                given = _side_by_side(placed, blocks, wanted, given)
            for row, ranges in given.items():
                found[row] = (*found[row], *ranges)
    return tuple(_merged(ranges) for ranges in found)


def _shares(
    register: Register, placed: PlacementTable, point: Floats, pool: int, rows: Ints
) -> list[tuple[tuple[Block, ...], dict[int, int]]]:
    """By block, how many nodes each placement takes there; same days share out in order."""
    classes, here = register.classes, register.options.blocks[pool]
    shares: list[dict[int, int]] = [{} for _ in here]
    left = {int(row): int(placed.nodes[row]) for row in rows}
    nodes = np.round(point[register.offsets["block"] :]).astype(np.int64)
    one_block = np.zeros(len(placed), dtype=np.bool_)
    if register.case.job_one_block.any():
        one_block = register.case.job_one_block[placed.job]
    for at in np.flatnonzero(classes.pool == pool).tolist():
        room = int(nodes[at])
        # A last piece that was cut ends before its class does.
        tied = int(classes.tied[at])
        room *= max(tied, 1)
        same = [
            row
            for row in rows.tolist()
            if placed.start_day[row] == classes.start_day[at]
            and _class_end(register, placed, row) == classes.end_day[at]
            and tied == (placed.nodes[row] if one_block[row] else 0)
        ]
        for row in same:
            taken = min(room, left[row])
            if taken:
                block = int(classes.block[at])
                shares[block][row] = shares[block].get(row, 0) + taken
                left[row] -= taken
                room -= taken
    if any(left.values()):
        raise SolverFailure(
            Diagnostic("no-node-ids", f"no ids are left in `{register.case.pool_names[pool]}`")
        )
    return [((block,), share) for block, share in zip(here, shares, strict=True)]


def _class_end(register: Register, placed: PlacementTable, row: int) -> int:
    """End of the span that a placement comes from; a cut piece ends earlier than its span."""
    spans = register.spans
    same = (
        (spans.job == placed.job[row])
        & (spans.pool == placed.pool[row])
        & (spans.nodes == placed.nodes[row])
        & (spans.start_day == placed.start_day[row])
        & (spans.end_day >= placed.end_day[row])
    )
    return int(spans.end_day[same].min(initial=np.iinfo(np.int64).max))


def _coloured(
    register: Register,
    placed: PlacementTable,
    blocks: tuple[Block, ...],
    wanted: dict[int, int],
) -> dict[int, Ranges]:
    """Ids of placements on blocks that nest, in order of start, forwards or backwards in time."""
    days = register.case.days
    backwards = len({block.spans[0][1] for block in blocks}) > 1
    arrivals = sorted(
        (days - block.spans[0][1] if backwards else block.spans[0][0], block.first, block.nodes)
        for block in blocks
    )
    order = []
    for row, nodes in wanted.items():
        start, end = int(placed.start_day[row]), int(placed.end_day[row])
        order.append((days - end, days - start, -nodes, row) if backwards
                     else (start, end, -nodes, row))  # fmt: skip
    free: list[tuple[int, int]] = []
    busy: list[tuple[int, int, Ranges]] = []
    found: dict[int, Ranges] = {}
    for start, end, minus, row in sorted(order, key=lambda item: (item[0], item[2], item[3])):
        while arrivals and arrivals[0][0] <= start:
            _, first, nodes = arrivals.pop(0)
            free = list(_merged([*free, (first, first + nodes)]))
        while busy and busy[0][0] <= start:
            free = list(_merged([*free, *busy.pop(0)[2]]))
        taken = _take(free, -minus)
        if taken is None:
            name = register.case.pool_names[int(placed.pool[row])]
            raise SolverFailure(
                Diagnostic(
                    "no-node-ids", f"more is held in `{name}` than it has", found=str(-minus)
                )
            )
        found[row] = taken
        insort(busy, (end, row, taken))
    return found


def _side_by_side(
    placed: PlacementTable,
    blocks: tuple[Block, ...],
    wanted: dict[int, int],
    given: dict[int, Ranges],
) -> dict[int, Ranges]:
    """Contiguous ids for all placements where a search finds them, else those given."""
    if all(len(_merged(ranges)) <= 1 for ranges in given.values()):
        return given
    rows = list(wanted)
    held = [Held(int(placed.start_day[row]), int(placed.end_day[row]), wanted[row]) for row in rows]
    lows, _ = contiguous_ids(blocks, held)
    if lows is None:
        return given
    return {row: ((low, low + wanted[row]),) for row, low in zip(rows, lows, strict=True)}


def _take(free: list[tuple[int, int]], wanted: int) -> Ranges | None:
    """Remove ids from the free ranges: the shortest range that is long enough, else the lowest."""
    long = [(high - low, low) for low, high in free if high - low >= wanted]
    if long:
        _, low = min(long)
        at = next(at for at, part in enumerate(free) if part[0] == low)
        high = free[at][1]
        free[at : at + 1] = [(low + wanted, high)] if low + wanted < high else []
        return ((low, low + wanted),)
    taken: list[tuple[int, int]] = []
    while wanted and free:
        low, high = free.pop(0)
        upto = min(high, low + wanted)
        taken.append((low, upto))
        wanted -= upto - low
        if upto < high:
            free.insert(0, (upto, high))
    return None if wanted else tuple(taken)


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Ranges in order, those that touch made one."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)
