"""Nothing that fits is left out, and among equal plans the one a reader expects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.program.incidence import Incidence, incidence
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.solver.solve import Solution

__all__ = ["tidied", "tidy"]


def tidied(register: Register, program: Program, solution: Solution) -> Solution:
    """
    The solution with each run moved to the first of its equals, and what the move changes.

    Only weighted work and the least cost allow it, since other policies weigh what a move
    changes; only weighted work wants more work. Value and cost are summed again.
    """
    if solution.point is None or solution.policy not in ("weighted-work", "min-cost"):
        return solution
    fills = solution.policy == "weighted-work"
    point = tidy(register, program, solution.point, fills=fills)
    work, cost = float(program.columns.value @ point), float(program.columns.cost @ point)
    return replace(solution, point=point, objective=work, cost=cost)


def tidy(register: Register, program: Program, point: Floats, *, fills: bool = True) -> Floats:
    """
    Add plans that still fit, then move each to the first of its equals, by job name.

    Parameters
    ----------
    register : Register
        Which columns stand for what.
    program : Program
        The rows to keep.
    point : ndarray [column]
        A settled point.
    fills : bool
        Whether to add plans; more work is no aim of every policy.

    Returns
    -------
    ndarray [column]
        A point of no less value, and of no more cost unless a job was added. Equals of a run
        or chain are those of its job of no less value and no more cost that fit when
        everything else stays; the first one changes least often, then ends earliest, then
        comes first by pool name, fewest nodes, and start day.

    Notes
    -----
    A solver leaves out what is worth less than its tolerance, a millionth of the whole.
    """
    if program.columns.cost.size == 0 or len(register.plans) == 0:
        return point
    terms = incidence(program)
    point = point.copy()
    plans, names = register.plans, register.case.pool_names
    pool_rank = np.argsort(np.argsort(np.array(names, dtype=np.str_), kind="stable"))
    rank = np.lexsort(
        (plans.start_day, plans.nodes, pool_rank[plans.pool], plans.end_day, plans.links)
    )
    place = np.empty(len(rank), dtype=np.int64)
    place[rank] = np.arange(len(rank))
    if fills:
        _fill(register, program, terms, point, place)
    chosen = sorted(
        np.flatnonzero(point[: len(plans)] > 0.5).tolist(),
        key=lambda plan: register.case.job_names[plans.job[plan]],
    )
    for _ in range(10):
        moved = False
        for at, plan in enumerate(chosen):
            better = _first_equal(register, program, terms, point, plan, place)
            if better is not None:
                point[plan], point[better] = 0.0, 1.0
                chosen[at], moved = better, True
        if not moved:
            break
    return point


def _first_equal(
    register: Register,
    program: Program,
    terms: Incidence,
    point: Floats,
    plan: int,
    place: Ints,
) -> int | None:
    """The first run or chain before this one that is as good and fits in its stead."""
    plans, columns = register.plans, program.columns
    mine = np.flatnonzero(plans.job == plans.job[plan])
    keep = (
        (place[mine] < place[plan])
        & (columns.value[mine] >= columns.value[plan] - 1e-12 * abs(columns.value[plan]))
        & (columns.cost[mine] <= columns.cost[plan] * (1 + 1e-12))
    )
    without = terms.shift(terms.activity(point), [plan], [-1.0])
    return terms.first_fitting(without, mine[keep], place)


def _fill(
    register: Register, program: Program, terms: Incidence, point: Floats, place: Ints
) -> None:
    """Place jobs that fit as they are, the most valuable first, each by its best plan."""
    plans, columns = register.plans, program.columns
    job = register.column_job
    served = set(job[(point > 0.5) & (job >= 0)].tolist())
    waiting = [j for j in dict.fromkeys(plans.job.tolist()) if j not in served]
    best = {j: float(columns.value[: len(plans)][plans.job == j].max()) for j in waiting}
    names = register.case.job_names
    for owner in sorted(waiting, key=lambda j: (-best[j], names[j])):
        mine = np.flatnonzero((plans.job == owner) & (columns.value[: len(plans)] > 0))
        order = np.lexsort((place[mine], columns.cost[mine], -columns.value[mine]))
        found = terms.first_fitting(terms.activity(point), mine, _ranks(mine, order, place))
        if found is not None:
            point[found] = 1.0


def _ranks(rows: Ints, order: Ints, like: Ints) -> Ints:
    """Rank of some rows in an order, as a column over all rows."""
    ranks = np.zeros_like(like)
    ranks[rows[order]] = np.arange(len(order))
    return ranks
