"""The choice of a resolution: counted right, as fine as fits, and the same as if it were stated."""

from __future__ import annotations

import datetime
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner.allocation.portfolio import SMALL_COLUMNS
from planner.case import Case, build_case
from planner.period import GRADES, border_days
from planner.resolution import (
    LEAST_PERIODS,
    MOST_PLANS,
    PlaceTable,
    chosen_periods,
    days_of_work,
    stated_periods,
    whole_plans,
)
from planner.scenario import Horizon, Scenario

HORIZON = Horizon.model_validate({"from": "2026-09-01", "to": "2028-08-31", "resolution": "auto"})


def places(rows: list[tuple[int, int, int, bool, bool]]) -> PlaceTable:
    columns = list(zip(*rows, strict=True))
    release, due, need = (np.array(column, dtype=np.int64) for column in columns[:3])
    partial, preemptible = (np.array(column, dtype=np.bool_) for column in columns[3:])
    return PlaceTable(release, due, need, partial, preemptible)


row = st.tuples(
    st.integers(0, 60), st.integers(0, 70), st.integers(1, 50), st.booleans(), st.booleans()
)


@given(st.lists(row, min_size=1, max_size=5), st.sets(st.integers(1, 69), max_size=12))
def test_plans_are_counted_as_they_would_be_listed(
    rows: list[tuple[int, int, int, bool, bool]], cuts: set[int]
) -> None:
    borders = [0, *sorted(cuts), 70]
    expected = 0
    for release, due, need, is_partial, is_preemptible in rows:
        starts = {day for day in (release, *borders[:-1]) if release <= day < due}
        if is_preemptible:
            expected += len(starts) + 1
            continue
        expected += sum(start + need <= due for start in starts)
        if is_partial:
            stops = {due, *borders}
            expected += sum(
                start < stop < start + need and stop <= due for start in starts for stop in stops
            )
    assert whole_plans(places(rows), np.array(borders)) == expected


def test_the_limit_is_up_to_where_the_solver_is_quicker_than_a_long_search() -> None:
    assert MOST_PLANS == SMALL_COLUMNS


def many(count: int, need: int = 30) -> PlaceTable:
    return places([(0, 730, need, False, False)] * count)


@pytest.mark.parametrize("most", [20, 300, 700, 1100, 2100, 4000, 9000, 10**6])
def test_the_choice_is_as_fine_as_fits(most: int) -> None:
    table = many(100)
    found = chosen_periods(HORIZON, table, most)
    count = whole_plans(table, border_days(HORIZON, found.stretches))
    assert found.is_chosen
    assert found.plans == count
    if count > most:  # then no grade of eight periods fits
        assert found.every == ("quarter",)
        return
    for every in GRADES:
        uniform = border_days(Horizon.model_validate(
            {"from": HORIZON.first, "to": HORIZON.last, "resolution": every}))  # fmt: skip
        if len(uniform) - 1 >= LEAST_PERIODS and whole_plans(table, uniform) <= most:
            assert GRADES.index(found.every[-1]) <= GRADES.index(every)
    if len(found.every) == 2:
        assert GRADES.index(found.every[0]) == GRADES.index(found.every[1]) - 1
        later = found.until[0] + datetime.timedelta(40)  # a month more of the finer one
        longer = [{"until": later.replace(day=1) - datetime.timedelta(1), "every": found.every[0]},
                  {"every": found.every[1]}]  # fmt: skip
        horizon = Horizon.model_validate(
            {"from": HORIZON.first, "to": HORIZON.last, "resolution": longer})  # fmt: skip
        if found.every[1] in ("two-weeks", "month"):
            assert whole_plans(table, border_days(horizon)) > most


def test_no_limit_asks_for_mixed_periods_and_one_does() -> None:
    kinds = {len(chosen_periods(HORIZON, many(100), most).every) for most in range(800, 9000, 200)}
    assert kinds == {1, 2}


def test_a_short_horizon_keeps_weeks_however_many_plans_there_are() -> None:
    short = Horizon.model_validate({"from": "2026-09-01", "to": "2026-09-20"})
    assert chosen_periods(short, many(1000), 10).every == ("week",)


def test_days_of_work_are_bounded() -> None:
    days = days_of_work(np.array([1e30, 1e-30, 86400.0]), np.array([1.0, 1e9, 1.0]))
    assert days.tolist() == [10**9, 1, 1]


def scenario(resolution: Any, jobs: int) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "many jobs",
            "currency": "KRW",
            "horizon": {"from": "2026-09-01", "to": "2028-08-31", "resolution": resolution},
            "pools": {
                name: {"device": "h100_sxm5_80gb", "nodes": 90, "price": "1 KRW / device-month"}
                for name in ("p", "q")
            },
            "consortiums": {"a": {}},
            "jobs": {
                f"j{at}": {"consortium": "a", "model": "llama-3.1-8b", "tokens": "1 T",
                           "rates": {"h100_sxm5_80gb": "1 k tokens/s"}, "data": str(at)}
                for at in range(jobs)
            },
        }
    )  # fmt: skip


def same(one: Case, other: Case) -> bool:
    return all(
        np.array_equal(getattr(one, each.name), getattr(other, each.name))
        for each in fields(Case)
        if isinstance(getattr(one, each.name), np.ndarray)
    )


def test_a_choice_gives_the_case_that_it_gives_where_it_is_stated() -> None:
    case = build_case(scenario("auto", 30))
    assert case.periods is not None
    assert case.periods.is_chosen
    assert 0 < case.periods.plans <= MOST_PLANS
    assert len(case.periods.every) == 2, "neither grade alone fits"
    columns = zip(case.periods.until, case.periods.every, strict=True)
    stated = [{"until": until, "every": every} for until, every in columns]
    other = build_case(scenario(stated, 30))
    assert other.periods is not None
    assert not other.periods.is_chosen
    assert same(case, other)


def test_few_plans_are_made_over_weeks() -> None:
    case = build_case(scenario("auto", 2))
    assert case.periods is not None
    assert case.periods.every == ("week",)
    assert same(case, build_case(scenario("week", 2)))
    assert stated_periods(HORIZON).every == ("week",)


def test_verify_makes_the_choice_again_and_tells_another() -> None:
    asked = scenario("auto", 2)
    plan = planner.allocate(asked, time_limit_s=5.0).to_dict()
    found = planner.verify(asked, plan)
    assert found.ok
    assert ("periods", 1) in found.checks
    changes: tuple[dict[str, Any], ...] = (
        {"chosen": "stated"},
        {"plans": plan["periods"]["plans"] + 1},
        {"stretches": [{"until": "2028-08-31", "every": "month"}]},
        {"stretches": [{"until": "2028-08-30", "every": "week"}]},
        {"stretches": []},
        {"sentence": "periods: days"},
    )
    for change in changes:
        other = {**plan, "periods": {**plan["periods"], **change}}
        report = planner.verify(asked, other)
        assert [fault.code for fault in report.violations] == ["periods-misstated"]
    assert planner.verify(asked, {**plan, "periods": None}).ok, "earlier plans name none"
