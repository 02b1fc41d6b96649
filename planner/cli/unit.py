"""Options that take a unit: `--tokens '8.2 T'`, `--time-limit 60s`, `--gap 1%`, `--price …`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

__all__ = ["BYTES", "DURATION", "FRAC", "PRICE", "TOKENS", "Unit"]


class Unit(click.ParamType[Any, Any]):
    """A text with a unit, read into SI by one parser of `hardware.units`."""

    def __init__(self, name: str, parser: str) -> None:
        self.name = name
        self.parser = parser

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value in SI units; a usage error that says what was expected."""
        import hardware.units

        if not isinstance(value, str):
            return value
        parse: Callable[[str], Any] = getattr(hardware.units, self.parser)
        try:
            return parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


BYTES = Unit("bytes", "parse_bytes")
TOKENS = Unit("tokens", "parse_tokens")
DURATION = Unit("duration", "parse_duration_s")
FRAC = Unit("fraction", "parse_frac")
PRICE = Unit("price", "parse_price")
