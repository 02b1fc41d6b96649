"""What a person writes about hardware: accelerators, nodes, fabrics, prices, each figure dated."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, WithJsonSchema

from hardware.quantity import AsOf, Figure, Mark, Record, read_figure
from hardware.units import (
    parse_bytes,
    parse_bytes_per_s,
    parse_energy_price,
    parse_flop_per_s,
    parse_frac,
    parse_hertz,
    parse_power_w,
    parse_price,
)

__all__ = [
    "Accelerator",
    "Basis",
    "Fabric",
    "HardwareSheet",
    "LinkRate",
    "Node",
    "Peak",
    "Peaks",
    "PriceEntry",
    "SheetFigure",
    "SourceNote",
    "Tariff",
    "Unusable",
]

Filled = Annotated[str, Field(min_length=1)]


class SheetFigure(Figure):
    """A figure of a hardware sheet: it does not load without a source and a date."""

    source: Filled
    """Publication, data sheet or document; a key of `sources`, or the text itself."""
    as_of: Annotated[AsOf, Field(min_length=1)]
    """Date of the source: a day, a month or a year."""
    disputed: str = ""
    """What other sources say instead, where they disagree."""
    replaces: str = ""
    """What stood in the shipped sheet; filled in where a file of the user overrides it."""


class DeviceFigure(SheetFigure):
    """A figure of one device: one package with its own peak."""

    per: Literal["device"]
    """One GPU package, TPU chip, Trainium chip or OAM module; never a die, core or node."""


class Peak(DeviceFigure):
    """A dense peak; sparse marketing figures are twice as high and do not load."""

    dense: Literal[True]
    """Said in words, because most data sheets print the sparse figure."""


class LinkRate(DeviceFigure):
    """Rate of a link in one direction; marketing pages print the sum of both."""

    direction: Literal["one_way"]
    """Said in words, because most data sheets print both directions together."""


class NodeFigure(SheetFigure):
    """A figure of a whole node."""

    per: Literal["node"]
    """The whole node, measured where the wall or rack feeds it."""


class Tariff(SheetFigure):
    """Price of electricity; the value is money a joule."""

    currency: str = ""
    """Three-letter code; part of the value's text."""
    per: Literal["joule"] = "joule"
    """What the amount is for."""


class QuotedPrice(SheetFigure):
    """Money a second for a device or a node."""

    currency: str = ""
    """Three-letter code; part of the value's text."""
    per: Literal["device", "node"] = "device"
    """What the amount a second is for; part of the value's text."""


def _number(text: object) -> float:
    if isinstance(text, bool) or not isinstance(text, (int, float)):
        raise ValueError(f"found {text!r}, expected a number")
    return float(text)


def _count(text: object) -> float:
    number = _number(text)
    if number < 1 or number != int(number):
        raise ValueError(f"found {text!r}, expected a whole number, one or more")
    return number


def _positive_number(text: object) -> float:
    number = _number(text)
    if number <= 0:
        raise ValueError(f"found {text!r}, expected a number above zero")
    return number


def _ratio(text: object) -> float:
    number = _number(text)
    if number < 1:
        raise ValueError(f"found {text!r}, expected a ratio of at least 1")
    return number


def _positive(parse: Any) -> Any:
    """A reader that refuses zero and less: no figure of hardware is ever that."""

    def read(text: object) -> dict[str, Any]:
        value = parse(text)
        if value <= 0:
            raise ValueError(f"found {text!r}, expected an amount above zero")
        return {"value": value}

    return read_figure(read)


def _tariff(text: object) -> dict[str, Any]:
    amount, currency = parse_energy_price(text)
    return {"value": amount, "currency": currency}


def _price(text: object) -> dict[str, Any]:
    amount, currency, per = parse_price(text)
    return {"value": amount, "currency": currency, "per": per}


def _schema(example: str | float, *also: str) -> WithJsonSchema:
    """JSON Schema of a figure for editors: the plain text, or a record with its origin."""
    plain = {"type": "string" if isinstance(example, str) else "number"}
    words: dict[str, Any] = {
        "dense": {"const": True},
        "per": {"enum": ["device", "node"]},
        "direction": {"const": "one_way"},
    }
    properties = {
        "value": plain,
        "source": {"type": ["string", "array"], "items": {"type": "string"}},
        "as_of": {"type": ["string", "integer"]},
        "mark": {"enum": list(get_args(Mark))},
        "disputed": {"type": "string"},
        "note": {"type": "string"},
    } | {name: words[name] for name in also}
    record = {
        "type": "object",
        "additionalProperties": False,
        "required": ["value"],
        "properties": properties,
    }
    return WithJsonSchema({"anyOf": [plain, record], "examples": [example]})


