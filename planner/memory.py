"""Peak memory of a layout on its fullest stage, part by part, against what a device can give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from hardware.column import Bools, Floats, Ints, row_count, seal, take
from hardware.table import DeviceTable
from planner.activation import Saved, blocks, saved
from planner.architecture import ModelTable
from planner.stack import StackTable
from planner.stage import POSITIONS, Sizes, Stage, has_empty_stage, sizes, stage
from planner.strategy import FP8, StrategyTable

__all__ = ["EMPTY_STAGE", "NOTHING", "OVERFULL", "PARTS", "MemoryTable", "memory", "printed_bytes"]

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
EMPTY_STAGE = len(PARTS)
"""Not a part: some pipeline stage would hold no block, so the layout cannot run at all."""
OVERFULL = (*PARTS, "a pipeline stage without a block")
"""What each code of `first_overfull` says."""

_CHUNK = 16_384
"""Rows priced at once: the columns of a chunk stay in the processor's cache."""

_OPTIMIZER_BYTES = np.array([12.0, 8.0, 8.0, 6.0])
"""32-bit main weight and states, by code of the optimizer: Adam in 32 bit, in 16 bit, Muon with
one 32-bit momentum, Adam in 8 bit."""

_NARROW_WEIGHT_BYTES = 2.0
"""Weight in fp8 with the transposed copy that its backward product reads."""

_GATHERED_COPIES = 4.0
"""Bytes a hidden element of the whole sequence, gathered round a tensor-parallel product: the
input and the output before it is reduced, in 16 bit."""


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
    first_overfull: Ints  # [row] index into OVERFULL; NOTHING where the row fits

    def __post_init__(self) -> None:
        seal(self)

    @property
    def fits(self) -> Bools:
        """Whether the peak is within what the device can give, and no stage is empty. [row]"""
        result: Bools = self.first_overfull == NOTHING
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
    Weights are held in 16 bit; gradients in `gradient_bytes` of the stack, beside
    16-bit ones where it keeps both, and in 16 bit alone with fp8 as in published
    recipes;
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


def printed_bytes(memories: MemoryTable, kinds: Sequence[str]) -> Floats:
    """
    The peak as a program or a monitor would have printed it.

    Parameters
    ----------
    memories : MemoryTable
        [row]
    kinds : sequence of str
        What was printed, in the words of its source. [row]

    Returns
    -------
    ndarray
        The whole peak where the device's monitor was read, else the peak
        without what the runtime takes outside the allocator. [byte], [row]

    Notes
    -----
    Training programs print their allocator's peak unless the source says
    otherwise.

    References
    ----------
    .. [1] PyTorch documentation, "CUDA semantics: memory management," 2025.
    """
    monitored = np.array(["smi" in kind.lower() for kind in kinds], dtype=np.bool_)
    outside = np.where(monitored, 0.0, memories.runtime_bytes)
    result: Floats = memories.peak_bytes - outside
    return result


def _memory(
    models: ModelTable, devices: DeviceTable, stacks: StackTable, rows: StrategyTable
) -> MemoryTable:
    capacity = devices.usable_memory_bytes[rows.device]
    best: dict[str, Floats] = {}
    of = sizes(models, stacks, rows)
    for parts in _stages(models, stacks, rows, of):
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
    first = np.where(has_empty_stage(of, rows.pp), EMPTY_STAGE, first)
    return MemoryTable(
        **{f"{name}_bytes": best[name] for name in PARTS[1:]},
        peak_bytes=filled[-1],
        capacity_bytes=capacity,
        first_overfull=first.astype(np.int64),
    )


@dataclass(frozen=True)
class _Common:
    """What all stages of a row share. [row]"""

    tokens: Floats  # of a micro-batch on a context-parallel rank
    hidden: Floats
    hidden_split: Ints  # ranks over which hidden-wide activations are cut
    shard: Floats
    expert_shard: Floats
    weight_bytes: Floats
    gradient_bytes: Floats
    optimizer_bytes: Floats
    logits: Floats
    table: Floats  # parameters of one embedding on a tensor-parallel rank
    waste: Floats
    runtime: Floats
    kept: Saved


