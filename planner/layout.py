"""Every layout worth pricing for many questions at once, as one long table with a reason a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Ints, seal
from hardware.table import INFERENCE_ONLY as NO_TRAINING
from hardware.table import PRECISIONS, DeviceTable
from planner.architecture import ModelTable
from planner.stack import StackTable
from planner.strategy import (
    BATCH_INDIVISIBLE,
    BF16,
    CROSSES_SCALE_UP,
    FITS,
    FP4,
    FP8,
    FP8_BLOCK,
    FP16,
    INDIVISIBLE_EXPERTS,
    INDIVISIBLE_HEADS,
    INDIVISIBLE_LAYERS,
    INDIVISIBLE_SEQUENCE,
    INFERENCE_ONLY,
    INTERLEAVED,
    ONE_F_ONE_B,
    TYPE_NOT_OFFERED,
    StrategyTable,
)

__all__ = ["BATCH_TOLERANCE_FRAC", "QuestionTable", "layouts", "peak_column"]

BATCH_TOLERANCE_FRAC = 0.125
"""How far the global batch may be moved to become a multiple of dp * micro_batch."""

_TP = (1, 2, 4, 8, 16)
_PP = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64)
_CP = (1, 2, 4, 8, 16, 32)
_EP = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256)
_MICRO_BATCH = (1, 2, 4, 8, 16)
_INTERLEAVE = (1, 2, 4, 8)
_RECOMPUTE = (0, 1, 2)
_CHUNK_TOKENS = 2_048
"""Tokens of a sequence below which context parallelism leaves a rank too little work."""
_MICRO_BATCH_TOKENS = 65_536
"""Tokens of a micro-batch on a rank above which products no longer get faster."""
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
        Lay training out on devices that run inference only.

    Returns
    -------
    (StrategyTable, ndarray, ndarray)
        The layouts, the question that each belongs to, and a reason code. A
        row is rejected as early as its first columns allow; the later columns
        then hold ones. [row]

    Notes
    -----
    The requested batch is moved to the nearest multiple of
    ``dp * micro_batch`` and the row is rejected when that is more than
    12.5 % away. Stages may be uneven as long as no more than a quarter of the
    pipeline's slots stay empty. Odd factors of the number of devices end up
    in `dp`. Sequence parallelism goes with tensor parallelism. Micro-batches
    above 64 Ki tokens a rank, and context-parallel chunks under 2 Ki tokens,
    are not enumerated. ZeRO stage 3 is tried without a pipeline, or where the
    stack shards weights anyway, over all ranks and inside the scale-up domain.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.
    """
    rows = _Rows(questions)
    _gate(rows, devices, questions, what_if_training)
    _tensor(rows, models, devices)
    _pipeline(rows, models)
    _context(rows)
    _experts(rows, models)
    _batch(rows)
    _interleave(rows, models)
    _zero(rows, devices, stacks)
    rows.expand("recompute", _RECOMPUTE)
    return rows.table()


class _Rows:
    """Rows under construction: those alive, and those rejected so far with their reason."""

    def __init__(self, questions: QuestionTable) -> None:
        count = len(questions.model)
        ones = np.ones(count, dtype=np.int64)
        self.alive: dict[str, Ints] = {
            "question": np.arange(count),
            **{name: getattr(questions, name) for name in QuestionTable.__dataclass_fields__},
            **{
                name: ones
                for name in (
                    "micro_batch",
                    "tp",
                    "pp",
                    "cp",
                    "ep",
                    "expert_tp",
                    "dp",
                    "interleave",
                    "shard",
                )
            },  # fmt: skip
            **{name: 0 * ones for name in ("zero", "recompute")},
        }
        self.rejected: list[dict[str, Ints]] = []

    def __getitem__(self, name: str) -> Ints:
        return self.alive[name]

    def expand(self, name: str, options: tuple[int, ...]) -> None:
        """Every alive row once for each option of a column."""
        count = len(self.alive["question"])
        each = len(options)
        self.alive = {key: np.repeat(column, each) for key, column in self.alive.items()}
        self.alive[name] = np.tile(np.array(options, dtype=np.int64), count)

    def keep(self, mask: Bools) -> None:
        """Drop rows that are no layout of the question at all."""
        if not mask.all():
            self.alive = {key: column[mask] for key, column in self.alive.items()}

    def reject(self, mask: Bools, reason: int) -> None:
        """Set rows aside with a reason."""
        if mask.any():
            gone = {key: column[mask] for key, column in self.alive.items()}
            gone["reason"] = np.full(int(mask.sum()), reason, dtype=np.int64)
            self.rejected.append(gone)
            self.alive = {key: column[~mask] for key, column in self.alive.items()}

    def table(self) -> tuple[StrategyTable, Ints, Ints]:
        """All rows, by question, alive before rejected."""
        alive = {**self.alive, "reason": np.full(len(self["question"]), FITS, dtype=np.int64)}
        joined = {
            key: np.concatenate([alive[key], *(part[key] for part in self.rejected)])
            for key in alive
        }
        question, reason = joined.pop("question"), joined.pop("reason")
        del joined["size"]
        joined["sequence_parallel"] = (joined["tp"] > 1).astype(np.int64)
        joined["schedule"] = np.where(joined["interleave"] > 1, INTERLEAVED, ONE_F_ONE_B)
        return StrategyTable(**joined), question, reason


