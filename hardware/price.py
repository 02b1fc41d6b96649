"""Money a device-second: what providers ask, and what servers and racks cost to buy, dated."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hardware.catalog import Catalogue, accelerator, node, open_catalogue
from hardware.column import Floats, Ints, row_count, seal, take
from hardware.economy import rate_of
from hardware.errors import Diagnostic, UnknownName, Where, near_match
from hardware.shipped import SHEETS
from hardware.units import HOUR_S

__all__ = [
    "TERMS",
    "Capital",
    "PriceTable",
    "Quote",
    "capital",
    "price_rows",
    "quote",
]

TERMS = ("on_demand", "spot", "reserved_1y", "reserved_3y", "market", "owned")


@dataclass(frozen=True)
class PriceTable:
    """
    What providers ask, one row a published price.

    `kind` is ``offer`` where a provider asks the price, ``survey`` for a range or index of
    many, ``model`` for a cost model. `as_of` is a day, month, year, or an interval of them.
    """

    device: tuple[str, ...]  # [price]
    provider: tuple[str, ...]  # [price]
    term: tuple[str, ...]  # [price] one of TERMS
    usd_per_device_s: Floats  # [price]
    devices: Ints  # [price] devices of the offer
    region: tuple[str, ...]  # [price]
    as_of: tuple[str, ...]  # [price]
    kind: tuple[str, ...]  # [price]
    offer: tuple[str, ...]  # [price]
    source: tuple[str, ...]  # [price]

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


@dataclass(frozen=True, repr=False)
class Quote:
    """
    What a device is asked for: the median of the rows that match, with their range.

    Without a matching row the three amounts are None and `reason` says why; with rows,
    `reason` says which were taken.
    """

    device: str
    term: str
    median_usd_per_device_s: float | None
    low_usd_per_device_s: float | None
    high_usd_per_device_s: float | None
    reason: str
    rows: PriceTable

    def __repr__(self) -> str:
        """One line: the amounts in dollars a device-hour, and what they rest on."""
        head = f"Quote({self.device}, {self.term}"
        if self.median_usd_per_device_s is None:
            return f"{head}: none; {self.reason})"
        amounts = (
            self.median_usd_per_device_s,
            self.low_usd_per_device_s or 0.0,
            self.high_usd_per_device_s or 0.0,
        )
        middle, low, high = (f"{amount * HOUR_S:.4g}" for amount in amounts)
        return f"{head}: {middle} ({low} to {high}) USD a device-hour; {self.reason})"


@dataclass(frozen=True)
class Capital:
    """What a server, rack, card, programme or kW-month was asked or paid, in its currency."""

    item: str
    device: str  # empty where it is for no one device
    per: str  # server, rack, device, programme or kW-month
    devices: int  # devices that one unit holds, 0 where it holds none
    currency: str
    low: float | None
    high: float | None
    typical: float | None
    as_of: str
    region: str
    source: str
    note: str


def _first_day(as_of: str) -> str:
    """First day that a date can mean, so that a vague date never counts as newer than it is."""
    start = as_of.split("/")[0]
    return start + {4: "-01-01", 7: "-01"}.get(len(start), "")


@cache
def _shipped_prices() -> PriceTable:
    with (SHEETS / "prices.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))

    def texts(name: str) -> tuple[str, ...]:
        return tuple(row[name] for row in rows)

    return PriceTable(
        device=texts("device"),
        provider=texts("provider"),
        term=texts("term"),
        usd_per_device_s=np.array([float(row["usd_per_device_hour"]) for row in rows]) / HOUR_S,
        devices=np.array([int(row["devices"]) for row in rows], dtype=np.int64),
        region=texts("region"),
        as_of=texts("as_of"),
        kind=texts("kind"),
        offer=texts("offer"),
        source=texts("source"),
    )


def _own_prices(catalogue: Catalogue) -> PriceTable:
    """Prices that a user's files hold, a device, in dollars."""
    names, rates, sizes = [], [], []
    for entry in catalogue.prices:
        name, device = accelerator(entry.device, catalogue)
        size = int(node(device.node, catalogue).devices.value)
        per_device = entry.price.value / (size if entry.price.per == "node" else 1)
        names.append(name)
        rates.append(per_device / rate_of(entry.price.currency, catalogue).value)
        sizes.append(size if entry.price.per == "node" else 1)
    entries = catalogue.prices
    return PriceTable(
        device=tuple(names),
        provider=tuple(entry.provider for entry in entries),
        term=tuple(entry.term for entry in entries),
        usd_per_device_s=np.array(rates, dtype=np.float64),
        devices=np.array(sizes, dtype=np.int64),
        region=tuple(entry.region for entry in entries),
        as_of=tuple(entry.price.as_of for entry in entries),
        kind=("offer",) * len(entries),
        offer=tuple(entry.offer for entry in entries),
        source=tuple(entry.price.source for entry in entries),
    )


def price_rows(*, files: Iterable[str | Path] = ()) -> PriceTable:
    """
    Every price of the catalogue, and those of your own sheets after them.

    Parameters
    ----------
    files : iterable of path, optional
        Sheets of your own with `prices`.

    Returns
    -------
    PriceTable
        Amounts in US dollars a device-second; own prices in another currency are converted
        at the dated rate of `exchange_rate`.

    Raises
    ------
    InputError
        A fault of a file, a device or a currency that is not known.
    """
    return _all_prices(open_catalogue(files))


