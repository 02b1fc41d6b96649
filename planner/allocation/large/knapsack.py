"""A bound that keeps budgets whole: nodes have prices, what a team can pay for is counted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.large.band import Bands
from planner.allocation.large.relaxation import row_unit
from planner.allocation.offer.option import OptionTable
from planner.allocation.program.dual import safely

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["bound_within_budgets", "buy_best", "can_keep_budgets", "within_budgets"]

STEPS = 1000  # that a budget is divided into; costs are rounded down to them
STEP, KEPT, PATIENCE = 0.1, 0.8, 8  # length of a step of prices, what is kept of the last, falls


def can_keep_budgets(case: Case, bands: Bands) -> bool:
    """Whether there are budgets to keep, and no levels, which belong to no team."""
    return bands.columns > 0 and not bands.levels and bool((case.consortium_budget >= 0).any())


def within_budgets(
    case: Case,
    runs: OptionTable,
    bands: Bands,
    prices: Floats,
    *,
    incumbent: float = 0.0,
    rounds: int = 100,
    time_limit_s: float = 5.0,
) -> tuple[float, Floats]:
    """
    Prices and the bound on the value of every plan that they give with each budget whole.

    min over prices >= 0 of  sum_i price_i bound_i + sum_teams max { profit of one run a job
    at most : cost within the budget }, rows i those that are no budget

    Parameters
    ----------
    case, runs : Case, OptionTable
        The case, and its runs as the columns of `bands`.
    bands : Bands
        What is maximised, and its rows; `can_keep_budgets` must hold.
    prices : ndarray [row]
        Scaled prices to start from; those of budgets are not used.
    incumbent : float
        Value of a plan in hand, or a guess, for the length of steps.
    rounds : int
        Most changes of prices.
    time_limit_s : float
        Time after which the best so far is returned. [s]

    Returns
    -------
    (float, ndarray [row])
        The bound, and scaled prices at which `bound_within_budgets` gives it again, those of
        budgets 0.

    Notes
    -----
    A price for a budget lets a team pay for a part of a run; here it cannot [1]_. The most
    that a team gets is found exactly by counting what each part of its budget buys, with
    costs rounded down to a thousandth of the budget, which only raises the bound.

    References
    ----------
    .. [1] A. M. Geoffrion, "Lagrangean relaxation for integer programming," Mathematical
       Programming Studies, vol. 2, 1974.
    """
    began = time.monotonic()
    purses, free = _purses(case, runs, bands), _is_free(bands)
    unit = np.where(free, row_unit(bands), 0.0)
    prices = np.where(free, np.maximum(prices, 0.0), 0.0)
    bound, activity = _inner(bands, purses, prices)
    best, way, step, since = (bound, prices), np.zeros(len(prices)), STEP, 0
    for _ in range(rounds):
        if time.monotonic() - began > time_limit_s or bound <= incumbent:
            break
        violation = (activity - bands.bound) * unit
        violation[(prices <= 0) & (violation < 0)] = 0.0
        way = violation + KEPT * way
        size = float(way @ way)
        if size <= 1e-14:
            break
        prices = np.maximum(prices + step * (bound - incumbent) / size * unit * way, 0.0)
        bound, activity = _inner(bands, purses, prices)
        since += 1
        if bound < best[0]:
            best, since = (bound, prices), 0
        elif since >= PATIENCE:
            prices, way, step, since = best[1], np.zeros(len(prices)), 0.6 * step, 0
            bound, activity = _inner(bands, purses, prices)
    return best


def bound_within_budgets(case: Case, runs: OptionTable, bands: Bands, prices: Floats) -> float:
    """
    The bound on the value of every plan at scaled prices, with each budget whole.

    Valid by weak duality, whatever the prices are; those of budgets are not used; infinity
    where prices are too large to be added up (`dual.safely`). But for the
    rounding of costs it is no worse than what the same prices prove with any for budgets.
    """
    prices = np.where(_is_free(bands), np.maximum(prices, 0.0), 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        size = bands.size_at(prices)
        if not np.isfinite(size):
            return float(np.inf)
        total, _ = _inner(bands, _purses(case, runs, bands), prices)
    return safely(total, size, len(prices) + len(bands.job))


def _is_free(bands: Bands) -> Bools:
    """Rows that have prices: all that are no budget. [row]"""
    return np.array([not name.startswith("budget_") for name in bands.names], dtype=np.bool_)


@dataclass(frozen=True)
class _Purses:
    """Teams with what their runs cost in steps of the budget."""

    team: Ints  # [group]
    has_budget: Bools  # [team]
    steps: Ints  # [column] 0 where there is no budget, more than STEPS beyond it


def _purses(case: Case, runs: OptionTable, bands: Bands) -> _Purses:
    """Costs in steps of the budgets, rounded down."""
    team = case.job_consortium[runs.job]
    has_budget = case.consortium_budget >= 0
    budget = np.where(has_budget, case.consortium_budget, np.inf)[team]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(runs.cost > 0, runs.cost / budget, 0.0)
    # A little less, so that neither rounding nor the tolerance of plans lifts a cost.
    steps = np.floor(np.minimum(part, 2.0) * STEPS * (1 - 1e-8)).astype(np.int64)
    return _Purses(case.job_consortium[bands.job], has_budget, steps)


def _inner(bands: Bands, purses: _Purses, prices: Floats) -> tuple[float, Floats]:
    """The bound at prices, and the activity of what the teams would choose."""
    profit = bands.profit(prices)
    most = np.maximum.reduceat(profit, bands.first[:-1])
    total, chosen = float(prices @ bands.bound), []
    for team in np.unique(purses.team).tolist():
        groups = np.flatnonzero((purses.team == team) & (most > 0)).tolist()
        parts = [np.arange(bands.first[group], bands.first[group + 1]) for group in groups]
        if purses.has_budget[team]:
            value, bought = buy_best(parts, profit, purses.steps, STEPS)
        else:
            bought = [int(part[profit[part].argmax()]) for part in parts]
            value = float(most[groups].sum())
        total += value
        chosen += bought
    return total, bands.activity(np.array(sorted(chosen), dtype=np.int64))


def buy_best(
    parts: Sequence[Ints], profit: Floats, steps: Ints, room: int
) -> tuple[float, list[int]]:
    """
    The most profit within a budget with one column of each part at most, and these columns.

    Parameters
    ----------
    parts : sequence of ndarray of int
        Columns of which one at most is chosen.
    profit : ndarray [column]
        What each earns. [value]
    steps : ndarray of int [column]
        What each takes of the budget.
    room : int
        Steps that the budget has.
    """
    best, taken = np.zeros(room + 1), []
    for part in parts:
        take = np.full(room + 1, -1, dtype=np.int64)
        more = best.copy()
        for column in _worth_it(part, profit, steps, room).tolist():
            cost = int(steps[column])
            rival = best[: room + 1 - cost] + profit[column]
            is_more = rival > more[cost:]
            more[cost:][is_more] = rival[is_more]
            take[cost:][is_more] = column
        best = more
        taken.append(take)
    at = int(best.argmax())
    value, bought = float(best[at]), []
    for take in reversed(taken):
        column = int(take[at])
        if column >= 0:
            bought.append(column)
            at -= int(steps[column])
    return value, bought


def _worth_it(part: Ints, profit: Floats, steps: Ints, room: int) -> Ints:
    """Columns of a job within the budget, without those that cost as much for less."""
    part = part[(profit[part] > 0) & (steps[part] <= room)]
    part = part[np.lexsort([-profit[part], steps[part]])]
    if len(part) == 0:
        return part
    before = np.maximum.accumulate(profit[part])
    return np.asarray(part[np.append(True, before[1:] > before[:-1])])
