"""From a solver's floating point to an exact point of the program, and rows that cut it off."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hardware.column import Floats
from planner.allocation.program.row import AT_LEAST, AT_MOST, Program, Row, row_of, violation

__all__ = ["broken_rows", "is_binary", "is_feasible", "no_good", "settle"]

WHOLE = 1e-4  # solvers keep 1e-6; a value farther from whole than this is none
EXACT = 1e-9  # float64 sums of up to some thousand terms differ by less, as a part
TOLERANCE = 2e-6  # solvers' own tolerance, as a part of the row


def settle(program: Program, point: Floats) -> Floats | None:
    """
    The point with its whole columns whole, and shares of work as large as the days allow.

    Parameters
    ----------
    program : Program
        The columns and their bounds.
    point : ndarray [column]
        Values from a solver.

    Returns
    -------
    ndarray or None
        None when a column that must be whole is not.
    """
    columns = program.columns
    whole = columns.is_integer
    rounded = np.round(point[whole])
    scale = np.maximum(1.0, 1e-6 * np.abs(rounded))
    if (np.abs(point[whole] - rounded) > WHOLE * scale).any():
        return None
    settled = np.clip(point, 0.0, columns.upper)
    settled[whole] = np.clip(rounded, 0.0, columns.upper[whole])
    return _shares(program, settled)


def _shares(program: Program, point: Floats) -> Floats:
    """Recompute the continuous columns, which only rows of one work share bound, from the rest."""
    free = np.flatnonzero(~program.columns.is_integer)
    if len(free) == 0:
        return point
    shares = {int(at): 1.0 for at in free}
    point[free] = 0.0
    rows = [row for row in program.rows if row.family == "work_in_proportion"]
    sums = []
    for row in rows:
        mine = [int(at) for at in row.columns if int(at) in shares]
        room = row.bound - float(point[row.columns] @ row.coefficients)
        if len(mine) == 1:
            shares[mine[0]] = min(shares[mine[0]], max(room, 0.0))
        elif mine:
            sums.append((mine, room))
    for mine, room in sums:
        for at in mine:
            shares[at] = min(shares[at], max(room, 0.0))
            room -= shares[at]
    for at, share in shares.items():
        point[at] = share
    return point


def _scale(row: Row, point: Floats) -> float:
    """Size of the amounts that a row adds up."""
    size = float(np.abs(row.coefficients * point[row.columns]).max(initial=0.0))
    return max(size, abs(row.bound), 1e-12)


def broken_rows(rows: Iterable[Row], point: Floats) -> list[tuple[Row, bool]]:
    """Rows that a point breaks, each with whether it is by more than a solver's tolerance."""
    broken = []
    for row in rows:
        over = violation(row, point)
        scale = _scale(row, point)
        if over > EXACT * scale:
            largest = max(scale, float(np.abs(row.coefficients).max(initial=0.0)))
            broken.append((row, over > TOLERANCE * max(largest, 1.0) * max(len(row.columns), 1)))
    return broken


def is_feasible(program: Program, point: Floats) -> bool:
    """Whether a whole point keeps every row and bound."""
    columns = program.columns
    if point.shape != columns.upper.shape:
        return False
    inside = ((point >= 0) & (point <= columns.upper)).all()
    whole = (point[columns.is_integer] == np.round(point[columns.is_integer])).all()
    return bool(inside and whole) and not broken_rows(program.rows, point)


def is_binary(program: Program, row: Row) -> bool:
    """Whether a row has binaries alone, so that a no-good row refuses nothing else."""
    columns = program.columns
    return bool(columns.is_integer[row.columns].all() and (columns.upper[row.columns] <= 1).all())


def no_good(program: Program, row: Row, point: Floats) -> Row:
    """
    A row that refuses a point which breaks `row`, and nothing that keeps it.

    Among binaries, sums with one sign get the stronger form: at most all but one of the
    chosen (at most), or one more of the others (at least). Else the whole pattern is
    refused. With other columns the row itself is tightened by its breach instead; that may
    refuse points that keep the row by less, so a bound must not be taken from it.
    """
    at = row.columns
    name = f"cut_{row.name}_{abs(hash(point[at].tobytes())) % 10**12}"
    words = {"family": row.family, "group": row.group, "sentence": row.sentence}
    if not is_binary(program, row):
        tighter = row.bound + (-row.sense or 1) * -2.0 * violation(row, point)
        return Row(name, row.family, row.group, row.sense, tighter, at, row.coefficients,
                   row.sentence, row.repair, row.unit)  # fmt: skip
    chosen = point[at] > 0.5
    if (row.coefficients >= 0).all() and row.sense == AT_MOST:
        return row_of(name, at[chosen], 1.0, bound=float(chosen.sum()) - 1.0, **words)  # type: ignore[arg-type]
    if (row.coefficients >= 0).all() and row.sense == AT_LEAST:
        return row_of(name, at[~chosen], 1.0, sense=AT_LEAST, bound=1.0, **words)  # type: ignore[arg-type]
    signs = np.where(chosen, 1.0, -1.0)
    return row_of(name, at, signs, bound=float(chosen.sum()) - 1.0, **words)  # type: ignore[arg-type]
