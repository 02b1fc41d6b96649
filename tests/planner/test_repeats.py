"""Combinations of columns are told apart exactly, and lead back to every row."""

from __future__ import annotations

import numpy as np
import pytest

from planner.repeats import Matrix, distinct, in_pieces


@pytest.mark.parametrize("most", [1, 2, 17, 2**40])
def test_every_row_finds_its_combination(most: int) -> None:
    dice = np.random.default_rng(most)
    columns = {name: dice.choice([-3, 0, 1, most], 2_000) for name in "abcdefg"}
    cells, place = distinct(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(cells[name][place], column)
    rows = np.unique(np.column_stack(list(columns.values())), axis=0)
    assert len(cells["a"]) == len(rows)


def test_equal_neighbours_and_single_columns() -> None:
    cells, place = distinct({"tp": np.array([4, 4, 4, 2, 2, 4])})
    assert cells["tp"].tolist() == [4, 2]
    assert place.tolist() == [0, 0, 0, 1, 1, 0]


def test_no_rows_have_no_combinations() -> None:
    cells, place = distinct({"tp": np.zeros(0, dtype=np.int64), "pp": np.zeros(0, dtype=np.int64)})
    assert len(cells["tp"]) == len(cells["pp"]) == len(place) == 0


def test_pieces_and_spreading_lead_back_to_every_row() -> None:
    column = np.random.default_rng(1).integers(0, 30_000, 50_000)
    cells, place = distinct({"value": column})
    priced = in_pieces(lambda some: {"square": np.square(some["value"].astype(np.float64))}, cells)
    np.testing.assert_array_equal(Matrix(priced).gather(place)["square"], np.square(column))
