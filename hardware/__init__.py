"""Accelerators, links and prices: silicon that knows no language model."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardware.placement import load, with_node
    from hardware.table import PRECISIONS, DeviceTable

__all__ = ["PRECISIONS", "DeviceTable", "load", "with_node"]

_ROOMS = {
    "PRECISIONS": "hardware.table",
    "DeviceTable": "hardware.table",
    "load": "hardware.placement",
    "with_node": "hardware.placement",
}


def __getattr__(name: str) -> Any:
    """Fetch a name from its room at first use: a help page must not wait for numpy."""
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'hardware' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
