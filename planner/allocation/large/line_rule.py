"""Lines of the rules that compare: equal support by a level, use by a day, and the owner first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.large.line import Layer, Lines, single
from planner.allocation.offer.option import OptionTable

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["equal_lines", "lending_lines", "support_groups", "use_lines"]


def support_groups(case: Case, runs: OptionTable) -> list[Ints]:
    """Consortiums compared with each other, group by group; none without such a rule."""
    if case.equal_support_frac < 0 or len(runs) == 0:
        return []
    groups = np.unique(case.support_group[case.support_group >= 0]).tolist()
    return [teams for one in groups if len(teams := np.flatnonzero(case.support_group == one)) > 1]


def equal_lines(lines: Lines, case: Case, runs: OptionTable, groups: list[Ints]) -> None:
    """
    Consortiums of a group hold nearly as much on average; see `support.equal_support`.

    u_c <= L  and  u_c >= (1 - share) L    for every c of the group

    with one level L a group, which is the same as comparing each with each. L is one of the
    last columns, in the unit of the most that it can be: that of the consortium with the
    least to hold, if it held all of it, over 1 - share.
    """
    if not groups:
        return
    team = case.job_consortium[runs.job]
    days = np.maximum(case.consortium_end_day - case.consortium_first_day, 1)
    mean = case.pool_equivalent[runs.pool] * runs.nodes * (runs.end_day - runs.start_day)
    mean = np.append(mean / days[team], np.zeros(lines.columns - len(runs)))
    kept = 1.0 - case.equal_support_frac
    most = _most(case, runs, mean)
    above, below, levels = lines.layer(), lines.layer(), lines.layer()
    lows = lines.layer()
    for number, teams in enumerate(groups):
        column = np.array([len(runs) + number])
        top = float(most[teams].min()) / kept if kept > 1e-9 else float(most[teams].max())
        none = np.zeros(len(teams))
        high = lines.line([f"even_most_{one}" for one in teams.tolist()], none)
        low = lines.line([f"even_least_{one}" for one in teams.tolist()], none)
        mine = np.flatnonzero(np.isin(team, teams))
        place = np.searchsorted(teams, team[mine])
        single(above, mine, high + place, mean)
        single(below, mine, low + place, -mean)
        for layer, row, amount in ((levels, high, -top), (lows, low, kept * top)):
            layer.low[column], layer.high[column] = row, row + len(teams)
            layer.amount[column] = amount


def _most(case: Case, runs: OptionTable, mean: Floats) -> Floats:
    """What each consortium holds on average when each of its jobs holds the most. [consortium]"""
    largest = np.zeros(len(case.job_names))
    np.maximum.at(largest, runs.job, mean[: len(runs)])
    count = len(case.consortium_names)
    return np.bincount(case.job_consortium, weights=largest, minlength=count).astype(np.float64)


def use_lines(lines: Lines, case: Case, runs: OptionTable) -> None:
    """A consortium has used a part of its floor by a day; see `support.used_by_day`."""
    team = case.job_consortium[runs.job]
    seen: dict[int, int] = {}
    layers: list[Layer] = []
    worth = case.pool_equivalent[runs.pool] * runs.nodes
    for row, (one, end) in enumerate(
        zip(case.use_consortium.tolist(), case.use_end_day.tolist(), strict=True)
    ):
        rank = seen[one] = seen.get(one, -1) + 1
        if rank == len(layers):
            layers.append(lines.layer())
        days = np.minimum(runs.end_day, end) - runs.start_day
        at = lines.line([f"use_{row}"], case.use_least[[row]], -1.0)
        single(layers[rank], (team == one) & (days > 0), at, worth * days)


def lending_lines(lines: Lines, case: Case, runs: OptionTable) -> None:
    """
    Nodes of an own pool are lent only when the owner's jobs are placed; see `lending`.

    sum_{borrowers k} x_k <= (number of borrowers) sum_{ways of the workload of j} x
    for every lent pool and every workload that goes before: the sum of the program's rows
    over the borrowers, which for whole plans says the same.
    """
    if len(case.borrow_job) == 0 or len(case.lend_job) == 0:
        return
    identity = case.job_identity[runs.job]
    gives: dict[int, int] = {}
    givers: list[Layer] = []
    before, after = lines.layer(), lines.layer()
    for pool in np.unique(case.borrow_pool).tolist():
        borrowers = np.unique(case.borrow_job[case.borrow_pool == pool])
        first = np.unique(case.job_identity[case.lend_job[case.lend_pool == pool]])
        mine = np.flatnonzero(np.isin(runs.job, borrowers) & (runs.pool == pool))
        if len(first) == 0 or len(mine) == 0:
            continue
        names = [f"lent_{pool}_{one}" for one in first.tolist()]
        row = lines.line(names, np.zeros(len(first)))
        # The same workload asked for by a borrower is left out: one of both is funded at most.
        own = np.searchsorted(first, identity[mine])
        is_own = (own < len(first)) & (first[np.minimum(own, len(first) - 1)] == identity[mine])
        before.low[mine], before.amount[mine] = row, 1.0
        before.high[mine] = row + np.where(is_own, own, len(first))
        rest = mine[is_own]
        after.low[rest], after.high[rest] = row + own[is_own] + 1, row + len(first)
        after.amount[rest] = 1.0
        for at, workload in enumerate(first.tolist()):
            rank = gives[workload] = gives.get(workload, -1) + 1
            if rank == len(givers):
                givers.append(lines.layer())
            amounts = np.full(len(runs), -float(len(borrowers)))
            single(givers[rank], identity == workload, row + at, amounts)
