"""Exchange rates, electricity tariffs and PUE, each dated; electricity of a device-second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hardware.catalog import Catalogue, open_catalogue
from hardware.column import Floats
from hardware.errors import Diagnostic, UnknownName, Where, near_match
from hardware.quantity import Figure
from hardware.shipped import ECONOMY, shipped_sheet

__all__ = [
    "electricity_usd_per_device_s",
    "exchange_rate",
    "pue",
    "rate_of",
    "tariff",
    "tariff_usd_per_j",
    "usd",
]


_CALLED = {"exchange": "currency", "electricity": "tariff", "pue": "PUE"}


def _figure(section: str, name: str, catalogue: Catalogue) -> Figure:
    known = {**getattr(shipped_sheet(ECONOMY), section), **getattr(catalogue, section)}
    if name not in known:
        raise UnknownName(Diagnostic(
            "unknown-choice", f"no {_CALLED[section]} `{name}` is known", Where(field=name),
            expected=", ".join(known), hint=near_match(name, known)))  # fmt: skip
    figure: Figure = known[name]
    return figure


def rate_of(currency: str, catalogue: Catalogue) -> Figure:
    """Units of a currency for one US dollar, of a catalogue already open."""
    return _figure("exchange", currency, catalogue)


def exchange_rate(currency: str, *, files: Iterable[str | Path] = ()) -> Figure:
    """
    Units of a currency for one US dollar, with source and date.

    Parameters
    ----------
    currency : str
        Three-letter code, such as ``KRW``.
    files : iterable of path, optional
        Sheets of your own with `exchange`, which win over the shipped rate.

    Raises
    ------
    UnknownName
        No rate of that currency is known.

    Examples
    --------
    >>> exchange_rate("KRW").value
    1395.0
    """
    return rate_of(currency, open_catalogue(files))


def usd(amount: float, currency: str, *, files: Iterable[str | Path] = ()) -> float:
    """
    An amount in US dollars at the dated rate of `exchange_rate`. [USD]

    Raises
    ------
    UnknownName
        No rate of that currency is known.

    Examples
    --------
    >>> usd(1395e6, "KRW")
    1000000.0
    """
    return amount / exchange_rate(currency, files=files).value


def tariff(name: str, *, files: Iterable[str | Path] = ()) -> Figure:
    """
    An electricity tariff by name, in its own currency a joule, with source and date.

    Raises
    ------
    UnknownName
        No such tariff.
    """
    return _figure("electricity", name, open_catalogue(files))


def tariff_usd_per_j(name: str, *, files: Iterable[str | Path] = ()) -> float:
    """
    An electricity tariff by name, converted at the dated exchange rate. [USD/J]

    Raises
    ------
    UnknownName
        No such tariff, or no rate of its currency.

    Examples
    --------
    >>> round(tariff_usd_per_j("kepco_eul") * 3.6e6, 4)
    0.131
    """
    catalogue = open_catalogue(files)
    figure = _figure("electricity", name, catalogue)
    currency: str = getattr(figure, "currency", "USD")
    return figure.value / rate_of(currency, catalogue).value


def pue(name: str, *, files: Iterable[str | Path] = ()) -> Figure:
    """
    Power usage effectiveness by name, facility power over that of the machines.

    Raises
    ------
    UnknownName
        No such figure.

    Examples
    --------
    >>> pue("korea").is_assumed
    True
    """
    return _figure("pue", name, open_catalogue(files))


def electricity_usd_per_device_s(
    node_power_w: npt.ArrayLike,
    devices_per_node: npt.ArrayLike,
    *,
    usd_per_j: npt.ArrayLike,
    pue: npt.ArrayLike,
) -> Floats:
    """
    Electricity of one device for one second, its share of host and building included.

    Parameters
    ----------
    node_power_w : array_like
        Power that the node draws. [W]
    devices_per_node : array_like
        Devices that share it.
    usd_per_j : array_like
        Tariff. [USD/J]
    pue : array_like
        Facility power over that of the machines, at least 1.

    Returns
    -------
    ndarray
        In the shape that the arguments broadcast to. [USD/s]

    Notes
    -----
    Assumes a tariff on energy alone; demand charges come on top.

    References
    ----------
    .. [1] The Green Grid, "PUE: a comprehensive examination of the metric," white paper 49, 2012.

    Examples
    --------
    >>> cost = electricity_usd_per_device_s(10.2e3, 8, usd_per_j=0.131 / 3.6e6, pue=1.3)
    >>> round(float(cost) * 3600, 3)
    0.217
    """
    share_w = np.divide(node_power_w, devices_per_node)
    cost: Floats = np.multiply(np.multiply(share_w, pue), usd_per_j)
    return cost
