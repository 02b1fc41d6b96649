"""`verify` takes files and things in hand, and says when either has changed or cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import planner
from hardware.errors import InputError
from planner.audit import plan_record
from planner.scenario import Scenario

SCENARIO: dict[str, Any] = {
    "name": "one job", "currency": "KRW",
    "horizon": {"from": "2026-01-01", "to": "2026-01-31"},
    "pools": {"p": {"device": "b200", "nodes": 2, "price": "10 KRW / node-day"}},
    "consortiums": {"a": {"members": ["A"]}},
    "jobs": {"j": {"consortium": "a", "model": "llama3-8b", "tokens": "6.912 B", "value": 3,
                   "rates": {"b200": "1000 tokens/s"}}},
}  # fmt: skip
MONTHS = 10 / (365.25 / 12)
PLAN: dict[str, Any] = {
    "schema": "planner/plan/1", "currency": "KRW", "inputs": [],
    "verdict": {"status": "optimal", "objective": 3.0, "bound": 3.0, "gap_frac": 0, "cost": 100.0},
    "rows": [{"job": "j", "consortium": "a", "pool": "p", "device": "b200", "nodes": 1,
              "node_ids": "1", "from": "2026-01-05", "to": "2026-01-14", "days": 10,
              "tokens": 6.912e9, "tokens_per_s": 8000.0, "cost": 100.0}],
    "jobs": [{"job": "j", "consortium": "a", "placed": True, "done_frac": 1, "value": 3}],
    "consortiums": [{"consortium": "a", "node_months": MONTHS,
                     "equivalent_device_months": 8 * MONTHS, "cost": 100.0, "jobs_done": 1,
                     "jobs_asked": 1, "value": 3}],
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    scenario, plan = tmp_path / "scenario.json", tmp_path / "plan.json"
    scenario.write_text(json.dumps(SCENARIO))
    plan.write_text(json.dumps(PLAN))
    return scenario, plan


def test_files_and_things_in_hand_are_alike(files: tuple[Path, Path]) -> None:
    scenario = Scenario.model_validate(SCENARIO)
    reports = [
        planner.verify(*files),
        planner.verify(str(files[0]), str(files[1])),
        planner.verify(scenario, PLAN),
        planner.verify(scenario, plan_record(PLAN)),
        planner.verify(scenario, files[1]),
    ]
    assert all(report.ok for report in reports)
    assert len({report.checks for report in reports}) == 1


def test_what_allocate_returns_is_checked_through_its_written_form(
    files: tuple[Path, Path],
) -> None:
    class Made:
        def to_json(self) -> str:
            return json.dumps(PLAN)

    assert planner.verify(files[0], Made()).ok


def test_a_changed_scenario_is_a_warning(files: tuple[Path, Path]) -> None:
    scenario, plan = files
    made_from = {"path": scenario.name, "sha256": "0" * 64}
    plan.write_text(json.dumps({**PLAN, "inputs": [made_from]}))
    report = planner.verify(scenario, plan)
    assert report.ok
    assert [warning.code for warning in report.warnings] == ["input-changed"]


def test_an_unchanged_scenario_is_recognised_wherever_it_lies(files: tuple[Path, Path]) -> None:
    import hashlib

    scenario, plan = files
    digest = hashlib.sha256(scenario.read_bytes()).hexdigest()
    made_from = {"path": "elsewhere/scenario.json", "sha256": digest}
    plan.write_text(json.dumps({**PLAN, "inputs": [made_from]}))
    assert planner.verify(scenario, plan).warnings == ()


def test_an_input_that_is_gone_is_a_warning(files: tuple[Path, Path]) -> None:
    scenario, plan = files
    plan.write_text(json.dumps({**PLAN, "inputs": [{"path": "gone.yaml", "sha256": "1" * 64}]}))
    report = planner.verify(scenario, plan)
    assert [warning.code for warning in report.warnings] == ["input-missing"]


def test_a_plan_of_another_version_is_a_warning(files: tuple[Path, Path]) -> None:
    made = {**PLAN, "tool": {"name": "planner", "version": "0.0.1"}}
    report = planner.verify(files[0], made)
    assert report.ok
    assert [warning.code for warning in report.warnings] == ["tool-changed"]


def test_faults_of_either_file_are_told_as_input(files: tuple[Path, Path]) -> None:
    scenario, plan = files
    with pytest.raises(InputError, match="no-such-file"):
        planner.verify(scenario, plan.with_name("none.json"))
    plan.write_text("{}")
    with pytest.raises(InputError, match="unknown-schema"):
        planner.verify(scenario, plan)
    scenario.write_text("name: x")
    with pytest.raises(InputError, match="missing-field"):
        planner.verify(scenario, plan)


def test_report_reads_as_text_and_as_plain_types(files: tuple[Path, Path]) -> None:
    scenario, plan = files
    text = str(planner.verify(scenario, plan))
    assert text.startswith("the plan holds")
    assert "nothing to look at" in text  # budgets, for one
    changed = json.loads(json.dumps(PLAN))
    changed["rows"][0]["cost"] = 90.0
    report = planner.verify(scenario, changed)
    assert not report.ok
    told = json.loads(json.dumps(report.to_dict()))
    assert told["violations"][0]["code"] == "cost-misstated"
    assert told["violations"][0]["field"] == "rows[0].cost"
    assert {"check": "budgets", "looked_at": 0} in told["checks"]
    assert "found: 90" in str(report)
