"""Days of support, and borders of periods."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.scenario import Horizon, Scenario
from planner.timeline import candidates_of, day_number, job_spans, support

DAY = datetime.date(2027, 1, 1)


def scenario(**changes: Any) -> Scenario:
    base: dict[str, Any] = {
        "name": "x",
        "currency": "KRW",
        "horizon": {"from": "2027-01-01", "to": "2027-06-30"},
        "pools": {"p": {"device": "h100", "nodes": 1, "price": "0 KRW / device-month"}},
        "consortiums": {"a": {}, "b": {}},
        "jobs": {"j": {"consortium": "a", "model": "m", "tokens": "1 T"}},
    }
    return Scenario.model_validate({**base, **changes})


def test_support_is_cut_to_the_horizon() -> None:
    table = support(
        scenario(
            consortiums={
                "a": {"joined": "2020-01-01", "left": "2030-01-01"},
                "b": {"joined": "2027-01-11", "left": "2027-01-20"},
            },
            rules={"handback": "2 weeks"},
        )
    )
    assert table.first_day.tolist() == [0, 10]
    assert table.end_day.tolist() == [181, 20]
    assert table.hold_day.tolist() == [181, 34]


def test_removal_ends_support_on_its_day() -> None:
    table = support(
        scenario(evaluations=[{"day": "2027-02-01", "removed": ["b"]}], rules={"handback": "36 h"})
    )
    assert table.end_day.tolist() == [181, 32]
    assert table.hold_day.tolist() == [181, 33]  # a day and a half give one whole day


def test_an_open_result_ends_the_support_of_all_candidates() -> None:
    open_result = scenario(
        consortiums={
            "a": {},
            "b": {"left": "2027-01-31"},
            "later": {"joined": "2027-03-01", "placeholder": True},
            "stand-in": {"placeholder": True},
        },
        evaluations=[{"day": "2027-02-28"}],
    )
    assert candidates_of(open_result, open_result.evaluations[0]) == ("a",)
    assert support(open_result).end_day.tolist() == [59, 31, 181, 181]


def test_who_was_removed_is_no_candidate_again() -> None:
    twice = scenario(
        consortiums={"a": {}, "b": {}, "c": {}},
        evaluations=[{"day": "2027-02-01", "removed": ["b"]}, {"day": "2027-05-01"}],
    )
    assert candidates_of(twice, twice.evaluations[1]) == ("a", "c")


def test_who_left_before_the_horizon_holds_nothing_in_it() -> None:
    gone = scenario(
        consortiums={"a": {"left": "2026-12-30"}, "b": {}}, rules={"handback": "14 days"}
    )
    first, end = job_spans(gone)
    assert end[0] <= first[0]


@pytest.mark.parametrize(
    ("deadline", "end"),
    [("2027-01-31", 31), ({"day": "2027-01-31", "kind": "soft"}, 181)],
)
def test_only_hard_deadlines_end_a_span(deadline: Any, end: int) -> None:
    job = {"consortium": "a", "model": "m", "tokens": "1 T", "deadline": deadline}
    spans = job_spans(scenario(jobs={"j": {**job, "window": {"from": "2027-01-05"}}}))
    assert (spans[0].tolist(), spans[1].tolist()) == ([4], [end])


@given(st.integers(-1000, 1000))
def test_days_count_from_the_first(days: int) -> None:
    horizon = Horizon.model_validate({"from": DAY, "to": DAY})
    assert day_number(DAY + datetime.timedelta(days), horizon) == days
