"""A written figure for a reader: its value with unit, where it comes from, and its sign."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from planner.cli.table import Column, Table

if TYPE_CHECKING:
    from hardware.quantity import Figure

__all__ = ["ASSUMED", "SIGNS", "figure_record", "figure_table", "figure_text", "remark"]

ASSUMED = "*"
SIGNS = f"{ASSUMED} assumed   † disputed: other sources say something else"

# Last step of a field's path -> what it is measured in; a field not named is a plain number.
_UNITS = {
    "memory": "B", "usable_memory": "B", "sram": "B",
    "memory_bandwidth": "B/s", "memory_achieved": "B/s", "link": "B/s", "port": "B/s",
    "clock": "Hz", "tdp": "W", "power": "W", "host_power": "W",
    "duration": "s", "total": "parameters", "active": "parameters",
}  # fmt: skip
_RATES = ("peaks", "matmul")


def unit_of(path: str) -> str:
    """SI unit of the figure at a field path; empty for a count or a fraction."""
    steps = path.split(".")
    if steps[0] in _RATES:
        return "FLOP/s"
    if path == "training.tokens":
        return "tokens"
    return _UNITS.get(steps[-1], "")


def figure_text(path: str, figure: Figure) -> str:
    """Value of a figure as a data sheet would print it."""
    from hardware.units import format_duration, format_si

    unit = unit_of(path)
    currency = getattr(figure, "currency", "")
    if currency:
        return _price_text(figure, currency)
    if unit == "s":
        return format_duration(figure.value)
    if unit in ("tokens", "parameters"):
        text = format_si(figure.value, "", digits=4).replace("G", "B")
        return f"{text} {unit}"
    if unit:
        return format_si(figure.value, unit, digits=4)
    return f"{figure.value:,.10g}"


def _price_text(figure: Any, currency: str) -> str:
    per = figure.per
    amount = figure.value * (3.6e6 if per == "joule" else 3600.0)
    return f"{amount:,.4g} {currency} / {'kWh' if per == 'joule' else per + '-hour'}"


def figure_record(path: str, figure: Figure) -> dict[str, Any]:
    """The figure as plain types in SI units, for JSON; an empty text is null."""
    return {
        "field": path,
        "value": figure.value,
        "unit": unit_of(path) or None,
        "text": figure_text(path, figure),
        "mark": figure.mark,
        "source": figure.source or None,
        "as_of": figure.as_of or None,
        "note": figure.note or None,
        "disputed": getattr(figure, "disputed", "") or None,
        "replaces": getattr(figure, "replaces", "") or None,
    }


def figure_table(records: Iterable[dict[str, Any]], *, full: bool = False) -> Table:
    """Figures one a row, each with the number of its source; in full, with source and remarks."""
    records = list(records)
    sources = source_numbers(records)
    columns = [
        Column("field", "figure"), Column("text", "value"), Column("mark", "mark"),
        Column("as_of", "date"), Column("source", "source"),
    ]  # fmt: skip
    rows = []
    for record in records:
        sign = ASSUMED if record["mark"] == "assumed" else ""
        sign += "†" if record["disputed"] else ""
        source = record["source"]
        cells = [record["field"], record["text"] if full else record["text"] + sign,
                 record["mark"], record["as_of"]]  # fmt: skip
        if full:
            cells += [source, record["value"], record["unit"], remark(record)]
        else:
            cells += [f"[{sources[source]}]" if source else None]
        rows.append(tuple(cells))
    if full:
        columns += [Column("value", "value"), Column("unit", "unit"), Column("remark", "remark")]
    return Table(tuple(columns), tuple(rows))


def remark(record: dict[str, Any]) -> str:
    """What a reviewer must know of a figure: disputes first, then what it replaces."""
    texts = (
        f"disputed: {record['disputed']}" if record["disputed"] else "",
        f"replaces {record['replaces']}" if record["replaces"] else "",
        record["note"] or "",
    )
    return "; ".join(text for text in texts if text)


def source_numbers(records: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Sources in the order of their first use, numbered from 1."""
    found: dict[str, int] = {}
    for record in records:
        if record["source"]:
            found.setdefault(record["source"], len(found) + 1)
    return found
