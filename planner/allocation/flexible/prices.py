"""Prices of rows by column generation: plans that pay at the prices are added until none does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from planner.allocation.flexible.knapsack import earned_most
from planner.allocation.flexible.master import Master
from planner.allocation.flexible.model import ChainModel
from planner.allocation.flexible.parts import EVERY, Part
from planner.allocation.flexible.path import Path, best_paths
from planner.allocation.flexible.value import chain_values
from planner.allocation.flexible.ways import Ways, costs_of
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["STAGES", "Priced", "chain_prices", "paths_at"]

STAGES = ((100, 40), (500, 30))  # buckets, and most rounds with so many
CLOSE = 0.001  # part by which prices may be worse than the mixture of plans shows
INWARD = 0.5  # how far prices stay with the best so far, which keeps them from swinging


@dataclass(frozen=True)
class Priced:
    """Prices, what they nearly prove, and the plans that were found on the way."""

    prices: Floats  # [row] value per unit of the row
    estimate: float  # the bound they prove, but for what rounding hides
    mixture: float  # value of the best mixture of the plans
    paths: tuple[Path, ...]
    rounds: int


def paths_at(
    model: ChainModel, part: Part, prices: Floats, buckets: int, end: float
) -> tuple[list[Path], float] | None:
    """
    Plans of a part that earn most at prices, and what all jobs together earn at least.

    Returns
    -------
    (list of Path, float) or None
        None when the time ended first.
    """
    rows = model.rows
    tariff, earns = rows.tariff(prices), rows.earns(prices)
    ways = [one for one in model.ways if one.job not in part.refused]

    def best(one: Ways) -> tuple[list[Path], float] | None:
        if time.monotonic() > end or is_stopped():
            return None
        costs = costs_of(rows.case, one, tariff, may_earn=earns)
        values = chain_values(one, costs, buckets, is_bound=False)
        paths = best_paths(one, costs, values)
        return paths, max([values.best, *(path.profit for path in paths)])

    answers = model.each(best, ways)
    known = [answer for answer in answers if answer is not None]
    if len(known) < len(answers):
        return None
    most = earned_most(model.knapsacks, [one.job for one in ways], [most for _, most in known],
                       part.served, part.refused)  # fmt: skip
    return [path for paths, _ in known for path in paths], float(prices @ rows.bound) + most


def chain_prices(
    master: Master,
    prices: Floats,
    *,
    stages: Sequence[tuple[int, int]] = STAGES,
    time_limit_s: float = 20.0,
) -> Priced:
    """
    Prices that prove nearly the least bound.

    Parameters
    ----------
    master : Master
        The relaxed program, with plans or without.
    prices : ndarray [row]
        To start from. [value per unit of the row]
    stages : sequence of (buckets, rounds)
        How finely plans are sought, coarse first.
    time_limit_s : float
        Time after which the best so far is returned. [s]

    Notes
    -----
    Each round prices the rows by a mean of the best prices so far and those of the relaxed
    program over the plans found [1]_, finds the plans that earn most, and adds them.

    References
    ----------
    .. [1] A. Pessoa, R. Sadykov, E. Uchoa, F. Vanderbeck, "Automation and combination of
       linear-programming based stabilization techniques in column generation," INFORMS
       Journal on Computing, vol. 30, 2018.
    """
    end = time.monotonic() + time_limit_s
    best, mixture, used = (np.inf, prices), 0.0, 0
    for buckets, rounds in stages:
        best, dear = (np.inf, best[1]), None
        for _ in range(rounds):
            sought = best[1] if dear is None else INWARD * best[1] + (1 - INWARD) * dear
            found = paths_at(master.chains, EVERY, sought, buckets, end)
            if found is None:
                return Priced(best[1], best[0], mixture, tuple(master.paths), used)
            used += 1
            if found[1] < best[0]:
                best = (found[1], sought)
            master.add(found[0])
            solved = master.prices(max(end - time.monotonic(), 0.1))
            if solved is None:
                break
            mixture, dear = solved[0], solved[1]
            if best[0] - mixture < CLOSE * abs(mixture):
                break
    return Priced(best[1], best[0], mixture, tuple(master.paths), used)
