"""A device in its node: the one bridge from written records to the columns of DeviceTable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hardware.catalog import Catalogue, accelerator, device_names, fabric, node, open_catalogue
from hardware.errors import Diagnostic, InputError, UnknownName, Where, wrong_type
from hardware.spec import Accelerator, Fabric, Node, Peaks
from hardware.table import PRECISIONS, TRAINING, DeviceTable

__all__ = ["USABLE_FRAC", "Placement", "device_table", "load", "place", "placed", "with_node"]

# Part of the nameplate that is assumed where nobody published what a program can have. The
# totals that drivers show are 0.986 (L4) to 1.07 of the decimal nameplate, 2026-11, so this
# stays on the safe side of all of them.
USABLE_FRAC = 0.94


@dataclass(frozen=True)
class Placement:
    """A device and the node it sits in, with the figures that only both together have."""

    name: str
    device: Accelerator
    node_name: str
    node: Node
    fabric: Fabric
    scale_up_bytes_per_s: float
    scale_up_size: int
    scale_out_bytes_per_s: float
    node_power_w: float


def place(name: str, device: Accelerator, node_name: str, node: Node, fabric: Fabric) -> Placement:
    """
    Put a device into a node.

    Raises
    ------
    InputError
        The node does not hold this device, or neither gives a scale-up rate or a power.
    """
    devices = int(node.devices.value)
    if node.holds and name not in node.holds:
        raise InputError(Diagnostic(
            "wrong-node", f"the node `{node_name}` does not hold `{name}`", Where(field=node_name),
            expected=", ".join(node.holds),
            hint=f"its own node is `{device.node}`"))  # fmt: skip
    link = device.link or node.link
    if link is None:
        raise InputError(Diagnostic(
            "missing-figure", f"neither `{name}` nor `{node_name}` gives a scale-up rate",
            Where(field=name), hint="write `link` with its source"))  # fmt: skip
    _check_measured(name, device)
    domain = node.domain or device.domain
    if node.power is not None:
        power = node.power.value
    elif node.host_power is not None and device.tdp is not None:
        power = devices * device.tdp.value + node.host_power.value
    else:
        raise InputError(Diagnostic(
            "missing-figure", f"the power of `{node_name}` with `{name}` is not known",
            Where(field=node_name),
            hint="write `power`, or `host_power` and the device's `tdp`"))  # fmt: skip
    return Placement(
        name,
        device,
        node_name,
        node,
        fabric,
        scale_up_bytes_per_s=link.value,
        scale_up_size=max(int(domain.value), 1) if domain else devices,
        scale_out_bytes_per_s=node.nics.value * fabric.port.value / devices,
        node_power_w=power,
    )


def _check_measured(name: str, device: Accelerator) -> None:
    """Refuse a measured rate above the peak that it is a part of."""
    pairs = [("memory_achieved", device.memory_achieved, device.memory_bandwidth)]
    for precision in PRECISIONS:
        measured, peak = getattr(device.matmul, precision), getattr(device.peaks, precision)
        pairs.append((f"matmul.{precision}", measured, peak))
    for field, measured, peak in pairs:
        if measured is not None and (peak is None or measured.value > peak.value):
            raise InputError(Diagnostic(
                "measured-above-peak", f"`{field}` of `{name}` is above its peak",
                Where(field=f"{name}.{field}"),
                found=f"{measured.value:g} measured ({measured.source}, {measured.as_of})",
                expected=f"at most {peak.value if peak else 0:g}",
                hint=f"where you override a peak, override `{field}` too"))  # fmt: skip


def _rates(peaks: Peaks) -> list[float]:
    """Peaks in the order of PRECISIONS, 0 for a type that is not offered."""
    figures = (getattr(peaks, precision) for precision in PRECISIONS)
    return [0.0 if figure is None else figure.value for figure in figures]


def _value(figure: object) -> float:
    return float(getattr(figure, "value", 0.0))


def device_table(placements: Sequence[Placement]) -> DeviceTable:
    """The placements as a table, one row each, in their order."""
    devices = [placement.device for placement in placements]

    def floats(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array(values, dtype=np.float64)

    shape = (len(devices), len(PRECISIONS))
    peak = floats([rate for one in devices for rate in _rates(one.peaks)]).reshape(shape)
    best = floats([rate for one in devices for rate in _rates(one.matmul)]).reshape(shape)
    bandwidth = floats([one.memory_bandwidth.value for one in devices])
    copied = floats([_value(one.memory_achieved) for one in devices])
    return DeviceTable(
        names=tuple(placement.name for placement in placements),
        vendor=tuple(one.vendor for one in devices),
        family=tuple(one.family for one in devices),
        kind=tuple(one.kind for one in devices),
        memory_bytes=floats([one.memory.value for one in devices]),
        usable_memory_bytes=floats(
            [
                one.usable_memory.value if one.usable_memory else USABLE_FRAC * one.memory.value
                for one in devices
            ]
        ),
        memory_bytes_per_s=bandwidth,
        peak_flop_per_s=peak,
        matmul_frac=np.divide(best, peak, out=np.zeros(shape), where=peak > 0),
        memory_frac=copied / bandwidth,
        cores=np.array([_value(one.cores) for one in devices], dtype=np.int64),
        clock_hz=floats([_value(one.clock) for one in devices]),
        tdp_w=floats([_value(one.tdp) for one in devices]),
        scale_up_bytes_per_s=floats([placed.scale_up_bytes_per_s for placed in placements]),
        scale_up_size=np.array([placed.scale_up_size for placed in placements], dtype=np.int64),
        scale_up_is_torus=np.array([placed.node.torus for placed in placements], dtype=np.bool_),
        scale_out_bytes_per_s=floats([placed.scale_out_bytes_per_s for placed in placements]),
        devices_per_node=np.array(
            [placed.node.devices.value for placed in placements], dtype=np.int64
        ),
        node_power_w=floats([placed.node_power_w for placed in placements]),
        training=np.array([TRAINING[one.training] for one in devices], dtype=np.int64),
    )


def placed(name: str, catalogue: Catalogue, node_name: str | None = None) -> Placement:
    """A device of the catalogue in a node, its own where none is named."""
    full, device = accelerator(name, catalogue)
    chosen = device.node if node_name is None else node_name
    home = node(chosen, catalogue)
    return place(full, device, chosen, home, fabric(home.fabric, catalogue))


def load(*names: str, files: Iterable[str | Path] = ()) -> DeviceTable:
    """
    Devices of the catalogue as a table, each in its own node.

    Parameters
    ----------
    *names : str
        Names or aliases, such as ``h100_sxm5_80gb`` or ``h100``; none means every device.
    files : iterable of path, optional
        Sheets of your own, laid over the shipped ones.

    Returns
    -------
    DeviceTable
        One row a name, in the order given.

    Raises
    ------
    UnknownName
        Every name that is not known or has no usable figures, with near matches and reasons.
    InputError
        Every fault of a file.

    Examples
    --------
    >>> load("h100", "mi300x").names
    ('h100_sxm5_80gb', 'mi300x')
    """
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        hint = "write `load(*names)` for a list" if isinstance(odd[0], list | tuple) else ""
        wanted = "a name of the catalogue"
        raise InputError(wrong_type("names", name, wanted, hint) for name in odd)
    catalogue = open_catalogue(files)
    placements: list[Placement] = []
    faults: list[Diagnostic] = []
    for name in names or device_names(catalogue):
        try:
            placements.append(placed(name, catalogue))
        except UnknownName as error:
            faults += error.diagnostics
    if faults:
        raise UnknownName(faults)
    return device_table(placements)


def with_node(
    devices: DeviceTable | str, node_name: str, *, files: Iterable[str | Path] = ()
) -> DeviceTable:
    """
    Devices in another node than their own.

    Parameters
    ----------
    devices : DeviceTable or str
        A table, whose figures of the device itself are kept, or a name of the catalogue.
    node_name : str
        The node that all of them sit in, such as ``aws_p4d``.
    files : iterable of path, optional
        Sheets of your own, laid over the shipped ones.

    Returns
    -------
    DeviceTable
        The same devices with the links, network, size and power of that node.

    Raises
    ------
    UnknownName
        No such device or node.
    InputError
        The node does not hold the device.

    Examples
    --------
    >>> with_node("a100", "aws_p4d").scale_out_bytes_per_s.tolist()
    [6250000000.0]
    """
    catalogue = open_catalogue(files)
    names = (devices,) if isinstance(devices, str) else devices.names
    moved = device_table([placed(name, catalogue, node_name) for name in names])
    if isinstance(devices, str):
        return moved
    return replace(
        devices,
        scale_up_bytes_per_s=moved.scale_up_bytes_per_s,
        scale_up_size=moved.scale_up_size,
        scale_up_is_torus=moved.scale_up_is_torus,
        scale_out_bytes_per_s=moved.scale_out_bytes_per_s,
        devices_per_node=moved.devices_per_node,
        node_power_w=moved.node_power_w,
    )
