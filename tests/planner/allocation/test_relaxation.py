"""Bounds by dual ascent: never below the optimum, near the relaxed program, recomputable."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.cases import SIZES, Size, make_case
from planner.allocation.large.band import bands_of
from planner.allocation.large.relaxation import relax
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.proof.certificate import Certificate, certified_bound
from planner.allocation.solver.price import bound_of, price_bound
from tests.planner.allocation.drawn import drawn_case, optimum

MEDIUM = Size(20, 4, 5, 12, 4)


@pytest.mark.parametrize("seed", range(40))
def test_the_bound_is_never_below_the_optimum(seed: int) -> None:
    case = drawn_case(seed)
    options = enumerate_options(case)
    if len(options.runs) == 0:
        return
    bands = bands_of(case, options)
    best = optimum(case, options).objective
    for rounds in (0, 10, 200):
        bound = relax(bands, rounds=rounds).bound
        assert best is None or bound >= best * (1 - 1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_nears_that_of_the_relaxed_program(seed: int) -> None:
    case = make_case(MEDIUM, seed)
    options = enumerate_options(case)
    program, _ = build_program(case, options)
    exact = price_bound(program)
    found = relax(bands_of(case, options), rounds=600)
    assert exact is not None
    assert exact * (1 - 1e-6) <= found.bound <= exact * 1.004


def test_working_sets_give_a_bound_for_every_column() -> None:
    case = make_case(SIZES["100 jobs, 24 months"], 1)
    options = enumerate_options(case)
    bands = bands_of(case, options)
    whole = relax(bands, rounds=400)
    parts = relax(bands, rounds=400, working=4000)
    assert parts.bound == pytest.approx(bands.bound_at(parts.prices), rel=1e-12)
    assert parts.bound == pytest.approx(whole.bound, rel=0.01)


def test_prices_prove_the_bound_without_a_solver() -> None:
    for seed in range(12):
        case = drawn_case(seed, jobs=8)
        options = enumerate_options(case)
        bands = bands_of(case, options)
        found = relax(bands, rounds=200)
        certificate = Certificate.of(bands, found.prices)
        assert certificate.bound == pytest.approx(found.bound, rel=1e-9)
        certified = certified_bound(case, certificate.prices)
        assert certified is not None
        assert certified <= found.bound * (1 + 1e-9)  # less where budgets kept whole prove more
        if not (case.consortium_budget >= 0).any():
            assert certified == pytest.approx(found.bound, rel=1e-9)


def test_prices_changed_by_anyone_still_bound_the_optimum() -> None:
    dice = np.random.default_rng(5)
    for seed in range(12):
        case = drawn_case(seed)
        options = enumerate_options(case)
        best = optimum(case, options).objective
        bands = bands_of(case, options)
        if best is None:
            continue
        wild = {name: float(dice.normal()) for name in bands.names if dice.random() < 0.5}
        wild["no_such_row"] = 3.0
        bound = certified_bound(case, wild)
        assert bound is not None
        assert bound >= best * (1 - 1e-9)


def test_the_program_confirms_the_bound() -> None:
    case = make_case(MEDIUM, 2)
    options = enumerate_options(case)
    program, _ = build_program(case, options)
    bands = bands_of(case, options)
    found = relax(bands, rounds=300)
    own = Certificate.of(bands, found.prices).prices
    best = dict(zip(bands.job.tolist(), bands.most(bands.profit(found.prices)).tolist(),
                    strict=True))  # fmt: skip
    prices = np.array([own.get(row.name, 0.0) for row in program.rows])
    for at, row in enumerate(program.rows):
        if row.family == "one_plan_a_job":
            prices[at] = best[int(row.name.removeprefix("one_plan_"))]
    # Rows that cannot be broken are not in the program: their prices only raise the bound.
    assert bound_of(program, prices) == pytest.approx(found.bound, rel=1e-3)


def test_the_same_rounds_give_the_same_prices() -> None:
    case = make_case(MEDIUM, 3)
    bands = bands_of(case, enumerate_options(case))
    one, two = relax(bands, rounds=150), relax(bands, rounds=150)
    assert (one.prices == two.prices).all()


def test_the_time_limit_holds() -> None:
    case = make_case(SIZES["100 jobs, 24 months"], 0)
    bands = bands_of(case, enumerate_options(case))
    began = time.monotonic()
    found = relax(bands, rounds=1_000_000, time_limit_s=0.3)
    assert time.monotonic() - began < 2.0
    assert found.bound == pytest.approx(bands.bound_at(found.prices), rel=1e-12)
