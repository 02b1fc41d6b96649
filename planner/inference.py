"""Tokens a second of generation, evaluation and serving: the rooflines of prefill and decode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints, seal
from hardware.table import DeviceTable
from planner.architecture import ModelTable, active_parameters, expert_parameters, parameters
from planner.layout import peak_column
from planner.strategy import (
    BF16,
    EXCEEDS_MEMORY,
    FITS,
    FP4,
    FP8,
    FP16,
    TYPE_NOT_OFFERED,
)

__all__ = [
    "EVALUATION",
    "GENERATION",
    "SERVING",
    "TRAINING",
    "WORK_NAMES",
    "InferenceTable",
    "RequestTable",
    "cache_bytes_per_token",
    "inference",
    "inference_precision",
    "lengths_text",
    "requests",
]

TRAINING, GENERATION, EVALUATION, SERVING = range(4)
WORK_NAMES = ("training", "generation", "evaluation", "serving")

# Tokens of a prompt, of an answer, and the longest decode step that users accept (s); assumed.
_PROMPT = (0, 512, 2048, 1024)
_OUTPUT = (1, 2048, 512, 512)
_STEP_LIMIT_S = (1e9, 1e9, 1e9, 0.05)

_GROUPS = (1, 2, 4, 8, 16, 32, 64, 128)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_MATMUL_FRAC = 0.60
"""Attainable part of the peak on serving shapes where no fraction is measured; assumed."""
_DEVICE_FRAC_OF_MATMUL = 0.75
"""What serving reaches of the attainable fraction of large square products; assumed."""
_MEMORY_FRAC = 0.75
"""Attainable part of memory bandwidth where no fraction is measured; assumed."""
_LINK_FRAC = 0.70
_LATENCY_S = 8e-6
"""One collective inside a node, small message; a launch on top. Assumed."""
_USABLE_FRAC = 0.92
"""Part of the usable memory for weights and cache; the rest is workspace. Assumed."""
_BUSY_FRAC = 0.80
"""What scheduling, sampling and answers of uneven length leave of a full batch; assumed."""
_SPREAD, _SPREAD_UNMEASURED = 0.35, 0.60
"""Log half-width of the 80 % interval, and that of a device whose products nobody has measured:
nothing of this roofline is fitted; assumed."""


@dataclass(frozen=True)
class RequestTable:
    """Work of inference type to be placed on devices. [question]"""

    model: Ints  # row in ModelTable
    device: Ints  # row in DeviceTable
    size: Ints  # devices
    precision: Ints  # code of planner.strategy
    prompt_tokens: Ints
    output_tokens: Ints
    step_limit_s: Floats  # longest decode step allowed

    def __post_init__(self) -> None:
        seal(self)


@dataclass(frozen=True)
class InferenceTable:
    """The best grouping and batch of each question. [question]"""

    reason: Ints  # FITS, EXCEEDS_MEMORY or TYPE_NOT_OFFERED
    group: Ints  # devices that share one copy of the model
    batch: Ints  # requests decoded together by a group
    copies: Ints  # groups that work side by side
    prefill_s: Floats  # one prompt
    decode_s: Floats  # one token of every request of the batch
    tokens_per_s: Floats  # prompt and output tokens, all devices
    model_flop_per_s: Floats  # all devices
    busy_frac: Floats  # part of the time in which arithmetic is the ceiling
    peak_bytes: Floats  # a device, weights and cache
    cache_bytes: Floats  # a device
    capacity_bytes: Floats  # a device
    low80_tokens_per_s: Floats
    high80_tokens_per_s: Floats

    def __post_init__(self) -> None:
        seal(self)


def inference_precision(devices: DeviceTable) -> Ints:
    """
    Compute type of inference when a job names none: fp8 where offered, else 16 bit. [device]

    Notes
    -----
    Peaks [FLOP/s] decide what is offered.

    References
    ----------
    .. [1] P. Micikevicius et al., "FP8 formats for deep learning," arXiv 2209.05433, 2022.
    """
    offers = devices.peak_flop_per_s > 0
    codes = np.full(len(offers), BF16, dtype=np.int64)
    for code in (FP16, BF16, FP8):
        column = peak_column(np.full(len(offers), code))
        codes = np.where(offers[np.arange(len(offers)), column], code, codes)
    return codes


def requests(model: Ints, device: Ints, size: Ints, precision: Ints, work: Ints) -> RequestTable:
    """
    Questions with the prompt and answer lengths that a kind of work has by default.

    Parameters
    ----------
    model, device, size, precision : ndarray of int
        Columns of `RequestTable`. [question]
    work : ndarray of int
        GENERATION, EVALUATION or SERVING. [question]

    Returns
    -------
    RequestTable
        [question]

    Notes
    -----
    Assumed lengths [token]: generation 512 in and 2,048 out, evaluation 2,048
    in and 512 out, serving 1,024 in and 512 out with at most 50 ms a decode
    step.

    References
    ----------
    .. [1] R. Pope et al., "Efficiently scaling transformer inference," MLSys 2023.
    """
    return RequestTable(
        model, device, size, precision,
        prompt_tokens=np.array(_PROMPT, dtype=np.int64)[work],
        output_tokens=np.array(_OUTPUT, dtype=np.int64)[work],
        step_limit_s=np.array(_STEP_LIMIT_S)[work],
    )  # fmt: skip


def lengths_text(work: int) -> str:
    """The assumed lengths of a kind of work [token], for readers; empty for training."""
    if work == TRAINING:
        return ""
    limit = _STEP_LIMIT_S[work]
    slow = f", at most {1e3 * limit:g} ms a decode step" if limit < 1 else ""
    return f"tokens count both ways: {_PROMPT[work]:,} in and {_OUTPUT[work]:,} out a request{slow}"


def cache_bytes_per_token(models: ModelTable, element_bytes: float = 2.0) -> Floats:
    """
    Bytes that a token adds to the key-value cache of a whole copy of the model.

    Parameters
    ----------
    models : ModelTable
        [model]
    element_bytes : float
        Bytes of an element. [byte]

    Returns
    -------
    ndarray
        Of layers that see the whole context; windows are bounded and linear
        layers keep no cache. [byte/token], [model]

    Notes
    -----
    MLA caches the compressed latent and the positional key only [1]_.

    References
    ----------
    .. [1] DeepSeek-AI, "DeepSeek-V2," arXiv 2405.04434, 2024.
    """
    layers = models.layers - models.window_layers - models.linear_layers
    plain = models.kv_heads * (models.head_dim + models.v_head_dim)
    latent = models.kv_lora + models.rope_head_dim
    elements: Floats = (layers * np.where(models.kv_lora > 0, latent, plain)).astype(np.float64)
    return elements * element_bytes


def inference(models: ModelTable, devices: DeviceTable, questions: RequestTable) -> InferenceTable:
    """
    Best tokens a second of each question over groupings and batches.

    Parameters
    ----------
    models, devices
        Tables whose row numbers stand in `questions`.
    questions : RequestTable
        [question]

    Returns
    -------
    InferenceTable
        Times [s], rates [token/s], memory [byte]; the smallest group that
        reaches the best rate a device wins. A question without a grouping
        keeps zeros and a reason. [question]

    Notes
    -----
    Prefill is bound by arithmetic or by reading the weights once; decode by
    reading weights (of experts, those that the batch hits) and cache [1]_.
    Devices of a group divide weights and cache evenly, two small all-reduces
    a layer. Groups wider than a node work as a pipeline of nodes.

    References
    ----------
    .. [1] R. Pope et al., "Efficiently scaling transformer inference," MLSys 2023.
    """
    count, groups, batches = len(questions.model), len(_GROUPS), len(_BATCHES)
    shape = (count, groups, batches)
    group = np.broadcast_to(np.array(_GROUPS, dtype=np.float64)[None, :, None], shape)
    batch = np.broadcast_to(np.array(_BATCHES, dtype=np.float64)[None, None, :], shape)
    # One prompt and one decode step, on every grouping and batch at once.
    cost = _costs(models, devices, questions, group, batch)
    prompt = questions.prompt_tokens[:, None, None]
    output = questions.output_tokens[:, None, None]
    copies = np.floor(questions.size[:, None, None] / group)
    run_s = batch * cost["prefill_s"] + output * cost["decode_s"]
    rate = _BUSY_FRAC * copies * batch * (prompt + output) / run_s
    room = cost["peak_bytes"] <= cost["capacity_bytes"]
    room = room & (copies >= 1) & (cost["decode_s"] <= questions.step_limit_s[:, None, None])
    peak = devices.peak_flop_per_s[questions.device, peak_column(questions.precision)]
    flat = np.where(room, rate, 0.0).reshape(count, -1)
    best = np.argmax(flat, axis=1)
    at = np.arange(count), best
    reason = np.where(flat[at] > 0, FITS, EXCEEDS_MEMORY)
    reason = np.where(peak > 0, reason, TYPE_NOT_OFFERED)
    good = reason == FITS

    def pick(values: Floats) -> Floats:
        chosen: Floats = np.where(good, np.broadcast_to(values, shape).reshape(count, -1)[at], 0.0)
        return chosen

    tokens_per_s = pick(rate)
    measured = devices.matmul_frac[questions.device].max(axis=1) > 0
    spread = np.where(measured, _SPREAD, _SPREAD_UNMEASURED)
    flop = 2.0 * active_parameters(models)[questions.model]
    return InferenceTable(
        reason=reason,
        group=pick(group).astype(np.int64),
        batch=pick(batch).astype(np.int64),
        copies=pick(copies).astype(np.int64),
        prefill_s=pick(cost["prefill_s"]),
        decode_s=pick(cost["decode_s"]),
        tokens_per_s=tokens_per_s,
        model_flop_per_s=tokens_per_s * flop,
        busy_frac=pick(batch * cost["prefill_s"] / run_s),
        peak_bytes=pick(cost["peak_bytes"]),
        cache_bytes=pick(cost["cache_bytes"]),
        capacity_bytes=devices.usable_memory_bytes[questions.device],
        low80_tokens_per_s=tokens_per_s * np.exp(-spread),
        high80_tokens_per_s=tokens_per_s * np.exp(spread),
    )


def _costs(
    models: ModelTable, devices: DeviceTable, questions: RequestTable, group: Floats, batch: Floats
) -> dict[str, Floats]:
    """Prefill and decode time and memory a device, [question, group, batch]."""

    def wide(values: Floats | Ints) -> Floats:
        return values.astype(np.float64)[:, None, None]

    pick, device = questions.model, questions.device
    element = np.where(questions.precision >= FP8, 1.0, 2.0)
    element = np.where(questions.precision == FP4, 0.5625, element)
    weights = wide(parameters(models)[pick] * element)
    routed = wide(expert_parameters(models)[pick] * element)
    active = wide(active_parameters(models)[pick])
    experts = np.maximum(wide(models.experts[pick]), 1.0)
    hit = 1.0 - (1.0 - np.minimum(wide(models.top_k[pick]) / experts, 1.0)) ** batch
    read = weights - routed + routed * hit
    cached = np.where(questions.precision >= FP8, 1.0, 2.0)
    a_token = wide(cache_bytes_per_token(models, 1.0)[pick] * cached)
    context = wide(questions.prompt_tokens + questions.output_tokens)
    attended = wide(questions.prompt_tokens + questions.output_tokens // 2)
    window = wide(models.window_layers[pick] * 2 * models.kv_heads[pick] * models.head_dim[pick])
    window = window * np.minimum(wide(models.window[pick]), context) * wide(cached)
    flop_per_s, bytes_per_s, link = _rates(devices, questions)
    attention = (
        4.0
        * wide(models.heads[pick] * models.head_dim[pick])
        * wide(models.layers[pick] - models.linear_layers[pick])
    )
    tp = np.minimum(
        group, wide(np.maximum(devices.scale_up_size, devices.devices_per_node)[device])
    )
    hidden, layers = wide(models.hidden[pick]), wide(models.layers[pick])
    prompt = wide(questions.prompt_tokens)
    ring = 2.0 * (tp - 1.0) / tp
    reduce_s = np.where(tp > 1, 2.0 * layers * ring * hidden * 2.0 / link, 0.0)
    hop_s = np.where(tp > 1, 2.0 * layers * _LATENCY_S, 0.0)
    prefill_flop = 2.0 * active * prompt + attention * prompt * prompt / 2.0
    prefill_s = np.maximum(prefill_flop / flop_per_s, weights / bytes_per_s / 8.0) / group
    decode_flop = batch * (2.0 * active + attention * attended)
    decode_bytes = read + batch * (a_token * attended + window)
    decode_s = np.maximum(decode_flop / flop_per_s, decode_bytes / bytes_per_s) / group
    return {
        "prefill_s": prefill_s + reduce_s * prompt * tp / group + hop_s * tp / group,
        "decode_s": decode_s + (reduce_s * batch + hop_s) * tp / group,
        "peak_bytes": (weights + batch * (a_token * context + window)) / group,
        "cache_bytes": batch * (a_token * context + window) / group,
        "capacity_bytes": wide(devices.usable_memory_bytes[device]) * _USABLE_FRAC,
    }


def _rates(devices: DeviceTable, questions: RequestTable) -> tuple[Floats, Floats, Floats]:
    """Attainable arithmetic, memory and link rates, [question, 1, 1]."""
    device, column = questions.device, peak_column(questions.precision)
    measured = devices.matmul_frac[device, column]
    frac = np.where(measured > 0, measured * _DEVICE_FRAC_OF_MATMUL, _MATMUL_FRAC)
    flop_per_s = np.maximum(devices.peak_flop_per_s[device, column] * frac, 1.0)
    memory = devices.memory_frac[device]
    memory = np.where(memory > 0, memory, _MEMORY_FRAC) * devices.memory_bytes_per_s[device]
    link = devices.scale_up_bytes_per_s[device]
    link = np.where(link > 0, link, np.maximum(devices.scale_out_bytes_per_s[device], 1e9))
    return tuple(rate[:, None, None] for rate in (flop_per_s, memory, link * _LINK_FRAC))  # type: ignore[return-value]
