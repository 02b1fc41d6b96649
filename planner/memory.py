"""Peak memory of a layout on its fullest stage, part by part, against what a device can give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints, seal, to_columns
from hardware.table import DeviceTable
from planner.activation import Widths, blocks, encoder_bytes, saved, widths
from planner.architecture import ModelTable
from planner.cut import Cut, Flow, cut
from planner.repeats import PIECE_ROWS, Matrix, distinct, in_pieces
from planner.stack import StackTable
from planner.stage import Sizes, Stage, has_empty_stage, in_flight_layers, sizes, stage
from planner.strategy import INTERLEAVED, StrategyTable

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

_CHUNK = 65_536
"""Rows among which repeats are looked for: more find more of them, and take more memory."""

_HELD_BY = (
    "model", "stack", "tp", "pp", "cp", "ep", "expert_tp", "dp", "zero", "shard", "precision",
    "optimizer",
)  # fmt: skip
"""Columns of a layout from which follow the parameters that a rank holds, and their states."""

_KEPT_BY = (
    "model", "stack", "tp", "pp", "ep", "expert_tp", "sequence_parallel", "recompute", "precision",
    "seq_len",
)  # fmt: skip
"""Columns of a layout from which follow the activations that a token leaves."""

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
    source = _source(models, devices, stacks)
    columns: dict[str, Any] = {
        column.name: np.empty(count, dtype=np.int64 if column.type == "Ints" else np.float64)
        for column in fields(MemoryTable)
    }
    for start in range(0, count, _CHUNK):
        part = slice(start, min(start + _CHUNK, count))
        _fill(
            {name: column[part] for name, column in columns.items()},
            source,
            {name: column[part] for name, column in to_columns(rows).items()},
        )
    return MemoryTable(**columns)


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
    """Columns of models and stacks as matrices, gathered by row at once."""

    widths: Matrix
    sizes: Matrix
    heads: Matrix
    habits: Matrix
    stacks: StackTable
    capacity_bytes: Floats  # [device]


_OF_STAGE = (
    "weights", "gradients", "optimizer", "gathered", "waiting", "output", "logits", "working",
)  # fmt: skip

_STACK_COLUMNS = (
    "unfused_frac",
    "allocator_frac",
    "runtime_bytes",
    "logit_bytes",
    "stages_by_cost",
)


def _source(models: ModelTable, devices: DeviceTable, stacks: StackTable) -> _Source:
    habits = {name: getattr(stacks, name) for name in _STACK_COLUMNS}
    habits["gradient_bytes"] = stacks.reduce_bytes + stacks.gradient_spare_bytes
    vocab, heads_out = models.vocab.astype(np.float64), np.where(models.mtp_layers > 0, 2.0, 1.0)
    return _Source(
        widths=Matrix(to_columns(widths(models))),
        sizes=Matrix(to_columns(sizes(models))),
        heads=Matrix({"vocab": vocab, "heads_out": heads_out}),
        habits=Matrix(habits),
        stacks=stacks,
        capacity_bytes=devices.usable_memory_bytes,
    )


class _Gathered:
    """What the stages of some layouts depend on; columns that are not given stand at one."""

    def __init__(self, source: _Source, cells: dict[str, Ints]) -> None:
        ones = np.ones(len(cells["model"]), dtype=np.int64)
        rows = {column.name: cells.get(column.name, ones) for column in fields(StrategyTable)}
        self.of = Sizes(**source.sizes.gather(cells["model"]))
        self.shape = Widths(**source.widths.gather(cells["model"]))
        self.habits = source.habits.gather(cells["stack"])
        self.head_layers = self.of.head_layers * self.habits["stages_by_cost"]
        self.by = cut(source.stacks, StrategyTable(**rows))
        head = source.heads.gather(cells["model"])
        self.heads_out, self.vocab = head["heads_out"], head["vocab"] / self.by.tp

    def stage(self, position: int) -> Stage:
        return stage(self.of, self.by, self.head_layers, position)


def _fill(result: dict[str, Any], source: _Source, rows: dict[str, Ints]) -> None:
    """Columns of the answer for one chunk; what rows have in common is priced once."""
    held_by, of_held = distinct({name: rows[name] for name in _HELD_BY})
    kept_by, of_kept = distinct({name: rows[name] for name in _KEPT_BY})
    positions = _fullest(source, held_by)
    held = Matrix(in_pieces(lambda some: _held(source, some, positions), held_by))
    kept = Matrix(in_pieces(lambda some: _kept(source, some, positions), kept_by))
    for start in range(0, len(of_held), PIECE_ROWS):
        piece = slice(start, start + PIECE_ROWS)
        flow = _flow({name: column[piece] for name, column in rows.items()})
        parts = {**held.gather(of_held[piece]), **kept.gather(of_kept[piece])}
        best, first_stage = _best(flow, parts, positions)
        capacity = source.capacity_bytes[rows["device"][piece]]
        for name, column in _columns(capacity, parts, best).items():
            result[name][piece] = column
        result["first_stage_bytes"][piece] = first_stage


def _flow(rows: dict[str, Ints]) -> Flow:
    """What moves through the pipeline of each row."""
    micro_batch, dp = rows["micro_batch"].astype(np.float64), rows["dp"].astype(np.float64)
    slots = np.floor(rows["global_batch"] / np.maximum(micro_batch * dp, 1.0))
    interleave = np.maximum(rows["interleave"].astype(np.float64), 1.0)
    woven = (rows["schedule"] == INTERLEAVED) & (interleave > 1.0)
    return Flow(
        pp=rows["pp"].astype(np.float64),
        interleave=interleave,
        micro_batch=micro_batch,
        micro_batches=np.maximum(slots, 1.0),
        tokens=micro_batch * rows["seq_len"] / rows["cp"],
        is_woven=woven.astype(np.float64),
    )


def _best(
    flow: Flow, parts: dict[str, Floats], positions: tuple[int, ...]
) -> tuple[list[Floats], Floats]:
    """Parts and peak of the fullest stage, and the peak of the first."""
    best: list[Floats] = []
    first_stage: Floats = parts["runtime_bytes"]
    for position in positions:
        found = _parts(flow, parts, position)
        peak = sum(found, start=parts["runtime_bytes"])
        if not best:
            best, first_stage = [*found, peak], peak.copy()
            continue
        fuller = peak > best[-1]
        for old, new in zip(best, (*found, peak), strict=True):
            np.copyto(old, new, where=fuller)
    return best, first_stage


def _fullest(source: _Source, cells: dict[str, Ints]) -> tuple[int, ...]:
    """Positions that can hold the most in any row: the first, and what could hold more than it."""
    of = source.sizes.gather(cells["model"])
    head_layers = of["head_layers"] * source.habits.gather(cells["stack"])["stages_by_cost"]
    layers, dense, pp = of["layers"], of["dense_layers"], cells["pp"]
    behind_dense = (dense > 0) & (dense < layers)
    short_first = np.ceil(layers / pp) * pp - layers >= 2.0
    uneven = behind_dense | short_first | (head_layers > 0)
    second, last = bool(((pp > 2) & uneven).any()), bool((pp > 1).any())
    return (0, *((1,) * second), *((2,) * last))


def _columns(capacity: Floats, parts: dict[str, Floats], best: list[Floats]) -> dict[str, Any]:
    """The fullest stage, what the device gives, and the first part that no longer fits."""
    taken: Floats = parts["runtime_bytes"]
    first = (taken > capacity).astype(np.int64)
    for code, part in enumerate(best[:-1], start=2):
        before = taken <= capacity
        taken = taken + part
        first[before & (taken > capacity)] = code
    first[parts["is_empty"] > 0] = EMPTY_STAGE
    named = dict(zip((f"{name}_bytes" for name in PARTS[2:]), best, strict=False))
    return {
        "runtime_bytes": parts["runtime_bytes"],
        **named,
        "peak_bytes": taken,
        "capacity_bytes": capacity,
        "first_overfull": first,
    }


def _held(source: _Source, cells: dict[str, Ints], positions: tuple[int, ...]) -> dict[str, Floats]:
    """Weights, gradients and states of each stage, and what is gathered of them while it works."""
    c = _Gathered(source, cells)
    by, gradient = c.by, c.habits["gradient_bytes"]
    narrowed = np.minimum(gradient, 2.0)
    weight_bytes = 2.0 + (_NARROW_WEIGHT_BYTES - 2.0) * by.is_narrow
    gradient_bytes = gradient + by.is_narrow * (narrowed - gradient)
    optimizer_bytes = _OPTIMIZER_BYTES[cells["optimizer"]]
    empty = has_empty_stage(c.of.layers, by.pp, c.head_layers)
    found = {"runtime_bytes": c.habits["runtime_bytes"], "is_empty": empty.astype(np.float64)}
    for at in positions:
        held = c.stage(at)
        whole = held.dense_parameters + held.expert_parameters
        spared = whole - held.dense_parameters / by.shard - held.expert_parameters / by.expert_shard
        found[f"weights_{at}"] = (
            weight_bytes * (whole - by.shards_weights * spared) + 2.0 * held.frozen_parameters
        )
        found[f"gradients_{at}"] = gradient_bytes * (whole - by.shards_gradients * spared)
        found[f"optimizer_{at}"] = optimizer_bytes * (whole - by.shards_states * spared)
        found[f"gathered_{at}"] = _gathered_bytes(
            by, held, gradient_bytes, c.vocab * c.shape.hidden
        )
    return found


def _gathered_bytes(by: Cut, held: Stage, gradient_bytes: Floats, table: Floats) -> Floats:
    """Weights of the block at work and the next one, and the block's gradient, before sharding."""
    block = (held.dense_parameters + held.expert_parameters) / np.maximum(held.layers, 1.0)
    largest = np.maximum(block, table * np.maximum(held.is_first, held.is_last))
    weights = 2.0 * (block + largest) * by.shards_weights
    gradients = gradient_bytes * largest * by.shards_gradients
    result: Floats = (weights + gradients) * (by.shard > 1.0)
    return result


