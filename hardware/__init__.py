"""Accelerators, links and prices: silicon that knows no language model."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardware.catalog import Catalogue, device_names, node_names, open_catalogue
    from hardware.economy import (
        electricity_usd_per_device_s,
        exchange_rate,
        pue,
        tariff,
        tariff_usd_per_j,
        usd,
    )
    from hardware.errors import InputError, UnknownName
    from hardware.placement import load, with_node
    from hardware.price import TERMS, Capital, PriceTable, Quote, capital, price_rows, quote
    from hardware.provenance import FigureRow, describe
    from hardware.table import PRECISIONS, TRAINING, DeviceTable

# Name -> where it lives. Loaded at first use, so that importing the package costs nothing.
_ROOMS = {
    "PRECISIONS": "hardware.table",
    "TERMS": "hardware.price",
    "TRAINING": "hardware.table",
    "Capital": "hardware.price",
    "Catalogue": "hardware.catalog",
    "DeviceTable": "hardware.table",
    "FigureRow": "hardware.provenance",
    "InputError": "hardware.errors",
    "PriceTable": "hardware.price",
    "Quote": "hardware.price",
    "UnknownName": "hardware.errors",
    "capital": "hardware.price",
    "describe": "hardware.provenance",
    "device_names": "hardware.catalog",
    "electricity_usd_per_device_s": "hardware.economy",
    "exchange_rate": "hardware.economy",
    "load": "hardware.placement",
    "node_names": "hardware.catalog",
    "open_catalogue": "hardware.catalog",
    "price_rows": "hardware.price",
    "pue": "hardware.economy",
    "quote": "hardware.price",
    "tariff": "hardware.economy",
    "tariff_usd_per_j": "hardware.economy",
    "usd": "hardware.economy",
    "with_node": "hardware.placement",
}

__all__ = [
    "PRECISIONS",
    "TERMS",
    "TRAINING",
    "Capital",
    "Catalogue",
    "DeviceTable",
    "FigureRow",
    "InputError",
    "PriceTable",
    "Quote",
    "UnknownName",
    "capital",
    "describe",
    "device_names",
    "electricity_usd_per_device_s",
    "exchange_rate",
    "load",
    "node_names",
    "open_catalogue",
    "price_rows",
    "pue",
    "quote",
    "tariff",
    "tariff_usd_per_j",
    "usd",
    "with_node",
]


def __getattr__(name: str) -> Any:
    """A public name, loaded from its room when first asked for."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)
