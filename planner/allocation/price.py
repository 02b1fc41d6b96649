"""Prices of rows from the relaxed program, and the bound that anyone can recompute from them."""

from __future__ import annotations

import contextlib

import numpy as np

from hardware.column import Floats
from hardware.errors import PlanningError
from planner.allocation.engine import Task, engine, engines_found
from planner.allocation.problem import row_factor
from planner.allocation.row import AT_LEAST, AT_MOST, Program

__all__ = ["bound_of", "price_bound", "row_prices"]


def row_prices(program: Program, *, time_limit_s: float = 20.0) -> Floats | None:
    """
    Worth of one unit of each row in the relaxed program, in value; None when not found.

    Returns
    -------
    ndarray [row] or None
        Not negative for rows `at most`, not positive for rows `at least`.
    """
    if "highs" not in engines_found():
        return None
    ask, _, _ = engine("highs")
    with contextlib.suppress(PlanningError, RuntimeError):
        answer = ask(
            Task(program, -program.columns.value, is_relaxed=True, time_limit_s=time_limit_s)
        )
        if answer.prices is None:
            return None
        prices = np.zeros(len(program.rows))
        has_terms = np.array([len(row.columns) > 0 for row in program.rows], dtype=np.bool_)
        if len(answer.prices) != int(has_terms.sum()):
            return None
        prices[has_terms] = answer.prices * _row_scales(program)[has_terms]
        candidates = [(bound_of(program, sign * prices), sign) for sign in (1.0, -1.0)]
        return _signed(program, min(candidates)[1] * prices)
    return None


def _row_scales(program: Program) -> Floats:
    """Factors by which rows were scaled for the solver."""
    return np.array([row_factor(row) for row in program.rows])


def _signed(program: Program, prices: Floats) -> Floats:
    """Prices with the wrong sign for their row set to zero."""
    sense = np.array([row.sense for row in program.rows])
    prices = np.where((sense == AT_MOST) & (prices < 0), 0.0, prices)
    return np.where((sense == AT_LEAST) & (prices > 0), 0.0, prices)


def bound_of(program: Program, prices: Floats) -> float:
    """
    The most value that any point of the program can have, by prices.

    sum_i price_i bound_i + sum_k max(0, value_k - sum_i price_i a_ik) upper_k

    Parameters
    ----------
    program : Program
        Columns and rows.
    prices : ndarray [row]
        Any numbers; those with the wrong sign for their row count as zero, so that the
        bound holds whatever is given. [value per unit of the row]

    Returns
    -------
    float
        A valid bound on the value (weak duality).
    """
    columns = program.columns
    prices = _signed(program, prices)
    profit = columns.value.copy()
    total = 0.0
    for row, price in zip(program.rows, prices.tolist(), strict=True):
        if price:
            np.subtract.at(profit, row.columns, price * row.coefficients)
            total += price * row.bound
    return total + float(np.maximum(profit, 0.0) @ columns.upper)


def price_bound(program: Program) -> float | None:
    """A bound on the value from the prices of the relaxed program; None when there are none."""
    prices = row_prices(program)
    return None if prices is None else bound_of(program, prices)
