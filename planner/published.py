"""What one published row says: its architecture, its layout, and its metric as tokens a second."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "VOCABULARY",
    "architecture",
    "is_known_precision",
    "layout",
    "network_bytes_per_s",
    "number",
    "precision_code",
]

VOCABULARY = 51200
"""Vocabulary of a row that states none: GPT-2's, padded as Megatron pads it."""

TOKENS_A_MICRO_BATCH = 8192
"""Tokens in a micro-batch of a row that states neither micro-batch nor pipeline."""

Row = Mapping[str, str]

# Attention patterns of published architectures, which rows have no column for: part of the layers
# that see a window (0 = all see everything) and the window; part of the layers without softmax
# attention; 2 where the published layers are mixers and MLPs in turn, so that two make a block;
# heads of a mixer over those that are published.
# From the model cards.
_PATTERNS: tuple[tuple[str, float, int, float, int, int], ...] = (
    (r"gpt-?oss", 1 / 2, 128, 0.0, 1, 1),
    (r"gemma-?[34]", 5 / 6, 1024, 0.0, 1, 1),
    (r"llama-?\s?4", 3 / 4, 8192, 0.0, 1, 1),
    (r"qwen3-?\s?next", 0.0, 0, 3 / 4, 1, 1),
    (r"k-?exaone", 3 / 4, 128, 0.0, 1, 1),
    (r"nemotron-?h", 0.0, 0, 5 / 6, 2, 2),
    (r"nemotron.?3", 0.0, 0, 4 / 5, 2, 1),
)
_LATENT = MappingProxyType(
    {"q_lora": 1536, "kv_lora": 512, "rope_head_dim": 64, "head_dim": 192, "v_head_dim": 128}
)


