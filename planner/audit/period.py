"""Borders of periods as the audit counts them: from the calendar, and nothing of the program."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from planner.scenario import Horizon

__all__ = ["LENGTHS", "Stretches", "border_days"]

Stretches = Sequence[tuple[datetime.date, str]]  # last day, included, and length of a period
_WEEKS = {"week": 7, "two-weeks": 14}
_MONTHS = {"month": 1, "quarter": 3, "half-year": 6}
LENGTHS = (*_WEEKS, *_MONTHS)


def border_days(horizon: Horizon, chosen: Stretches = ()) -> Iterator[int]:
    """
    Days on which a period begins, counted from the horizon's first. [day]

    Parameters
    ----------
    horizon : Horizon
        Its resolution is a word, or stretches that each have one.
    chosen : sequence of (date, str)
        What the plan was made with, for a resolution that is left to the program; weeks, the
        finest, when it states none.
    """
    origin, stretches = horizon.first, _stretches(horizon, chosen)
    at, first = 0, origin
    for number in range((horizon.last - origin).days + 1):
        day = origin + datetime.timedelta(number)
        while day > stretches[at][0] and at < len(stretches) - 1:
            at, first = at + 1, day
        if day == first or _begins(day, first, stretches[at][1]):
            yield number


def _begins(day: datetime.date, first: datetime.date, every: str) -> bool:
    """Whether a period begins on a day of a stretch."""
    if every in _WEEKS:
        return (day - first).days % _WEEKS[every] == 0
    return day.day == 1 and (day.month - 1) % _MONTHS[every] == 0


def _stretches(horizon: Horizon, chosen: Stretches) -> Stretches:
    """Last day and length of a period of each stretch, as the horizon has it."""
    stated = horizon.resolution
    if not isinstance(stated, str):
        return [(one.until or horizon.last, one.every) for one in stated]
    if stated == "auto":
        return list(chosen) or [(horizon.last, "week")]
    return [(horizon.last, stated)]
