"""A policy other than weighted work on a large case: the plan, what is proved, and its words."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from hardware.column import Floats, Ints, take
from planner.allocation.answer.placement import placements
from planner.allocation.choice import judged
from planner.allocation.large.band import bands_of
from planner.allocation.large.relaxation import relax
from planner.allocation.large.sought import point_of
from planner.allocation.offer.option import Options
from planner.allocation.policy.fair_bound import outline
from planner.allocation.policy.fair_search import Found, fair_plan, most_profit
from planner.allocation.policy.figures import figures_of_placements
from planner.allocation.policy.finish_time import finish_terms, servable
from planner.allocation.policy.goal import Reached
from planner.allocation.policy.stand_alone import StandAlone, stand_alone
from planner.allocation.portfolio import Answered
from planner.allocation.program.families import build_program
from planner.allocation.program.settle import is_feasible
from planner.allocation.proof.aim import Aim, aim_of, reached_by
from planner.allocation.proof.certificate import Certificate
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits
from planner.allocation.solver.turn import in_turn
from planner.case import Case
from planner.plan_aim import PlanAim
from planner.version import version

__all__ = ["solve_fair"]

KEPT_EACH = 4  # columns of a job in the program of the answer, beside those chosen
WORK_PRICES, ALONE = 0.1, 0.2  # parts of the time for the price of fairness, and stand-alone plans
PRICE_ROUNDS = 400


def solve_fair(
    case: Case,
    options: Options,
    policy: str,
    *,
    solver: str | Engine | None = None,
    limits: Limits,
    work_frac: float = 1.0,
) -> Answered:
    """
    The plan of a policy for a case with more runs than the exact way can see.

    Parameters
    ----------
    case, options : Case, Options
        What there is; `fair_bound.is_fair_large` holds.
    policy : str
        One of `goal.POLICIES` but weighted work.
    solver : str or Engine, optional
        For stand-alone plans, which ``finish-time`` compares with.
    limits : Limits
        Time and seed. [s]
    work_frac : float
        For policies of the least. [1]

    Returns
    -------
    Answered
        With a program of some of the runs, a bound on weighted work over all of them, and
        prices that prove it. The solution's aim carries prices that prove what is proved of
        the policy's first goals; of later goals nothing is.
    """
    began = time.monotonic()
    first, of_first = outline(case, options)
    alone = _alone(case, options, policy, solver, limits)
    days = (None, None) if alone is None else (alone.terms, alone.days)
    aim = aim_of(of_first, first, policy, work_frac, terms=days[0], alone_days=days[1])
    bands = bands_of(case, options)
    left = limits.time_limit_s - (time.monotonic() - began)
    found = fair_plan(
        aim,
        options,
        bands,
        solver=solver,
        work_frac=work_frac,
        limits=replace(limits, time_limit_s=max(left, 0.2 * limits.time_limit_s)),
    )
    if found.work is None:  # what of all work it costs to be fair
        priced = relax(bands, rounds=PRICE_ROUNDS, time_limit_s=WORK_PRICES * limits.time_limit_s)
        certificate = Certificate.of(bands, priced.prices)
    else:
        certificate = Certificate(found.prices[0], -(found.proved[0] or 0.0))
    chosen: Ints = np.zeros(0, dtype=np.int64) if found.chosen is None else found.chosen
    kept = most_profit(bands, bands.value, KEPT_EACH)
    columns = np.union1d(kept[kept < len(options.runs)], chosen)
    program, register = build_program(case, replace(options, runs=take(options.runs, columns)))
    point: Floats | None = point_of(register, np.searchsorted(columns, chosen), found.parts)
    if found.chosen is None or point is None or not is_feasible(program, point):
        point = None
    aim = aim_of(register, program, policy, work_frac, terms=days[0], alone_days=days[1])
    reached = _reached(aim, found, point, time.monotonic() - began)
    solution = judged(aim, reached, solver=("insertion", version()), work_frac=work_frac,
                      seconds=time.monotonic() - began, alone=alone,
                      work_bound=certificate.bound)  # fmt: skip
    solution = replace(solution, aim=_proved(aim, solution.aim, found))
    return Answered(program, register, solution, certificate)


def _alone(
    case: Case, options: Options, policy: str, solver: str | Engine | None, limits: Limits
) -> StandAlone | None:
    """Stand-alone plans, for the policy that compares with them."""
    if policy != "finish-time":
        return None
    ask, _ = in_turn(solver, [], memory_limit_bytes=limits.memory_limit_bytes)
    brief = replace(limits, time_limit_s=ALONE * limits.time_limit_s)
    return stand_alone(case, finish_terms(case, servable(case, options)), ask=ask, limits=brief)


def _reached(aim: Aim, found: Found, point: Floats | None, seconds: float) -> Reached:
    """What the point reaches of each goal, and the bounds that are proved."""
    if point is None:
        return Reached(None, (), (), False, found.was_interrupted, seconds)
    figures = figures_of_placements(aim.register, placements(aim.register, point))
    values = reached_by(aim, figures)
    if found.work is not None:
        values = (min(-found.work, values[0]), *values[1:])
    bounds = (*found.bounds, *(None for _ in values))[: len(values)]
    held = tuple(
        None if bound is None else min(bound, value)
        for bound, value in zip(bounds, values, strict=True)
    )
    return Reached(point, values, held, False, found.was_interrupted, seconds)


def _proved(aim: Aim, stated: PlanAim | None, found: Found) -> PlanAim | None:
    """The aim with the prices that prove its bounds."""
    if stated is None:
        return None
    goals = list(stated.goals)
    proofs = zip(found.prices, found.proved, strict=False)
    for at, (prices, bound) in enumerate(proofs):
        if at < len(goals) and prices and bound is not None:
            touch = tuple(found.touch.items())
            goals[at] = replace(goals[at], bound=aim.goals[at].told(bound),
                                prices=tuple(prices.items()), touch=touch)  # fmt: skip
    return replace(stated, goals=tuple(goals))
