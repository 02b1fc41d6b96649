"""Which jobs may change pool or number of nodes on the way, and what a change costs them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hardware.units import DAY_S
from planner.scenario import Job, Scenario

__all__ = ["MIGRATION_S", "flexible_fields", "is_flexible", "move_days"]

MIGRATION_S = DAY_S  # assumed where nobody states one: checkpoint, move, restart, warm up [s]


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
    stated = job.migration or scenario.policy.migration
    return math.ceil((stated.value if stated else MIGRATION_S) / DAY_S)


def flexible_fields(scenario: Scenario) -> dict[str, Any]:
    """Columns of `planner.case.Case` about flexible jobs, on the axis [job]."""
    jobs = scenario.jobs.values()
    return {
        "job_flexible": np.array([is_flexible(scenario, job) for job in jobs]),
        "job_move_days": np.array([move_days(scenario, job) for job in jobs], dtype=np.int64),
    }
