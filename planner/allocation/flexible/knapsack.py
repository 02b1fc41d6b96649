"""Which jobs of one consortium its budget has room for together, at the least that each costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.flexible.rows import LinkRows
from planner.allocation.flexible.value import NEVER, chain_values
from planner.allocation.flexible.ways import Ways, costs_of
from planner.allocation.large.knapsack import buy_best

__all__ = ["CELLS", "NOBODY", "Knapsack", "budget_knapsacks", "earned_most"]

NOBODY: frozenset[int] = frozenset()
CELLS = 10_000  # of a budget; costs are rounded down to whole ones
SPARE = 1e-5  # part by which a cost is taken to be less: sums of floats, tolerance of plans
BUCKETS = 500  # parts of the work of a job whose least cost is sought
MOST_JOBS, MOST_A_TEAM = 60, 16  # of cases and consortiums in which few jobs fill a budget


@dataclass(frozen=True)
class Knapsack:
    """
    The budget of one consortium and the least that serving each of its jobs takes of it.

    Mixtures of plans may serve half of a job with half of its cost; no plan can. What a
    consortium's jobs earn together is at most what the best set earns that the budget has
    room for, at whatever prices; that set is found by the usual recursion over the budget.
    """

    jobs: Ints  # [item]
    weight: Ints  # [item] cells of the budget, at least

    def best(
        self, earned: Floats, served: frozenset[int], refused: frozenset[int]
    ) -> tuple[float, Bools]:
        """
        The most that a set of jobs earns, and the set.

        Parameters
        ----------
        earned : ndarray [item]
            What each job earns when it is served. [value]
        served, refused : frozenset of int
            Jobs that are in the set, and that are not, by row.

        Returns
        -------
        (float, ndarray of bool [item])
            `NEVER` where the budget has no room for those served.
        """
        must = np.array([job in served for job in self.jobs.tolist()], dtype=np.bool_)
        may = np.array([job not in refused for job in self.jobs.tolist()]) & ~must
        room = CELLS - int(self.weight[must].sum())
        if room < 0:
            return NEVER, must
        if not (earned < np.inf).all():  # prices too large to be added up prove nothing
            return np.inf, must
        items = [np.array([item]) for item in np.flatnonzero(may).tolist()]
        value, bought = buy_best(items, earned, self.weight, room)
        chosen = must.copy()
        chosen[bought] = True
        return value + float(earned[must].sum()), chosen

    def holds(self, served: frozenset[int]) -> bool:
        """Whether the budget has room for some jobs, those of others aside."""
        mine = [job in served for job in self.jobs.tolist()]
        return int(self.weight[np.array(mine, dtype=np.bool_)].sum()) <= CELLS

    def filled(self, chosen: Bools, order: Ints) -> Bools:
        """A set, and whatever else there is room for, in an order of items."""
        chosen = chosen.copy()
        left = CELLS - int(self.weight[chosen].sum())
        for item in order.tolist():
            if not chosen[item] and self.weight[item] <= left:
                chosen[item] = True
                left -= int(self.weight[item])
        return chosen


def budget_knapsacks(rows: LinkRows, ways: Sequence[Ways]) -> tuple[Knapsack, ...]:
    """
    The budgets of a case that have no room for all the jobs that they pay for.

    Parameters
    ----------
    rows : LinkRows
        The rows of the case.
    ways : sequence of Ways
        Every job that may be served.

    Returns
    -------
    tuple of Knapsack
        None for cases of more than `MOST_JOBS` jobs and consortiums of more than
        `MOST_A_TEAM`, in which a mixture splits few jobs of many. A job that counts in part
        may be served for next to nothing, and weighs nothing.
    """
    if len(ways) > MOST_JOBS:
        return ()
    found = []
    for team, row in sorted(rows.budgets.items()):
        mine = [one for one in ways if rows.case.job_consortium[one.job] == team]
        if not mine or len(mine) > MOST_A_TEAM:
            continue
        cost = np.array([_least_cost(rows, one, row) for one in mine])
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            part = np.where(cost > 0, cost / rows.bound[row], 0.0)
        weight = np.floor(np.minimum(part * (1 - SPARE), 2.0) * CELLS).astype(np.int64)
        if weight.sum() > CELLS:
            found.append(Knapsack(np.array([one.job for one in mine], dtype=np.int64), weight))
    return tuple(found)


def _least_cost(rows: LinkRows, ways: Ways, row: int) -> float:
    """What no plan that finishes a job can cost less than, in the unit of a row of budget."""
    if ways.is_partial:
        return 0.0
    unit = np.zeros(len(rows.names))
    unit[row] = 1.0
    costs = costs_of(rows.case, ways, rows.tariff(unit), may_earn=False)
    free = replace(costs, gain=np.zeros_like(costs.gain))
    return max(-chain_values(ways, free, BUCKETS, is_bound=True).best, 0.0)


def earned_most(
    knapsacks: Sequence[Knapsack],
    jobs: Sequence[int],
    earned: Sequence[float],
    served: frozenset[int],
    refused: frozenset[int],
) -> float:
    """
    The most that jobs earn together, each as a whole or not at all.

    Parameters
    ----------
    knapsacks : sequence of Knapsack
        Of budgets that do not have room for all.
    jobs : sequence of int
        Rows of the jobs that are not refused.
    earned : sequence of float
        What each earns when it is served. [value]
    served, refused : frozenset of int
        Jobs that are served, and that are not.
    """
    by_job, total = dict(zip(jobs, earned, strict=True)), 0.0
    for one in knapsacks:
        mine = np.array([by_job.pop(job, NEVER) for job in one.jobs.tolist()])
        total += one.best(mine, served, refused)[0]
    return total + sum(most if job in served else max(most, 0.0) for job, most in by_job.items())
