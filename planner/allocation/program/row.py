"""Rows and columns of the integer program as plain arrays, before PuLP sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Floats, Ints, seal

__all__ = ["AT_LEAST", "AT_MOST", "EQUAL", "ColumnTable", "Program", "Row", "row_of", "violation"]

AT_MOST, EQUAL, AT_LEAST = -1, 0, 1


@dataclass(frozen=True)
class Row:
    """
    One constraint, sum of coefficient times column against `bound`.

    `family` is the function that made it; `group` names the promise as a planner speaks of
    it, for the search of conflicts; `sentence` says what this row asks. `repair` tells how
    much of what would have to be given to relax the row by one.
    """

    name: str
    family: str
    group: str
    sense: int
    bound: float
    columns: Ints  # [term]
    coefficients: Floats  # [term]
    sentence: str
    repair: str = ""
    unit: float = 1.0  # one unit of the row in the unit of `repair`


@dataclass(frozen=True)
class ColumnTable:
    """Variables, all between 0 and `upper`, in the order in which the solver sees them."""

    names: tuple[str, ...]  # [column]
    upper: Floats  # [column]
    is_integer: Bools  # [column]
    value: Floats  # [column] weighted worth of one unit
    cost: Floats  # [column] cost of one unit, in the scenario's currency

    def __post_init__(self) -> None:
        seal(self)


@dataclass(frozen=True)
class Program:
    """An integer program: maximise value, and among equals minimise cost."""

    columns: ColumnTable
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        terms = sum(len(row.columns) for row in self.rows)
        return f"Program of {len(self.columns.names)} columns, {len(self.rows)} rows, {terms} terms"


def row_of(
    name: str,
    columns: Ints,
    coefficients: Floats | float,
    *,
    family: str,
    group: str,
    sentence: str,
    sense: int = AT_MOST,
    bound: float = 1.0,
    repair: str = "",
    unit: float = 1.0,
) -> Row:
    """A row with its terms as arrays; one coefficient may stand for all, terms of a column add."""
    columns = np.asarray(columns, dtype=np.int64)
    coefficients = np.broadcast_to(np.asarray(coefficients, dtype=np.float64), columns.shape)
    if (np.diff(columns) <= 0).any():  # else every column has one term
        own, place = np.unique(columns, return_inverse=True)
        if len(own) < len(columns):
            columns = own
            coefficients = np.bincount(place.ravel(), weights=coefficients).astype(np.float64)
    return Row(
        name, family, group, sense, float(bound), columns, coefficients, sentence, repair, unit
    )


def violation(row: Row, point: Floats) -> float:
    """By how much a point breaks a row, in the row's unit; 0 when it holds."""
    activity = float(point[row.columns] @ row.coefficients)
    over = activity - row.bound
    if row.sense == AT_MOST:
        return max(over, 0.0)
    if row.sense == AT_LEAST:
        return max(-over, 0.0)
    return abs(over)
