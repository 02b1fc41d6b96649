"""Days and periods of a scenario: who may hold nodes from which day to which."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from hardware.column import Ints, seal
from hardware.units import DAY_S
from planner.period import border_days
from planner.scenario import Deadline, Evaluation, Horizon, Scenario

__all__ = ["SupportTable", "border_days", "candidates_of", "day_number", "job_spans", "support"]


def day_number(day: datetime.date, horizon: Horizon) -> int:
    """
    Day counted from the horizon's first day, which is day 0. [day]

    Examples
    --------
    >>> horizon = Horizon.model_validate({"from": "2026-09-01", "to": "2026-09-30"})
    >>> day_number(datetime.date(2026, 9, 8), horizon)
    7
    """
    return (day - horizon.first).days


@dataclass(frozen=True)
class SupportTable:
    """
    Days of each consortium, half-open, cut to the horizon; empty where end <= first.

    `end_day` ends its support: leaving, removal, or an evaluation whose result is
    open. `hold_day` is when its last node is back: `rules.handback` after that.
    """

    first_day: Ints  # [consortium]
    end_day: Ints  # [consortium]
    hold_day: Ints  # [consortium]

    def __post_init__(self) -> None:
        seal(self)


def candidates_of(scenario: Scenario, evaluation: Evaluation) -> tuple[str, ...]:
    """Who is evaluated: those named, or every consortium, placeholders aside, there that day."""
    if evaluation.candidates is not None:
        return evaluation.candidates
    gone = {
        name
        for earlier in scenario.evaluations
        if earlier.day < evaluation.day
        for name in earlier.removed or ()
    }
    return tuple(
        name
        for name, consortium in scenario.consortiums.items()
        if not consortium.placeholder
        and name not in gone
        and (consortium.joined is None or consortium.joined <= evaluation.day)
        and (consortium.left is None or consortium.left >= evaluation.day)
    )


def support(scenario: Scenario) -> SupportTable:
    """
    Days in which each consortium is supported, and may still hold nodes. [day]

    Parameters
    ----------
    scenario : Scenario
        Members, evaluations and the horizon.

    Returns
    -------
    SupportTable
        One row a consortium, in file order.

    Notes
    -----
    The day of leaving or of a result is the last day of support. An evaluation without
    a result ends the support of all its candidates, because nobody knows who remains.
    """
    days = (scenario.horizon.last - scenario.horizon.first).days + 1
    handback = int(scenario.rules.handback.value // DAY_S)
    ends: dict[str, int] = {}
    for evaluation in scenario.evaluations:
        if evaluation.removed is not None:
            stopped = evaluation.removed
        else:
            stopped = candidates_of(scenario, evaluation)
        end = day_number(evaluation.day, scenario.horizon) + 1
        for name in stopped:
            ends[name] = min(ends.get(name, end), end)
    first, last, hold = [], [], []
    for name, consortium in scenario.consortiums.items():
        joined = 0 if consortium.joined is None else day_number(consortium.joined, scenario.horizon)
        end = ends.get(name, days)
        if consortium.left is not None:
            end = min(end, day_number(consortium.left, scenario.horizon) + 1)
        first.append(max(joined, 0))
        last.append(min(end, days))
        supported = last[-1] > first[-1]
        hold.append(min(last[-1] + handback, days) if supported else last[-1])
    columns = (np.array(column, dtype=np.int64) for column in (first, last, hold))
    return SupportTable(*columns)


def _hard_end(deadline: Deadline | None, horizon: Horizon, days: int) -> int:
    if deadline is None or deadline.kind != "hard":
        return days
    return day_number(deadline.day, horizon) + 1


def job_spans(scenario: Scenario) -> tuple[Ints, Ints]:
    """
    First and end day between which each job may hold nodes, whatever the pool. [day]

    Parameters
    ----------
    scenario : Scenario
        Jobs whose consortium is known.

    Returns
    -------
    (Ints [job], Ints [job])
        Half-open span common to the horizon, the consortium's days with handback, the
        job's window and its hard deadline; empty where end <= first.
    """
    horizon = scenario.horizon
    days = (horizon.last - horizon.first).days + 1
    table = support(scenario)
    row = {name: at for at, name in enumerate(scenario.consortiums)}
    first, end = [], []
    for job in scenario.jobs.values():
        at = row[job.consortium]
        low, high = int(table.first_day[at]), int(table.hold_day[at])
        if job.window.first is not None:
            low = max(low, day_number(job.window.first, horizon))
        if job.window.last is not None:
            high = min(high, day_number(job.window.last, horizon) + 1)
        first.append(low)
        end.append(min(high, _hard_end(job.deadline, horizon, days)))
    return np.array(first, dtype=np.int64), np.array(end, dtype=np.int64)
