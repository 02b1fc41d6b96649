"""Rows that plans of links share, and what each day at each point costs at prices of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.offer.block import Block, node_rows
from planner.allocation.program.families import shared_time

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["LinkRows", "Tariff", "link_rows"]


@dataclass(frozen=True)
class Tariff:
    """
    What holding nodes, starting and finishing cost at prices. [value]

    A cost until a day is that of holding from the first day of the horizon until it, so a
    link from s to e costs the difference of two.
    """

    node: Floats  # [pool, day] of one node until the day
    equivalent: Floats  # [consortium, day] of one device-equivalent, wherever it is
    shared: Floats  # [consortium] of one device-equivalent and day in shared pools
    money: Floats  # [consortium] of one unit of money
    starts: Mapping[int, Floats]  # by job [day]: cost of starting on the day
    finishes: Mapping[int, Floats]  # by job [day]: gain of finishing by the day
    once: Floats  # [job] cost of being served at all


@dataclass(frozen=True)
class LinkRows:
    """
    The rows of a case as stretches of days, each asking for at most its bound.

    Rows that ask for at least are negated. The families, names and bounds are those of
    `program.FAMILIES` that hold for plans without pauses.
    """

    case: Case
    names: tuple[str, ...]  # [row]
    bound: Floats  # [row]
    pool_key: Ints  # [pool row] pool and day in one number, ascending
    cap_key: Ints  # [cap row] consortium and day
    cap_first: int
    budgets: Mapping[int, int]  # row by consortium
    floors: Mapping[int, int]
    shares: Mapping[int, int]
    uses: Mapping[int, int]  # row by rule of use
    equals: Mapping[tuple[int, int], int]  # row by consortiums (less, more)
    workloads: Mapping[int, int]  # row by job
    orders: tuple[tuple[int, int, int, Ints], ...]  # before, then, first row, days

    @property
    def stride(self) -> int:
        """Days of the horizon and one."""
        return self.case.days + 1

    @cached_property
    def reach(self) -> Floats:
        """Size of the most that one plan may add to each row, with that of its bound. [row]"""
        case = self.case
        nodes = float(case.point_nodes.max(initial=0))
        worth = nodes * float(case.pool_equivalent.max(initial=0.0))
        cost = float(case.point_cost_per_day.max(initial=0.0))
        most = np.full(len(self.names), max(worth * case.days, 1.0))
        most[: len(self.pool_key)] = nodes
        most[self.cap_first : self.cap_first + len(self.cap_key)] = worth
        for row in self.budgets.values():
            most[row] = cost * case.days
        return np.asarray(most + np.abs(self.bound))

    def earns(self, prices: Floats) -> bool:
        """Whether some price pays for holding nodes: of a floor, a use by a day, equal support."""
        asked = [*self.floors.values(), *self.uses.values(), *self.equals.values()]
        return bool((prices[asked] > 0).any()) if asked else False

    def tariff(self, prices: Floats) -> Tariff:
        """
        What everything costs at prices of rows.

        Parameters
        ----------
        prices : ndarray [row]
            Not negative. [value per unit of the row]
        """
        case, stride = self.case, self.stride
        teams, jobs = len(case.consortium_names), len(case.job_names)
        days = np.arange(stride, dtype=np.float64)
        node = _until(self.pool_key, prices[: len(self.pool_key)], len(case.pool_names), stride)
        caps = prices[self.cap_first : self.cap_first + len(self.cap_key)]
        equivalent = _until(self.cap_key, caps, teams, stride)
        for team, row in self.floors.items():
            equivalent[team] -= prices[row] * days
        for rule, row in self.uses.items():
            used = np.minimum(days, float(case.use_end_day[rule]))
            equivalent[case.use_consortium[rule]] -= prices[row] * used
        for (less, more), row in self.equals.items():
            keep = 1.0 - case.equal_support_frac
            equivalent[more] += prices[row] * keep / _support_days(case, more) * days
            equivalent[less] -= prices[row] / _support_days(case, less) * days
        shared, money, once = np.zeros(teams), np.zeros(teams), np.zeros(jobs)
        for team, row in self.shares.items():
            shared[team] = prices[row]
        for team, row in self.budgets.items():
            money[team] = prices[row]
        for job, row in self.workloads.items():
            once[job] = prices[row]
        starts: dict[int, Floats] = {}
        finishes: dict[int, Floats] = {}
        for before, then, first, order_days in self.orders:
            # A row of day t counts starts until t and finishes until t.
            ahead = np.zeros(stride)
            ahead[order_days] = prices[first : first + len(order_days)]
            ahead = np.cumsum(ahead[::-1])[::-1]
            starts[then] = starts.get(then, 0.0) + ahead
            finishes[before] = finishes.get(before, 0.0) + ahead
        return Tariff(node, equivalent, shared, money, starts, finishes, once)

    def terms(
        self,
        job: Ints,
        done: Floats,
        chain: Ints,
        point: Ints,
        *,
        start_day: Ints,
        end_day: Ints,
    ) -> tuple[Ints, Ints, Floats]:
        """
        Amounts of plans in rows: row, plan and amount of each term.

        Parameters
        ----------
        job, done : ndarray [plan]
            Whose plan it is, and the part of the work that it does. [1]
        chain, point, start_day, end_day : ndarray [link]
            Links of the plans, by plan and start. [day]
        """
        case, stride, at = self.case, self.stride, _Terms()
        pool, nodes = case.point_pool[point], case.point_nodes[point].astype(np.float64)
        team = case.job_consortium[job[chain]]
        worth = case.pool_equivalent[pool] * nodes
        days = (end_day - start_day).astype(np.float64)
        low, high = start_day + pool * stride, end_day + pool * stride
        at.stretch(self.pool_key, 0, low, high, plan=chain, amount=nodes)
        low, high = start_day + team * stride, end_day + team * stride
        at.stretch(self.cap_key, self.cap_first, low, high, plan=chain, amount=worth)
        cost = case.point_cost_per_day[point] * days
        for one, row in self.budgets.items():
            at.single(row, team == one, chain, cost)
        for one, row in self.floors.items():
            at.single(row, team == one, chain, -worth * days)
        for one, row in self.shares.items():
            at.single(row, (team == one) & case.pool_shared[pool], chain, worth * days)
        for rule, row in self.uses.items():
            end = int(case.use_end_day[rule])
            used = np.maximum(np.minimum(end_day, end) - start_day, 0)
            at.single(row, team == case.use_consortium[rule], chain, -worth * used)
        for (less, more), row in self.equals.items():
            keep = 1.0 - case.equal_support_frac
            at.single(row, team == more, chain, worth * days * keep / _support_days(case, more))
            at.single(row, team == less, chain, -worth * days / _support_days(case, less))
        own = np.arange(len(job))
        for one, row in self.workloads.items():
            at.single(row, job == one, own, np.ones(len(job)))
        first = np.searchsorted(chain, own)
        last = np.searchsorted(chain, own, side="right") - 1
        for before, then, row, order_days in self.orders:
            mine = np.flatnonzero(job == then)
            at.tail(order_days, row, start_day[first[mine]], mine, 1.0)
            mine = np.flatnonzero((job == before) & (done >= 1.0))
            at.tail(order_days, row, end_day[last[mine]], mine, -1.0)
        return at.summed(len(self.names))


class _Terms:
    """Terms as they are collected."""

    def __init__(self) -> None:
        self.rows: list[Ints] = []
        self.plans: list[Ints] = []
        self.amounts: list[Floats] = []

    def stretch(
        self, key: Ints, first: int, start: Ints, end: Ints, *, plan: Ints, amount: Floats
    ) -> None:
        """Let each link take part in the rows between two keys."""
        low, high = np.searchsorted(key, start), np.searchsorted(key, end)
        sizes = high - low
        ahead = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else sizes
        rows = np.arange(int(sizes.sum())) - np.repeat(ahead - low, sizes)
        self.rows.append(rows + first)
        self.plans.append(np.repeat(plan, sizes))
        self.amounts.append(np.repeat(amount, sizes))

    def single(self, row: int, mine: Floats, plan: Ints, amount: Floats) -> None:
        """Let some links take part in one row."""
        used = np.flatnonzero(mine)
        self.rows.append(np.full(len(used), row, dtype=np.int64))
        self.plans.append(plan[used])
        self.amounts.append(amount[used])

    def tail(self, days: Ints, first: int, since: Ints, plan: Ints, amount: float) -> None:
        """Let plans take part in the rows of a day and all later ones."""
        low = np.searchsorted(days, since)
        sizes = len(days) - low
        for one, start, size in zip(plan.tolist(), low.tolist(), sizes.tolist(), strict=True):
            self.rows.append(first + start + np.arange(size))
            self.plans.append(np.full(size, one, dtype=np.int64))
            self.amounts.append(np.full(size, amount))

    def summed(self, rows: int) -> tuple[Ints, Ints, Floats]:
        """Terms by plan and row, those of one pair added up."""
        row = np.concatenate(self.rows).astype(np.int64)
        plan = np.concatenate(self.plans).astype(np.int64)
        key, inverse = np.unique(plan * rows + row, return_inverse=True)
        amount = np.bincount(inverse, weights=np.concatenate(self.amounts), minlength=len(key))
        return key % rows, key // rows, amount.astype(np.float64)


def _until(key: Ints, prices: Floats, lines: int, stride: int) -> Floats:
    """Sum of the prices of rows before each day, line by line. [line, day]"""
    flat = np.zeros(lines * stride)
    np.add.at(flat, key, prices)
    each = flat.reshape(lines, stride)
    total = np.zeros((lines, stride))
    np.cumsum(each[:, :-1], axis=1, out=total[:, 1:])
    return total


def _support_days(case: Case, team: int) -> int:
    """Days over which a consortium's support is averaged."""
    return max(int(case.consortium_end_day[team] - case.consortium_first_day[team]), 1)