def number(row: Row, key: str) -> float:
    """The cell as a number; 0 where it is empty, absent or no number."""
    try:
        value = float(row.get(key) or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def architecture(row: Row) -> dict[str, int]:
    """
    The columns of a model that a row states or implies; empty when the shape is not stated.

    Notes
    -----
    Missing cells: kv_heads = heads; head_dim = hidden / heads; vocab =
    `VOCABULARY`; dense_layers = 0 with experts, all layers without. Tied
    embeddings and latent attention (with the ranks that every published model
    of that kind uses) are taken where they bring the parameter count nearer
    to `params_total_b`; so is a dense MLP in every second layer where
    `dense_layers` is open. Sliding windows and linear-attention layers have no
    column; published patterns are known by the model's name.
    """
    cells = {
        key: int(number(row, key))
        for key in ("layers", "hidden", "heads", "ffn_hidden", "experts", "moe_ffn_hidden")
    }
    if not (cells["layers"] and cells["hidden"] and cells["heads"]):
        return {}
    if not (cells["ffn_hidden"] or cells["moe_ffn_hidden"]):
        return {}
    experts = cells["experts"]
    shape = {
        **cells,
        "kv_heads": int(number(row, "kv_heads")) or cells["heads"],
        "head_dim": int(number(row, "head_dim")) or cells["hidden"] // cells["heads"],
        "vocab": int(number(row, "vocab")) or VOCABULARY,
        "top_k": int(number(row, "top_k")) or (2 if experts else 0),
        "shared_experts": int(number(row, "shared_experts")),
        "dense_layers": int(number(row, "dense_layers")) if experts else cells["layers"],
        "mlp_matrices": 2 if row.get("mlp_kind") in ("gelu", "squared_relu", "relu") else 3,
    }
    shape["v_head_dim"] = shape["head_dim"]
    if experts and not cells["ffn_hidden"]:
        shape["ffn_hidden"] = cells["moe_ffn_hidden"]
    if experts and not cells["moe_ffn_hidden"]:
        shape["moe_ffn_hidden"] = cells["ffn_hidden"]
    shape["shared_ffn_hidden"] = shape["moe_ffn_hidden"]
    shape["mtp_layers"] = 1 if "mtp" in row.get("model", "").lower() else 0
    shape.update(_pattern(row.get("model", ""), cells["layers"], cells["heads"]))
    if not experts:
        shape["dense_layers"] = shape["layers"]
    is_open = bool(experts) and not row.get("dense_layers")
    return _nearest(shape, number(row, "params_total_b") * 1e9, is_open)


def _pattern(name: str, layers: int, heads: int) -> dict[str, int]:
    for pattern, windowed, window, linear, halves, wide in _PATTERNS:
        if re.search(pattern, name.lower()):
            blocks = layers // halves
            return {
                "layers": blocks,
                "heads": heads * wide,
                "window_layers": int(blocks * windowed),
                "window": window,
                "linear_layers": int(blocks * linear),
            }
    return {}


def _nearest(shape: dict[str, int], stated: float, is_open: bool) -> dict[str, int]:
    """The variant (tied or not, latent attention or not, half dense) nearest to the stated size."""
    plain = {**shape, "tied_embeddings": 1 if shape["mlp_matrices"] == 2 else 0}
    if not stated:
        return plain
    variants = [{**shape, "tied_embeddings": 0}, {**shape, "tied_embeddings": 1}]
    if shape["experts"] >= 16 and shape["kv_heads"] == shape["heads"]:
        variants += [{**variant, **_LATENT} for variant in variants]
    if is_open:
        half = {"dense_layers": shape["layers"] // 2}
        variants += [{**variant, **half} for variant in variants]
    return min(variants, key=lambda variant: abs(_size(variant) - stated))


def _size(shape: Mapping[str, int]) -> float:
    """Parameters, to choose between variants."""
    hidden, heads, wide = shape["hidden"], shape["heads"], shape["head_dim"]
    attention = hidden * wide * (2 * heads + 2 * shape["kv_heads"])
    if shape.get("kv_lora"):
        low, kv = shape["q_lora"], shape["kv_lora"]
        attention = low * (hidden + heads * wide) + hidden * (kv + shape["rope_head_dim"])
        attention += kv * heads * (wide - shape["rope_head_dim"] + shape["v_head_dim"])
        attention += heads * shape["v_head_dim"] * hidden
    matrices = shape["mlp_matrices"] * hidden
    sparse = float(shape["experts"] * shape["moe_ffn_hidden"])
    sparse += shape["shared_experts"] * shape["shared_ffn_hidden"] + shape["experts"] / matrices
    dense = shape["dense_layers"] * shape["ffn_hidden"]
    mlp = matrices * (dense + (shape["layers"] - shape["dense_layers"]) * sparse)
    return (
        shape["layers"] * attention + mlp + shape["vocab"] * hidden * (2 - shape["tied_embeddings"])
    )


def precision_code(row: Row) -> int:
    """
    Compute type of a row as `planner.strategy` numbers them.

    Notes
    -----
    ``int8`` runs on the unit that fp8 shares on the devices that offer both,
    and counts as fp8.
    """
    kind = row.get("precision", "").strip().lower()
    detail = row.get("precision_detail", "").lower()
    if kind.startswith(("nvfp4", "mxfp4", "fp4")):
        return 4
    if kind.startswith("mxfp8") or "block" in detail or "mxfp8" in detail:
        return 3
    if kind.startswith(("fp8", "float8", "int8")):
        return 2
    return 1 if kind.startswith(("fp16", "float16")) else 0


def is_known_precision(row: Row) -> bool:
    """Whether the compute type of a row is one that is read; an empty one counts as bf16."""
    kind = row.get("precision", "").strip().lower()
    known = ("bf16", "bfloat16", "fp16", "float16", "fp8", "float8", "int8", "mxfp8", "nvfp4",
             "mxfp4", "fp4")  # fmt: skip
    return not kind or kind.startswith(known)


def network_bytes_per_s(row: Row) -> float:
    """
    Network bandwidth of a device, one direction, if the row states that of its node; else 0.

    Notes
    -----
    Reads ``N x M Gb/s`` or ``M Gbps`` in `scaleout_note` as that of a node.
    """
    found = re.findall(r"(?:(\d+)\s*x\s*)?\b(\d+)\s*Gb(?:ps|/s|it/s)", row.get("scaleout_note", ""))
    devices = number(row, "devices_per_node") or 8.0
    if not found:
        return 0.0
    times, rate = found[-1]
    return (int(times) if times else 1) * int(rate) * 1e9 / 8 / devices


def layout(
    row: Row, *, zero: int, recompute: int, sequence_parallel: int, chunk_layers: int
) -> dict[str, int]:
    """
    The layout of a row; what it leaves open is filled by the stack's habits.

    Parameters
    ----------
    row : mapping
        Cells of the row.
    zero, recompute, sequence_parallel, chunk_layers : int
        What the stack does when the row does not say; `chunk_layers` is how many
        layers of a pipeline chunk it interleaves at most, 0 that it does not.

    Returns
    -------
    dict
        Columns of `StrategyTable` but for the three tables' row numbers and
        `precision`; empty when devices or batch are not stated, or the layout
        does not fit into the devices.

    Notes
    -----
    One rule for every row. Sizes that are empty are 1. Where
    ``tp * pp * cp * dp`` is a multiple k of the devices, tp counts the cores of
    a device and is divided by k. dp is what the devices leave; under ZeRO-3 a
    stated dp below that counts replicas, each of which shards. A batch
    smaller than dp is cut along the sequence where cp is open, and over tp
    within a node and then pp where those are. micro_batch: 1 in a pipeline,
    all of a replica's batch under ZeRO-3, else the largest divisor of it
    within `TOKENS_A_MICRO_BATCH`. Recompute ``custom`` counts as none where
    its detail says minimal, else as full. Experts are cut by tp too when one
    is at least 4,096 wide after the cut. Where ep is open, tp cuts them, or
    without it the greatest common divisor of experts, replicas and 64; none
    under ZeRO-3, which shards them.
    """
    size = int(number(row, "n_devices"))
    stated = {key: int(number(row, key)) for key in ("tp", "pp", "cp", "dp", "ep", "vpp")}
    tp, pp, cp = (max(stated[key], 1) for key in ("tp", "pp", "cp"))
    given = tp * pp * cp * max(stated["dp"], 1)
    if not size:
        return {}
    if given > size and given % size == 0 and tp % (given // size) == 0:
        tp //= given // size
    if size % (tp * pp * cp):
        return {}
    dp = size // (tp * pp * cp)
    stage = number(row, "zero_stage")
    zero = int(stage) if row.get("zero_stage") not in (None, "") else zero
    replicas = stated["dp"] if zero == 3 and 0 < stated["dp"] < dp else 1
    batch, micro = int(number(row, "global_batch_seqs")), int(number(row, "micro_batch"))
    batch = batch or dp * max(micro, 1) * (8 if pp == 1 else 4 * pp)
    if batch < dp and dp % batch == 0:
        extra, dp = dp // batch, batch
        if not stated["cp"]:
            cp *= extra
        elif not stated["tp"]:
            tp = min(extra, 8)
            pp *= extra // tp
        else:
            pp *= extra
    local = max(batch // dp, 1)
    micro = micro or _micro_batch(local, number(row, "seq_len") / cp, pp, zero)
    micro = min(micro, local)
    custom = 0 if "minimal" in row.get("recompute_detail", "") else 2
    modes = {"none": 0, "selective": 1, "full": 2, "custom": custom}
    parallel = {"yes": 1, "no": 0}.get(row.get("sequence_parallel", ""), sequence_parallel)
    ep, expert_tp = _expert_layout(row, stated["ep"], tp, cp * dp, zero)
    interleave = stated["vpp"] or _interleave(int(number(row, "layers")), pp, chunk_layers)
    interleave = interleave if pp > 1 else 1
    return {
        "seq_len": int(number(row, "seq_len")),
        "global_batch": batch,
        "micro_batch": micro,
        "tp": tp,
        "pp": pp,
        "cp": cp,
        "ep": ep,
        "expert_tp": expert_tp,
        "dp": dp,
        "interleave": interleave,
        "zero": zero,
        "shard": max(dp * cp // replicas, 1),
        "sequence_parallel": parallel if tp > 1 else 0,
        "recompute": modes.get(row.get("recompute", ""), recompute),
        "schedule": 1 if interleave > 1 else 0,
        "optimizer": 0,
    }


def _expert_layout(row: Row, stated: int, tp: int, replicas: int, zero: int) -> tuple[int, int]:
    """Expert parallel size, and by how much tp cuts one expert."""
    experts = int(number(row, "experts"))
    if not experts:
        return 1, 1
    if not stated and zero < 3:
        return (1, tp) if tp > 1 else (math.gcd(experts, replicas, 64), 1)
    ep = max(stated, 1)
    wide = number(row, "moe_ffn_hidden") or number(row, "ffn_hidden")
    return ep, tp if wide / tp >= 4096 and replicas % ep == 0 else 1


def _interleave(layers: int, pp: int, chunk_layers: int) -> int:
    """Chunks a stage of a row that states none."""
    if pp == 1 or not chunk_layers or layers % pp:
        return 1
    here = layers // pp
    return next(
        (
            count
            for count in range(1, here + 1)
            if here % count == 0 and here / count <= chunk_layers
        ),
        1,
    )


def _micro_batch(local: int, tokens: float, pp: int, zero: int) -> int:
    """Micro-batch of a row that states none."""
    if pp > 1:
        return 1
    if zero == 3:
        return local
    fitting = [
        size
        for size in range(1, local + 1)
        if local % size == 0 and size * tokens <= TOKENS_A_MICRO_BATCH
    ]
    return max(fitting, default=1)
