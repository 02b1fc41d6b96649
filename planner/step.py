"""Step time of every layout: the one place where models, devices, stacks and layouts meet."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any

import numpy as np

from hardware.column import Floats, Ints, row_count, seal
from hardware.roofline import exposed_s, host_bound_s
from hardware.table import DeviceTable
from planner.architecture import ModelTable
from planner.flop import context_tokens, encoder_flop, matrix_parameters
from planner.stack import FamilyTable, StackTable
from planner.strategy import FULL, PRECISION_NAMES, SELECTIVE, ZERO_BUBBLE, StrategyTable
from planner.timing import block, exchange
from planner.timing.columns import device_columns, model_columns, stack_columns
from planner.timing.interval import factor_80

__all__ = ["CHUNK_ROWS", "PARTS", "StepTable", "step"]

CHUNK_ROWS = 8192
"""Rows priced at a time: the columns of a chunk stay in the second-level cache."""

PARTS = (
    "matmul_s", "attention_s", "traffic_s", "launch_s", "tp_s", "cp_s", "ep_s", "pp_s", "dp_s",
    "bubble_s", "optimizer_s", "straggler_s",
)  # fmt: skip
"""Columns that add up to the step."""

OPTIMIZER_BYTES = np.array([30.0, 22.0, 22.0, 18.0])
"""Traffic of the update an element, by optimizer: gradient, states and weights read and written."""

STALL_NODES = 64.0
"""Number of nodes to which a stack's `stall_s` refers."""

MUON = 2
MUON_PRODUCTS = 15.0
"""Products of Muon's orthogonalisation: five iterations of three (arXiv 2502.16982)."""

ZERO_BUBBLE_LEFT = 1.0 / 3.0
"""Part of the 1F1B bubble that ZB-H1 leaves (arXiv 2401.10241)."""

Columns = Any


@dataclass(frozen=True)
class StepTable:
    """
    Step time of each layout with its parts, and what follows from it. [row]

    The parts of `PARTS` add up to `step_s`; communication counts as far as
    nothing hides it. `mfu_frac` counts the model's operations (no recompute,
    causal attention as half) over the dense peak of the compute type;
    `hfu_frac` counts recompute too. The 80 % interval of the step is
    ``step_s / factor_80`` to ``step_s * factor_80``.
    """

    step_s: Floats
    matmul_s: Floats
    attention_s: Floats
    traffic_s: Floats
    launch_s: Floats
    tp_s: Floats
    cp_s: Floats
    ep_s: Floats
    pp_s: Floats
    dp_s: Floats
    bubble_s: Floats
    optimizer_s: Floats
    straggler_s: Floats
    model_flop: Floats  # the whole job, a step
    hardware_flop: Floats  # the same with recompute
    tokens_per_s: Floats  # the whole job
    mfu_frac: Floats
    hfu_frac: Floats
    factor_80: Floats

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


def step(
    models: ModelTable,
    devices: DeviceTable,
    stacks: StackTable,
    families: FamilyTable,
    rows: StrategyTable,
    *,
    chunk_rows: int = CHUNK_ROWS,
) -> StepTable:
    """
    Step time of every row, with its breakdown.

    Parameters
    ----------
    models, devices, stacks, families
        The tables that `rows` points into.
    rows : StrategyTable
        Layouts. [row]
    chunk_rows : int
        Rows priced at a time; bounds the memory of intermediate columns.

    Returns
    -------
    StepTable
        [row] times in s, operations in FLOP, rates in token/s

    Notes
    -----
    Pure: every row is priced by itself. Rows that no program would run are
    priced as well; `planner.layout` says why they do not qualify.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.
    """
    count = len(rows.model)
    result = {field.name: np.empty(count) for field in fields(StepTable)}
    sources = _Sources(models, devices, stacks, families)
    for start in range(0, count, chunk_rows):
        part = slice(start, min(start + chunk_rows, count))
        priced = _priced(sources.gather(rows, part))
        for name, column in result.items():
            column[part] = priced[name]
    return StepTable(**result)


