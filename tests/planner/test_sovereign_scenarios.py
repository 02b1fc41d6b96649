"""The shipped scenarios load without a warning, and state where each of their numbers is from."""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner
from hardware.sheet import Document, read_document, read_text
from planner.case import Case, build_case
from planner.eligibility import ELIGIBLE, OTHER_PROGRAMME, POOL_OF_LESSOR
from planner.scenario import Scenario
from planner.scenario_check import load_scenario
from planner.workload import figures_of, load_sheets

EXAMPLES = Path(planner.__file__).with_name("examples")
SOVEREIGN = ("kai-replay", "kai-plan")
TEXT_FIELDS = {"note", "about", "name", "source", "schema", "as_of"}
MARKS = {"published", "derived", "assumed", "measured"}


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every number, and every text that begins with one, outside of prose."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if key not in TEXT_FIELDS:
                yield from numbers(entry, (*path, key))
    elif isinstance(value, list):
        for at, entry in enumerate(value):
            yield from numbers(entry, (*path, at))
    elif isinstance(value, bool | datetime.date | None):
        return
    elif isinstance(value, int | float) or re.match(r"[-+.]?\d", str(value)):
        yield path, value


def at_path(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def unmarked(document: Document) -> list[str]:
    """Numbers that are no `value` of a record with a mark and, where published, a listed source."""
    listed = {line.split()[1] for line in document.lines if re.match(r"# S\d+ ", line)}
    faults = []
    for path, value in numbers(document.data):
        record = at_path(document.data, path[:-1])
        if path[-1] != "value" or record.get("mark") not in MARKS:
            faults.append(f"{path}: {value}")
            continue
        sources = set(re.findall(r"S\d+", record.get("source", "")))
        if record["mark"] != "assumed" and not sources:
            faults.append(f"{path}: {record['mark']} without a source")
        if not sources <= listed:
            faults.append(f"{path}: {sorted(sources - listed)} are not listed")
    return faults


@pytest.fixture(scope="module", params=["first-minute", *SOVEREIGN])
def shipped(request: pytest.FixtureRequest) -> tuple[str, Scenario, Document, Case]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scenario, document = load_scenario(EXAMPLES / f"{request.param}.yaml")
    return request.param, scenario, document, build_case(scenario, EXAMPLES, document=document)


def test_every_shipped_scenario_can_be_planned(
    shipped: tuple[str, Scenario, Document, Case],
) -> None:
    _, scenario, _, case = shipped
    assert case.job_names == tuple(scenario.jobs)
    for job, name in enumerate(case.job_names):
        assert (case.point_tokens_per_s[case.point_job == job] > 0).any(), name
    usable = case.pair_reason == ELIGIBLE
    assert (case.pair_due_day[usable] > case.pair_release_day[usable]).all()


def test_modeline_and_warning_stand_on_top(shipped: tuple[str, Scenario, Document, Case]) -> None:
    name, scenario, document, _ = shipped
    assert document.lines[0] == "# yaml-language-server: $schema=scenario.schema.json"
    if name in SOVEREIGN:
        words = "example inputs about named organisations, not forecasts"
        assert words in document.lines[1]
        assert words in scenario.about


@pytest.mark.parametrize("name", SOVEREIGN)
def test_every_number_states_its_origin(name: str) -> None:
    document = read_document(EXAMPLES / f"{name}.yaml")
    assert len(list(numbers(document.data))) > 100
    assert unmarked(document) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nodes: {value: 96, mark: published, source: S12, note: 768 GPUs}", "nodes: 96"),
        ("tokens: {value: 12.5 T, mark: published, source: S34}", "tokens: 12.5 T"),
        ("mark: published, source: S34", "source: S34"),
        ("mark: published, source: S34", "mark: published"),
        ("mark: published, source: S34", "mark: published, source: S99"),
        ("pue: {value: 1.3, mark: assumed}", "pue: 1.3"),
    ],
)
def test_a_number_without_its_origin_is_noticed(old: str, new: str) -> None:
    text = (EXAMPLES / "kai-replay.yaml").read_text("utf-8")
    assert old in text
    assert len(unmarked(read_text(text.replace(old, new, 1)))) == 1


def test_listed_sources_are_used() -> None:
    for name in SOVEREIGN:
        text = (EXAMPLES / f"{name}.yaml").read_text("utf-8")
        head, _, listing = text.partition("# Sources, as published")
        for source in re.findall(r"^# (S\d+) ", listing, re.MULTILINE):
            assert re.search(rf"\b{source}\b", head), (name, source)
        for source in set(re.findall(r"\bS\d+\b", head)):
            assert f"# {source} " in listing, (name, source)


def test_placeholder_models_are_assumed_in_every_figure() -> None:
    paths = sorted((EXAMPLES / "models").glob("*.yaml"))
    assert len(paths) == 5
    for sheet in load_sheets(*paths):
        assert all(figure.is_assumed for _, figure in figures_of(sheet)), sheet.name


def reason(case: Case, job: str, pool: str) -> int:
    row = case.job_names.index(job) * len(case.pool_names) + case.pool_names.index(pool)
    return int(case.pair_reason[row])


def test_the_replay_follows_the_rules_of_the_programme() -> None:
    scenario, document = load_scenario(EXAMPLES / "kai-replay.yaml")
    case = build_case(scenario, EXAMPLES, document=document)
    for job in ("ax-k1", "hyperclova-x"):
        for pool in ("haein-b200", "naver-h100"):
            assert reason(case, job, pool) == POOL_OF_LESSOR
    assert reason(case, "ax-k1", "skt-h200") == ELIGIBLE
    assert reason(case, "k-exaone", "elice-b200") == OTHER_PROGRAMME
    assert reason(case, "lunit-model", "haein-b200") == OTHER_PROGRAMME
    days = {name: (int(a), int(b)) for name, a, b in zip(
        case.consortium_names, case.consortium_first_day, case.consortium_end_day, strict=True
    )}  # fmt: skip
    assert days["ncai"] == days["naver"] == (0, (datetime.date(2026, 1, 16) - case.first_day).days)
    assert days["motif"] == ((datetime.date(2026, 2, 20) - case.first_day).days, case.days)
    assert days["skt"] == (0, case.days)


def test_nobody_holds_nodes_past_the_open_evaluation() -> None:
    scenario, document = load_scenario(EXAMPLES / "kai-plan.yaml")
    case = build_case(scenario, EXAMPLES, document=document)
    last = (datetime.date(2027, 2, 15) - case.first_day).days + 1 + 14
    team = np.isin(
        case.job_consortium, [case.consortium_names.index(n) for n in ("skt", "lg", "upstage")]
    )
    assert (case.pair_due_day[team[case.pair_job]] <= last).all()
    assert case.pair_due_day[~team[case.pair_job]].max() == case.days
