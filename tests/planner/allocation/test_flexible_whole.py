"""Cases too large to list: never behind whole runs, and bounds as fine as their time allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases import Size, make_case
from planner.allocation.flexible import clock as clocks
from planner.allocation.flexible import divided
from planner.allocation.flexible import plan as plans
from planner.allocation.flexible.bound import COARSEST, bound_at, fine_buckets
from planner.allocation.flexible.clock import PROBE_BUCKETS, Clock
from planner.allocation.flexible.divided import Division
from planner.allocation.flexible.master import Master
from planner.allocation.flexible.model import ChainModel, chain_model
from planner.allocation.flexible.parts import EVERY, FINENESS, Part, dearest, leaf_bound
from planner.allocation.flexible.plan import FlexiblePlan, plan_flexible
from planner.allocation.flexible.prices import chain_prices
from planner.allocation.flexible.search import Searched
from planner.allocation.flexible.split import Leaf, Split
from planner.allocation.offer.block import blocks
from planner.allocation.offer.chain import no_chains
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.settle import is_feasible
from planner.allocation.proof.witness import proved_bound
from planner.allocation.solver.solve import Limits, Solution, solve
from planner.case import Case
from tests.planner.allocation.conftest import build
from tests.planner.allocation.drawn_flexible import drawn_flexible

SMALL = Size(5, 2, 2, 6, 2)
PATIENT = Limits(time_limit_s=600.0, gap_frac=0.0)


def made(seed: int, size: Size = SMALL) -> Case:
    """A made-up case of jobs that may all change."""
    return replace(
        make_case(size, seed),
        job_flexible=np.ones(size.jobs, dtype=np.bool_),
        job_move_days=np.ones(size.jobs, dtype=np.int64),
    )


def alone(case: Case) -> Solution:
    """The best plan in which nothing changes."""
    chains, links = no_chains()
    options = replace(enumerate_options(case, chain_limit=0), chains=chains, links=links)
    return solve(build_program(case, options)[0], limits=PATIENT, ties_by_cost=False)


def planned(case: Case, limits: Limits) -> FlexiblePlan:
    """The plan in the way for cases whose chains cannot be listed."""
    return plan_flexible(case, enumerate_options(case, chain_limit=0), limits=limits)


def checked(case: Case, limits: Limits) -> tuple[float, float] | None:
    """Values of the plan and of whole runs alone; None where there is no such plan."""
    fixed = alone(case)
    if fixed.objective is None:
        return None
    found = planned(case, limits)
    assert found.solution.point is not None
    assert found.solution.objective is not None
    assert is_feasible(found.program, found.solution.point)
    assert found.solution.objective >= fixed.objective - 1e-9
    return found.solution.objective, fixed.objective


@pytest.mark.parametrize("first", range(0, 30, 15))
def test_no_plan_is_behind_whole_runs_whatever_the_rules(first: int) -> None:
    known = 0
    for seed in range(first, first + 15):
        case = build(drawn_flexible(seed))
        options = enumerate_options(case, chain_limit=0)
        if options.is_whole or len(options.modes):
            continue
        known += checked(case, replace(PATIENT, time_limit_s=20.0)) is not None
    assert known >= 3


def test_a_search_that_finds_nothing_is_not_behind_whole_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plans, "search", lambda *_, **__: None)
    monkeypatch.setattr(plans, "improve", lambda *_, **__: None)
    for seed in range(3):
        assert checked(made(seed), replace(PATIENT, time_limit_s=30.0)) is not None


def test_a_search_that_breaks_a_rule_is_not_asked_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is the solver's then, and it begins with whole runs."""
    asked: list[int] = []

    def breaks(board: object, *_: object, **__: object) -> Searched:
        asked.append(1)
        every = [path for known in board.known.values() for path, *_ in known.terms]  # type: ignore[attr-defined]
        chosen = {path.job: path for path in every}
        return Searched(tuple(chosen.values()), 1e9, 1)

    monkeypatch.setattr(plans, "search", breaks)
    case = made(1)
    assert checked(case, replace(PATIENT, time_limit_s=30.0)) is not None
    assert len(asked) == 1


def priced(seed: int) -> tuple[ChainModel, np.ndarray]:
    """A case and some prices."""
    case = made(seed)
    model = chain_model(case, blocks(case))
    scale = np.where(np.abs(model.rows.bound) > 0, np.abs(model.rows.bound), 1.0)
    return model, np.random.default_rng(seed).random(len(scale)) / scale


