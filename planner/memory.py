"""Peak memory of a layout on its fullest stage, part by part, against what a device can give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from hardware.column import Bools, Floats, Ints, row_count, seal, take
from hardware.table import DeviceTable
from planner.activation import blocks, saved
from planner.architecture import ModelTable
from planner.stack import StackTable
from planner.stage import POSITIONS, Stage, stage
from planner.strategy import (
    ADAM_8BIT,
    ADAM_BF16_STATES,
    FP8,
    MUON,
    StrategyTable,
)

__all__ = ["NOTHING", "PARTS", "MemoryTable", "memory"]

# In the order in which a program takes memory; the first that no longer fits is named.
PARTS = (
    "nothing",
    "runtime",
    "weights",
    "gradients",
    "optimizer",
    "activations",
    "logits",
    "buffers",
)
NOTHING = 0

_CHUNK = 16_384
"""Rows priced at once: the columns of a chunk stay in the processor's cache."""

_MAIN_WEIGHT_BYTES = 4.0
_STATE_BYTES = {ADAM_BF16_STATES: 4.0, MUON: 4.0, ADAM_8BIT: 2.0}
"""Bytes of optimizer state a parameter beside the 32-bit main weight; 8 for Adam in 32 bit."""


@dataclass(frozen=True)
class MemoryTable:
    """Peak memory a device on the fullest stage, by part; the parts add up to the peak. [row]"""

    weights_bytes: Floats  # [row] compute weights held, 16-bit and the casts of narrower types
    gradients_bytes: Floats  # [row]
    optimizer_bytes: Floats  # [row] states and 32-bit main weights
    activations_bytes: Floats  # [row] saved for backward, all micro-batches in flight
    logits_bytes: Floats  # [row] logits, their wide copy and gradient
    buffers_bytes: Floats  # [row] gathered weights, workspace, and what the allocator wastes
    runtime_bytes: Floats  # [row] context, communicators, libraries
    peak_bytes: Floats  # [row]
    capacity_bytes: Floats  # [row] what a program can allocate on the device
    first_overfull: Ints  # [row] index into PARTS; NOTHING where the row fits

    def __post_init__(self) -> None:
        seal(self)

    @property
    def fits(self) -> Bools:
        """Whether the peak is within what the device can give. [row]"""
        result: Bools = self.peak_bytes <= self.capacity_bytes
        return result


def memory(
    models: ModelTable, devices: DeviceTable, stacks: StackTable, rows: StrategyTable
) -> MemoryTable:
    """
    Peak memory of every row on its fullest pipeline stage.

    Parameters
    ----------
    models, devices, stacks
        Tables whose row numbers stand in `rows`.
    rows : StrategyTable
        Layouts. [row]

    Returns
    -------
    MemoryTable
        Bytes by part, as many rows as `rows`, in that order. [byte]

    Notes
    -----
    Weights are held in 16 bit; gradients in `gradient_bytes` of the stack;
    Adam holds 12 bytes a parameter with the 32-bit main weight, cut over
    `shard` ranks from ZeRO stage 1, gradients from 2, weights from 3 [1]_.
    Experts are cut over the ranks that replicate them. Activations follow [2]_
    with flash attention unless the stack materialises scores. The peak is the
    largest over first, second and last stage.

    References
    ----------
    .. [1] S. Rajbhandari et al., "ZeRO: memory optimizations toward training
       trillion parameter models," SC 2020.
    .. [2] V. Korthikanti et al., "Reducing activation recomputation in large
       transformer models," MLSys 2023.
    """
    count = row_count(rows)
    if count <= _CHUNK:
        return _memory(models, devices, stacks, rows)
    parts = [
        _memory(models, devices, stacks, take(rows, slice(start, start + _CHUNK)))
        for start in range(0, count, _CHUNK)
    ]
    return MemoryTable(
        **{
            column.name: np.concatenate([getattr(part, column.name) for part in parts])
            for column in fields(MemoryTable)
        }
    )


def _memory(
    models: ModelTable, devices: DeviceTable, stacks: StackTable, rows: StrategyTable
) -> MemoryTable:
    capacity = devices.usable_memory_bytes[rows.device]
    best: dict[str, Floats] = {}
    for parts in _stages(models, stacks, rows):
        peak = np.sum(list(parts.values()), axis=0)
        if not best:
            best = {**parts, "peak": peak}
            continue
        fuller = peak > best["peak"]
        for name, values in {**parts, "peak": peak}.items():
            best[name] = np.where(fuller, values, best[name])
    filled = np.cumsum([best[name] for name in PARTS[1:]], axis=0)
    over = filled > capacity
    first = np.where(over[-1], np.argmax(over, axis=0) + 1, NOTHING)
    return MemoryTable(
        **{f"{name}_bytes": best[name] for name in PARTS[1:]},
        peak_bytes=filled[-1],
        capacity_bytes=capacity,
        first_overfull=first.astype(np.int64),
    )