class _Sources:
    """The tables as float matrices [column, entry], from which a chunk of rows is gathered."""

    def __init__(
        self, models: ModelTable, devices: DeviceTable, stacks: StackTable, families: FamilyTable
    ) -> None:
        shapes = model_columns(models)
        shapes["matrix_parameters"] = matrix_parameters(models)
        shapes["encoder_flop"] = encoder_flop(models)
        rates = device_columns(devices, families)
        self.products = np.stack([rates.pop(f"product_{name}") for name in PRECISION_NAMES])
        self.peaks = _peaks(devices)
        self.shapes, self.rates = _Matrix(shapes), _Matrix(rates)
        self.habits = _Matrix(stack_columns(stacks))
        self.factor = factor_80(models, devices, stacks, families)
        self.flags = {
            "any_gate": bool((models.attention_gate > 0).any()),
            "any_mla": bool((models.kv_lora > 0).any()),
            "any_experts": bool((models.experts > 0).any()),
            "any_window": bool((models.window_layers > 0).any()),
            "any_linear": bool((models.linear_layers > 0).any()),
            "any_encoder": bool((models.encoder_layers > 0).any()),
        }

    def gather(self, rows: StrategyTable, part: slice) -> SimpleNamespace:
        """All columns that pricing reads, of one chunk of rows."""
        model, device, stack = rows.model[part], rows.device[part], rows.stack[part]
        c = SimpleNamespace(**self.flags)
        for matrix, index in ((self.shapes, model), (self.rates, device), (self.habits, stack)):
            vars(c).update(matrix.gather(index))
        for name in (
            "seq_len", "global_batch", "micro_batch", "tp", "pp", "cp", "ep", "expert_tp", "dp",
            "interleave", "zero", "shard", "sequence_parallel", "recompute", "precision",
            "schedule", "optimizer",
        ):  # fmt: skip
            setattr(c, name, getattr(rows, name)[part].astype(np.float64))
        kind = rows.precision[part]
        c.product_rate = self.products[kind, device] * c.stack_matmul_frac
        c.product_16 = c.product_16 * c.stack_matmul_frac
        c.peak = self.peaks[kind, device]
        c.factor_80 = self.factor(model, device, stack, kind)
        c.is_muon = rows.optimizer[part] == MUON
        c.optimizer_bytes = OPTIMIZER_BYTES[rows.optimizer[part]]
        _derive(c)
        return c


class _Matrix:
    """Columns of a table stacked, so that one indexing gathers them all."""

    def __init__(self, columns: dict[str, Floats]) -> None:
        self.names = tuple(columns)
        self.cells = np.stack([np.asarray(column, dtype=np.float64) for column in columns.values()])

    def gather(self, index: Ints) -> dict[str, Floats]:
        cells = self.cells.take(index, axis=1)
        return dict(zip(self.names, cells, strict=True))


def _peaks(devices: DeviceTable) -> Floats:
    """Dense peak [precision, device] over which utilisation counts."""
    from hardware.table import PRECISIONS

    kinds = {"bf16": ("bf16", "fp16"), "fp16": ("fp16", "bf16"), "fp4": ("fp4", "fp8", "bf16")}
    peaks = np.ones((len(PRECISION_NAMES), len(devices.names)))
    for at, name in enumerate(PRECISION_NAMES):
        for kind in reversed(kinds.get(name, ("fp8", "int8", "bf16", "fp16"))):
            peak = devices.peak_flop_per_s[:, PRECISIONS.index(kind)]
            peaks[at] = np.where(peak > 0, peak, peaks[at])
    return peaks


def _derive(c: Any) -> None:
    """Names that the rooms of `planner.timing` read, from gathered columns."""
    for name, column in list(vars(c).items()):
        if name.startswith("stack_"):
            setattr(c, name.removeprefix("stack_"), column)
    c.out_rate = c.out_rate * c.network_frac
    c.out_latency_s = c.out_latency_s * c.latency_factor
    c.tokens = c.micro_batch * c.seq_len / c.cp
    c.is_fp8 = c.precision > 1.0
    c.is_block = c.precision > 2.0
    c.any_fp8 = bool(c.is_fp8.any())
    c.cast_bytes = np.where(c.is_block, 4.0, 3.0)
    c.any_materialised = bool((c.attention_materialised > 0).any())
    c.any_zero3 = bool((c.zero > 2).any())
    c.dense_share = (
        c.dense_parameters / (c.pp * c.tp)
        + c.vocab_parameters
        * np.minimum(c.embeddings, np.where(c.pp > 1.0, 1.0, c.embeddings))
        / c.tp
    )
    c.expert_share = c.expert_parameters / (c.pp * c.ep * c.expert_tp)
    c.body_share = c.dense_parameters / c.tp + c.expert_parameters / (c.ep * c.expert_tp)


