"""Runs that are dropped as needless: the optimum stays, at the same cost."""

from __future__ import annotations

import numpy as np
import pytest

from planner.allocation.offer import run
from planner.allocation.offer.option import enumerate_options
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.drawn import drawn_case, optimum


def keep_all(case, grid, fits, end, reach):
    return np.zeros_like(fits)


@pytest.mark.parametrize("seed", range(60))
def test_dropping_needless_runs_keeps_value_and_cost(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = drawn_case(seed)
    fewer = enumerate_options(case)
    monkeypatch.setattr(run, "_needless", keep_all)
    every = enumerate_options(case)
    assert len(fewer.runs) <= len(every.runs)
    one, two = optimum(case, fewer), optimum(case, every)
    assert one.status == two.status
    if one.objective is not None and two.objective is not None:
        assert one.objective == pytest.approx(two.objective, rel=1e-9)
        assert one.cost == pytest.approx(two.cost, rel=1e-7, abs=1e-7)


def test_something_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [drawn_case(seed) for seed in range(60)]
    fewer = sum(len(enumerate_options(case).runs) for case in cases)
    monkeypatch.setattr(run, "_needless", keep_all)
    assert fewer < 0.9 * sum(len(enumerate_options(case).runs) for case in cases)


def test_a_run_within_the_same_period_with_fewer_nodes_is_enough() -> None:
    # 4 nodes 2 days or 1 node 6 days; weeks are the periods, and one node is the cheaper.
    case = build(Spec([P([(0, 28, 4)])], [J(tokens=6.0, nodes=(1, 4))]))
    assert set(enumerate_options(case).runs.nodes.tolist()) == {1}


def test_a_floor_keeps_every_run() -> None:
    spec = Spec([P([(0, 28, 4)])], [J(tokens=6.0, nodes=(1, 4))], [T(floor=0.1)])
    assert set(enumerate_options(build(spec)).runs.nodes.tolist()) == {1, 4}


def test_a_job_that_another_waits_for_keeps_its_early_ends() -> None:
    jobs = [J(tokens=6.0, nodes=(1, 4)), J(tokens=6.0, nodes=(1,), after=(0,))]
    runs = enumerate_options(build(Spec([P([(0, 28, 4)])], jobs))).runs
    assert set(runs.nodes[runs.job == 0].tolist()) == {1, 4}


def test_starts_side_by_side_are_those_of_each_pair() -> None:
    for seed in range(20):
        case = drawn_case(seed)
        pairs = np.arange(len(case.pair_job))
        days, counts = run.start_grid(case, pairs)
        for pair in pairs.tolist():
            assert days[pair][counts[pair]].tolist() == run.start_days(case, pair).tolist()


def test_runs_are_in_order_of_job_pool_nodes_and_start() -> None:
    for seed in range(20):
        case = drawn_case(seed)
        runs = enumerate_options(case).runs
        names = np.array(case.job_names)[runs.job], np.array(case.pool_names)[runs.pool]
        keys = list(
            zip(*(n.tolist() for n in names), runs.nodes.tolist(), runs.start_day.tolist(),
                runs.end_day.tolist(), strict=True)
        )  # fmt: skip
        assert keys == sorted(keys)
