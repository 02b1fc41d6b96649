"""Prices that prove how near the best of its policy a plan is, from relaxed programs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from planner.allocation.policy.figures import Figures
from planner.allocation.policy.proportional import relaxed_shares
from planner.allocation.policy.refutation import (
    BETTER,
    can_refute,
    goal_bound,
    is_refuted,
    refutation,
)
from planner.allocation.program.row import Program
from planner.allocation.proof.aim import Aim, bound_by, priced_program
from planner.allocation.proof.stated import held_values, of_plan
from planner.allocation.solver.price import row_prices
from planner.allocation.solver.solve import Limits
from planner.plan_aim import AimedGoal, PlanAim

__all__ = ["MOST_COLUMNS", "priced_aim"]

MOST_COLUMNS = 30_000
"""Programs of more columns get no prices of goals: a relaxed program each takes too long."""
NEAR = 1e-6  # a bound within this part of what is reached needs no other proof
LEAST_PRICE = 1e-12  # of the largest; smaller ones prove nothing and fill the file


def priced_aim(
    aim: Aim,
    stated: PlanAim,
    figures: Figures,
    *,
    time_limit_s: float = 10.0,
    memory_limit_bytes: int = 0,
) -> PlanAim:
    """
    The aim of a plan with what the plan reaches, and prices with the bounds that they prove.

    Parameters
    ----------
    aim : Aim
        The goals.
    stated : PlanAim
        With the solver's bounds.
    figures : Figures
        Of the plan.
    time_limit_s : float
        Goals whose turn comes later get no prices. [s]
    memory_limit_bytes : int
        For the solver's process; none when 0. [byte]

    Returns
    -------
    PlanAim
        Each bound is computed from the prices as the file holds them. With lumps the best of
        the relaxed program, which is all that prices of rows prove, may be well beyond the
        best plan; the solver's bound stands beside it.
    """
    stated = of_plan(aim, stated, figures)
    if len(aim.wide.columns.names) > MOST_COLUMNS:
        return stated
    ends = time.monotonic() + time_limit_s
    reached = held_values(aim, stated, figures)
    goals = []
    for at, one in enumerate(stated.goals):
        left = ends - time.monotonic()
        is_bare = aim.policy == "proportional" and at > 0
        if left > 0 and not is_bare:
            limits = Limits(time_limit_s=left, memory_limit_bytes=memory_limit_bytes)
            one = _priced(aim, at, one, reached, limits)
        goals.append(one)
    return replace(stated, goals=tuple(goals))


def _priced(
    aim: Aim, at: int, one: AimedGoal, reached: tuple[float, ...], limits: Limits
) -> AimedGoal:
    """One goal with its prices, where the relaxed program gives any."""
    touch: dict[str, float] = {}
    if one.name == "proportional":
        touch = relaxed_shares(aim.register, aim.program, time_limit_s=0.5 * limits.time_limit_s,
                               memory_limit_bytes=limits.memory_limit_bytes)  # fmt: skip
    prices = _named_prices(priced_program(aim, at, reached, touch)[0], limits)
    if prices is None:
        return one
    bound = bound_by(aim, at, reached, prices, touch)
    one = _with(aim, at, one, (bound, prices, touch))
    far = reached[at] - bound > NEAR * max(abs(reached[at]), abs(aim.goals[at].shift), 1e-9)
    return _refuted(aim, at, one, reached, limits) if far and can_refute(aim, at) else one


def _refuted(
    aim: Aim, at: int, one: AimedGoal, reached: tuple[float, ...], limits: Limits
) -> AimedGoal:
    """One goal with prices that prove that no plan is better, where the relaxed program can."""
    prices = _named_prices(refutation(aim, at, reached)[0], limits)
    if prices is None or not is_refuted(aim, at, reached, prices):
        return one
    touch = {BETTER: 1.0}
    return _with(aim, at, one, (goal_bound(aim, at, reached, prices, touch), prices, touch))


def _with(
    aim: Aim,
    at: int,
    one: AimedGoal,
    proof: tuple[float, Mapping[str, float], Mapping[str, float]],
) -> AimedGoal:
    """A goal with its bound, prices and what they are of."""
    bound, prices, touch = proof
    return replace(one, bound=aim.goals[at].told(bound), prices=tuple(prices.items()),
                   touch=tuple(touch.items()))  # fmt: skip


def _named_prices(program: Program, limits: Limits) -> dict[str, float] | None:
    """Prices of the relaxed program by name of row, without those that are nothing."""
    found = row_prices(program, time_limit_s=limits.time_limit_s,
                       memory_limit_bytes=limits.memory_limit_bytes)  # fmt: skip
    if found is None:
        return None
    least = LEAST_PRICE * float(np.abs(found).max(initial=0.0))
    pairs = zip(program.rows, found.tolist(), strict=True)
    return {row.name: price for row, price in pairs if abs(price) > least}
