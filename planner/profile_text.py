"""The table of constants as text: every constant with its meaning, a profile an entry."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from planner.stack import FamilyTable, StackTable

__all__ = ["constants_text"]

_HEAD = """\
# The constants of the performance model, one table. `default` is what a stack or family that
# nobody measured has, and fills what a profile leaves out. Written by `planner calibrate`;
# constants that `planner calibrate` does not fit are kept as they are.
"""


def constants_text(
    stacks: StackTable, families: FamilyTable, provenance: Mapping[str, str | int]
) -> str:
    """
    A document that `stack.load_constants` reads back.

    Parameters
    ----------
    stacks, families
        The constants.
    provenance : mapping
        What they were fitted on; stands in front.

    Returns
    -------
    str
        YAML; numbers to four significant digits.
    """
    lines = [_HEAD.rstrip(), "#", "# Of a stack:"]
    lines += [*_meanings(StackTable), "#", "# Of a family of devices:", *_meanings(FamilyTable)]
    lines += ["schema: planner/constants/1", "fitted:"]
    lines += [f"  {key}: {_quoted(value)}" for key, value in provenance.items()]
    lines += ["stacks:", *_profiles(stacks), "families:", *_profiles(families)]
    return "\n".join(lines) + "\n"


def _quoted(value: str | int) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _meanings(table: type[Any]) -> list[str]:
    """Comment lines with the meaning of each column, from the table's own declaration."""
    found = re.findall(r"^    (\w+): \w+  # \[\w+\] ?(.*)$", inspect.getsource(table), re.M)
    return [f"#   {name}: {text}" if text else f"#   {name}" for name, text in found]


def _profiles(table: Any) -> list[str]:
    columns = [field.name for field in fields(table) if field.name != "names"]
    lines = []
    for row, name in enumerate(table.names):
        cells = {column: _number(getattr(table, column)[row]) for column in columns}
        if row:
            default = {column: _number(getattr(table, column)[0]) for column in columns}
            cells = {key: cell for key, cell in cells.items() if cell != default[key]}
        if not cells:
            lines.append(f"  {name}: {{}}")
            continue
        lines.append(f"  {name}:")
        lines += [f"    {key}: {cell}" for key, cell in cells.items()]
    return lines


def _number(value: Any) -> str:
    if isinstance(value, (np.bool_, np.integer)):
        return str(int(value))
    text = f"{float(value):.4g}"
    mantissa, e, exponent = text.partition("e")
    if e:
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"
    return text
