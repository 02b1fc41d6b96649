"""The catalogue: shipped sheets, look-up by any spelling, and what users' files lay over them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from hardware.errors import Diagnostic, InputError, UnknownName, Where, near_match
from hardware.inherit import inherit, merge
from hardware.quantity import Record
from hardware.sheet import Document, parse_document, read_document, where_is
from hardware.spec import Accelerator, Fabric, HardwareSheet, Node, PriceEntry, Unusable

__all__ = [
    "Catalogue",
    "accelerator",
    "device_names",
    "fabric",
    "node",
    "node_names",
    "open_catalogue",
    "resolve",
]

_SHEETS = Path(__file__).parent / "sheets"
_NODES, _ECONOMY, _UNUSABLE = "nodes.yaml", "economy.yaml", "unusable.yaml"


@dataclass(frozen=True)
class Catalogue:
    """What files of a user add to, or lay over, the shipped sheets."""

    accelerators: Mapping[str, Accelerator] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    fabrics: Mapping[str, Fabric] = field(default_factory=dict)
    unusable: Mapping[str, Unusable] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    prices: tuple[PriceEntry, ...] = ()
    exchange: Mapping[str, Any] = field(default_factory=dict)
    electricity: Mapping[str, Any] = field(default_factory=dict)
    pue: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Index:
    """Where the shipped devices stand, and what they may be called."""

    home: Mapping[str, str]  # device -> sheet
    alias: Mapping[str, str]  # compared spelling -> device
    unusable: frozenset[str]
    spellings: tuple[str, ...]


SHIPPED = Catalogue()


@cache
def _index() -> _Index:
    """The shipped index: it spares reading every sheet to find one device."""
    index = json.loads((_SHEETS / "index.json").read_text(encoding="utf-8"))
    home = {name: sheet for sheet, names in index["accelerators"].items() for name in names}
    called: dict[str, list[str]] = dict(index["unusable"])
    for names in index["accelerators"].values():
        called.update(names)
    alias = {_plain(other): name for name, others in called.items() for other in (name, *others)}
    spellings = tuple(other for name, others in called.items() for other in (name, *others))
    return _Index(home, alias, frozenset(index["unusable"]), spellings)


def _plain(name: str) -> str:
    """A name as compared: case, spaces, dots, dashes and underscores do not matter."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


@cache
def _shipped(sheet: str) -> Mapping[str, Any]:
    """A shipped sheet as plain data, with what its figures inherit filled in."""
    document = read_document(_SHEETS / sheet)
    return inherit(document.data, HardwareSheet)


@cache
def _parsed(sheet: str) -> HardwareSheet:
    """A shipped sheet, read wholly."""
    return HardwareSheet.model_validate(_shipped(sheet))


@cache
def _shipped_accelerator(name: str) -> Accelerator:
    return Accelerator.model_validate(_shipped(_index().home[name])["accelerators"][name])


def economy() -> HardwareSheet:
    """The shipped exchange rates, electricity tariffs and PUE figures."""
    return _parsed(_ECONOMY)


def sheet_names() -> tuple[str, ...]:
    """File names of all shipped sheets."""
    return tuple(sorted(path.name for path in _SHEETS.glob("*.yaml")))


def open_catalogue(files: Iterable[str | Path] = ()) -> Catalogue:
    """
    Read hardware sheets of a user over the shipped catalogue.

    Parameters
    ----------
    files : iterable of path
        YAML or JSON files in the form of the shipped sheets. An entry that names a known
        device or node overrides only the fields written; a later file wins over an earlier.

    Returns
    -------
    Catalogue
        What the files add and override.

    Raises
    ------
    InputError
        Every fault of a file at once, with its place.
    """
    catalogue = Catalogue()
    for path in files:
        catalogue = _overlay(catalogue, read_document(path))
    return catalogue


def _overlay(below: Catalogue, document: Document) -> Catalogue:
    """One file laid over the catalogue so far."""
    if not isinstance(document.data, dict):
        parse_document(document, HardwareSheet)  # raises, with the place
    data = inherit(document.data, HardwareSheet)
    faults: list[Diagnostic] = []
    kept: dict[str, dict[str, str]] = {}
    for section, required in (
        ("accelerators", ("title", "memory")),
        ("nodes", ("title", "devices")),
        ("fabrics", ("title", "port")),
    ):
        entries = data.get(section)
        if isinstance(entries, dict):
            data[section], kept[section] = _merged(
                below, document, section, entries, required, faults
            )
    try:
        sheet = parse_document(replace(document, data=data), HardwareSheet)
    except InputError as error:
        raise InputError((*faults, *error.diagnostics)) from None
    if faults:
        raise InputError(faults)
    written = {
        (section, name): data[section][key]
        for section, names in kept.items()
        for key, name in names.items()
    }
    return replace(_laid(below, sheet, kept), written={**below.written, **written})


_MODELS: Mapping[str, type[Record]] = {
    "accelerators": Accelerator,
    "nodes": Node,
    "fabrics": Fabric,
}


