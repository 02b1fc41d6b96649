"""Single values of a plan file, each with what was found and what was expected."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from hardware.column import Ints

__all__ = [
    "MAX_ID",
    "a_day",
    "a_text",
    "a_truth",
    "a_whole",
    "an_amount",
    "id_ranges",
    "number",
    "short",
    "texts",
]

MAX_ID = 2**40  # above any pool; ids times days still fit an int64
_MAX_NUMBER = 1e30
_MAX_WHOLE = 2**53  # every whole number up to here is exact as a float
_RANGE = re.compile(r"(\d{1,13})(?:-(\d{1,13}))?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def short(value: Any) -> str:
    """A value as text on one line, cut to what a message can hold, of plain characters only."""
    if isinstance(value, (list, dict)):
        return f"a {'list' if isinstance(value, list) else 'record'} of {len(value)}"
    text = ascii(value[:120] if isinstance(value, str) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def a_text(value: Any) -> str:
    """A text that can be printed anywhere; raises ValueError otherwise."""
    if not isinstance(value, str):
        raise ValueError(f"found {short(value)}, expected a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"found {short(value)}, expected a text without surrogates") from None
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts, null as none; raises ValueError otherwise."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"found {short(value)}, expected a list of texts")
    return tuple(a_text(item) for item in value)


def a_truth(value: Any) -> bool:
    """True or false; raises ValueError otherwise."""
    if not isinstance(value, bool):
        raise ValueError(f"found {short(value)}, expected true or false")
    return value


def number(value: Any) -> float:
    """A finite number of either sign, at most 1e30 in size; raises ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"found {short(value)}, expected a number")
    if not abs(value) <= _MAX_NUMBER:  # also infinity, which `1e999` reads as
        raise ValueError(f"found {short(value)}, expected a number of at most {_MAX_NUMBER:g}")
    return float(value)


def an_amount(value: Any) -> float:
    """A number that is not negative; raises ValueError otherwise."""
    amount = number(value)
    if amount < 0:
        raise ValueError(f"found {short(value)}, expected zero or more")
    return amount


def a_whole(least: int) -> Callable[[Any], int]:
    """A reader of whole numbers that are at least `least`."""

    def read(value: Any) -> int:
        amount = number(value)
        if amount != int(amount) or not least <= amount <= _MAX_WHOLE:
            raise ValueError(f"found {short(value)}, expected a whole number, {least} or more")
        return int(amount)

    return read


def a_day(value: Any) -> datetime.date:
    """A date such as 2026-09-01; raises ValueError otherwise."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(f"found {short(value)}, expected a day, such as 2026-09-01")


def id_ranges(value: Any) -> Ints:
    """
    Node ids such as ``"0-63,70"`` as half-open ranges. [1]

    Returns
    -------
    Ints [range, 2]
        First id, and one above the last, in the order written. Overlaps are kept:
        they are for the audit to find.

    Raises
    ------
    ValueError
        Not a text, a piece that is no id or range, a range backwards, an id above 2**40.

    Examples
    --------
    >>> id_ranges("0-63,70").tolist()
    [[0, 64], [70, 71]]
    """
    expected = "node ids, such as 0-63,70"
    if not isinstance(value, str):
        raise ValueError(f"found {short(value)}, expected {expected}")
    ranges = []
    for piece in value.split(","):
        match = _RANGE.fullmatch(piece.strip())
        if match is None:
            raise ValueError(f"found {short(piece)}, expected {expected}")
        low = int(match[1])
        high = low if match[2] is None else int(match[2])
        if high < low:
            raise ValueError(f"found {short(piece)}, expected a range that ends after its begin")
        if high >= MAX_ID:
            raise ValueError(f"found {short(piece)}, expected ids below {MAX_ID}")
        ranges.append((low, high + 1))
    return np.array(ranges, dtype=np.int64).reshape(len(ranges), 2)
