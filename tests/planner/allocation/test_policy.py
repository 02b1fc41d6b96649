"""Policies besides weighted work, against trying every plan of small cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from hardware.errors import UnknownName
from planner.allocation.proof.aim_witness import aim_faults
from planner.allocation.solver.engine import ENGINES, Answer, Task
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from planner.plan import Plan
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.oracle import Way, all_fit, counts_fit, ways
from tests.planner.allocation.test_oracle import specs

EXACT = Limits(gap_frac=0.0, time_limit_s=60.0)
FEW = settings(
    deadline=None,
    max_examples=examples(30, 300),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def every_plan(case: Any) -> list[list[Way]]:
    """All plans that keep all rules."""
    choices: list[list[Way | None]] = [[*ways(case, j), None] for j in range(len(case.job_names))]
    found: list[list[Way]] = []

    def descend(job: int, chosen: list[Way]) -> None:
        if job == len(choices):
            if all_fit(case, chosen):
                found.append(chosen)
            return
        for way in choices[job]:
            if way is None:
                descend(job + 1, chosen)
            elif counts_fit(case, [*chosen, way]):
                descend(job + 1, [*chosen, way])

    descend(0, [])
    return found


def levels(case: Any, chosen: list[Way]) -> list[float]:
    """Shares of the work asked for over weight, the worst first."""
    asked: dict[int, float] = {}
    got: dict[int, float] = {}
    for job in range(len(case.job_names)):
        team = int(case.job_consortium[job])
        most = max((w.value for w in ways(case, job)), default=0.0)
        asked[team] = asked.get(team, 0.0) + most
    for way in chosen:
        team = int(case.job_consortium[way.job])
        got[team] = got.get(team, 0.0) + way.value
    weight = case.consortium_weight
    return sorted(
        got.get(t, 0.0) / asked[t] / weight[t] for t in asked if asked[t] > 0 and weight[t] > 0
    )


def small(case: Any) -> bool:
    sizes = [len(ways(case, job)) + 1 for job in range(len(case.job_names))]
    return float(np.prod(sizes)) < 3000


def chosen_values(case: Any, plan: Plan) -> list[float]:
    asked: dict[int, float] = {}
    got: dict[int, float] = {}
    for job in range(len(case.job_names)):
        team = int(case.job_consortium[job])
        most = max((w.value for w in ways(case, job)), default=0.0)
        asked[team] = asked.get(team, 0.0) + most
        got[team] = got.get(team, 0.0) + float(plan.jobs.value[job])
    weight = case.consortium_weight
    return sorted(got[t] / asked[t] / weight[t] for t in asked if asked[t] > 0 and weight[t] > 0)


@FEW
@given(specs())
def test_max_min_raises_the_worst_off_then_the_next(spec: Spec) -> None:
    case = build(spec)
    assume(small(case))
    plans = every_plan(case)
    plan = plan_case(case, limits=EXACT, policy="max-min")
    if not plans:
        assert plan.verdict.status == "infeasible"
        return
    best = max([round(x, 9) for x in levels(case, chosen)] for chosen in plans)
    assert chosen_values(case, plan) == pytest.approx(best, abs=2e-6)


@FEW
@given(specs())
def test_min_cost_is_the_cheapest_for_the_work(spec: Spec) -> None:
    case = build(spec)
    assume(small(case))
    plans = every_plan(case)
    plan = plan_case(case, limits=EXACT, policy="min-cost", work_frac=0.6)
    if not plans:
        assert plan.verdict.status == "infeasible"
        return
    weight = case.consortium_weight[case.job_consortium]
    work = [sum(w.value * weight[w.job] for w in chosen) for chosen in plans]
    cost = [sum(w.cost for w in chosen) for chosen in plans]
    least = min(
        (c for c, v in zip(cost, work, strict=True) if v >= 0.6 * max(work) - 1e-9), default=0.0
    )
    assert plan.verdict.cost == pytest.approx(least, rel=1e-5, abs=1e-5)
    assert plan.verdict.objective >= 0.6 * max(work) * (1 - 1e-5)


def test_the_price_of_fairness_is_told() -> None:
    # The large team could take all; the small one is served first by max-min.
    jobs = [J(team=0, tokens=20, value=10, nodes=(1,)), J(team=1, tokens=20, value=1, nodes=(1,))]
    case = build(Spec([P([(0, 28, 1)])], jobs, [T(), T()], days=28))
    most = plan_case(case)
    assert most.jobs.placed.tolist() == [True, False]
    fair = plan_case(case, policy="max-min")
    assert fair.verdict.policy == "max-min"
    # One run fits: the worst-off gets nothing either way, and total work decides.
    assert fair.jobs.placed.tolist() == [True, False]
    part = [J(team=t, tokens=28, value=v, nodes=(1,), partial=True) for t, v in ((0, 10), (1, 1))]
    case = build(Spec([P([(0, 28, 1)])], part, [T(), T()], days=28))
    fair = plan_case(case, policy="max-min")
    assert fair.jobs.done_frac.tolist() == [0.5, 0.5]
    said = "the worst-off, `team-0`, gets 50 % of the work that can be done for it"
    assert said in fair.verdict.sentence
    assert fair.verdict.bound >= 10 - 1e-6
    assert fair.verdict.gap_frac == pytest.approx(1 - 5.5 / fair.verdict.bound)


def test_weights_ask_for_a_larger_share() -> None:
    part = [J(team=t, tokens=28, value=1, nodes=(1,), partial=True) for t in (0, 1)]
    case = build(Spec([P([(0, 28, 1)])], part, [T(weight=3.0), T()], days=28))
    fair = plan_case(case, policy="max-min")
    assert fair.jobs.done_frac.tolist() == [0.75, 0.25]


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(UnknownName, match="max-min"):
        plan_case(build(Spec([P([(0, 28, 1)])], [J()])), policy="maxmin")


def test_infeasible_under_every_policy() -> None:
    case = build(Spec([P([(0, 28, 1)])], [J()], [T(floor=50.0)]))
    for policy in ("max-min", "min-cost"):
        plan = plan_case(case, policy=policy)
        assert plan.verdict.status == "infeasible"
        assert plan.verdict.policy == policy
        assert "the floor of `team-0`" in plan.verdict.sentence


def test_who_gets_nothing_is_not_said_to_wait() -> None:
    # Both want the one node on all days, and an equal part of one node is none.
    jobs = [J(team=team, tokens=28, nodes=(1,), value=value) for team, value in ((0, 2), (1, 1))]
    case = build(Spec([P([(0, 28, 1)])], jobs, [T(), T()], days=28))
    said = plan_case(case, policy="finish-time").verdict.sentence
    assert "`team-1`, gets nothing, which counts as 1 times as long" in said
    assert "days in place of" not in said


@pytest.mark.parametrize("policy", ["max-min", "finish-time"])
def test_a_solver_that_finds_nothing_in_time_leaves_the_plan_of_most_work(policy: str) -> None:
    def slow(task: Task) -> Answer:
        if any(name.startswith("level") for name in task.program.columns.names):
            return Answer(None, None)
        return ENGINES["highs"](task)

    jobs = [J(team=team, tokens=8, nodes=(1, 2)) for team in (0, 0, 1)]
    case = build(Spec([P([(0, 28, 2)])], jobs, [T(), T()]))
    plan = plan_case(case, solver=slow, policy=policy)
    assert plan.jobs.placed.all()
    assert "not proved the" in plan.verdict.sentence
    assert plan.aim is not None
    assert plan.aim.goals[0].said is None
    assert aim_faults(case, plan.to_dict())[1] == ()