def _priced(c: Any) -> dict[str, Floats]:
    """All columns of the answer for one chunk."""
    per = _micro_batch(c)
    count = np.maximum(np.floor(c.global_batch / (c.micro_batch * c.dp)), 1.0)
    mean_s = sum(per[name] for name in per if name != "head_s") / c.pp
    worst_s = _worst_stage_s(c, mean_s, per.pop("head_s"))
    parts = {name: column * (count / c.pp) for name, column in per.items()}
    left = np.where(c.schedule == ZERO_BUBBLE, ZERO_BUBBLE_LEFT, 1.0 / c.interleave)
    parts["bubble_s"] = count * (worst_s - mean_s) + (c.pp - 1.0) * mean_s * left
    hop = exchange.pipeline_hop_s(c)
    waits = count * c.interleave * (1.0 - c.pp_overlap_frac) + (c.pp - 1.0)
    parts["pp_s"] = 2.0 * hop * waits
    parts["dp_s"] = _data_exposed_s(c, mean_s, count)
    parts["optimizer_s"] = _optimizer_s(c)
    parts["launch_s"] = parts["launch_s"] + c.step_overhead_s
    nodes = np.maximum(c.tp * c.pp * c.cp * c.dp / c.devices_per_node, 1.0)
    busy = sum(parts.values())
    stall = c.stall_s * np.square(np.square(nodes / STALL_NODES)) * (count + c.pp - 1.0)
    parts["straggler_s"] = busy * c.straggler_frac * np.log2(nodes) + stall
    whole = sum(parts[name] for name in PARTS)
    return {"step_s": whole, **parts, **_rates(c, whole, count), "factor_80": c.factor_80}


def _micro_batch(c: Any) -> dict[str, Floats]:
    """Times of a micro-batch through the whole model, a device of each stage; and the head's."""
    products, core, moved = block.linears(c), block.attention_core(c), block.traffic_bytes(c)
    (head_forward, head_backward), loss_bytes = block.head(c)
    tensor, context, expert = _exchanged(c)
    again = (c.recompute == FULL).astype(np.float64)
    core_again = np.where(
        (c.recompute == SELECTIVE) & (c.attention_materialised > 0), 1.0, again
    )  # fmt: skip
    few = np.where(c.recompute == SELECTIVE, 0.4, again)
    head_s = head_forward + head_backward
    loss_s = loss_bytes / c.memory_rate
    matmul = products[0] * (1.0 + again) + products[1] + head_s
    attention = core[0] * (1.0 + core_again) + core[1]
    traffic = (moved[0] * (1.0 + few) + moved[1]) / c.memory_rate + loss_s
    if c.any_encoder:
        compute, copied = block.encoder(c)
        matmul = matmul + compute[0] + compute[1]
        traffic = traffic + (copied[0] + copied[1]) / c.memory_rate
    device_s = matmul + attention + traffic
    host_s = c.blocks * block.kernels(c) * (3.0 + again) * c.launch_s
    host_s = host_s + c.blocks * c.crowding_s * (c.tp - 1.0) * (c.pp > 1.0)
    lost = host_bound_s(device_s, host_s)
    window = matmul + lost
    tp_sent = tensor[0] * (1.0 + again) + tensor[1]
    tp_s = exposed_s(tp_sent, window, c.tp_overlap_frac)
    # What hides tensor-parallel traffic cannot hide dispatch as well.
    ep_s = exposed_s(expert * (2.0 + again), window - (tp_sent - tp_s), c.ep_overlap_frac)
    cp_s = exposed_s(context[0] * (1.0 + again) + context[1], attention + lost, c.cp_overlap_frac)
    return {
        "matmul_s": matmul,
        "attention_s": attention,
        "traffic_s": traffic,
        "launch_s": lost,
        "tp_s": tp_s,
        "cp_s": cp_s,
        "ep_s": ep_s,
        "head_s": head_s + loss_s,
    }