def link_rows(case: Case, blocks: tuple[tuple[Block, ...], ...]) -> LinkRows:
    """
    The rows that plans of links share.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    blocks : tuple [pool]
        Blocks of nodes.

    Returns
    -------
    LinkRows
        Days of rows are those on which a link may start, and those on which nodes go.

    Notes
    -----
    Nodes are counted by day, also where that alone is not enough for node ids to be
    assigned: every plan keeps these rows. Rows of lending are not among them, so a bound
    by prices is valid for such cases, but says nothing of that rule.
    """
    rows = _RowList()
    borders = np.asarray(case.border_day[:-1])
    releases = np.maximum(case.pair_release_day, 0)
    usable = (case.pair_reason == 0) & (releases < case.days)
    pool_key = []
    for pool, here in enumerate(blocks):
        ends = [min(end, case.days) for block in here for _, end in block.spans]
        mine = releases[usable & (case.pair_pool == pool)]
        days = np.unique(np.concatenate([borders, mine, ends])).astype(np.int64)
        days = days[days < case.days]
        rows.add([f"pool_{pool}_{day}" for day in days.tolist()], node_rows(here, days))
        pool_key.append(days + pool * (case.days + 1))
    cap_first, cap_key = len(rows.names), []
    for team in np.flatnonzero(case.consortium_cap > 0).tolist():
        mine = releases[usable & (case.job_consortium[case.pair_job] == team)]
        days = np.unique(np.concatenate([borders, mine])).astype(np.int64)
        rows.add([f"cap_{team}_{day}" for day in days.tolist()],
                 np.full(len(days), case.consortium_cap[team]))  # fmt: skip
        cap_key.append(days + team * (case.days + 1))
    none = np.zeros(0, dtype=np.int64)
    return LinkRows(
        case,
        pool_key=np.concatenate([none, *pool_key]),
        cap_key=np.concatenate([none, *cap_key]),
        cap_first=cap_first,
        **_single_rows(case, rows),
        orders=_orders(case, rows, borders, releases),
        names=tuple(rows.names),
        bound=rows.bound(),
    )


