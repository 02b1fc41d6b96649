"""The bound that keeps budgets whole holds for every plan and is no worse than that of prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benchmarks.cases import SIZES, Size, make_case
from planner.allocation.large.band import bands_of, can_band
from planner.allocation.large.knapsack import bound_within_budgets, can_keep_budgets, within_budgets
from planner.allocation.large.relaxation import relax
from planner.allocation.offer.option import enumerate_options
from planner.allocation.portfolio import solve_case
from planner.allocation.program.families import build_program
from planner.allocation.proof.witness import proved_bound, witness_faults
from planner.allocation.solver.solve import Limits, solve
from planner.division import plan_case
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.drawn import drawn_case
from tests.planner.allocation.oracle import best, ways
from tests.planner.allocation.test_oracle import specs


@pytest.mark.parametrize("seed", range(40))
def test_no_plan_is_worth_more(seed: int) -> None:
    case = drawn_case(seed)
    options = enumerate_options(case)
    if not can_band(options) or len(options.runs) == 0:
        pytest.skip("not whole runs alone")
    bands = bands_of(case, options)
    if not can_keep_budgets(case, bands):
        pytest.skip("no budgets")
    program, _ = build_program(case, options)
    best = solve(program, limits=Limits(gap_frac=0.0), ties_by_cost=False)
    dice = np.random.default_rng(seed)
    for prices in (np.zeros(len(bands.bound)), dice.exponential(0.3, len(bands.bound))):
        for rounds in (0, 20):
            bound, _ = within_budgets(case, options.runs, bands, prices, rounds=rounds)
            assert best.objective is None or bound >= best.objective * (1 - 1e-9)


@pytest.mark.parametrize("seed", range(examples(2, 6)))
def test_it_is_nearer_than_prices_for_budgets(seed: int) -> None:
    case = make_case(Size(30, 4, 4, 8, 6), seed)
    options = enumerate_options(case)
    bands = bands_of(case, options)
    priced = relax(bands, rounds=600)
    bound, _ = within_budgets(
        case, options.runs, bands, priced.prices, incumbent=0.9 * priced.bound
    )
    assert bound < priced.bound
    found = solve_case(case, limits=Limits(time_limit_s=20.0, gap_frac=0.0)).solution
    assert bound >= found.objective * (1 - 1e-9)


def test_what_a_budget_buys_is_counted_and_not_shared_out() -> None:
    """Two runs of cost 66 of a budget of 110: prices sell one and two thirds, a purse one."""
    jobs = [J(tokens=20, value=3.0, nodes=(2,)), J(tokens=20, value=3.0, nodes=(2,))]
    case = build(Spec([P([(0, 28, 8)], price=3.0)], jobs, [T(budget=110.0)]))
    options = enumerate_options(case)
    assert set(options.runs.cost.tolist()) == {66.0}
    bands = bands_of(case, options)
    assert relax(bands, rounds=400).bound == pytest.approx(5.0, rel=1e-2)
    prices = np.zeros(len(bands.bound))
    assert bound_within_budgets(case, options.runs, bands, prices) == pytest.approx(3.0, abs=1e-9)
    twice = replace(case, consortium_budget=np.array([132.0]))
    assert bound_within_budgets(twice, options.runs, bands, prices) == pytest.approx(6.0, abs=1e-9)
    none = replace(case, consortium_budget=np.array([0.0]))
    assert bound_within_budgets(none, options.runs, bands, prices) == pytest.approx(0.0, abs=1e-9)


def test_a_larger_case_is_proved_by_it() -> None:
    case = make_case(SIZES["100 jobs, 24 months"], 1)
    options = enumerate_options(case)
    priced = relax(bands_of(case, options), rounds=400)
    found = solve_case(case, limits=Limits(time_limit_s=6.0, gap_frac=0.05), ties_by_cost=False)
    assert found.solution.bound < 0.995 * priced.bound
    assert found.certificate.bound == pytest.approx(priced.bound, rel=1e-3)
    assert proved_bound(case, found.prices) == pytest.approx(found.solution.bound, rel=1e-9)
    assert any(name.startswith("budget_") for name in found.prices), "what binds says their worth"


def test_a_plan_file_carries_what_proves_its_bound_and_nothing_less() -> None:
    case = make_case(SIZES["100 jobs, 24 months"], 1)
    data = plan_case(case, limits=Limits(time_limit_s=6.0, gap_frac=0.05)).to_dict()
    certificate = data["certificate"]
    assert certificate["bound"] == pytest.approx(data["verdict"]["bound"], rel=1e-9)
    assert witness_faults(case, data) == (len(certificate["prices"]), ())
    pool = max(
        (name for name in certificate["prices"] if name.startswith("pool_")),
        key=certificate["prices"].__getitem__,
    )
    for changed in (
        {**certificate, "bound": certificate["bound"] * 0.9999},
        {**certificate, "prices": {**certificate["prices"], pool: 0.0}},
    ):
        faults = witness_faults(case, {**data, "certificate": changed})[1]
        assert [fault.code for fault in faults] == ["certificate-mismatch"]


@settings(deadline=None, max_examples=examples(60, 600),
          suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])  # fmt: skip
@given(specs(), st.lists(st.sampled_from([-1.0, 0.0, 20.0, 45.0]), min_size=2, max_size=2),
       st.integers(0, 10**6), st.sampled_from([0.0, 0.02, 0.3, 2.0]))  # fmt: skip
def test_no_prices_prove_less_than_the_best_of_all_plans(
    spec: Spec, budgets: list[float], seed: int, size: float
) -> None:
    """Small cases of every kind, with budgets of nothing, of little, of much, and without."""
    jobs = [replace(job, preemptible=False, flexible=False) for job in spec.jobs]
    teams = [replace(team, budget=one) for team, one in zip(spec.teams, budgets, strict=False)]
    case = build(replace(spec, jobs=jobs, teams=teams))
    assume(np.prod([len(ways(case, job)) + 1 for job in range(len(jobs))]) < 5_000)
    expected = best(case)
    assume(expected is not None)
    options = enumerate_options(case)
    bands = bands_of(case, options)
    dice = np.random.default_rng(seed)
    prices = dict(zip(bands.names, dice.exponential(size, len(bands.names)), strict=True))
    for given_ in ({}, prices):
        assert proved_bound(case, given_, options=options) >= expected[0] * (1 - 1e-9) - 1e-9
    if can_keep_budgets(case, bands):
        own = np.array(list(prices.values()))
        bound = bound_within_budgets(case, options.runs, bands, own)
        assert bound >= expected[0] * (1 - 1e-9) - 1e-9


def test_prices_too_high_to_be_added_up_prove_nothing() -> None:
    """Sums that swallow a value may not lower the bound below a plan."""
    jobs = [J(tokens=20, value=3.0, nodes=(2,)), J(tokens=20, value=3.0, nodes=(2,))]
    case = build(Spec([P([(0, 28, 8)], price=3.0)], jobs, [T(budget=110.0)]))
    options = enumerate_options(case)
    bands = bands_of(case, options)
    for price in (1e12, 1e17, 1e30, 1e200, 1e308):
        prices = np.full(len(bands.bound), price)
        assert bound_within_budgets(case, options.runs, bands, prices) >= 3.0
