"""Figures as a person writes them: a value with its unit, and where the value comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from hardware.units import (
    parse_bytes,
    parse_bytes_per_s,
    parse_duration_s,
    parse_energy_price,
    parse_flop_per_s,
    parse_frac,
    parse_hertz,
    parse_money,
    parse_power_w,
    parse_price,
    parse_tokens,
    parse_tokens_per_s,
)

__all__ = [
    "AsOf",
    "ByteRateFigure",
    "BytesFigure",
    "CountFigure",
    "Currency",
    "DurationFigure",
    "EnergyPriceFigure",
    "Figure",
    "FlopRateFigure",
    "FracFigure",
    "HertzFigure",
    "Mark",
    "MoneyFigure",
    "NumberFigure",
    "PowerFigure",
    "PriceFigure",
    "Record",
    "TokenRateFigure",
    "TokensFigure",
    "figure_schema",
    "read_figure",
]

Mark = Literal["published", "derived", "assumed", "measured", "stated"]


def _as_of(value: Any) -> Any:
    """Dates of sources are often only a year or a month: kept as text."""
    return value if value is None or isinstance(value, (dict, list)) else str(value)


AsOf = Annotated[str, BeforeValidator(_as_of)]
Currency = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]


class Record(BaseModel):
    """Base of everything written by a person: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Figure(Record):
    """One number with its origin; `value` is in SI units once read."""

    value: float
    """The number, with its unit where it has one."""
    mark: Mark = "stated"
    """Where it comes from: published, derived from published, assumed, measured, or just stated."""
    source: str = ""
    """Publication, data sheet or document."""
    as_of: AsOf = ""
    """Date of the source: a day, a month or a year."""
    note: str = ""
    """Anything a reviewer should know, a dispute above all."""

    @property
    def is_assumed(self) -> bool:
        """Whether the number is an assumption."""
        return self.mark == "assumed"


class Money(Figure):
    """An amount of money."""

    currency: str = ""
    """Three-letter code; part of the value's text."""


class Price(Figure):
    """Money a second, for a device or a node."""

    currency: str = ""
    """Three-letter code; part of the value's text."""
    per: Literal["device", "node", "joule"] = "device"
    """What the amount a second is for."""


def read_figure(read: Callable[[Any], dict[str, Any]]) -> BeforeValidator:
    """A validator that takes a plain value or a record with `value`, and reads its text."""

    def before(written: Any) -> Any:
        if isinstance(written, BaseModel):
            return written
        if isinstance(written, dict):
            if "value" not in written:
                return written
            return {**written, **read(written["value"])}
        if isinstance(written, list):
            raise ValueError(f"found a list of {len(written)}, expected one figure")
        return read(written)

    return BeforeValidator(before)


def figure_schema(example: str, *, numeric: bool = False) -> WithJsonSchema:
    """JSON Schema of a figure for editors: the plain text, or a record with its origin."""
    plain: dict[str, Any] = {"type": ["string", "number"] if numeric else "string"}
    record = {
        "type": "object",
        "additionalProperties": False,
        "required": ["value"],
        "properties": {
            "value": plain,
            "mark": {"enum": ["published", "derived", "assumed", "measured", "stated"]},
            "source": {"type": "string"},
            "as_of": {"type": ["string", "integer"]},
            "note": {"type": "string"},
        },
    }
    return WithJsonSchema({"anyOf": [plain, record], "examples": [example]})


def _value(parse: Callable[[object], float]) -> BeforeValidator:
    return read_figure(lambda text: {"value": parse(text)})


def _number(text: object) -> float:
    if isinstance(text, bool) or not isinstance(text, (int, float)):
        raise ValueError(f"found {text!r}, expected a number")
    if text != text or text in (float("inf"), float("-inf")):
        raise ValueError(f"found {text!r}, expected a finite number")
    return float(text)


def _count(text: object) -> float:
    value = _number(text)
    if value < 0 or value != int(value):
        raise ValueError(f"found {text!r}, expected a whole number, zero or more")
    return value


def _money(text: object) -> dict[str, Any]:
    amount, currency = parse_money(text)
    return {"value": amount, "currency": currency}


def _price(text: object) -> dict[str, Any]:
    amount, currency, per = parse_price(text)
    return {"value": amount, "currency": currency, "per": per}


def _energy_price(text: object) -> dict[str, Any]:
    amount, currency = parse_energy_price(text)
    return {"value": amount, "currency": currency, "per": "joule"}


NumberFigure = Annotated[Figure, _value(_number), figure_schema("1.3", numeric=True)]
CountFigure = Annotated[Figure, _value(_count), figure_schema("128", numeric=True)]
FracFigure = Annotated[Figure, _value(parse_frac), figure_schema("25%", numeric=True)]
BytesFigure = Annotated[Figure, _value(parse_bytes), figure_schema("80 GB")]
ByteRateFigure = Annotated[Figure, _value(parse_bytes_per_s), figure_schema("3.35 TB/s")]
FlopRateFigure = Annotated[Figure, _value(parse_flop_per_s), figure_schema("989 TFLOP/s")]
HertzFigure = Annotated[Figure, _value(parse_hertz), figure_schema("1.83 GHz")]
PowerFigure = Annotated[Figure, _value(parse_power_w), figure_schema("10.2 kW")]
DurationFigure = Annotated[Figure, _value(parse_duration_s), figure_schema("14 days")]
TokensFigure = Annotated[Figure, _value(parse_tokens), figure_schema("8.2 T", numeric=True)]
TokenRateFigure = Annotated[Figure, _value(parse_tokens_per_s), figure_schema("2648 tokens/s")]
MoneyFigure = Annotated[Money, read_figure(_money), figure_schema("40 bn KRW")]
PriceFigure = Annotated[Price, read_figure(_price), figure_schema("6.67 M KRW / device-month")]
EnergyPriceFigure = Annotated[Price, read_figure(_energy_price), figure_schema("182 KRW / kWh")]
