"""Among equal plans the one a reader expects: ends early, then by pool, nodes and start."""

from __future__ import annotations

import numpy as np

from hardware.column import Floats
from planner.allocation.incidence import Incidence, incidence
from planner.allocation.register import Register
from planner.allocation.row import Program

__all__ = ["tidy"]


def tidy(register: Register, program: Program, point: Floats) -> Floats:
    """
    Move runs to the first of their equals, one job at a time by name, until none moves.

    Parameters
    ----------
    register : Register
        Which columns stand for what.
    program : Program
        The rows to keep.
    point : ndarray [column]
        A settled point.

    Returns
    -------
    ndarray [column]
        A point of no less value and no more cost. Equals of a run are runs of its job of
        no less value and no more cost that fit when everything else stays; the first one
        ends earliest, then comes first by pool name, fewest nodes, and start day.
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
    place: np.ndarray,
) -> int | None:
    """The first run before this one that is as good and fits in its stead."""
    runs, columns = register.options.runs, program.columns
    mine = np.flatnonzero(runs.job == runs.job[run])
    keep = (
        (place[mine] < place[run])
        & (columns.value[mine] >= columns.value[run] - 1e-12 * abs(columns.value[run]))
        & (columns.cost[mine] <= columns.cost[run] * (1 + 1e-12))
    )
    equals = mine[keep]
    if len(equals) == 0:
        return None
    without = terms.shift(terms.activity(point), [run], [-1.0])
    which, owner = terms.terms(equals)
    over = without[terms.row[which]] + terms.coefficient[which] - terms.bound[terms.row[which]]
    blocked = np.zeros(len(equals), dtype=np.bool_)
    blocked[owner[over > terms.slack[terms.row[which]]]] = True
    equals = equals[~blocked]
    for candidate in equals[np.argsort(place[equals])].tolist():
        if not terms.excess(terms.shift(without, [candidate], [1.0])).any():
            return int(candidate)
    return None
