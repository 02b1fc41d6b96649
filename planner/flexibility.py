"""Which jobs may change pool or number of nodes on the way, and what a change costs them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hardware.errors import Diagnostic, UnknownName, near_match
from hardware.units import DAY_S
from planner.scenario import Job, Scenario

__all__ = ["MIGRATION_S", "flexible_fields", "is_flexible", "move_days", "with_allocation"]

MIGRATION_S = DAY_S  # assumed where nobody states one: checkpoint, move, restart, warm up [s]
ALLOCATIONS = ("fixed", "flexible")


def is_flexible(scenario: Scenario, job: Job) -> bool:
    """
    Whether a job may change pool or number of nodes at the borders of periods.

    The job's own word, or else the policy's; a preemptible job that says nothing is fixed.
    """
    if job.allocation is not None:
        return job.allocation == "flexible"
    return scenario.policy.allocation == "flexible" and not job.preemptible


def move_days(scenario: Scenario, job: Job) -> int:
    """
    Whole days that a job holds nodes without working after each change. [day]

    Parameters
    ----------
    scenario : Scenario
        Its `policy.migration` is for jobs that state none.
    job : Job
        One of its jobs.

    Returns
    -------
    int
        Zero or more; a part of a day counts as a day.
    """
    stated = scenario.policy.migration if job.migration is None else job.migration
    return math.ceil((MIGRATION_S if stated is None else stated.value) / DAY_S)


def with_allocation(scenario: Scenario, allocation: str | None) -> Scenario:
    """
    The scenario with another word of its policy on allocation; None leaves it as it is.

    Parameters
    ----------
    scenario : Scenario
        As written.
    allocation : str, optional
        ``fixed`` or ``flexible``. What a job says of itself stays.

    Raises
    ------
    UnknownName
        Another word.
    """
    if allocation is None or allocation == scenario.policy.allocation:
        return scenario
    if allocation not in ALLOCATIONS:
        raise UnknownName(
            Diagnostic("unknown-allocation", f"no allocation is called `{allocation}`",
                       found=str(allocation), expected=" or ".join(ALLOCATIONS),
                       hint=near_match(str(allocation), ALLOCATIONS))
        )  # fmt: skip
    policy = scenario.policy.model_copy(update={"allocation": allocation})
    return scenario.model_copy(update={"policy": policy})


def flexible_fields(scenario: Scenario) -> dict[str, Any]:
    """Columns of `planner.case.Case` about flexible jobs, on the axis [job]."""
    jobs = scenario.jobs.values()
    return {
        "job_flexible": np.array([is_flexible(scenario, job) for job in jobs]),
        "job_move_days": np.array([move_days(scenario, job) for job in jobs], dtype=np.int64),
    }
