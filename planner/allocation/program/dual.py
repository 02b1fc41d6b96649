"""The bound that prices of rows prove, recomputed in numpy without a solver."""

from __future__ import annotations

import numpy as np

from hardware.column import Floats
from planner.allocation.program.row import AT_LEAST, AT_MOST, Program

__all__ = ["ROUNDING", "bound_of", "safely", "signed"]

ROUNDING = float(np.finfo(np.float64).eps)


def safely(total: float, size: float, terms: int) -> float:
    """
    A bound that holds although it is a sum of floats.

    Parameters
    ----------
    total : float
        The sum.
    size : float
        Sum of the sizes of all that is added up.
    terms : int
        How many numbers follow each other in a sum.

    Returns
    -------
    float
        The sum and what rounding may have hidden; infinity where the numbers are too large
        to be added up, since such prices prove nothing.
    """
    safe = total + (terms + 8) * ROUNDING * size
    return safe if np.isfinite(safe) else float(np.inf)


def signed(program: Program, prices: Floats) -> Floats:
    """
    Prices with the wrong sign for their row set to zero.

    Parameters
    ----------
    program : Program
        The rows.
    prices : ndarray [row]
        Any numbers. [value per unit of the row]
    """
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
        A valid bound on the value (weak duality), also where high prices cancel.
    """
    columns = program.columns
    prices = signed(program, prices)
    profit = columns.value.copy()
    total, size, terms = 0.0, float(np.abs(columns.value) @ columns.upper), 0
    with np.errstate(over="ignore", invalid="ignore"):
        for row, price in zip(program.rows, prices.tolist(), strict=True):
            if price:
                np.subtract.at(profit, row.columns, price * row.coefficients)
                total += price * row.bound
                reach = float(np.abs(row.coefficients) @ columns.upper[row.columns])
                size += abs(price) * (abs(row.bound) + reach)
                terms += 1
        total += float(np.maximum(profit, 0.0) @ columns.upper)
    return safely(total, size, terms)
