"""Every layout worth pricing for many questions at once, as one long table with a reason a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hardware.column import Bools, Ints, seal
from hardware.table import PRECISIONS, TRAINS, DeviceTable
from planner.architecture import ModelTable
from planner.memory import memory
from planner.stack import StackTable
from planner.strategy import (
    BATCH_INDIVISIBLE,
    BF16,
    CROSSES_SCALE_UP,
    EXCEEDS_MEMORY,
    FITS,
    FP4,
    FP8,
    FP8_BLOCK,
    FP16,
    FULL,
    INDIVISIBLE_EXPERTS,
    INDIVISIBLE_HEADS,
    INDIVISIBLE_LAYERS,
    INDIVISIBLE_SEQUENCE,
    INFERENCE_ONLY,
    INTERLEAVED,
    ONE_F_ONE_B,
    SELECTIVE,
    TYPE_NOT_OFFERED,
    StrategyTable,
)

__all__ = [
    "BATCH_TOLERANCE_FRAC",
    "LAYOUT_COLUMNS",
    "NOTHING_FIXED",
    "QuestionTable",
    "layouts",
    "peak_column",
]

LAYOUT_COLUMNS = (
    "tp", "pp", "cp", "ep", "expert_tp", "dp", "micro_batch", "interleave", "zero", "shard",
    "sequence_parallel", "recompute", "schedule",
)  # fmt: skip
NOTHING_FIXED: Mapping[str, int] = MappingProxyType({})

BATCH_TOLERANCE_FRAC = 0.125
"""How far the global batch may be moved to become a multiple of dp * micro_batch."""

_TP = (1, 2, 4, 8, 16)
_PP = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64)
_CP = (1, 2, 4, 8, 16, 32)
_EP = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256)
_MICRO_BATCH = (1, 2, 4, 8, 16)
_INTERLEAVE = (1, 2, 4, 8)
_RECOMPUTE = (0, 1, 2)
_CHUNK_TOKENS = 4_096
"""Tokens of a sequence below which context parallelism leaves a rank too little work."""
_MICRO_BATCH_TOKENS = 32_768
"""Tokens of a micro-batch on a rank above which products no longer get faster."""
_COARSE_EXPERTS = 16
"""Experts a layer up to which one is wide enough to be cut by tensor parallelism."""
_UNEVEN_FRAC = 0.25
"""Slots of a pipeline that may stay empty when its stages do not divide the layers."""


@dataclass(frozen=True)
class QuestionTable:
    """What is asked: a model, devices of one type and number, a batch; int64 columns. [question]"""

    model: Ints  # row in ModelTable
    device: Ints  # row in DeviceTable
    stack: Ints  # row in StackTable
    seq_len: Ints  # tokens
    global_batch: Ints  # sequences a step
    size: Ints  # devices
    precision: Ints  # code of planner.strategy
    optimizer: Ints  # code of planner.strategy

    def __post_init__(self) -> None:
        seal(self)


def peak_column(precision: Ints) -> Ints:
    """Column of `peak_flop_per_s` that a compute type runs at. [row]"""
    column = np.zeros(5, dtype=np.int64)
    for code, name in ((BF16, "bf16"), (FP16, "fp16"), (FP8, "fp8"), (FP8_BLOCK, "fp8"),
                       (FP4, "fp4")):  # fmt: skip
        column[code] = PRECISIONS.index(name)
    result: Ints = column[precision]
    return result


def layouts(
    models: ModelTable,
    devices: DeviceTable,
    stacks: StackTable,
    questions: QuestionTable,
    *,
    what_if_training: bool = False,
    fixed: Mapping[str, int] = NOTHING_FIXED,
) -> tuple[StrategyTable, Ints, Ints]:
    """
    Candidate layouts of every question.

    Parameters
    ----------
    models, devices, stacks
        Tables whose row numbers stand in `questions`.
    questions : QuestionTable
        [question]
    what_if_training : bool
        Lay training out on devices on which no training has been shown.
    fixed : mapping of str to int
        Columns of `LAYOUT_COLUMNS` that every layout must have as given.

    Returns
    -------
    (StrategyTable, ndarray, ndarray)
        The layouts, the question that each belongs to, and a reason code. A
        row is rejected as early as its first columns allow; the later columns
        then hold ones. What exceeds memory whatever the later columns is one
        row of EXCEEDS_MEMORY; rows that stand may still exceed it. [row]

    Notes
    -----
    The requested batch is moved to the nearest multiple of
    ``dp * micro_batch`` and the row is rejected when that is more than
    12.5 % away. Stages may be uneven as long as no more than a quarter of the
    pipeline's slots stay empty. Odd factors of the number of devices end up
    in `dp`. Sequence parallelism goes with tensor parallelism. Micro-batches
    above 32 Ki tokens a rank, context-parallel chunks under 4 Ki tokens, and
    tensor parallelism inside experts of more than 16 are not enumerated. ZeRO
    stage 3 is tried without a pipeline, or where the stack shards weights
    anyway, over all ranks and inside the scale-up domain.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.
    """
    rows = _start(questions)
    rejected: list[Columns] = []
    _gate(rows, rejected, devices, what_if_training)
    _tensor(rows, rejected, models, devices, _options(fixed, "tp", _TP))
    _pipeline(rows, rejected, models, _options(fixed, "pp", _PP))
    _context(rows, rejected, fixed)
    _experts(rows, rejected, models, fixed)
    _zero(rows, devices, stacks, fixed)
    _lightest(rows, rejected, models, devices, stacks, fixed)
    _batch(rows, rejected, _options(fixed, "micro_batch", _MICRO_BATCH))
    _interleave(rows, models, _options(fixed, "interleave", _INTERLEAVE))
    _expand(rows, "recompute", _options(fixed, "recompute", _RECOMPUTE))
    return _table(rows, rejected, fixed)


def _options(fixed: Mapping[str, int], name: str, usual: tuple[int, ...]) -> tuple[int, ...]:
    """The one value that is asked for, else the usual ones."""
    return (fixed[name],) if name in fixed else usual


Columns = dict[str, Ints]


def _start(questions: QuestionTable) -> Columns:
    """One undecided row a question."""
    ones = np.ones(len(questions.model), dtype=np.int64)
    undecided = ("micro_batch", "tp", "pp", "cp", "ep", "expert_tp", "dp", "interleave", "shard")
    return {
        "question": np.arange(len(ones)),
        **{name: getattr(questions, name) for name in QuestionTable.__dataclass_fields__},
        **{name: ones for name in undecided},
        "zero": 0 * ones,
        "recompute": 0 * ones,
    }


def _expand(rows: Columns, name: str, options: tuple[int, ...]) -> None:
    """Every row once for each option of a column."""
    count = len(rows["question"])
    for key, column in rows.items():
        rows[key] = np.repeat(column, len(options))
    rows[name] = np.tile(np.array(options, dtype=np.int64), count)


def _keep(rows: Columns, mask: Bools) -> None:
    """Drop rows that are no layout of the question at all."""
    if not mask.all():
        for key, column in rows.items():
            rows[key] = column[mask]


def _reject(rows: Columns, rejected: list[Columns], mask: Bools, reason: int) -> None:
    """Set rows aside with a reason."""
    if mask.any():
        gone = {key: column[mask] for key, column in rows.items()}
        rejected.append({**gone, "reason": np.full(int(mask.sum()), reason, dtype=np.int64)})
        _keep(rows, ~mask)


def _table(
    rows: Columns, rejected: list[Columns], fixed: Mapping[str, int]
) -> tuple[StrategyTable, Ints, Ints]:
    """All rows, those still standing before those rejected."""
    standing = {**rows, "reason": np.full(len(rows["question"]), FITS, dtype=np.int64)}
    joined = {
        key: np.concatenate([standing[key], *(part[key] for part in rejected)]) for key in standing
    }
    question, reason = joined.pop("question"), joined.pop("reason")
    del joined["size"]
    joined["sequence_parallel"] = (joined["tp"] > 1) * np.int64(fixed.get("sequence_parallel", 1))
    plain = np.int64(fixed.get("schedule", ONE_F_ONE_B))
    joined["schedule"] = np.where(joined["interleave"] > 1, INTERLEAVED, plain)
    return StrategyTable(**joined), question, reason


def _gate(
    rows: Columns, rejected: list[Columns], devices: DeviceTable, what_if_training: bool
) -> None:
    if not what_if_training:
        _reject(rows, rejected, devices.training[rows["device"]] != TRAINS, INFERENCE_ONLY)
    peak = devices.peak_flop_per_s[rows["device"], peak_column(rows["precision"])]
    _reject(rows, rejected, peak <= 0, TYPE_NOT_OFFERED)


def _tensor(
    rows: Columns,
    rejected: list[Columns],
    models: ModelTable,
    devices: DeviceTable,
    options: tuple[int, ...],
) -> None:
    _expand(rows, "tp", options)
    _keep(rows, rows["size"] % rows["tp"] == 0)
    pick, tp = rows["model"], rows["tp"]
    widths = (models.heads, models.hidden, models.ffn_hidden)
    uneven = np.any([width[pick] % tp != 0 for width in widths], axis=0)
    kv = models.kv_heads[pick]
    _reject(
        rows, rejected, uneven | ((kv % tp != 0) & (tp % np.maximum(kv, 1) != 0)), INDIVISIBLE_HEADS
    )
    reach = np.maximum(devices.scale_up_size, devices.devices_per_node)
    _reject(rows, rejected, rows["tp"] > reach[rows["device"]], CROSSES_SCALE_UP)


def _pipeline(
    rows: Columns, rejected: list[Columns], models: ModelTable, options: tuple[int, ...]
) -> None:
    _expand(rows, "pp", options)
    _keep(rows, (rows["size"] // rows["tp"]) % rows["pp"] == 0)
    layers = models.layers[rows["model"]]
    slots = -(-layers // rows["pp"]) * rows["pp"]
    _reject(
        rows,
        rejected,
        (rows["pp"] > layers) | (slots > (1 + _UNEVEN_FRAC) * layers),
        INDIVISIBLE_LAYERS,
    )


def _context(rows: Columns, rejected: list[Columns], fixed: Mapping[str, int]) -> None:
    _expand(rows, "cp", _options(fixed, "cp", _CP))
    left = rows["size"] // (rows["tp"] * rows["pp"])
    short = rows["seq_len"] < _CHUNK_TOKENS * rows["cp"]
    _keep(rows, (left % rows["cp"] == 0) & (~short | (rows["cp"] == fixed.get("cp", 1))))
    _reject(
        rows,
        rejected,
        (rows["cp"] > 1) & (rows["seq_len"] % (2 * rows["cp"]) != 0),
        INDIVISIBLE_SEQUENCE,
    )
    rows["dp"] = rows["size"] // (rows["tp"] * rows["pp"] * rows["cp"])
    if "dp" in fixed:
        _keep(rows, rows["dp"] == fixed["dp"])
    _reject(
        rows,
        rejected,
        rows["dp"] > (1 + BATCH_TOLERANCE_FRAC) * rows["global_batch"],
        BATCH_INDIVISIBLE,
    )


def _experts(
    rows: Columns, rejected: list[Columns], models: ModelTable, fixed: Mapping[str, int]
) -> None:
    _expand(rows, "ep", _options(fixed, "ep", _EP))
    experts = models.experts[rows["model"]]
    ranks = rows["tp"] * rows["cp"] * rows["dp"]
    _keep(rows, (rows["ep"] == 1) | ((rows["ep"] <= experts) & (ranks % rows["ep"] == 0)))
    experts = models.experts[rows["model"]]
    _reject(rows, rejected, (rows["ep"] > 1) & (experts % rows["ep"] != 0), INDIVISIBLE_EXPERTS)
    if "expert_tp" in fixed:
        rows["expert_tp"] = np.full(len(rows["tp"]), fixed["expert_tp"], dtype=np.int64)
        spare = rows["tp"] * rows["cp"] * rows["dp"] // rows["ep"]
        _keep(rows, spare % rows["expert_tp"] == 0)
        return
    _expand(rows, "expert_tp", (0, 1))
    ranks = rows["tp"] * rows["cp"] * rows["dp"]
    experts = models.experts[rows["model"]]
    cut = rows["expert_tp"] == 1
    rows["expert_tp"] = np.where(cut, rows["tp"], 1)
    spare = ranks // rows["ep"]
    coarse = (experts > 0) & (experts <= _COARSE_EXPERTS)
    _keep(rows, ~cut | ((rows["tp"] > 1) & coarse & (spare % rows["tp"] == 0)))
    width = models.moe_ffn_hidden[rows["model"]]
    _reject(rows, rejected, width % rows["expert_tp"] != 0, INDIVISIBLE_HEADS)


def _lightest(
    rows: Columns,
    rejected: list[Columns],
    models: ModelTable,
    devices: DeviceTable,
    stacks: StackTable,
    fixed: Mapping[str, int],
) -> None:
    """Reject what exceeds memory even with the smallest micro-batch and all recomputation."""
    smallest = np.full(len(rows["dp"]), fixed.get("micro_batch", 1), dtype=np.int64)
    least = np.floor((1.0 - BATCH_TOLERANCE_FRAC) * rows["global_batch"]).astype(np.int64)
    light = {**rows, "micro_batch": smallest, "global_batch": np.maximum(least, rows["dp"])}
    room = np.zeros(len(smallest), dtype=np.bool_)
    for mode in _options(fixed, "recompute", (FULL, SELECTIVE)):
        light["recompute"] = np.full(len(smallest), mode, dtype=np.int64)
        room |= memory(models, devices, stacks, _table(light, [], fixed)[0]).fits
    rows["recompute"] = light["recompute"]
    _reject(rows, rejected, ~room, EXCEEDS_MEMORY)


def _batch(rows: Columns, rejected: list[Columns], options: tuple[int, ...]) -> None:
    _expand(rows, "micro_batch", options)
    tokens = rows["micro_batch"] * rows["seq_len"] // rows["cp"]
    _keep(rows, (rows["micro_batch"] == options[0]) | (tokens <= _MICRO_BATCH_TOKENS))
    slot = rows["micro_batch"] * rows["dp"]
    wanted = rows["global_batch"]
    batches = np.maximum((2 * wanted + slot) // (2 * slot), 1)
    moved = np.abs(batches * slot - wanted) > BATCH_TOLERANCE_FRAC * wanted
    rows["global_batch"] = np.where(moved, wanted, batches * slot)
    _reject(rows, rejected, moved, BATCH_INDIVISIBLE)


def _interleave(rows: Columns, models: ModelTable, options: tuple[int, ...]) -> None:
    _expand(rows, "interleave", options)
    batches = rows["global_batch"] // (rows["micro_batch"] * rows["dp"])
    woven = rows["interleave"] > 1
    chunks = rows["pp"] * rows["interleave"]
    layers = models.layers[rows["model"]]
    slots = -(-layers // chunks) * chunks
    room = (chunks <= layers) & (slots <= (1 + _UNEVEN_FRAC) * layers)
    _keep(rows, ~woven | ((rows["pp"] > 1) & (batches >= rows["pp"]) & room))


def _zero(
    rows: Columns, devices: DeviceTable, stacks: StackTable, fixed: Mapping[str, int]
) -> None:
    if "zero" in fixed:
        rows["zero"] = np.full(len(rows["dp"]), fixed["zero"], dtype=np.int64)
        rows["shard"] = np.minimum(rows["dp"] * rows["cp"], fixed.get("shard", 2**40))
        return
    _expand(rows, "zero", (1, 3, 4))
    ranks = rows["dp"] * rows["cp"]
    domain = devices.scale_up_size[rows["device"]] // rows["tp"]
    hybrid = rows["zero"] == 4
    weights = rows["zero"] >= 3
    always = stacks.zero[rows["stack"]] == 3
    allowed = np.where(weights, (ranks > 1) & ((rows["pp"] == 1) | always), ~always | (ranks == 1))
    inside = (domain > 1) & (domain < ranks) & (ranks % np.maximum(domain, 1) == 0)
    rows["shard"] = np.where(hybrid, domain, ranks)
    rows["zero"] = np.minimum(rows["zero"], 3)
    allowed = allowed & (~hybrid | inside)
    if "shard" in fixed:
        allowed = allowed & (rows["shard"] == fixed["shard"])
    _keep(rows, allowed)
