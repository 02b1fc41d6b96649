"""Nothing that fits is left out, and among equal plans the one a reader expects."""

from __future__ import annotations

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.incidence import Incidence, incidence
from planner.allocation.register import Register
from planner.allocation.row import Program

__all__ = ["tidy"]


def tidy(register: Register, program: Program, point: Floats, *, fills: bool = True) -> Floats:
    """
    Add runs that still fit, then move each run to the first of its equals, by job name.

    Parameters
    ----------
    register : Register
        Which columns stand for what.
    program : Program
        The rows to keep.
    point : ndarray [column]
        A settled point.
    fills : bool
        Whether to add runs; more work is no aim of every policy.

    Returns
    -------
    ndarray [column]
        A point of no less value, and of no more cost unless a job was added. Equals of a run
        are runs of its job of no less value and no more cost that fit when everything else
        stays; the first one ends earliest, then comes first by pool name, fewest nodes, and
        start day.

    Notes
    -----
    A solver leaves out what is worth less than its tolerance, a millionth of the whole.
    """
    if program.columns.cost.size == 0 or len(register.options.runs) == 0:
        return point
    terms = incidence(program)
    point = point.copy()
    runs, names = register.options.runs, register.case.pool_names
    pool_rank = np.argsort(np.argsort(np.array(names, dtype=np.str_), kind="stable"))
    rank = np.lexsort((runs.start_day, runs.nodes, pool_rank[runs.pool], runs.end_day))
    place = np.empty(len(rank), dtype=np.int64)
    place[rank] = np.arange(len(rank))
    if fills:
        _fill(register, program, terms, point, place)
    chosen = sorted(
        np.flatnonzero(point[: len(runs)] > 0.5).tolist(),
        key=lambda run: register.case.job_names[runs.job[run]],
    )
    for _ in range(10):
        moved = False
        for at, run in enumerate(chosen):
            better = _first_equal(register, program, terms, point, run, place)
            if better is not None:
                point[run], point[better] = 0.0, 1.0
                chosen[at], moved = better, True
        if not moved:
            break
    return point


def _first_equal(
    register: Register,
    program: Program,
    terms: Incidence,
    point: Floats,
    run: int,
    place: Ints,
) -> int | None:
    """The first run before this one that is as good and fits in its stead."""
    runs, columns = register.options.runs, program.columns
    mine = np.flatnonzero(runs.job == runs.job[run])
    keep = (
        (place[mine] < place[run])
        & (columns.value[mine] >= columns.value[run] - 1e-12 * abs(columns.value[run]))
        & (columns.cost[mine] <= columns.cost[run] * (1 + 1e-12))
    )
    without = terms.shift(terms.activity(point), [run], [-1.0])
    return terms.first_fitting(without, mine[keep], place)


def _fill(
    register: Register, program: Program, terms: Incidence, point: Floats, place: Ints
) -> None:
    """Place jobs that fit as they are, the most valuable first, each by its best run."""
    runs, columns = register.options.runs, program.columns
    job = register.column_job
    served = set(job[(point > 0.5) & (job >= 0)].tolist())
    waiting = [j for j in dict.fromkeys(runs.job.tolist()) if j not in served]
    best = {j: float(columns.value[: len(runs)][runs.job == j].max()) for j in waiting}
    names = register.case.job_names
    for owner in sorted(waiting, key=lambda j: (-best[j], names[j])):
        mine = np.flatnonzero((runs.job == owner) & (columns.value[: len(runs)] > 0))
        order = np.lexsort((place[mine], columns.cost[mine], -columns.value[mine]))
        found = terms.first_fitting(terms.activity(point), mine, _ranks(mine, order, place))
        if found is not None:
            point[found] = 1.0


def _ranks(rows: Ints, order: Ints, like: Ints) -> Ints:
    """Rank of some rows in an order, as a column over all rows."""
    ranks = np.zeros_like(like)
    ranks[rows[order]] = np.arange(len(order))
    return ranks
