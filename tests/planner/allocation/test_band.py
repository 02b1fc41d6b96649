"""Rows as stretches of lines say the same as the rows of the program."""

from __future__ import annotations

import numpy as np
import pytest

from planner.allocation.large.band import Bands, bands_of, can_band
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.row import AT_LEAST, Program
from tests.planner.allocation.conftest import J, P, Spec, build
from tests.planner.allocation.drawn import drawn_case


def both(seed: int) -> tuple[Program, Bands]:
    case = drawn_case(seed, jobs=8)
    options = enumerate_options(case)
    assert can_band(options)
    return build_program(case, options)[0], bands_of(case, options)


@pytest.mark.parametrize("seed", range(40))
def test_every_row_of_the_program_is_a_row_of_a_line(seed: int) -> None:
    program, bands = both(seed)
    at = {name: row for row, name in enumerate(bands.names)}
    assert len(at) == len(bands.names)
    point = np.random.default_rng(seed).random(bands.columns) < 0.3
    activity = bands.activity(np.flatnonzero(point))
    for row in program.rows:
        if row.family == "one_plan_a_job":
            continue
        mine = at[row.name]
        total = float(point[row.columns] @ row.coefficients)
        assert activity[mine] / bands.factor[mine] == pytest.approx(total, rel=1e-9, abs=1e-7)
        assert bands.bound[mine] / bands.factor[mine] == pytest.approx(row.bound, rel=1e-12)
        assert (bands.factor[mine] < 0) == (row.sense == AT_LEAST)


@pytest.mark.parametrize("seed", range(40))
def test_profit_is_value_less_priced_rows(seed: int) -> None:
    program, bands = both(seed)
    dice = np.random.default_rng(seed)
    own = {row.name: dice.random() for row in program.rows if row.family != "one_plan_a_job"}
    expected = program.columns.value.copy()
    for row in program.rows:
        if row.name in own:
            sign = -1.0 if row.sense == AT_LEAST else 1.0
            np.subtract.at(expected, row.columns, sign * own[row.name] * row.coefficients)
    scaled = np.array([own.get(name, 0.0) for name in bands.names]) / np.abs(bands.factor)
    np.testing.assert_allclose(bands.profit(scaled), expected, rtol=1e-9, atol=1e-7)


def test_jobs_are_groups_of_columns_side_by_side() -> None:
    for seed in range(10):
        program, bands = both(seed)
        rows = {row.name: row for row in program.rows if row.family == "one_plan_a_job"}
        assert len(rows) == len(bands.job)
        for group, job in enumerate(bands.job.tolist()):
            mine = np.arange(bands.first[group], bands.first[group + 1])
            assert sorted(rows[f"one_plan_{job}"].columns.tolist()) == mine.tolist()


def test_a_part_prices_its_columns_alike() -> None:
    _, bands = both(3)
    columns = np.arange(0, bands.columns, 3)
    prices = np.random.default_rng(0).random(len(bands.bound))
    part = bands.part(columns)
    np.testing.assert_allclose(part.profit(prices), bands.profit(prices)[columns])
    assert part.columns == len(columns)
    assert part.first[-1] == len(columns)


def test_jobs_that_pause_have_no_bands() -> None:
    assert not can_band(enumerate_options(build(Spec([P([(0, 28, 4)])], [J(preemptible=True)]))))
