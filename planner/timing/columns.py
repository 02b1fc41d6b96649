"""What a step needs of models, devices and stacks, as float columns ready to be gathered by row."""

from __future__ import annotations

import numpy as np

from hardware.column import Floats
from hardware.table import PRECISIONS, DeviceTable
from planner.architecture import (
    ModelTable,
    attention_layer_parameters,
    dense_mlp_layer_parameters,
    expert_layer_parameters,
    linear_layer_parameters,
    router_layer_parameters,
    shared_expert_layer_parameters,
)
from planner.stack import FamilyTable, StackTable, family_row
from planner.strategy import PRECISION_NAMES

__all__ = ["SLOW_NETWORK", "device_columns", "model_columns", "stack_columns"]

SLOW_NETWORK = 1.25e9
"""Network of a device whose sheet has none: ten-gigabit Ethernet. [byte/s]"""

_PEAKS = {
    "bf16": ("bf16", "fp16", "tf32"),
    "fp16": ("fp16", "bf16", "tf32"),
    "fp8": ("fp8", "int8", "bf16", "fp16"),
    "fp8_block": ("fp8", "int8", "bf16", "fp16"),
    "fp4": ("fp4", "fp8", "bf16", "fp16"),
}
_FRACTIONS = {
    "bf16": "matmul_frac",
    "fp16": "matmul_frac",
    "tf32": "matmul_frac",
    "fp8": "fp8_frac",
    "int8": "fp8_frac",
    "fp4": "fp4_frac",
}


def model_columns(models: ModelTable) -> dict[str, Floats]:
    """
    Shapes of models as floats, with what a step derives from the shape alone. [model]

    Notes
    -----
    MTP blocks count as layers; a model without experts has none of their widths.
    """
    names = (
        "hidden", "ffn_hidden", "heads", "kv_heads", "head_dim", "v_head_dim", "vocab", "experts",
        "top_k", "moe_ffn_hidden", "mlp_matrices", "q_lora", "kv_lora", "rope_head_dim",
        "window", "window_layers", "linear_layers", "mtp_layers", "attention_gate",
        "groups_per_token", "expert_groups", "encoder_layers", "encoder_hidden",
        "encoder_ffn_hidden", "encoder_heads", "encoder_tokens", "encoder_frozen",
    )  # fmt: skip
    columns = {name: getattr(models, name).astype(np.float64) for name in names}
    has_experts = columns["experts"] > 0
    mtp = columns["mtp_layers"]
    mtp_dense = np.where(models.mtp_dense > 0, mtp, 0.0)
    dense = np.where(has_experts, models.dense_layers + mtp_dense, models.layers + mtp)
    layers = models.layers.astype(np.float64)
    columns["blocks"] = layers + mtp
    columns["body_layers"] = np.maximum(layers, 1.0)
    columns["dense_blocks"] = dense
    columns["moe_blocks"] = columns["blocks"] - dense
    columns["softmax_blocks"] = columns["blocks"] - columns["linear_layers"]
    columns["shared_width"] = np.where(
        has_experts, models.shared_experts * models.shared_ffn_hidden, 0
    ).astype(np.float64)
    columns["heads_out"] = 1.0 + mtp
    columns["attention_parameters"] = (
        columns["softmax_blocks"] * attention_layer_parameters(models)
        + columns["linear_layers"] * linear_layer_parameters(models)
    )  # fmt: skip
    columns["dense_parameters"] = (
        columns["attention_parameters"]
        + dense * dense_mlp_layer_parameters(models)
        + columns["moe_blocks"]
        * (shared_expert_layer_parameters(models) + router_layer_parameters(models))
        + mtp * 2.0 * columns["hidden"] ** 2
    )
    columns["expert_parameters"] = (
        columns["moe_blocks"] * columns["experts"] * expert_layer_parameters(models)
    )
    columns["vocab_parameters"] = columns["vocab"] * columns["hidden"]
    columns["embeddings"] = 2.0 - models.tied_embeddings
    return columns


def device_columns(devices: DeviceTable, families: FamilyTable) -> dict[str, Floats]:
    """
    Attainable rates of devices; those of products as ``product_<type>``. [device]

    Notes
    -----
    The attainable fraction of a device's own microbenchmark comes first, that
    of its family second. A type that the device lacks falls back to a wider
    one. A device alone in its scale-up domain reaches its node over the same link.
    """
    family = np.array([family_row(families, name) for name in devices.family], dtype=np.int64)
    sustained, narrow = families.sustained_frac[family], families.narrow_frac[family]
    columns: dict[str, Floats] = {}
    for name in PRECISION_NAMES:
        rate = _product_rate(devices, families, family, name) * sustained
        columns[f"product_{name}"] = rate * (
            narrow if name.startswith("fp8") or name == "fp4" else 1
        )
    columns["product_16"] = np.maximum(columns["product_bf16"], columns["product_fp16"])
    own = devices.memory_frac
    frac = np.where(own > 0, own, families.memory_frac[family])
    columns["memory_rate"] = devices.memory_bytes_per_s * frac
    columns["up_rate"] = devices.scale_up_bytes_per_s * families.scale_up_frac[family]
    out = np.where(devices.scale_out_bytes_per_s > 0, devices.scale_out_bytes_per_s, SLOW_NETWORK)
    columns["out_rate"] = out * families.scale_out_frac[family]
    columns["domain"] = np.where(
        devices.scale_up_size > 1, devices.scale_up_size, devices.devices_per_node
    ).astype(np.float64)
    columns["up_rate"] = np.where(columns["up_rate"] > 0, columns["up_rate"], columns["out_rate"])
    columns["devices_per_node"] = np.maximum(devices.devices_per_node, 1).astype(np.float64)
    for name in ("fill_elements", "ramp_depth", "attention_frac", "attention_backward_frac"):
        columns[name] = getattr(families, name)[family]
    columns["up_latency_s"] = families.scale_up_latency_s[family]
    columns["out_latency_s"] = families.scale_out_latency_s[family]
    return columns


def _product_rate(
    devices: DeviceTable, families: FamilyTable, family: np.ndarray, name: str
) -> Floats:
    """Peak times attainable fraction of the first type of the list that a device offers."""
    rate = np.zeros(len(devices))
    for kind in reversed(_PEAKS[name]):
        at = PRECISIONS.index(kind)
        peak, own = devices.peak_flop_per_s[:, at], devices.matmul_frac[:, at]
        frac = np.where(own > 0, own, getattr(families, _FRACTIONS[kind])[family])
        rate = np.where(peak > 0, peak * frac, rate)
    return np.maximum(rate, 1.0)


def stack_columns(stacks: StackTable) -> dict[str, Floats]:
    """Constants of software stacks as floats. [stack]"""
    names = (
        "matmul_frac", "attention_materialised", "traffic_passes", "launch_s", "step_overhead_s",
        "tp_overlap_frac", "cp_overlap_frac", "ep_overlap_frac", "pp_overlap_frac",
        "dp_overlap_frac", "network_frac", "latency_factor", "attention_rate_frac", "imbalance",
        "straggler_frac", "gradient_bytes", "reduce_bytes", "gathers_each_micro_batch",
        "stages_by_cost", "crowding_s", "stall_s", "permute_passes", "grouped_frac",
    )  # fmt: skip
    return {f"stack_{name}": getattr(stacks, name).astype(np.float64) for name in names}
