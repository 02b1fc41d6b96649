"""A layout as people write it, `tp=8,pp=4,recompute=full`, read into columns and written back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardware.errors import Diagnostic, InputError, near_match
from planner.layout import LAYOUT_COLUMNS
from planner.strategy import RECOMPUTE_NAMES, SCHEDULE_NAMES, StrategyTable

__all__ = ["layout_codes", "layout_text"]

_CODES = {"recompute": RECOMPUTE_NAMES, "schedule": SCHEDULE_NAMES}


def layout_codes(layout: str | Mapping[str, Any] | None) -> dict[str, int]:
    """
    What a layout must have, as numbers.

    Parameters
    ----------
    layout : str, mapping or None
        ``tp=8,pp=4,recompute=full``, or the same as a mapping.

    Returns
    -------
    dict
        Columns of `planner.layout.LAYOUT_COLUMNS`.

    Raises
    ------
    InputError
        A column that layouts do not have, or a value that is none.

    Notes
    -----
    `recompute` and `schedule` take their words or codes; all else are counts.

    References
    ----------
    .. [1] `planner.strategy` lists columns and codes.

    Examples
    --------
    >>> layout_codes("tp=8, recompute=full")
    {'tp': 8, 'recompute': 2}
    """
    if layout is None:
        return {}
    pairs: list[tuple[str, Any]]
    if isinstance(layout, str):
        words = [word for word in layout.replace(",", " ").split() if word]
        pairs = [tuple(word.partition("=")[::2]) for word in words]  # type: ignore[misc]
    else:
        pairs = list(layout.items())
    fixed, faults = {}, []
    for name, value in pairs:
        if name not in LAYOUT_COLUMNS:
            faults.append(Diagnostic("unknown-field", f"a layout has no `{name}`",
                                     expected=", ".join(LAYOUT_COLUMNS),
                                     hint=near_match(str(name), LAYOUT_COLUMNS)))  # fmt: skip
            continue
        code = _code(name, value)
        if code is None:
            words_ = _CODES.get(name)
            faults.append(Diagnostic("bad-value", f"`{name}` of a layout cannot be this",
                                     found=repr(value),
                                     expected=", ".join(words_) if words_ else "a whole number "
                                     "from 1" if name not in ("zero", "sequence_parallel")
                                     else "0 to 3" if name == "zero" else "0 or 1"))  # fmt: skip
            continue
        fixed[name] = code
    if faults:
        raise InputError(faults)
    return fixed


def _code(name: str, value: Any) -> int | None:
    words = _CODES.get(name)
    if words and str(value) in words:
        return words.index(str(value))
    try:
        number = int(str(value))
    except ValueError:
        return None
    limits = {"zero": (0, 3), "sequence_parallel": (0, 1)}
    low, high = limits.get(name, (0, len(words) - 1) if words else (1, 10**7))
    return number if low <= number <= high else None


def layout_text(rows: StrategyTable, at: int) -> str:
    """A layout in one line, parts of size one left out."""
    words = []
    for name in ("tp", "pp", "cp", "ep", "expert_tp", "dp"):
        value = int(getattr(rows, name)[at])
        if value > 1 or name == "dp":
            words.append(f"{name}={value}")
    if rows.interleave[at] > 1:
        words.append(f"interleave={rows.interleave[at]}")
    words += [f"micro_batch={rows.micro_batch[at]}", f"zero={rows.zero[at]}"]
    if rows.zero[at] >= 3 and rows.shard[at] != rows.dp[at] * rows.cp[at]:
        words.append(f"shard={rows.shard[at]}")
    words.append(f"recompute={RECOMPUTE_NAMES[int(rows.recompute[at])]}")
    return " ".join(words)
