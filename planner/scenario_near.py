"""Check of jobs that look like the same work though their names differ: warnings with reasons."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.errors import Diagnostic
from planner.near_work import alike_jobs
from planner.scenario_fault import Written
from planner.scenario_rules import workload_identity

__all__ = ["check_near_workloads"]


def check_near_workloads(written: Written) -> Iterator[Diagnostic]:
    """Jobs that may be one workload under two names, each beside the first that it is like."""
    scenario = written.scenario
    identities = {
        name: workload_identity(job, written.models.get(job.model, job.model))
        for name, job in scenario.jobs.items()
    }
    for alike in alike_jobs(scenario, identities, written.shapes):
        other, reasons = alike.others[0]
        more = f" and {len(alike.others) - 1} more" if len(alike.others) > 1 else ""
        yield written.warning(
            ("jobs", alike.job), "near-workload",
            f"`{alike.job}` looks like `{other}`{more}", found="; ".join(reasons),
            hint="give both the same `data`, `model` and `objective` if they are one workload: "
            "then one of them is funded at most",
        )  # fmt: skip
