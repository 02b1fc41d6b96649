"""A program written in PuLP, the same for its two majors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pulp

from hardware.column import Floats
from planner.allocation.program.matrix import once, row_factor, scale_of
from planner.allocation.program.row import AT_LEAST, AT_MOST, Program, Row

__all__ = ["to_pulp"]

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


def _constraint(row: Row, variables: list[Any]) -> Any:
    """One row as a PuLP constraint."""
    factor = row_factor(row)
    _, columns, amounts = once(np.zeros_like(row.columns), row.columns, row.coefficients * factor)
    pairs = zip(columns.tolist(), amounts.tolist(), strict=True)
    expression = _from_pairs([(variables[at], amount) for at, amount in pairs])
    bound = row.bound * factor
    if row.sense == AT_MOST:
        return expression <= bound
    if row.sense == AT_LEAST:
        return expression >= bound
    return expression == bound
