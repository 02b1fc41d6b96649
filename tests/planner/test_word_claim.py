"""`verify` tells words in a plan file that its scenario contradicts, and names those it trusts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.scenario_check import load_scenario

PLACE = Path(planner.__file__).parent / "examples" / "first-minute.yaml"
Data = dict[str, Any]


@pytest.fixture(scope="module")
def made() -> str:
    return planner.allocate(PLACE, time_limit_s=30).to_json()


def refused(plan: Data) -> Data:
    return next(job for job in plan["jobs"] if not job["placed"])


def without_assumptions(plan: Data) -> None:
    plan["assumed"] = []


def with_an_assumption_less(plan: Data) -> None:
    del plan["assumed"][0]


def with_another_figure(plan: Data) -> None:
    plan["assumed"][-1] = plan["assumed"][-1].replace("a", "e")


def with_an_assumption_twice(plan: Data) -> None:
    plan["assumed"].append(plan["assumed"][0])


def with_another_name(plan: Data) -> None:
    plan["consortiums"][1]["name"] = "Somebody"


def with_another_unit_of_values(plan: Data) -> None:
    assert plan["value_unit"] == "1e21 FLOP"
    plan["value_unit"] = None


def with_more_layout(plan: Data) -> None:
    plan["rows"][0]["layout"] += "x"


def of_another_program(plan: Data) -> None:
    plan["tool"]["name"] = "spreadsheet"


def with_an_unknown_reason(plan: Data) -> None:
    refused(plan)["reason"] = "not-worthy"


def without_a_reason(plan: Data) -> None:
    refused(plan)["reason"] = None


def with_the_reason_of_no_pool(plan: Data) -> None:
    refused(plan)["reason"] = "no-usable-pool"


def placed_with_a_reason(plan: Data) -> None:
    next(job for job in plan["jobs"] if job["placed"])["reason"] = "nodes-taken"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (without_assumptions, "assumed-misstated"),
        (with_an_assumption_less, "assumed-misstated"),
        (with_another_figure, "assumed-misstated"),
        (with_an_assumption_twice, "assumed-misstated"),
        (with_another_name, "name-misstated"),
        (with_another_unit_of_values, "value-misstated"),
        (with_more_layout, "layout-misstated"),
        (of_another_program, "tool-misstated"),
        (with_an_unknown_reason, "reason-misstated"),
        (without_a_reason, "reason-misstated"),
        (with_the_reason_of_no_pool, "reason-misstated"),
        (placed_with_a_reason, "reason-misstated"),
    ],
)
def test_words_that_the_scenario_contradicts(
    made: str, change: Callable[[Data], None], code: str
) -> None:
    plan = json.loads(made)
    change(plan)
    report = planner.verify(PLACE, plan)
    assert {fault.code for fault in report.violations} == {code}


def test_what_no_check_recomputes_is_named(made: str) -> None:
    plan = json.loads(made)
    refused(plan)["sentence"] = "other words"
    report = planner.verify(PLACE, plan)
    assert report.ok
    assert "sentences" in report.to_dict()["at_its_word"][0]
    assert str(report).splitlines()[-1].startswith("taken at the word of the file: sentences")


def test_a_scenario_in_hand_and_its_file_verify_the_plans_of_each_other(made: str) -> None:
    scenario = load_scenario(PLACE)[0]
    assert planner.verify(scenario, json.loads(made), base_path=PLACE.parent).ok
    in_hand = planner.allocate(scenario, base_path=PLACE.parent, time_limit_s=30)
    report = planner.verify(PLACE, in_hand)
    assert report.ok, report
    told = json.loads(made)
    del told["assumed"][0]
    assert not planner.verify(scenario, told, base_path=PLACE.parent).ok
