"""What must not matter, and what must only help: names, order, money's unit, one node more."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.dual import bound_of
from planner.allocation.program.families import build_program
from planner.allocation.program.row import AT_LEAST, AT_MOST, Program
from planner.allocation.solver.price import row_prices
from planner.allocation.solver.solve import Limits, solve
from planner.division import plan_case
from planner.plan_table import Verdict
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.test_oracle import specs

EXACT = Limits(gap_frac=0.0, time_limit_s=30.0)
FEW = settings(
    deadline=None, max_examples=examples(20, 200), suppress_health_check=[HealthCheck.too_slow]
)


def verdict(spec: Spec) -> Verdict:
    return plan_case(build(spec), limits=EXACT).verdict


def same(one: Verdict, two: Verdict, money: float = 1.0) -> None:
    assert one.status == two.status
    if one.objective is not None:
        assert two.objective == pytest.approx(one.objective, rel=1e-6, abs=1e-9)
        assert two.cost == pytest.approx(one.cost * money, rel=1e-6, abs=1e-6)


@FEW
@given(specs(), st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(spec: Spec, dice) -> None:
    order = list(range(len(spec.jobs)))
    dice.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    jobs = [
        dataclasses.replace(spec.jobs[old], after=tuple(place[b] for b in spec.jobs[old].after))
        for old in order
    ]
    names = tuple(f"x {dice.random()}" for _ in jobs)
    same(verdict(spec), verdict(dataclasses.replace(spec, jobs=jobs, job_names=names)))


@FEW
@given(specs())
def test_one_node_more_never_lowers_the_optimum(spec: Spec) -> None:
    before = verdict(spec)
    pool = spec.pools[0]
    richer = [*pool.deliveries, (0, spec.days, 1)]
    after = verdict(
        dataclasses.replace(
            spec, pools=[dataclasses.replace(pool, deliveries=richer), *spec.pools[1:]]
        )
    )
    if before.objective is not None:
        assert after.objective is not None
        assert after.objective >= before.objective * (1 - 1e-6) - 1e-9


@FEW
@given(specs())
def test_money_may_be_counted_in_another_unit(spec: Spec) -> None:
    scale = 1.4e9
    pools = [dataclasses.replace(p, price=p.price * scale) for p in spec.pools]
    teams = [dataclasses.replace(t, budget=t.budget * scale) for t in spec.teams]
    same(verdict(spec), verdict(dataclasses.replace(spec, pools=pools, teams=teams)), scale)


@FEW
@given(specs(), st.integers(1, 2), st.integers(1, 2))
def test_a_pool_in_two_equal_halves_is_the_same_pool(spec: Spec, size: int, runs: int) -> None:
    # Runs of one size lie on places of that size, so that what fits the whole fits its halves;
    # a job that pauses must come back to the same half, and is left out.
    jobs = [
        dataclasses.replace(
            job, nodes=(size,), pools=None, preemptible=False, one_block=False, borrows=(),
            goes_first=(),
        )
        for job in spec.jobs
    ]  # fmt: skip
    whole = dataclasses.replace(
        spec.pools[0],
        block=0,
        deliveries=[(0, spec.days, 2 * size * runs), (0, spec.days // 2, 2 * size)],
    )
    half = dataclasses.replace(
        whole, deliveries=[(first, end, nodes // 2) for first, end, nodes in whole.deliveries]
    )
    one = dataclasses.replace(spec, pools=[whole], jobs=jobs)
    same(verdict(one), verdict(dataclasses.replace(one, pools=[half, half])))


@FEW
@given(specs())
def test_the_same_question_gives_the_same_plan(spec: Spec) -> None:
    one, two = (plan_case(build(spec), limits=EXACT).to_dict() for _ in range(2))
    for each in (one, two):
        each["verdict"].pop("seconds")
        each["verdict"].pop("sentence")
    assert one == two


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_values_may_be_of_any_size(factor: float) -> None:
    jobs = [J(tokens=20 + 3 * at, value=(1 + at % 3) * factor, nodes=(1, 2, 4)) for at in range(8)]
    plain = [dataclasses.replace(job, value=job.value / factor) for job in jobs]
    one, two = (verdict(Spec([P([(0, 28, 4)])], each)) for each in (plain, jobs))
    assert two.objective == pytest.approx(one.objective * factor)
    assert one.status == two.status == "optimal"


def medium(seed: int) -> Spec:
    """About a thousand columns, with every rule at work."""
    dice = np.random.default_rng(seed)
    pools = [
        P([(0, 56, 6), (28, 56, 6)], price=2.0, equivalent=1.0),
        P([(0, 56, 8)], price=3.0, equivalent=2.0, rate=1.8),
        P([(0, 40, 4), (20, 56, 4)], price=1.0, equivalent=0.5, rate=0.6),
    ]
    jobs = [
        J(
            team=int(dice.integers(3)),
            tokens=float(dice.integers(10, 150)),
            value=float(dice.integers(1, 40)),
            nodes=(1, 2, 3, 4, 6),
            partial=bool(dice.random() < 0.2),
            preemptible=bool(dice.random() < 0.2),
            identity=7 if at in (3, 4) else None,
            after=(at - 1,) if at % 5 == 4 else (),
        )
        for at in range(14)
    ]
    teams = [T(budget=400.0, floor=1.0), T(cap=9.0), T(weight=1.5)]
    return Spec(pools, jobs, teams, days=56, share=0.5)


def by_scipy(program: Program) -> float:
    """The optimum by scipy's front end, from the rows alone."""
    rows = program.rows
    entries = [
        (at, c, a)
        for at, row in enumerate(rows)
        for c, a in zip(row.columns.tolist(), row.coefficients.tolist(), strict=True)
    ]
    at, column, amount = zip(*entries, strict=True)
    matrix = csr_array((amount, (at, column)), shape=(len(rows), len(program.columns.names)))
    low = [-np.inf if row.sense == AT_MOST else row.bound for row in rows]
    high = [np.inf if row.sense == AT_LEAST else row.bound for row in rows]
    answer = milp(
        -program.columns.value,
        integrality=program.columns.is_integer.astype(int),
        bounds=Bounds(0, program.columns.upper),
        constraints=LinearConstraint(matrix, low, high),
        options={"mip_rel_gap": 0.0, "time_limit": 60.0},
    )
    assert answer.status == 0
    return float(-answer.fun)


@pytest.mark.parametrize("seed", range(3))
def test_scipy_finds_the_same_optimum_on_medium_cases(seed: int) -> None:
    case = build(medium(seed))
    program, _ = build_program(case, enumerate_options(case))
    assert len(program.columns.names) > 400
    found = solve(program, limits=Limits(gap_frac=0.0), ties_by_cost=False)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(by_scipy(program), rel=1e-6)


@FEW
@given(specs(), st.data())
def test_any_prices_give_a_valid_bound(spec: Spec, data: st.DataObject) -> None:
    case = build(spec)
    program, _ = build_program(case, enumerate_options(case))
    found = solve(program, limits=EXACT, ties_by_cost=False)
    if found.objective is None:
        return
    count = len(program.rows)
    prices = np.array(data.draw(st.lists(st.floats(-3, 3), min_size=count, max_size=count)))
    slack = 1e-6 * max(found.objective, 1.0)
    assert bound_of(program, prices) >= found.objective - slack
    best = row_prices(program)
    if count and len(program.columns.names):
        assert best is not None
        assert bound_of(program, best) >= found.objective - slack
        assert bound_of(program, best) <= bound_of(program, np.zeros(count)) + slack
