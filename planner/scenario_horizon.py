"""The days that a plan covers, and how finely they are divided: as planners write them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from hardware.quantity import Record
from planner.scenario_day import Day

__all__ = ["Horizon", "Stretch"]

Every = Literal["week", "two-weeks", "month", "quarter", "half-year"]
Word = Literal["week", "two-weeks", "month", "quarter", "half-year", "auto"]


class Stretch(Record):
    """A part of the horizon whose periods have one length."""

    until: Day | None = None
    """Last day of the stretch, included; the horizon's in the last one, which may leave it out."""
    every: Every
    """Length of a period. Weeks count from the first day of the stretch; months, quarters and
    half-years are the calendar's."""


def _form(value: Any) -> str:
    """Which form of a resolution is written: a list of stretches, or else a word."""
    return "(stretches)" if isinstance(value, (list, tuple)) else "(word)"


Resolution = Annotated[
    Annotated[Word, Tag("(word)")]
    | Annotated[tuple[Stretch, ...], Field(min_length=1), Tag("(stretches)")],
    Discriminator(_form),
]


class Horizon(Record):
    """The days that the plan covers, and how finely runs may start."""

    first: Day = Field(alias="from")
    """First day of the plan."""
    last: Day = Field(alias="to")
    """Last day of the plan, included."""
    resolution: Resolution = "auto"
    """Length of a period: a run starts at the border of one. A word, or a list of stretches,
    `[{until: 2026-12-31, every: week}, {every: month}]`. auto: as fine as at most 8,000
    whole plans of single jobs allow, finer near the start; the plan says what was chosen."""

    @model_validator(mode="after")
    def _ordered(self) -> Horizon:
        if self.last < self.first:
            raise ValueError(f"found {self.first} to {self.last}, expected `to` not before `from`")
        if (self.last - self.first).days > 20 * 366:
            raise ValueError(f"found {self.first} to {self.last}, expected at most 20 years")
        return self
