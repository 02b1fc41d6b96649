"""Rules that the shape of a model must hold, and the plain meaning of what is left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hardware.errors import Diagnostic
from hardware.sheet import Document, Path_, where_is

__all__ = [
    "MOST_LAYERS",
    "SHAPE_FIELDS",
    "ShapeFault",
    "completed",
    "field_of",
    "placed_faults",
    "shape_faults",
    "with_shape_faults",
]

SHAPE_FIELDS = (
    *("layers", "hidden", "ffn_hidden", "heads", "kv_heads", "head_dim", "v_head_dim", "vocab"),
    *("experts", "top_k", "moe_ffn_hidden", "shared_experts", "shared_ffn_hidden"),
    *("dense_layers", "expert_groups", "groups_per_token", "q_lora", "kv_lora", "rope_head_dim"),
    *("window_layers", "window", "linear_layers", "mtp_layers", "max_positions"),
)
"""Fields of a model sheet that are columns of `ModelTable`, those of an encoder aside."""

MOST_LAYERS = 10_000
"""More than any model has; readers that walk layer by layer stop here."""

_LARGEST = 10**8  # above any width or vocabulary; keeps products inside float64
_REQUIRED = ("layers", "hidden", "heads", "vocab")
_NEVER_ZERO = (*_REQUIRED, "kv_heads", "head_dim", "v_head_dim")
_ENCODER = ("encoder_layers", "encoder_hidden", "encoder_ffn_hidden", "encoder_heads")


@dataclass(frozen=True)
class ShapeFault:
    """One rule that a shape breaks; `column` is the column of `ModelTable` to point at."""

    code: str
    column: str
    message: str
    found: str = ""
    expected: str = ""
    hint: str = ""


def completed(given: Mapping[str, int]) -> dict[str, int]:
    """
    The columns of one model, with those left out filled by their plain meaning.

    Parameters
    ----------
    given : mapping of str to int
        Columns of `ModelTable` that are known.

    Notes
    -----
    kv_heads = heads (multi-head attention); head_dim = hidden / heads;
    v_head_dim = head_dim; shared_ffn_hidden = moe_ffn_hidden; dense_layers =
    layers without experts and 0 with them.
    """
    columns = dict(given)
    columns.setdefault("kv_heads", columns["heads"])
    columns.setdefault("head_dim", columns["hidden"] // max(columns["heads"], 1))
    columns.setdefault("v_head_dim", columns["head_dim"])
    columns.setdefault("shared_ffn_hidden", columns.get("moe_ffn_hidden", 0))
    columns.setdefault("dense_layers", 0 if columns.get("experts") else columns["layers"])
    return columns


def shape_faults(given: Mapping[str, int], unreadable: Collection[str] = ()) -> list[ShapeFault]:
    """
    Every rule that the columns of one model break.

    Parameters
    ----------
    given : mapping of str to int
        Columns of `ModelTable` as written; a column left out is absent, not 0.
    unreadable : collection of str
        Columns that are written, but not as a number; no rule speaks of them.

    Returns
    -------
    list of ShapeFault
        Empty for a sound shape. A rule is passed over where one of its own
        columns is already at fault.
    """
    faults = [fault for fault in _single_column(given) if fault.column not in unreadable]
    bad = {fault.column for fault in faults} | set(unreadable)
    sound = {name: value for name, value in given.items() if name not in bad}
    for rule in (_heads, _latent, _experts, _dense, _groups, _layer_kinds, _encoder):
        faults += [fault for fault in rule(sound, bad) if fault.column not in bad]
    return faults


def with_shape_faults(found: Collection[Diagnostic], document: Document) -> list[Diagnostic]:
    """
    Faults already found in a document of model sheets, and those of its shapes.

    Parameters
    ----------
    found : collection of Diagnostic
        What reading field by field found.
    document : Document
        One model sheet, or a mapping `models` of them.
    """
    data = document.data if isinstance(document.data, dict) else {}
    many = data.get("models", {}) if "models" in data else {"": data}
    faults = {(fault.where.field, fault.code): fault for fault in found}
    for name, entry in many.items() if isinstance(many, dict) else ():
        if isinstance(entry, dict):
            path = ("models", name) if "models" in data else ()
            given, unreadable = _written_columns(entry)
            for fault in placed_faults(given, document, path, unreadable):
                faults.setdefault((fault.where.field, fault.code), fault)
    return sorted(faults.values(), key=lambda fault: (fault.where.line, fault.where.column))


def _written_columns(entry: Mapping[str, Any]) -> tuple[dict[str, int], set[str]]:
    """Columns of an unchecked model sheet that are whole numbers, and those that are not."""
    written = {name: entry.get(name) for name in SHAPE_FIELDS}
    encoder = entry.get("encoder")
    if isinstance(encoder, dict):
        written |= {name: encoder.get(name.removeprefix("encoder_")) for name in _ENCODER}
    given: dict[str, int] = {}
    unreadable: set[str] = set()
    for name, value in written.items():
        if isinstance(value, dict):
            value = value.get("value", "")
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            given[name] = value
        elif value is not None:
            unreadable.add(name)
    return given, unreadable


def field_of(column: str) -> Path_:
    """The field of a model sheet that holds a column of `ModelTable`."""
    if column.startswith("encoder_"):
        return ("encoder", column.removeprefix("encoder_"))
    return (column,)


def placed_faults(
    given: Mapping[str, int], document: Document, path: Path_, unreadable: Collection[str] = ()
) -> list[Diagnostic]:
    """The faults of one model sheet, each at its place; see `shape_faults`."""
    return [
        Diagnostic(
            fault.code,
            fault.message,
            where_is(document, (*path, *field_of(fault.column))),
            fault.found,
            fault.expected,
            fault.hint,
        )
        for fault in shape_faults(given, unreadable)
    ]


def _single_column(given: Mapping[str, int]) -> Iterator[ShapeFault]:
    for name in _REQUIRED:
        if name not in given:
            yield ShapeFault("missing-field", name, f"the field `{name}` is missing")
    for name, value in given.items():
        least = 1 if name in _NEVER_ZERO else 0
        most = MOST_LAYERS if name.endswith("layers") else _LARGEST
        if not least <= value <= most:
            yield ShapeFault(
                "out-of-range",
                name,
                f"`{name}` is out of range",
                str(value),
                f"a whole number from {least} to {most}",
            )


def _heads(given: Mapping[str, int], bad: set[str]) -> Iterator[ShapeFault]:
    hidden, heads, kv_heads = given.get("hidden"), given.get("heads"), given.get("kv_heads")
    known = "head_dim" in given or "head_dim" in bad
    if heads and hidden and not known and hidden % heads:
        yield ShapeFault(
            "inconsistent-shape",
            "heads",
            "`hidden` does not divide by `heads`, and `head_dim` is not given",
            f"hidden {hidden}, heads {heads}",
            "a `head_dim`, or widths that divide",
        )
    if heads and kv_heads and heads % kv_heads:
        yield ShapeFault(
            "inconsistent-shape",
            "kv_heads",
            "`heads` does not divide by `kv_heads`",
            f"heads {heads}, kv_heads {kv_heads}",
            "each key-value head serves the same number of heads",
        )


def _latent(given: Mapping[str, int], bad: set[str]) -> Iterator[ShapeFault]:
    if not given.get("kv_lora") and "kv_lora" not in bad:
        for name in ("q_lora", "rope_head_dim"):
            if given.get(name):
                yield ShapeFault(
                    "inconsistent-shape",
                    name,
                    f"`{name}` belongs to latent attention, which `kv_lora` switches on",
                    f"{name} {given[name]}, no kv_lora",
                )
        return
    for name in ("head_dim", "rope_head_dim", "v_head_dim"):
        if name not in given and name not in bad:
            yield ShapeFault(
                "missing-field", name, f"the field `{name}` is missing; latent attention needs it"
            )
    rope, head_dim = given.get("rope_head_dim"), given.get("head_dim")
    if rope is not None and head_dim is not None and rope > head_dim:
        yield ShapeFault(
            "inconsistent-shape",
            "rope_head_dim",
            "`rope_head_dim` is a part of `head_dim` and cannot exceed it",
            f"rope_head_dim {rope}, head_dim {head_dim}",
            "head_dim is the part without position plus the part with it",
        )


def _experts(given: Mapping[str, int], bad: set[str]) -> Iterator[ShapeFault]:
    experts = given.get("experts", 0)
    if not experts:
        for name in ("top_k", "moe_ffn_hidden", "shared_experts", "shared_ffn_hidden"):
            if given.get(name) and "experts" not in bad:
                yield ShapeFault(
                    "inconsistent-shape",
                    name,
                    f"`{name}` is given without `experts`",
                    f"{name} {given[name]}",
                    "`experts` above 0, or neither",
                )
        return
    for name in ("top_k", "moe_ffn_hidden"):
        if not given.get(name) and name not in bad:
            yield ShapeFault(
                "missing-field", name, f"the field `{name}` is missing; experts need it"
            )
    if given.get("top_k", 0) > experts:
        yield ShapeFault(
            "inconsistent-shape",
            "top_k",
            "a token cannot pass through more experts than there are",
            f"top_k {given['top_k']}, experts {experts}",
        )


def _dense(given: Mapping[str, int], bad: set[str]) -> Iterator[ShapeFault]:
    layers, dense = given.get("layers"), given.get("dense_layers")
    if layers is None or "experts" in bad or "dense_layers" in bad:
        return
    experts = given.get("experts", 0)
    if dense is not None and dense > layers:
        yield ShapeFault(
            "inconsistent-shape",
            "dense_layers",
            "more dense layers than layers",
            f"dense_layers {dense}, layers {layers}",
        )
    elif dense is not None and not experts and dense != layers:
        yield ShapeFault(
            "inconsistent-shape",
            "dense_layers",
            "without experts every layer is dense",
            f"dense_layers {dense}, layers {layers}",
            "`dense_layers` left out",
        )
    if (not experts or dense) and not given.get("ffn_hidden") and "ffn_hidden" not in bad:
        yield ShapeFault(
            "missing-field", "ffn_hidden", "the field `ffn_hidden` is missing; dense layers need it"
        )


def _groups(given: Mapping[str, int], bad: set[str]) -> Iterator[ShapeFault]:
    groups, chosen = given.get("expert_groups", 0), given.get("groups_per_token", 0)
    experts = given.get("experts", 0)
    if groups and experts % groups:
        yield ShapeFault(
            "inconsistent-shape",
            "expert_groups",
            "`experts` does not divide by `expert_groups`",
            f"experts {experts}, expert_groups {groups}",
        )
    if chosen > groups or (groups and not chosen):
        yield ShapeFault(
            "inconsistent-shape",
            "groups_per_token",
            "a token chooses at least one of the expert groups and at most all",
            f"groups_per_token {chosen}, expert_groups {groups}",
        )


def _layer_kinds(given: Mapping[str, int], bad: set[str]) -> Iterator[ShapeFault]:
    layers = given.get("layers")
    window_layers, window = given.get("window_layers", 0), given.get("window", 0)
    linear = given.get("linear_layers", 0)
    if layers is not None and window_layers + linear > layers:
        yield ShapeFault(
            "inconsistent-shape",
            "window_layers" if window_layers else "linear_layers",
            "more layers of a kind than layers",
            f"window_layers {window_layers}, linear_layers {linear}, layers {layers}",
        )
    if window_layers and not window and "window" not in bad:
        yield ShapeFault(
            "missing-field", "window", "the field `window` is missing; sliding layers need it"
        )
    if window and not window_layers and "window_layers" not in bad:
        yield ShapeFault(
            "missing-field", "window_layers", "`window` is given, but not how many `window_layers`"
        )


def _encoder(given: Mapping[str, int], bad: set[str]) -> Iterator[ShapeFault]:
    if not any(given.get(name) for name in _ENCODER):
        return
    for name in _ENCODER:
        if not given.get(name) and name not in bad:
            yield ShapeFault("missing-field", name, f"the encoder's `{name[8:]}` is missing")
    hidden, heads = given.get("encoder_hidden", 0), given.get("encoder_heads", 0)
    if heads and hidden % heads:
        yield ShapeFault(
            "inconsistent-shape",
            "encoder_heads",
            "the encoder's `hidden` does not divide by its `heads`",
            f"hidden {hidden}, heads {heads}",
        )
