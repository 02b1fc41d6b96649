"""What binds a plan: worth of one more node, day or part of a budget, at the proved prices."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Binding", "read_bindings", "written_bindings"]


@dataclass(frozen=True)
class Binding:
    """
    One thing of which more, or of a floor less, would allow more weighted work.

    `value` is what one more of `unit` adds at most to what the prices of the certificate
    allow, among the runs that there are to choose from; `money` the same at what a unit of
    value costs in the plan, None where that is nothing.
    """

    kind: str  # pool, period, day, budget, floor or cap
    name: str  # of the pool or consortium
    first: datetime.date | None  # first day that it speaks of; None = all
    last: datetime.date | None  # last day, included
    unit: str
    value: float
    money: float | None  # in the plan's currency


def written_bindings(binds: tuple[Binding, ...]) -> list[dict[str, Any]]:
    """Bindings as plain types."""
    return [
        {
            "kind": one.kind,
            "name": one.name,
            "from": None if one.first is None else one.first.isoformat(),
            "to": None if one.last is None else one.last.isoformat(),
            "unit": one.unit,
            "value": one.value,
            "money": one.money,
        }
        for one in binds
    ]


def read_bindings(data: Any) -> tuple[Binding, ...]:
    """Bindings as written; KeyError, TypeError or ValueError where they are none."""
    return tuple(_read(one) for one in data or ())


def _read(one: Mapping[str, Any]) -> Binding:
    days = [
        None if one[key] is None else datetime.date.fromisoformat(one[key])
        for key in ("from", "to")
    ]
    money = None if one["money"] is None else float(one["money"])
    return Binding(str(one["kind"]), str(one["name"]), days[0], days[1], str(one["unit"]),
                   float(one["value"]), money)  # fmt: skip
