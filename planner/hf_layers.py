"""Which layers of a Hugging Face configuration slide, are linear, or have a dense MLP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.hf_families import Family

__all__ = ["dense_layers", "kinds_of_layers"]

Fault = tuple[str, object, str]
"""A field, what was found, what was expected."""

_SLIDING = ("sliding_attention", "chunked_attention")
_FULL = ("full_attention", "attention", "deepseek_sparse_attention")


def kinds_of_layers(
    text: Mapping[str, Any], family: Family, layers: int
) -> tuple[dict[str, int], list[Fault]]:
    """
    Columns `window`, `window_layers` and `linear_layers` of a language model, and faults.

    Parameters
    ----------
    text : mapping
        The language model's part of the file.
    family : Family
        What its model type fixes.
    layers : int
        Blocks of the language model.
    """
    window = text.get("sliding_window")
    if window is not None and (isinstance(window, bool) or not isinstance(window, int)):
        return {}, [("sliding_window", window, "a whole number of tokens, or null")]
    listed = text.get("layer_types")
    if family.linear:
        return _linear(text, layers)
    if listed is not None:
        return _listed(listed, window, layers)
    sliding, faults = _sliding(text, family, layers)
    if not window or not sliding:
        return {}, faults
    return {"window": window, "window_layers": sliding}, faults


def _linear(text: Mapping[str, Any], layers: int) -> tuple[dict[str, int], list[Fault]]:
    softmax = text.get("gqa_layers")
    if not isinstance(softmax, list) or not softmax:
        return {}, [("gqa_layers", softmax, "the numbers of the softmax-attention layers")]
    if len(softmax) > layers:
        return {}, [("gqa_layers", f"{len(softmax)} entries", f"at most {layers}")]
    return {"linear_layers": layers - len(softmax)}, []


def _listed(listed: object, window: int | None, layers: int) -> tuple[dict[str, int], list[Fault]]:
    if not isinstance(listed, list):
        return {}, [("layer_types", listed, "a list, one entry a layer")]
    if len(listed) != layers:
        return {}, [("layer_types", f"{len(listed)} entries", f"{layers}, one a layer")]
    strange = [kind for kind in listed if kind not in (*_SLIDING, *_FULL)]
    if strange:
        return {}, [("layer_types", strange[0], f"one of {', '.join((*_SLIDING, *_FULL))}")]
    sliding = sum(kind in _SLIDING for kind in listed)
    if not sliding:
        return {}, []
    if not window:
        return {}, [("sliding_window", window, "the tokens that a sliding layer sees")]
    return {"window": window, "window_layers": sliding}, []


def _sliding(text: Mapping[str, Any], family: Family, layers: int) -> tuple[int, list[Fault]]:
    """How many layers slide where the file lists no layer types."""
    if family.window == "all":
        return layers, []
    if family.window == "alternate":
        return (layers + 1) // 2, []
    if family.window == "tail":
        first = text.get("max_window_layers", layers)
        if text.get("use_sliding_window") is not True or not isinstance(first, int):
            return 0, []
        return max(layers - first, 0), []
    if family.window == "pattern":
        written = text.get("_sliding_window_pattern", family.window_period)
        return _pattern(text.get("sliding_window_pattern", written), layers)
    return 0, []


def _pattern(pattern: object, layers: int) -> tuple[int, list[Fault]]:
    if pattern is None:
        return 0, []
    if isinstance(pattern, int) and not isinstance(pattern, bool) and pattern > 0:
        return layers - layers // pattern, []
    if isinstance(pattern, str) and pattern and set(pattern) <= {"L", "G"}:
        kinds = (pattern * layers)[:layers]
        return kinds[:-1].count("L"), []  # the last layer is global whatever the pattern says
    expected = "a period, or letters L (local) and G (global)"
    return 0, [("sliding_window_pattern", pattern, expected)]


def dense_layers(text: Mapping[str, Any], family: Family, layers: int) -> tuple[int, list[Fault]]:
    """How many layers of a model with experts have a dense MLP, and faults."""
    for key in ("mlp_layer_types", "is_moe_layer"):
        listed = text.get(key)
        if listed is None:
            continue
        if not isinstance(listed, list) or len(listed) != layers:
            return 0, [(key, listed, f"a list of {layers}, one entry a layer")]
        return sum(kind in ("dense", False, 0) for kind in listed), []
    leading = text.get("first_k_dense_replace", family.leading_dense)
    only_dense = text.get("mlp_only_layers") or []
    step, frequency = text.get("decoder_sparse_step", 1), text.get("moe_layer_freq", 1)
    if isinstance(frequency, list):
        if len(frequency) != layers:
            return 0, [("moe_layer_freq", f"{len(frequency)} entries", f"{layers}, one a layer")]
        return sum(not sparse for sparse in frequency), []
    for key, value in (
        ("first_k_dense_replace", leading),
        ("decoder_sparse_step", step),
        ("moe_layer_freq", frequency),
    ):
        least = 0 if key == "first_k_dense_replace" else 1
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            return 0, [(key, value, f"a whole number, {least} or more")]
    if not isinstance(only_dense, list):
        return 0, [("mlp_only_layers", only_dense, "a list of layer numbers")]
    sparse = sum(
        layer >= leading
        and layer % frequency == 0
        and (layer + 1) % step == 0
        and layer not in only_dense
        for layer in range(layers)
    )
    return layers - sparse, []
