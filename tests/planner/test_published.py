"""Rows as published: the rule for missing cells is one rule, and never reads what it must not."""

from __future__ import annotations

from typing import Any

import pytest

import hardware
from planner.measured import (
    NO_ARCHITECTURE,
    NO_LAYOUT,
    READ,
    TYPE_NOT_OFFERED,
    UNKNOWN_DEVICE,
    UNKNOWN_TYPE,
    read_measurements,
    tokens_per_s_per_device,
)
from planner.published import architecture, layout, network_bytes_per_s, precision_code
from planner.stack import load_constants

STACKS, _ = load_constants()
HABITS: dict[str, int] = {"zero": 1, "recompute": 0, "sequence_parallel": 1, "chunk_layers": 0}


def row(**cells: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "id": "a", "source": "b", "stack": "megatron-core", "model": "Llama", "layers": 32,
        "hidden": 4096, "ffn_hidden": 14336, "heads": 32, "kv_heads": 8, "vocab": 128256,
        "seq_len": 8192, "mlp_kind": "swiglu", "precision": "bf16",
        "accelerator": "h100_sxm5_80gb", "n_devices": 64, "tp": 2, "pp": 4, "dp": 8,
        "micro_batch": 1, "global_batch_seqs": 128, "metric": "tokens_per_s_per_device",
        "value": 9000, "complete": "yes",
    }  # fmt: skip
    given.update(cells)
    return {key: "" if cell is None else str(cell) for key, cell in given.items()}


def test_head_size_follows_from_hidden_and_heads() -> None:
    shape = architecture(row())
    assert shape["head_dim"] == 128
    assert architecture(row(head_dim=64))["head_dim"] == 64


def test_shape_that_is_not_stated_is_empty() -> None:
    assert architecture(row(layers=None)) == {}
    assert architecture(row(ffn_hidden=None)) == {}


def test_tied_embeddings_follow_the_stated_size() -> None:
    assert architecture(row(params_total_b=8.03))["tied_embeddings"] == 0
    assert architecture(row(params_total_b=7.5))["tied_embeddings"] == 1


def test_latent_attention_follows_the_stated_size() -> None:
    cells = {
        "layers": 61, "hidden": 7168, "ffn_hidden": 18432, "heads": 128, "kv_heads": 128,
        "head_dim": 128, "vocab": 129280, "experts": 256, "top_k": 8, "moe_ffn_hidden": 2048,
        "shared_experts": 1, "dense_layers": 3, "params_total_b": 671,
    }  # fmt: skip
    assert architecture(row(**cells))["kv_lora"] == 512
    assert "kv_lora" not in architecture(row(**{**cells, "params_total_b": 690}))
    assert "kv_lora" not in architecture(row(**{**cells, "params_total_b": None}))


def test_dense_layers_follow_the_stated_size() -> None:
    cells = {
        "layers": 48, "hidden": 5120, "ffn_hidden": 16384, "heads": 40, "experts": 128,
        "top_k": 1, "moe_ffn_hidden": 8192, "shared_experts": 1, "vocab": 202048,
        "params_total_b": 400,
    }  # fmt: skip
    assert architecture(row(**cells))["dense_layers"] == 24
    assert architecture(row(**{**cells, "dense_layers": 0}))["dense_layers"] == 0


def test_window_of_a_published_pattern_is_known_by_name() -> None:
    shape = architecture(row(model="gpt-oss-120b", layers=36))
    assert (shape["window_layers"], shape["window"]) == (18, 128)


@pytest.mark.parametrize(
    ("precision", "detail", "code"),
    [("bf16", "", 0), ("fp16", "fp16", 1), ("fp8", "fp8_cs", 2), ("fp8", "fp8 blockwise", 3),
     ("mxfp8", "", 3), ("nvfp4", "", 4), ("int8", "", 2)],
)  # fmt: skip
def test_precision(precision: str, detail: str, code: int) -> None:
    assert precision_code({"precision": precision, "precision_detail": detail}) == code


@pytest.mark.parametrize(("precision", "is_known"), [
    ("", True), ("bf16", True), ("FP8", True), ("fp8-block", True), ("bfloat16", True),
    ("nvfp4", True), ("fp6", False), ("fp32", False), ("fast", False),
])  # fmt: skip
def test_a_compute_type_that_nobody_reads_is_a_reason(precision: str, is_known: bool) -> None:
    (reason,) = read_measurements(
        [row(precision=precision, accelerator="b200_sxm_180gb")], STACKS
    ).measured.reason
    assert reason == (READ if is_known else UNKNOWN_TYPE)