def _common(models: ModelTable, stacks: StackTable, rows: StrategyTable) -> _Common:
    """Columns that do not depend on the stage."""
    replicas = np.maximum(rows.tp * rows.cp * rows.dp // (rows.ep * rows.expert_tp), 1)
    shard = np.maximum(rows.shard, 1)
    expert_shard = np.maximum(replicas * shard // np.maximum(rows.dp * rows.cp, 1), 1)
    narrow = rows.precision >= FP8
    gradient = stacks.gradient_bytes[rows.stack] + stacks.gradient_spare_bytes[rows.stack]
    tokens = rows.micro_batch * rows.seq_len / rows.cp
    table = models.vocab[rows.model] / rows.tp
    heads_out = 1.0 + (models.mtp_layers[rows.model] > 0)
    hidden = models.hidden[rows.model].astype(np.float64)
    return _Common(
        tokens=tokens,
        hidden=hidden,
        hidden_split=np.where(rows.sequence_parallel == 1, rows.tp, 1),
        shard=shard.astype(np.float64),
        expert_shard=expert_shard.astype(np.float64),
        weight_bytes=np.where(narrow, _NARROW_WEIGHT_BYTES, 2.0),
        gradient_bytes=np.where(narrow, np.minimum(gradient, 2.0), gradient),
        optimizer_bytes=_OPTIMIZER_BYTES[rows.optimizer],
        logits=tokens * table * stacks.logit_bytes[rows.stack] * heads_out,
        table=table * hidden,
        waste=stacks.allocator_frac[rows.stack],
        runtime=stacks.runtime_bytes[rows.stack],
        kept=saved(models, stacks, rows),
    )


def _stages(
    models: ModelTable, stacks: StackTable, rows: StrategyTable, of: Sizes
) -> Iterator[dict[str, Floats]]:
    common = _common(models, stacks, rows)
    for position in range(len(POSITIONS)):
        if position == 1 and not (rows.pp > 2).any():
            continue
        if position == 2 and not (rows.pp > 1).any():
            continue
        yield _parts(rows, common, stage(of, rows, position))


def _parts(rows: StrategyTable, common: _Common, held: Stage) -> dict[str, Floats]:
    """Bytes of one stage by part."""
    dense, experts = held.dense_parameters, held.expert_parameters
    whole = dense + experts
    cut = dense / common.shard + experts / common.expert_shard
    activations, working = blocks(common.kept, held, rows, common.tokens)
    wide = common.tokens * common.hidden
    activations = activations + 4.0 * wide * held.is_last / common.hidden_split
    logits = common.logits * held.is_last
    gathered = _gathered_bytes(rows, common, held)
    workspace = np.maximum(working - logits, 0.0)
    regathered = np.where(common.hidden_split > 1, _GATHERED_COPIES * wide, 0.0)
    waste = common.waste * (activations + logits + workspace + gathered + regathered)
    return {
        "runtime": common.runtime,
        "weights": common.weight_bytes * np.where(rows.zero >= 3, cut, whole)
        + 2.0 * held.frozen_parameters,
        "gradients": common.gradient_bytes * np.where(rows.zero >= 2, cut, whole),
        "optimizer": common.optimizer_bytes * np.where(rows.zero >= 1, cut, whole),
        "activations": activations,
        "logits": logits,
        "buffers": gathered + workspace + regathered + waste,
    }


def _gathered_bytes(rows: StrategyTable, common: _Common, held: Stage) -> Floats:
    """Weights of the block at work and the next one, and the block's gradient, before sharding."""
    layers = np.maximum(held.layers, 1.0)
    block = (held.dense_parameters + held.expert_parameters) / layers
    largest = np.maximum(block, common.table * np.maximum(held.is_first, held.is_last))
    weights = np.where(rows.zero >= 3, 2.0 * (block + largest), 0.0)
    gradients = np.where(rows.zero >= 2, common.gradient_bytes * largest, 0.0)
    result: Floats = np.where(common.shard > 1, weights + gradients, 0.0)
    return result
