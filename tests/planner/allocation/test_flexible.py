"""Jobs that may change on the way: values by recursion, bounds by prices and plans, all checked."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases import Size, make_case
from planner.allocation.flexible import divided, plan
from planner.allocation.flexible.bound import bound_at, chain_bound
from planner.allocation.flexible.master import Master
from planner.allocation.flexible.model import chain_model
from planner.allocation.flexible.parts import (
    FINENESS,
    Part,
    dearest,
    leaf_bound,
    parts_bound,
    written,
)
from planner.allocation.flexible.path import best_starts, followed
from planner.allocation.flexible.plan import plan_flexible
from planner.allocation.flexible.prices import chain_prices
from planner.allocation.flexible.rows import LinkRows, link_rows
from planner.allocation.flexible.split import split
from planner.allocation.flexible.value import chain_values
from planner.allocation.flexible.ways import Costs, Ways, all_ways, costs_of
from planner.allocation.offer.block import blocks, nests
from planner.allocation.offer.option import Options, enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.settle import is_feasible
from planner.allocation.proof.witness import proved_bound
from planner.allocation.solver.interrupt import held
from planner.allocation.solver.solve import Limits
from planner.case import Case
from tests.planner.allocation.drawn import drawn_case, optimum

EVERY = 10_000_000


def flexible(case: Case, move_days: int = 1, part: float = 1.0, seed: int = 0) -> Case:
    """The case with jobs that may change, or a part of them."""
    many = len(case.job_names)
    may = np.random.default_rng(seed).random(many) < part
    return replace(case, job_flexible=may, job_move_days=np.full(many, move_days))


def profits(case: Case, options: Options, rows: LinkRows, prices: np.ndarray) -> dict[int, float]:
    """The most that each job's plans earn at prices, plan by plan and row by row."""
    program, register = build_program(case, options)
    named = dict(zip(rows.names, prices.tolist(), strict=True))
    profit = program.columns.value.copy()
    for row in program.rows:
        price = named.get(row.name, 0.0) * (-1.0 if row.sense > 0 else 1.0)
        np.subtract.at(profit, row.columns, price * row.coefficients)
    owner = np.concatenate([options.runs.job, options.chains.job])
    found = {job: -np.inf for job in owner.tolist()}
    for job, amount in zip(owner.tolist(), profit.tolist(), strict=False):
        found[job] = max(found[job], amount)
    assert register.offsets["chain"] == len(options.runs)
    return found


def told_rows(case: Case, rows: LinkRows) -> np.ndarray:
    """Rows that a program of every plan has too; it leaves out those that nothing can break."""
    program, _ = build_program(case, enumerate_options(case, keeps_all=True, chain_limit=EVERY))
    return np.isin(np.array(rows.names), [row.name for row in program.rows])


def drawn_prices(rows: LinkRows, seed: int) -> np.ndarray:
    """Prices of about the size at which plans just pay."""
    dice = np.random.default_rng(seed)
    scale = np.where(np.abs(rows.bound) > 0, np.abs(rows.bound), 1.0)
    return dice.random(len(rows.bound)) * (dice.random(len(rows.bound)) < 0.6) / scale


def both(case: Case, ways: Ways, costs: Costs, buckets: int) -> tuple[float, float]:
    """The value rounded down and rounded up."""
    low = chain_values(ways, costs, buckets, is_bound=False).best
    return low, chain_values(ways, costs, buckets, is_bound=True).best


@pytest.mark.parametrize("seed", range(60))
def test_values_enclose_the_best_of_every_plan_listed(seed: int) -> None:
    case = flexible(drawn_case(seed), seed % 3, 0.8, seed)
    options = enumerate_options(case, keeps_all=True, chain_limit=EVERY)
    pool_blocks = blocks(case)
    rows, ways = link_rows(case, pool_blocks), all_ways(case, pool_blocks)
    prices = drawn_prices(rows, seed) * told_rows(case, rows)
    best = profits(case, options, rows, prices)
    tariff = rows.tariff(prices)
    earns = bool(rows.floors)
    assert {one.job for one in ways} >= set(best)
    for one in ways:
        costs = costs_of(case, one, tariff, may_earn=earns)
        if one.job not in best:
            assert chain_values(one, costs, 50, is_bound=True).best < 1.0
            continue
        low, high = both(case, one, costs, 4000)
        exact = best[one.job]
        slack = 1e-9 * max(1.0, abs(exact))
        assert low <= exact + slack or not costs.is_rising
        assert high >= exact - slack
        coarse = chain_values(one, costs, 7, is_bound=True).best
        assert coarse >= exact - slack


