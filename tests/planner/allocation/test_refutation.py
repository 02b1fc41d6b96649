"""Proofs that nobody can be better off, where lumps leave much between plans and prices."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from planner.allocation.proof.aim_witness import aim_faults
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from tests.planner.allocation.conftest import J, P, Spec, T, build

EXACT = Limits(gap_frac=0.0, time_limit_s=60.0)


def one_run_fits() -> Any:
    jobs = [J(team=team, tokens=20, nodes=(1,), value=1.0 + team) for team in (0, 1)]
    return build(Spec([P([(0, 28, 1)])], jobs, [T(), T()], days=28))


def first_goal(case: Any, policy: str, at: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    plan = plan_case(case, policy=policy, limits=EXACT).to_dict()
    return plan, plan["aim"]["goals"][at]


def test_half_a_run_is_none_and_the_file_proves_it() -> None:
    # Prices of rows alone leave half of its work to each; only one of two whole runs fits.
    plan, goal = first_goal(one_run_fits(), "max-min")
    assert goal["reached"] == 0.0
    assert goal["touch"] == {"better plans": 1.0}
    assert goal["bound"] == pytest.approx(0.0, abs=1e-9)
    assert aim_faults(one_run_fits(), plan)[1] == ()


def test_the_same_prices_prove_less_without_the_lumps() -> None:
    plan, goal = first_goal(one_run_fits(), "max-min")
    goal["touch"] = {}
    assert "certificate-mismatch" in {fault.code for fault in aim_faults(one_run_fits(), plan)[1]}


def test_the_last_day_is_proved_by_the_work_that_earlier_runs_can_do() -> None:
    jobs = [J(tokens=10, nodes=(1,)) for _ in range(3)]
    case = build(Spec([P([(0, 28, 2)])], jobs, days=28))
    plan, goal = first_goal(case, "min-makespan", 1)
    # Two runs of ten days side by side, the third from the next border, day 14.
    assert (goal["goal"], goal["reached"], goal["bound"]) == ("last day", 24.0, 24.0)
    assert aim_faults(case, plan)[1] == ()


@pytest.mark.parametrize(
    ("policy", "at"), [("max-min", 0), ("finish-time", 0), ("min-makespan", 1)]
)
def test_a_plan_that_is_not_the_best_cannot_be_proved_so(policy: str, at: int) -> None:
    jobs = [J(team=team, tokens=10, nodes=(1, 2)) for team in (0, 1, 1)]
    case = build(Spec([P([(0, 28, 3)])], jobs, [T(), T()], days=28))
    best = plan_case(case, policy=policy, limits=EXACT).to_dict()
    worse = plan_case(case, policy="min-cost", limits=EXACT, work_frac=0.3).to_dict()
    changed = copy.deepcopy(worse)
    changed["verdict"]["policy"] = policy
    changed["aim"] = copy.deepcopy(best["aim"])
    for goal in changed["aim"]["goals"]:
        goal.update(said=None)
    codes = {fault.code for fault in aim_faults(case, changed)[1]}
    assert codes & {"aim-misstated", "sentence-misstated"}
    changed["aim"]["goals"][at]["touch"] = {"better plans": 1.0}
    changed["aim"]["goals"][at]["bound"] = changed["aim"]["goals"][at]["reached"]
    faults = aim_faults(case, changed)[1]
    assert "certificate-mismatch" in {fault.code for fault in faults}