def _exchanged(c: Any) -> tuple[Any, Any, Any]:
    """Tensor, context and expert communication; nothing is computed that no row has."""
    nothing = (np.zeros_like(c.tp), np.zeros_like(c.tp))
    tensor = exchange.tensor_s(c) if (c.tp > 1.0).any() else nothing
    context = exchange.context_s(c) if (c.cp > 1.0).any() else nothing
    expert = exchange.expert_s(c) if c.any_experts and (c.ep > 1.0).any() else nothing[0]
    return tensor, context, expert


def _worst_stage_s(c: Any, mean_s: Any, head_s: Any) -> Any:
    """Time of the slowest stage a micro-batch: blocks that do not divide, or the output head."""
    body_s = mean_s * c.pp - head_s
    layer_s = body_s / c.body_layers
    stages = c.pp * c.interleave
    most = np.ceil(c.body_layers / stages) * c.interleave
    least = np.floor(c.body_layers / stages) * c.interleave
    counted = np.maximum(most * layer_s, least * layer_s + head_s)
    costed = np.ceil((c.body_layers + head_s / layer_s) / c.pp - 1e-9) * layer_s
    by_cost = np.minimum(counted, np.maximum(costed, head_s))
    worst = np.where(c.stages_by_cost > 0, by_cost, counted)
    return np.where(c.pp > 1.0, np.maximum(worst, mean_s), mean_s)


def _data_exposed_s(c: Any, mean_s: Any, count: Any) -> Any:
    """Data-parallel communication that no compute hides, a step."""
    once, each = exchange.data_s(c)
    if not c.any_zero3:
        return exposed_s(once, mean_s, c.dp_overlap_frac)
    left = np.maximum(mean_s - each, 0.0)
    gathered = count * exposed_s(each, mean_s, c.dp_overlap_frac)
    return exposed_s(once, left, c.dp_overlap_frac) + gathered


def _optimizer_s(c: Any) -> Any:
    """Update of the weights that a rank owns."""
    ranks = np.maximum(np.minimum(c.shard, c.dp * c.cp), 1.0)
    own = c.dense_share / np.where(c.zero > 0, ranks, 1.0)
    if c.any_experts:
        group = np.maximum(c.tp * c.cp * c.dp / (c.ep * c.expert_tp), 1.0)
        own = own + c.expert_share / np.where(c.zero > 0, group, 1.0)
    update = own * c.optimizer_bytes / c.memory_rate
    muon = own * 2.0 * MUON_PRODUCTS * c.hidden / c.product_16
    return update + np.where(c.is_muon, muon, 0.0)


def _rates(c: Any, whole: Any, count: Any) -> dict[str, Floats]:
    """Operations, tokens a second and utilisation of the whole job."""
    sequences = count * c.micro_batch * c.dp
    tokens = sequences * c.seq_len
    context = context_tokens(
        c.seq_len,
        softmax_layers=c.softmax_blocks,
        window_layers=c.window_layers,
        window=c.window,
    )
    scores = 2.0 * c.heads * (c.head_dim + c.v_head_dim) * context
    state = 4.0 * c.linear_layers * c.heads * c.head_dim * c.v_head_dim
    forward = 2.0 * c.matrix_parameters + scores + state
    model = tokens * 3.0 * forward + sequences * c.encoder_flop
    body = forward - 2.0 * c.vocab_parameters * c.heads_out
    again = np.where(c.recompute == FULL, body, 0.0)
    core = np.where((c.recompute == SELECTIVE) & (c.attention_materialised > 0), scores, again)
    executed = model + tokens * core
    available = c.tp * c.pp * c.cp * c.dp * c.peak * whole
    return {
        "model_flop": model,
        "hardware_flop": executed,
        "tokens_per_s": tokens / whole,
        "mfu_frac": model / available,
        "hfu_frac": executed / available,
    }
