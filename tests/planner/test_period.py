"""Borders of periods: one length, or stretches of several."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.audit.period import border_days as audited_border_days
from planner.period import GRADES, Periods, border_days, read_periods, stretches_of
from planner.scenario import Horizon

DAY = datetime.date(2027, 1, 1)
LONGEST = {"week": 7, "two-weeks": 14, "month": 31, "quarter": 92, "half-year": 184}


def horizon(first: datetime.date, days: int, resolution: Any) -> Horizon:
    last = first + datetime.timedelta(days - 1)
    return Horizon.model_validate({"from": first, "to": last, "resolution": resolution})


def test_months_are_the_calendars() -> None:
    borders = border_days(horizon(datetime.date(2026, 11, 16), 120, "month"))
    dates = [datetime.date(2026, 11, 16) + datetime.timedelta(int(day)) for day in borders]
    assert [date.isoformat() for date in dates] == [
        "2026-11-16", "2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01", "2027-03-16",
    ]  # fmt: skip


def test_quarters_and_half_years_are_the_calendars() -> None:
    assert border_days(horizon(DAY, 365, "quarter")).tolist() == [0, 90, 181, 273, 365]
    assert border_days(horizon(DAY, 365, "half-year")).tolist() == [0, 181, 365]
    assert border_days(horizon(datetime.date(2027, 6, 30), 2, "half-year")).tolist() == [0, 1, 2]


@given(
    st.dates(datetime.date(1, 1, 1), datetime.date(9970, 1, 1)),
    st.integers(1, 7300),
    st.sampled_from(["week", "two-weeks", "month", "quarter", "half-year"]),
)
def test_borders_cover_the_horizon(first: datetime.date, days: int, resolution: str) -> None:
    borders = border_days(horizon(first, days, resolution))
    assert borders[0] == 0
    assert borders[-1] == days
    assert (np.diff(borders) > 0).all()
    longest = {"week": 7, "two-weeks": 14, "month": 31, "quarter": 92, "half-year": 184}
    assert np.diff(borders).max() <= longest[resolution]


def test_the_last_day_of_the_calendar_can_be_planned() -> None:
    assert border_days(horizon(datetime.date(9999, 12, 1), 31, "month")).tolist() == [0, 31]


def test_each_stretch_has_its_own_periods() -> None:
    stretches = [
        {"until": "2027-01-17", "every": "week"},
        {"until": "2027-03-10", "every": "month"},
        {"every": "quarter"},
    ]
    borders = border_days(horizon(DAY, 365, stretches))
    dates = [(DAY + datetime.timedelta(int(day))).isoformat() for day in borders]
    assert dates == [
        "2027-01-01", "2027-01-08", "2027-01-15", "2027-01-18", "2027-02-01", "2027-03-01",
        "2027-03-11", "2027-04-01", "2027-07-01", "2027-10-01", "2028-01-01",
    ]  # fmt: skip


@st.composite
def cut_horizons(draw: st.DrawFn) -> Horizon:
    first = draw(st.dates(datetime.date(1990, 1, 1), datetime.date(2060, 1, 1)))
    days = draw(st.integers(1, 900))
    cuts = sorted(draw(st.sets(st.integers(0, days - 1), max_size=4)) - {days - 1})
    ends = [str(first + datetime.timedelta(cut)) for cut in cuts]
    stretches = [{"until": end, "every": draw(st.sampled_from(GRADES))} for end in ends]
    last = {"every": draw(st.sampled_from(GRADES))}
    if draw(st.booleans()):
        last["until"] = str(first + datetime.timedelta(days - 1))
    return horizon(first, days, [*stretches, last])


@given(cut_horizons())
def test_stretches_cover_the_horizon(cut: Horizon) -> None:
    borders = border_days(cut).tolist()
    days = (cut.last - cut.first).days + 1
    assert borders[0] == 0
    assert borders[-1] == days
    assert (np.diff(borders) > 0).all()
    begin = 0
    for stretch in stretches_of(cut):
        end = days if stretch.until is None else (stretch.until - cut.first).days + 1
        assert begin in borders, "a stretch begins with a border"
        inside = np.diff([day for day in borders if begin <= day <= end])
        assert inside.max(initial=0) <= LONGEST[stretch.every]
        begin = end


@given(cut_horizons())
def test_the_audit_counts_the_same_borders(cut: Horizon) -> None:
    assert list(audited_border_days(cut)) == border_days(cut)[:-1].tolist()


@given(cut_horizons())
def test_a_choice_that_a_plan_states_has_the_same_borders_in_the_audit(cut: Horizon) -> None:
    open_ = horizon(cut.first, (cut.last - cut.first).days + 1, "auto")
    stated = [(stretch.until or cut.last, stretch.every) for stretch in stretches_of(cut)]
    assert list(audited_border_days(open_, stated)) == border_days(cut)[:-1].tolist()
    assert border_days(open_, stretches_of(cut)).tolist() == border_days(cut).tolist()


def test_one_stretch_is_the_word_alone() -> None:
    for every in GRADES:
        one = border_days(horizon(DAY, 400, [{"every": every}]))
        assert one.tolist() == border_days(horizon(DAY, 400, every)).tolist()


def test_periods_are_read_as_they_are_written() -> None:
    middle, end = datetime.date(2027, 1, 31), datetime.date(2027, 12, 31)
    for periods in (
        Periods((middle, end), ("week", "half-year"), True, 70_000),
        Periods((end,), ("month",)),
    ):
        assert read_periods(periods.to_dict()) == periods
    assert read_periods(None) is None
    day = {"until": "2027-01-01", "every": "day"}
    wrongs: tuple[dict[str, Any], ...] = ({"stretches": []}, {"stretches": [day]})
    for wrong in wrongs:
        with pytest.raises(ValueError, match="stretch"):
            read_periods(wrong)
