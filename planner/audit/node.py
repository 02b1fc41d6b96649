"""Checks of nodes: no id twice at any time, ids and counts inside the deliveries of each day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardware.column import Ints
from hardware.errors import Diagnostic
from planner.audit.ledger import Entry, Ledger
from planner.audit.report import Checked, checked, violation
from planner.delivery import DeliveryTable

__all__ = ["ids_inside_deliveries", "no_node_twice", "nodes_as_counted", "overlapping_pairs",
           "within_capacity"]  # fmt: skip

_CHUNK = 2_000_000  # candidate pairs looked at together, about 100 MB
_LISTED = 50  # double bookings of a pool told one by one


def _rectangles(entries: list[Entry]) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Owner, first and end day, first and end id of every range of ids; [range]."""
    ranges = [len(entry.row.ids) for entry in entries]
    owner = np.repeat(np.arange(len(entries), dtype=np.int64), ranges)
    ids = np.concatenate([entry.row.ids for entry in entries]).reshape(-1, 2)
    first = np.array([entry.start_day for entry in entries], dtype=np.int64)[owner]
    end = np.array([entry.end_day for entry in entries], dtype=np.int64)[owner]
    return owner, first, end, ids[:, 0], ids[:, 1]


def overlapping_pairs(first: Ints, end: Ints, low: Ints, high: Ints) -> Iterator[Ints]:
    """
    Pairs of rectangles, days by ids, that share at least a day of a node.

    Parameters
    ----------
    first, end : Ints [range]
        Half-open spans of days. [day]
    low, high : Ints [range]
        Half-open ranges of node ids. [1]

    Yields
    ------
    Ints [pair, 2]
        Row numbers, the smaller one first; in chunks, each pair once.

    Notes
    -----
    Sorts along the axis on which fewer ranges meet, and looks for each range only at
    those that begin inside it. That is a few comparisons a range for plans without
    fault, however many nodes a range has.
    """
    axes = ((first, end, low, high), (low, high, first, end))
    sweeps = []
    for begin, stop, other_begin, other_stop in axes:
        order = np.argsort(begin, kind="stable")
        meets = np.searchsorted(begin[order], stop[order], side="left")
        sweeps.append((order, np.maximum(meets - np.arange(len(order)) - 1, 0),
                       other_begin, other_stop))  # fmt: skip
    order, count, begin, stop = min(sweeps, key=lambda sweep: int(sweep[1].sum()))
    begin, stop = begin[order], stop[order]
    total = np.cumsum(count)
    at = 0
    while at < len(order):
        base = int(total[at - 1]) if at else 0
        upto = max(int(np.searchsorted(total, base + _CHUNK, side="right")), at + 1)
        one = np.repeat(np.arange(at, upto), count[at:upto])
        within = np.arange(len(one)) - np.repeat(
            total[at:upto] - count[at:upto] - base, count[at:upto]
        )
        two = one + 1 + within
        meet = (begin[one] < stop[two]) & (begin[two] < stop[one])
        pairs = np.stack([order[one[meet]], order[two[meet]]], axis=1)
        if len(pairs):
            yield np.sort(pairs, axis=1)
        at = upto


def no_node_twice(ledger: Ledger) -> Checked:
    """No node id is held by two rows, or twice by one, on any day."""
    found: list[Diagnostic] = []
    looked = 0
    for name, entries in ledger.by_pool().items():
        owner, first, end, low, high = _rectangles(entries)
        looked += len(owner)
        listed = rest = 0
        for pairs in overlapping_pairs(first, end, low, high):
            for one, two in pairs[: max(_LISTED - listed, 0)]:
                mine, other = entries[owner[two]], entries[owner[one]]
                ids = (max(low[one], low[two]), min(high[one], high[two]) - 1)
                days = (max(first[one], first[two]), min(end[one], end[two]) - 1)
                dates = [str(ledger.facts.date(int(day))) for day in days]
                found.append(violation(
                    "node-counted-twice",
                    f"nodes of `{name}` are given twice: to `{other.row.job}` and `{mine.row.job}`",
                    mine.where("node_ids"),
                    found=f"ids {ids[0]}-{ids[1]} from {dates[0]} to {dates[1]}, "
                          f"also in rows[{other.at}]",
                    expected="each node once on any day",
                ))  # fmt: skip
            shown = min(len(pairs), max(_LISTED - listed, 0))
            listed += shown
            rest += len(pairs) - shown
        if rest:
            found.append(violation("node-counted-twice", f"{rest} more double uses in `{name}`",
                                   entries[0].where("node_ids")))  # fmt: skip
    return checked("no node twice", looked, found)


