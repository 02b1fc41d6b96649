"""What a plan says of its resolution, compared with what its scenario states or leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardware.errors import Diagnostic, Where
from planner.case import Case
from planner.period import Periods, read_periods

__all__ = ["period_faults"]


def period_faults(case: Case, data: Mapping[str, Any]) -> tuple[int, tuple[Diagnostic, ...]]:
    """
    Whether a plan names the resolution of its scenario, or the one that is chosen for it.

    Parameters
    ----------
    case : Case
        The scenario as columns; its choice is made anew.
    data : mapping
        The plan as plain types. Plans of earlier versions do not name any.

    Returns
    -------
    (int, tuple of Diagnostic)
        How many statements were looked at, and what is wrong with them.
    """
    if data.get("periods") is None or case.periods is None:
        return 0, ()
    wanted = case.periods
    try:
        stated = read_periods(data["periods"])
    except (KeyError, TypeError, ValueError) as error:
        return 1, (_fault("periods", str(error), wanted),)
    if stated is None or stated != wanted:
        return 1, (_fault("periods", _text(stated), wanted),)
    if data["periods"].get("sentence") != wanted.sentence:
        return 1, (_fault("periods.sentence", str(data["periods"].get("sentence")), wanted),)
    return 1, ()


def _text(periods: Periods | None) -> str:
    """A resolution in words, with the days that they leave out."""
    if periods is None:
        return "no periods"
    ends = ", ".join(str(day) for day in periods.until)
    return f"{periods.sentence}, until {ends}"


def _fault(field: str, found: str, wanted: Periods) -> Diagnostic:
    return Diagnostic(
        "periods-misstated", "the plan has another resolution than its scenario leads to",
        Where("<plan>", field=field), found=found, expected=_text(wanted),
    )  # fmt: skip
