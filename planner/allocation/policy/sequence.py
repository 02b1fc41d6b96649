"""Goals reached one after the other by a solver, each with the earlier ones held."""

from __future__ import annotations

import time

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.policy.goal import (
    MAX_LEVELS,
    POLICIES,
    Goal,
    Known,
    Reached,
    hold,
    max_min_goals,
    min_cost_goals,
    shares,
    widened,
    worst_off,
)
from planner.allocation.program.row import Program, Row
from planner.allocation.program.settle import broken_rows, settle
from planner.allocation.solver.engine import Engine, Task
from planner.allocation.solver.solve import Limits

__all__ = [
    "MAX_LEVELS",
    "POLICIES",
    "Goal",
    "Known",
    "Reached",
    "max_min_goals",
    "min_cost_goals",
    "reach",
    "shares",
    "widened",
    "worst_off",
]


def reach(
    program: Program,
    wide: Program,
    goals: tuple[Goal, ...],
    *,
    ask: Engine,
    limits: Limits,
    known: Known | None = None,
) -> Reached:
    """
    Reach goals one after the other, each with the earlier ones held.

    Parameters
    ----------
    program : Program
        The program that the point must keep.
    wide : Program
        The same with columns for the goals behind it.
    goals : tuple of Goal
        In order of importance.
    ask : Engine
        The solver.
    limits : Limits
        The time is for all goals; each gets at most half of what is left. [s]
    known : Known, optional
        The first goal as reached already; its point stands where the others find none better.
        It is no start for the solver, which may map it wrongly and then stop too soon.

    Returns
    -------
    Reached
        The last point found; when a goal finds none in its time, the one before stands.

    Raises
    ------
    SolverFailure
        The solver broke, or returned a point that the rows refuse, and no point is known.
    """
    ends = time.monotonic() + limits.time_limit_s
    began = time.monotonic()
    held: tuple[Row, ...] = ()
    point: Floats | None = None
    reached: list[float] = []
    bounds: list[float | None] = []
    interrupted = False
    if known is not None:
        point, reached, bounds = known.point, [known.value], [known.bound]
        held = (hold(goals[0], known.value, 0),)
    for at, goal in enumerate(goals):
        if at < len(reached):
            continue
        left = ends - time.monotonic()
        share = left if at == len(goals) - 1 else 0.5 * left
        task = Task(wide, goal.minimise, extra=held, time_limit_s=max(share, 0.5),
                    gap_frac=limits.gap_frac, threads=limits.threads, seed=limits.seed,
                    on_progress=limits.on_progress)  # fmt: skip
        try:
            answer = ask(task)
        except SolverFailure:
            if point is None:
                raise
            break  # what was reached before stands
        interrupted |= answer.was_interrupted
        if at == 0 and answer.says_infeasible:
            return Reached(None, (), (), True, interrupted, time.monotonic() - began)
        if answer.point is None:
            is_known = known is not None and point is not None and not answer.says_infeasible
            reached.append(goal.value(point) if is_known and point is not None else float("inf"))
            bounds.append(answer.bound if is_known else None)
            break
        found = settle(program, answer.point[: len(program.columns.names)])
        if found is None or any(far for _, far in broken_rows(program.rows, found)):
            raise SolverFailure(
                Diagnostic("solver-failure", "the solver returned a point that breaks a row")
            )
        if broken_rows(program.rows, found):
            break  # within the solver's tolerance, but not exact: the point before stands
        if known is None or point is None or goal.value(found) <= goal.value(point):
            point = found
        value = goal.value(point)
        reached.append(value)
        bounds.append(answer.bound)
        held = (*held, hold(goal, value, at))
        if interrupted:
            break
    return Reached(point, tuple(reached), tuple(bounds), False, interrupted,
                   time.monotonic() - began)  # fmt: skip
