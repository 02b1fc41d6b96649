"""A program written in PuLP, the same for its two majors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pulp

from hardware.column import Floats
from planner.allocation.row import AT_LEAST, AT_MOST, Program, Row

__all__ = ["row_factor", "scale_of", "to_pulp"]

# PuLP 4 builds an expression from pairs by a class method, PuLP 3 by its constructor.
_from_pairs = getattr(pulp.LpAffineExpression, "from_list", pulp.LpAffineExpression)


def to_pulp(
    program: Program, minimise: Floats, *, extra: Iterable[Row] = (), name: str = "plan"
) -> tuple[Any, list[Any]]:
    """
    The PuLP problem of a program.

    Parameters
    ----------
    program : Program
        Columns and rows.
    minimise : Floats [column]
        Objective, in any unit; it is scaled so that its largest coefficient lies near 1.
    extra : iterable of Row
        Rows beside the program's own.
    name : str
        Name of the problem.

    Returns
    -------
    (pulp.LpProblem, list of pulp.LpVariable)
        The problem, always a minimisation, and its variables in the order of the columns.

    Notes
    -----
    Rows in money or device-days are scaled by a power of two, so that the solver's
    tolerance is a part of the row and not an amount. Rows without a term are left out.
    """
    columns = program.columns
    problem = pulp.LpProblem(name, pulp.LpMinimize)
    variables = [
        problem.add_variable(title, 0, upper, pulp.LpInteger if whole else pulp.LpContinuous)
        for title, upper, whole in zip(
            columns.names, columns.upper.tolist(), columns.is_integer.tolist(), strict=True
        )
    ]
    used = np.flatnonzero(minimise)
    factor = scale_of(minimise[used])
    problem.setObjective(
        _from_pairs(
            [
                (variables[at], amount)
                for at, amount in zip(
                    used.tolist(), (minimise[used] * factor).tolist(), strict=True
                )
            ]
        )
    )
    for row in (*program.rows, *extra):
        if len(row.columns):
            problem.addConstraint(_constraint(row, variables), row.name)
    return problem, variables


def scale_of(amounts: Floats) -> float:
    """The power of two that brings the largest amount between 1 and 2; 1 when all are zero."""
    largest = float(np.abs(amounts).max(initial=0.0))
    return 2.0 ** -float(np.floor(np.log2(largest))) if largest > 0 else 1.0


def row_factor(row: Row) -> float:
    """Factor by which a row is scaled for the solver; 1 for rows of usual size."""
    largest = float(np.abs(row.coefficients).max(initial=0.0))
    return scale_of(row.coefficients) if largest > 1e6 or 0 < largest < 1e-3 else 1.0


def _constraint(row: Row, variables: list[Any]) -> Any:
    """One row as a PuLP constraint."""
    factor = row_factor(row)
    expression = _from_pairs(
        [
            (variables[at], amount)
            for at, amount in zip(
                row.columns.tolist(), (row.coefficients * factor).tolist(), strict=True
            )
        ]
    )
    bound = row.bound * factor
    if row.sense == AT_MOST:
        return expression <= bound
    if row.sense == AT_LEAST:
        return expression >= bound
    return expression == bound
