"""Rules that a model shape must hold: each broken alone, and none broken by a sound shape."""

from __future__ import annotations

import pytest

from planner.shape import completed, field_of, shape_faults

DENSE = {"layers": 4, "hidden": 64, "heads": 8, "vocab": 100, "ffn_hidden": 256}
SPARSE = {**DENSE, "experts": 8, "top_k": 2, "moe_ffn_hidden": 32}
LATENT = {**DENSE, "head_dim": 24, "v_head_dim": 16, "kv_lora": 32, "rope_head_dim": 8}
SEEING = {
    **DENSE, "encoder_layers": 2, "encoder_hidden": 32, "encoder_ffn_hidden": 64,
    "encoder_heads": 4, "encoder_tokens": 16,
}  # fmt: skip


@pytest.mark.parametrize(
    "shape",
    [
        DENSE,
        SPARSE,
        LATENT,
        SEEING,
        {**LATENT, "q_lora": 48},
        {**SPARSE, "dense_layers": 1, "expert_groups": 4, "groups_per_token": 2},
        {**SPARSE, "dense_layers": 0, "ffn_hidden": 0},
        {**DENSE, "heads": 7, "head_dim": 9},
        {**DENSE, "kv_heads": 1, "window_layers": 3, "window": 128, "linear_layers": 1},
        {**SEEING, "encoder_tokens": 0},
    ],
)
def test_sound_shapes_have_no_fault(shape: dict[str, int]) -> None:
    assert shape_faults(shape) == []


@pytest.mark.parametrize(
    ("base", "change", "code", "column"),
    [
        (DENSE, {"layers": 0}, "out-of-range", "layers"),
        (DENSE, {"vocab": -1}, "out-of-range", "vocab"),
        (DENSE, {"hidden": 10**9}, "out-of-range", "hidden"),
        (DENSE, {"kv_heads": 0}, "out-of-range", "kv_heads"),
        (DENSE, {"heads": 7}, "inconsistent-shape", "heads"),
        (DENSE, {"kv_heads": 3}, "inconsistent-shape", "kv_heads"),
        (DENSE, {"kv_heads": 16}, "inconsistent-shape", "kv_heads"),
        (DENSE, {"q_lora": 8}, "inconsistent-shape", "q_lora"),
        (DENSE, {"rope_head_dim": 8}, "inconsistent-shape", "rope_head_dim"),
        (DENSE, {"kv_lora": 8, "head_dim": 8, "rope_head_dim": 2}, "missing-field", "v_head_dim"),
        (LATENT, {"rope_head_dim": 25}, "inconsistent-shape", "rope_head_dim"),
        (DENSE, {"top_k": 2}, "inconsistent-shape", "top_k"),
        (DENSE, {"moe_ffn_hidden": 2}, "inconsistent-shape", "moe_ffn_hidden"),
        (DENSE, {"shared_experts": 1}, "inconsistent-shape", "shared_experts"),
        (DENSE, {"dense_layers": 2}, "inconsistent-shape", "dense_layers"),
        (DENSE, {"ffn_hidden": 0}, "missing-field", "ffn_hidden"),
        (SPARSE, {"top_k": 0}, "missing-field", "top_k"),
        (SPARSE, {"moe_ffn_hidden": 0}, "missing-field", "moe_ffn_hidden"),
        (SPARSE, {"top_k": 9}, "inconsistent-shape", "top_k"),
        (SPARSE, {"dense_layers": 5}, "inconsistent-shape", "dense_layers"),
        (SPARSE, {"dense_layers": 1, "ffn_hidden": 0}, "missing-field", "ffn_hidden"),
        (SPARSE, {"expert_groups": 3, "groups_per_token": 1}, "inconsistent-shape",
         "expert_groups"),
        (SPARSE, {"expert_groups": 4, "groups_per_token": 5}, "inconsistent-shape",
         "groups_per_token"),
        (SPARSE, {"expert_groups": 4}, "inconsistent-shape", "groups_per_token"),
        (DENSE, {"window_layers": 5, "window": 9}, "inconsistent-shape", "window_layers"),
        (DENSE, {"linear_layers": 5}, "inconsistent-shape", "linear_layers"),
        (DENSE, {"window_layers": 2}, "missing-field", "window"),
        (DENSE, {"window": 2}, "missing-field", "window_layers"),
        (SEEING, {"encoder_heads": 5}, "inconsistent-shape", "encoder_heads"),
        (SEEING, {"encoder_ffn_hidden": 0}, "missing-field", "encoder_ffn_hidden"),
    ],
)  # fmt: skip
def test_each_rule_alone(
    base: dict[str, int], change: dict[str, int], code: str, column: str
) -> None:
    faults = shape_faults({**base, **change})
    assert [(fault.code, fault.column) for fault in faults] == [(code, column)]


@pytest.mark.parametrize("name", ["layers", "hidden", "heads", "vocab", "ffn_hidden"])
def test_needed_columns(name: str) -> None:
    faults = shape_faults({key: value for key, value in DENSE.items() if key != name})
    assert [(fault.code, fault.column) for fault in faults] == [("missing-field", name)]


def test_all_faults_at_once() -> None:
    faults = shape_faults({**SPARSE, "vocab": 0, "kv_heads": 3, "top_k": 9, "window": 5})
    assert {fault.column for fault in faults} == {"vocab", "kv_heads", "top_k", "window_layers"}


def test_no_rule_speaks_of_an_unreadable_column() -> None:
    without_heads = {key: value for key, value in DENSE.items() if key != "heads"}
    assert shape_faults(without_heads, {"heads"}) == []


def test_what_is_left_out_takes_its_plain_meaning() -> None:
    dense, sparse = completed(DENSE), completed(SPARSE)
    assert (dense["kv_heads"], dense["head_dim"], dense["v_head_dim"]) == (8, 8, 8)
    assert (dense["dense_layers"], sparse["dense_layers"]) == (4, 0)
    assert (dense["shared_ffn_hidden"], sparse["shared_ffn_hidden"]) == (0, 32)


def test_field_of_a_column() -> None:
    assert field_of("heads") == ("heads",)
    assert field_of("encoder_heads") == ("encoder", "heads")