@pytest.mark.parametrize("seed", range(40))
def test_with_fine_buckets_the_value_is_that_of_the_best_plan(seed: int) -> None:
    case = flexible(drawn_case(seed, floors=False), 1)
    options = enumerate_options(case, keeps_all=True, chain_limit=EVERY)
    pool_blocks = blocks(case)
    rows, ways = link_rows(case, pool_blocks), all_ways(case, pool_blocks)
    prices = drawn_prices(rows, seed) * told_rows(case, rows)
    best = profits(case, options, rows, prices)
    tariff = rows.tariff(prices)
    near = []
    for one in ways:
        costs = costs_of(case, one, tariff, may_earn=False)
        if one.job in best:
            values = chain_values(one, costs, 20_000, is_bound=False)
            paths = [followed(one, costs, values, *at) for at in best_starts(one, values, 9)]
            profit = max(path.profit for path in paths if path is not None)
            assert profit <= best[one.job] + 1e-9
            near.append(profit >= best[one.job] - 1e-6)
    assert np.mean(near) > 0.7 or len(near) < 3


@pytest.mark.parametrize("seed", range(40))
def test_a_followed_plan_earns_what_is_told_at_least(seed: int) -> None:
    case = flexible(drawn_case(seed), seed % 3)
    pool_blocks = blocks(case)
    rows, ways = link_rows(case, pool_blocks), all_ways(case, pool_blocks)
    tariff = rows.tariff(np.zeros(len(rows.bound)))
    for one in ways:
        costs = costs_of(case, one, tariff, may_earn=False)
        values = chain_values(one, costs, 60, is_bound=False)
        for period, way in best_starts(one, values, 3):
            path = followed(one, costs, values, period, way)
            assert path is not None
            told = float(values.start[period, way])
            assert path.profit >= told - 1e-9 * max(1.0, abs(told))


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.slow
def test_bounds_at_any_prices_are_above_the_optimum(seed: int) -> None:
    case = flexible(drawn_case(seed), 1)
    options = enumerate_options(case, chain_limit=EVERY)
    found = optimum(case, options)
    if found.objective is None:
        pytest.skip("nothing keeps the floors of this case")
    pool_blocks = blocks(case)
    rows = link_rows(case, pool_blocks)
    for draw in range(4):
        prices = drawn_prices(rows, 10 * seed + draw) * 3.0**draw
        named = dict(zip(rows.names, prices.tolist(), strict=True))
        assert chain_bound(case, pool_blocks, named) >= found.objective - 1e-9
        coarse = bound_at(chain_model(case, pool_blocks), prices, 11)
        assert coarse >= found.objective - 1e-9


@pytest.mark.parametrize("seed", range(14))
def test_plans_keep_every_row_and_are_no_better_than_the_optimum(seed: int) -> None:
    case = flexible(drawn_case(seed), 1)
    options = enumerate_options(case, chain_limit=EVERY)
    best = optimum(case, options)
    if best.objective is None or not all(nests(here) for here in options.blocks):
        pytest.skip("nothing keeps the floors of this case")
    few = enumerate_options(case, chain_limit=0)
    made = plan_flexible(case, few, limits=Limits(time_limit_s=2.0, gap_frac=0.0))
    found = made.solution
    assert found.point is not None
    assert is_feasible(made.program, found.point)
    assert found.objective is not None
    assert found.bound is not None
    assert found.objective <= best.objective + 1e-9 <= found.bound + 2e-9
    if not few.is_whole:
        again = proved_bound(case, made.certificate.prices, options=few)
        assert again == pytest.approx(made.certificate.bound, rel=1e-12)


def made_flexible(seed: int, jobs: int = 12) -> Case:
    """A made-up case of a dozen jobs, all flexible."""
    return flexible(make_case(Size(jobs, 4, 4, 12, 3), seed))


def test_the_same_seed_gives_the_same_plan_whatever_the_clock_says() -> None:
    case = made_flexible(3)
    options = enumerate_options(case, chain_limit=0)
    limits = Limits(time_limit_s=600.0, gap_frac=0.2, seed=5)
    one, two = (plan_flexible(case, options, limits=limits) for _ in range(2))
    assert one.solution.objective == two.solution.objective
    assert one.certificate.prices == two.certificate.prices


def test_more_may_be_done_where_jobs_may_change() -> None:
    case = made_flexible(1)
    fixed = replace(case, job_flexible=np.zeros(12, dtype=np.bool_))
    best = optimum(fixed, enumerate_options(fixed))
    options = enumerate_options(case, chain_limit=0)
    made = plan_flexible(case, options, limits=Limits(time_limit_s=10.0, gap_frac=0.01))
    assert best.objective is not None
    assert made.solution.objective is not None
    assert made.certificate.bound >= best.objective
    assert made.solution.objective >= 0.97 * best.objective


