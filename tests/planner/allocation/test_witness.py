"""The certificate of a plan: recomputed without a solver, and not to be tampered with."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import planner
from planner.allocation.proof.witness import proved_bound, witness_faults
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from planner.plan import Plan
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, build
from tests.planner.allocation.test_oracle import specs

FIRST = str(resources.files("planner") / "examples" / "kai-plan.yaml")


@settings(
    deadline=None, max_examples=examples(30, 300), suppress_health_check=[HealthCheck.too_slow]
)
@given(specs())
def test_every_plan_carries_a_bound_that_holds(spec: Spec) -> None:
    case = build(spec)
    plan = plan_case(case, limits=Limits(gap_frac=0.0))
    if plan.certified_bound is None:
        return
    assert plan.certified_bound >= plan.verdict.objective - 1e-6 * max(plan.verdict.objective, 1)
    assert witness_faults(case, plan.to_dict())[1] == ()
    again = Plan.from_json(plan.to_json())
    assert again.certified_bound == plan.certified_bound
    assert again.certificate == plan.certificate
    assert proved_bound(case, dict(again.certificate)) == pytest.approx(plan.certified_bound)


@pytest.fixture(scope="module")
def plan() -> dict[str, Any]:
    return planner.allocate(FIRST).to_dict()


def test_the_certificate_of_the_example_is_near_the_plan(plan: dict[str, Any]) -> None:
    report = planner.verify(FIRST, plan)
    assert report.ok, str(report)
    assert ("certificate", len(plan["certificate"]["prices"])) in report.checks
    assert plan["certificate"]["bound"] < 1.02 * plan["verdict"]["objective"]


def test_tampering_is_found(plan: dict[str, Any]) -> None:
    certificate = plan["certificate"]
    halves = {name: price / 2 for name, price in certificate["prices"].items()}
    for changed in (
        {**certificate, "bound": certificate["bound"] * 0.999},
        {**certificate, "prices": halves},
        {**certificate, "prices": {}},
        {"bound": certificate["bound"]},
        {**certificate, "prices": {**halves, "pool_0_0": "much"}},
        {**certificate, "bound": float("nan")},
    ):
        report = planner.verify(FIRST, {**plan, "certificate": changed})
        assert not report.ok
        assert report.violations[-1].code in ("certificate-mismatch", "bad-value")


def test_a_plan_without_one_is_checked_all_the_same(plan: dict[str, Any]) -> None:
    report = planner.verify(FIRST, {**plan, "certificate": None})
    assert report.ok
    assert "certificate" not in dict(report.checks)


def test_checking_it_needs_no_solver() -> None:
    code = (
        "import sys, planner.allocation.proof.witness; "
        "print({'pulp', 'highspy'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_prices_of_rows_that_are_none_count_for_nothing() -> None:
    case = build(Spec([P([(0, 28, 4)])], [J(), J(value=3)]))
    assert proved_bound(case, {"no_such_row": 9.0}) == pytest.approx(4.0)
    assert proved_bound(case, {"pool_0_0": -5.0}) == pytest.approx(4.0)
