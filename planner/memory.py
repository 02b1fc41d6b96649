"""Peak memory of a layout on its fullest stage, part by part, against what a device can give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints, seal, to_columns
from hardware.table import DeviceTable
from planner.activation import Saved, Widths, blocks, encoder_bytes, saved, widths
from planner.architecture import ModelTable
from planner.cut import Cut, cut
from planner.stack import StackTable
from planner.stage import POSITIONS, Sizes, Stage, has_empty_stage, sizes, stage
from planner.strategy import StrategyTable

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

_CHUNK = 8_192
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
    first_stage_bytes: Floats  # [row] peak of the stage with the embedding, where programs log
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
    Weights are held in 16 bit; gradients in the type that the stack reduces them
    in, beside 16-bit ones where it keeps both, and in 16 bit alone with fp8 as
    in published recipes. Adam holds 12 bytes a parameter with the 32-bit main
    weight, cut over `shard` ranks from ZeRO stage 1, gradients from 2, weights
    from 3 [1]_. Experts are cut over the ranks that replicate them. Activations
    follow [2]_ with flash attention unless the stack materialises scores. The
    peak is the largest over first, second and last stage.

    References
    ----------
    .. [1] S. Rajbhandari et al., "ZeRO: memory optimizations toward training
       trillion parameter models," SC 2020.
    .. [2] V. Korthikanti et al., "Reducing activation recomputation in large
       transformer models," MLSys 2023.
    """
    count = len(rows.model)
    source = _source(models, stacks)
    columns: dict[str, Any] = {
        column.name: np.empty(count, dtype=np.int64 if column.type == "Ints" else np.float64)
        for column in fields(MemoryTable)
    }
    for start in range(0, count, _CHUNK):
        part = slice(start, min(start + _CHUNK, count))
        priced = _memory(devices, source, stacks, _cut_to(rows, part))
        for name, column in columns.items():
            column[part] = priced[name]
    return MemoryTable(**columns)


def _cut_to(rows: StrategyTable, part: slice) -> StrategyTable:
    """A chunk of the rows, as views."""
    return StrategyTable(**{name: column[part] for name, column in to_columns(rows).items()})


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
        Of the first stage, or of the fullest where the source took the most
        over all ranks; with what the runtime takes outside the allocator where
        the device's monitor was read. [byte], [row]

    Notes
    -----
    Training programs log the allocator's peak of their first rank unless the
    source says otherwise.

    References
    ----------
    .. [1] PyTorch documentation, "CUDA semantics: memory management," 2025.
    """
    words = [kind.lower() for kind in kinds]
    monitored = np.array(["smi" in word for word in words], dtype=np.bool_)
    everywhere = np.array(["over ranks" in word for word in words], dtype=np.bool_)
    peak = np.where(everywhere, memories.peak_bytes, memories.first_stage_bytes)
    result: Floats = peak - np.where(monitored, 0.0, memories.runtime_bytes)
    return result


@dataclass(frozen=True)
class _Source:
    """Columns of models and stacks as matrices [column, entry], gathered by row at once."""

    shape_names: tuple[str, ...]
    size_names: tuple[str, ...]
    models: Floats
    stacks: Floats


_STACK_COLUMNS = (
    "unfused_frac",
    "allocator_frac",
    "runtime_bytes",
    "logit_bytes",
    "stages_by_cost",
)


def _source(models: ModelTable, stacks: StackTable) -> _Source:
    shape, size = to_columns(widths(models)), to_columns(sizes(models))
    extra = [models.vocab.astype(np.float64), 1.0 + (models.mtp_layers > 0)]
    gradient = stacks.reduce_bytes + stacks.gradient_spare_bytes
    habits = [getattr(stacks, name).astype(np.float64) for name in _STACK_COLUMNS]
    return _Source(
        shape_names=tuple(shape),
        size_names=tuple(size),
        models=np.stack([*shape.values(), *size.values(), *extra]),
        stacks=np.stack([*habits, gradient]),
    )


def _memory(
    devices: DeviceTable, source: _Source, stacks: StackTable, rows: StrategyTable
) -> dict[str, Any]:
    """Columns of the answer for one chunk."""
    cells = source.models.take(rows.model, axis=1)
    count = len(source.shape_names)
    shape = Widths(**dict(zip(source.shape_names, cells, strict=False)))
    of = Sizes(**dict(zip(source.size_names, cells[count:], strict=False)))
    by = cut(stacks, rows)
    habits = dict(zip((*_STACK_COLUMNS, "gradient_bytes"), source.stacks.take(rows.stack, axis=1),
                      strict=True))  # fmt: skip
    head_layers = of.head_layers * habits["stages_by_cost"]
    common = _common(shape, by, habits, rows, vocab=cells[-2], heads_out=cells[-1])
    best: list[Floats] = []
    first_stage = common.runtime
    for position in range(len(POSITIONS)):
        if position and not _can_be_fullest(of, by, head_layers, position):
            continue
        parts = _parts(by, common, stage(of, by, head_layers, position))
        peak = sum(parts, start=common.runtime)
        if not best:
            best, first_stage = [*parts, peak], peak.copy()
            continue
        fuller = peak > best[-1]
        for old, new in zip(best, (*parts, peak), strict=True):
            np.copyto(old, new, where=fuller)
    empty = has_empty_stage(of.layers, by.pp, head_layers)
    return {"first_stage_bytes": first_stage, **_columns(devices, rows, common, best, empty)}


def _can_be_fullest(of: Sizes, by: Cut, head_layers: Floats, position: int) -> bool:
    """Whether any row's second or last stage can hold more than its first."""
    if position == 2:
        return bool((by.pp > 1.0).any())
    behind_dense = (of.dense_layers > 0) & (of.dense_layers < of.layers)
    short_first = np.ceil(of.layers / by.pp) * by.pp - of.layers >= 2.0
    uneven = behind_dense | short_first | (head_layers > 0)
    return bool(((by.pp > 2.0) & uneven).any())


