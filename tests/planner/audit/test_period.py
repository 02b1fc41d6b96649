"""Borders as the audit counts them are those that the program plans with."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.audit.period import LENGTHS, border_days
from planner.period import border_days as planned
from planner.scenario import Horizon

DAYS = st.dates(datetime.date(2025, 1, 1), datetime.date(2027, 12, 31))


def horizon(first: datetime.date, last: datetime.date, resolution: Any) -> Horizon:
    return Horizon.model_validate({"from": first, "to": last, "resolution": resolution})


@pytest.mark.parametrize(
    ("resolution", "expected"),
    [
        ("week", [0, 7, 14, 21, 28, 35, 42, 49, 56]),
        ("two-weeks", [0, 14, 28, 42, 56]),
        ("month", [0, 15, 46]),
        ("quarter", [0, 15]),
        ("half-year", [0]),
        ([{"until": "2026-10-04", "every": "week"}, {"every": "month"}], [0, 7, 14, 19, 46]),
    ],
)
def test_borders_counted_by_hand(resolution: Any, expected: list[int]) -> None:
    first, last = datetime.date(2026, 9, 16), datetime.date(2026, 11, 15)
    assert list(border_days(horizon(first, last, resolution))) == expected


@given(first=DAYS, length=st.integers(0, 800), data=st.data())
@settings(max_examples=150, deadline=None)
def test_borders_are_those_of_the_program(
    first: datetime.date, length: int, data: st.DataObject
) -> None:
    last = first + datetime.timedelta(length)
    cuts = sorted(data.draw(st.sets(st.integers(0, max(length - 1, 0)), max_size=3)))
    words = st.sampled_from(LENGTHS)
    stretches: list[dict[str, Any]] = [
        {"until": first + datetime.timedelta(cut), "every": data.draw(words)} for cut in cuts
    ]
    resolution = data.draw(st.sampled_from(["auto", "stretches"]) | words)
    if resolution == "stretches":
        resolution = [*stretches, {"every": data.draw(words)}] if length else "week"
    given = horizon(first, last, resolution)
    assert list(border_days(given)) == planned(given).tolist()[:-1]


def test_a_choice_left_to_the_program_is_what_the_plan_states() -> None:
    first, last = datetime.date(2026, 1, 1), datetime.date(2026, 3, 31)
    open_ = horizon(first, last, "auto")
    assert list(border_days(open_, [(last, "month")])) == [0, 31, 59]
    assert list(border_days(horizon(first, last, "month"), [(last, "week")])) == [0, 31, 59]
