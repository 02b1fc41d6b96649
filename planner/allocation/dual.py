"""The bound that prices of rows prove, recomputed in numpy without a solver."""

from __future__ import annotations

import numpy as np

from hardware.column import Floats
from planner.allocation.row import AT_LEAST, AT_MOST, Program

__all__ = ["bound_of", "signed"]


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
        A valid bound on the value (weak duality).
    """
    columns = program.columns
    prices = signed(program, prices)
    profit = columns.value.copy()
    total = 0.0
    for row, price in zip(program.rows, prices.tolist(), strict=True):
        if price:
            np.subtract.at(profit, row.columns, price * row.coefficients)
            total += price * row.bound
    return total + float(np.maximum(profit, 0.0) @ columns.upper)
