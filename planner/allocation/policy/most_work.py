"""The most weighted work first, for policies that want the least of something for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hardware.column import Floats
from planner.allocation.offer.option import plan_keys
from planner.allocation.policy.goal import Known
from planner.allocation.portfolio import solve_case
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.program.settle import is_feasible
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits, Solution

__all__ = ["known_of", "most_work"]

PART = 0.4  # of the time


def most_work(register: Register, program: Program, *, limits: Limits, ask: Engine) -> Known | None:
    """
    The plan of the most weighted work, as a point of a program of the same case.

    Parameters
    ----------
    register, program : Register, Program
        With at least the plans that `enumerate_options` offers by default.
    limits : Limits
        A part of the time is taken. [s]
    ask : Engine
        The solver.

    Returns
    -------
    Known or None
        With the value as a minimum, so its sign is turned. None for cases with jobs that
        pause, and where no point is found or the program has no such plans.
    """
    if len(register.options.modes):
        return None
    brief = replace(limits, time_limit_s=PART * limits.time_limit_s)
    found = solve_case(register.case, solver=ask, limits=brief, ties_by_cost=False)
    if found.solution.point is None:
        return None
    return known_of(found.register, found.solution, register, program)


def known_of(
    old: Register, solution: Solution, register: Register, program: Program
) -> Known | None:
    """
    A plan of weighted work in hand as a point of another program of the same case.

    Returns
    -------
    Known or None
        As `most_work`; the bound is that of the solution.
    """
    if solution.point is None:
        return None
    point = _moved(old, register, solution.point)
    if point is None or not is_feasible(program, point):
        return None
    bound = solution.bound
    return Known(point, -float(program.columns.value @ point), None if bound is None else -bound)


def _moved(old: Register, new: Register, point: Floats) -> Floats | None:
    """A point of one program as one of another with the same plans among its own."""
    at = {key: column for column, key in enumerate(plan_keys(new.options))}
    if old.offsets["end"] != len(old.plans) or new.offsets["end"] != len(new.plans):
        return point if old.offsets == new.offsets else None
    moved = np.zeros(len(new.plans))
    keys = plan_keys(old.options)
    for plan in np.flatnonzero(point > 0.5).tolist():
        if keys[plan] not in at:
            return None
        moved[at[keys[plan]]] = 1.0
    return moved
