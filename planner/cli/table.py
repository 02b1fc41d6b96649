"""Tables for a reader: three significant digits, one prefix a column, units in the header."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["WIDEST", "Column", "Marked", "Table", "raw", "significant", "table_text"]

WIDEST = 100
UNKNOWN = "—"

Kind = Literal["text", "count", "number", "si", "big", "percent"]

_SI = ((1e24, "Y"), (1e21, "Z"), (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"),
       (1e3, "k"))  # fmt: skip
_SMALL = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_BIG = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MONEY = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Column:
    """
    One column of a table.

    `name` is the key in CSV and carries the unit suffix; `title` and `unit`
    are what a reader sees. Kinds: ``text``; ``count``, a whole number shown in
    full; ``number``, three digits without a prefix; ``si`` and ``big``, three
    digits under one prefix for the column (``big`` speaks of B and bn, as for
    tokens and money); ``percent``, a fraction shown in percent.
    """

    name: str
    title: str
    unit: str = ""
    kind: Kind = "text"


@dataclass(frozen=True)
class Marked:
    """A value with a sign behind it that a footnote explains."""

    value: Any
    sign: str = "*"


@dataclass(frozen=True)
class Table:
    """Rows under columns, with an optional title and a last row of totals."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str = ""
    total: tuple[Any, ...] | None = None


def significant(value: float, *, digits: int = 3) -> str:
    """
    A number in plain notation with so many significant digits; zero is `0`.

    Examples
    --------
    >>> significant(0.43219), significant(12345.6), significant(0.0)
    ('0.432', '12,300', '0')
    """
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = digits - 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{min(max(decimals, 0), 9)}f}"


def raw(column: Column, value: Any) -> Any:
    """A cell for a program: without its sign, a count as a whole number."""
    value = _plain(value)
    return int(value) if column.kind == "count" and value is not None else value


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Marked) else value


def _prefix(values: Sequence[Any], column: Column) -> tuple[float, str]:
    """Scale and prefix under which the middle value of the column has one to three digits."""
    sizes = sorted(abs(value) for value in values if value)
    middle = sizes[len(sizes) // 2] if sizes else 0.0
    steps: tuple[tuple[float, str], ...]
    if column.kind == "si":
        steps = (*_SI, *_SMALL)
    elif column.kind == "big":
        money = len(column.unit) == 3 and column.unit.isupper()
        steps = _MONEY if money else _BIG
    else:
        return 1.0, ""
    for scale, prefix in steps:
        if middle >= scale * 0.9995:
            return scale, prefix
    return 1.0, ""


def _unit(prefix: str, column: Column) -> str:
    if column.kind == "percent":
        return "%"
    if column.kind == "big":
        return f"{prefix} {column.unit}".strip()
    return prefix + column.unit


def _cell(value: Any, column: Column, scale: float) -> str:
    sign = value.sign if isinstance(value, Marked) else ""
    value = _plain(value)
    if value is None or value == "":
        return UNKNOWN + sign if value is None else sign
    if column.kind == "text":
        return f"{value}{sign}"
    if column.kind == "count":
        return f"{value:,.0f}{sign}"
    if column.kind == "percent":
        return significant(100 * value) + sign
    return significant(value / scale) + sign


def _strings(table: Table) -> list[tuple[Column, str, list[str]]]:
    """For each column its unit under the chosen prefix, and its cells, totals last."""
    rows = [*table.rows, table.total] if table.total else list(table.rows)
    result = []
    for at, column in enumerate(table.columns):
        cells = [row[at] for row in rows]
        scale, prefix = (1.0, "")
        if column.kind != "text":
            scale, prefix = _prefix([_plain(cell) for cell in cells], column)
        texts = [_cell(cell, column, scale) for cell in cells]
        result.append((column, _unit(prefix, column), texts))
    return result


def table_text(table: Table, *, width: int = WIDEST, color: bool = False) -> str:
    """
    The table as text, at most `width` columns of a terminal wide.

    The last columns are left out when they do not fit, and a line under the
    table names them. Numbers stand to the right, units in the header.
    """
    from rich.cells import cell_len

    columns = _strings(table)
    spent, kept = 0, 0
    for column, unit, texts in columns:
        widest = max(cell_len(text) for text in (column.title, unit, *texts))
        if kept and spent + widest > width:
            break
        spent += widest + 2
        kept += 1
    text = _drawn(table, columns[:kept], color)
    if kept < len(columns):
        names = ", ".join(column.title for column, _, _ in columns[kept:])
        text += f"\n(not shown in {width} columns: {names}; --format csv has all)"
    return f"{table.title}\n{text}" if table.title else text


def _drawn(table: Table, columns: Sequence[tuple[Column, str, list[str]]], color: bool) -> str:
    import io

    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_footer=False)
    has_units = any(unit for _, unit, _ in columns)
    for column, unit, _ in columns:
        title = f"{column.title}\n{unit}" if has_units else column.title
        side: Literal["left", "right"] = "left" if column.kind == "text" else "right"
        grid.add_column(Text(title, style="bold"), justify=side, no_wrap=True, overflow="crop")
    height = len(columns[0][2]) if columns else 0
    for row in range(height):
        is_total = table.total is not None and row == height - 1
        grid.add_row(*(Text(texts[row]) for _, _, texts in columns),
                     style="bold" if is_total else None)  # fmt: skip
    paper = io.StringIO()
    console = Console(
        file=paper, width=10_000, force_terminal=color, no_color=not color, legacy_windows=False,
        color_system="standard" if color else None, highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    console.print(grid)
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines())
