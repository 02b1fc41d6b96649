"""Borrowing of own pools: the owner's jobs first, against trying every plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, build
from tests.planner.allocation.oracle import best, ways

EXACT = Limits(gap_frac=0.0, time_limit_s=30.0)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    days = draw(st.sampled_from([14, 19]))
    jobs = [
        J(
            tokens=draw(st.sampled_from([3.0, 8.0, 11.0, 17.0, 60.0])),
            value=draw(st.sampled_from([0.0, 1.0, 2.0, 3.7])),
            nodes=draw(st.sampled_from([(1,), (2,), (1, 2)])),
            partial=draw(st.sampled_from([False, False, True])),
            preemptible=draw(st.sampled_from([False, False, True])),
            identity=draw(st.sampled_from([None, None, None, 7])),
            **draw(st.sampled_from([{"borrows": (0,)}, {"goes_first": (0,)}, {"pools": (1,)}])),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    return Spec([P([(0, days, 2)], shared=False), P([(0, days, 1)], price=2.0)], jobs, days=days)


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
    value, cost = best(case)
    plan = plan_case(case, limits=EXACT)
    assert plan.verdict.status == "optimal"
    assert plan.verdict.objective == pytest.approx(value, rel=1e-6, abs=1e-9)
    assert plan.verdict.cost == pytest.approx(cost, rel=1e-6, abs=1e-6)


def test_the_owner_goes_first_however_little_its_job_is_worth() -> None:
    jobs = [J(tokens=28, nodes=(1,), value=9, borrows=(0,)), J(tokens=28, nodes=(1,), value=1,
                                                              goes_first=(0,))]  # fmt: skip
    plan = plan_case(build(Spec([P([(0, 28, 1)])], jobs)), limits=EXACT)
    assert plan.jobs.placed.tolist() == [False, True]
    plan = plan_case(build(Spec([P([(0, 28, 2)])], jobs)), limits=EXACT)
    assert plan.jobs.placed.tolist() == [True, True]


def test_an_owner_that_cannot_be_served_is_named() -> None:
    jobs = [J(tokens=5, nodes=(1,), borrows=(0,)), J(tokens=99, nodes=(1,), goes_first=(0,))]
    plan = plan_case(build(Spec([P([(0, 28, 1)])], jobs)), limits=EXACT)
    assert plan.jobs.reason[0] == "owner-first"
    assert "only when `job-1` is placed" in plan.jobs.sentence[0]


def test_an_owner_that_holds_nothing_is_not_placed() -> None:
    owner = J(tokens=3, value=0.0, nodes=(1,), partial=True, preemptible=True, goes_first=(0,))
    pools = [P([(0, 14, 1)], shared=False), P([(0, 14, 1)], price=2.0)]
    case = build(Spec(pools, [J(tokens=3, nodes=(1,), borrows=(0,)), owner], days=14))
    plan = plan_case(case, limits=EXACT)
    assert (plan.verdict.objective, plan.verdict.cost) == pytest.approx(best(case))
    assert plan.jobs.placed[1] or "pool-0" not in plan.rows.pool
