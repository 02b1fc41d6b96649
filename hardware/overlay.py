"""Sheets of a user laid over the shipped ones: new entries, overrides, and every fault in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hardware.errors import Diagnostic, InputError, near_match
from hardware.inherit import inherit, merge
from hardware.quantity import Record
from hardware.sheet import Document, parse_document, where_is
from hardware.shipped import ECONOMY, NODES, compared, index, shipped_data, shipped_sheet
from hardware.spec import Accelerator, Fabric, HardwareSheet, Node, PriceEntry, Unusable

__all__ = ["SHIPPED", "Catalogue", "lay_over", "resolve"]


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


SHIPPED = Catalogue()
"""The catalogue as shipped: nothing laid over it."""


def resolve(name: str, catalogue: Catalogue = SHIPPED) -> str | None:
    """Full name of a device, from the name or any alias in any spelling; None when unknown."""
    plain = compared(name)
    return catalogue.aliases.get(plain) or index().alias.get(plain)


def lay_over(below: Catalogue, document: Document) -> Catalogue:
    """
    A sheet of a user laid over a catalogue.

    Raises
    ------
    InputError
        Every fault of the sheet at once, with its place.
    """
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
        raise InputError((*faults, *map(_hinted, error.diagnostics))) from None
    written = {
        (section, name): data[section][key]
        for section, names in kept.items()
        for key, name in names.items()
    }
    laid = replace(_laid(below, sheet, kept), written={**below.written, **written})
    faults += _dangling(laid, sheet, document)
    if faults:
        raise InputError(faults)
    return laid


_ONCE = {
    "source": "`source: …` may stand once, at the head of the entry or sheet",
    "as_of": "`as_of: 2026-11` may stand once, at the head of the entry or sheet",
    "dense": "say `basis: {dense: true}` once at the head, when all peaks are dense",
    "per": "say `basis: {per: device}` once at the head, when all figures are of one device",
    "direction": "say `basis: {direction: one_way}` once at the head, when all links are",
}


def _hinted(fault: Diagnostic) -> Diagnostic:
    """A missing origin with the remedy: it need not be written at each figure."""
    missing = fault.where.field.rpartition(".")[2]
    if fault.code == "missing-field" and missing in _ONCE:
        return replace(fault, hint=_ONCE[missing])
    return fault


def _dangling(laid: Catalogue, sheet: HardwareSheet, document: Document) -> list[Diagnostic]:
    """Names in the sheet that nothing answers to: nodes, networks, devices, currencies."""
    shipped = shipped_sheet(NODES)
    nodes, fabrics = {**shipped.nodes, **laid.nodes}, {**shipped.fabrics, **laid.fabrics}
    currencies = {**shipped_sheet(ECONOMY).exchange, **laid.exchange}
    devices = [*index().spellings, *laid.accelerators]
    asked: list[tuple[tuple[str | int, ...], str, str, Sequence[str], bool]] = []
    for key, device in sheet.accelerators.items():
        known = device.node in nodes
        asked.append((("accelerators", key, "node"), "node", device.node, [*nodes], known))
    for key, node in sheet.nodes.items():
        known = node.fabric in fabrics
        asked.append((("nodes", key, "fabric"), "fabric", node.fabric, [*fabrics], known))
        for at, name in enumerate(node.holds):
            known = resolve(name, laid) is not None
            asked.append((("nodes", key, "holds", at), "device", name, devices, known))
    for at, entry in enumerate(sheet.prices):
        known = resolve(entry.device, laid) is not None
        asked.append((("prices", at, "device"), "device", entry.device, devices, known))
        code = entry.price.currency
        asked.append((("prices", at, "price"), "currency", code, [*currencies], code in currencies))
    return [
        Diagnostic(f"unknown-{what}", f"no {what} is called `{name}`", where_is(document, path),
                   hint=near_match(name, known))
        for path, what, name, known, is_known in asked
        if not is_known
    ]  # fmt: skip


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
    merged: dict[str, Any] = {}
    kept: dict[str, str] = {}
    for written, entry in entries.items():
        name, old = _beneath(below, section, str(written))
        if name in kept.values():
            faults.append(Diagnostic(
                "named-twice", f"`{written}` means `{name}`, which stands above already",
                where_is(document, (section, written), key=True)))  # fmt: skip
        elif not isinstance(entry, dict):
            merged[written], kept[written] = entry, name
        elif old is not None:
            merged[written] = merge(dict(old), entry, _MODELS[section])
            kept[written] = name
            if "memory" in entry and "usable_memory" not in entry:
                # What programs can have was measured on the other capacity.
                merged[written].pop("usable_memory", None)
        elif any(key in entry for key in required):
            merged[written], kept[written] = entry, name
        else:
            faults.append(Diagnostic(
                f"unknown-{section[:-1]}", f"no {section[:-1]} is called `{written}`",
                where_is(document, (section, written), key=True),
                expected=f"the name of a known one, or a new one with {', '.join(required)} …",
                hint=near_match(str(written), _known(below, section))))  # fmt: skip
    return merged, kept


def _beneath(below: Catalogue, section: str, written: str) -> tuple[str, Mapping[str, Any] | None]:
    """Full name and plain data of an entry that a file may override, None for a new one."""
    name = written
    if section == "accelerators":
        name = resolve(written, below) or written
    if (section, name) in below.written:
        return name, below.written[section, name]
    sheet = index().home.get(name) if section == "accelerators" else NODES
    return name, None if sheet is None else shipped_data(sheet)[section].get(name)


def _known(below: Catalogue, section: str) -> list[str]:
    if section == "accelerators":
        return [*index().spellings, *below.accelerators]
    return [*shipped_data(NODES)[section], *getattr(below, section)]


def _laid(below: Catalogue, sheet: HardwareSheet, kept: dict[str, dict[str, str]]) -> Catalogue:
    def over(section: str) -> dict[str, Any]:
        names = kept.get(section, {})
        new = {names[written]: entry for written, entry in getattr(sheet, section).items()}
        return {**getattr(below, section), **new}

    devices = over("accelerators")
    aliases = {
        compared(alias): name for name, entry in devices.items() for alias in (name, *entry.aliases)
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