def _kept(source: _Source, cells: dict[str, Ints], positions: tuple[int, ...]) -> dict[str, Floats]:
    """Bytes that a token leaves on each stage, of one micro-batch in flight."""
    c = _Gathered(source, cells)
    ones = np.ones(len(cells["model"]))
    by = replace(c.by, tokens=ones, micro_batch=ones)
    block = saved(c.shape, by, c.habits["unfused_frac"])
    found = {"waste": c.habits["allocator_frac"]}
    has_encoder = bool(source.widths.cells[source.widths.names.index("encoder")].any())
    regathered = _GATHERED_COPIES * c.shape.hidden * (by.wide > 1.0)
    for at in positions:
        held = c.stage(at)
        held = replace(held, in_flight_layers=held.layers)
        waiting, working = blocks(block, held, by)
        logits = c.vocab * c.habits["logit_bytes"] * c.heads_out * held.is_last
        found[f"waiting_{at}"] = waiting
        found[f"output_{at}"] = 4.0 * c.shape.hidden * held.is_last / by.wide
        if has_encoder:
            found[f"encoder_{at}"] = encoder_bytes(c.shape, by, held)
        found[f"logits_{at}"] = logits
        found[f"working_{at}"] = np.maximum(working - logits, 0.0) + regathered
    return found


def _parts(flow: Flow, parts: dict[str, Floats], position: int) -> tuple[Floats, ...]:
    """Bytes of one stage in the order of PARTS, runtime left out."""
    part = {name: parts[f"{name}_{position}"] for name in _OF_STAGE}
    waiting = in_flight_layers(flow, np.ones(1), position)
    activations = (part["waiting"] * waiting + part["output"]) * flow.tokens
    encoder = parts.get(f"encoder_{position}")
    if encoder is not None:
        activations = activations + encoder * waiting * flow.micro_batch
    logits = part["logits"] * flow.tokens
    buffers = part["working"] * flow.tokens + part["gathered"]
    waste = parts["waste"] * (activations + logits + buffers)
    held = (part["weights"], part["gradients"], part["optimizer"])
    return (*held, activations, logits, buffers + waste)
