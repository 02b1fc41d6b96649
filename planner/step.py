"""Step time of every layout: the one place where models, devices, stacks and layouts meet."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any

import numpy as np

from hardware.column import Floats, Ints, row_count, seal, to_columns
from hardware.roofline import exposed_s, host_bound_s
from hardware.table import DeviceTable
from planner.architecture import ModelTable
from planner.flop import context_tokens
from planner.repeats import PIECE_ROWS, Matrix, distinct, in_pieces
from planner.stack import FamilyTable, StackTable
from planner.strategy import FULL, SELECTIVE, ZERO_BUBBLE, StrategyTable
from planner.timing import block, exchange
from planner.timing.gather import BLOCK, KEPT, ROW, SHARE, Sources

__all__ = ["CHUNK_ROWS", "PARTS", "StepTable", "step"]

CHUNK_ROWS = 131_072
"""Rows among which repeats are looked for: more find more of them, and take more memory."""

PARTS = (
    "matmul_s", "attention_s", "traffic_s", "launch_s", "tp_s", "cp_s", "ep_s", "pp_s", "dp_s",
    "bubble_s", "optimizer_s", "straggler_s",
)  # fmt: skip
"""Columns that add up to the step."""

STALL_NODES = 64.0
"""Number of nodes to which a stack's `stall_s` refers."""

MUON_PRODUCTS = 15.0
"""Products of Muon's orthogonalisation: five iterations of three (arXiv 2502.16982)."""

ZERO_BUBBLE_LEFT = 1.0 / 3.0
"""Part of the 1F1B bubble that ZB-H1 leaves (arXiv 2401.10241)."""

_FLOP = ("forward_flop", "again_flop")


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
    sources, columns = Sources(models, devices, stacks, families), to_columns(rows)
    for start in range(0, count, chunk_rows):
        part = slice(start, min(start + chunk_rows, count))
        _fill(
            {name: column[part] for name, column in result.items()},
            sources,
            {name: column[part] for name, column in columns.items()},
        )
    return StepTable(**result)


def _fill(result: dict[str, Floats], sources: Sources, rows: dict[str, Ints]) -> None:
    """Price the rows of one chunk; what rows have in common is priced once."""
    pipelined = (rows["pp"] > 1).astype(np.int64)
    blocks, of_blocks = distinct(
        {**{name: rows[name] for name in BLOCK}, "is_pipelined": pipelined}
    )
    shares, of_shares = distinct({name: rows[name] for name in SHARE})
    per = Matrix(in_pieces(lambda some: _blocks(sources.blocks(some)), blocks))
    once = Matrix(in_pieces(lambda some: _shares(sources.shares(some)), shares))
    for start in range(0, len(pipelined), PIECE_ROWS):
        piece = slice(start, start + PIECE_ROWS)
        c = SimpleNamespace(**{name: rows[name][piece].astype(np.float64) for name in ROW})
        here = per.gather(of_blocks[piece])
        vars(c).update({name: here.pop(name) for name in (*KEPT, *_FLOP)})
        for name, column in _steps(c, here, once.gather(of_shares[piece])).items():
            result[name][piece] = column


def _blocks(c: Any) -> dict[str, Floats]:
    """What a row has in common with all others of the same blocks: times, operations, rates."""
    kept = {name: getattr(c, name) for name in KEPT}
    return {**_micro_batch(c), **_token_flop(c), **kept}


def _shares(c: Any) -> dict[str, Floats]:
    """What follows from the weights that a rank holds: gradients exchanged, weights updated."""
    step_s, batch_s = exchange.data_s(c)
    return {"step_s": step_s, "batch_s": batch_s, "optimizer_s": _optimizer_s(c)}