def _merged(
    below: Catalogue,
    document: Document,
    section: str,
    entries: dict[str, Any],
    required: Sequence[str],
    faults: list[Diagnostic],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Entries of a section over those below; and the full name of each name written."""
    merged, kept = {}, {}
    for written, entry in entries.items():
        name, old = _beneath(below, section, str(written))
        if old is None and isinstance(entry, dict) and not any(key in entry for key in required):
            known = _known(below, section)
            faults.append(Diagnostic(
                f"unknown-{section[:-1]}", f"no {section[:-1]} is called `{written}`",
                where_is(document, (section, written), key=True),
                expected=f"the name of a known one, or a new one with {', '.join(required)} …",
                hint=near_match(str(written), known)))  # fmt: skip
            continue
        is_override = old is not None and isinstance(entry, dict)
        merged[written] = merge(dict(old or {}), entry, _MODELS[section]) if is_override else entry
        kept[written] = name
    return merged, kept


def _beneath(below: Catalogue, section: str, written: str) -> tuple[str, Mapping[str, Any] | None]:
    """Full name and plain data of an entry that a file may override, None for a new one."""
    name = written
    if section == "accelerators":
        name = resolve(written, below) or written
    if (section, name) in below.written:
        return name, below.written[section, name]
    sheet = _index().home.get(name) if section == "accelerators" else _NODES
    return name, None if sheet is None else _shipped(sheet)[section].get(name)


def _known(below: Catalogue, section: str) -> list[str]:
    if section == "accelerators":
        return [*_index().spellings, *below.accelerators]
    return [*_shipped(_NODES)[section], *getattr(below, section)]


def _laid(below: Catalogue, sheet: HardwareSheet, kept: dict[str, dict[str, str]]) -> Catalogue:
    def over(section: str) -> dict[str, Any]:
        names = kept.get(section, {})
        new = {names[written]: entry for written, entry in getattr(sheet, section).items()}
        return {**getattr(below, section), **new}

    devices = over("accelerators")
    aliases = {
        _plain(alias): name for name, entry in devices.items() for alias in (name, *entry.aliases)
    }
    return Catalogue(
        accelerators=devices,
        nodes=over("nodes"),
        fabrics=over("fabrics"),
        unusable={**below.unusable, **sheet.unusable},
        aliases=aliases,
        prices=(*below.prices, *sheet.prices),
        exchange={**below.exchange, **sheet.exchange},
        electricity={**below.electricity, **sheet.electricity},
        pue={**below.pue, **sheet.pue},
    )


def resolve(name: str, catalogue: Catalogue = SHIPPED) -> str | None:
    """Full name of a device, from the name or any alias in any spelling; None when unknown."""
    plain = _plain(name)
    return catalogue.aliases.get(plain) or _index().alias.get(plain)


def device_names(catalogue: Catalogue = SHIPPED) -> tuple[str, ...]:
    """Names of all usable devices, shipped ones in the order of their sheets."""
    shipped = _index().home
    return (*shipped, *(name for name in catalogue.accelerators if name not in shipped))


def node_names(catalogue: Catalogue = SHIPPED) -> tuple[str, ...]:
    """Names of all nodes."""
    shipped = _shipped(_NODES)["nodes"]
    return (*shipped, *(name for name in catalogue.nodes if name not in shipped))


def accelerator(name: str, catalogue: Catalogue = SHIPPED) -> tuple[str, Accelerator]:
    """
    Full name and record of a device.

    Raises
    ------
    UnknownName
        No such device, with near matches; or a device without usable figures, with the reason.
    """
    full = resolve(name, catalogue)
    if full is not None and full in catalogue.accelerators:
        return full, catalogue.accelerators[full]
    if full is not None and full in _index().home:
        return full, _shipped_accelerator(full)
    raise UnknownName(_refusal(name, full, catalogue))


def _refusal(name: str, full: str | None, catalogue: Catalogue) -> Diagnostic:
    known_by_name = dict(catalogue.unusable)
    if full in _index().unusable and full not in known_by_name:
        known_by_name[full] = _parsed(_UNUSABLE).unusable[full]
    known = known_by_name.get(full or name)
    if known is not None:
        return Diagnostic(
            "unusable-device", f"{known.title} cannot be planned with", Where(field=name),
            found=f"{known.reason} ({known.source}, {known.as_of})",
            expected="a device whose memory, bandwidth and peaks are known",
            hint="write its figures with their source into a sheet of your own")  # fmt: skip
    own = [alias for one in catalogue.accelerators.values() for alias in one.aliases]
    spellings = [*_index().spellings, *catalogue.accelerators, *own]
    return Diagnostic(
        "unknown-device", f"no device is called `{name}`", Where(field=name),
        hint=near_match(name, spellings) or "`planner catalog` lists the devices")  # fmt: skip


def node(name: str, catalogue: Catalogue = SHIPPED) -> Node:
    """The record of a node; UnknownName with near matches when there is none."""
    found = catalogue.nodes.get(name) or _parsed(_NODES).nodes.get(name)
    if found is None:
        raise UnknownName(Diagnostic(
            "unknown-node", f"no node is called `{name}`", Where(field=name),
            hint=near_match(name, node_names(catalogue))))  # fmt: skip
    return found


def fabric(name: str, catalogue: Catalogue = SHIPPED) -> Fabric:
    """The record of a network; UnknownName with near matches when there is none."""
    shipped = _parsed(_NODES).fabrics
    found = catalogue.fabrics.get(name) or shipped.get(name)
    if found is None:
        known = [*shipped, *catalogue.fabrics]
        raise UnknownName(Diagnostic(
            "unknown-fabric", f"no network is called `{name}`", Where(field=name),
            hint=near_match(name, known)))  # fmt: skip
    return found
