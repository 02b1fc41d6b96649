"""The catalogue: look-up of devices, nodes and networks by any spelling, users' sheets included."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hardware.errors import Diagnostic, UnknownName, Where, near_match
from hardware.overlay import SHIPPED, Catalogue, lay_over, resolve
from hardware.sheet import read_document
from hardware.shipped import (
    NODES,
    UNUSABLE,
    index,
    shipped_accelerator,
    shipped_data,
    shipped_sheet,
)
from hardware.spec import Accelerator, Fabric, Node

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


def open_catalogue(files: str | Path | Iterable[str | Path] = ()) -> Catalogue:
    """
    Read hardware sheets of a user over the shipped catalogue.

    Parameters
    ----------
    files : path or iterable of path
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
    for path in (files,) if isinstance(files, str | Path) else files:
        catalogue = lay_over(catalogue, read_document(path))
    return catalogue


def device_names(catalogue: Catalogue = SHIPPED) -> tuple[str, ...]:
    """Names of all usable devices, shipped ones in the order of their sheets."""
    shipped = index().home
    return (*shipped, *(name for name in catalogue.accelerators if name not in shipped))


def node_names(catalogue: Catalogue = SHIPPED) -> tuple[str, ...]:
    """Names of all nodes."""
    shipped = shipped_data(NODES)["nodes"]
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
    if full is not None and full in index().home:
        return full, shipped_accelerator(full)
    raise UnknownName(_refusal(name, full, catalogue))


def _refusal(name: str, full: str | None, catalogue: Catalogue) -> Diagnostic:
    known_by_name = dict(catalogue.unusable)
    if full in index().unusable and full not in known_by_name:
        known_by_name[full] = shipped_sheet(UNUSABLE).unusable[full]
    known = known_by_name.get(full or name)
    if known is not None:
        return Diagnostic(
            "unusable-device", f"{known.title} cannot be planned with", Where(field=name),
            found=f"{known.reason} ({known.source}, {known.as_of})",
            expected="a device whose memory, bandwidth and peaks are known",
            hint="write its figures with their source into a sheet of your own")  # fmt: skip
    own = [alias for one in catalogue.accelerators.values() for alias in one.aliases]
    spellings = [*index().spellings, *catalogue.accelerators, *own]
    return Diagnostic(
        "unknown-device", f"no device is called `{name}`", Where(field=name),
        hint=near_match(name, spellings) or "`planner catalog` lists the devices")  # fmt: skip


def node(name: str, catalogue: Catalogue = SHIPPED) -> Node:
    """The record of a node; UnknownName with near matches when there is none."""
    found = catalogue.nodes.get(name) or shipped_sheet(NODES).nodes.get(name)
    if found is None:
        raise UnknownName(Diagnostic(
            "unknown-node", f"no node is called `{name}`", Where(field=name),
            hint=near_match(name, node_names(catalogue))))  # fmt: skip
    return found


def fabric(name: str, catalogue: Catalogue = SHIPPED) -> Fabric:
    """The record of a network; UnknownName with near matches when there is none."""
    shipped = shipped_sheet(NODES).fabrics
    found = catalogue.fabrics.get(name) or shipped.get(name)
    if found is None:
        known = [*shipped, *catalogue.fabrics]
        raise UnknownName(Diagnostic(
            "unknown-fabric", f"no network is called `{name}`", Where(field=name),
            hint=near_match(name, known)))  # fmt: skip
    return found
