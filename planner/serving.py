"""Work of inference type in the tables of a search, so that one answer has one form."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from hardware.table import DeviceTable
from planner.architecture import ModelTable
from planner.inference import inference, requests
from planner.layout import peak_column
from planner.memory import OVERFULL, PARTS, MemoryTable
from planner.search import Search
from planner.step import StepTable
from planner.strategy import FITS, REASONS, StrategyTable

__all__ = ["served"]


def served(
    models: ModelTable, devices: DeviceTable, *, size: int, precision: int, work: int
) -> Search:
    """
    The best grouping of one model on one device, as a search of one question.

    Parameters
    ----------
    models, devices
        Tables of one row.
    size : int
        Devices.
    precision, work : int
        Codes of `planner.strategy` and `planner.inference`.

    Returns
    -------
    Search
        One row, or none with a reason. `tp` is the devices that share a copy,
        `dp` the copies, `micro_batch` the requests decoded together; a step is
        one batch from prompt to answer [s].

    Notes
    -----
    Prefill counts as products and decode as memory traffic, whichever ceiling
    binds it; the cache counts as activations.

    References
    ----------
    .. [1] R. Pope et al., "Efficiently scaling transformer inference," MLSys 2023.
    """
    one = np.zeros(1, dtype=np.int64)
    asked = requests(one, one, one + size, one + precision, one + work)
    answer = inference(models, devices, asked)
    keep = np.flatnonzero(answer.reason == FITS)
    counts = np.zeros((1, len(REASONS)), dtype=np.int64)
    counts[0, answer.reason[0]] = 1
    columns = {field.name: one[keep] for field in fields(StrategyTable)}
    ones = one[keep] + 1
    columns.update({name: ones for name in ("pp", "cp", "ep", "expert_tp", "interleave", "shard")})
    columns.update(
        seq_len=(asked.prompt_tokens + asked.output_tokens)[keep],
        precision=asked.precision[keep],
        tp=answer.group[keep],
        dp=answer.copies[keep],
        micro_batch=answer.batch[keep],
        global_batch=(answer.batch * answer.copies)[keep],
    )
    prefill_s = (answer.batch * answer.prefill_s)[keep]
    decode_s = (asked.output_tokens * answer.decode_s)[keep]
    peak = np.maximum(devices.peak_flop_per_s[0, peak_column(asked.precision)], 1.0)[keep] * size
    times = {field.name: np.zeros(len(keep)) for field in fields(StepTable)}
    rate = answer.model_flop_per_s[keep]
    times.update(
        step_s=prefill_s + decode_s,
        matmul_s=prefill_s,
        traffic_s=decode_s,
        tokens_per_s=answer.tokens_per_s[keep],
        model_flop=rate * (prefill_s + decode_s),
        hardware_flop=rate * (prefill_s + decode_s),
        mfu_frac=rate / peak,
        hfu_frac=rate / peak,
        factor_80=(answer.high80_tokens_per_s / np.maximum(answer.tokens_per_s, 1e-9))[keep],
    )
    sizes = {f"{part}_bytes": np.zeros(len(keep)) for part in PARTS[1:]}
    sizes.update(
        weights_bytes=(answer.peak_bytes - answer.cache_bytes)[keep],
        activations_bytes=answer.cache_bytes[keep],
        peak_bytes=answer.peak_bytes[keep],
        first_stage_bytes=answer.peak_bytes[keep],
        capacity_bytes=answer.capacity_bytes[keep],
    )
    return Search(
        question=one[keep],
        strategies=StrategyTable(**columns),
        steps=StepTable(**times),
        memories=MemoryTable(**sizes, first_overfull=one[keep]),
        reason=answer.reason,
        counts=counts,
        overfull=np.zeros((1, len(OVERFULL)), dtype=np.int64),
    )
