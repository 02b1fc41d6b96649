"""What prices prove of a policy's goals on large cases: by bands, without the whole program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hardware.column import Floats, take
from planner.allocation.large.band import Bands, bands_of, can_price
from planner.allocation.offer.option import Options
from planner.allocation.policy.fair_bands import Terms, finish_shares, shared_worst, work_shares
from planner.allocation.policy.goal import hold
from planner.allocation.policy.proportions import LEAST_SHARE, log_worth
from planner.allocation.program.families import build_program
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.proof.aim import Aim
from planner.allocation.proof.certificate import bound_from
from planner.case import Case

__all__ = ["FAIR_COLUMNS", "amounts", "band_bound", "is_fair_large", "outline", "terms_of"]

FAIR_COLUMNS = 12_000
"""Columns beyond which policies but weighted work search by insertion, and prove by bands."""
DAY_S = 86400.0


def is_fair_large(options: Options) -> bool:
    """Whether policies but weighted work search a case by insertion."""
    return len(options.runs) > FAIR_COLUMNS and can_price(options)


def outline(case: Case, options: Options) -> tuple[Program, Register]:
    """The program of the most valuable run of each job: what is asked for, and little more."""
    runs = options.runs
    order = np.lexsort([-runs.value, runs.job])
    lead = np.sort(order[np.flatnonzero(np.diff(runs.job[order], prepend=-1))])
    return build_program(case, replace(options, runs=take(runs, lead)))


def terms_of(aim: Aim, options: Options) -> Terms | None:
    """Shares of the policies that are fair by them; None for those of the least."""
    case = aim.case
    if aim.policy == "finish-time" and aim.terms is not None and aim.alone_days is not None:
        return finish_shares(case, options, aim.terms, aim.alone_days)
    if aim.policy in ("max-min", "proportional"):
        return work_shares(case, options, over_weight=aim.policy == "max-min")
    return None


def amounts(case: Case, options: Options, policy: str) -> Floats:
    """What a run adds to what policies of the least make small: cost, or energy [J]. [run]"""
    runs = options.runs
    if policy == "min-energy":
        days = (runs.end_day - runs.start_day).astype(np.float64)
        return np.asarray(case.point_power_w[runs.point] * days * DAY_S)
    return runs.cost


def band_bound(
    aim: Aim,
    options: Options,
    at: int,
    reached: Sequence[float],
    prices: Mapping[str, float],
    *,
    touch: Mapping[str, float] | None = None,
    bands: Bands | None = None,
) -> float | None:
    """
    The least that one goal can be in any plan, by prices of rows of bands.

    Parameters
    ----------
    aim : Aim
        The goals, of any part of the program.
    options : Options
        All runs of the case.
    at : int
        Row of the goal.
    reached : sequence of float
        What the plan reaches of the goals before, as minimised.
    prices : mapping of str to float
        By name of row, not negative; ``level_0_3`` is the weight of the fourth consortium in
        the weighted sum, ``hold_0`` the price of the work that has to be done.
    touch : mapping of str to float, optional
        As for `aim.bound_by`.
    bands : Bands, optional
        Of all runs, where they are in hand.

    Returns
    -------
    float or None
        Valid whatever the prices are, by weak duality. None for goals that are not priced:
        later levels, the last day, and the cost of what is otherwise the best.
    """
    goal = aim.goals[at]
    bands = bands_of(aim.case, options) if bands is None else bands
    terms = terms_of(aim, options)
    if terms is None:
        return _least(aim, options, at, reached, prices, bands)
    if at > 0:
        return None
    if aim.policy == "proportional":
        names = [aim.case.consortium_names[team] for team in terms.teams.tolist()]
        touch = touch or {}
        share = np.array([max(float(touch.get(name, 1.0)), 0.0) for name in names])
        weight = aim.case.consortium_weight[terms.teams]
        slope = weight / np.maximum(share, LEAST_SHARE)
        worth = log_worth(share) - log_worth(np.array(0.0))
        more = float(weight @ worth) - float(slope @ share)
        value = np.where(terms.team >= 0, terms.share * slope[terms.team], 0.0)
    else:
        value, more = shared_worst(terms, prices)
    most = bound_from(_valued(bands, value), prices) + more
    if aim.policy == "finish-time":
        return terms.top - most - goal.shift
    return -most


def _least(
    aim: Aim,
    options: Options,
    at: int,
    reached: Sequence[float],
    prices: Mapping[str, float],
    bands: Bands,
) -> float | None:
    """Bounds of the work, and of cost or energy with the work held."""
    goal = aim.goals[at]
    if at == 0:
        return -bound_from(bands, prices)
    if at > 1 or goal.name not in ("cost", "energy"):
        return None
    price = max(float(prices.get("hold_0", 0.0)), 0.0)
    held = hold(aim.goals[0], reached[0], 0).bound
    amount = amounts(aim.case, options, aim.policy)
    value = price * bands.value[: len(amount)] - amount
    return price * held - bound_from(_valued(bands, value), prices)


def _valued(bands: Bands, value: Floats) -> Bands:
    """Bands with other values of the runs."""
    return replace(bands, value=np.append(value, np.zeros(bands.columns - len(value))))
