"""Witnesses of a policy's aim: right as written, and each change of them is found."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.allocation.policy.goal import POLICIES
from planner.allocation.proof.aim_witness import aim_faults
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from tests.planner.allocation.conftest import J, P, Spec, T, build

EXACT = Limits(gap_frac=0.0, time_limit_s=60.0)
FIRST = Path(planner.__file__).parent / "examples" / "first-minute.yaml"
Change = Callable[[dict[str, Any]], object]


def case() -> Any:
    jobs = [
        J(team=0, tokens=8, nodes=(1, 2)),
        J(team=0, tokens=16, nodes=(1, 2), value=2.0),
        J(team=1, tokens=8, nodes=(1, 2), value=1.5),
        J(team=1, tokens=28, nodes=(1,), value=1.0, partial=True),
    ]
    return build(Spec([P([(0, 28, 2)])], jobs, [T(weight=2.0), T(budget=40.0)], days=28))


@pytest.fixture(scope="module")
def plans() -> dict[str, dict[str, Any]]:
    found = {}
    for policy in POLICIES:
        plan = plan_case(case(), policy=policy, limits=EXACT, work_frac=0.8)
        found[policy] = plan.to_dict()
    return found


def goal(at: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda plan: plan["aim"]["goals"][at]


def changes(plan: dict[str, Any]) -> dict[str, tuple[Change, str]]:
    """Changes of a plan file by name, with the code of the fault that each is."""
    aim, policy, found = plan["aim"], plan["verdict"]["policy"], dict[str, tuple[Change, str]]()
    for at, one in enumerate(aim["goals"]):
        here, name = goal(at), one["goal"]
        found[f"{name} reached"] = (
            lambda p, g=here: g(p).update(reached=g(p)["reached"] * 1.01 + 0.01), "aim-misstated"
        )  # fmt: skip
        if one["bound"] is not None and one["prices"]:
            found[f"{name} bound"] = (
                lambda p, g=here: g(p).update(bound=g(p)["bound"] * 1.001), "certificate-mismatch"
            )  # fmt: skip
            found[f"{name} prices"] = (
                lambda p, g=here: g(p)["prices"].update(
                    {row: 2.5 * price for row, price in g(p)["prices"].items()}
                ),
                "certificate-mismatch",
            )
            found[f"{name} no bound"] = (lambda p, g=here: g(p).update(bound=None), "aim-misstated")
        if one["said"] is not None:
            wrong = beyond(policy, one)
            is_bound_of_work = policy == "weighted-work" and name == "work"
            code = "aim-misstated" if is_bound_of_work else "bound-contradicted"
            found[f"{name} said"] = (lambda p, g=here, w=wrong: g(p).update(said=w), code)
        found[f"{name} text"] = (lambda p, g=here: g(p).update(reached="much"), "bad-value")
        found[f"{name} NaN"] = (lambda p, g=here: g(p).update(said=float("nan")), "bad-value")
    found["no goals"] = (lambda p: p["aim"].update(goals=[]), "aim-misstated")
    found["other order"] = (lambda p: p["aim"]["goals"].reverse(), "aim-misstated")
    found["sentence"] = (
        lambda p: p["verdict"].update(sentence=p["verdict"]["sentence"].replace(" of ", " in ")),
        "sentence-misstated",
    )
    found["jobs of the sentence"] = (
        lambda p: p["verdict"].update(sentence="9" + p["verdict"]["sentence"]),
        "sentence-misstated",
    )
    found["seconds of the sentence"] = (
        lambda p: p["verdict"].update(seconds=p["verdict"]["seconds"] + 11.0), "sentence-misstated"
    )  # fmt: skip
    return found


def beyond(policy: str, one: dict[str, Any]) -> float:
    """A bound that the plan itself is beyond."""
    is_most = policy == "max-min" and one["goal"] != "cost"
    if is_most or one["goal"] in ("work", "proportional"):
        return float(one["reached"]) / 2
    return float(one["reached"]) * 2


@pytest.mark.parametrize("policy", POLICIES)
def test_every_change_of_an_aim_is_found(plans: dict[str, Any], policy: str) -> None:
    assert aim_faults(case(), plans[policy])[1] == ()
    tried = changes(plans[policy])
    assert len(tried) > 8
    for name, (change, code) in tried.items():
        changed = copy.deepcopy(plans[policy])
        change(changed)
        codes = {fault.code for fault in aim_faults(case(), changed)[1]}
        if name == "work reached" and policy.startswith("min-"):
            code = "certificate-mismatch"  # the most found, of which the plan does a part
        assert code in codes, (name, codes)


@pytest.mark.parametrize("policy", POLICIES)
def test_another_policy_is_found(plans: dict[str, Any], policy: str) -> None:
    changed = copy.deepcopy(plans[policy])
    others = [other for other in POLICIES if other != policy]
    for other in [*others, "fairest", ""]:
        changed["verdict"]["policy"] = other
        assert aim_faults(case(), changed)[1], other


def test_part_of_the_work_is_held_against_the_plan(plans: dict[str, Any]) -> None:
    for policy in ("min-cost", "min-energy", "min-makespan"):
        changed = copy.deepcopy(plans[policy])
        changed["aim"]["work_frac"] = 1.0
        assert aim_faults(case(), changed)[1], policy
        changed["aim"]["work_frac"] = 0.8
        changed["aim"]["goals"][0]["reached"] *= 2
        assert aim_faults(case(), changed)[1], policy


def test_changes_of_stand_alone_plans_are_found(plans: dict[str, Any]) -> None:
    plan = plans["finish-time"]
    alone = plan["aim"]["alone"]
    assert [one["consortium"] for one in alone] == ["team-0", "team-1"]
    run = alone[0]["runs"][0]
    for where, change in (
        (alone[0], {"days": alone[0]["days"] * 2}),
        (alone[0], {"days": alone[0]["days"] / 2}),
        (alone[0], {"runs": []}),
        (alone[0], {"said": alone[0]["days"] * 2}),
        (alone[0], {"consortium": "team-9"}),
        (run, {"nodes": 2}),  # its part is one node
        (run, {"nodes": 7}),
        (run, {"job": "job-2"}),  # of the other
        (run, {"pool": "elsewhere"}),
        (run, {"from": "2025-12-31"}),
        (run, {"to": "2026-12-31"}),
        (run, {"to": run["from"]}),
        (run, {"to": "soon"}),
    ):
        before = dict(where)
        where.update(change)
        codes = {fault.code for fault in aim_faults(case(), plan)[1]}
        where.clear()
        where.update(before)
        assert codes & {"alone-misstated", "bad-value"}, change
    assert aim_faults(case(), plan)[1] == ()


def test_touching_elsewhere_proves_less(plans: dict[str, Any]) -> None:
    changed = copy.deepcopy(plans["proportional"])
    changed["aim"]["goals"][0]["touch"] = {"team-0": 0.1, "team-1": 0.9}
    assert [fault.code for fault in aim_faults(case(), changed)[1]] == ["certificate-mismatch"]


def test_a_plan_without_an_aim_is_not_looked_at(plans: dict[str, Any]) -> None:
    assert aim_faults(case(), {**plans["max-min"], "aim": None}) == (0, ())


def test_checking_it_needs_no_solver() -> None:
    code = (
        "import sys, planner.allocation.proof.aim_witness; "
        "print({'pulp', 'highspy'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_verify_recomputes_the_aim_of_a_real_plan() -> None:
    plan = planner.allocate(FIRST, policy="max-min", time_limit_s=30.0).to_dict()
    report = planner.verify(FIRST, plan)
    assert report.ok, str(report)
    assert ("aim of the policy", len(plan["aim"]["goals"])) in report.checks
    plan["aim"]["goals"][0]["reached"] += 0.1
    report = planner.verify(FIRST, plan)
    assert [fault.code for fault in report.violations][:1] == ["aim-misstated"]