def nodes_as_counted(ledger: Ledger) -> Checked:
    """`nodes` is the number of distinct ids that the row lists."""
    found = []
    for entry in ledger.entries:
        ids = entry.row.ids[np.argsort(entry.row.ids[:, 0], kind="stable")]
        reach = np.concatenate([[0], np.maximum.accumulate(ids[:, 1])[:-1]])
        distinct = int(np.maximum(ids[:, 1] - np.maximum(ids[:, 0], reach), 0).sum())
        if distinct != entry.row.nodes:
            found.append(violation(
                "nodes-count-mismatch", f"`{entry.row.job}` lists other than `nodes` node ids",
                entry.where("nodes"), found=entry.row.nodes, expected=distinct,
            ))  # fmt: skip
    return checked("node counts", len(ledger.entries), found)


def _available(deliveries: DeliveryTable, entry: Entry) -> bool:
    """Whether some delivery has nodes on every day of the row."""
    reach = entry.start_day
    for at in np.argsort(deliveries.first_day, kind="stable"):
        if deliveries.first_day[at] <= reach:
            reach = max(reach, int(deliveries.end_day[at]))
    return reach >= entry.end_day


def ids_inside_deliveries(ledger: Ledger) -> Checked:
    """Each id of a row can be used on each of its days."""
    found: list[Diagnostic] = []
    looked = 0
    for name, entries in ledger.by_pool().items():
        deliveries = entries[0].pool.deliveries
        owner, first, end, low, high = _rectangles(entries)
        looked += len(owner)
        inside = np.zeros(len(owner), dtype=np.int64)
        for at in range(len(deliveries)):
            days = np.minimum(end, deliveries.end_day[at]) - np.maximum(
                first, deliveries.first_day[at]
            )
            ids = np.minimum(high, deliveries.end_id[at]) - np.maximum(low, deliveries.first_id[at])
            inside += np.maximum(days, 0) * np.maximum(ids, 0)
        short = inside < (end - first) * (high - low)  # blocks in use on a day are disjoint
        for row in np.unique(owner[short]):
            entry = entries[row]
            if _available(deliveries, entry):
                bad = low[short & (owner == row)], high[short & (owner == row)]
                top = int(deliveries.end_id.max(initial=0))
                found.append(violation(
                    "node-id-out-of-range",
                    f"`{name}` does not have these nodes on all days of the row",
                    entry.where("node_ids"), found=f"ids {bad[0][0]}-{bad[1][0] - 1}",
                    expected=f"ids below {top}, delivered on these days",
                ))  # fmt: skip
            else:
                found.append(violation(
                    "pool-not-available", f"`{name}` has no nodes on some day of the row",
                    entry.where("from"), found=f"{entry.row.first} to {entry.row.last}",
                    expected="days of a delivery of the pool",
                ))  # fmt: skip
    return checked("ids and deliveries", looked, found)


def within_capacity(ledger: Ledger) -> Checked:
    """The node counts of all rows of a pool stay within its nodes on every day."""
    found: list[Diagnostic] = []
    looked = 0
    for name, entries in ledger.by_pool().items():
        blocks = entries[0].pool.deliveries
        sizes = blocks.end_id - blocks.first_id
        nodes = np.array([entry.row.nodes for entry in entries], dtype=np.int64)
        starts = np.array([entry.start_day for entry in entries], dtype=np.int64)
        ends = np.array([entry.end_day for entry in entries], dtype=np.int64)
        at = np.concatenate([starts, ends, blocks.first_day, blocks.end_day])
        step = np.concatenate([-nodes, nodes, sizes, -sizes])
        days, group = np.unique(at, return_inverse=True)
        free = np.cumsum(np.bincount(group, weights=step, minlength=len(days)))
        looked += len(days)
        worst = int(np.argmin(free))
        if free[worst] < 0:
            day = int(days[worst])
            holders = [e for e in entries if e.start_day <= day < e.end_day]
            held = sum(entry.row.nodes for entry in holders)
            has = held + int(free[worst])
            found.append(violation(
                "capacity-exceeded",
                f"more nodes of `{name}` are given than it has on {ledger.facts.date(day)}",
                holders[-1].where("nodes"), found=held, expected=f"at most {has}",
            ))  # fmt: skip
    return checked("capacity a day", looked, found)
