"""Runs inside one block of the fabric: the program's optimum and ids against trying all."""

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
from tests.planner.allocation.test_oracle import _check_ids

EXACT = Limits(gap_frac=0.0, time_limit_s=30.0)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    days = draw(st.sampled_from([14, 19]))
    size, spans = draw(
        st.sampled_from(
            [
                (2, [(0, days, 4)]),
                (2, [(0, days, 5)]),
                (3, [(0, days, 4)]),
                (2, [(0, days, 2), (7, days, 2)]),
                (2, [(0, 12, 2), (5, days, 2)]),
                (3, [(0, days, 3), (0, 14, 3)]),
                (1, [(0, days, 3)]),
            ]
        )
    )
    jobs = [
        J(
            tokens=draw(st.sampled_from([3.0, 8.0, 11.0, 17.0])),
            value=draw(st.sampled_from([1.0, 2.0, 3.7])),
            nodes=draw(st.sampled_from([(1,), (2,), (1, 2), (3,)])),
            one_block=draw(st.sampled_from([True, True, False])),
            partial=draw(st.sampled_from([False, False, True])),
            preemptible=draw(st.sampled_from([False, False, False, True])),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    return Spec([P(spans, block=size)], jobs, days=days)


@settings(
    deadline=None,
    max_examples=examples(50, 600),
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(specs())
def test_the_best_plan_of_all_is_found(spec: Spec) -> None:
    case = build(spec)
    sizes = [len(ways(case, job)) + 1 for job in range(len(case.job_names))]
    assume(np.prod(sizes) < 20_000)
    value, cost = best(case)
    plan = plan_case(case, limits=EXACT)
    assert plan.verdict.status == "optimal"
    assert plan.verdict.objective == pytest.approx(value, rel=1e-6)
    assert plan.verdict.cost == pytest.approx(cost, rel=1e-6)
    _check_ids(case, plan)
    _check_blocks(spec, plan)


def _check_blocks(spec: Spec, plan) -> None:
    size = spec.pools[0].block
    for at in range(len(plan.rows)):
        job = spec.jobs[int(plan.rows.job[at].removeprefix("job-"))]
        ends = [end for part in plan.rows.node_ids[at].split(",") for end in part.split("-")]
        if job.one_block:
            assert len({int(end) // size for end in ends}) == 1


def test_a_run_that_fits_the_pool_and_no_block_is_not_placed() -> None:
    jobs = [J(tokens=5, nodes=(3,), one_block=True), J(tokens=5, nodes=(3,))]
    plan = plan_case(build(Spec([P([(0, 28, 4)], block=2)], jobs)), limits=EXACT)
    assert plan.jobs.placed.tolist() == [False, True]


def test_blocks_are_packed_and_not_counted() -> None:
    # Three pairs of nodes are free on three blocks of three, but two runs of two need a block each.
    jobs = [J(tokens=50, nodes=(2,), one_block=True, value=1)] * 4
    plan = plan_case(build(Spec([P([(0, 28, 9)], block=3)], jobs)), limits=EXACT)
    assert plan.verdict.objective == 3
    jobs = [J(tokens=50, nodes=(2,), value=1)] * 4
    plan = plan_case(build(Spec([P([(0, 28, 9)], block=3)], jobs)), limits=EXACT)
    assert plan.verdict.objective == 4


def test_what_counting_chooses_is_packed_or_chosen_anew() -> None:
    # Counting lets three pairs and three single nodes share nine nodes; blocks of three do too.
    pair, single = J(tokens=50, nodes=(2,), one_block=True), J(tokens=28, nodes=(1,))
    plan = plan_case(build(Spec([P([(0, 28, 9)], block=3)], [pair] * 3 + [single] * 3)))
    assert plan.verdict.objective == 6
    assert plan.verdict.status == "optimal"
    # Two blocks of three hold two pairs, whatever counting says of six nodes.
    plan = plan_case(build(Spec([P([(0, 28, 6)], block=3)], [pair] * 3 + [single] * 2)))
    assert plan.verdict.objective == 4
    assert plan.verdict.status == "optimal"
