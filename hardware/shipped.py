"""The shipped sheets: where each device stands, and the sheets as data and as records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hardware.inherit import inherit
from hardware.sheet import read_document
from hardware.spec import Accelerator, HardwareSheet

__all__ = [
    "ECONOMY",
    "NODES",
    "SHEETS",
    "UNUSABLE",
    "Index",
    "compared",
    "index",
    "sheet_names",
    "shipped_accelerator",
    "shipped_data",
    "shipped_sheet",
]

SHEETS = Path(__file__).parent / "sheets"
NODES, ECONOMY, UNUSABLE = "nodes.yaml", "economy.yaml", "unusable.yaml"


@dataclass(frozen=True)
class Index:
    """Where the shipped devices stand, and what they may be called."""

    home: Mapping[str, str]  # device -> sheet
    alias: Mapping[str, str]  # compared spelling -> device
    unusable: frozenset[str]
    spellings: tuple[str, ...]


@cache
def index() -> Index:
    """The shipped index: it spares reading every sheet to find one device."""
    read = json.loads((SHEETS / "index.json").read_text(encoding="utf-8"))
    home = {name: sheet for sheet, names in read["accelerators"].items() for name in names}
    called: dict[str, list[str]] = dict(read["unusable"])
    for names in read["accelerators"].values():
        called.update(names)
    alias = {compared(other): name for name, others in called.items() for other in (name, *others)}
    spellings = tuple(other for name, others in called.items() for other in (name, *others))
    return Index(home, alias, frozenset(read["unusable"]), spellings)


def compared(name: str) -> str:
    """A name as compared: case, spaces, dots, dashes and underscores do not matter."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


@cache
def shipped_data(sheet: str) -> Mapping[str, Any]:
    """A shipped sheet as plain data, with what its figures inherit filled in."""
    document = read_document(SHEETS / sheet)
    return inherit(document.data, HardwareSheet)


@cache
def shipped_sheet(sheet: str) -> HardwareSheet:
    """A shipped sheet, read wholly."""
    return HardwareSheet.model_validate(shipped_data(sheet))


@cache
def shipped_accelerator(name: str) -> Accelerator:
    """A shipped device by its full name; the other devices of its sheet are not checked."""
    return Accelerator.model_validate(shipped_data(index().home[name])["accelerators"][name])


def sheet_names() -> tuple[str, ...]:
    """File names of all shipped sheets."""
    return tuple(sorted(path.name for path in SHEETS.glob("*.yaml")))
