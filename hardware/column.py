"""The contract of every table: a frozen dataclass of equally long, read-only columns."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

__all__ = ["Bools", "Floats", "Ints", "row_count", "seal", "take", "to_columns"]


def seal(table: Any) -> None:
    """
    Check and freeze the columns of a table; called from ``__post_init__``.

    Every array or tuple field must have the same first length. Float arrays
    must be finite: an unknown is told by a reason or a zero that the column's
    documentation explains, never by NaN or infinity.

    Raises
    ------
    ValueError
        Columns of different length, or a float that is not finite.
    """
    lengths: dict[str, int] = {}
    for field in fields(table):
        column = getattr(table, field.name)
        if isinstance(column, np.ndarray):
            if column.dtype.kind == "f" and not np.isfinite(column).all():
                raise ValueError(f"{type(table).__name__}.{field.name} holds a non-finite value")
            column.setflags(write=False)
            lengths[field.name] = column.shape[0]
        elif isinstance(column, tuple):
            lengths[field.name] = len(column)
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{type(table).__name__} has columns of unequal length: {lengths}")


def row_count(table: Any) -> int:
    """Number of rows of a table."""
    for field in fields(table):
        column = getattr(table, field.name)
        if isinstance(column, (np.ndarray, tuple)):
            return len(column)
    return 0


def take(table: Any, rows: Any) -> Any:
    """The table cut to rows given by an index array, a mask or a slice, in that order."""
    import dataclasses

    index = np.arange(row_count(table))[rows]
    cut = {}
    for field in fields(table):
        column = getattr(table, field.name)
        if isinstance(column, np.ndarray):
            cut[field.name] = column[index]
        elif isinstance(column, tuple):
            cut[field.name] = tuple(column[int(i)] for i in index)
    return dataclasses.replace(table, **cut)


def to_columns(table: Any) -> dict[str, Any]:
    """The table as a dict of name to column, ready for a data frame."""
    return {field.name: getattr(table, field.name) for field in fields(table)}
