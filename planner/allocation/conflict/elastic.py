"""A program whose rows may be broken at a price, so that what cannot be kept shows itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from hardware.column import Floats, take
from planner.allocation.program.row import (
    AT_LEAST,
    AT_MOST,
    EQUAL,
    ColumnTable,
    Program,
    Row,
    violation,
)

__all__ = ["alone", "asking_groups", "elastic", "row_size", "within_support"]

MOST = 1e6  # parts of its size by which a row may be broken, above any sum of a program
SUPPORT = 1e-7  # a value of a relaxed point that counts as zero


def row_size(row: Row) -> float:
    """The amount that a breach of a row is measured by."""
    largest = float(np.abs(row.coefficients).max(initial=0.0))
    return max(abs(row.bound), largest, 1e-9)


def elastic(
    program: Program, names: Sequence[str], name_of: Callable[[Row], str], hard: Collection[str]
) -> tuple[Program, Floats]:
    """
    A program in which rows of some names bend, and the sum of the bends as its objective.

    Parameters
    ----------
    program : Program
        Columns and rows.
    names : sequence of str
        Names of what may bend, each with two columns behind the program's own: by how much
        it goes over, and under, in parts of the size of each row.
    name_of : callable
        Name of a row, such as its group; a row of another name than `names` stays as it is.
    hard : collection of str
        Names of rows that do not bend.

    Returns
    -------
    (Program, ndarray [column])
        The wider program, and what to minimise.
    """
    first, many = len(program.columns.names), 2 * len(names)
    place = {name: first + 2 * at for at, name in enumerate(names) if name not in hard}
    columns = program.columns
    wider = ColumnTable(
        names=(*columns.names, *(f"bend{at:06d}" for at in range(many))),
        upper=np.concatenate([columns.upper, np.full(many, MOST)]),
        is_integer=np.concatenate([columns.is_integer, np.zeros(many, dtype=np.bool_)]),
        value=np.concatenate([columns.value, np.zeros(many)]),
        cost=np.concatenate([columns.cost, np.zeros(many)]),
    )
    rows = tuple(_bent(row, place.get(name_of(row))) for row in program.rows)
    return Program(wider, rows), np.concatenate([np.zeros(first), np.ones(many)])


def within_support(program: Program, point: Floats) -> Program:
    """The program with every whole column at zero that is zero in a relaxed point."""
    columns = program.columns
    is_open = (point > SUPPORT) | ~columns.is_integer
    return Program(replace(columns, upper=np.where(is_open, columns.upper, 0.0)), program.rows)


def asking_groups(program: Program) -> tuple[str, ...]:
    """Groups that doing nothing breaks, such as floors."""
    nothing = np.zeros(len(program.columns.names))
    return tuple(dict.fromkeys(r.group for r in program.rows if violation(r, nothing) > 0))


def alone(program: Program, group: str, asks: Collection[str]) -> Program:
    """
    The part of a program that decides whether one group that asks can be kept.

    Parameters
    ----------
    program : Program
        Columns and rows.
    group : str
        One of `asks`.
    asks : collection of str
        Every group that doing nothing breaks; the rows of the others are left out.

    Returns
    -------
    Program
        Columns of the group's rows, and of rows by which one column needs another; every
        other column may as well be zero, since it only takes from limits.
    """
    rows = [row for row in program.rows if row.group == group or row.group not in asks]
    is_used = np.zeros(len(program.columns.names), dtype=np.bool_)
    for row in rows:
        is_used[row.columns] |= row.group == group
    needing = [r for r in rows if r.sense == EQUAL or (r.sense * r.coefficients > 0).any()]
    grown = True
    while grown:
        grown = False
        for row in needing:
            inside = is_used[row.columns]
            if inside.any() and not inside.all():
                is_used[row.columns] = grown = True
    place = np.cumsum(is_used) - 1
    kept = []
    for row in rows:
        inside = is_used[row.columns]
        if inside.any() or row.group == group:
            kept.append(replace(row, columns=place[row.columns[inside]],
                                coefficients=row.coefficients[inside]))  # fmt: skip
    return Program(take(program.columns, np.flatnonzero(is_used)), tuple(kept))


def _bent(row: Row, at: int | None) -> Row:
    """A row with the columns that relax it."""
    if at is None:
        return row
    over = [at] if row.sense == AT_MOST else []
    under = [at + 1] if row.sense == AT_LEAST else []
    if not over and not under:
        over, under = [at], [at + 1]
    size = row_size(row)
    amounts = [-size] * len(over) + [size] * len(under)
    return replace(
        row,
        columns=np.concatenate([row.columns, np.array(over + under, dtype=np.int64)]),
        coefficients=np.concatenate([row.coefficients, np.array(amounts)]),
    )