def _steps(c: Any, per: dict[str, Floats], once: dict[str, Floats]) -> dict[str, Floats]:
    """A step of every row from its micro-batch and from what happens once."""
    count = np.maximum(np.floor(c.global_batch / (c.micro_batch * c.dp)), 1.0)
    mean_s = sum(per[name] for name in per if name != "head_s") / c.pp
    worst_s = _worst_stage_s(c, mean_s, per.pop("head_s"))
    parts = {name: column * (count / c.pp) for name, column in per.items()}
    left = np.where(c.schedule == ZERO_BUBBLE, ZERO_BUBBLE_LEFT, 1.0 / c.interleave)
    parts["bubble_s"] = count * (worst_s - mean_s) + (c.pp - 1.0) * mean_s * left
    hop = exchange.pipeline_hop_s(c)
    waits = count * c.interleave * (1.0 - c.pp_overlap_frac) + (c.pp - 1.0)
    parts["pp_s"] = 2.0 * hop * waits
    parts["dp_s"] = _data_exposed_s(c, once, worst_s, count)
    parts["optimizer_s"] = once["optimizer_s"]
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
    host_s = host_s + c.blocks * c.crowding_s * (c.tp - 1.0) * c.is_pipelined
    lost = host_bound_s(device_s - head_s - loss_s, host_s)
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


def _balanced_s(c: Any, layer_s: Any, head_s: Any) -> Any:
    """Slowest stage when the last one holds as many blocks beside the head as is best."""
    others = np.maximum(c.pp - 1.0, 1.0)
    ideal = np.floor((c.body_layers - others * head_s / layer_s) / c.pp)
    best = np.inf
    for more in (0.0, 1.0, 2.0):
        last = np.clip(ideal + more, 0.0, c.body_layers)
        rest = np.ceil((c.body_layers - last) / others)
        best = np.minimum(best, np.maximum(last * layer_s + head_s, rest * layer_s))
    return best


def _worst_stage_s(c: Any, mean_s: Any, head_s: Any) -> Any:
    """Time of the slowest stage a micro-batch: blocks that do not divide, or the output head."""
    body_s = mean_s * c.pp - head_s
    layer_s = body_s / c.body_layers
    stages = c.pp * c.interleave
    most = np.ceil(c.body_layers / stages) * c.interleave
    least = np.floor(c.body_layers / stages) * c.interleave
    counted = np.maximum(most * layer_s, least * layer_s + head_s)
    by_cost = np.minimum(counted, _balanced_s(c, layer_s, head_s))
    worst = np.where(c.stages_by_cost > 0, by_cost, counted)
    return np.where(c.pp > 1.0, np.maximum(worst, mean_s), mean_s)


def _data_exposed_s(c: Any, once: dict[str, Floats], slot_s: Any, count: Any) -> Any:
    """Data-parallel communication that the slot of a micro-batch does not hide, a step."""
    step_s, batch_s = once["step_s"], once["batch_s"]
    if not batch_s.any():
        return exposed_s(step_s, slot_s, c.dp_overlap_frac)
    left = np.maximum(slot_s - batch_s, 0.0)
    gathered = count * exposed_s(batch_s, slot_s, c.dp_overlap_frac)
    return exposed_s(step_s, left, c.dp_overlap_frac) + gathered


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


def _token_flop(c: Any) -> dict[str, Floats]:
    """Operations a token: of the model forward, and what recomputation adds."""
    context = context_tokens(
        c.seq_len,
        softmax_layers=c.softmax_blocks,
        window_layers=c.window_layers,
        window=c.window,
    )
    scores = 2.0 * c.heads * (c.head_dim + c.v_head_dim) * context
    state = 4.0 * c.linear_layers * c.heads * c.head_dim * c.v_head_dim
    forward = 2.0 * c.matrix_parameters + scores + state
    body = forward - 2.0 * c.vocab_parameters * c.heads_out
    again = np.where(c.recompute == FULL, body, 0.0)
    core = np.where((c.recompute == SELECTIVE) & (c.attention_materialised > 0), scores, again)
    return {"forward_flop": forward, "again_flop": core}


def _rates(c: Any, whole: Any, count: Any) -> dict[str, Floats]:
    """Operations, tokens a second and utilisation of the whole job."""
    sequences = count * c.micro_batch * c.dp
    tokens = sequences * c.seq_len
    model = tokens * 3.0 * c.forward_flop + sequences * c.encoder_flop
    executed = model + tokens * c.again_flop
    available = c.tp * c.pp * c.cp * c.dp * c.peak * whole
    return {
        "model_flop": model,
        "hardware_flop": executed,
        "tokens_per_s": tokens / whole,
        "mfu_frac": model / available,
        "hfu_frac": executed / available,
    }
