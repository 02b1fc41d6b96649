"""Borders of periods: the days on which runs start, from the resolution of a horizon."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardware.column import Ints
from planner.scenario_horizon import Horizon, Stretch

__all__ = ["GRADES", "Periods", "border_days", "read_periods", "stretches_of"]

GRADES = ("week", "two-weeks", "month", "quarter", "half-year")  # finest first
_MONTHS = {"month": 1, "quarter": 3, "half-year": 6}
_DAYS = {"week": 7, "two-weeks": 14}
_WORDS = {"week": "weeks", "two-weeks": "fortnights", "month": "months", "quarter": "quarters",
          "half-year": "half-years"}  # fmt: skip


@dataclass(frozen=True)
class Periods:
    """
    The resolution that a plan is made with: stretches of the horizon, each with one grade.

    `until` and `every` are columns [stretch]; the last stretch ends with the horizon. `plans`
    is how many whole plans of single jobs it allows at most; -1 where they were not counted.
    """

    until: tuple[datetime.date, ...]  # last day, included
    every: tuple[str, ...]
    is_chosen: bool = False  # by the program, where the scenario leaves it to it
    plans: int = -1

    @property
    def sentence(self) -> str:
        """
        The resolution in words.

        Examples
        --------
        >>> day = datetime.date.fromisoformat
        >>> Periods((day("2026-12-31"), day("2027-06-30")), ("week", "month"), True, 12345).sentence
        'periods: weeks to 2026-12-31, then months (chosen: 12,345 whole plans)'
        """
        parts = [
            f"{_WORDS[every]} to {until}"
            for until, every in zip(self.until, self.every, strict=True)
        ]
        parts[-1] = _WORDS[self.every[-1]]
        text = f"periods: {', then '.join(parts)}"
        return f"{text} (chosen: {self.plans:,} whole plans)" if self.is_chosen else text

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """As a scenario states them."""
        return tuple(
            Stretch.model_validate({"until": until, "every": every})
            for until, every in zip(self.until, self.every, strict=True)
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain types, as a plan file holds it."""
        return {
            "chosen": "auto" if self.is_chosen else "stated",
            "stretches": [
                {"until": until.isoformat(), "every": every}
                for until, every in zip(self.until, self.every, strict=True)
            ],
            "plans": None if self.plans < 0 else self.plans,
            "sentence": self.sentence,
        }


def read_periods(data: Any) -> Periods | None:
    """
    Periods as a plan file holds them; None where it has none.

    Raises
    ------
    ValueError, TypeError, KeyError
        Not of that form.
    """
    if data is None:
        return None
    if not isinstance(data, Mapping) or not data["stretches"]:
        raise ValueError("`periods` holds no stretches")
    every = tuple(str(one["every"]) for one in data["stretches"])
    if not set(every) <= set(GRADES):
        raise ValueError(f"`periods` has a stretch of {every}, expected {', '.join(GRADES)}")
    until = tuple(datetime.date.fromisoformat(one["until"]) for one in data["stretches"])
    plans = data.get("plans")
    return Periods(until, every, data.get("chosen") == "auto", -1 if plans is None else int(plans))


def stretches_of(horizon: Horizon) -> tuple[Stretch, ...]:
    """Stretches that a horizon states; weeks throughout where the choice is left open."""
    if not isinstance(horizon.resolution, str):
        return horizon.resolution
    every = "week" if horizon.resolution == "auto" else horizon.resolution
    return (Stretch.model_validate({"every": every}),)


def border_days(horizon: Horizon, stretches: Sequence[Stretch] | None = None) -> Ints:
    """
    First days of the periods, then the day after the last one. [day]

    Parameters
    ----------
    horizon : Horizon
        The days planned, and the length of a period.
    stretches : sequence of Stretch, optional
        A resolution in place of the horizon's own, such as the one that a plan was made with
        where the scenario says ``auto``.

    Returns
    -------
    Ints [period + 1]
        Strictly rising, from 0 to the number of days of the horizon.

    Notes
    -----
    Weeks are seven days from the first day of their stretch. Months, quarters and half-years
    are the calendar's, so the first and the last one of a stretch may be short. A stretch
    begins on the day after the one before it ends; its first day is a border. Without
    `stretches`, ``auto`` has the borders of weeks, which are the finest.

    Examples
    --------
    >>> horizon = Horizon.model_validate(
    ...     {"from": "2026-09-16", "to": "2026-11-15", "resolution": "month"})
    >>> border_days(horizon).tolist()
    [0, 15, 46, 61]
    """
    days = (horizon.last - horizon.first).days + 1
    given = stretches_of(horizon) if stretches is None else stretches
    starts: list[int] = []
    first = 0
    for stretch in given:
        end = days if stretch.until is None else (stretch.until - horizon.first).days + 1
        end = min(end, days)
        if end > first:
            starts += _starts(horizon.first, first, end, stretch.every)
            first = end
    if first < days:  # stretches that stop too early are refused before; the last grade goes on
        starts += _starts(horizon.first, first, days, given[-1].every)
    return np.array([*starts, days], dtype=np.int64)


def _starts(origin: datetime.date, first: int, end: int, every: str) -> list[int]:
    """First days of the periods of one stretch, from the horizon's first day. [day]"""
    if every in _DAYS:
        return list(range(first, end, _DAYS[every]))
    months = _MONTHS[every]
    here = origin + datetime.timedelta(first)
    count = here.year * 12 + here.month - 1
    starts = [first]
    while True:
        count = (count // months + 1) * months
        if count // 12 > datetime.MAXYEAR:
            break
        start = (datetime.date(count // 12, count % 12 + 1, 1) - origin).days
        if start >= end:
            break
        starts.append(start)
    return starts
