"""Where each figure of a device or node comes from: source, date, mark, dispute, override."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hardware.catalog import Catalogue, fabric, node, node_names, open_catalogue, resolve
from hardware.errors import Diagnostic, UnknownName, Where, near_match
from hardware.placement import USABLE_FRAC, Placement, placed
from hardware.quantity import Figure
from hardware.shipped import index
from hardware.spec import Accelerator, Fabric, Node
from hardware.table import PRECISIONS

__all__ = ["FigureRow", "describe"]


@dataclass(frozen=True)
class FigureRow:
    """One figure with everything a reviewer asks of it; `value` is in the SI unit `unit`."""

    figure: str
    value: float
    unit: str
    source: str
    as_of: str
    mark: str
    disputed: str = ""
    replaces: str = ""
    note: str = ""


_DEVICE_UNITS = {
    "memory": "B",
    "usable_memory": "B",
    "memory_bandwidth": "B/s",
    "memory_achieved": "B/s",
    "cores": "",
    "clock": "Hz",
    "sram": "B",
    "tdp": "W",
    "link": "B/s",
    "domain": "",
}
_NODE_UNITS = {
    "devices": "",
    "nics": "",
    "domain": "",
    "link": "B/s",
    "power": "W",
    "host_power": "W",
    "typical_power": "",
}


def _row(name: str, figure: Figure, unit: str) -> FigureRow:
    return FigureRow(
        name,
        figure.value,
        unit,
        figure.source,
        figure.as_of,
        figure.mark,
        getattr(figure, "disputed", ""),
        getattr(figure, "replaces", ""),
        figure.note,
    )


def _device_rows(device: Accelerator) -> list[FigureRow]:
    """Every figure that the sheet of a device gives, in a fixed order."""
    rows = []
    for name, unit in _DEVICE_UNITS.items():
        figure = getattr(device, name)
        if figure is not None:
            rows.append(_row(name, figure, unit))
        elif name == "usable_memory":
            rows.append(
                FigureRow(
                    name,
                    USABLE_FRAC * device.memory.value,
                    unit,
                    f"{USABLE_FRAC:g} of the nameplate, because nobody published it",
                    device.memory.as_of,
                    "assumed",
                )
            )
    for group in ("peaks", "matmul"):
        for precision in PRECISIONS:
            figure = getattr(getattr(device, group), precision)
            if figure is not None:
                rows.append(_row(f"{group}.{precision}", figure, "FLOP/s"))
    return rows


def _node_rows(name: str, home: Node, network: Fabric) -> list[FigureRow]:
    """Every figure that the sheet of a node gives, and the port of its network."""
    rows = [
        _row(f"{name}.{key}", figure, unit)
        for key, unit in _NODE_UNITS.items()
        if (figure := getattr(home, key)) is not None
    ]
    return [*rows, _row(f"{home.fabric}.port", network.port, "B/s")]


def _weakest(figures: Iterable[Figure | None]) -> str:
    """The least certain mark of what a derived figure rests on."""
    order = ("assumed", "stated", "derived")
    marks = {figure.mark for figure in figures if figure is not None}
    return next((mark for mark in order if mark in marks), "derived")


def _placed_rows(placement: Placement) -> list[FigureRow]:
    """What only device and node together have."""
    home, device = placement.node, placement.device
    power = (home.power,) if home.power else (home.host_power, device.tdp)
    domain = home.domain or device.domain or home.devices
    network = (home.nics, placement.fabric.port, home.devices)
    return [
        FigureRow(
            "scale_out", placement.scale_out_bytes_per_s, "B/s",
            f"{home.nics.value:g} ports of {home.fabric} over {home.devices.value:g} devices",
            home.nics.as_of, _weakest(network),
        ),
        FigureRow(
            "scale_up_size", float(placement.scale_up_size), "",
            f"the domain of {'the node' if home.domain else 'the device'}",
            domain.as_of, domain.mark,
        ),
        FigureRow(
            "node_power", placement.node_power_w, "W",
            power[0].source if home.power and power[0] else "TDP of the devices plus the host",
            power[0].as_of if power[0] else "",
            home.power.mark if home.power else _weakest(power),
        ),
    ]  # fmt: skip


def describe(name: str, *, files: Iterable[str | Path] = ()) -> tuple[FigureRow, ...]:
    """
    Every figure of a device or a node with its source, date, mark and dispute.

    Parameters
    ----------
    name : str
        A device, by name or alias, or a node.
    files : iterable of path, optional
        Sheets of your own, laid over the shipped ones.

    Returns
    -------
    tuple of FigureRow
        Figures of the device, then of its own node, then those of both together. A row whose
        `replaces` is filled was overridden by one of the files.

    Raises
    ------
    UnknownName
        No such device or node, with near matches; or no usable figures, with the reason.

    Examples
    --------
    >>> rows = {row.figure: row for row in describe("b200")}
    >>> rows["peaks.bf16"].value, rows["peaks.bf16"].as_of
    (2250000000000000.0, '2026-08')
    """
    catalogue = open_catalogue(files)
    if resolve(name, catalogue) is None and name not in catalogue.unusable:
        return _describe_node(name, catalogue)
    placement = placed(name, catalogue)
    return (
        *_device_rows(placement.device),
        *_node_rows(placement.node_name, placement.node, placement.fabric),
        *_placed_rows(placement),
    )


def _describe_node(name: str, catalogue: Catalogue) -> tuple[FigureRow, ...]:
    if name in node_names(catalogue):
        home = node(name, catalogue)
        return tuple(_node_rows(name, home, fabric(home.fabric, catalogue)))
    known = [*index().spellings, *catalogue.accelerators, *node_names(catalogue)]
    raise UnknownName(Diagnostic(
        "unknown-device", f"no device or node is called `{name}`", Where(field=name),
        hint=near_match(name, known)
        or "`planner catalog` lists the devices"))  # fmt: skip