def _all_prices(catalogue: Catalogue) -> PriceTable:
    shipped = _shipped_prices()
    if not catalogue.prices:
        return shipped
    own = _own_prices(catalogue)
    joined: dict[str, Any] = {}
    for name in PriceTable.__dataclass_fields__:
        above, below = getattr(shipped, name), getattr(own, name)
        is_array = isinstance(above, np.ndarray)
        joined[name] = np.concatenate((above, below)) if is_array else above + below
    return PriceTable(**joined)


def _newest(rows: PriceTable) -> PriceTable:
    """The rows of each provider's newest date."""
    days = [_first_day(as_of) for as_of in rows.as_of]
    newest: dict[str, str] = {}
    for provider, day in zip(rows.provider, days, strict=True):
        newest[provider] = max(day, newest.get(provider, ""))
    kept = [day == newest[name] for name, day in zip(rows.provider, days, strict=True)]
    picked: PriceTable = take(rows, np.array(kept, dtype=bool))
    return picked


def quote(
    device: str,
    *,
    provider: str | None = None,
    term: str = "on_demand",
    region: str | None = None,
    date: str | None = None,
    files: Iterable[str | Path] = (),
) -> Quote:
    """
    What a device is asked for: median and range of the dated prices that match.

    Parameters
    ----------
    device : str
        Name or alias.
    provider : str, optional
        Part of a provider's name, in any case; all when absent.
    term : str, optional
        One of `TERMS`. ``market`` are capacity blocks, indices and quotes; ``owned`` are
        cost models of an owner.
    region : str, optional
        Part of a region's name, in any case, such as ``seoul`` or ``kr``.
    date : str, optional
        Day, ``2026-06-30``; prices dated later are left out.
    files : iterable of path, optional
        Sheets of your own with `prices`.

    Returns
    -------
    Quote
        Amounts in US dollars a device-second, None with a reason when no price is known.

    Raises
    ------
    UnknownName
        No such device or term.

    Notes
    -----
    Of each provider only the rows of its newest date are taken, because rents rose through
    2026. Ranges and indices of surveys are taken only where no provider's own price matches.

    Examples
    --------
    >>> h100 = quote("h100", provider="Nebius")
    >>> round(h100.median_usd_per_device_s * 3600, 2)
    3.85
    >>> quote("rngd").reason
    'no on_demand price of furiosa_rngd is known'
    """
    if term not in TERMS:
        raise UnknownName(Diagnostic(
            "unknown-term", f"no term of hire is called `{term}`", Where(field="term"),
            expected=", ".join(TERMS), hint=near_match(term, TERMS)))  # fmt: skip
    catalogue = open_catalogue(files)
    name = accelerator(device, catalogue)[0]
    rows = _all_prices(catalogue)
    wanted = [
        row
        for row in range(len(rows))
        if rows.device[row] == name
        and rows.term[row] == term
        and (provider is None or provider.lower() in rows.provider[row].lower())
        and (region is None or region.lower() in rows.region[row].lower())
        and (date is None or _first_day(rows.as_of[row]) <= _first_day(date))
    ]
    if not wanted:
        limits = [("provider", provider), ("region", region), ("date up to", date)]
        beside = ", ".join(f"{label} {value}" for label, value in limits if value is not None)
        reason = f"no {term} price of {name} is known" + (f" with {beside}" if beside else "")
        return Quote(name, term, None, None, None, reason, take(rows, np.array([], dtype=int)))
    offers = [row for row in wanted if rows.kind[row] == "offer"]
    chosen = _newest(take(rows, np.array(offers or wanted)))
    rates = chosen.usd_per_device_s
    days = sorted(_first_day(as_of) for as_of in chosen.as_of)
    what = "prices of providers" if offers else "surveys and models, no provider's own price"
    dated = f"from {days[0]} to {days[-1]}" if days[0] != days[-1] else days[0]
    reason = f"median of {len(chosen)} {what}, dated {dated}"
    if len(chosen) == 1:
        what = "price of a provider" if offers else "survey or model, no provider's own price"
        reason = f"one {what}, dated {dated}"
    return Quote(
        name, term, float(np.median(rates)), float(rates.min()), float(rates.max()), reason, chosen
    )


@cache
def _shipped_capital() -> tuple[Capital, ...]:
    with (SHEETS / "capital.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return tuple(
        Capital(
            item=row["item"],
            device=row["device"],
            per=row["per"],
            devices=int(row["devices"] or 0),
            currency=row["currency"],
            low=float(row["low"]) if row["low"] else None,
            high=float(row["high"]) if row["high"] else None,
            typical=float(row["typical"]) if row["typical"] else None,
            as_of=row["as_of"],
            region=row["region"],
            source=row["source"],
            note=row["note"],
        )
        for row in rows
    )


def capital(device: str | None = None) -> tuple[Capital, ...]:
    """
    What servers, racks, cards and programmes cost to buy, as published.

    Parameters
    ----------
    device : str, optional
        Name or alias; everything when absent.

    Returns
    -------
    tuple of Capital
        Dated rows in their own currency; empty when nothing was published.

    Raises
    ------
    UnknownName
        No such device.
    """
    if device is None:
        return _shipped_capital()
    name = accelerator(device)[0]
    return tuple(row for row in _shipped_capital() if row.device == name)
