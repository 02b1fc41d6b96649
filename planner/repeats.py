"""Rows that repeat: the different combinations of some columns, so that each is priced once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from hardware.column import Bools, Floats, Ints

__all__ = ["distinct", "in_pieces", "spread"]

_MOST = 2**62
"""Combinations that one packed key can tell apart."""

_PIECE = 8_192
"""Combinations priced at a time: their columns stay in the second-level cache."""


def distinct(columns: Mapping[str, Ints]) -> tuple[dict[str, Ints], Ints]:
    """
    Different combinations of some columns, and for each row its place among them.

    Parameters
    ----------
    columns : mapping of str to ndarray of int
        At least one column of whole numbers. [row]

    Returns
    -------
    (dict of str to ndarray of int, ndarray of int)
        The columns cut to one row a combination, [combination]; the
        combination of each row, [row].

    Notes
    -----
    Exact: rows are told apart by a packed number, which is renumbered before
    it could overflow. Neighbours that are equal, as in an enumeration, are
    joined before the rest is sorted.

    References
    ----------
    .. [1] D. E. Knuth, "The art of computer programming," vol. 1, section
       4.1: numbers of mixed radix.

    Examples
    --------
    >>> different, place = distinct({"tp": np.array([8, 1, 8]), "pp": np.array([1, 1, 1])})
    >>> different["tp"].tolist(), place.tolist()
    ([1, 8], [1, 0, 1])
    """
    heads, run = _runs(columns.values())
    key = _packed([column[heads] for column in columns.values()])
    order = np.argsort(key)
    ordered = key[order]
    is_new = np.ones(len(key), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    place = np.empty(len(key), dtype=np.int64)
    place[order] = np.cumsum(is_new) - 1
    first = heads[order[is_new]]
    return {name: column[first] for name, column in columns.items()}, place[run]


def spread(columns: Mapping[str, Floats], place: Ints) -> dict[str, Floats]:
    """Columns of the combinations, back at the rows that have them. [row]"""
    cells = np.stack(list(columns.values())).take(place, axis=1)
    return dict(zip(columns, cells, strict=True))


def in_pieces(
    price: Callable[[dict[str, Ints]], dict[str, Floats]], cells: dict[str, Ints]
) -> dict[str, Floats]:
    """Columns that `price` gives for all combinations, some of them at a time. [combination]"""
    count = len(next(iter(cells.values())))
    if count <= _PIECE:
        return price(cells)
    parts = [
        price({name: column[start : start + _PIECE] for name, column in cells.items()})
        for start in range(0, count, _PIECE)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _runs(columns: Iterable[Ints]) -> tuple[Ints, Ints]:
    """First row of each run of equal neighbours, and the run of each row."""
    changes: Bools = np.zeros(0, dtype=np.bool_)
    for column in columns:
        if not len(changes):
            changes = np.zeros(len(column), dtype=np.bool_)
            changes[:1] = True
        changes[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changes), np.cumsum(changes) - 1


def _packed(columns: list[Ints]) -> Ints:
    """One number a row, equal where all columns are."""
    key, span = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        low = int(column.min(initial=0))
        width = int(column.max(initial=0)) - low + 1
        if width == 1:
            continue
        if span * width >= _MOST:
            different, key = np.unique(key, return_inverse=True)
            span = len(different)
        key = key * width + (column - low)
        span *= width
    return key
