"""Who may change pool or nodes, at what cost, and what is told of scenarios that say it wrongly."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import pytest

import planner
from hardware.errors import Diagnostic, InputError, UnknownName
from hardware.sheet import read_text
from planner.assumption import assumptions
from planner.case import Case, build_case
from planner.flexibility import with_allocation
from planner.library import read_library
from planner.scenario import Scenario
from planner.scenario_check import check_document

TEXT = """\
name: flexible
currency: KRW
horizon: {from: 2026-01-01, to: 2026-03-31, resolution: week}
pools:
  north: {device: b200, nodes: 8, price: 0 KRW / node-day}
consortiums:
  alpha: {}
jobs:
  silent: {consortium: alpha, model: Llama-3.1-8B, tokens: 1 B, rates: {b200: 1000 tokens/s}}
  pauses: {consortium: alpha, model: Llama-3.1-8B, tokens: 1 B, data: b, preemptible: true,
    rates: {b200: 1000 tokens/s}}
  moves: {consortium: alpha, model: Llama-3.1-8B, tokens: 1 B, data: c, allocation: flexible,
    rates: {b200: 1000 tokens/s}}
  stays: {consortium: alpha, model: Llama-3.1-8B, tokens: 1 B, data: d, allocation: fixed,
    rates: {b200: 1000 tokens/s}}
