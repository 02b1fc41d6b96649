"""The shipped flexible example: what changes on the way, what that is worth, what readers see."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import planner

Data = dict[str, Any]
PATH = Path(planner.__file__).with_name("examples") / "flexible.yaml"


@pytest.fixture(scope="module")
def made() -> Data:
    return planner.allocate(PATH, time_limit_s=30).to_dict()


def codes(plan: Data, **given: Any) -> list[str]:
    return [violation.code for violation in planner.verify(PATH, plan, **given).violations]


def links(plan: Data, job: str) -> list[Data]:
    return [row for row in plan["rows"] if row["job"] == job]


def test_every_job_is_placed_and_that_is_proved(made: Data) -> None:
    verdict = made["verdict"]
    assert (verdict["status"], verdict["allocation"]) == ("optimal", "flexible")
    assert [job["done_frac"] for job in made["jobs"]] == [1.0, 1.0, 1.0]
    assert verdict["bound"] == pytest.approx(verdict["objective"], rel=1e-4)


def test_the_work_of_each_link_is_its_rate_on_the_days_that_are_not_lost(made: Data) -> None:
    first, second = links(made, "maru-70b")
    assert (first["pool"], second["pool"]) == ("hopper", "blackwell")
    assert first["tokens"] == pytest.approx(first["tokens_per_s"] * 86400 * first["days"])
    most = second["tokens_per_s"] * 86400 * (second["days"] - 2)
    assert most - second["tokens_per_s"] * 86400 < second["tokens"] <= most
    assert first["tokens"] + second["tokens"] == pytest.approx(4.5e12)
    joined = datetime.date.fromisoformat(first["to"]) + datetime.timedelta(days=1)
    assert joined.isoformat() == second["from"]
    assert joined.day == 1


def test_without_changes_the_largest_job_has_no_place(made: Data) -> None:
    fixed = planner.allocate(PATH, allocation="fixed", time_limit_s=30)
    assert fixed.jobs.placed.tolist() == [False, True, True]
    assert fixed.verdict.objective is not None
    assert made["verdict"]["objective"] > 4 * fixed.verdict.objective
    assert planner.verify(PATH, fixed, allocation="fixed").ok
    assert codes(fixed.to_dict()) == ["allocation-mismatch"]


def test_the_plan_holds_for_the_scenario_and_not_for_one_that_allows_no_change(made: Data) -> None:
    report = planner.verify(PATH, made)
    assert report.violations == report.warnings == ()
    looked = dict(report.checks)
    assert looked["changes"] == looked["days lost"] == len(made["rows"]) - len(made["jobs"])
    assert {"allocation-mismatch", "job-split"} <= set(codes(made, allocation="fixed"))


def change_a_day_late(plan: Data) -> str:
    first, second = links(plan, "maru-70b")
    for row, field, days in ((first, "to", 1), (second, "from", 1)):
        day = datetime.date.fromisoformat(row[field]) + datetime.timedelta(days=days)
        row[field] = day.isoformat()
    first["days"] += 1
    second["days"] -= 1
    return "change-off-border"


def work_on_the_lost_days(plan: Data) -> str:
    row = links(plan, "maru-70b")[1]
    row["tokens"] = row["tokens_per_s"] * 86400 * (row["days"] - 1)
    return "move-days-worked"


def a_week_off(plan: Data) -> str:
    row = links(plan, "maru-70b")[0]
    day = datetime.date.fromisoformat(row["to"]) - datetime.timedelta(days=7)
    row["to"], row["days"] = day.isoformat(), row["days"] - 7
    return "links-apart"


def fixed_by_its_own_word(plan: Data) -> str:
    (row,) = links(plan, "nuri-chat")
    rows = [{**row, "days": 1, "to": row["from"]}, {**row, "from": row["to"], "days": 1}]
    plan["rows"] = [one for one in plan["rows"] if one is not row] + rows
    return "job-split"


@pytest.mark.parametrize(
    "way", [change_a_day_late, work_on_the_lost_days, a_week_off, fixed_by_its_own_word]
)
def test_a_plan_that_breaks_the_rules_is_told(made: Data, way: Callable[[Data], str]) -> None:
    plan = copy.deepcopy(made)
    code = way(plan)
    assert code in codes(plan)


def test_readers_are_told_where_a_job_moves(made: Data) -> None:
    plan = planner.Plan.from_json(json.dumps(made))
    words = "moves once: 32 nodes of hopper -> 32 of blackwell on 2027-04-01"
    assert words in repr(plan)
    assert words.replace(">", "&gt;") in plan._repr_html_()
