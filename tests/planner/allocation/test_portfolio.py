"""The way a case is solved: same optimum by every way, honest verdicts, bounds that hold."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases import SIZES, Size, make_case
from hardware.errors import SolverFailure
from planner.allocation import portfolio
from planner.allocation.large.band import bands_of
from planner.allocation.offer.option import enumerate_options
from planner.allocation.portfolio import solve_case
from planner.allocation.program.families import build_program
from planner.allocation.program.place import with_places
from planner.allocation.program.settle import is_feasible
from planner.allocation.proof.certificate import bound_from, certified_bound
from planner.allocation.solver.engine import ENGINES
from planner.allocation.solver.solve import Limits, solve
from planner.division import plan_case
from tests.planner.allocation.conftest import J, P, Spec, build
from tests.planner.allocation.drawn import EXACT, drawn_case, optimum

MEDIUM = Size(20, 4, 5, 12, 4)


@pytest.fixture
def as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every case as too large for the solver to see whole."""
    monkeypatch.setattr(portfolio, "EXACT_COLUMNS", 0)
    monkeypatch.setattr(portfolio, "KEPT_COLUMNS", 60)


@pytest.mark.parametrize("seed", range(30))
def test_the_portfolio_finds_the_optimum_of_small_cases(seed: int) -> None:
    case = drawn_case(seed)
    best = optimum(case, enumerate_options(case))
    found = solve_case(case, limits=EXACT).solution
    assert found.status == best.status
    if best.objective is not None:
        assert found.objective == pytest.approx(best.objective, rel=1e-9)


@pytest.mark.usefixtures("as_large")
@pytest.mark.parametrize("seed", range(30))
def test_the_way_of_large_cases_gives_a_plan_and_a_bound_round_the_optimum(seed: int) -> None:
    case = drawn_case(seed)
    best = optimum(case, enumerate_options(case))
    answered = solve_case(case, limits=Limits(time_limit_s=3.0))
    found = answered.solution
    assert (found.status == "infeasible") == (best.status == "infeasible")
    if best.objective is None or found.objective is None or found.bound is None:
        return
    assert found.objective <= best.objective * (1 + 1e-9)
    assert found.bound >= best.objective * (1 - 1e-9)
    assert found.point is not None
    assert is_feasible(answered.program, found.point)
    assert found.status in ("optimal", "feasible")
    if found.status == "optimal":
        assert found.objective == pytest.approx(best.objective, rel=1e-5)


@pytest.mark.usefixtures("as_large")
def test_a_large_case_becomes_a_plan() -> None:
    case = make_case(MEDIUM, 0)
    plan = plan_case(case, limits=Limits(time_limit_s=3.0, gap_frac=0.2))
    assert plan.verdict.status == "feasible"
    assert plan.verdict.gap_frac is not None
    assert 0 < plan.verdict.gap_frac <= 0.2


def test_the_certificate_is_recomputed_from_the_case() -> None:
    case = make_case(MEDIUM, 1)
    answered = solve_case(case, limits=Limits(time_limit_s=5.0, gap_frac=0.02))
    assert answered.certificate is not None
    options = enumerate_options(case)
    plain = bound_from(bands_of(case, options), answered.certificate.prices)
    assert plain == pytest.approx(answered.certificate.bound, rel=1e-9)
    bound = certified_bound(case, answered.prices)
    assert bound is not None
    assert bound <= plain * (1 + 1e-9), "with budgets whole"
    assert answered.solution.bound is not None
    assert answered.solution.bound <= bound * (1 + 1e-9)


def test_a_broken_solver_leaves_the_plan_in_hand() -> None:
    def broken(_task):
        raise RuntimeError("out of memory")

    case = make_case(MEDIUM, 0)
    found = solve_case(case, solver=broken, limits=Limits(time_limit_s=5.0)).solution
    assert found.status == "feasible"
    assert found.bound is not None
    assert found.objective is not None
    assert found.objective <= found.bound


def test_a_broken_solver_and_no_plan_in_hand_is_a_failure() -> None:
    def broken(_task):
        raise RuntimeError("out of memory")

    with pytest.raises(SolverFailure):
        solve_case(build(Spec([P([(0, 28, 4)])], [J(preemptible=True)])), solver=broken)


def test_a_solver_that_claims_too_low_a_bound_is_not_believed() -> None:
    def liar(task):
        answer = ENGINES["highs"](task)
        return replace(answer, bound=-1e-3)

    case = make_case(MEDIUM, 0)
    found = solve_case(case, solver=liar, limits=Limits(time_limit_s=10.0, gap_frac=0.1)).solution
    assert found.bound is not None
    assert found.objective is not None
    assert found.bound >= found.objective


def test_the_time_limit_holds() -> None:
    case = make_case(SIZES["100 jobs, 24 months"], 0)
    began = time.monotonic()
    found = solve_case(case, limits=Limits(time_limit_s=2.0), ties_by_cost=False).solution
    assert time.monotonic() - began < 10.0  # the program is built in between
    assert found.gap_frac is not None
    assert found.gap_frac < 0.08


@pytest.mark.parametrize("seed", range(8))
def test_columns_for_places_change_nothing(seed: int) -> None:
    case = drawn_case(seed)
    program, register = build_program(case, enumerate_options(case))
    wider, widen = with_places(program, register)
    one, two = solve(program, limits=EXACT), solve(wider, limits=EXACT)
    assert one.status == two.status
    if one.point is None or two.point is None:
        return
    assert one.objective == pytest.approx(two.objective, rel=1e-9)
    assert is_feasible(wider, widen(one.point))
    assert is_feasible(program, two.point[: len(program.columns.names)])


@pytest.mark.usefixtures("as_large")
def test_one_more_node_never_lowers_the_bound_by_prices() -> None:
    case = make_case(MEDIUM, 2)
    more = replace(case, pool_nodes=case.pool_nodes + 1, delivery_nodes=case.delivery_nodes + 1)
    prices = solve_case(case, limits=Limits(time_limit_s=2.0)).certificate
    assert prices is not None
    before, after = (certified_bound(each, prices.prices) for each in (case, more))
    assert before is not None
    assert after is not None
    assert after >= before * (1 - 1e-12)


@pytest.mark.usefixtures("as_large")
def test_names_of_jobs_change_nothing() -> None:
    case = make_case(MEDIUM, 4)
    renamed = replace(case, job_names=tuple(f"x-{name}" for name in case.job_names))
    limits = Limits(time_limit_s=30.0, gap_frac=0.5)
    one, two = (solve_case(each, limits=limits).solution for each in (case, renamed))
    assert one.objective == two.objective
    assert one.bound == two.bound


@pytest.mark.usefixtures("as_large")
def test_progress_is_told_with_its_bound() -> None:
    seen = []
    limits = Limits(time_limit_s=2.0, gap_frac=0.3, on_progress=seen.append)
    solve_case(make_case(MEDIUM, 0), limits=limits)
    assert seen
    assert all(p.objective is not None and p.bound is not None for p in seen)
    assert all(p.bound <= p.objective + 1e-9 for p in seen)  # both as a minimisation
    assert np.isfinite([p.seconds for p in seen]).all()
