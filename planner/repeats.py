"""Rows that repeat: the different combinations of some columns, so that each is priced once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hardware.column import Floats, Ints

__all__ = ["PIECE_ROWS", "Matrix", "distinct", "in_pieces"]

PIECE_ROWS = 4_096
"""Rows worked on at a time: a few dozen columns of them stay in the second-level cache."""

_MOST = 2**62
"""Combinations that one packed key can tell apart."""

_MULTIPLIER = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio: scatters keys that lie close together."""


class Matrix:
    """Columns of a table stacked, so that one indexing gathers them all."""

    def __init__(self, columns: Mapping[str, Floats]) -> None:
        self.names = tuple(columns)
        self.cells = np.stack([np.asarray(column, dtype=np.float64) for column in columns.values()])

    def gather(self, index: Ints) -> dict[str, Floats]:
        """The columns at some entries of the table."""
        cells = self.cells.take(index, axis=1)
        return dict(zip(self.names, cells, strict=True))


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
        The columns cut to one row a combination, in the order in which the
        combinations first appear, [combination]; the combination of each
        row, [row].

    Notes
    -----
    Exact: rows are told apart by a packed number, which is renumbered before
    it could overflow. Multiplicative hashing finds the rows that share it in
    a fifth of the time of a sort [1]_.

    References
    ----------
    .. [1] D. E. Knuth, "The art of computer programming," vol. 3, section
       6.4: multiplicative hashing.

    Examples
    --------
    >>> different, place = distinct({"tp": np.array([8, 1, 8]), "pp": np.array([1, 1, 1])})
    >>> different["tp"].tolist(), place.tolist()
    ([8, 1], [0, 1, 0])
    """
    first, place = _numbered(_packed(columns))
    return {name: column[first] for name, column in columns.items()}, place


def in_pieces(
    price: Callable[[dict[str, Ints]], dict[str, Floats]], cells: dict[str, Ints]
) -> dict[str, Floats]:
    """Columns that `price` gives for all combinations, some of them at a time. [combination]"""
    count = len(next(iter(cells.values())))
    if count <= 2 * PIECE_ROWS:
        return price(cells)
    parts = [
        price({name: column[start : start + PIECE_ROWS] for name, column in cells.items()})
        for start in range(0, count, PIECE_ROWS)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _packed(columns: Mapping[str, Ints]) -> Ints:
    """One number a row, equal where all columns are."""
    key: Ints | None = None
    span = 1
    for column in columns.values():
        # Read without a sign, a negative number is too wide, and renumbered.
        width = int(column.view(np.uint64).max(initial=0)) + 1
        if width >= _MOST:
            first, column = _numbered(column)
            width = len(first)
        if key is None:
            key = column
        elif width > 1:
            if span * width >= _MOST:
                first, key = _numbered(key)
                span = len(first)
            key = key * width
            key += column
        span *= width
    return np.zeros(0, dtype=np.int64) if key is None else key


def _numbered(key: Ints) -> tuple[Ints, Ints]:
    """First row of each different key, and the number of each row's key among them."""
    rows = np.arange(len(key))
    bits = len(key).bit_length() + 2
    owner = np.empty(2**bits, dtype=np.int64)  # [slot] row whose key holds the slot
    same = np.empty_like(rows)
    left, multiplier = rows, _MULTIPLIER
    while len(left):
        # Every slot that keys of these rows fall on settles at least the one that holds it.
        wanted = key[left]
        slot = (wanted.view(np.uint64) * np.uint64(multiplier)) >> np.uint64(64 - bits)
        slot = slot.view(np.int64)
        owner[slot[::-1]] = left[::-1]
        found = owner[slot]
        same[left] = found
        left = left[key[found] != wanted]
        multiplier = (multiplier * _MULTIPLIER) % 2**64
    is_first = same == rows
    return np.flatnonzero(is_first), (np.cumsum(is_first) - 1)[same]
