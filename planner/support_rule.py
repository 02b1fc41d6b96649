"""Who is compared by equal support, and what is to be used by when, as columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.column import Floats
from planner.scenario import Scenario
from planner.timeline import day_number, support

__all__ = ["support_fields", "support_groups"]


def support_groups(scenario: Scenario) -> tuple[tuple[str, ...], ...]:
    """
    Consortiums that equal support compares with each other.

    Those that have a day of support in the horizon and ask for work, by programme, and
    placeholders apart; consortiums that name no programme are together.
    """
    days = support(scenario)
    asking = {job.consortium for job in scenario.jobs.values()}
    groups: dict[tuple[str | None, bool], list[str]] = {}
    for at, (name, entry) in enumerate(scenario.consortiums.items()):
        if days.end_day[at] > days.first_day[at] and name in asking:
            groups.setdefault((entry.programme, entry.placeholder), []).append(name)
    return tuple(tuple(names) for names in groups.values())


def support_fields(scenario: Scenario) -> dict[str, Any]:
    """Columns of `planner.case.Case` that rules of support give, on [consortium] and [use]."""
    row = {name: at for at, name in enumerate(scenario.consortiums)}
    group = np.full(len(row), -1, dtype=np.int64)
    for number, names in enumerate(support_groups(scenario)):
        group[[row[name] for name in names]] = number
    rule = scenario.rules.equal_support
    days = support(scenario)
    floor: Floats = np.array(
        [entry.floor.value if entry.floor else 0.0 for entry in scenario.consortiums.values()]
    )
    award = floor * np.maximum(days.end_day - days.first_day, 0)
    uses: list[tuple[int, int, float]] = []
    for use in scenario.rules.use_by:
        end = day_number(use.day, scenario.horizon) + 1
        for name in scenario.consortiums if use.consortiums is None else use.consortiums:
            at = row[name]
            if award[at] > 0 and days.first_day[at] < end:
                uses.append((at, end, float(use.least.value * award[at])))
    return {
        "equal_support_frac": -1.0 if rule is None else rule.value,
        "support_group": group,
        "use_consortium": np.array([use[0] for use in uses], dtype=np.int64),
        "use_end_day": np.array([use[1] for use in uses], dtype=np.int64),
        "use_least": np.array([use[2] for use in uses], dtype=np.float64),
    }