class Hands:
    """A clock's hands, which bounds alone move."""

    def __init__(self, s_a_bucket: float) -> None:
        self.now, self.s_a_bucket = 0.0, s_a_bucket

    def monotonic(self) -> float:
        return self.now

    def bound_at(self, model: ChainModel, prices: np.ndarray, buckets: int) -> float:
        self.now += self.s_a_bucket * buckets
        return bound_at(model, prices, buckets)

    def leaf_bound(self, model: ChainModel, part: Part, prices: np.ndarray, buckets: int) -> float:
        self.now += self.s_a_bucket * buckets
        return leaf_bound(model, part, prices, buckets)


@pytest.mark.parametrize("s_a_bucket", [1e-6, 1e-3, 1e-2, 0.1, 10.0])
def test_a_bound_is_as_fine_as_its_time_allows(
    s_a_bucket: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, prices = priced(0)
    hands = Hands(s_a_bucket)
    monkeypatch.setattr(clocks, "time", hands)
    monkeypatch.setattr(clocks, "bound_at", hands.bound_at)
    clock = Clock(30.0)
    bound = clock.whole_bound(model, prices)
    assert bound == bound_at(model, prices, clock.buckets)
    finest = fine_buckets(model.ways)
    assert bound >= bound_at(model, prices, finest) * (1 - 1e-9)
    assert clock.is_coarse == (clock.buckets < finest)
    assert clock.is_coarse == (s_a_bucket > 1e-6)
    if clock.buckets > PROBE_BUCKETS:
        assert clock.used() <= 30.0
    if clock.buckets > COARSEST:
        assert clock.used() <= clocks.WHOLE_FRAC * 30.0
    assert clock.left() == pytest.approx(30.0 - hands.now)


def test_parts_whose_bounds_take_too_long_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    case = made(0, Size(12, 3, 4, 12, 2))
    model = replace(chain_model(case, blocks(case)), knapsacks=())
    master = Master(model, len(case.job_names))
    found = chain_prices(master, np.zeros(len(model.rows.names)), time_limit_s=3600.0)
    master.add_absences(sum(float(one.worth.max()) for one in model.ways))
    hands = Hands(1e-6)
    monkeypatch.setattr(clocks, "time", hands)
    monkeypatch.setattr(clocks, "bound_at", hands.bound_at)
    monkeypatch.setattr(divided, "leaf_bound", hands.leaf_bound)
    clock = Clock(30.0)
    clock.whole_bound(model, found.prices)
    division = Division(master, (found.prices, found.estimate), clock)
    monkeypatch.setattr(divided, "MOST_LEAVES", 3)
    assert division.go_on(0.0, 10.0)
    assert len(division.entries) > 3
    bound, entries = division.bound, division.entries
    hands.s_a_bucket = 20.0 / clock.leaf_buckets(model)  # that long for a part, of 30 s for all
    monkeypatch.setattr(divided, "MOST_LEAVES", 6)
    assert not division.go_on(0.0, 25.0)
    assert (division.bound, division.entries) == (bound, entries)
    assert hands.now < 30.0


def test_prices_that_are_too_high_for_a_part_are_eased() -> None:
    case = made(0, Size(12, 3, 4, 12, 2))
    model = chain_model(case, blocks(case))
    master = Master(model, len(case.job_names))
    found = chain_prices(master, np.zeros(len(model.rows.names)), time_limit_s=3600.0)
    clock = Clock(600.0)
    clock.whole_bound(model, found.prices)
    division = Division(master, (found.prices, found.estimate), clock)
    high = found.prices + 5.0 / np.maximum(np.abs(model.rows.bound), 1.0)
    finest = fine_buckets(model.ways)
    bounds = [leaf_bound(model, EVERY, prices, finest) for prices in (high, found.prices)]
    assert bounds[1] < bounds[0]
    leaf = Leaf(EVERY, high, found.estimate, np.zeros(12), found.prices)
    division.known[EVERY.number] = (bounds[0], finest)
    eased = division._refined(Split((leaf,), {}), 0.0, 600.0).leaves[0]
    proved = division.known[EVERY.number][0]
    assert proved == leaf_bound(model, EVERY, eased.prices, finest) == division.bound
    assert proved - bounds[1] < 0.2 * (bounds[0] - bounds[1])
    assert division.eased == {EVERY.number: divided.MOST_EASED}


def test_a_plan_out_of_time_states_the_bound_that_its_prices_prove() -> None:
    case = made(2)
    options = enumerate_options(case, chain_limit=0)
    found = plan_flexible(case, options, limits=Limits(time_limit_s=1e-3, gap_frac=0.0))
    prices = found.certificate.prices
    assert prices[FINENESS] == PROBE_BUCKETS
    again = proved_bound(case, prices, options=options)
    assert again == pytest.approx(found.certificate.bound, rel=1e-12)
    finer = proved_bound(case, dearest(prices), options=options)
    assert finer < again
    best = alone(case).objective
    assert best is not None
    assert again >= best
