"""Days and spans of days, as planners write them."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from hardware.quantity import Record

__all__ = ["Day", "Window"]


def _date(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        raise ValueError(f"found {value.isoformat()}, expected a day without a time, `2026-09-01`")
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"found {value!r}, expected a day, such as `2026-09-01`") from None


Day = Annotated[datetime.date, BeforeValidator(_date)]


class Window(Record):
    """A span of days, both ends included; an open end is the horizon's."""

    first: Day | None = Field(None, alias="from")
    """First day."""
    last: Day | None = Field(None, alias="to")
    """Last day, included."""

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.first and self.last and self.last < self.first:
            raise ValueError(f"found {self.first} to {self.last}, expected `to` not before `from`")
        return self
