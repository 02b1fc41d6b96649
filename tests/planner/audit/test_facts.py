"""What the audit reads of a scenario: leaving, evaluations, money, equivalents, names."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from hardware.quantity import Money
from planner.audit.facts import equivalent, folded, in_currency, must_leave_day
from planner.scenario import Scenario

DAY = datetime.date(2026, 1, 1)


def scenario(**changes: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "facts", "currency": "KRW",
            "horizon": {"from": "2026-01-01", "to": "2026-12-31"},
            "pools": {"p": {"device": "b200", "nodes": 1, "price": "0 KRW / device-day"}},
            "jobs": {"j": {"consortium": "a", "model": "llama3-8b", "tokens": "1 B"}},
            "consortiums": {
                "a": {"members": ["A"]},
                "late": {"members": ["L"], "joined": "2026-06-01"},
                "gone": {"members": ["G"], "left": "2026-02-10"},
            },
            **changes,
        }
    )  # fmt: skip


def test_leaving_is_the_last_day_of_support_plus_handback() -> None:
    assert must_leave_day(scenario(), DAY, 0) == {"gone": (41, "after-leaving")}
    assert must_leave_day(scenario(), DAY, 14) == {"gone": (55, "after-leaving")}


def test_an_open_evaluation_concerns_who_is_there_on_the_day() -> None:
    asked = scenario(evaluations=[{"day": "2026-03-01"}])
    assert must_leave_day(asked, DAY, 0) == {
        "a": (60, "evaluation-undecided"),
        "gone": (41, "after-leaving"),
    }


def test_an_open_evaluation_concerns_its_candidates_alone_when_named() -> None:
    asked = scenario(evaluations=[{"day": "2026-07-01", "candidates": ["late"]}])
    assert set(must_leave_day(asked, DAY, 0)) == {"gone", "late"}


def test_an_open_evaluation_that_removes_nobody_concerns_nobody() -> None:
    asked = scenario(evaluations=[{"day": "2026-03-01", "removes": 0}])
    assert set(must_leave_day(asked, DAY, 0)) == {"gone"}


def test_who_was_removed_before_is_not_evaluated_again() -> None:
    asked = scenario(evaluations=[{"day": "2026-02-01", "removed": ["a"]}, {"day": "2026-07-01"}])
    leave = must_leave_day(asked, DAY, 0)
    assert leave["a"] == (32, "after-removal")
    assert leave["late"] == (182, "evaluation-undecided")


def test_the_earliest_reason_counts() -> None:
    asked = scenario(evaluations=[{"day": "2026-02-01", "removed": ["gone"]}])
    assert must_leave_day(asked, DAY, 0)["gone"] == (32, "after-removal")


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        ({"USD": "1400 KRW"}, 2800.0),
        ({"USD": "0.9 EUR", "EUR": "1500 KRW"}, 2700.0),
        ({}, None),
        ({"USD": "0.9 EUR", "EUR": "1.1 USD"}, None),
    ],
)
def test_money_in_the_currency_of_the_plan(
    exchange: dict[str, str], expected: float | None
) -> None:
    amount = Money(value=2.0, currency="USD")
    assert in_currency(scenario(exchange=exchange), amount, "USD") == expected


def test_equivalents_are_found_by_any_name_of_the_device() -> None:
    rules = scenario(rules={"equivalence": {"H100": 0.5}})
    names = {"H100": "h100_sxm5_80gb"}
    assert equivalent(rules, "h100_sxm5_80gb", names) == 0.5
    assert equivalent(rules, "b200_sxm_180gb", names) == 1.0


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("SK Telecom", "sk-telecom", True),
        (" SK  Telecom ", "SK_Telecom", True),
        ("ＳＫ Telecom", "SK Telecom", True),
        ("SK Telecom", "SK Telecom 2", False),
        ("A.X K1", "A.X K2", False),
    ],
)
def test_names_are_compared_without_case_width_and_dashes(one: str, two: str, same: bool) -> None:
    assert (folded(one) == folded(two)) == same
