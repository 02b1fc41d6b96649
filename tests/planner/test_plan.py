"""The plan as text, JSON and columns: nothing is lost, nothing unknown becomes a number."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from hardware.errors import InputError, UnknownName
from planner.division import plan_case
from planner.plan import Plan
from planner.plan_text import money_text
from tests.planner.allocation.conftest import J, P, Spec, T, build

SPEC = Spec(
    [P([(0, 28, 4)], price=2.5e6)],
    [J(tokens=20), J(tokens=17, preemptible=True), J(tokens=300), J(tokens=90, partial=True)],
    [T(budget=3e8)],
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_case(build(SPEC), inputs=(("scenario.yaml", "ab" * 32),))


def test_json_and_back(plan: Plan) -> None:
    again = Plan.from_json(plan.to_json())
    assert again.to_json() == plan.to_json()
    assert again.verdict == plan.verdict
    for one, two in ((plan.rows, again.rows), (plan.jobs, again.jobs)):
        for field in dataclasses.fields(one):
            left, right = getattr(one, field.name), getattr(two, field.name)
            if isinstance(left, np.ndarray):
                assert left.dtype == right.dtype
                assert (left == right).all()
            else:
                assert left == right


def test_json_is_plain(plan: Plan) -> None:
    data = json.loads(plan.to_json(), parse_constant=pytest.fail)
    assert data["schema"] == "planner/plan/1"
    assert data["inputs"] == [{"path": "scenario.yaml", "sha256": "ab" * 32}]
    assert data["consortiums"][0]["budget"] == 3e8
    unlimited = plan_case(build(Spec(SPEC.pools, SPEC.jobs)))
    assert unlimited.to_dict()["consortiums"][0]["budget"] is None
    row = data["rows"][0]
    assert row["from"] <= row["to"]
    assert isinstance(row["marks"], list)


def test_the_form_of_the_command_line_reads_it(plan: Plan) -> None:
    from planner.cli.plan_form import PlanForm

    PlanForm.model_validate(plan.to_dict())


def test_text_counts_as_the_command_line_does(plan: Plan) -> None:
    head, first = repr(plan).splitlines()[2:4]
    assert "MFU %" in head
    assert f"{100 * plan.rows.mfu_frac[0]:.1f}" in first
    assert " G " not in repr(plan)  # tokens are told in B, as a sheet writes them


def test_text_fits_a_screen(plan: Plan) -> None:
    lines = repr(plan).splitlines()
    assert lines[0] == plan.verdict.sentence
    assert len(lines) < 60
    many = Spec([P([(0, 28, 400)])], [J(tokens=2 + at) for at in range(120)])
    assert len(repr(plan_case(build(many))).splitlines()) < 100


def test_the_card_is_html_without_script(plan: Plan) -> None:
    card = plan._repr_html_()
    assert card.startswith("<div>")
    assert "<script" not in card
    assert "style" not in card


def test_columns_and_frame(plan: Plan) -> None:
    columns = plan.to_columns()
    assert len({len(column) for column in columns.values()}) == 1
    pytest.importorskip("pandas")
    frame = plan.to_frame()
    assert frame["cost"].sum() == pytest.approx(plan.verdict.cost)
    assert str(frame["pool"].dtype) == "category"


def test_why_of_an_unknown_job_names_near_ones(plan: Plan) -> None:
    with pytest.raises(UnknownName, match="job-1"):
        plan.why("jbo-1")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "planner/plan/2"}', '{"schema": "planner/plan/1"}', "nul"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        Plan.from_json(text)


def test_require_hands_the_plan_on(plan: Plan) -> None:
    assert plan.require() is plan


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 USD"), (999.6, "1 k USD"), (12.4e6, "12.4 M USD"), (1.2345e12, "1.23 tn USD")],
)
def test_money_to_three_digits(amount: float, text: str) -> None:
    assert money_text(amount, "USD") == text


def test_sums_are_those_of_the_rows(plan: Plan) -> None:
    rows = plan.rows
    assert plan.verdict.cost == pytest.approx(rows.cost.sum())
    assert plan.consortiums.cost.sum() == pytest.approx(rows.cost.sum())
    assert plan.jobs.value.sum() == pytest.approx(rows.value.sum())
    assert plan.verdict.objective == pytest.approx(plan.jobs.value.sum())
    days = (rows.nodes * rows.days).sum() / (365.25 / 12)
    assert plan.consortiums.node_months.sum() == pytest.approx(days)