def _stages(
    models: ModelTable, stacks: StackTable, rows: StrategyTable
) -> Iterator[dict[str, Floats]]:
    by_cost = stacks.stages_by_cost[rows.stack].astype(np.float64)
    for position in range(len(POSITIONS)):
        if position == 1 and not (rows.pp > 2).any():
            continue
        if position == 2 and not (rows.pp > 1).any():
            continue
        held = stage(models, rows, by_cost, position)
        yield _parts(models, stacks, rows, held)


def _parts(
    models: ModelTable, stacks: StackTable, rows: StrategyTable, held: Stage
) -> dict[str, Floats]:
    """Bytes of one stage by part."""
    trained = held.dense_parameters, held.expert_parameters
    replicas = np.maximum(rows.tp * rows.cp * rows.dp // (rows.ep * rows.expert_tp), 1)
    shard = np.maximum(rows.shard, 1)
    expert_shard = np.clip(replicas * shard // np.maximum(rows.dp * rows.cp, 1), 1, None)
    pieces = shard, expert_shard

    def sharded(stage_of_zero: int) -> Floats:
        cut = rows.zero >= stage_of_zero
        parts = [
            parameters / np.where(cut, piece, 1)
            for parameters, piece in zip(trained, pieces, strict=True)
        ]
        result: Floats = parts[0] + parts[1]
        return result

    narrow = rows.precision >= FP8
    weight_bytes = 2.0 + 1.0 * narrow
    gradient_bytes = stacks.gradient_bytes[rows.stack]
    state = np.full(len(rows.optimizer), 8.0)
    for optimizer, size in _STATE_BYTES.items():
        state = np.where(rows.optimizer == optimizer, size, state)
    tokens = rows.micro_batch * rows.seq_len / rows.cp
    kept = saved(models, stacks, rows)
    activations, working = blocks(kept, held, rows, tokens)
    hidden = models.hidden[rows.model].astype(np.float64)
    activations = activations + tokens * hidden * 4 * held.is_last / _sequence_split(rows)
    logits = (
        tokens
        * models.vocab[rows.model]
        / rows.tp
        * stacks.logit_bytes[rows.stack]
        * held.is_last
        * (1.0 + (models.mtp_layers[rows.model] > 0))
    )
    gathered = _gathered_bytes(models, rows, held, gradient_bytes)
    workspace = np.maximum(working - logits, 0.0)
    regathered = np.where((rows.tp > 1) & (rows.sequence_parallel == 1), 2 * tokens * hidden, 0.0)
    waste = stacks.allocator_frac[rows.stack] * (activations + logits + workspace + gathered)
    return {
        "runtime": stacks.runtime_bytes[rows.stack],
        "weights": weight_bytes * sharded(3) + 2.0 * held.frozen_parameters,
        "gradients": gradient_bytes * sharded(2),
        "optimizer": (_MAIN_WEIGHT_BYTES + state) * sharded(1),
        "activations": activations,
        "logits": logits,
        "buffers": gathered + workspace + regathered + waste,
    }


def _sequence_split(rows: StrategyTable) -> Ints:
    """Ranks over which the hidden-wide activations are cut. [row]"""
    result: Ints = np.where(rows.sequence_parallel == 1, rows.tp, 1)
    return result


def _gathered_bytes(
    models: ModelTable, rows: StrategyTable, held: Stage, gradient_bytes: Floats
) -> Floats:
    """Weights of the block at work and the next one, and the block's gradient, before sharding."""
    layers = np.maximum(held.layers, 1.0)
    block = (held.dense_parameters + held.expert_parameters) / layers
    table = models.vocab[rows.model] * models.hidden[rows.model] / rows.tp
    largest = np.maximum(block, table * np.maximum(held.is_first, held.is_last))
    weights = np.where(rows.zero >= 3, 2.0 * (block + largest), 0.0)
    gradients = np.where(rows.zero >= 2, gradient_bytes * largest, 0.0)
    result: Floats = np.where(rows.shard > 1, weights + gradients, 0.0)
    return result
