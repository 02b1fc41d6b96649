"""Parameter counts of model shapes: by hand, and by what must hold of any shape."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.column import take
from planner.architecture import (
    ModelTable,
    active_parameters,
    attention_layer_parameters,
    attention_parameters,
    dense_mlp_parameters,
    embedding_parameters,
    encoder_parameters,
    expert_layer_parameters,
    expert_parameters,
    head_parameters,
    linear_layer_parameters,
    model_table,
    mtp_parameters,
    norm_parameters,
    parameters,
    router_parameters,
    shared_expert_parameters,
)

PARTS = (
    embedding_parameters,
    head_parameters,
    attention_parameters,
    dense_mlp_parameters,
    expert_parameters,
    shared_expert_parameters,
    router_parameters,
    norm_parameters,
    encoder_parameters,
)


@st.composite
def shapes(draw: st.DrawFn, *, with_experts: bool | None = None) -> dict[str, int]:
    """Columns of one sound model: dense or with experts, grouped or latent attention."""
    count = st.integers(1, 64)
    heads = draw(st.sampled_from([1, 2, 4, 8, 16]))
    shape = {
        "layers": draw(st.integers(1, 100)),
        "heads": heads,
        "kv_heads": draw(st.sampled_from([n for n in (1, 2, 4, 8, 16) if heads % n == 0])),
        "head_dim": draw(st.integers(1, 256)),
        "hidden": 8 * draw(count),
        "vocab": draw(st.integers(1, 10**6)),
        "ffn_hidden": draw(st.integers(1, 10**5)),
        "mlp_matrices": draw(st.sampled_from([2, 3])),
        "tied_embeddings": draw(st.integers(0, 1)),
        "qk_norm": draw(st.integers(0, 1)),
        "attention_gate": draw(st.integers(0, 1)),
        "max_positions": draw(st.sampled_from([0, 2048])),
    }
    if draw(st.booleans()):
        rope = draw(st.integers(0, shape["head_dim"]))
        shape |= {"kv_lora": draw(count), "q_lora": draw(st.integers(0, 64)), "rope_head_dim": rope}
        shape |= {"kv_heads": heads, "v_head_dim": draw(count)}
    if with_experts or (with_experts is None and draw(st.booleans())):
        experts = draw(st.integers(1, 512))
        shape |= {
            "experts": experts,
            "top_k": draw(st.integers(1, experts)),
            "moe_ffn_hidden": draw(st.integers(1, 4096)),
            "shared_experts": draw(st.integers(0, 2)),
            "dense_layers": draw(st.integers(0, shape["layers"])),
        }
    return shape


def one(**columns: Any) -> ModelTable:
    return model_table(("m",), **columns)


def table(rows: list[dict[str, int]]) -> ModelTable:
    """Several shapes in one table, each with its own defaults."""
    singles = [one(**row) for row in rows]
    columns = {
        field.name: np.concatenate([getattr(single, field.name) for single in singles])
        for field in dataclasses.fields(ModelTable)
        if field.name != "names"
    }
    return ModelTable(names=tuple(f"m{i}" for i in range(len(rows))), **columns)


TINY = {"layers": 3, "hidden": 8, "heads": 2, "kv_heads": 1, "ffn_hidden": 20, "vocab": 50}


def test_dense_model_by_hand() -> None:
    attention = 8 * 8 + 2 * 8 * 4 + 8 * 8
    mlp = 3 * 8 * 20
    norms = 7 * 8
    assert parameters(one(**TINY))[0] == 2 * 50 * 8 + 3 * (attention + mlp) + norms
    assert parameters(one(**TINY, tied_embeddings=1))[0] == 50 * 8 + 3 * (attention + mlp) + norms
    plain = parameters(one(**TINY, mlp_matrices=2))[0]
    assert plain == 2 * 50 * 8 + 3 * (attention + 2 * 8 * 20) + norms


def test_learned_positions_and_head_norms_by_hand() -> None:
    base = parameters(one(**TINY))[0]
    assert parameters(one(**TINY, max_positions=16))[0] - base == 16 * 8
    assert parameters(one(**TINY, qk_norm=1))[0] - base == 3 * 2 * 4


def test_latent_attention_by_hand() -> None:
    latent = one(
        layers=1, hidden=16, heads=4, head_dim=6, v_head_dim=5, vocab=10, ffn_hidden=8,
        q_lora=7, kv_lora=9, rope_head_dim=2,
    )  # fmt: skip
    queries = 16 * 7 + 7 * 4 * 6
    keys_values = 16 * (9 + 2) + 9 * 4 * (4 + 5)
    output = 4 * 5 * 16
    assert attention_layer_parameters(latent)[0] == queries + keys_values + output + 7 + 9


def test_uncompressed_queries_of_latent_attention() -> None:
    shape: dict[str, int] = {
        "layers": 1, "hidden": 16, "heads": 4, "head_dim": 6, "v_head_dim": 5, "vocab": 10,
        "ffn_hidden": 8, "kv_lora": 9, "rope_head_dim": 2,
    }  # fmt: skip
    straight = attention_layer_parameters(one(**shape))[0]
    assert straight == 16 * 24 + 16 * 11 + 9 * 4 * 9 + 20 * 16 + 9


def test_output_gate_reads_hidden_state_or_compressed_query() -> None:
    plain = attention_layer_parameters(one(**TINY))[0]
    assert attention_layer_parameters(one(**TINY, attention_gate=1))[0] - plain == 8 * 8
    latent = {**TINY, "head_dim": 6, "v_head_dim": 4, "q_lora": 3, "kv_lora": 5, "kv_heads": 2}
    gated = attention_layer_parameters(one(**latent, rope_head_dim=2, attention_gate=1))[0]
    assert gated - attention_layer_parameters(one(**latent, rope_head_dim=2))[0] == 3 * 2 * 4


def test_linear_layers_by_hand() -> None:
    model = one(**TINY, linear_layers=2)
    keys = 2 * 4
    gates = 2 * (8 * 4 + 4 * keys)
    small = 8 * 2 + 4 * 3 * keys + keys + 2 + 4
    assert linear_layer_parameters(model)[0] == 4 * 8 * keys + gates + small
    expected = attention_layer_parameters(model) + 2 * linear_layer_parameters(model)
    assert attention_parameters(model) == expected


def test_experts_by_hand() -> None:
    model = one(
        **TINY, experts=6, top_k=2, moe_ffn_hidden=5, shared_experts=1, shared_ffn_hidden=7,
        dense_layers=1,
    )  # fmt: skip
    assert expert_parameters(model)[0] == 2 * 6 * 3 * 8 * 5
    assert shared_expert_parameters(model)[0] == 2 * 3 * 8 * 7
    assert router_parameters(model)[0] == 2 * 9 * 6
    assert dense_mlp_parameters(model)[0] == 3 * 8 * 20
    assert (parameters(model) - active_parameters(model))[0] == 2 * 4 * 3 * 8 * 5


def test_mtp_block_is_dense_or_has_experts_and_stands_apart() -> None:
    shape: dict[str, int] = {**TINY, "experts": 6, "top_k": 2, "moe_ffn_hidden": 5}
    none, sparse = one(**shape), one(**shape, mtp_layers=1)
    dense = one(**shape, mtp_layers=1, mtp_dense=1)
    joint = attention_layer_parameters(none)[0] + 2 * 8 * 8 + 5 * 8
    assert mtp_parameters(none)[0] == 0
    assert mtp_parameters(sparse)[0] == joint + 6 * 3 * 8 * 5 + 9 * 6
    assert mtp_parameters(dense)[0] == joint + 3 * 8 * 20
    assert parameters(none) == parameters(sparse) == parameters(dense)


def test_encoder_by_hand_and_not_in_active() -> None:
    seeing = one(
        **TINY, encoder_layers=2, encoder_hidden=6, encoder_ffn_hidden=10, encoder_heads=2,
        encoder_tokens=4,
    )  # fmt: skip
    assert encoder_parameters(seeing)[0] == 2 * (4 * 36 + 2 * 60 + 12)
    assert active_parameters(seeing) == active_parameters(one(**TINY))


@settings(deadline=None)
@given(shapes())
def test_parts_add_up_to_the_total(shape: dict[str, int]) -> None:
    model = one(**shape)
    assert sum(part(model)[0] for part in PARTS) == parameters(model)[0]


@settings(deadline=None)
@given(shapes())
def test_a_layer_more_adds_parameters(shape: dict[str, int]) -> None:
    deeper = parameters(one(**{**shape, "layers": shape["layers"] + 1}))[0]
    assert deeper > parameters(one(**shape))[0]


@settings(deadline=None)
@given(shapes())
def test_active_is_at_most_total_and_equal_when_dense(shape: dict[str, int]) -> None:
    model = one(**shape)
    active, total = active_parameters(model)[0], parameters(model)[0]
    assert 0 < active <= total
    if not shape.get("experts"):
        assert active == total


@settings(deadline=None)
@given(shapes(with_experts=True))
def test_twice_the_experts_add_their_matrices_and_router_columns(shape: dict[str, int]) -> None:
    once = one(**shape)
    twice = one(**{**shape, "experts": 2 * shape["experts"]})
    layers, experts = shape["layers"] - shape["dense_layers"], shape["experts"]
    added = layers * experts * (expert_layer_parameters(once)[0] + shape["hidden"] + 1)
    assert parameters(twice)[0] - parameters(once)[0] == added
    routed = layers * experts * (shape["hidden"] + 1)
    assert active_parameters(twice)[0] - active_parameters(once)[0] == routed


@settings(deadline=None)
@given(st.lists(shapes(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_permuting_rows_permutes_counts(rows: list[dict[str, int]], random: Any) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    models = table(rows)
    for count in (parameters, active_parameters, mtp_parameters):
        np.testing.assert_array_equal(count(take(models, order)), count(models)[order])


@settings(deadline=None)
@given(st.lists(shapes(), min_size=1, max_size=4))
def test_a_row_counts_the_same_alone_and_in_company(rows: list[dict[str, int]]) -> None:
    alone = np.concatenate([parameters(one(**row)) for row in rows])
    np.testing.assert_array_equal(parameters(table(rows)), alone)


def test_columns_are_frozen_whole_numbers() -> None:
    model = one(**TINY)
    assert model.layers.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        model.layers[0] = 4


def test_a_caller_keeps_its_own_arrays_writable() -> None:
    layers = np.array([3])
    model = one(**{**TINY, "layers": layers})
    layers[0] = 9
    assert model.layers[0] == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"depth": 3}, "no column 'depth'"),
        ({"layers": [1, 2]}, "broadcast"),
        ({"layers": 2.5}, "layers holds a fraction"),
    ],
)
def test_a_wrong_column_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        one(**{**TINY, **change})


def test_a_needed_column_is_asked_for() -> None:
    with pytest.raises(ValueError, match="needs the column 'vocab'"):
        one(layers=1, hidden=8, heads=2, ffn_hidden=8)


def test_unequal_columns_are_refused() -> None:
    columns = {f.name: getattr(one(**TINY), f.name) for f in dataclasses.fields(ModelTable)}
    columns["layers"] = np.array([1, 2])
    with pytest.raises(ValueError, match="unequal length"):
        ModelTable(**columns)


def test_mtp_dense_may_be_left_out() -> None:
    columns = {f.name: getattr(one(**TINY), f.name) for f in dataclasses.fields(ModelTable)}
    del columns["mtp_dense"]
    assert ModelTable(**columns).mtp_dense.tolist() == [0]


def test_repr_states_axis_and_unit() -> None:
    assert "[model]" in repr(one(**TINY))
    assert "10^9" in repr(one(**TINY))
