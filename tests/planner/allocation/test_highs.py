"""HiGHS with a good plan in hand: looked for is what is better, and what is not is proved."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cases import Size, make_case
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.row import Program, row_of
from planner.allocation.program.settle import is_feasible
from planner.allocation.solver.highs import highs
from planner.allocation.solver.task import Task
from tests.planner.allocation.drawn import drawn_case

SMALL = Size(12, 3, 4, 8, 3)


def made(seed: int) -> Program:
    case = make_case(SMALL, seed)
    return build_program(case, enumerate_options(case))[0]


def some_point(program: Program, seed: int) -> np.ndarray:
    """A plan by chance: columns in any order as far as they fit."""
    point = np.zeros(len(program.columns.names))
    for column in np.random.default_rng(seed).permutation(len(point))[:40].tolist():
        point[column] = 1.0
        if not is_feasible(program, point):
            point[column] = 0.0
    return point


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("gap", [0.0, 0.01, 0.2])
def test_a_good_start_changes_neither_the_best_nor_the_proof(seed: int, gap: float) -> None:
    program = made(seed)
    minimise = -program.columns.value
    best = highs(Task(program, minimise)).claimed
    for start in (some_point(program, seed), highs(Task(program, minimise)).point):
        answer = highs(Task(program, minimise, gap_frac=gap, start=np.round(start),
                            is_start_good=True))  # fmt: skip
        assert not answer.says_infeasible
        worth = float(minimise @ answer.point)
        assert answer.claimed == pytest.approx(worth, rel=1e-6)
        assert answer.bound <= best + 1e-6 * abs(best)
        assert worth - answer.bound <= (gap + 2e-6) * abs(worth)
        assert worth <= float(minimise @ start) + 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_a_good_start_changes_nothing_whatever_the_rules(seed: int) -> None:
    case = drawn_case(seed)
    program, _ = build_program(case, enumerate_options(case))
    if len(program.columns.names) == 0:
        pytest.skip("no job has a choice")
    minimise = -program.columns.value
    plain = highs(Task(program, minimise))
    if plain.point is None:
        pytest.skip("no plan exists")
    start = np.round(plain.point)
    for one in (start, start * 0.0):
        if is_feasible(program, one):
            answer = highs(Task(program, minimise, start=one, is_start_good=True))
            assert float(minimise @ answer.point) == pytest.approx(plain.claimed, rel=1e-6)
            assert answer.bound == pytest.approx(plain.bound, rel=1e-6, abs=1e-9)


def test_what_breaks_a_row_is_no_start() -> None:
    program = made(0)
    minimise = -program.columns.value
    too_much = np.ones(len(minimise))
    answer = highs(Task(program, minimise, start=too_much, is_start_good=True))
    assert is_feasible(program, np.round(answer.point))
    best = highs(Task(program, minimise))
    assert answer.claimed == pytest.approx(best.claimed, rel=1e-6)
    start = np.round(best.point)
    chosen = np.flatnonzero(start)
    less = row_of("less", chosen, 1.0, family="any", group="any", sentence="any",
                  bound=len(chosen) - 1)  # fmt: skip
    answer = highs(Task(program, minimise, extra=(less,), start=start, is_start_good=True))
    assert float(answer.point[chosen].sum()) <= len(chosen) - 1 + 1e-6
    assert not np.array_equal(np.round(answer.point), start)


def test_no_time_leaves_the_start_with_a_bound_that_holds() -> None:
    case = make_case(Size(60, 6, 6, 18, 6), 1)
    program, _ = build_program(case, enumerate_options(case))
    minimise = -program.columns.value
    start = some_point(program, 1)
    answer = highs(Task(program, minimise, start=start, is_start_good=True, time_limit_s=0.01))
    assert np.array_equal(answer.point, start)
    assert answer.bound is None or answer.bound <= float(minimise @ start)


def test_progress_is_never_behind_the_start() -> None:
    case = make_case(Size(24, 4, 4, 10, 4), 0)
    program, _ = build_program(case, enumerate_options(case))
    minimise = -program.columns.value
    start, seen = some_point(program, 0), []
    highs(Task(program, minimise, start=start, is_start_good=True, gap_frac=0.0,
               on_progress=seen.append, time_limit_s=20.0))  # fmt: skip
    told = [one for one in seen if one.bound is not None and one.point is None]
    assert told
    assert all(one.objective <= float(minimise @ start) + 1e-9 for one in told)
    assert all(one.bound <= one.objective + 1e-9 for one in told)
