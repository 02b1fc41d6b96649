"""Least energy, earliest last day and proportional shares, against trying every plan."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from planner.allocation.policy.proportional import LEAST_SHARE, log_worth
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from planner.plan import Plan
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.oracle import DAY_S, Hold, Way, ways
from tests.planner.allocation.test_oracle import specs
from tests.planner.allocation.test_policy import every_plan, small

EXACT = Limits(gap_frac=0.0, time_limit_s=60.0)
FEW = settings(
    deadline=None,
    max_examples=examples(30, 300),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def with_powers(case: Any, seed: int) -> Any:
    power = np.random.default_rng(seed).integers(1, 20, len(case.point_job)) * 1e3
    return dataclasses.replace(case, point_power_w=power.astype(np.float64))


def enough(case: Any, plans: list[list[Way]], part: float) -> tuple[list[list[Way]], float]:
    """Plans that do a part of the most work there can be, and the work."""
    weight = case.consortium_weight[case.job_consortium]
    work = [sum(w.value * weight[w.job] for w in chosen) for chosen in plans]
    least = part * max(work)
    kept = [p for p, w in zip(plans, work, strict=True) if w >= least - 1e-9 * max(work)]
    return kept, least


def energy(case: Any, chosen: list[Way]) -> float:
    def power(job: int, held: Hold) -> float:
        at = (case.point_job == job) & (case.point_pool == held.pool)
        return float(case.point_power_w[at & (case.point_nodes == held.nodes)][0])

    return sum(power(way.job, held) * DAY_S for way in chosen for _, held in way.paid)


@FEW
@given(specs(), st.integers(0, 99), st.sampled_from([0.5, 1.0]))
def test_min_energy_is_the_least_for_the_work(spec: Spec, seed: int, part: float) -> None:
    case = with_powers(build(spec), seed)
    assume(small(case))
    plans = every_plan(case)
    plan = plan_case(case, limits=EXACT, policy="min-energy", work_frac=part)
    if not plans:
        assert plan.verdict.status == "infeasible"
        return
    kept, work = enough(case, plans, part)
    best = min(energy(case, chosen) for chosen in kept)
    assert float(plan.rows.energy_j.sum()) == pytest.approx(best, rel=1e-5, abs=1.0)
    assert plan.verdict.objective >= work * (1 - 1e-5)


@FEW
@given(specs(), st.sampled_from([0.5, 1.0]))
def test_min_makespan_is_the_earliest_for_the_work(spec: Spec, part: float) -> None:
    case = build(spec)
    assume(small(case))
    plans = every_plan(case)
    plan = plan_case(case, limits=EXACT, policy="min-makespan", work_frac=part)
    if not plans:
        assert plan.verdict.status == "infeasible"
        return
    kept, work = enough(case, plans, part)
    # Where a job pauses, its last piece counts whole.
    best = min(max((w.holds[-1].end for w in chosen), default=0) for chosen in kept)
    last = max(((day - case.first_day).days + 1 for day in plan.rows.last), default=0)
    assert last <= best
    if not case.job_preemptible.any():
        assert last == best
    assert plan.verdict.objective >= work * (1 - 1e-5)


def shares_of(case: Any, value: dict[int, float]) -> dict[int, float]:
    asked: dict[int, float] = {}
    for job in range(len(case.job_names)):
        team = int(case.job_consortium[job])
        most = max((w.value for w in ways(case, job)), default=0.0)
        asked[team] = asked.get(team, 0.0) + most
    able = [t for t in asked if asked[t] > 0 and case.consortium_weight[t] > 0]
    return {t: value.get(t, 0.0) / asked[t] for t in able}


def worth(case: Any, chosen: list[Way]) -> float:
    value: dict[int, float] = {}
    for way in chosen:
        team = int(case.job_consortium[way.job])
        value[team] = value.get(team, 0.0) + way.value
    found = shares_of(case, value)
    return sum(float(case.consortium_weight[t]) * float(log_worth(s)) for t, s in found.items())


def worth_of(case: Any, plan: Plan) -> float:
    value: dict[int, float] = {}
    for job, one in enumerate(plan.jobs.value.tolist()):
        team = int(case.job_consortium[job])
        value[team] = value.get(team, 0.0) + one
    found = shares_of(case, value)
    return sum(float(case.consortium_weight[t]) * float(log_worth(s)) for t, s in found.items())


@FEW
@given(specs())
def test_proportional_has_the_largest_product_of_shares(spec: Spec) -> None:
    case = build(spec)
    assume(small(case))
    plans = every_plan(case)
    plan = plan_case(case, limits=EXACT, policy="proportional")
    if not plans:
        assert plan.verdict.status == "infeasible"
        return
    best = max(worth(case, chosen) for chosen in plans)
    total = float(case.consortium_weight.sum())
    assert worth_of(case, plan) >= best - 2e-5 * total
    if plan.verdict.solver == "none":  # nothing to choose from
        return
    said = plan.verdict.sentence
    assert "product of shares possible" in said or "asks for work" in said or " % above" in said


def test_the_worth_of_a_share_is_the_logarithm_and_concave_below() -> None:
    share = np.linspace(0.0, 1.0, 2001)
    found = log_worth(share)
    high = share >= LEAST_SHARE
    assert found[high] == pytest.approx(np.log(share[high]))
    assert (np.diff(found, 2) <= 1e-12).all()
    assert (found[1:] >= np.log(share[1:]) - 1e-12).all()


def test_proportional_divides_a_divisible_pool_by_weight() -> None:
    # Four weeks of a node, each asks for all of them: the product x (1 - x) is largest at half.
    part = [J(team=t, tokens=28, value=v, nodes=(1,), partial=True) for t, v in ((0, 10), (1, 1))]
    case = build(Spec([P([(0, 28, 1)])], part, [T(), T()], days=28))
    plan = plan_case(case, policy="proportional", limits=EXACT)
    assert plan.jobs.done_frac.tolist() == [0.5, 0.5]
    assert (
        "geometric mean of the shares of the work that can be done is 50 %, the largest"
        in plan.verdict.sentence
    )
    heavy = build(Spec([P([(0, 28, 1)])], part, [T(weight=3.0), T()], days=28))
    plan = plan_case(heavy, policy="proportional", limits=EXACT)
    assert plan.jobs.done_frac.tolist() == [0.75, 0.25]


def test_sentences_say_what_is_proved() -> None:
    case = build(Spec([P([(0, 28, 4)])], [J(tokens=4.0, nodes=(1, 2, 4))], days=28))
    soon = plan_case(case, policy="min-makespan", limits=EXACT)
    last = math.ceil(4.0 / 4**0.9 - 1e-9)
    assert soon.rows.days.tolist() == [last]
    assert f"ends on 2026-01-0{last}, the earliest for 100 % of" in soon.verdict.sentence
    least = plan_case(case, policy="min-energy", limits=EXACT)
    assert "the least energy for 100 % of the most work" in least.verdict.sentence
    assert soon.verdict.policy == "min-makespan"
    assert least.verdict.policy == "min-energy"


def test_infeasible_and_empty_under_the_new_policies() -> None:
    short = build(Spec([P([(0, 28, 1)])], [J()], [T(floor=50.0)]))
    none = build(Spec([P([(0, 28, 1)])], [J(nodes=(4,))]))
    for policy in ("proportional", "min-energy", "min-makespan"):
        assert plan_case(short, policy=policy).verdict.status == "infeasible"
        assert len(plan_case(none, policy=policy).rows.job) == 0


@pytest.mark.parametrize(("short", "placed"), [(0, ("job-0", "job-2")), (3, ("job-1", "job-3"))])
def test_of_equal_products_the_cheapest_is_taken(short: int, placed: tuple[str, ...]) -> None:
    # Each team has a small and a large job and room for one; of the large ones, one workload,
    # only one is funded: a third and two thirds of what is asked for, either way round.
    jobs = [
        J(team=0, tokens=28, value=1, nodes=(1,), pools=(0,), identity=1),
        J(team=0, tokens=28, value=2, nodes=(1,), pools=(0,), identity=7),
        J(team=1, tokens=28, value=2, nodes=(1,), pools=(1,), identity=7),
        J(team=1, tokens=28, value=1, nodes=(1,), pools=(1,), identity=2),
    ]
    jobs[short].tokens = 21
    case = build(Spec([P([(0, 28, 1)]), P([(0, 28, 1)])], jobs, [T(), T()]))
    plan = plan_case(case, policy="proportional", limits=EXACT)
    assert plan.rows.job == placed
