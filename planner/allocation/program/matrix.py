"""A program as the arrays that a solver takes in one go, without an object a term."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.column import Floats, Ints
from planner.allocation.program.row import AT_LEAST, AT_MOST, Program, Row

Ints32 = npt.NDArray[np.int32]

__all__ = ["Matrix", "matrix_of", "once", "row_factor", "scale_of"]


@dataclass(frozen=True)
class Matrix:
    """
    A minimisation by rows: lower_i <= sum of terms of row i <= upper_i, columns from 0 up.

    Columns come in the order of the program; rows too, those without a term left out.
    """

    cost: Floats  # [column] scaled, so that the largest lies near 1
    most: Floats  # [column] upper bounds
    is_integer: Ints32  # [column] 1 for whole columns
    lower: Floats  # [row]
    upper: Floats  # [row]
    first: Ints32  # [row + 1] where each row's terms begin
    column: Ints32  # [term]
    amount: Floats  # [term]


def matrix_of(program: Program, minimise: Floats, *, extra: Iterable[Row] = ()) -> Matrix:
    """
    The arrays of a program, scaled as `problem.to_pulp` scales it.

    Parameters
    ----------
    program : Program
        Columns and rows.
    minimise : ndarray [column]
        Objective, in any unit; it is scaled so that its largest coefficient lies near 1.
    extra : iterable of Row
        Rows beside the program's own.

    Returns
    -------
    Matrix
        A column that a row names twice has the sum of its amounts there, once.
    """
    rows = [row for row in (*program.rows, *extra) if len(row.columns)]
    counts = np.array([len(row.columns) for row in rows], dtype=np.int64)
    column = np.concatenate([row.columns for row in rows]) if rows else np.zeros(0, dtype=np.int64)
    amount = np.concatenate([row.coefficients for row in rows]) if rows else np.zeros(0)
    owner = np.repeat(np.arange(len(rows)), counts)
    factor = _factors(amount, counts)
    amount = amount * factor[owner]
    bound = factor * np.array([row.bound for row in rows], dtype=np.float64)
    sense = np.array([row.sense for row in rows], dtype=np.int64)
    owner, column, amount = once(owner, column, amount)
    columns = program.columns
    return Matrix(
        cost=minimise * scale_of(minimise),
        most=columns.upper,
        is_integer=columns.is_integer.astype(np.int32),
        lower=np.where(sense == AT_MOST, -np.inf, bound),
        upper=np.where(sense == AT_LEAST, np.inf, bound),
        first=np.searchsorted(owner, np.arange(len(rows) + 1)).astype(np.int32),
        column=column.astype(np.int32),
        amount=amount,
    )


def scale_of(amounts: Floats) -> float:
    """The power of two that brings the largest amount between 1 and 2; 1 when all are zero."""
    largest = float(np.abs(amounts).max(initial=0.0))
    return 2.0 ** -float(np.floor(np.log2(largest))) if largest > 0 else 1.0


def row_factor(row: Row) -> float:
    """Factor by which a row is scaled for the solver; 1 for rows of usual size."""
    return float(_factors(row.coefficients, np.array([len(row.coefficients)]))[0])


def _factors(amount: Floats, counts: Ints) -> Floats:
    """Factors by which rows are scaled, from their amounts one row after the other. [row]"""
    largest = np.zeros(len(counts))
    filled = counts > 0
    if filled.any():
        starts = (np.cumsum(counts) - counts)[filled]
        largest[filled] = np.maximum.reduceat(np.abs(amount), starts)
    is_odd = (largest > 1e6) | ((largest > 0) & (largest < 1e-3))
    return np.where(is_odd, np.exp2(-np.floor(np.log2(np.where(is_odd, largest, 1.0)))), 1.0)


def once(owner: Ints, column: Ints, amount: Floats) -> tuple[Ints, Ints, Floats]:
    """Terms without zeros and with each column once a row, where any row has it twice."""
    rises = (np.diff(owner) > 0) | (np.diff(column) > 0)
    if not rises.all():
        order = np.lexsort([column, owner])
        owner, column, amount = owner[order], column[order], amount[order]
        leads = np.flatnonzero(np.append(True, (np.diff(owner) > 0) | (np.diff(column) > 0)))
        owner, column, amount = owner[leads], column[leads], np.add.reduceat(amount, leads)
    used = amount != 0
    if used.all():
        return owner, column, amount
    return owner[used], column[used], amount[used]
