"""Budgets that cannot pay for all jobs of a consortium: sets, least costs and bounds, checked."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from planner.allocation.flexible.bound import bound_at, chain_bound
from planner.allocation.flexible.knapsack import (
    CELLS,
    MOST_JOBS,
    NOBODY,
    Knapsack,
    budget_knapsacks,
    earned_most,
)
from planner.allocation.flexible.master import Master, path_terms
from planner.allocation.flexible.model import ChainModel, chain_model
from planner.allocation.flexible.parts import EVERY, Part, leaf_bound
from planner.allocation.flexible.plan import plan_flexible
from planner.allocation.flexible.prices import chain_prices, paths_at
from planner.allocation.flexible.value import NEVER
from planner.allocation.offer.block import blocks
from planner.allocation.offer.option import enumerate_options
from planner.allocation.solver.solve import Limits
from planner.case import Case
from tests.planner.allocation.drawn import drawn_case, optimum

EVERY_CHAIN = 10_000_000


def short(seed: int, part: float) -> Case:
    """A case whose jobs may change, with budgets that are a part of what its jobs cost."""
    case = drawn_case(seed, floors=False)
    many = len(case.job_names)
    case = replace(case, job_flexible=np.ones(many, dtype=np.bool_),
                   job_move_days=np.ones(many, dtype=np.int64))  # fmt: skip
    days = case.point_tokens_per_s * 86400.0 / case.job_tokens[case.point_job]
    least = np.full(many, np.inf)
    np.minimum.at(least, case.point_job, np.ceil(1.0 / days) * case.point_cost_per_day)
    least[~np.isfinite(least)] = 0.0
    teams = len(case.consortium_names)
    asked = np.bincount(case.job_consortium, weights=least, minlength=teams)
    return replace(case, consortium_budget=part * asked)


def best_set(one: Knapsack, earned: np.ndarray, must: set[int], never: set[int]) -> float:
    """The most that any set earns, by trying all."""
    most = NEVER
    for bits in itertools.product((False, True), repeat=len(one.jobs)):
        chosen = np.array(bits)
        jobs = set(one.jobs[chosen].tolist())
        if must <= jobs and not jobs & never and one.weight[chosen].sum() <= CELLS:
            most = max(most, float(earned[chosen].sum()))
    return most


@pytest.mark.parametrize("seed", range(60))
def test_the_best_set_is_that_of_trying_all(seed: int) -> None:
    dice = np.random.default_rng(seed)
    many = int(dice.integers(1, 9))
    one = Knapsack(dice.permutation(30)[:many], dice.integers(0, CELLS + 2, many) // (1 + seed % 3))
    earned = dice.normal(1.0, 1.0, many)
    marks = dice.integers(0, 4, many)
    must, never = set(one.jobs[marks == 0].tolist()), set(one.jobs[marks == 1].tolist())
    value, chosen = one.best(earned, frozenset(must), frozenset(never))
    assert value == pytest.approx(best_set(one, earned, must, never), rel=1e-12)
    assert one.holds(frozenset(must)) == (value > NEVER)
    if value > NEVER:
        assert earned[chosen].sum() == pytest.approx(value, rel=1e-12, abs=1e-12)
        assert one.weight[chosen].sum() <= CELLS
        filled = one.filled(chosen, np.arange(many))
        assert (filled | ~chosen).all()
        assert one.weight[filled].sum() <= CELLS
        assert not (one.weight[~filled] <= CELLS - one.weight[filled].sum()).any()


@pytest.mark.parametrize("seed", range(20))
def test_no_plan_costs_less_than_its_job_is_said_to(seed: int) -> None:
    case = short(seed, 0.6)
    model = chain_model(case, blocks(case))
    weight = {
        job: cells
        for one in model.knapsacks
        for job, cells in zip(one.jobs.tolist(), one.weight.tolist(), strict=True)
    }
    rows, near, dice = model.rows, [], np.random.default_rng(seed)
    for draw in range(4):
        prices = dice.random(len(rows.names)) * 3.0**draw / np.maximum(np.abs(rows.bound), 1.0)
        if draw == 3:  # money alone counts, and much more than what is done late
            prices = np.where(np.isin(np.arange(len(prices)), list(rows.budgets.values())), 1e3, 0)
        found = paths_at(model, EVERY, prices, 400, np.inf)
        assert found is not None
        for path in found[0]:
            row, _, amount = path_terms(rows, [path])
            budget = rows.budgets[int(case.job_consortium[path.job])]
            cost = float(amount[row == budget].sum())
            if path.job in weight:
                least = weight[path.job] / CELLS * rows.bound[budget]
                assert cost >= least
                if least > 0 and weight[path.job] < 2 * CELLS:  # beyond, no more is told
                    near.append(least > 0.95 * cost)
    assert len(near) == 0 or any(near)


@pytest.mark.parametrize("seed", range(30))
def test_bounds_that_keep_budgets_whole_hold_for_every_plan(seed: int) -> None:
    case = short(seed, 0.3 + 0.05 * (seed % 10))
    best = optimum(case, enumerate_options(case, chain_limit=EVERY_CHAIN))
    assert best.objective is not None
    model, dice = chain_model(case, blocks(case)), np.random.default_rng(seed)
    for draw in range(3):
        scale = 0.3 * 3.0**draw / np.maximum(np.abs(model.rows.bound), 1e-9)
        prices = dice.random(len(scale)) * scale * (dice.random(len(scale)) < 0.5)
        named = dict(zip(model.rows.names, prices.tolist(), strict=True))
        bound = chain_bound(case, blocks(case), named)
        assert bound >= best.objective * (1 - 1e-9) - 1e-9
        loose = bound_at(replace(model, knapsacks=()), prices, 600)
        assert bound_at(model, prices, 600) <= loose * (1 + 1e-12)
        threaded = bound_at(replace(model, threads=3), prices, 600)
        assert threaded == bound_at(replace(model, threads=1), prices, 600)


def mixed(model: ChainModel, jobs: int) -> tuple[float, float]:
    """The bound at the best prices, and the value of the best mixture."""
    master = Master(model, jobs)
    found = chain_prices(master, np.zeros(len(model.rows.names)), time_limit_s=3600.0)
    return bound_at(model, found.prices, 1500), found.mixture


def test_whole_budgets_prove_more_than_their_prices_do() -> None:
    """Where budgets are short, and mixtures would serve parts of jobs."""
    nearer = []
    for seed in range(12):
        case = short(seed, 0.5)
        model = chain_model(case, blocks(case))
        if not model.knapsacks:
            continue
        bound, mixture = mixed(model, len(case.job_names))
        loose, looser = mixed(replace(model, knapsacks=()), len(case.job_names))
        assert mixture <= looser * (1 + 1e-6)
        best = optimum(case, enumerate_options(case, chain_limit=EVERY_CHAIN)).objective
        assert best is not None
        assert bound >= best - 1e-9
        if loose > best * (1 + 1e-3):
            nearer.append((loose - bound) / (loose - best))
    assert len(nearer) >= 4
    assert np.mean(nearer) > 0.3


def test_a_part_whose_jobs_no_budget_pays_for_together_has_no_plan() -> None:
    case = short(3, 0.5)
    model = chain_model(case, blocks(case))
    one = next(iter(model.knapsacks))
    part = Part(2, frozenset(one.jobs.tolist()), frozenset())
    assert leaf_bound(model, part, np.zeros(len(model.rows.names)), 100) == NEVER
    assert earned_most((one,), one.jobs.tolist(), [1.0] * len(one.jobs), part.served, NOBODY) < 0


def test_many_jobs_and_no_budgets_have_no_sets() -> None:
    case = short(3, 0.5)
    model = chain_model(case, blocks(case))
    assert model.knapsacks
    many = [*model.ways] * (MOST_JOBS // len(model.ways) + 1)
    assert budget_knapsacks(model.rows, many) == ()
    free = replace(case, consortium_budget=np.full(len(case.consortium_names), -1.0))
    assert chain_model(free, blocks(free)).knapsacks == ()


@pytest.mark.parametrize("seed", range(6))
def test_plans_with_short_budgets_are_between_nothing_and_their_bound(seed: int) -> None:
    case = short(seed, 0.5)
    best = optimum(case, enumerate_options(case, chain_limit=EVERY_CHAIN)).objective
    assert best is not None
    few = enumerate_options(case, chain_limit=0)
    found = plan_flexible(case, few, limits=Limits(time_limit_s=1.0, gap_frac=0.0)).solution
    assert found.objective is not None
    assert found.bound is not None
    assert found.objective <= best + 1e-9 <= found.bound + 2e-9
