"""Terms on which support is given: dates by which it is used."""

from __future__ import annotations

from hardware.quantity import FracFigure, Record
from planner.scenario_day import Day

__all__ = ["UseBy"]


class UseBy(Record):
    """A day by which consortiums with a floor have used a part of it."""

    day: Day
    """Last day that counts."""
    least: FracFigure
    """Part of the floor times all days of the consortium's support, held by the end of `day`."""
    consortiums: tuple[str, ...] | None = None
    """Whom it binds; when left out, all with a floor whose support has begun by `day`."""
