"""Why a job runs where it does: the best that another pool could have done for it."""

from __future__ import annotations

import numpy as np

from hardware.column import Floats
from planner.allocation.program.incidence import incidence
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program

__all__ = ["runner_ups"]


def runner_ups(register: Register, program: Program, point: Floats) -> dict[int, str]:
    """
    The best run in another pool of each job that runs without a pause, in words.

    Of a job that changes on the way, the best run without a change in any pool.

    Parameters
    ----------
    register, program : Register, Program
        What there was to choose from.
    point : ndarray [column]
        What was chosen.

    Returns
    -------
    dict of int to str
        By row of the job: with everything else as planned, the run of another pool with the
        most value, then the least cost; or that no other pool can serve the job, or could take it.
    """
    runs, plans, columns = register.options.runs, register.plans, program.columns
    terms = incidence(program)
    activity = terms.activity(point)
    found: dict[int, str] = {}
    for plan in np.flatnonzero(point[: len(plans)] > 0.5).tolist():
        job, stays = int(plans.job[plan]), plan < len(runs)
        other = "other pool" if stays else "plan without a change"
        may = (runs.pool != plans.pool[plan]) if stays else True
        others = np.flatnonzero((runs.job == job) & may)
        if len(others) == 0:
            found[job] = f"no {other} can serve it"
            continue
        order = np.lexsort((runs.end_day[others], columns.cost[others], -columns.value[others]))
        place = np.zeros(len(columns.names), dtype=np.int64)
        place[others[order]] = np.arange(len(order))
        without = terms.shift(activity, [plan], [-1.0])
        best = terms.first_fitting(without, others, place)
        found[job] = (
            f"no {other} could take it with all else as planned"
            if best is None
            else _words(register, columns.value, columns.cost, plan, best)
        )
    return found


def _words(register: Register, value: Floats, cost: Floats, run: int, best: int) -> str:
    """How the runner-up compares with the run chosen."""
    runs = register.options.runs
    changes = [
        text
        for text in (_change("value", value, run, best), _change("cost", cost, run, best))
        if text
    ]
    days = int(runs.end_day[best] - runs.start_day[best])
    return (
        f"runner-up: {runs.nodes[best]} nodes of `{register.case.pool_names[runs.pool[best]]}` "
        f"for {days} days, {' and '.join(changes) or 'as good and as dear'}"
    )


def _change(what: str, amounts: Floats, run: int, best: int) -> str:
    """A difference in percent, or an empty text when there is none."""
    here, there = float(amounts[run]), float(amounts[best])
    if abs(there - here) <= 1e-9 * max(abs(here), abs(there)):
        return ""
    if here <= 0:
        return f"at a {what} where it has none here"
    return f"{what} {100 * (there / here - 1):+.2g} %"
