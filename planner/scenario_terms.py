"""Terms on which nodes are given: dates by which support is used, lending of own pools."""

from __future__ import annotations

from pydantic import Field

from hardware.quantity import FracFigure, PriceFigure, Record
from planner.scenario_day import Day, Window

__all__ = ["Lend", "UseBy"]


class UseBy(Record):
    """A day by which consortiums with a floor have used a part of it."""

    day: Day
    """Last day that counts."""
    least: FracFigure
    """Part of the floor times all days of the consortium's support, held by the end of `day`."""
    consortiums: tuple[str, ...] | None = None
    """Whom it binds; when left out, all with a floor whose support has begun by `day`."""


class Lend(Record):
    """On which terms others use an own pool, after its owner."""

    to: tuple[str, ...] = Field(min_length=1)
    """Consortiums that may borrow. They get nodes only in a plan that places every job of the
    owner's that the pool may serve, in this pool or another: the owner's jobs come first."""
    price: PriceFigure | None = None
    """What borrowing costs the borrower; the pool's `price` when left out."""
    window: Window = Field(default_factory=lambda: Window.model_validate({}))
    """Days in which nodes are lent; all of the pool's when left out."""
