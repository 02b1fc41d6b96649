"""Cases at the edges: nothing to give, nothing asked, one day, a thousand consortiums."""

from __future__ import annotations

import time

import numpy as np
import pytest

from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from tests.planner.allocation.conftest import J, P, Spec, T, build

WIDE = [P([(0, 28, 4)])]


def placed(spec: Spec, **limits: float) -> list[bool]:
    plan = plan_case(build(spec), limits=Limits(gap_frac=0.0, **limits))
    assert plan.verdict.status == "optimal"
    return plan.jobs.placed.tolist()


def test_a_budget_of_zero_buys_only_what_is_free() -> None:
    pools = [P([(0, 28, 2)], price=1.0), P([(0, 28, 2)], price=0.0)]
    jobs = [J(tokens=9, pools=(0,)), J(tokens=9, pools=(1,))]
    assert placed(Spec(pools, jobs, [T(budget=0.0)])) == [False, True]


def test_weights_of_zero_place_nothing_that_costs() -> None:
    assert placed(Spec(WIDE, [J(), J()], [T(weight=0.0)])) == [False, False]


def test_a_job_worth_nothing_is_placed_where_another_waits_for_it() -> None:
    jobs = [J(tokens=5, value=0.0), J(tokens=5, after=(0,))]
    assert placed(Spec(WIDE, jobs)) == [True, True]


def test_a_pool_without_nodes_or_days() -> None:
    assert placed(Spec([P([])], [J()])) == [False]
    assert placed(Spec([P([(0, 28, 0)])], [J()])) == [False]
    assert placed(Spec([P([(9, 9, 4)]), *WIDE], [J(tokens=5)])) == [True]


def test_no_run_outlives_the_pool() -> None:
    gone = Spec([P([(0, 12, 4)])], [J(tokens=13, nodes=(1,)), J(tokens=12, nodes=(1,))])
    assert placed(gone) == [False, True]


def test_a_horizon_of_one_day() -> None:
    jobs = [J(tokens=1, nodes=(1,)), J(tokens=2, nodes=(1,)), J(tokens=0.2, nodes=(4,))]
    assert placed(Spec(WIDE, jobs, days=1)) == [True, False, False]
    one_day = Spec(WIDE, jobs[:2], days=1)
    one_day.pools = [P([(0, 1, 4)])]
    assert placed(one_day) == [True, False]


def test_windows_that_begin_where_they_end() -> None:
    assert placed(Spec(WIDE, [J(tokens=1, nodes=(1,), window=(5, 5))])) == [False]
    assert placed(Spec(WIDE, [J(tokens=1, nodes=(1,), window=(5, 6))])) == [True]


def test_a_period_longer_than_the_horizon() -> None:
    assert placed(Spec([P([(0, 5, 1)])], [J(tokens=5, nodes=(1,))], days=5, period=180)) == [True]


def test_a_consortium_without_jobs_and_one_without_days() -> None:
    teams = [T(), T(), T(days=(9, 9), floor=3.0)]
    jobs = [J(team=0), J(team=2)]
    assert placed(Spec(WIDE, jobs, teams)) == [True, False]


def test_a_predecessor_of_another_consortium_that_cannot_run() -> None:
    jobs = [J(tokens=999), J(team=1, after=(0,)), J(team=1)]
    assert placed(Spec(WIDE, jobs, [T(), T()])) == [False, False, True]


def test_a_thousand_consortiums() -> None:
    teams = [T(weight=1 + at % 7 / 7, budget=1e4, cap=2.0) for at in range(1000)]
    jobs = [J(team=at, tokens=14, value=1 + at % 13, nodes=(1, 2)) for at in range(1000)]
    began = time.monotonic()
    plan = plan_case(
        build(Spec([P([(0, 28, 300)])], jobs, teams)), limits=Limits(time_limit_s=10.0)
    )
    assert time.monotonic() - began < 60
    assert plan.verdict.status in ("optimal", "feasible")
    assert plan.verdict.gap_frac is not None
    assert plan.verdict.gap_frac < 0.05
    assert len(plan.consortiums.consortium) == 1000


def test_no_job_can_be_placed_at_all() -> None:
    plan = plan_case(build(Spec(WIDE, [J(pools=()), J(tokens=1e9)])))
    assert plan.verdict.status == "optimal"
    assert plan.verdict.objective == 0.0
    assert plan.verdict.gap_frac == 0.0
    assert len(plan.rows) == 0


def test_huge_and_tiny_amounts() -> None:
    jobs = [J(tokens=20, value=1e-9), J(tokens=20, value=2e-9)]
    plan = plan_case(build(Spec([P([(0, 28, 1)], price=1e12)], jobs, [T(budget=2.5e13)])))
    assert plan.jobs.placed.tolist() == [False, True] or plan.verdict.objective == 2e-9


def test_a_job_worth_less_than_the_tolerance_is_placed_where_it_fits() -> None:
    jobs = [J(tokens=9, value=value, nodes=(1,)) for value in (1e6, 1e6, 0.25)]
    assert placed(Spec(WIDE, jobs)) == [True, True, True]


@pytest.mark.parametrize("seed", range(20))
def test_equal_plans_end_as_early_as_they_can(seed: int) -> None:
    dice = np.random.default_rng(seed)
    jobs = [J(tokens=float(dice.integers(3, 9)), nodes=(1,)) for _ in range(4)]
    plan = plan_case(build(Spec([P([(0, 28, 4)], price=0.0)], jobs)))
    first = np.datetime64(build(Spec(WIDE, jobs)).first_day)
    assert all(np.datetime64(day) == first for day in plan.rows.first)
