"""Text with a unit to SI numbers and back: the only place where units are converted."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

__all__ = [
    "DAY_S",
    "HOUR_S",
    "MONTH_S",
    "WEEK_S",
    "format_duration",
    "format_si",
    "parse_bytes",
    "parse_bytes_per_s",
    "parse_duration_s",
    "parse_energy_price",
    "parse_flop_per_s",
    "parse_frac",
    "parse_hertz",
    "parse_money",
    "parse_power_w",
    "parse_price",
    "parse_quantity",
    "parse_tokens",
    "parse_tokens_per_s",
]

HOUR_S = 3600.0
DAY_S = 86400.0
WEEK_S = 7 * DAY_S
MONTH_S = 365.25 / 12 * DAY_S  # mean month of the Julian year, as leases a month are compared

_PREFIX = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "µ": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal("1e3"),
    "K": Decimal("1e3"),
    "M": Decimal("1e6"),
    "G": Decimal("1e9"),
    "T": Decimal("1e12"),
    "P": Decimal("1e15"),
    "E": Decimal("1e18"),
    "Z": Decimal("1e21"),
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
    "Pi": Decimal(2) ** 50,
}
_COUNT = {  # spoken large numbers: tokens and money
    "": Decimal(1),
    "k": Decimal("1e3"),
    "K": Decimal("1e3"),
    "M": Decimal("1e6"),
    "m": Decimal("1e6"),
    "million": Decimal("1e6"),
    "B": Decimal("1e9"),
    "G": Decimal("1e9"),
    "bn": Decimal("1e9"),
    "billion": Decimal("1e9"),
    "T": Decimal("1e12"),
    "tn": Decimal("1e12"),
    "trillion": Decimal("1e12"),
}
# dimension -> unit -> factor to SI. Every name is read exactly as written.
_UNITS: dict[str, dict[str, Decimal]] = {
    "bytes": {"B": Decimal(1), "byte": Decimal(1), "bit": Decimal("0.125"), "b": Decimal("0.125")},
    "bytes_per_s": {
        "B/s": Decimal(1),
        "byte/s": Decimal(1),
        "bit/s": Decimal("0.125"),
        "b/s": Decimal("0.125"),
    },
    "flop_per_s": {"FLOP/s": Decimal(1), "OP/s": Decimal(1)},
    "flop": {"FLOP": Decimal(1)},
    "power_w": {"W": Decimal(1)},
    "hertz": {"Hz": Decimal(1)},
    "tokens_per_s": {"tokens/s": Decimal(1), "token/s": Decimal(1)},
}
_EXAMPLE = {
    "bytes": "80 GB",
    "bytes_per_s": "3.35 TB/s",
    "flop_per_s": "989 TFLOP/s",
    "flop": "1.5e24 FLOP",
    "power_w": "700 W",
    "hertz": "1.83 GHz",
    "tokens_per_s": "2.6 ktokens/s",
}
_NOUN = {
    "bytes": "an amount of memory",
    "bytes_per_s": "a data rate",
    "flop_per_s": "a compute rate",
    "flop": "an amount of work",
    "power_w": "a power",
    "hertz": "a frequency",
    "tokens_per_s": "a token rate",
}
_DURATION = {
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "hour": Decimal(3600),
    "d": Decimal(86400),
    "day": Decimal(86400),
    "week": Decimal(604800),
    "month": Decimal(str(MONTH_S)),
    "year": Decimal(str(12 * MONTH_S)),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ns": Decimal("1e-9"),
}
_NUMBER = re.compile(
    r"^\s*([+-]?(?:\d[\d,_]*)?\.?\d+(?:[eE][+-]?\d+)?|[+-]?\d[\d,_]*\.?)\s*(.*?)\s*$"
)


def _split(text: object, expected: str) -> tuple[Decimal, str]:
    """Number and unit of a text; a bare number has an empty unit."""
    if isinstance(text, bool) or text is None:
        raise ValueError(f"found {text!r}, expected {expected}")
    match = _NUMBER.match(str(text))
    if match is None:
        raise ValueError(f"found {text!r}, expected {expected}")
    try:
        number = Decimal(match[1].replace(",", "").replace("_", ""))
    except InvalidOperation:
        raise ValueError(f"found {text!r}, expected {expected}") from None
    if not number.is_finite():
        raise ValueError(f"found {text!r}, expected {expected}")
    return number, match[2]


def _finite(number: Decimal, text: object, expected: str) -> float:
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"found {text!r}, expected {expected}")
    return value


def _factor(unit: str, dimension: str) -> Decimal | None:
    for name, factor in _UNITS[dimension].items():
        if unit.endswith(name):
            prefix = unit[: len(unit) - len(name)].strip()
            if prefix in _PREFIX:
                return _PREFIX[prefix] * factor
    return None


def parse_quantity(text: object, dimension: str) -> float:
    """
    SI value of a text that carries a unit.

    Parameters
    ----------
    text : object
        For example ``"3.35 TB/s"``; a bare number is refused, because it has no unit.
    dimension : str
        ``bytes``, ``bytes_per_s``, ``flop_per_s``, ``flop``, ``power_w``, ``hertz`` or
        ``tokens_per_s``.

    Returns
    -------
    float
        The value in the SI unit that the dimension's name says.

    Raises
    ------
    ValueError
        No number, no unit, or the unit of another dimension; the text names all three.

    Examples
    --------
    >>> parse_quantity("3.35 TB/s", "bytes_per_s")
    3350000000000.0
    >>> parse_quantity("80 GiB", "bytes")
    85899345920.0
    """
    expected = f"{_NOUN[dimension]} with its unit, such as `{_EXAMPLE[dimension]}`"
    number, unit = _split(text, expected)
    if not unit and number == 0:
        return 0.0
    factor = _factor(unit, dimension)
    if factor is not None:
        return _finite(number * factor, text, expected)
    for other, noun in _NOUN.items():
        if other != dimension and _factor(unit, other) is not None:
            raise ValueError(f"found {text!r}, which is {noun}, expected {expected}")
    raise ValueError(f"found {text!r}, expected {expected}")


def parse_bytes(text: object) -> float:
    """An amount of memory, ``"80 GB"`` or ``"80 GiB"``. [byte]"""
    return parse_quantity(text, "bytes")


def parse_bytes_per_s(text: object) -> float:
    """A data rate in one direction, ``"400 Gbit/s"`` or ``"3.35 TB/s"``. [byte/s]"""
    return parse_quantity(text, "bytes_per_s")


def parse_flop_per_s(text: object) -> float:
    """A dense compute rate, ``"989 TFLOP/s"`` or ``"512 TOP/s"``. [FLOP/s]"""
    return parse_quantity(text, "flop_per_s")


def parse_power_w(text: object) -> float:
    """A power, ``"10.2 kW"``. [W]"""
    return parse_quantity(text, "power_w")


def parse_hertz(text: object) -> float:
    """A clock frequency, ``"1.83 GHz"``. [Hz]"""
    return parse_quantity(text, "hertz")


def parse_tokens_per_s(text: object) -> float:
    """A token rate, ``"2648 tokens/s"``. [token/s]"""
    return parse_quantity(text, "tokens_per_s")


def parse_duration_s(text: object) -> float:
    """A span of time, ``"58 days"``, ``"60s"``, ``"2 weeks"``; months are 365.25/12 days. [s]"""
    expected = "a duration with its unit, such as `14 days` or `60 s`"
    number, unit = _split(text, expected)
    if not unit and number == 0:
        return 0.0
    name = unit if unit in _DURATION else unit.removesuffix("s")
    if name not in _DURATION:
        raise ValueError(f"found {text!r}, expected {expected}")
    return _finite(number * _DURATION[name], text, expected)


def parse_frac(text: object) -> float:
    """A fraction, ``"25%"`` or ``0.25``; a bare number above 1 is refused as ambiguous. [1]"""
    expected = "a fraction from 0 to 1, such as `0.25` or `25%`"
    number, unit = _split(text, expected)
    if unit == "%":
        number /= 100
    elif unit:
        raise ValueError(f"found {text!r}, expected {expected}")
    if not 0 <= number <= 1:
        raise ValueError(f"found {text!r}, expected {expected}")
    return float(number)


def parse_tokens(text: object) -> float:
    """A number of tokens, ``"8.2 T"``, ``"500 B tokens"`` or ``1e12``. [token]"""
    expected = "a number of tokens, such as `8.2 T` or `500 B`"
    number, unit = _split(text, expected)
    name = re.sub(r"\s*(tokens?|tok)$", "", unit).strip()
    if name not in _COUNT or name == "m":
        raise ValueError(f"found {text!r}, expected {expected}")
    return _finite(number * _COUNT[name], text, expected)


def _money(text: object, expected: str) -> tuple[Decimal, str]:
    number, unit = _split(text, expected)
    match = re.fullmatch(r"(?:([A-Za-z]*)\s+)?([A-Z]{3})", unit)
    if match is None or (match[1] or "") not in _COUNT:
        raise ValueError(f"found {text!r}, expected {expected}")
    return number * _COUNT[match[1] or ""], match[2]


def parse_money(text: object) -> tuple[float, str]:
    """
    Amount and currency of ``"40 bn KRW"`` or ``"2.5 M USD"``.

    Returns
    -------
    (float, str)
        Amount in whole currency units, and the three-letter currency.

    Examples
    --------
    >>> parse_money("40 bn KRW")
    (40000000000.0, 'KRW')
    """
    expected = "an amount of money with its currency, such as `40 bn KRW`"
    amount, currency = _money(text, expected)
    return _finite(amount, text, expected), currency


def parse_price(text: object) -> tuple[float, str, str]:
    """
    Price of using hardware for a time: ``"6.67 M KRW / device-month"``.

    Returns
    -------
    (float, str, str)
        Amount a second, currency, and what it is for: ``device`` or ``node``.

    Examples
    --------
    >>> parse_price("3.6 USD / device-hour")
    (0.001, 'USD', 'device')
    """
    expected = "a price, such as `6.67 M KRW / device-month` or `2.95 USD / device-hour`"
    head, slash, tail = str(text).partition("/")
    per, dash, span = tail.strip().partition("-")
    seconds = {"hour": HOUR_S, "day": DAY_S, "week": WEEK_S, "month": MONTH_S, "year": 12 * MONTH_S}
    if not slash or not dash or per not in ("device", "node") or span not in seconds:
        raise ValueError(f"found {text!r}, expected {expected}")
    amount, currency = _money(head, expected)
    return _finite(amount / Decimal(str(seconds[span])), text, expected), currency, per


def parse_energy_price(text: object) -> tuple[float, str]:
    """
    Electricity tariff, ``"182 KRW / kWh"``, as amount a joule and currency.

    Examples
    --------
    >>> parse_energy_price("0.36 USD / kWh")
    (1e-07, 'USD')
    """
    expected = "a tariff, such as `182 KRW / kWh`"
    head, slash, tail = str(text).partition("/")
    joules = {"kWh": Decimal(3_600_000), "MWh": Decimal(3_600_000_000), "J": Decimal(1)}
    if not slash or tail.strip() not in joules:
        raise ValueError(f"found {text!r}, expected {expected}")
    amount, currency = _money(head, expected)
    return _finite(amount / joules[tail.strip()], text, expected), currency


_SCALES = (
    (1e24, "Y"), (1e21, "Z"), (1e18, "E"), (1e15, "P"), (1e12, "T"),
    (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""),
)  # fmt: skip


def format_si(value: float, unit: str, *, digits: int = 3) -> str:
    """
    Text of an SI value with one decimal prefix, for a reader.

    Examples
    --------
    >>> format_si(3.35e12, "B/s")
    '3.35 TB/s'
    >>> format_si(0, "W")
    '0 W'
    """
    if value == 0:
        return f"0 {unit}".rstrip()
    for scale, prefix in _SCALES:
        if abs(value) >= scale * 0.9995:
            return f"{float(f'{value / scale:.{digits}g}'):g} {prefix}{unit}".rstrip()
    return f"{value:.{digits}g} {unit}".rstrip()


def format_duration(seconds: float) -> str:
    """
    Text of a span in the largest unit that keeps it above one.

    Examples
    --------
    >>> format_duration(58 * 86400.0)
    '58 days'
    """
    for size, name in ((DAY_S, "days"), (HOUR_S, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {name}"
    return f"{seconds:.3g} s"
