"""The solution of a program by a policy: weighted work, the worst-off first, the least cost."""

from __future__ import annotations

from dataclasses import replace

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure, UnknownName, near_match
from planner.allocation.engine import Engine, engine, engines_found
from planner.allocation.policy import (
    POLICIES,
    Reached,
    max_min_goals,
    min_cost_goals,
    reach,
    worst_off,
)
from planner.allocation.price import price_bound
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
        (lexicographic); what is left goes by weighted work. ``min-cost``: the cheapest plan
        that does at least `work_frac` of the most weighted work.
    solver, limits, start, ties_by_cost
        As for `planner.allocation.solve.solve`. [s], [1]
    work_frac : float
        For ``min-cost``. [1]

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
    if policy == "max-min":
        wide, goals = max_min_goals(register, program)
    else:
        wide, goals = min_cost_goals(program, work_frac)
    reached = reach(program, wide, goals, ask=ask, limits=limits)
    point = reached.point
    value = cost = None
    words = ""
    if point is not None:
        value, cost = float(program.columns.value @ point), float(program.columns.cost @ point)
        words = (
            _worst_words(register, program, reached, point)
            if policy == "max-min"
            else _cost_words(reached, work_frac)
        )
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


def _worst_words(register: Register, program: Program, reached: Reached, point: Floats) -> str:
    """What the worst-off gets, and what is proved."""
    share, name = worst_off(register, program, point)
    if not name:
        return "nobody asks for work that can be done"
    text = f"the worst-off, `{name}`, gets {100 * share:.3g} % of the work it asks for"
    if reached.reached and reached.is_proved(0):
        return f"{text}, the most possible"
    return f"{text}, not proved the most possible"


def _cost_words(reached: Reached, work_frac: float) -> str:
    """How near the least cost for the work."""
    work = f"{100 * work_frac:.4g} % of the most work"
    if len(reached.bounds) < 2 or reached.bounds[1] is None:
        return f"cheap for {work}"
    cost, bound = reached.reached[1], reached.bounds[1]
    if reached.is_proved(1):
        return f"the least cost for {work}"
    return f"within {100 * (cost - bound) / max(cost, 1e-300):.2g} % of the least cost for {work}"
