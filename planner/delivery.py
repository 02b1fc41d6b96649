"""Deliveries of a pool: which node ids can be used on which days of the horizon."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardware.column import Ints, row_count, seal
from planner.scenario import Horizon, Pool

__all__ = ["DeliveryTable", "available_nodes", "delivery_blocks", "layout_blocks"]

_MOST_NODES = 2**40  # above any pool; ids times days still fit an int64


@dataclass(frozen=True)
class DeliveryTable:
    """
    Deliveries of one pool: a block of node ids that can be used on a span of days.

    Days count from the first day of the horizon; spans of days and of ids are
    half-open. On any day the blocks in use are disjoint, so their lengths add
    up to the nodes that can be used on that day.
    """

    first_day: Ints  # [delivery]
    end_day: Ints  # [delivery] first day on which the block can no longer be used
    first_id: Ints  # [delivery]
    end_id: Ints  # [delivery] one above the last id

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


def layout_blocks(spans: Sequence[tuple[int, int, int]]) -> DeliveryTable:
    """
    Give each delivery its block of node ids.

    Parameters
    ----------
    spans : sequence of (first_day, end_day, nodes)
        One a delivery, in file order, days half-open from the horizon's first day. [day], [1]

    Returns
    -------
    DeliveryTable
        One row a delivery that has a day and a node, in the same order.

    Notes
    -----
    A delivery takes the lowest run of consecutive ids that no earlier-listed
    delivery overlapping it in time has. So deliveries that overlap are laid one after
    the other, in file order, and deliveries that do not overlap are the same nodes at
    different times, which lets a run go on from one into the next. More than 2**40
    nodes count as 2**40.

    Examples
    --------
    >>> table = layout_blocks([(0, 100, 64), (60, 100, 32), (100, 150, 96)])
    >>> [(int(a), int(b)) for a, b in zip(table.first_id, table.end_id)]
    [(0, 64), (64, 96), (0, 96)]
    """
    kept: list[tuple[int, int, int, int]] = []
    for first, end, nodes in spans:
        if end <= first or nodes <= 0:
            continue
        taken = sorted((low, high) for f, e, low, high in kept if f < end and first < e)
        nodes, at = min(nodes, _MOST_NODES), 0
        for low, high in taken:
            if low - at >= nodes:
                break
            at = max(at, high)
        kept.append((first, end, at, at + nodes))
    columns = np.array(kept, dtype=np.int64).reshape(len(kept), 4).T
    return DeliveryTable(*(np.ascontiguousarray(column) for column in columns))


def delivery_blocks(pool: Pool, horizon: Horizon) -> DeliveryTable:
    """
    The node ids of a pool and the days of the horizon on which they can be used. [day]

    Parameters
    ----------
    pool : Pool
        A pool as written, with its windows.
    horizon : Horizon
        The days planned; open ends of windows are its ends, and windows are cut to it.

    Returns
    -------
    DeliveryTable
        Deliveries with at least one day in the horizon and one node; may be empty.

    Notes
    -----
    Without windows, ids 0 to ``nodes - 1`` can be used on every day. Windows without
    `nodes` of their own describe the pool's nodes at several times: ids 0 to
    ``nodes - 1`` each, and overlapping or touching ones are one delivery. A window with
    `nodes` is a delivery of its own; overlapping deliveries add up and
    lie one after the other in file order, see `layout_blocks`. Windows without `nodes`
    count as listed first. A run holds an id only on days on which a delivery holds it,
    so a run over two deliveries needs ids that are in both.
    """
    days = (horizon.last - horizon.first).days + 1

    def span(first: datetime.date | None, last: datetime.date | None) -> tuple[int, int]:
        low = 0 if first is None else (first - horizon.first).days
        high = days if last is None else (last - horizon.first).days + 1
        return max(low, 0), min(high, days)

    nodes = int(pool.nodes.value)
    if not pool.windows:
        return layout_blocks([(0, days, nodes)])
    whole = [span(w.first, w.last) for w in pool.windows if w.nodes is None]
    own = [(*span(w.first, w.last), int(w.nodes.value)) for w in pool.windows if w.nodes]
    return layout_blocks([*((low, high, nodes) for low, high in _merged(whole)), *own])


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Union of half-open spans, in time order; overlapping and touching ones become one."""
    union: list[tuple[int, int]] = []
    for low, high in sorted(span for span in spans if span[0] < span[1]):
        if union and low <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], high))
        else:
            union.append((low, high))
    return union


def available_nodes(deliveries: DeliveryTable, first_day: Ints, end_day: Ints) -> Ints:
    """
    Fewest nodes that can be used on any day of each span of days.

    Parameters
    ----------
    deliveries : DeliveryTable
        The pool's deliveries.
    first_day, end_day : Ints [span]
        Half-open spans, each at least a day long, from the horizon's first day. [day]

    Returns
    -------
    Ints [span]
        Nodes; 0 where some day has none.

    Notes
    -----
    A count, not a promise that the same ids stay: see `delivery_blocks`.
    """
    edges = np.unique(np.concatenate([first_day, deliveries.first_day, deliveries.end_day]))
    covers = (deliveries.first_day <= edges[:, None]) & (edges[:, None] < deliveries.end_day)
    count = (covers * (deliveries.end_id - deliveries.first_id)).sum(axis=1)  # from each edge on
    low = np.searchsorted(edges, first_day)
    high = np.searchsorted(edges, end_day)
    least = [
        int(count[a:b].min(initial=np.iinfo(np.int64).max)) for a, b in zip(low, high, strict=True)
    ]
    return np.array(least, dtype=np.int64)