Bytes = Annotated[DeviceFigure, _positive(parse_bytes), _schema("80 GB", "per")]
ByteRate = Annotated[DeviceFigure, _positive(parse_bytes_per_s), _schema("3.35 TB/s", "per")]
OneWay = Annotated[LinkRate, _positive(parse_bytes_per_s), _schema("450 GB/s", "per", "direction")]
PeakRate = Annotated[Peak, _positive(parse_flop_per_s), _schema("989 TFLOP/s", "per", "dense")]
Clock = Annotated[SheetFigure, _positive(parse_hertz), _schema("1.83 GHz")]
Power = Annotated[DeviceFigure, _positive(parse_power_w), _schema("700 W", "per")]
NodePower = Annotated[NodeFigure, _positive(parse_power_w), _schema("10.2 kW", "per")]
Count = Annotated[SheetFigure, _positive(_count), _schema(8)]
Frac = Annotated[SheetFigure, _positive(parse_frac), _schema(0.7)]
Rate = Annotated[SheetFigure, _positive(_positive_number), _schema(1395)]
Ratio = Annotated[SheetFigure, _positive(_ratio), _schema(1.3)]
EnergyPrice = Annotated[Tariff, read_figure(_tariff), _schema("182.7 KRW / kWh")]
HirePrice = Annotated[QuotedPrice, read_figure(_price), _schema("2.95 USD / device-hour")]


class SourceNote(Record):
    """A source that figures name by a short key."""

    title: str
    """The publication, in words that let a reader find it."""
    as_of: AsOf
    """Its date; a figure that names this source inherits it."""


class Basis(Record):
    """What holds for every figure below, said once."""

    dense: Literal[True] | None = None
    """Peaks are dense."""
    per: Literal["device", "node"] | None = None
    """Figures are of one device, or of one node."""
    direction: Literal["one_way"] | None = None
    """Link rates are of one direction."""


class Origin(Record):
    """Source, date and mark that the figures below inherit."""

    source: str | list[str] = ""
    """Default source of the figures below: a key of `sources`, several keys, or a text."""
    as_of: AsOf = ""
    """Default date of the figures below."""
    mark: Mark | None = None
    """Default mark of the figures below."""
    basis: Basis = Basis()
    """Default basis of the figures below."""


class Peaks(Record):
    """Rates a data type; a type that is absent is not offered by the device."""

    fp32: PeakRate | None = None
    """Vector single precision."""
    tf32: PeakRate | None = None
    """Matrix single precision with a short mantissa."""
    bf16: PeakRate | None = None
    """Matrix bfloat16 with single-precision sums."""
    fp16: PeakRate | None = None
    """Matrix half precision with single-precision sums."""
    fp8: PeakRate | None = None
    """Matrix 8-bit floating point."""
    int8: PeakRate | None = None
    """Matrix 8-bit integers."""
    fp4: PeakRate | None = None
    """Matrix 4-bit floating point."""


def _partial(schema: dict[str, Any]) -> None:
    """An entry that overrides a known one says only what differs: an editor must not complain."""
    schema.pop("required", None)


