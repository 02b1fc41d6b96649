"""The solution of a program by a policy: the most work, fair shares, or the least for the work."""

from __future__ import annotations

import time
from dataclasses import replace

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure, UnknownName, near_match
from planner.allocation.engine import Engine, engine, engines_found
from planner.allocation.least import min_energy_goals, min_makespan_goals
from planner.allocation.most_work import most_work
from planner.allocation.policy import (
    POLICIES,
    Reached,
    max_min_goals,
    min_cost_goals,
    reach,
)
from planner.allocation.policy_words import aim_gap_frac, policy_words
from planner.allocation.price import price_bound
from planner.allocation.proportional import proportional
from planner.allocation.register import Register
from planner.allocation.row import Program
from planner.allocation.solve import Limits, Solution, solve, without_choice

__all__ = ["solve_by_policy"]


def solve_by_policy(
    register: Register,
    program: Program,
    policy: str,
    *,
    solver: str | Engine | None = None,
    limits: Limits | None = None,
    start: Floats | None = None,
    ties_by_cost: bool = True,
    work_frac: float = 1.0,
) -> Solution:
    """
    The best point of a program by a policy.

    Parameters
    ----------
    register, program : Register, Program
        What there is to choose from.
    policy : str
        ``weighted-work``: most weighted work. ``max-min``: the consortium with the smallest
        share of the work it asks for gets as much as it can, then the next, and so on
        (lexicographic); what is left goes by weighted work. ``proportional``: the largest
        weighted product of these shares. ``min-cost``, ``min-energy``, ``min-makespan``: the
        plan of least cost or energy, or with the earliest last day, that does at least
        `work_frac` of the most weighted work.
    solver, limits, start, ties_by_cost
        As for `planner.allocation.solve.solve`. [s], [1]
    work_frac : float
        For those of the least. [1]

    Returns
    -------
    Solution
        With the policy and, for policies other than weighted work, what is proved in words;
        its bound is one on weighted work, which tells the price of the policy.

    Raises
    ------
    UnknownName
        No policy has the name.
    SolverFailure
        The solver broke or lied.
    """
    limits = limits or Limits()
    if policy not in POLICIES:
        raise UnknownName(
            Diagnostic("unknown-policy", f"no policy `{policy}`", found=policy,
                       expected=", ".join(POLICIES), hint=near_match(policy, POLICIES))
        )  # fmt: skip
    empty = without_choice(program)
    if empty is not None:
        return replace(empty, policy=policy)
    if policy == "weighted-work":
        found = solve(program, solver=solver, limits=limits, start=start,
                      ties_by_cost=ties_by_cost)  # fmt: skip
        return replace(found, policy=policy)
    ask, name, version = _engine(solver)
    reached = _reached(register, program, policy, work_frac, ask=ask, limits=limits)
    point = reached.point
    value = cost = None
    words = ""
    if point is not None:
        value, cost = float(program.columns.value @ point), float(program.columns.cost @ point)
        words = policy_words(register, program, reached, policy, work_frac)
    status = "feasible" if point is not None else "unsolved"
    return Solution(
        status="infeasible" if reached.says_infeasible else status,
        point=point,
        objective=value,
        bound=None if point is None else price_bound(program),
        cost=cost,
        cost_bound=None,
        seconds=reached.seconds,
        solver=name,
        solver_version=version,
        was_interrupted=reached.was_interrupted,
        policy=policy,
        words=words,
        aim_gap_frac=aim_gap_frac(register, program, reached, policy),
    )


def _engine(solver: str | Engine | None) -> tuple[Engine, str, str]:
    """The solver asked for, or the first one found."""
    if callable(solver):
        return solver, getattr(solver, "__name__", type(solver).__name__), ""
    found = engines_found()
    if not found:
        raise SolverFailure(
            Diagnostic("no-solver", "no solver is installed", hint="pip install highspy")
        )
    return engine(solver or found[0])


def _reached(
    register: Register,
    program: Program,
    policy: str,
    work_frac: float,
    *,
    ask: Engine,
    limits: Limits,
) -> Reached:
    """What a policy other than weighted work reaches."""
    if policy == "proportional":
        return proportional(register, program, ask=ask, limits=limits)
    if policy == "max-min":
        wide, goals = max_min_goals(register, program)
        return reach(program, wide, goals, ask=ask, limits=limits)
    began = time.monotonic()
    known = most_work(register, program, limits=limits, ask=ask)
    left = limits.time_limit_s - (time.monotonic() - began)
    limits = replace(limits, time_limit_s=max(left, 0.1 * limits.time_limit_s))
    if policy == "min-energy":
        wide, goals = min_energy_goals(register, program, work_frac)
    elif policy == "min-makespan":
        wide, goals = min_makespan_goals(register, program, work_frac)
    else:
        wide, goals = min_cost_goals(program, work_frac)
    return reach(program, wide, goals, ask=ask, limits=limits, known=known)