def _gate(
    rows: _Rows, devices: DeviceTable, questions: QuestionTable, what_if_training: bool
) -> None:
    if not what_if_training:
        rows.reject(devices.training[rows["device"]] == NO_TRAINING, INFERENCE_ONLY)
    peak = devices.peak_flop_per_s[rows["device"], peak_column(rows["precision"])]
    rows.reject(peak <= 0, TYPE_NOT_OFFERED)


def _tensor(rows: _Rows, models: ModelTable, devices: DeviceTable) -> None:
    rows.expand("tp", _TP)
    rows.keep(rows["size"] % rows["tp"] == 0)
    pick, tp = rows["model"], rows["tp"]
    widths = (models.heads, models.hidden, models.ffn_hidden)
    uneven = np.any([width[pick] % tp != 0 for width in widths], axis=0)
    kv = models.kv_heads[pick]
    rows.reject(uneven | ((kv % tp != 0) & (tp % np.maximum(kv, 1) != 0)), INDIVISIBLE_HEADS)
    reach = np.maximum(devices.scale_up_size, devices.devices_per_node)
    rows.reject(rows["tp"] > reach[rows["device"]], CROSSES_SCALE_UP)


def _pipeline(rows: _Rows, models: ModelTable) -> None:
    rows.expand("pp", _PP)
    rows.keep((rows["size"] // rows["tp"]) % rows["pp"] == 0)
    layers = models.layers[rows["model"]]
    slots = -(-layers // rows["pp"]) * rows["pp"]
    rows.reject((rows["pp"] > layers) | (slots > (1 + _UNEVEN_FRAC) * layers), INDIVISIBLE_LAYERS)


def _context(rows: _Rows) -> None:
    rows.expand("cp", _CP)
    left = rows["size"] // (rows["tp"] * rows["pp"])
    short = rows["seq_len"] < _CHUNK_TOKENS * rows["cp"]
    rows.keep((left % rows["cp"] == 0) & (~short | (rows["cp"] == 1)))
    rows.reject((rows["cp"] > 1) & (rows["seq_len"] % (2 * rows["cp"]) != 0), INDIVISIBLE_SEQUENCE)
    rows.alive["dp"] = rows["size"] // (rows["tp"] * rows["pp"] * rows["cp"])
    rows.reject(rows["dp"] > (1 + BATCH_TOLERANCE_FRAC) * rows["global_batch"], BATCH_INDIVISIBLE)


def _experts(rows: _Rows, models: ModelTable) -> None:
    rows.expand("ep", _EP)
    experts = models.experts[rows["model"]]
    ranks = rows["tp"] * rows["cp"] * rows["dp"]
    rows.keep((rows["ep"] == 1) | ((rows["ep"] <= experts) & (ranks % rows["ep"] == 0)))
    experts = models.experts[rows["model"]]
    rows.reject((rows["ep"] > 1) & (experts % rows["ep"] != 0), INDIVISIBLE_EXPERTS)
    rows.expand("expert_tp", (0, 1))
    ranks = rows["tp"] * rows["cp"] * rows["dp"]
    experts = models.experts[rows["model"]]
    cut = rows["expert_tp"] == 1
    rows.alive["expert_tp"] = np.where(cut, rows["tp"], 1)
    spare = ranks // rows["ep"]
    rows.keep(~cut | ((rows["tp"] > 1) & (experts > 0) & (spare % rows["tp"] == 0)))
    width = models.moe_ffn_hidden[rows["model"]]
    rows.reject(width % rows["expert_tp"] != 0, INDIVISIBLE_HEADS)


def _batch(rows: _Rows) -> None:
    rows.expand("micro_batch", _MICRO_BATCH)
    tokens = rows["micro_batch"] * rows["seq_len"] // rows["cp"]
    rows.keep((rows["micro_batch"] == 1) | (tokens <= _MICRO_BATCH_TOKENS))
    slot = rows["micro_batch"] * rows["dp"]
    wanted = rows["global_batch"]
    batches = np.maximum((2 * wanted + slot) // (2 * slot), 1)
    moved = np.abs(batches * slot - wanted) > BATCH_TOLERANCE_FRAC * wanted
    rows.alive["global_batch"] = np.where(moved, wanted, batches * slot)
    rows.reject(moved, BATCH_INDIVISIBLE)


def _interleave(rows: _Rows, models: ModelTable) -> None:
    rows.expand("interleave", _INTERLEAVE)
    batches = rows["global_batch"] // (rows["micro_batch"] * rows["dp"])
    woven = rows["interleave"] > 1
    chunks = rows["pp"] * rows["interleave"]
    layers = models.layers[rows["model"]]
    slots = -(-layers // chunks) * chunks
    room = (chunks <= layers) & (slots <= (1 + _UNEVEN_FRAC) * layers)
    rows.keep(~woven | ((rows["pp"] > 1) & (batches >= rows["pp"]) & room))


def _zero(rows: _Rows, devices: DeviceTable, stacks: StackTable) -> None:
    rows.expand("zero", (1, 3, 4))
    ranks = rows["dp"] * rows["cp"]
    domain = devices.scale_up_size[rows["device"]] // rows["tp"]
    hybrid = rows["zero"] == 4
    weights = rows["zero"] >= 3
    always = stacks.zero[rows["stack"]] == 3
    allowed = np.where(weights, (ranks > 1) & ((rows["pp"] == 1) | always), ~always | (ranks == 1))
    inside = (domain > 1) & (domain < ranks) & (ranks % np.maximum(domain, 1) == 0)
    rows.alive["shard"] = np.where(hybrid, domain, ranks)
    rows.alive["zero"] = np.minimum(rows["zero"], 3)
    rows.keep(allowed & (~hybrid | inside))
