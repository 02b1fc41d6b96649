"""What a plan comes to in figures: work, days on which jobs end, cost and energy, job by job."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.answer.placement import PlacementTable, job_results
from planner.allocation.program.register import Register

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["Figures", "counted_ends", "figures_of_placements", "figures_of_plan"]

DAY_S = 86400.0


@dataclass(frozen=True)
class Figures:
    """A plan in figures, by job where that matters."""

    value: Floats  # [job] worth of what is done, without the weight
    done: Floats  # [job] part of the work, 1 when finished
    end_day: Floats  # [job] first day after its end as `counted_ends` has it, 0 where not placed
    cost: float
    energy_j: float


def counted_ends(case: Case, job: Ints, pool: Ints, end_day: Ints) -> Ints:
    """
    Days on which jobs count as ended.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    job, pool, end_day : ndarray of int
        What is held last, and the day on which it is free again. [day]

    Returns
    -------
    ndarray
        The same day; for a job that pauses the end of the period, or its due day if that is
        earlier, since the program lets it hold whole periods. [day]
    """
    due = np.full((len(case.job_names), len(case.pool_names)), case.days, dtype=np.int64)
    due[case.pair_job, case.pair_pool] = np.minimum(case.pair_due_day, case.days)
    at = np.searchsorted(case.border_day, end_day, side="left")
    border = np.asarray(case.border_day)[np.minimum(at, len(case.border_day) - 1)]
    rounded = np.maximum(np.minimum(border, due[job, pool]), end_day)
    return np.asarray(np.where(case.job_preemptible[job], rounded, end_day), dtype=np.int64)


def figures_of_placements(register: Register, placed: PlacementTable) -> Figures:
    """The figures of what a point of a program lets every job hold."""
    case = register.case
    done, value = job_results(register, placed)
    days = (placed.end_day - placed.start_day).astype(np.float64)
    return Figures(
        value=value,
        done=np.where(case.job_partial | (done >= 1.0), np.minimum(done, 1.0), 0.0),
        end_day=_last(case, placed.job, placed.pool, placed.end_day),
        cost=float(placed.cost.sum()),
        energy_j=float((case.point_power_w[placed.point] * days).sum() * DAY_S),
    )


def figures_of_plan(case: Case, data: Mapping[str, Any]) -> Figures:
    """
    The figures of a plan file that has passed the audit.

    Raises
    ------
    KeyError, TypeError, ValueError
        The plan is not one of this case.
    """
    rows = data["rows"]
    job = np.array([case.job_names.index(row["job"]) for row in rows], dtype=np.int64)
    pool = np.array([case.pool_names.index(row["pool"]) for row in rows], dtype=np.int64)
    ends = [(datetime.date.fromisoformat(str(row["to"])) - case.first_day).days + 1 for row in rows]
    by_name = {one["job"]: one for one in data["jobs"]}
    found = [by_name[name] for name in case.job_names]
    done = np.array([float(one["done_frac"]) for one in found])
    return Figures(
        value=np.array([float(one["value"]) for one in found]),
        done=np.where(case.job_partial | (done >= 1.0), done, 0.0),
        end_day=_last(case, job, pool, np.array(ends, dtype=np.int64)),
        cost=float(sum(row["cost"] or 0.0 for row in rows)),
        energy_j=float(sum(row["energy_j"] or 0.0 for row in rows)),
    )


def _last(case: Case, job: Ints, pool: Ints, end_day: Ints) -> Floats:
    """Last counted end of each job."""
    last = np.zeros(len(case.job_names))
    np.maximum.at(last, job, counted_ends(case, job, pool, end_day).astype(np.float64))
    return last