"""
FLEXIBLE = "policy: {allocation: flexible}\n"


def told(text: str, allocation: str | None = None) -> list[Diagnostic]:
    """Errors and warnings of a scenario."""
    try:
        _, found = check_document(read_text(text), allocation=allocation)
    except InputError as error:
        return list(error.diagnostics)
    return list(found)


def case_of(text: str, allocation: str | None = None) -> Case:
    scenario, _ = check_document(read_text(text), allocation=allocation)
    return build_case(scenario)


def with_job(name: str, more: str) -> str:
    """The text with more said of a job."""
    assert TEXT.count(f"  {name}: {{") == 1
    return TEXT.replace(f"  {name}: {{", f"  {name}: {{{more}, ")


@pytest.mark.parametrize(
    ("text", "allocation", "expected"),
    [
        (TEXT, None, [False, False, True, False]),
        (TEXT + FLEXIBLE, None, [True, False, True, False]),
        (TEXT, "flexible", [True, False, True, False]),
        (TEXT, "fixed", [False, False, True, False]),
        (TEXT + FLEXIBLE, "fixed", [False, False, True, False]),
    ],
)
def test_the_word_of_a_job_goes_before_that_of_the_policy(
    text: str, allocation: str | None, expected: list[bool]
) -> None:
    assert case_of(text, allocation).job_flexible.tolist() == expected


@pytest.mark.parametrize(
    ("policy", "job", "expected"),
    [
        ("", "", 1),
        ("36 h", "", 2),
        ("2 days", "0 s", 0),
        ("2 days", "1 week", 7),
        ("0", "", 0),
        ("", "1 min", 1),
    ],
)
def test_a_migration_is_in_whole_days_and_a_job_may_have_its_own(
    policy: str, job: str, expected: int
) -> None:
    text = with_job("moves", f"migration: {job}") if job else TEXT
    text += f"policy: {{migration: {policy}}}\n" if policy else ""
    assert case_of(text).job_move_days[2] == expected


@pytest.mark.parametrize(
    ("text", "code", "field", "word"),
    [
        (with_job("pauses", "allocation: flexible"), "flexible-and-preemptible",
         "jobs.pauses.allocation", "one of the two"),
        (TEXT + "policy: {allocation: elastic}\n", "unknown-choice", "policy.allocation",
         "flexible"),
        (with_job("silent", "allocation: elastic"), "unknown-choice", "jobs.silent.allocation",
         "flexible"),
        (TEXT + "policy: {migration: 2}\n", "bad-value", "policy.migration", "14 days"),
        (with_job("moves", "migration: 2"), "bad-value", "jobs.moves.migration", "14 days"),
        (with_job("moves", "migration: 2 GB"), "bad-value", "jobs.moves.migration", "14 days"),
        (TEXT + "policy: {migration: -1 days}\n", "out-of-range", "policy.migration",
         "at least 0"),
        (with_job("moves", "migration: -1 days"), "out-of-range", "jobs.moves.migration",
         "at least 0"),
        (with_job("moves", "migrations: 1 day"), "unknown-field", "jobs.moves.migrations",
         "migration"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(text: str, code: str, field: str, word: str) -> None:
    (fault,) = told(text)
    assert (fault.code, fault.severity, fault.where.field) == (code, "error", field)
    assert fault.where.line > 1
    assert word in f"{fault.expected} {fault.hint}"


@pytest.mark.parametrize(
    ("text", "allocation", "code", "field"),
    [
        (with_job("stays", "migration: 1 day"), None, "migration-unused", "jobs.stays.migration"),
        (with_job("pauses", "migration: 1 day") + FLEXIBLE, None, "migration-unused",
         "jobs.pauses.migration"),
        (with_job("moves", "migration: 8 days"), None, "migration-long", "jobs.moves.migration"),
        (TEXT + "policy: {migration: 3 months}\n", None, "migration-long", "policy.migration"),
        (with_job("moves", "migration: 1 day") + "policy: {migration: 1 day}\n", None,
         "migration-unused", "policy.migration"),
    ],
)  # fmt: skip
def test_what_is_probably_not_meant_is_a_warning(
    text: str, allocation: str | None, code: str, field: str
) -> None:
    (warning,) = told(text, allocation)
    assert (warning.code, warning.severity, warning.where.field) == (code, "warning", field)


def test_a_migration_for_those_who_ask_for_flexible_plans_is_no_fault() -> None:
    text = TEXT.replace(", allocation: flexible", "") + "policy: {migration: 2 days}\n"
    assert [warning.code for warning in told(text)] == ["migration-unused"]
    assert told(text, "flexible") == []
    assert told(with_job("moves", "migration: 7 days")) == []  # as long as a period


def test_a_migration_that_nobody_states_is_told_as_assumed() -> None:
    def sentences(text: str) -> list[str]:
        document = read_text(text)
        scenario, _ = check_document(document)
        library, _ = read_library(scenario, ".", document)
        told = assumptions(scenario, library, document)
        return [sentence for sentence in told if "migration" in sentence]

    assert sentences(TEXT) == ["policy.migration: 1 day, not stated"]
    assert sentences(TEXT.replace("allocation: flexible", "allocation: fixed")) == []
    assert sentences(with_job("moves", "migration: 1 day")) == []
    stated = TEXT + "policy: {migration: {value: 2 days, mark: assumed, note: a guess}}\n"
    assert sentences(stated) == ["policy: migration 2 days (a guess)"]


def test_an_allocation_of_no_name_is_refused_by_every_verb(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(TEXT, "utf-8")
    verbs: list[Any] = [
        planner.allocate,
        planner.policies,
        lambda scenario, **given: planner.verify(scenario, {}, **given),
    ]
    for verb in verbs:
        with pytest.raises(UnknownName, match="flexible") as caught:
            verb(path, allocation="flexibel")
        assert caught.value.diagnostics[0].code == "unknown-allocation"


def test_the_scenario_in_hand_stays_as_it_is() -> None:
    scenario, _ = check_document(read_text(TEXT))
    before = copy.deepcopy(scenario)
    other = with_allocation(scenario, "flexible")
    assert isinstance(other, Scenario)
    assert (scenario, other.policy.allocation) == (before, "flexible")
    assert with_allocation(other, None) is other


def test_a_plan_made_fixed_does_not_stand_as_a_flexible_one(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(TEXT + FLEXIBLE, "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", planner.PlanningWarning)
        plan = planner.allocate(path, allocation="fixed", time_limit_s=10)
    assert plan.verdict.allocation == "fixed"
    assert planner.verify(path, plan, allocation="fixed").ok
    report = planner.verify(path, plan)
    assert [violation.code for violation in report.violations] == ["allocation-mismatch"]
    assert "--fixed" in report.violations[0].hint
    data = plan.to_dict()
    del data["verdict"]["allocation"]  # what is not said is fixed
    assert not planner.verify(path, data).ok
    assert planner.Plan.from_json(plan.to_json()).verdict == plan.verdict
