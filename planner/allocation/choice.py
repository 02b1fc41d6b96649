"""The solution of a program by a policy: the most work, fair shares, or the least for the work."""

from __future__ import annotations

import time
from dataclasses import replace

from hardware.column import Floats
from hardware.errors import Diagnostic, UnknownName, near_match
from planner.allocation.answer.placement import placements
from planner.allocation.answer.policy_words import aim_gap_frac, policy_words
from planner.allocation.policy.figures import figures_of_placements
from planner.allocation.policy.finish_time import finish_terms, servable
from planner.allocation.policy.goal import POLICIES, Known, Reached
from planner.allocation.policy.most_work import known_of, most_work
from planner.allocation.policy.proportional import proportional
from planner.allocation.policy.sequence import reach
from planner.allocation.policy.stand_alone import StandAlone, stand_alone
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.proof.aim import Aim, aim_of, reached_by
from planner.allocation.proof.stated import stated_aim
from planner.allocation.solver.price import price_bound
from planner.allocation.solver.solve import Limits, Solution, solve, without_choice
from planner.allocation.solver.task import Engine
from planner.allocation.solver.turn import in_turn

__all__ = ["judged", "solve_by_policy"]

ALONE = 0.3  # of the time, for stand-alone plans


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
    alone: StandAlone | None = None,
    most: tuple[Register, Solution] | None = None,
) -> Solution:
    """
    The best point of a program by a policy.

    Parameters
    ----------
    register, program : Register, Program
        What there is to choose from.
    policy : str
        ``weighted-work``: most weighted work. ``max-min``: the consortium with the smallest
        share of the work that can be done for it gets the most it can, then the next, so on
        (lexicographic); what is left goes by weighted work. ``proportional``: the largest
        weighted product of these shares. ``min-cost``, ``min-energy``, ``min-makespan``: the
        plan of least cost or energy, or with the earliest last day, that does at least
        `work_frac` of the most weighted work. ``finish-time``: nobody waits much longer for
        the ends of its jobs than with an equal part alone.
    solver, limits, start, ties_by_cost
        As for `planner.allocation.solver.solve.solve`. [s], [1]
    work_frac : float
        For those of the least. [1]
    alone : StandAlone, optional
        What finish times are compared with, where it is in hand.
    most : (Register, Solution), optional
        The plan of the most weighted work, where it is in hand: what policies of the least
        begin with, and what stands where another finds none in time.

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
    notes: list[str] = []
    ask, who = in_turn(solver, notes, memory_limit_bytes=limits.memory_limit_bytes)
    began = time.monotonic()
    if policy == "finish-time" and alone is None:
        terms = finish_terms(register.case, servable(register.case, register.options))
        brief = replace(limits, time_limit_s=ALONE * limits.time_limit_s)
        alone = stand_alone(register.case, terms, ask=ask, limits=brief)
    days = (None, None) if alone is None else (alone.terms, alone.days)
    aim = aim_of(register, program, policy, work_frac, terms=days[0], alone_days=days[1])
    left = max(limits.time_limit_s - (time.monotonic() - began), 0.5 * limits.time_limit_s)
    in_hand = None if most is None else known_of(*most, register, program)
    reached = _reached(aim, ask=ask, limits=replace(limits, time_limit_s=left), known=in_hand)
    if reached.point is None and not (reached.says_infeasible or reached.was_interrupted):
        reached = _at_least_some(aim, reached, ask=ask, limits=limits, known=in_hand)
    found = judged(aim, reached, solver=who(), work_frac=work_frac, alone=alone,
                   seconds=time.monotonic() - began,
                   memory_limit_bytes=limits.memory_limit_bytes)  # fmt: skip
    return replace(found, notes=(*found.notes, *notes))


def judged(
    aim: Aim,
    reached: Reached,
    *,
    solver: tuple[str, str],
    work_frac: float,
    seconds: float,
    alone: StandAlone | None = None,
    work_bound: float | None = None,
    memory_limit_bytes: int = 0,
) -> Solution:
    """
    What a policy reached, as a solution with what is proved of it in words.

    Parameters
    ----------
    aim : Aim
        The policy's goals.
    reached : Reached
        The point and the bounds.
    solver : (str, str)
        Name and version.
    work_frac : float
        Part of the most work that had to be done. [1]
    seconds : float
        Taken by all. [s]
    alone : StandAlone, optional
        What finish times are compared with.
    work_bound : float, optional
        On weighted work; from the prices of the relaxed program when left out.
    memory_limit_bytes : int
        For the solver's process that finds those prices; none when 0. [byte]

    Returns
    -------
    Solution
        Its bound is one on weighted work, which tells the price of the policy.
    """
    point, program = reached.point, aim.program
    value = cost = gap = None
    words, stated = "", None
    if point is not None:
        value, cost = float(program.columns.value @ point), float(program.columns.cost @ point)
        figures = figures_of_placements(aim.register, placements(aim.register, point))
        words = policy_words(aim, reached, figures, work_frac)
        gap = aim_gap_frac(aim, reached)
        stated = stated_aim(aim, reached, work_frac, alone)
        if work_bound is None:
            work_bound = price_bound(program, memory_limit_bytes=memory_limit_bytes)
    status = "feasible" if point is not None else "unsolved"
    return Solution(
        status="infeasible" if reached.says_infeasible else status,
        point=point,
        objective=value,
        bound=None if point is None else work_bound,
        cost=cost,
        cost_bound=None,
        seconds=seconds,
        solver=solver[0],
        solver_version=solver[1],
        was_interrupted=reached.was_interrupted,
        policy=aim.policy,
        words=words,
        aim_gap_frac=gap,
        aim=stated,
    )


def _reached(aim: Aim, *, ask: Engine, limits: Limits, known: Known | None) -> Reached:
    """What a policy other than weighted work reaches."""
    register, program = aim.register, aim.program
    if aim.policy == "proportional":
        return proportional(register, program, ask=ask, limits=limits)
    if aim.policy in ("max-min", "finish-time"):
        return reach(program, aim.wide, aim.goals, ask=ask, limits=limits)
    began = time.monotonic()
    known = known or most_work(register, program, limits=limits, ask=ask)
    left = limits.time_limit_s - (time.monotonic() - began)
    limits = replace(limits, time_limit_s=max(left, 0.1 * limits.time_limit_s))
    return reach(program, aim.wide, aim.goals, ask=ask, limits=limits, known=known)


def _at_least_some(
    aim: Aim, reached: Reached, *, ask: Engine, limits: Limits, known: Known | None
) -> Reached:
    """The plan of the most work in place of none; it may be far from the best of the aim."""
    brief = replace(limits, time_limit_s=0.3 * limits.time_limit_s, on_progress=None)
    known = known or most_work(aim.register, aim.program, limits=brief, ask=ask)
    if known is None:
        return reached
    placed = placements(aim.register, known.point)
    values = reached_by(aim, figures_of_placements(aim.register, placed))
    first = reached.bounds[0] if reached.bounds else None
    bounds = (None if first is None else min(first, values[0]), *(None for _ in values[1:]))
    return replace(reached, point=known.point, reached=values, bounds=bounds)