class Accelerator(Origin):
    """One device: a package with its own peak and memory."""

    model_config = ConfigDict(json_schema_extra=_partial)

    title: str
    """Name as the vendor writes it."""
    vendor: str
    """Who makes it."""
    family: str
    """Architecture, such as nvidia-hopper; performance constants are held a family."""
    kind: Literal["gpu", "npu", "tpu"]
    """What the vendor calls it."""
    training: Literal["yes", "no", "claimed"]
    """Whether it trains: shown, not at all, or announced and not yet shown."""
    memory: Bytes
    """Nameplate capacity. Vendors print GB and several mean GiB, so more can be usable."""
    memory_bandwidth: ByteRate
    """Peak rate of device memory."""
    peaks: Peaks
    """Dense peaks a data type."""
    node: str
    """The node it sits in unless another is asked for."""
    usable_memory: Bytes | None = None
    """What a program can have in all; 0.94 of the nameplate is assumed when absent."""
    matmul: Peaks = Peaks()
    """Highest matrix-product rates that somebody measured."""
    memory_achieved: ByteRate | None = None
    """Highest copy rate that somebody measured."""
    cores: Count | None = None
    """Streaming multiprocessors, compute units or tensor cores."""
    clock: Clock | None = None
    """Clock at which the peaks hold."""
    sram: Bytes | None = None
    """On-chip memory: last-level cache or scratchpad."""
    tdp: Power | None = None
    """Design power of the device."""
    link: OneWay | None = None
    """All scale-up links of the device together."""
    domain: Count | None = None
    """Devices that the scale-up links join; 1 is none but itself."""
    link_name: str = ""
    """What the scale-up link is called."""
    year: int | None = None
    """First delivered."""
    form_factor: str = ""
    """Module, card or rack."""
    memory_type: str = ""
    """Such as HBM3e."""
    software: str = ""
    """Stack that trains or serves on it."""
    evidence: str = ""
    """How the figures were read: at the vendor's page, second hand, from memory."""
    aliases: list[str] = []
    """Other names that mean this device."""
    notes: str = ""
    """Anything else a reviewer should know."""


class Fabric(Origin):
    """A scale-out network, by its port."""

    model_config = ConfigDict(json_schema_extra=_partial)

    title: str
    """Name as it is sold."""
    port: OneWay
    """Rate of one port of one network card."""


class Node(Origin):
    """What is leased: devices with a host, links and network."""

    model_config = ConfigDict(json_schema_extra=_partial)

    title: str
    """Name as the vendor writes it."""
    holds: list[str] = []
    """Devices it can hold; none named means any."""
    devices: Count
    """Devices a node."""
    fabric: str
    """Network that the node is wired to."""
    nics: Count
    """Network ports of that fabric a node."""
    domain: Count | None = None
    """Devices that the scale-up links join, where the node decides it."""
    torus: bool = False
    """Whether the scale-up links are a torus rather than a switch or a full mesh."""
    link: OneWay | None = None
    """Scale-up rate of a device whose own link is unpublished."""
    power: NodePower | None = None
    """Highest power of the whole node."""
    host_power: NodePower | None = None
    """Power of everything but the devices; with it node power is derived from their TDP."""
    typical_power: Frac | None = None
    """Part of the highest power that training draws on average."""
    notes: str = ""
    """Anything else a reviewer should know."""


class Unusable(Record):
    """A device that is known by name and cannot be planned with."""

    title: str
    """Name as the vendor writes it."""
    vendor: str
    """Who makes it."""
    reason: str
    """Which figures are missing, or why they cannot be used."""
    source: str
    """Where the name comes from."""
    as_of: AsOf
    """Date of the source."""


class PriceEntry(Origin):
    """What one provider asked for one device at one time."""

    device: str
    """Device that is hired."""
    price: HirePrice
    """Such as `2.95 USD / device-hour`."""
    provider: str
    """Who asks the price."""
    term: Literal["on_demand", "spot", "reserved_1y", "reserved_3y", "market", "owned"]
    """How it is hired; `market` are capacity blocks and quotes, `owned` are cost models."""
    region: str = ""
    """Where."""
    offer: str = ""
    """Instance type or contract."""


class HardwareSheet(Origin):
    """A hardware sheet: shipped with the package, or written by a user."""

    schema_: str = Field(default="", alias="$schema")
    """Where an editor finds the schema; not read."""
    sources: dict[str, SourceNote] = {}
    """Sources by the short key that figures name."""
    accelerators: dict[str, Accelerator] = {}
    """Devices by name; naming a shipped one overrides only the fields written."""
    nodes: dict[str, Node] = {}
    """Nodes by name; naming a shipped one overrides only the fields written."""
    fabrics: dict[str, Fabric] = {}
    """Networks by name."""
    prices: list[PriceEntry] = []
    """What providers ask."""
    exchange: dict[str, Rate] = {}
    """Units of a currency for one US dollar, by its three-letter code."""
    electricity: dict[str, EnergyPrice] = {}
    """Tariffs by name."""
    pue: dict[str, Ratio] = {}
    """Power usage effectiveness by name: facility power over that of the machines."""
    unusable: dict[str, Unusable] = {}
    """Devices known by name only."""
