"""An earlier plan as a point of the program, to start from and not to fall behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hardware.column import Floats
from planner.allocation.price import price_bound
from planner.allocation.register import Register
from planner.allocation.row import Program
from planner.allocation.settle import is_feasible
from planner.allocation.solve import PROVED, Solution
from planner.plan_table import PlanRowTable

__all__ = ["no_worse", "point_of"]


def point_of(register: Register, program: Program, rows: PlanRowTable) -> Floats | None:
    """
    The point that the rows of an earlier plan stand for.

    Parameters
    ----------
    register, program : Register, Program
        What there is to choose from now.
    rows : PlanRowTable
        Who held what.

    Returns
    -------
    ndarray [column] or None
        Runs of jobs that run without a pause and may still run just so; other rows are left
        out. None when what remains breaks a row, such as a budget that was lowered.

    Notes
    -----
    Pools in which counting nodes by day is not enough are left out: their node ids would
    have to be taken over too.
    """
    case, runs = register.case, register.options.runs
    jobs = {name: at for at, name in enumerate(case.job_names)}
    pools = {name: at for at, name in enumerate(case.pool_names)}
    known = {
        key: row
        for row, key in enumerate(
            zip(
                runs.job.tolist(),
                runs.pool.tolist(),
                runs.nodes.tolist(),
                runs.start_day.tolist(),
                runs.end_day.tolist(),
                strict=True,
            )
        )
    }
    by_class = set(register.classes.pool.tolist())
    point = np.zeros(len(program.columns.names))
    for at in range(len(rows)):
        pool = pools.get(rows.pool[at], -1)
        start = (rows.first[at] - case.first_day).days
        end = start + int(rows.days[at])
        key = (jobs.get(rows.job[at], -1), pool, int(rows.nodes[at]), start, end)
        run = known.get(key)
        if run is not None and pool not in by_class:
            point[run] = 1.0
    return point if is_feasible(program, point) else None


def no_worse(
    register: Register, program: Program, solution: Solution, rows: PlanRowTable
) -> Solution:
    """
    The solution, or an earlier plan where that is worth more or costs less for as much.

    Parameters
    ----------
    register, program, solution : Register, Program, Solution
        What was found.
    rows : PlanRowTable
        Who held what in the earlier plan.

    Returns
    -------
    Solution
        A bound that was proved stays; a note tells when the earlier plan no longer holds.
    """
    point = point_of(register, program, rows)
    if point is None:
        note = "the plan to start from no longer keeps the rules"
        return replace(solution, notes=(*solution.notes, note))
    columns = program.columns
    value, cost = float(columns.value @ point), float(columns.cost @ point)
    if solution.objective is not None:
        slack = 1e-9 * max(abs(value), abs(solution.objective))
        ahead = value > solution.objective + slack
        cheaper = value >= solution.objective - slack and cost < (solution.cost or 0.0)
        if not (ahead or cheaper):
            return solution
    bound = solution.bound if solution.bound is not None else price_bound(program)
    proved = bound is not None and bound - value <= PROVED * max(abs(bound), 1e-12)
    return replace(
        solution,
        status="optimal" if proved else "feasible",
        point=point,
        objective=value,
        cost=cost,
        bound=None if bound is None else max(bound, value),
    )
