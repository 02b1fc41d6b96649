"""Plans by insertion and ruin-and-recreate: feasible, repeatable, in time, near the best."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.cases import SIZES, Size, make_case
from planner.allocation.large.band import Bands, bands_of
from planner.allocation.large.board import Board
from planner.allocation.large.insertion import improve
from planner.allocation.large.relaxation import relax
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.row import Program
from planner.allocation.program.settle import is_feasible
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.drawn import drawn_case, optimum

MEDIUM = Size(20, 4, 5, 12, 4)


def both(case) -> tuple[Program, Bands]:
    options = enumerate_options(case)
    return build_program(case, options)[0], bands_of(case, options)


def point_of(bands: Bands, chosen: np.ndarray) -> np.ndarray:
    point = np.zeros(bands.columns)
    point[chosen] = 1.0
    return point


@pytest.mark.parametrize("seed", range(60))
def test_what_is_found_keeps_every_row(seed: int) -> None:
    program, bands = both(drawn_case(seed, jobs=10))
    found = improve(bands, relax(bands, rounds=100).prices, rounds=120, seed=seed)
    if found is not None:
        point = point_of(bands, found.chosen)
        assert is_feasible(program, point)
        assert program.columns.value @ point == pytest.approx(found.value, rel=1e-9)


def test_without_floors_there_is_always_a_plan_near_the_best() -> None:
    lost = []
    seeds = examples(30, 200)
    for seed in range(seeds):
        case = drawn_case(seed, floors=False)
        options = enumerate_options(case)
        if len(options.runs) == 0:
            continue
        bands = bands_of(case, options)
        best = optimum(case, options).objective
        found = improve(bands, relax(bands, rounds=100).prices, rounds=400, seed=seed)
        assert found is not None
        assert best is not None
        assert found.value <= best * (1 + 1e-9)
        if best > 0:
            lost.append(1 - found.value / best)
    assert len(lost) > seeds / 2
    assert np.mean(lost) < 0.01


def test_rounds_do_better_than_insertion_alone() -> None:
    _, bands = both(make_case(SIZES["25 jobs, 36 months"], 0))
    prices = relax(bands, rounds=300).prices
    alone, more = improve(bands, prices, rounds=0), improve(bands, prices, rounds=400)
    assert alone is not None
    assert more is not None
    assert more.value > 1.02 * alone.value


def test_a_floor_is_filled() -> None:
    teams = [T(), T(floor=2.0)]
    jobs = [J(team=0, value=9.0, tokens=20.0), J(team=1, value=0.1, tokens=60.0, nodes=(2, 4))]
    program, bands = both(build(Spec([P([(0, 28, 4)])], jobs, teams)))
    found = improve(bands, relax(bands, rounds=100).prices, rounds=100)
    assert found is not None
    assert is_feasible(program, point_of(bands, found.chosen))


def test_jobs_wait_for_others() -> None:
    jobs = [J(tokens=10.0, after=(1,), value=5.0), J(tokens=10.0, value=0.1)]
    program, bands = both(build(Spec([P([(0, 28, 4)])], jobs)))
    found = improve(bands, np.zeros(len(bands.bound)), rounds=50)
    assert found is not None
    assert found.value == pytest.approx(5.1)
    assert is_feasible(program, point_of(bands, found.chosen))


def test_the_same_seed_gives_the_same_plan() -> None:
    _, bands = both(make_case(MEDIUM, 1))
    prices = relax(bands, rounds=100).prices
    one, two = (improve(bands, prices, rounds=200, seed=4) for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.chosen.tolist() == two.chosen.tolist()


def test_the_time_limit_holds() -> None:
    _, bands = both(make_case(SIZES["100 jobs, 24 months"], 0))
    began = time.monotonic()
    found = improve(bands, np.zeros(len(bands.bound)), rounds=10_000_000, time_limit_s=0.3)
    assert time.monotonic() - began < 2.0
    assert found is not None


def test_an_interrupt_leaves_the_best_so_far() -> None:
    _, bands = both(make_case(MEDIUM, 0))
    seen: list[float] = []

    def stop(value: float) -> None:
        seen.append(value)
        if len(seen) == 3:
            raise KeyboardInterrupt

    found = improve(bands, np.zeros(len(bands.bound)), rounds=5000, on_better=stop)
    assert found is not None
    assert found.was_interrupted
    assert found.value == seen[-1]


def test_the_goal_ends_the_search() -> None:
    _, bands = both(make_case(MEDIUM, 0))
    alone = improve(bands, np.zeros(len(bands.bound)), rounds=0)
    assert alone is not None
    found = improve(bands, np.zeros(len(bands.bound)), rounds=5000, goal=alone.value)
    assert found is not None
    assert found.rounds == 0


def test_what_is_left_follows_every_change() -> None:
    _, bands = both(drawn_case(11, jobs=10))
    board = Board(bands, np.zeros(len(bands.bound)))
    dice = np.random.default_rng(0)
    for _ in range(60):
        group = int(dice.integers(0, len(bands.job)))
        if board.chosen[group] >= 0:
            board.put(group, int(board.chosen[group]), -1.0)
            continue
        fits = board.fitting(group)
        if fits.any():
            board.put(group, board.first[group] + int(fits.argmax()))
        used = board.order[board.chosen[board.chosen >= 0]]
        np.testing.assert_allclose(board.left, bands.bound - bands.activity(used), atol=1e-9)


def test_going_back_restores_every_look_up() -> None:
    _, bands = both(drawn_case(11, jobs=10))
    board = Board(bands, np.zeros(len(bands.bound)))
    dice = np.random.default_rng(1)
    for _ in range(30):
        before = board.state()
        left, cell, chosen = board.left.copy(), board.cell.copy(), board.chosen.copy()
        for group in dice.permutation(len(bands.job))[:4].tolist():
            if board.chosen[group] >= 0:
                board.put(group, int(board.chosen[group]), -1.0)
            elif board.fitting(group).any():
                board.put(group, board.first[group] + int(board.fitting(group).argmax()))
        if dice.random() < 0.5:
            board.restore(before)
            assert (board.left == left).all()
            assert (board.cell == cell).all()
            assert (board.chosen == chosen).all()
