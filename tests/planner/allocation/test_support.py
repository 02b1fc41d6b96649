"""Equal support and days of use: the program's optimum against trying every plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.oracle import best, ways

EXACT = Limits(gap_frac=0.0, time_limit_s=30.0)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    days = draw(st.sampled_from([14, 19]))
    spans = draw(st.sampled_from([[(0, days, 3)], [(0, days, 4)], [(0, days, 2), (7, days, 2)]]))
    pools = [P(spans, equivalent=draw(st.sampled_from([1.0, 2.0])))]
    if draw(st.booleans()):
        pools.append(P([(0, days, 2)], equivalent=0.5, rate=0.7, price=3.0))
    teams = [
        T(
            days=draw(st.sampled_from([None, None, (0, 13), (7, days)])),
            group=draw(st.sampled_from([0, 0, 0, 1, -1])),
            uses=draw(st.sampled_from([(), (), ((10, 6.0),), ((7, 3.0), (11, 9.0)), ((9, 30.0),)])),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    jobs = [
        J(
            team=draw(st.integers(0, len(teams) - 1)),
            tokens=draw(st.sampled_from([3.0, 8.0, 11.0, 17.0, 26.0])),
            value=draw(st.sampled_from([0.0, 1.0, 2.0, 3.7])),
            nodes=draw(st.sampled_from([(1,), (2,), (1, 2), (2, 3)])),
            partial=draw(st.sampled_from([False, False, True])),
            preemptible=draw(st.sampled_from([False, False, True])),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    equal = draw(st.sampled_from([-1.0, 0.0, 0.1, 0.3, 0.6]))
    return Spec(pools, jobs, teams, days, 7, equal=equal)


@settings(
    deadline=None,
    max_examples=examples(50, 600),
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(specs())
def test_the_best_plan_of_all_is_found(spec: Spec) -> None:
    case = build(spec)
    sizes = [len(ways(case, job)) + 1 for job in range(len(case.job_names))]
    assume(np.prod(sizes) < 30_000)
    expected = best(case)
    plan = plan_case(case, limits=EXACT)
    if expected is None:
        assert plan.verdict.status == "infeasible"
        return
    assert plan.verdict.status == "optimal"
    assert plan.verdict.objective == pytest.approx(expected[0], rel=1e-6, abs=1e-9)
    assert plan.verdict.cost == pytest.approx(expected[1], rel=1e-6, abs=1e-6)


def test_equal_support_takes_from_the_larger() -> None:
    jobs = [
        J(tokens=8, nodes=(1,), value=5, pools=(0,)),
        J(tokens=8, nodes=(2,), team=1, value=4, pools=(1,)),
    ]
    pools = [P([(0, 28, 2)]), P([(0, 28, 2)], equivalent=0.1)]
    free = plan_case(build(Spec(pools, jobs, [T(), T()])), limits=EXACT)
    assert free.verdict.objective == 9
    held = plan_case(build(Spec(pools, jobs, [T(), T()], equal=0.5)), limits=EXACT)
    # 8 against 0.1 x 2 x 5 = 1 equivalent days: only nothing for both is equal enough
    assert held.verdict.objective == 0
    assert "equal support" in " ".join(held.jobs.sentence)


def test_a_late_joiner_is_averaged_over_its_own_days() -> None:
    jobs = [J(tokens=20, nodes=(1,)), J(tokens=7, nodes=(1,), team=1)]
    teams = [T(), T(days=(18, 28))]  # 20 / 28 = 0.714 and 7 / 10 = 0.7
    plan = plan_case(build(Spec([P([(0, 28, 2)])], jobs, teams, period=1, equal=0.02)))
    assert plan.verdict.objective == 2
    plan = plan_case(build(Spec([P([(0, 28, 2)])], jobs, teams, period=1, equal=0.01)))
    assert plan.verdict.objective == 0


def test_what_cannot_be_used_in_time_is_said_with_its_repair() -> None:
    spec = Spec([P([(0, 28, 1)])], [J(tokens=9, nodes=(1,))], [T(uses=((8, 8.5),))])
    plan = plan_case(build(spec), limits=EXACT)
    assert plan.verdict.status == "infeasible"
    said = " ".join(plan.warnings)
    assert "what `team-0` uses by 2026-01-08" in said
    assert "on average until 2026-01-08" in said


def test_using_in_time_moves_a_run_forward() -> None:
    jobs = [J(tokens=14, nodes=(1,)), J(tokens=14, nodes=(1,), team=1, value=2)]
    for uses, first in (((), None), (((14, 14.0),), "job-0"), (((28, 14.0),), None)):
        spec = Spec([P([(0, 28, 1)])], jobs, [T(uses=uses), T()])
        plan = plan_case(build(spec), limits=EXACT)
        assert plan.verdict.objective == 3
        order = sorted(zip(plan.rows.first, plan.rows.job, strict=True))
        assert first is None or order[0][1] == first
