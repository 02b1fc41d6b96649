"""Prices of rows from the relaxed program, and the bound that they prove."""

from __future__ import annotations

import contextlib

import numpy as np

from hardware.column import Floats
from hardware.errors import PlanningError
from planner.allocation.program.dual import bound_of, signed
from planner.allocation.program.matrix import row_factor
from planner.allocation.program.row import Program
from planner.allocation.solver.engine import Task, engine, engines_found

__all__ = ["price_bound", "row_prices"]


def row_prices(
    program: Program, *, time_limit_s: float = 20.0, memory_limit_bytes: int = 0
) -> Floats | None:
    """
    Worth of one unit of each row in the relaxed program, in value; None when not found.

    Parameters
    ----------
    program : Program
        What to maximise, and under which rows.
    time_limit_s : float
        For the solver. [s]
    memory_limit_bytes : int
        For the solver's process; none when 0. [byte]

    Returns
    -------
    ndarray [row] or None
        Not negative for rows `at most`, not positive for rows `at least`.
    """
    if "highs" not in engines_found():
        return None
    ask, _, _ = engine("highs")
    with contextlib.suppress(PlanningError, RuntimeError):
        answer = ask(Task(program, -program.columns.value, is_relaxed=True,
                          time_limit_s=time_limit_s,
                          memory_limit_bytes=memory_limit_bytes))  # fmt: skip
        if answer.prices is None:
            return None
        prices = np.zeros(len(program.rows))
        has_terms = np.array([len(row.columns) > 0 for row in program.rows], dtype=np.bool_)
        if len(answer.prices) != int(has_terms.sum()):
            return None
        prices[has_terms] = answer.prices * _row_scales(program)[has_terms]
        candidates = [(bound_of(program, sign * prices), sign) for sign in (1.0, -1.0)]
        return signed(program, min(candidates)[1] * prices)
    return None


def _row_scales(program: Program) -> Floats:
    """Factors by which rows were scaled for the solver."""
    return np.array([row_factor(row) for row in program.rows])


def price_bound(program: Program, *, memory_limit_bytes: int = 0) -> float | None:
    """
    A bound on the value from the prices of the relaxed program; None when there are none.

    Parameters
    ----------
    program : Program
        What to maximise, and under which rows.
    memory_limit_bytes : int
        For the solver's process; none when 0. [byte]
    """
    prices = row_prices(program, memory_limit_bytes=memory_limit_bytes)
    return None if prices is None else bound_of(program, prices)