def _columns(
    devices: DeviceTable, rows: StrategyTable, common: _Common, best: list[Floats], empty: Bools
) -> dict[str, Any]:
    """The fullest stage, what the device gives, and the first part that no longer fits."""
    capacity = devices.usable_memory_bytes[rows.device]
    first = np.zeros(len(capacity), dtype=np.int64)
    taken = common.runtime
    for code, part in enumerate(best[:-1], start=2):
        before = taken <= capacity
        taken = taken + part
        first[before & (taken > capacity)] = code
    first[common.runtime > capacity] = 1
    first[empty] = EMPTY_STAGE
    named = dict(zip((f"{name}_bytes" for name in PARTS[2:]), best, strict=False))
    return {
        "runtime_bytes": common.runtime,
        **named,
        "peak_bytes": taken,
        "capacity_bytes": capacity,
        "first_overfull": first,
    }


@dataclass(frozen=True)
class _Common:
    """What all stages of a row share. [row]"""

    shape: Widths
    kept: Saved
    wide: Floats  # bytes of one hidden-wide element a token, not cut
    regathered: Floats
    weight_bytes: Floats
    gradient_bytes: Floats
    optimizer_bytes: Floats
    logits: Floats
    table: Floats  # parameters of one embedding on a tensor-parallel rank
    waste: Floats
    runtime: Floats


def _common(
    shape: Widths, by: Cut, habits: dict[str, Floats], rows: StrategyTable, *,
    vocab: Floats, heads_out: Floats,
) -> _Common:  # fmt: skip
    """Columns that do not depend on the stage."""
    gradient = habits["gradient_bytes"]
    narrowed = np.minimum(gradient, 2.0)
    wide = by.tokens * shape.hidden
    table = vocab / by.tp
    return _Common(
        shape=shape,
        kept=saved(shape, by, habits["unfused_frac"]),
        wide=wide,
        regathered=_GATHERED_COPIES * wide * (by.wide > 1.0),
        weight_bytes=2.0 + (_NARROW_WEIGHT_BYTES - 2.0) * by.is_narrow,
        gradient_bytes=gradient + by.is_narrow * (narrowed - gradient),
        optimizer_bytes=_OPTIMIZER_BYTES[rows.optimizer],
        logits=by.tokens * table * habits["logit_bytes"] * heads_out,
        table=table * shape.hidden,
        waste=habits["allocator_frac"],
        runtime=habits["runtime_bytes"],
    )


def _parts(by: Cut, common: _Common, held: Stage) -> tuple[Floats, ...]:
    """Bytes of one stage in the order of PARTS, runtime left out."""
    whole = held.dense_parameters + held.expert_parameters
    spared = whole - held.dense_parameters / by.shard - held.expert_parameters / by.expert_shard
    activations, working = blocks(common.kept, held, by)
    activations = activations + 4.0 * common.wide * held.is_last / by.wide
    if common.shape.encoder.any():
        activations = activations + encoder_bytes(common.shape, by, held)
    logits = common.logits * held.is_last
    buffers = np.maximum(working - logits, 0.0) + common.regathered
    if by.shards_gradients.any():
        buffers = buffers + _gathered_bytes(by, common, held)
    waste = common.waste * (activations + logits + buffers)
    return (
        common.weight_bytes * (whole - by.shards_weights * spared) + 2.0 * held.frozen_parameters,
        common.gradient_bytes * (whole - by.shards_gradients * spared),
        common.optimizer_bytes * (whole - by.shards_states * spared),
        activations,
        logits,
        buffers + waste,
    )


def _gathered_bytes(by: Cut, common: _Common, held: Stage) -> Floats:
    """Weights of the block at work and the next one, and the block's gradient, before sharding."""
    block = (held.dense_parameters + held.expert_parameters) / np.maximum(held.layers, 1.0)
    largest = np.maximum(block, common.table * np.maximum(held.is_first, held.is_last))
    weights = 2.0 * (block + largest) * by.shards_weights
    gradients = common.gradient_bytes * largest * by.shards_gradients
    result: Floats = (weights + gradients) * (by.shard > 1.0)
    return result
