"""Checks of rules of support: equal for all of a programme, and used by its dates."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from hardware.errors import Diagnostic
from hardware.sheet import Path_
from planner.scenario import UseBy
from planner.scenario_fault import Written, unknown_name
from planner.support_rule import support_groups
from planner.timeline import support

__all__ = ["MOST_COMPARED", "check_equal_support", "check_use_by"]

MOST_COMPARED = 64  # consortiums of one group; every ordered pair is a row of the program


def check_equal_support(written: Written) -> Iterator[Diagnostic]:
    """A difference that is no part of a whole, nobody to compare, or too many."""
    rule = written.scenario.rules.equal_support
    path: Path_ = ("rules", "equal_support")
    if rule is None:
        return
    if not 0 <= rule.value < 1:
        yield written.fault(
            path, "out-of-range", "the difference of support is no part of the larger",
            found=f"`{written.text(path)}`", expected="0 to below 100 %",
        )  # fmt: skip
    groups = support_groups(written.scenario)
    if all(len(names) < 2 for names in groups):
        yield written.fault(
            path, "nobody-to-compare", "no two consortiums are of one programme and ask for work",
            found=", ".join(f"`{name}`" for names in groups for name in names) or "nobody",
            expected="two consortiums of one programme, or two placeholders of one",
        )  # fmt: skip
    for names in groups:
        if len(names) > MOST_COMPARED:
            yield written.fault(
                path, "too-many-compared", "equal support compares every two consortiums",
                found=f"{len(names)} consortiums of one programme",
                expected=f"at most {MOST_COMPARED}",
                hint="give floors and caps instead, which say the same of many",
            )  # fmt: skip


def check_use_by(written: Written) -> Iterator[Diagnostic]:
    """Days outside the horizon, parts of nothing, and consortiums without a floor to use."""
    scenario = written.scenario
    horizon = scenario.horizon
    for at, use in enumerate(scenario.rules.use_by):
        path: Path_ = ("rules", "use_by", at)
        if not horizon.first <= use.day <= horizon.last:
            yield written.fault(
                (*path, "day"), "outside-horizon", "the day of use is no day of the horizon",
                found=str(use.day), expected=f"a day of {horizon.first} to {horizon.last}",
            )  # fmt: skip
        if not 0 < use.least.value <= 1:
            yield written.fault(
                (*path, "least"), "out-of-range", "what is used is no part of the floor",
                found=f"`{written.text((*path, 'least'))}`", expected="above 0, at most 100 %",
            )  # fmt: skip
        yield from _check_bound(written, path, use)


def _check_bound(written: Written, path: Path_, use: UseBy) -> Iterator[Diagnostic]:
    """Whom a day of use binds: known, with a floor, and supported by then."""
    consortiums, horizon = written.scenario.consortiums, written.scenario.horizon
    with_floor = [n for n, entry in consortiums.items() if entry.floor and entry.floor.value > 0]
    if use.consortiums is None and not with_floor:
        yield written.fault(
            path, "missing-floor", "no consortium has a floor of which a part could be used",
            found="no `floor`", expected="a consortium with `floor`",
        )  # fmt: skip
    days = support(written.scenario)
    row = {name: at for at, name in enumerate(consortiums)}
    for at, name in enumerate(use.consortiums or ()):
        place = (*path, "consortiums", at)
        if name not in consortiums:
            yield unknown_name(written, place, "consortium", name, consortiums)
        elif name not in with_floor:
            yield written.fault(
                place, "missing-floor", f"`{name}` has no floor of which a part could be used",
                found="no `floor`", expected="a consortium with `floor`",
            )  # fmt: skip
        else:
            first = horizon.first + datetime.timedelta(int(days.first_day[row[name]]))
            if first > use.day:
                yield written.fault(
                    place, "not-in-programme", f"`{name}` has not joined by the day of use",
                    found=f"support from {first}, use by {use.day}",
                    expected="a consortium whose support has begun",
                )  # fmt: skip