class _RowList:
    """Names and bounds as they are collected."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.bounds: list[Floats] = []

    def add(self, names: list[str], bounds: Floats | Ints | list[float]) -> int:
        """Some rows; the first of them."""
        first = len(self.names)
        self.names += names
        self.bounds.append(np.asarray(bounds, dtype=np.float64))
        return first

    def bound(self) -> Floats:
        """Bounds of all rows."""
        return np.concatenate(self.bounds) if self.bounds else np.zeros(0)


def _single_rows(case: Case, rows: _RowList) -> dict[str, dict]:  # type: ignore[type-arg]
    """Rows that are no lines of days, by kind."""
    teams = range(len(case.consortium_names))
    support = case.consortium_end_day - case.consortium_first_day
    limit = case.share_limit_frac
    total = limit * shared_time(case) if limit > 0 else 0.0
    groups = [
        np.flatnonzero(case.support_group == group).tolist()
        for group in np.unique(case.support_group[case.support_group >= 0]).tolist()
        if case.equal_support_frac >= 0
    ]
    same, counts = np.unique(case.job_identity, return_counts=True)
    workloads: dict[int, int] = {}
    for identity in same[counts > 1].tolist():
        row = rows.add([f"workload_{identity}"], [1.0])
        workloads |= dict.fromkeys(np.flatnonzero(case.job_identity == identity).tolist(), row)
    return {
        "workloads": workloads,
        "budgets": {
            team: rows.add([f"budget_{team}"], case.consortium_budget[[team]])
            for team in teams
            if case.consortium_budget[team] >= 0
        },
        "floors": {
            team: rows.add([f"floor_{team}"], -case.consortium_floor[[team]] * support[team])
            for team in teams
            if case.consortium_floor[team] > 0 and support[team] > 0
        },
        "shares": {team: rows.add([f"share_{team}"], [total]) for team in teams if limit > 0},
        "uses": {
            rule: rows.add([f"use_{rule}"], -case.use_least[[rule]])
            for rule in range(len(case.use_consortium))
        },
        "equals": {
            (less, more): rows.add([f"equal_{less}_{more}"], [0.0])
            for group in groups
            for more in group
            for less in group
            if less != more
        },
    }


def _orders(
    case: Case, rows: _RowList, borders: Ints, releases: Ints
) -> tuple[tuple[int, int, int, Ints], ...]:
    """Rows of jobs that wait for others."""
    found = []
    pairs = zip(case.after_before.tolist(), case.after_then.tolist(), strict=True)
    for number, (before, then) in enumerate(pairs):
        mine = releases[(case.pair_job == then) & (case.pair_reason == 0)]
        days = np.unique(np.concatenate([borders, mine])).astype(np.int64)
        days = days[days < case.days]
        first = rows.add([f"after_{number}_{day}" for day in days.tolist()], np.zeros(len(days)))
        found.append((before, then, first, days))
    return tuple(found)
