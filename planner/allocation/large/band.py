"""Rows of a program of whole runs as stretches of lines: what numpy prices without a matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.large.line import Layer, Lines, single
from planner.allocation.large.line_rule import equal_lines, lending_lines, support_groups, use_lines
from planner.allocation.offer.block import nests, node_rows
from planner.allocation.offer.option import Options, OptionTable
from planner.allocation.program.dual import safely
from planner.allocation.program.families import shared_time

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["Bands", "Layer", "bands_of", "can_band", "can_price"]


@dataclass(frozen=True)
class Bands:
    """
    A program of whole runs, at most one a job, by lines of rows.

    A run holds its nodes in each row between its start and its end, so one pair of row
    numbers and one amount say what a matrix would say in dozens of terms. All rows ask for
    at most; those that ask for at least are negated. Rows of a line are scaled alike, so
    that the largest bound of each line is 1.
    """

    names: tuple[str, ...]  # [row] as the rows of the program are named
    bound: Floats  # [row]
    factor: Floats  # [row] scaled amount over the row's own, with its sign
    line_first: Ints  # [line + 1] first row of each line
    layers: tuple[Layer, ...]
    value: Floats  # [column] weighted worth
    first: Ints  # [group + 1] first column of each job that has one
    job: Ints  # [group] -1 for a level
    levels: int = 0  # last columns, each any amount between 0 and 1 and a group of its own

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.value)

    @cached_property
    def sizes(self) -> Ints:
        """Columns of each job. [group]"""
        return np.diff(self.first)

    @cached_property
    def group(self) -> Ints:
        """Number of the job of each column, from 0 without a break. [column]"""
        return np.repeat(np.arange(len(self.job)), self.sizes)

    def profit(self, prices: Floats) -> Floats:
        """Worth of each column less what its rows cost at scaled prices. [column]"""
        total = np.concatenate([[0.0], np.cumsum(prices)])
        left = self.value.copy()
        for layer in self.layers:
            left -= layer.amount * (total[layer.high] - total[layer.low])
        return left

    def activity(self, columns: Ints) -> Floats:
        """Sum over some columns of their amounts in each row. [row]"""
        change = np.zeros(len(self.bound) + 1)
        for layer in self.layers:
            np.add.at(change, layer.low[columns], layer.amount[columns])
            np.subtract.at(change, layer.high[columns], layer.amount[columns])
        return np.asarray(np.cumsum(change)[:-1])

    def most(self, profit: Floats) -> Floats:
        """The largest profit of each job's columns, 0 at least. [group]"""
        if self.columns == 0:
            return np.zeros(len(self.job))
        return np.maximum(np.maximum.reduceat(profit, self.first[:-1]), 0.0)

    @cached_property
    def reach(self) -> Floats:
        """Size of what all jobs may add to each row, with that of its bound. [row]"""
        most = np.zeros(len(self.line_first))
        for layer in self.layers:
            used = np.flatnonzero(layer.high > layer.low)
            line = np.searchsorted(self.line_first, layer.low[used], side="right") - 1
            np.maximum.at(most, line, np.abs(layer.amount[used]))
        each = np.repeat(most[:-1], np.diff(self.line_first)) * len(self.job)
        return np.asarray(each + np.abs(self.bound))

    @cached_property
    def largest(self) -> float:
        """Sum over the jobs of the largest size of a column's value."""
        if self.columns == 0:
            return 0.0
        return float(np.maximum.reduceat(np.abs(self.value), self.first[:-1]).sum())

    def size_at(self, prices: Floats) -> float:
        """Sum of the sizes of all that a bound at scaled prices adds up; see `dual.safely`."""
        return float(prices @ self.reach) + self.largest

    def bound_at(self, prices: Floats) -> float:
        """The most value that any plan has, by scaled prices that are not negative."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(prices @ self.bound + self.most(self.profit(prices)).sum())
            return safely(total, self.size_at(prices), len(prices))

    def part(self, columns: Ints) -> Bands:
        """The same rows with some of the columns, which are given in ascending order."""
        counts = np.diff(np.searchsorted(columns, self.first))
        has = counts > 0
        layers = tuple(layer.part(columns) for layer in self.layers)
        first = np.concatenate([[0], np.cumsum(counts[has])]).astype(np.int64)
        levels = int((columns >= self.columns - self.levels).sum())
        return replace(self, layers=layers, value=self.value[columns], first=first,
                       job=self.job[has], levels=levels)  # fmt: skip

    def at_levels(self, amounts: Floats) -> Bands:
        """The same without the levels, each held at an amount between 0 and 1. [level]"""
        ends = self.columns - self.levels
        bound = self.bound.copy()
        for level, amount in enumerate(amounts.tolist()):
            bound -= amount * self.activity(np.array([ends + level]))
        return replace(self.part(np.arange(ends)), bound=bound)


def can_band(options: Options) -> bool:
    """Whether a case has whole runs alone, in pools where counting nodes by day is enough."""
    return can_price(options) and all(nests(here) for here in options.blocks)


def can_price(options: Options) -> bool:
    """Whether whole runs are all that a case has, so that bands bound every plan."""
    return options.is_whole and len(options.modes) + len(options.chains) == 0


def bands_of(case: Case, options: Options) -> Bands:
    """
    The rows of a program of whole runs, without building the program.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    options : Options
        Its runs; `can_price` must hold. Where counting nodes by day is not enough, `can_band`,
        plans that keep all rows may still have no node ids.

    Returns
    -------
    Bands
        The families of `program.FAMILIES` that speak of runs, under the same names. Rows
        that cannot be broken are among them. [value per scaled row] for prices.
    """
    runs = options.runs
    groups = support_groups(case, runs)
    lines = Lines(len(runs) + len(groups))
    _pools(lines, runs, options)
    _workloads(lines, case, runs)
    _teams(lines, case, runs)
    _caps(lines, case, runs)
    _orders(lines, case, runs)
    use_lines(lines, case, runs)
    lending_lines(lines, case, runs)
    equal_lines(lines, case, runs, groups)
    weight = case.consortium_weight[case.job_consortium]
    first = np.concatenate(
        [[0], np.flatnonzero(np.diff(runs.job)) + 1, [len(runs)] if len(runs) else []]
    )
    first = np.append(first, len(runs) + 1 + np.arange(len(groups))).astype(np.int64)
    job = np.append(runs.job[first[: -1 - len(groups)]], np.full(len(groups), -1))
    per_row = np.repeat(lines.scale() * np.array(lines.sign), np.diff(lines.first))
    for layer in lines.layers:
        used = layer.high > layer.low
        layer.amount[used] *= per_row[layer.low[used]]
    bound = np.concatenate(lines.bounds) if lines.bounds else np.zeros(0)
    return Bands(
        names=tuple(lines.names),
        bound=bound * per_row,
        factor=per_row,
        line_first=np.array(lines.first, dtype=np.int64),
        layers=tuple(lines.layers),
        value=np.append(runs.value * weight[runs.job], np.zeros(len(groups))),
        first=first,
        job=job.astype(np.int64),
        levels=len(groups),
    )


def _pools(lines: Lines, runs: OptionTable, options: Options) -> None:
    """No more nodes are held than a pool has; see `program.within_pool`."""
    layer = lines.layer()
    for pool, here in enumerate(options.blocks):
        mine = np.flatnonzero(runs.pool == pool)
        ends = [end for block in here for _, end in block.spans]
        days = np.unique(np.concatenate([runs.start_day[mine], ends])).astype(np.int64)
        names = [f"pool_{pool}_{day}" for day in days.tolist()]
        _hold(layer, mine, lines.line(names, node_rows(here, days).astype(np.float64)), days, runs)
        layer.amount[mine] = runs.nodes[mine]


def _hold(layer: Layer, mine: Ints, row: int, days: Ints, runs: OptionTable) -> None:
    """Let runs take part in the rows of the days from their start to their end."""
    layer.low[mine] = row + np.searchsorted(days, runs.start_day[mine])
    layer.high[mine] = row + np.searchsorted(days, runs.end_day[mine])


def _workloads(lines: Lines, case: Case, runs: OptionTable) -> None:
    """A workload is funded once; see `program.no_workload_twice`."""
    jobs = np.unique(runs.job)
    same, counts = np.unique(case.job_identity[jobs], return_counts=True)
    if not (counts > 1).any():
        return
    layer = lines.layer()
    for identity in same[counts > 1].tolist():
        row = lines.line([f"workload_{identity}"], np.ones(1))
        single(layer, case.job_identity[runs.job] == identity, row, np.ones(len(runs)))


def _teams(lines: Lines, case: Case, runs: OptionTable) -> None:
    """Budgets, floors and share limits; see the functions of these names in `program`."""
    team = case.job_consortium[runs.job]
    budgets = np.flatnonzero(case.consortium_budget >= 0).tolist()
    if budgets:
        layer = lines.layer()
        for one in budgets:
            row = lines.line([f"budget_{one}"], case.consortium_budget[[one]])
            single(layer, (team == one) & (runs.cost > 0), row, runs.cost)
    floors = np.flatnonzero(case.consortium_floor > 0).tolist()
    if not floors and case.share_limit_frac <= 0:
        return
    days = runs.end_day - runs.start_day
    time = case.pool_equivalent[runs.pool] * runs.nodes * days
    layer = lines.layer()
    for one in floors:
        support = int(case.consortium_end_day[one] - case.consortium_first_day[one])
        if support > 0:
            row = lines.line([f"floor_{one}"], case.consortium_floor[[one]] * support, -1.0)
            single(layer, team == one, row, time)
    if case.share_limit_frac > 0:
        layer = lines.layer()
        limit = np.array([case.share_limit_frac * shared_time(case)])
        for one in range(len(case.consortium_names)):
            row = lines.line([f"share_{one}"], limit)
            single(layer, case.pool_shared[runs.pool] & (team == one), row, time)


def _caps(lines: Lines, case: Case, runs: OptionTable) -> None:
    """A consortium with a cap never holds more; see `program.below_cap`."""
    capped = np.flatnonzero(case.consortium_cap > 0).tolist()
    if not capped:
        return
    layer = lines.layer()
    for one in capped:
        mine = np.flatnonzero(case.job_consortium[runs.job] == one)
        days = np.unique(runs.start_day[mine])
        names = [f"cap_{one}_{day}" for day in days.tolist()]
        row = lines.line(names, np.full(len(days), case.consortium_cap[one]))
        _hold(layer, mine, row, days, runs)
        layer.amount[mine] = case.pool_equivalent[runs.pool[mine]] * runs.nodes[mine]


def _orders(lines: Lines, case: Case, runs: OptionTable) -> None:
    """
    A job starts after those it waits for; see `program.after_predecessors`.

    The nth pair that a job is in, as the one that waits or as the one that ends, has the nth
    layer of its kind: so there are as many as one job has pairs, and not as all jobs have.
    """
    pairs = zip(case.after_before.tolist(), case.after_then.tolist(), strict=True)
    layers: dict[tuple[str, int], Layer] = {}
    count: dict[tuple[str, int], int] = {}

    def layer(kind: str, job: int) -> Layer:
        number = count[kind, job] = count.get((kind, job), -1) + 1
        return layers.get((kind, number)) or layers.setdefault((kind, number), lines.layer())

    for number, (before, then) in enumerate(pairs):
        mine = np.flatnonzero(runs.job == then)
        days = np.unique(runs.start_day[mine])
        names = [f"after_{number}_{day}" for day in days.tolist()]
        row = lines.line(names, np.zeros(len(days)))
        waits, ends = layer("waits", then), layer("ends", before)
        waits.low[mine] = row + np.searchsorted(days, runs.start_day[mine])
        waits.high[mine], waits.amount[mine] = row + len(days), 1.0
        done = np.flatnonzero((runs.job == before) & (runs.done_frac >= 1.0))
        ends.low[done] = row + np.searchsorted(days, runs.end_day[done])
        ends.high[done], ends.amount[done] = row + len(days), -1.0
