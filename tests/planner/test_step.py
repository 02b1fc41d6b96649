"""Step time: parts add up, faster hardware is never slower, layouts behave as published."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hardware
from hardware.column import take
from planner.architecture import ModelTable, model_table
from planner.flop import model_flop_per_token
from planner.stack import load_constants, stack_row
from planner.step import PARTS, StepTable, step
from planner.strategy import (
    BF16,
    FP8,
    FULL,
    INTERLEAVED,
    NONE,
    ONE_F_ONE_B,
    SELECTIVE,
    ZERO_BUBBLE,
    StrategyTable,
)

STACKS, FAMILIES = load_constants()
DEVICES = hardware.load("h100_sxm5_80gb", "a100_sxm4_80gb", "gb200_nvl72", "tpu_v5p")
COLUMNS = tuple(field.name for field in dataclasses.fields(StrategyTable))


def models() -> ModelTable:
    return model_table(
        ("dense 7B", "experts", "latent", "window and linear", "with encoder"),
        layers=[32, 32, 16, 24, 32],
        hidden=[4096, 4096, 7168, 2880, 4096],
        ffn_hidden=[11008, 14336, 18432, 8192, 14336],
        heads=[32, 32, 128, 64, 32],
        kv_heads=[32, 8, 128, 8, 8],
        head_dim=[128, 128, 192, 64, 128],
        v_head_dim=[128, 128, 128, 64, 128],
        vocab=[32000, 32000, 129280, 201088, 128256],
        experts=[0, 8, 256, 0, 0],
        top_k=[0, 2, 8, 0, 0],
        moe_ffn_hidden=[0, 14336, 2048, 0, 0],
        shared_experts=[0, 0, 1, 0, 0],
        dense_layers=[32, 0, 3, 24, 32],
        q_lora=[0, 0, 1536, 0, 0],
        kv_lora=[0, 0, 512, 0, 0],
        rope_head_dim=[0, 0, 64, 0, 0],
        mtp_layers=[0, 0, 1, 0, 0],
        window=[0, 0, 0, 128, 0],
        window_layers=[0, 0, 0, 12, 0],
        linear_layers=[0, 0, 0, 6, 0],
        encoder_layers=[0, 0, 0, 0, 24],
        encoder_hidden=[0, 0, 0, 0, 1024],
        encoder_ffn_hidden=[0, 0, 0, 0, 4096],
        encoder_heads=[0, 0, 0, 0, 16],
        encoder_tokens=[0, 0, 0, 0, 576],
    )


MODELS = models()


def layout(**given: Any) -> StrategyTable:
    """One row, or as many as the longest column; the rest as a small run has them."""
    row: dict[str, Any] = {
        "model": 0, "device": 0, "stack": stack_row(STACKS, "megatron-core"), "seq_len": 4096,
        "global_batch": 256, "micro_batch": 1, "tp": 1, "pp": 1, "cp": 1, "ep": 1, "expert_tp": 1,
        "dp": 8, "interleave": 1, "zero": 1, "shard": 0, "sequence_parallel": 0,
        "recompute": NONE, "precision": BF16, "schedule": ONE_F_ONE_B, "optimizer": 0,
    }  # fmt: skip
    row.update(given)
    if "shard" not in given:
        row["shard"] = np.asarray(row["dp"]) * np.asarray(row["cp"])
    count = max(np.size(cell) for cell in row.values())
    return StrategyTable(
        **{
            name: np.broadcast_to(np.asarray(row[name], dtype=np.int64), (count,)).copy()
            for name in COLUMNS
        }
    )


def priced(
    rows: StrategyTable, devices: Any = DEVICES, stacks: Any = STACKS, **more: Any
) -> StepTable:
    return step(MODELS, devices, stacks, FAMILIES, rows, **more)


def one(part: str = "step_s", **given: Any) -> float:
    return float(getattr(priced(layout(**given)), part)[0])


@st.composite
def layouts(draw: Any) -> StrategyTable:
    """Any layout of any model on any device and stack, sensible or not."""
    power = st.sampled_from([1, 2, 4, 8])
    model = draw(st.integers(0, 4))
    experts = int(MODELS.experts[model]) > 0
    tp, pp, cp, dp = draw(power), draw(power), draw(power), draw(st.sampled_from([1, 2, 8, 64]))
    return layout(
        model=model,
        device=draw(st.integers(0, 3)),
        stack=draw(st.integers(0, len(STACKS) - 1)),
        seq_len=draw(st.sampled_from([512, 4096, 131072])),
        micro_batch=draw(power),
        global_batch=dp * 64,
        tp=tp,
        pp=pp,
        cp=cp,
        dp=dp,
        ep=draw(st.sampled_from([1, min(8, dp * cp)])) if experts else 1,
        interleave=draw(st.sampled_from([1, 2])) if pp > 1 else 1,
        zero=draw(st.integers(0, 3)),
        sequence_parallel=draw(st.integers(0, 1)),
        recompute=draw(st.integers(0, 2)),
        precision=draw(st.integers(0, 4)),
        schedule=draw(st.integers(0, 2)),
        optimizer=draw(st.integers(0, 3)),
    )


@settings(max_examples=150, deadline=None)
@given(layouts())
def test_parts_add_up_and_none_is_negative(rows: StrategyTable) -> None:
    table = priced(rows)
    whole = sum(float(getattr(table, part)[0]) for part in PARTS)
    assert whole == pytest.approx(float(table.step_s[0]), rel=1e-12)
    assert all(float(getattr(table, part)[0]) >= -1e-12 for part in PARTS)
    assert 0.0 < float(table.mfu_frac[0]) <= float(table.hfu_frac[0]) < 1.0
    assert float(table.factor_80[0]) > 1.0


@settings(max_examples=60, deadline=None)
@given(
    layouts(),
    st.sampled_from(["memory_bytes_per_s", "scale_up_bytes_per_s", "scale_out_bytes_per_s",
                     "peak_flop_per_s"]),
)  # fmt: skip
def test_faster_hardware_is_never_slower(rows: StrategyTable, name: str) -> None:
    faster = dataclasses.replace(DEVICES, **{name: 1.5 * getattr(DEVICES, name)})
    slow, fast = priced(rows).step_s, priced(rows, devices=faster).step_s
    assert float(fast[0]) <= float(slow[0]) * (1 + 1e-9)


def test_permuting_rows_permutes_results() -> None:
    rows = layout(
        model=[0, 1, 2, 3, 4, 0], tp=[1, 2, 4, 8, 1, 2], dp=[8, 4, 8, 1, 8, 4],
        ep=[1, 2, 8, 1, 1, 1], precision=[0, 2, 3, 0, 1, 4],
    )  # fmt: skip
    order = np.array([4, 2, 0, 5, 1, 3])
    straight, turned = priced(rows), priced(take(rows, order))
    for field in dataclasses.fields(StepTable):
        expected = getattr(straight, field.name)[order]
        np.testing.assert_allclose(getattr(turned, field.name), expected, rtol=1e-12)


def test_chunks_do_not_change_results() -> None:
    rows = layout(model=np.arange(50) % 5, tp=2 ** (np.arange(50) % 4), dp=8)
    np.testing.assert_allclose(priced(rows, chunk_rows=7).step_s, priced(rows).step_s, rtol=1e-12)


def test_no_rows_give_no_results() -> None:
    assert len(priced(take(layout(), np.zeros(0, dtype=np.int64)))) == 0


def test_pipeline_of_one_has_no_bubble_and_sends_nothing() -> None:
    assert one("bubble_s") == 0.0
    assert one("pp_s") == 0.0
    assert one("tp_s") == 0.0
    assert one("ep_s") == 0.0


def test_bubble_follows_the_schedule() -> None:
    given: dict[str, Any] = {"pp": 8, "dp": 1, "global_batch": 32}
    plain = one("bubble_s", **given)
    woven = one("bubble_s", interleave=4, schedule=INTERLEAVED, **given)
    zero = one("bubble_s", schedule=ZERO_BUBBLE, **given)
    more = one("bubble_s", **{**given, "global_batch": 320}) / 10
    assert woven < zero < plain
    assert more < plain


def test_bubble_of_even_stages_is_the_known_fraction() -> None:
    """Without a head, p - 1 of m + p - 1 slots are idle; the head adds to the last stage."""
    small = dataclasses.replace(MODELS, vocab=np.ones(5, dtype=np.int64))
    table = step(small, DEVICES, STACKS, FAMILIES, layout(pp=4, dp=1, global_batch=12))
    work = sum(float(getattr(table, part)[0]) for part in ("matmul_s", "attention_s", "traffic_s"))
    assert float(table.bubble_s[0]) / work == pytest.approx(3 / 12, rel=0.1)


def test_uneven_stages_cost_the_fullest() -> None:
    even = one("bubble_s", pp=8, dp=1)
    uneven = one("bubble_s", pp=6, dp=1)
    assert uneven > even


def test_recompute_adds_a_forward_pass() -> None:
    none, full = one("matmul_s"), one("matmul_s", recompute=FULL)
    assert none * 1.25 < full < none * 1.4
    assert one("hfu_frac", recompute=FULL) > one("mfu_frac", recompute=FULL)
    assert one("hfu_frac") == pytest.approx(one("mfu_frac"))


def test_selective_recompute_lies_between() -> None:
    given: dict[str, Any] = {"stack": stack_row(STACKS, "megatron-2022"), "tp": 8, "dp": 1}
    steps = [one(recompute=mode, **given) for mode in (NONE, SELECTIVE, FULL)]
    assert steps[0] < steps[1] < steps[2]


def test_fp8_is_faster_but_not_twice() -> None:
    """Attention and the head stay in 16 bits, and casts cost traffic."""
    wide, narrow = one(micro_batch=2), one(micro_batch=2, precision=FP8)
    assert 1.05 < wide / narrow < 1.9
    assert one("traffic_s", micro_batch=2, precision=FP8) > one("traffic_s", micro_batch=2)


def test_sequence_parallel_saves_traffic() -> None:
    given: dict[str, Any] = {"tp": 8, "dp": 1}
    with_it = one("traffic_s", sequence_parallel=1, **given)
    assert with_it < one("traffic_s", sequence_parallel=0, **given)


def test_tensor_parallel_across_nodes_is_much_slower() -> None:
    inside, across = one("tp_s", tp=8, dp=4), one("tp_s", tp=16, dp=2)
    assert across > 3 * inside


def test_rack_scale_domain_keeps_experts_inside() -> None:
    given: dict[str, Any] = {"model": 2, "dp": 64, "ep": 64, "global_batch": 4096}
    assert one("ep_s", device=2, **given) < 0.2 * one("ep_s", device=0, **given)


def test_zero_3_gathers_each_micro_batch() -> None:
    fsdp = stack_row(STACKS, "fsdp")
    few = one("dp_s", stack=fsdp, zero=3, dp=64, micro_batch=1, global_batch=64)
    many = one("dp_s", stack=fsdp, zero=3, dp=64, micro_batch=1, global_batch=640)
    assert many > 5 * few > 0.0


def test_hybrid_sharding_gathers_within_a_node() -> None:
    given: dict[str, Any] = {"stack": stack_row(STACKS, "fsdp"), "zero": 3, "dp": 256}
    whole = one("dp_s", global_batch=2560, **given)
    hybrid = one("dp_s", global_batch=2560, shard=8, **given)
    assert hybrid < whole


def test_optimizer_is_cut_by_zero() -> None:
    assert one("optimizer_s", zero=1, dp=64) < 0.1 * one("optimizer_s", zero=0, dp=64)


def test_encoder_costs_and_frozen_costs_less() -> None:
    plain = dataclasses.replace(MODELS, encoder_layers=np.zeros(5, dtype=np.int64))
    frozen = dataclasses.replace(MODELS, encoder_frozen=np.ones(5, dtype=np.int64))
    rows = layout(model=4)
    times = [
        float(step(table, DEVICES, STACKS, FAMILIES, rows).step_s[0])
        for table in (plain, frozen, MODELS)
    ]
    assert times[0] < times[1] < times[2]


def test_window_and_linear_layers_save_attention_at_length() -> None:
    full = dataclasses.replace(
        MODELS,
        window_layers=np.zeros(5, dtype=np.int64),
        linear_layers=np.zeros(5, dtype=np.int64),
    )
    rows = layout(model=3, seq_len=65536, dp=1, cp=1)
    less = float(priced(rows).attention_s[0])
    more = float(step(full, DEVICES, STACKS, FAMILIES, rows).attention_s[0])
    assert less < 0.6 * more


def test_model_flop_is_that_of_the_convention() -> None:
    rows = layout(model=[0, 1, 2, 3], dp=8)
    table = priced(rows)
    tokens = rows.global_batch * rows.seq_len
    expected = model_flop_per_token(take(MODELS, slice(0, 4)), 4096.0) * tokens
    np.testing.assert_allclose(table.model_flop, expected, rtol=1e-9)


def test_flop_of_a_dense_model_is_six_a_weight_and_half_the_square() -> None:
    one_layer = model_table(
        ("tiny",), layers=2, hidden=64, heads=4, ffn_hidden=128, vocab=100, mlp_matrices=2
    )
    weights = 2 * (4 * 64 * 64 + 2 * 64 * 128) + 100 * 64
    attention = 2 * 4 * 64 * 32 / 2 * 3
    assert model_flop_per_token(one_layer, 32)[0] == pytest.approx(6 * weights + attention)


def test_stragglers_grow_with_the_job() -> None:
    share = [
        one("straggler_s", dp=dp, global_batch=dp * 8) / one(dp=dp, global_batch=dp * 8)
        for dp in (8, 64, 512)
    ]
    assert share[0] == 0.0
    assert 0.0 < share[1] < share[2] < 0.1


def test_unknown_stack_and_family_widen_the_interval() -> None:
    known, unknown = one("factor_80"), one("factor_80", stack=0)
    assert unknown > known
    other = dataclasses.replace(DEVICES, family=("somebody-new",) * 4)
    strange = float(priced(layout(), devices=other).factor_80[0])
    assert strange > known


def test_golden_breakdown() -> None:
    """GPT-3 175B on 64 A100, the seventh row of Korthikanti et al. table 5: 13.75 s published."""
    gpt = model_table(
        ("gpt-3",), layers=96, hidden=12288, heads=96, ffn_hidden=49152, vocab=51200,
        mlp_matrices=2, tied_embeddings=1,
    )  # fmt: skip
    rows = layout(
        device=1, stack=stack_row(STACKS, "megatron-2022"), seq_len=2048, global_batch=64, tp=8,
        pp=8, dp=1, interleave=3, zero=0, sequence_parallel=1, recompute=SELECTIVE, precision=1,
        schedule=INTERLEAVED,
    )  # fmt: skip
    table = step(gpt, DEVICES, STACKS, FAMILIES, rows)
    share = {part: float(getattr(table, part)[0] / table.step_s[0]) for part in PARTS}
    assert float(table.step_s[0]) == pytest.approx(13.75, rel=0.05)
    assert 0.62 < share["matmul_s"] < 0.78
    assert 0.03 < share["attention_s"] < 0.12
    assert 0.02 < share["tp_s"] < 0.12
    assert 0.02 < share["bubble_s"] < 0.08
    assert share["dp_s"] == share["cp_s"] == share["ep_s"] == 0.0
