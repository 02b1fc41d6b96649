"""Checks of flexible jobs: none that pauses, and a migration that means something."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardware.errors import Diagnostic
from hardware.quantity import Figure
from hardware.sheet import Path_
from hardware.units import DAY_S, format_duration
from planner.flexibility import is_flexible
from planner.scenario_fault import Written
from planner.timeline import border_days

__all__ = ["check_flexible"]


def check_flexible(written: Written) -> Iterator[Diagnostic]:
    """Jobs that are to change and to pause; migrations that are too long, or for nobody."""
    scenario = written.scenario
    changes = {name: is_flexible(scenario, job) for name, job in scenario.jobs.items()}
    for name, job in scenario.jobs.items():
        if job.allocation == "flexible" and job.preemptible:
            yield written.fault(
                ("jobs", name, "allocation"), "flexible-and-preemptible",
                "a job either changes at the borders of periods or pauses",
                found="allocation: flexible and preemptible: true", expected="one of the two",
                hint="a preemptible job keeps its pool and its number of nodes",
            )  # fmt: skip
    rest = any(is_so and scenario.jobs[name].migration is None for name, is_so in changes.items())
    stated: list[tuple[Path_, Figure | None, bool]] = [
        (("policy", "migration"), scenario.policy.migration, rest),
        *(
            (("jobs", name, "migration"), job.migration, changes[name])
            for name, job in scenario.jobs.items()
        ),
    ]
    for path, figure, is_used in stated:
        if figure is not None and figure.value >= 0:
            yield from _meaning(written, path, figure, is_used)


def _meaning(written: Written, path: Path_, figure: Figure, is_used: bool) -> Iterator[Diagnostic]:
    """A warning about a migration that serves nobody, or that takes a whole period."""
    if not is_used:
        yield written.warning(
            path, "migration-unused", "no job that this is for may change pool or nodes",
            found=written.text(path), hint="write `allocation: flexible`, or leave it out",
        )  # fmt: skip
        return
    spans = np.diff(border_days(written.scenario.horizon))
    whole = spans[1:-1] if len(spans) > 2 else spans  # the first and the last may be cut short
    shortest = int(whole.min()) * DAY_S
    if figure.value > shortest:
        yield written.warning(
            path, "migration-long", "a change takes longer than the shortest period",
            found=f"{written.text(path)}, periods of {format_duration(shortest)}",
            hint="nodes are held and paid all that time without work",
        )  # fmt: skip