def test_a_changed_price_proves_another_bound() -> None:
    case = made_flexible(2)
    options = enumerate_options(case, chain_limit=0)
    made = plan_flexible(case, options, limits=Limits(time_limit_s=6.0, gap_frac=0.05))
    prices = dict(made.certificate.prices)
    name = max(prices, key=lambda one: prices[one])
    prices[name] *= 1.5
    changed = proved_bound(case, prices, options=options)
    assert abs(changed - made.certificate.bound) > 1e-6 * made.certificate.bound


@pytest.mark.parametrize("seed", range(12))
def test_bounds_by_parts_hold_for_every_plan(seed: int) -> None:
    case = flexible(drawn_case(seed, floors=False), 1)
    best = optimum(case, enumerate_options(case, chain_limit=EVERY))
    assert best.objective is not None
    model = chain_model(case, blocks(case))
    rows, jobs = model.rows, [one.job for one in model.ways]
    if len(jobs) < 2:
        pytest.skip("one job alone has plans")
    decides = {1: jobs[0], 2: jobs[1], 3: jobs[-1]}
    leaves = [(part, drawn_prices(rows, seed + part)) for part in (4, 5, 6, 7)]
    prices = written(rows.names, leaves, decides)
    bound = parts_bound(model, prices, 200, 200)
    assert bound is not None
    assert bound >= best.objective - 1e-9
    alone = [Part(4, frozenset(jobs[:2]), frozenset()), Part(6, frozenset({jobs[-1]}),
             frozenset({jobs[0]}))]  # fmt: skip
    assert bound >= max(leaf_bound(model, part, dict(leaves)[part.number], 200) for part in alone)
    del prices["part 1: job"]
    assert parts_bound(model, prices, 200, 200) is None


def test_the_dearest_price_over_the_parts_is_what_one_more_is_worth() -> None:
    prices = {"budget_0": 9.0, "part 1: job": 3.0, "part 2: budget_0": 1.0,
              "part 3: budget_0": 2.0, "part 3: pool_0_0": 4.0}  # fmt: skip
    assert dearest(prices) == {"budget_0": 2.0, "pool_0_0": 4.0}
    assert dearest({"budget_0": 9.0}) == {"budget_0": 9.0}


def test_parts_prove_more_than_the_whole_does() -> None:
    """By numbers of rounds and parts, so that a slow machine proves as much."""
    case = made_flexible(0)
    model = replace(chain_model(case, blocks(case)), knapsacks=())
    master, rows = Master(model, len(case.job_names)), model.rows
    none = np.zeros(len(rows.names))
    priced = chain_prices(master, none, stages=((100, 40),), time_limit_s=3600.0)
    whole = bound_at(model, priced.prices, 600)
    master.add_absences(sum(float(one.worth.max()) for one in model.ways))
    found = split(master, (priced.prices, priced.estimate), reach=lambda leaf: leaf.estimate,
                  goal=0.0, buckets=250, most=8, time_limit_s=3600.0)  # fmt: skip
    assert len(found.leaves) == 8
    bound = max(leaf_bound(model, leaf.part, leaf.prices, 600) for leaf in found.leaves)
    assert bound < whole * (1 - 1e-4)
    leaves = [(leaf.part.number, leaf.prices) for leaf in found.leaves]
    prices = written(rows.names, leaves, found.divided)
    assert parts_bound(model, prices, 600, 600) == pytest.approx(bound, rel=1e-12)
    number = next(name for name in prices if name.endswith(": job"))
    assert case.job_names[int(prices[number])]
    finer = {leaf.part.number: 1200 for leaf in found.leaves}
    prices = written(rows.names, leaves, found.divided, finer)
    assert parts_bound(model, prices, 600, 600) == pytest.approx(bound, rel=1e-12)
    assert parts_bound(model, prices, 600, 1200) < bound
    assert FINENESS not in dearest(prices)


@pytest.mark.parametrize(("place", "name"), [(plan, "search"), (divided, "leaf_bound")])
def test_an_interrupt_ends_the_search_and_the_bounds_at_once(
    place: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = flexible(make_case(Size(25, 4, 6, 24, 3), 1))
    asked, long_step = [], getattr(place, name)

    def interrupted(*given: object, **named: object) -> object:
        asked.append(time.monotonic())
        if len(asked) == (2 if name == "search" else 1):  # the first search is a short one
            signal.raise_signal(signal.SIGINT)
        return long_step(*given, **named)

    monkeypatch.setattr(place, name, interrupted)
    with held():
        found = plan_flexible(case, enumerate_options(case),
                              limits=Limits(time_limit_s=30.0, gap_frac=0.0))  # fmt: skip
    took = time.monotonic() - asked[1 if name == "search" else 0]
    assert took < 2.0, took  # of half a minute; what is begun is finished first
    assert found.solution.objective is not None
    assert found.solution.bound is not None
    assert proved_bound(case, found.certificate.prices) >= found.solution.objective * (1 - 1e-9)
