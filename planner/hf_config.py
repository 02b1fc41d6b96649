"""Hugging Face ``config.json`` read as a model sheet: what the file says, with every fault."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardware.errors import Diagnostic, InputError, PlanningWarning
from hardware.sheet import Document, Path_, where_is
from planner.hf_families import ENCODERS_WITH_GATE, FAMILIES, KEYS, WRAPPERS, Family
from planner.hf_layers import dense_layers, kinds_of_layers
from planner.shape import MOST_LAYERS, shape_faults

__all__ = ["is_config", "read_config"]

_NO_DEFAULT = "the library would fill in a default; write the value that the model has"
_TEXT_CONFIGS = ("text_config", "language_config", "llm_config")
_ENCODER_CONFIGS = ("vision_config", "audio_config")
_DENSE = ("layers", "hidden", "ffn_hidden", "heads", "kv_heads", "head_dim", "vocab")
_EXPERTS = ("experts", "top_k", "moe_ffn_hidden", "shared_experts", "shared_ffn_hidden")
_GROUPS = ("expert_groups", "groups_per_token")
_LATENT = ("q_lora", "kv_lora", "rope_head_dim", "v_head_dim")
_ENCODER = ("encoder_layers", "encoder_hidden", "encoder_ffn_hidden", "encoder_heads")


@dataclass
class _Reading:
    """A configuration while it is read: columns so far, where each stands, faults."""

    document: Document
    text: Path_ = ()
    encoder: Path_ = ()
    columns: dict[str, int] = field(default_factory=dict)
    places: dict[str, Path_] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)


def is_config(data: Mapping[str, Any]) -> bool:
    """Whether a document is a Hugging Face configuration."""
    return "model_type" in data or "architectures" in data


def read_config(document: Document) -> dict[str, Any]:
    """
    The fields of a model sheet that a configuration states.

    Parameters
    ----------
    document : Document
        A ``config.json``; a multimodal one holds its language model in `text_config`.

    Returns
    -------
    dict
        Fields of `planner.workload.ModelSheet`.

    Raises
    ------
    InputError
        A model type that is not read, or every missing, unreadable and
        inconsistent field at once.

    Warns
    -----
    PlanningWarning
        The tokens of an encoder do not follow from the file, or a second
        encoder is left out.
    """
    data = document.data
    text, base = _text_config(data)
    family = _family(document, data, text, base)
    reading = _Reading(document, base)
    _language_model(reading, family, text, base)
    tied = _flag(reading, text, base, "tie_word_embeddings")
    if tied is None:
        tied = _flag(reading, data, (), "tie_word_embeddings")
    normed = _flag(reading, text, base, "use_qk_norm")
    encoder = _encoder(reading, data)
    _check(reading)
    if reading.faults:
        distinct = dict.fromkeys(reading.faults)
        raise InputError(sorted(distinct, key=lambda fault: (fault.where.line, fault.where.column)))
    sheet: dict[str, Any] = {
        name: value for name, value in reading.columns.items() if not name.startswith("encoder_")
    }
    sheet |= {
        "name": _name(document),
        "mark": "published",
        "source": document.path,
        "mlp": family.mlp,
        "tied_embeddings": family.tied if tied is None else tied,
        "qk_norm": family.qk_norm if normed is None else normed,
        "attention_gate": family.gate,
        "mtp_mlp": "dense" if family.mtp_dense else "experts",
    }
    context = text.get("max_position_embeddings")
    if isinstance(context, int) and context > 0:
        sheet["max_context"] = context
    if encoder:
        sheet["encoder"] = encoder
    return sheet


def _name(document: Document) -> str:
    written = document.data.get("_name_or_path")
    if isinstance(written, str) and written.strip("/ ."):
        return written.rstrip("/").rpartition("/")[2]
    path = Path(document.path)
    return path.parent.name if path.name == "config.json" and path.parent.name else path.stem


def _text_config(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], Path_]:
    for name in _TEXT_CONFIGS:
        if isinstance(data.get(name), dict):
            return data[name], (name,)
    return data, ()


def _family(
    document: Document, data: Mapping[str, Any], text: Mapping[str, Any], base: Path_
) -> Family:
    """What the model type fixes; a type that is not read is refused."""
    outer, inner = str(data.get("model_type", "")), str(text.get("model_type", ""))
    if base and outer not in WRAPPERS:
        raise _refused(document, outer, (), WRAPPERS, text)
    if not base:
        inner = WRAPPERS.get(outer) or inner
    if inner not in FAMILIES:
        raise _refused(document, inner, base, FAMILIES, text)
    return FAMILIES[inner]


def _refused(
    document: Document,
    found: str,
    base: Path_,
    known: Mapping[str, object],
    text: Mapping[str, Any],
) -> InputError:
    standard = []
    for column in _DENSE:
        key = next((key for key in KEYS[column] if isinstance(text.get(key), int)), None)
        if key is not None:
            standard.append(f"{column}: {text[key]}")
    readable = dict.fromkeys(
        key for column in (*_DENSE, *_EXPERTS, *_LATENT) for key in KEYS[column]
    )
    sheet = ", ".join(standard) or "layers, hidden, heads, vocab, ffn_hidden"
    close = difflib.get_close_matches(found.lower().replace("-", "_"), known, n=3, cutoff=0.8)
    near = f"did you mean {' or '.join(f'`{name}`' for name in close)}? " if close else ""
    return InputError(
        Diagnostic(
            "unknown-model-type" if found else "missing-field",
            f"the model type `{found}` is not read, since its layers may differ"
            if found
            else "the field `model_type` is missing",
            where_is(document, (*base, "model_type")),
            found,
            f"one of {', '.join(sorted(known))}; read are the fields {', '.join(readable)}",
            f"{near}write a model sheet instead, with {sheet}",
        )
    )


def _language_model(
    reading: _Reading, family: Family, text: Mapping[str, Any], base: Path_
) -> None:
    wanted = [*_DENSE]
    wanted += _EXPERTS if family.experts else ()
    wanted += _GROUPS if family.groups else ()
    wanted += _LATENT if family.latent else ()
    wanted += ("mtp_layers",) if family.experts else ()
    wanted += ("max_positions",) if family.positions else ()
    for column in wanted:
        _count(reading, column, text, base)
    columns = reading.columns
    if family.latent:
        _latent_heads(reading, text, base)
    else:
        _key_value_heads(reading, family, text, base)
    if family.ffn_times and "hidden" in columns:
        columns.setdefault("ffn_hidden", family.ffn_times * columns["hidden"])
    if family.experts and "experts" not in columns:
        _missing(reading, "experts", base)
    if family.needs_head_dim and "head_dim" not in columns:
        _missing(reading, "head_dim", base)
    if family.experts == "shared-key" and "ffn_hidden" in columns:
        columns.setdefault("moe_ffn_hidden", columns["ffn_hidden"])
        reading.places.setdefault("moe_ffn_hidden", reading.places.get("ffn_hidden", base))
    if "shared_ffn_hidden" in columns:
        columns.setdefault("shared_experts", 1)
    if columns.get("expert_groups") in (0, 1):  # one group is no restriction
        columns.pop("expert_groups")
        columns.pop("groups_per_token", None)
    layers = columns.get("layers", 0)
    if not 0 < layers <= MOST_LAYERS:  # told by the shape; nothing to count layer by layer
        return
    kinds, faults = kinds_of_layers(text, family, layers)
    columns |= kinds
    if family.experts:
        columns["dense_layers"], more = dense_layers(text, family, layers)
        faults += more
    for key, found, expected in faults:
        _wrong_type(reading, (*base, key), found, expected)
    for column, key in (("window", "sliding_window"), ("window_layers", "layer_types")):
        reading.places.setdefault(column, (*base, key))


def _latent_heads(reading: _Reading, text: Mapping[str, Any], base: Path_) -> None:
    columns = reading.columns
    columns.pop("head_dim", None)  # some files give the part with position under this name
    reading.places.pop("head_dim", None)
    _count(reading, "head_dim", text, base, keys=("qk_nope_head_dim",))
    for column in ("kv_lora", "rope_head_dim", "v_head_dim"):
        if column not in columns:
            _missing(reading, column, base)
    if "head_dim" not in columns:
        _missing(reading, "head_dim", base, key="qk_nope_head_dim")
    elif "rope_head_dim" in columns:
        columns["head_dim"] += columns["rope_head_dim"]
    if "heads" in columns:  # every head has keys of its own behind the latent
        columns["kv_heads"] = columns["heads"]


def _key_value_heads(
    reading: _Reading, family: Family, text: Mapping[str, Any], base: Path_
) -> None:
    one = text.get("multi_query")
    if one is True and text.get("new_decoder_architecture") is not True:
        reading.columns["kv_heads"] = 1
    elif one is False and "kv_heads" not in reading.columns:
        return
    elif "kv_heads" not in reading.columns and not family.plain_kv:
        _missing(reading, "kv_heads", base)


def _encoder(reading: _Reading, data: Mapping[str, Any]) -> dict[str, Any]:
    """The encoder as an `EncoderSheet` takes it; empty where the file has none."""
    present = [name for name in _ENCODER_CONFIGS if isinstance(data.get(name), dict)]
    if not present:
        return {}
    key = present[0]
    if len(present) > 1:
        _warn(f"{reading.document.path}: of two encoders only `{key}` is counted")
    inner, reading.encoder = data[key], (key,)
    for column in _ENCODER:
        _count(reading, column, inner, (key,))
    columns = reading.columns
    ratio = inner.get("mlp_ratio")
    if "encoder_ffn_hidden" not in columns and isinstance(ratio, (int, float)):
        columns["encoder_ffn_hidden"] = int(ratio * columns.get("encoder_hidden", 0))
    tokens = _encoder_tokens(inner)
    if not tokens:
        _warn(
            f"{reading.document.path}: the encoder's tokens a sequence do not follow from the "
            "file and count as 0; write a model sheet to state them"
        )
    gated = inner.get("model_type") in ENCODERS_WITH_GATE
    return {
        "kind": key.removesuffix("_config"),
        **{name.removeprefix("encoder_"): columns.get(name, 0) for name in _ENCODER},
        "mlp": "swiglu" if gated else "gelu",
        "tokens": {
            "value": tokens,
            "mark": "assumed",
            "note": "one picture or clip of full size a sequence" if tokens else "not in the file",
        },
    }


def _encoder_tokens(inner: Mapping[str, Any]) -> int:
    picture, patch = inner.get("image_size"), inner.get("patch_size")
    if isinstance(picture, int) and isinstance(patch, int) and patch > 0:
        return (picture // patch) ** 2
    clip = inner.get("max_source_positions")
    return clip if isinstance(clip, int) and clip > 0 else 0


def _warn(message: str) -> None:
    warnings.warn(message, PlanningWarning, stacklevel=6)


def _count(
    reading: _Reading,
    column: str,
    data: Mapping[str, Any],
    base: Path_,
    *,
    keys: tuple[str, ...] = (),
) -> None:
    """Read one whole number under the first of its names that the file has."""
    for key in keys or KEYS[column]:
        value = data.get(key)
        if value is None:
            continue
        reading.places[column] = (*base, key)
        if isinstance(value, bool) or not isinstance(value, int):
            _wrong_type(reading, (*base, key), value, "a whole number")
            reading.places[column] = ()
        else:
            reading.columns[column] = value
        return


def _flag(reading: _Reading, data: Mapping[str, Any], base: Path_, key: str) -> bool | None:
    value = data.get(key)
    if value is None or isinstance(value, bool):
        return value
    _wrong_type(reading, (*base, key), value, "true or false")
    return None


def _wrong_type(reading: _Reading, path: Path_, found: object, expected: str) -> None:
    reading.faults.append(
        Diagnostic(
            "wrong-type",
            "the value does not fit",
            where_is(reading.document, path),
            repr(found)[:80],
            expected,
        )
    )


def _missing(reading: _Reading, column: str, base: Path_, *, key: str = "") -> None:
    if column in reading.places:  # there, but of a wrong type, and told already
        return
    key = key or KEYS[column][0]
    reading.places[column] = ()
    reading.faults.append(
        Diagnostic(
            "missing-field",
            f"the field `{key}` is missing",
            where_is(reading.document, (*base, key)),
            hint=_NO_DEFAULT,
        )
    )


def _check(reading: _Reading) -> None:
    """Add what the shape as a whole breaks, at the fields of the file."""
    told = {column for column, place in reading.places.items() if place == ()}
    for fault in shape_faults(reading.columns):
        if fault.column in told:
            continue
        encoder = fault.column.startswith("encoder_")
        keys = KEYS.get(fault.column, (fault.column,))
        base = reading.encoder if encoder else reading.text
        place = reading.places.get(fault.column, (*base, keys[0]))
        message = fault.message.replace(f"`{fault.column}`", f"`{place[-1]}`")
        if fault.code == "missing-field":
            message = f"the field `{place[-1]}` is missing"
        reading.faults.append(
            Diagnostic(
                fault.code,
                message,
                where_is(reading.document, place),
                fault.found,
                fault.expected,
                fault.hint or (_NO_DEFAULT if fault.code == "missing-field" else ""),
            )
        )