@pytest.mark.parametrize(
    ("note", "rate"),
    [("1600 Gbps node-node RoCE", 25e9), ("4x HDR200 InfiniBand per node (800 Gb/s)", 12.5e9),
     ("4 x 100 Gb/s RoCE per node", 6.25e9), ("Jean Zay, Omni-Path", 0.0), ("", 0.0)],
)  # fmt: skip
def test_network_of_a_node_is_read_from_its_note(note: str, rate: float) -> None:
    assert network_bytes_per_s(row(scaleout_note=note, devices_per_node=8)) == rate


def test_data_parallel_is_what_the_devices_leave() -> None:
    got = layout(row(dp=None), **HABITS)
    assert (got["tp"], got["pp"], got["dp"], got["shard"]) == (2, 4, 8, 8)


def test_cores_of_a_device_are_folded_into_tensor_parallel() -> None:
    got = layout(row(tp=32, pp=1, dp=4, n_devices=64), **HABITS)
    assert (got["tp"], got["dp"]) == (16, 4)


def test_replicas_under_zero_3_are_hybrid_sharding() -> None:
    got = layout(
        row(tp=1, pp=1, dp=4, zero_stage=3, micro_batch=None, global_batch_seqs=256), **HABITS
    )
    assert (got["dp"], got["shard"], got["micro_batch"]) == (64, 16, 4)


def test_batch_smaller_than_the_replicas_is_cut_along_the_sequence() -> None:
    got = layout(row(tp=1, pp=1, dp=None, cp=None, global_batch_seqs=16), **HABITS)
    assert (got["dp"], got["cp"]) == (16, 4)


def test_open_micro_batch_is_one_in_a_pipeline_and_eight_thousand_tokens_outside() -> None:
    assert layout(row(micro_batch=None), **HABITS)["micro_batch"] == 1
    got = layout(row(micro_batch=None, pp=1, dp=32, seq_len=2048), **HABITS)
    assert got["micro_batch"] == 4


def test_layout_that_does_not_fit_is_empty() -> None:
    assert layout(row(n_devices=None), **HABITS) == {}
    assert layout(row(tp=3), **HABITS) == {}


def test_stack_fills_what_a_row_leaves_open() -> None:
    got = layout(row(), **{**HABITS, "zero": 3, "recompute": 2, "chunk_layers": 4})
    assert (got["zero"], got["recompute"], got["interleave"], got["schedule"]) == (3, 2, 2, 1)
    said = layout(row(zero_stage=0, recompute="none", vpp=1), **{**HABITS, "zero": 3})
    assert (said["zero"], said["recompute"], said["interleave"]) == (0, 0, 1)


def test_reasons() -> None:
    lines = [
        row(),
        row(layers=None),
        row(tp=3),
        row(accelerator="abacus"),
        row(accelerator="v100_sxm2_32gb", precision="fp8"),
    ]
    read = read_measurements(lines, STACKS)
    assert read.measured.reason.tolist() == [
        READ, NO_ARCHITECTURE, NO_LAYOUT, UNKNOWN_DEVICE, TYPE_NOT_OFFERED,
    ]  # fmt: skip
    assert read.measured.row.tolist() == [0, -1, -1, -1, -1]
    assert len(read.rows.model) == 1


def test_identity_of_a_row_changes_nothing() -> None:
    lines = [row(), row(id="z", source="another", other="tied_embeddings=yes;tp=8")]
    read = read_measurements(lines, STACKS)
    for name in ("model", "device", "stack", "tp", "micro_batch", "recompute"):
        column = getattr(read.rows, name)
        assert column[0] == column[1]


def test_no_row_gives_empty_tables() -> None:
    read = read_measurements([row(accelerator="abacus")], STACKS)
    assert len(read.rows.model) == 0 == len(read.models.names)


def test_step_time_and_rate_of_operations_become_tokens() -> None:
    lines = [
        row(),
        row(metric="step_time_s", value=128 * 8192 / 64 / 9000),
        row(metric="model_tflops_per_device", value=1000, flops_convention="causal-halved"),
        row(metric="model_tflops_per_device", value=1000, flops_convention="NOT halved"),
        row(metric="mfu", value=0.5, flops_convention="causal-halved"),
        row(metric="seconds of fame", value=1),
        row(value=None),
    ]
    read = read_measurements(lines, STACKS)
    got = tokens_per_s_per_device(read.measured, read.rows)
    assert got[0] == got[1] == pytest.approx(9000)
    assert got[2] > got[3] > 0
    peak = float(hardware.load("h100_sxm5_80gb").peak_flop_per_s[0, 2])
    assert got[4] == pytest.approx(got[2] * 0.5 * peak / 1e15)
    assert got[5] == got[6] == 0.0
    halved = 6 * (
        32 * (4096 * 128 * 80 + 3 * 4096 * 14336) + 32 * 8192 * 32 * 256 / 2 + 4096 * 128256
    )
    assert got[2] == pytest.approx(1e15 / halved, rel=1e-3)
