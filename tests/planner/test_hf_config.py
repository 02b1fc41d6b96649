"""Hugging Face configurations: known sizes of each model type, layer kinds, faults in place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.errors import Diagnostic, InputError, PlanningWarning
from hardware.sheet import read_text
from planner.architecture import (
    ModelTable,
    active_parameters,
    embedding_parameters,
    mtp_parameters,
    parameters,
)
from planner.hf_config import read_config
from planner.hf_families import FAMILIES, WRAPPERS
from planner.workload import figures_of, load_models, load_sheets, sheets_in, table_of


def dense(
    kind: str, hidden: int, layers: int, heads: int, ffn: int, vocab: int, **more: Any
) -> dict[str, Any]:
    """A configuration in the names that most model types share."""
    return {
        "model_type": kind,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": ffn,
        "vocab_size": vocab,
        **more,
    }


def gpt(kind: str, hidden: int, layers: int, heads: int, vocab: int, **more: Any) -> dict[str, Any]:
    """A configuration in the names of GPT-2."""
    return {
        "model_type": kind,
        "n_embd": hidden,
        "n_layer": layers,
        "n_head": heads,
        "vocab_size": vocab,
        **more,
    }


def gqa(kv_heads: int, head_dim: int | None = None) -> dict[str, Any]:
    return {"num_key_value_heads": kv_heads, "head_dim": head_dim}


def mla(q_lora: int | None, kv_lora: int, nope: int, rope: int, v: int) -> dict[str, Any]:
    return {
        "q_lora_rank": q_lora,
        "kv_lora_rank": kv_lora,
        "qk_nope_head_dim": nope,
        "qk_rope_head_dim": rope,
        "v_head_dim": v,
    }


def routed(experts: int, top_k: int, width: int, shared: int = 0) -> dict[str, Any]:
    return {
        "n_routed_experts": experts,
        "num_experts_per_tok": top_k,
        "moe_intermediate_size": width,
        "n_shared_experts": shared,
    }


LLAMA3_8B = dense("llama", 4096, 32, 32, 14336, 128256, **gqa(8), tie_word_embeddings=False)
DEEPSEEK_V3 = dense(
    "deepseek_v3", 7168, 61, 128, 18432, 129280, **mla(1536, 512, 128, 64, 128),
    **routed(256, 8, 2048, 1), first_k_dense_replace=3, n_group=8, topk_group=4,
    num_nextn_predict_layers=1, num_key_value_heads=128, tie_word_embeddings=False,
)  # fmt: skip
K_EXAONE = dense(
    "exaone_moe", 6144, 48, 64, 18432, 153600, **gqa(8, 128), num_experts=128,
    num_experts_per_tok=8, moe_intermediate_size=2048, num_shared_experts=1,
    first_k_dense_replace=1, sliding_window=128, sliding_window_pattern="LLLG",
    n_group=1, topk_group=1, num_nextn_predict_layers=1,
)  # fmt: skip
GPT_OSS = dense(
    "gpt_oss", 2880, 36, 64, 2880, 201088, **gqa(8, 64), num_local_experts=128,
    num_experts_per_tok=4, sliding_window=128,
    layer_types=["sliding_attention", "full_attention"] * 18, tie_word_embeddings=False,
)  # fmt: skip
MIXTRAL = dense(
    "mixtral", 4096, 32, 32, 14336, 32000, **gqa(8), num_local_experts=8,
    num_experts_per_tok=2, sliding_window=None, tie_word_embeddings=False,
)  # fmt: skip
QWEN3_235B = dense(
    "qwen3_moe", 4096, 94, 64, 12288, 151936, **gqa(4, 128), num_experts=128,
    num_experts_per_tok=8, moe_intermediate_size=1536, decoder_sparse_step=1, mlp_only_layers=[],
    use_sliding_window=False, max_window_layers=94,
)  # fmt: skip
GPT2 = gpt("gpt2", 768, 12, 12, 50257, n_positions=1024, n_inner=None)

# Total size as its publisher or checkpoint states it, in 10^9, without MTP blocks.
KNOWN: list[tuple[str, dict[str, Any], float]] = [
    ("llama-3-8b", LLAMA3_8B, 8.030),
    ("llama-2-7b", dense("llama", 4096, 32, 32, 11008, 32000), 6.738),
    ("llama-3.2-1b", dense("llama", 2048, 16, 32, 8192, 128256, **gqa(8, 64),
                           tie_word_embeddings=True), 1.236),
    ("mistral-7b", dense("mistral", 4096, 32, 32, 14336, 32000, **gqa(8),
                         sliding_window=4096), 7.242),
    ("solar-pro-like", dense("solar", 4096, 48, 32, 14336, 32000, **gqa(8)), 10.732),
    ("qwen2-7b", dense("qwen2", 3584, 28, 28, 18944, 152064, **gqa(4),
                       use_sliding_window=False), 7.616),
    ("qwen2.5-0.5b", dense("qwen2", 896, 24, 14, 4864, 151936, **gqa(2),
                           tie_word_embeddings=True), 0.494),
    ("qwen3-32b", dense("qwen3", 5120, 64, 64, 25600, 151936, **gqa(8, 128)), 32.76),
    ("gemma-7b", dense("gemma", 3072, 28, 16, 24576, 256000, **gqa(16, 256)), 8.538),
    ("gemma-2-9b", dense("gemma2", 3584, 42, 16, 14336, 256000, **gqa(8, 256),
                         sliding_window=4096), 9.242),
    ("gemma-3-27b-text", dense("gemma3_text", 5376, 62, 32, 21504, 262208, **gqa(16, 128),
                               sliding_window=1024), 27.01),
    ("phi-3-mini", dense("phi3", 3072, 32, 32, 8192, 32064, sliding_window=2047), 3.821),
    ("phi-2", dense("phi", 2560, 32, 32, 10240, 51200), 2.78),
    ("exaone-3.5-32b", {"model_type": "exaone", "hidden_size": 5120, "num_layers": 64,
                        "num_attention_heads": 40, "num_key_value_heads": 8, "head_dim": 128,
                        "intermediate_size": 27392, "vocab_size": 102400}, 32.00),
    ("exaone-4-32b", dense("exaone4", 5120, 64, 40, 27392, 102400, **gqa(8, 128),
                           sliding_window=4096, sliding_window_pattern="LLLG"), 32.00),
    ("olmo-2-7b", dense("olmo2", 4096, 32, 32, 11008, 100352), 7.299),
    ("command-r", dense("cohere", 8192, 40, 64, 22528, 256000, num_key_value_heads=64), 34.98),
    ("glm-4-9b", dense("glm4", 4096, 40, 32, 13696, 151552, **gqa(2, 128)), 9.40),
    ("nemotron-4-340b", dense("nemotron", 18432, 96, 96, 73728, 256000,
                              num_key_value_heads=8), 341.0),
    ("starcoder2-15b", dense("starcoder2", 6144, 40, 48, 24576, 49152, **gqa(4),
                             sliding_window=4096, tie_word_embeddings=False), 15.96),
    ("gpt2", GPT2, 0.1244),
    ("gpt2-xl", gpt("gpt2", 1600, 48, 25, 50257, n_positions=1024), 1.558),
    ("gpt-neox-20b", dense("gpt_neox", 6144, 44, 64, 24576, 50432), 20.55),
    ("gpt-j-6b", gpt("gptj", 4096, 28, 16, 50400, n_positions=2048), 6.05),
    ("starcoder", gpt("gpt_bigcode", 6144, 40, 48, 49152, n_positions=8192, n_inner=24576,
                      multi_query=True), 15.52),
    ("opt-6.7b", {"model_type": "opt", "hidden_size": 4096, "num_hidden_layers": 32,
                  "num_attention_heads": 32, "ffn_dim": 16384, "vocab_size": 50272,
                  "max_position_embeddings": 2048}, 6.658),
    ("bloom-176b", {"model_type": "bloom", "n_embed": 14336, "n_layer": 70,
                    "num_attention_heads": 112, "vocab_size": 250880}, 176.2),
    ("falcon-7b", {"model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32,
                   "num_attention_heads": 71, "multi_query": True, "vocab_size": 65024,
                   "new_decoder_architecture": False}, 6.92),
    ("falcon-40b", {"model_type": "falcon", "hidden_size": 8192, "num_hidden_layers": 60,
                    "num_attention_heads": 128, "num_kv_heads": 8, "vocab_size": 65024,
                    "new_decoder_architecture": True, "multi_query": True}, 41.3),
    ("mixtral-8x7b", MIXTRAL, 46.70),
    ("qwen2-57b-a14b", dense("qwen2_moe", 3584, 28, 28, 18944, 151936, **gqa(4), num_experts=64,
                             num_experts_per_tok=8, moe_intermediate_size=2560,
                             shared_expert_intermediate_size=20480), 57.41),
    ("qwen3-235b-a22b", QWEN3_235B, 235.1),
    ("deepseek-v2-236b", dense("deepseek_v2", 5120, 60, 128, 12288, 102400,
                               **mla(1536, 512, 128, 64, 128), **routed(160, 6, 1536, 2),
                               first_k_dense_replace=1, n_group=8, topk_group=3), 235.7),
    ("deepseek-v2-lite", dense("deepseek_v2", 2048, 27, 16, 10944, 102400,
                               **mla(None, 512, 128, 64, 128), **routed(64, 6, 1408, 2),
                               first_k_dense_replace=1, n_group=1, topk_group=1), 15.71),
    ("deepseek-v3", DEEPSEEK_V3, 671.0),
    ("kimi-k2", dense("kimi_k2", 7168, 61, 64, 18432, 163840, **mla(1536, 512, 128, 64, 128),
                      **routed(384, 8, 2048, 1), first_k_dense_replace=1, n_group=1,
                      topk_group=1), 1026.0),
    ("glm-4.5", dense("glm4_moe", 5120, 92, 96, 12288, 151552, **gqa(8, 128),
                      **routed(160, 8, 1536, 1), first_k_dense_replace=3, use_qk_norm=True,
                      n_group=1, topk_group=1), 352.8),
    ("gpt-oss-120b", GPT_OSS, 116.8),
    ("olmoe-7b", dense("olmoe", 2048, 16, 16, 1024, 50304, num_experts=64,
                       num_experts_per_tok=8), 6.92),
    ("k-exaone", K_EXAONE, 236.6),
    ("solar-open-100b", dense("solar_open", 4096, 48, 64, 10240, 196608, **gqa(8, 128),
                              **routed(128, 8, 1280, 1), first_k_dense_replace=0), 102.65),
    ("solar-open2-250b", dense("solar_open2", 4096, 48, 64, 10240, 196608, **gqa(8, 128),
                               **routed(320, 8, 1280, 1), first_k_dense_replace=0,
                               gqa_layers=list(range(0, 48, 4))), 250.0),
    ("a.x-k1", dense("axk1", 7168, 61, 64, 18432, 163840, **mla(1536, 512, 128, 64, 128),
                     **routed(192, 8, 2048, 1), first_k_dense_replace=1, head_dim=64), 519.0),
    ("a.x-k2", dense("axk2", 7168, 61, 64, 18432, 163840, **mla(1536, 512, 128, 64, 128),
                     **routed(256, 8, 2048, 1),
                     mlp_layer_types=["dense"] + ["sparse"] * 60), 688.0),
]  # fmt: skip


def read(config: dict[str, Any]) -> ModelTable:
    return table_of(sheets_in(read_text(json.dumps(config, indent=2), "m.json")).values())


def faults(config: dict[str, Any]) -> list[Diagnostic]:
    with pytest.raises(InputError) as caught:
        read(config)
    return list(caught.value.diagnostics)


def told(config: dict[str, Any]) -> set[tuple[str, str]]:
    return {(fault.code, fault.where.field) for fault in faults(config)}


@pytest.mark.parametrize(("config", "billions"), [row[1:] for row in KNOWN],
                         ids=[row[0] for row in KNOWN])  # fmt: skip
def test_known_size(config: dict[str, Any], billions: float) -> None:
    assert parameters(read(config))[0] == pytest.approx(billions * 1e9, rel=0.01)


def test_known_active_sizes() -> None:
    mixtral, qwen, deepseek, oss = (read(c) for c in (MIXTRAL, QWEN3_235B, DEEPSEEK_V3, GPT_OSS))
    assert active_parameters(mixtral)[0] == pytest.approx(12.88e9, rel=0.01)
    assert active_parameters(qwen)[0] == pytest.approx(22e9, rel=0.02)
    assert active_parameters(deepseek)[0] == pytest.approx(37e9, rel=0.02)
    without_input = active_parameters(oss) - embedding_parameters(oss)
    assert without_input[0] == pytest.approx(5.13e9, rel=0.01)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("Llama-3.1-8B", LLAMA3_8B),
        ("DeepSeek-V3", DEEPSEEK_V3),
        ("K-EXAONE-236B-A23B", K_EXAONE),
        ("gpt-oss-120b", GPT_OSS),
        ("Qwen3-235B-A22B", QWEN3_235B),
    ],
)
def test_a_config_and_the_catalogue_agree_column_by_column(
    name: str, config: dict[str, Any]
) -> None:
    ours, theirs = load_models(name), read(config)
    unlike = {
        column
        for column in vars(ours)
        if column != "names" and getattr(ours, column)[0] != getattr(theirs, column)[0]
    }
    assert unlike == set()


def test_every_model_type_reads_some_config() -> None:
    """A type in the table with no configuration read in a test would be an untested claim."""
    tested = {config["model_type"] for _, config, _ in KNOWN}
    like_another = {
        "internlm2": "llama", "granite": "llama", "hyperclovax": "llama", "olmo": "llama",
        "olmo3": "exaone4", "stablelm": "mistral", "seed_oss": "glm4", "glm": "glm4",
        "smollm3": "mistral", "ministral": "mistral", "cohere2": "cohere", "phimoe": "mixtral",
        "granitemoe": "mixtral", "dots1": "glm4_moe", "deepseek_v32": "deepseek_v3",
        "glm4_moe_lite": "deepseek_v3", "qwen2_vl_text": "qwen2", "qwen2_5_vl_text": "qwen2",
        "qwen3_vl_text": "qwen3", "qwen3_vl_moe_text": "qwen3_moe",
    }  # fmt: skip
    assert set(FAMILIES) == tested | set(like_another)
    configs = {config["model_type"]: config for _, config, _ in KNOWN}
    for kind, other in like_another.items():
        assert parameters(read({**configs[other], "model_type": kind}))[0] > 0


# Kinds of layers


def sliding(config: dict[str, Any]) -> tuple[int, int]:
    model = read(config)
    return int(model.window_layers[0]), int(model.window[0])


MISTRAL = dense("mistral", 64, 8, 8, 128, 100, num_key_value_heads=8)
QWEN2 = {**MISTRAL, "model_type": "qwen2", "sliding_window": 128}
EXAONE4 = {**MISTRAL, "model_type": "exaone4", "sliding_window": 128}
GEMMA2 = {**MISTRAL, "model_type": "gemma2", "sliding_window": 128, "head_dim": 8}
GEMMA3 = {**GEMMA2, "model_type": "gemma3_text"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({**MISTRAL, "sliding_window": None}, (0, 0)),
        ({**MISTRAL, "sliding_window": 4096}, (8, 4096)),
        ({**MISTRAL, "sliding_window": 9, "layer_types": ["full_attention"] * 8}, (0, 0)),
        (QWEN2, (0, 0)),
        ({**QWEN2, "use_sliding_window": False, "max_window_layers": 2}, (0, 0)),
        ({**QWEN2, "use_sliding_window": True, "max_window_layers": 5}, (3, 128)),
        (GEMMA2, (4, 128)),
        ({**GEMMA2, "num_hidden_layers": 9}, (5, 128)),
        (GEMMA3, (7, 128)),
        ({**GEMMA3, "sliding_window_pattern": 2}, (4, 128)),
        ({**GEMMA3, "_sliding_window_pattern": 4}, (6, 128)),
        (EXAONE4, (6, 128)),
        ({**EXAONE4, "sliding_window_pattern": "LLLG"}, (6, 128)),
        ({**EXAONE4, "sliding_window_pattern": "LLG"}, (5, 128)),
        ({**EXAONE4, "sliding_window_pattern": None}, (0, 0)),
        ({**EXAONE4, "sliding_window": None}, (0, 0)),
        ({**EXAONE4, "layer_types": ["sliding_attention"] * 3 + ["full_attention"] * 5}, (3, 128)),
    ],
)
def test_sliding_layers(config: dict[str, Any], expected: tuple[int, int]) -> None:
    assert sliding(config) == expected


def test_linear_layers_of_a_hybrid() -> None:
    config = next(c for name, c, _ in KNOWN if name == "solar-open2-250b")
    model = read(config)
    assert model.linear_layers.tolist() == [36]
    assert model.attention_gate.tolist() == [1]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 0),
        ({"mlp_only_layers": [0, 3]}, 2),
        ({"decoder_sparse_step": 2}, 4),
        ({"decoder_sparse_step": 2, "mlp_only_layers": [1]}, 5),
        ({"mlp_layer_types": ["dense"] * 3 + ["sparse"] * 5}, 3),
        ({"is_moe_layer": [False] + [True] * 7}, 1),
        ({"first_k_dense_replace": 2}, 2),
        ({"first_k_dense_replace": 1, "moe_layer_freq": 2}, 5),
        ({"moe_layer_freq": [0, 0, 1, 1, 1, 1, 1, 1]}, 2),
    ],
)
def test_dense_layers_among_experts(change: dict[str, Any], expected: int) -> None:
    base = dense("qwen2_moe", 64, 8, 8, 128, 100, num_key_value_heads=8, num_experts=4,
                 num_experts_per_tok=2, moe_intermediate_size=32)  # fmt: skip
    assert read({**base, **change}).dense_layers.tolist() == [expected]


def test_one_expert_group_is_no_restriction() -> None:
    model = read({**DEEPSEEK_V3, "n_group": 1, "topk_group": 1})
    assert (model.expert_groups.tolist(), model.groups_per_token.tolist()) == ([0], [0])


def test_mtp_blocks_are_read_beside_the_model() -> None:
    deepseek, exaone = read(DEEPSEEK_V3), read(K_EXAONE)
    assert mtp_parameters(deepseek)[0] == pytest.approx(11.6e9, rel=0.01)
    total = parameters(exaone)[0] + mtp_parameters(exaone)[0]
    assert total == pytest.approx(237.10e9, rel=1e-4)


def test_one_width_of_a_shared_expert() -> None:
    config = next(c for name, c, _ in KNOWN if name == "qwen2-57b-a14b")
    model = read(config)
    assert (model.shared_experts.tolist(), model.shared_ffn_hidden.tolist()) == ([1], [20480])


# Encoders

VISION = {
    "model_type": "clip_vision_model", "hidden_size": 1024, "intermediate_size": 4096,
    "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 336, "patch_size": 14,
}  # fmt: skip
QWEN_VISION = {
    "model_type": "qwen2_5_vl", "depth": 32, "hidden_size": 1280, "intermediate_size": 3420,
    "num_heads": 16, "patch_size": 14,
}  # fmt: skip


def test_a_wrapper_reads_both_of_its_parts() -> None:
    model = read({"model_type": "llava", "text_config": LLAMA3_8B, "vision_config": VISION})
    assert model.layers.tolist() == [32]
    assert model.encoder_layers.tolist() == [24]
    assert model.encoder_ffn_hidden.tolist() == [4096]
    assert model.encoder_tokens.tolist() == [576]
    assert parameters(model)[0] == pytest.approx(8.33e9, rel=0.01)


def test_an_encoder_without_a_picture_size_is_warned_of() -> None:
    config = {"model_type": "vlm", "text_config": {**LLAMA3_8B, "model_type": "hyperclovax"}}
    with pytest.warns(PlanningWarning, match="tokens a sequence do not follow"):
        model = read({**config, "vision_config": QWEN_VISION})
    assert model.encoder_tokens.tolist() == [0]
    assert model.encoder_ffn_hidden.tolist() == [5130]


def test_early_wrappers_hold_the_language_model_at_the_top() -> None:
    top = {**dense("qwen2_vl", 3584, 28, 28, 18944, 152064, num_key_value_heads=4)}
    vision = {"depth": 32, "embed_dim": 1280, "hidden_size": 3584, "num_heads": 16, "mlp_ratio": 4}
    with pytest.warns(PlanningWarning):
        model = read({**top, "vision_config": vision})
    assert model.encoder_hidden.tolist() == [1280]
    assert model.encoder_ffn_hidden.tolist() == [5120]
    assert parameters(model)[0] == pytest.approx(8.29e9, rel=0.01)


def test_of_two_encoders_one_is_counted_and_said() -> None:
    config = {"model_type": "llava", "text_config": LLAMA3_8B, "vision_config": VISION}
    with pytest.warns(PlanningWarning, match="only `vision_config`"):
        read({**config, "audio_config": {"hidden_size": 8}})


def test_embeddings_tied_by_the_wrapper() -> None:
    inner = {key: value for key, value in LLAMA3_8B.items() if key != "tie_word_embeddings"}
    config = {"model_type": "llava", "text_config": inner, "vision_config": VISION}
    assert read({**config, "tie_word_embeddings": True}).tied_embeddings.tolist() == [1]
    assert read(config).tied_embeddings.tolist() == [0]


def test_every_wrapper_is_read() -> None:
    for kind in WRAPPERS:
        config = {"model_type": kind, "text_config": LLAMA3_8B, "vision_config": VISION}
        assert read(config).encoder_layers.tolist() == [24]


# Faults


def test_an_unknown_type_is_refused_though_all_standard_fields_are_there() -> None:
    (fault,) = faults({**LLAMA3_8B, "model_type": "lama"})
    assert fault.code == "unknown-model-type"
    assert (fault.found, fault.where.field) == ("lama", "model_type")
    assert (fault.where.line, fault.where.column) == (2, 17)
    assert "qwen3_moe" in fault.expected
    assert "num_hidden_layers" in fault.expected
    assert "`llama`" in fault.hint
    assert "write a model sheet instead, with layers: 32, hidden: 4096" in fault.hint


def test_the_sheet_that_the_refusal_proposes_loads(tmp_path: Path) -> None:
    (fault,) = faults({**LLAMA3_8B, "model_type": "other"})
    fields = fault.hint.partition("with ")[2]
    path = tmp_path / "other.yaml"
    path.write_text("name: other\n" + fields.replace(", ", "\n"))
    assert parameters(load_models(path))[0] == 8_030_261_248


@pytest.mark.parametrize("kind", [["llama"], 7, {"a": 1}, ""])
def test_a_strange_type(kind: object) -> None:
    (fault,) = faults({**LLAMA3_8B, "model_type": kind})
    assert fault.code in ("unknown-model-type", "missing-field")


def test_no_type() -> None:
    (fault,) = faults({"architectures": ["LlamaForCausalLM"], "hidden_size": 4096})
    assert (fault.code, fault.message) == ("missing-field", "the field `model_type` is missing")


def test_an_unknown_wrapper_and_an_unknown_language_model() -> None:
    parts = {"text_config": LLAMA3_8B, "vision_config": VISION}
    assert told({"model_type": "mllama", **parts}) == {("unknown-model-type", "model_type")}
    inner = {**LLAMA3_8B, "model_type": "mamba"}
    assert told({"model_type": "llava", "text_config": inner}) == {
        ("unknown-model-type", "text_config.model_type")
    }


def test_every_missing_field_at_once() -> None:
    assert told({"model_type": "deepseek_v3"}) == {
        ("missing-field", name)
        for name in (
            "num_hidden_layers", "hidden_size", "num_attention_heads", "vocab_size",
            "n_routed_experts", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim",
            "v_head_dim",
        )
    }  # fmt: skip


def test_a_default_of_the_library_is_not_taken_for_the_model() -> None:
    inner = {key: value for key, value in QWEN3_235B.items() if key != "head_dim"}
    (fault,) = faults(inner)
    assert (fault.code, fault.where.field) == ("missing-field", "head_dim")
    assert "default" in fault.hint


def test_wrong_values_each_at_its_place() -> None:
    config = {
        **MISTRAL, "hidden_size": 0, "num_hidden_layers": "8", "vocab_size": -5,
        "intermediate_size": 2.5, "tie_word_embeddings": "no", "num_key_value_heads": True,
    }  # fmt: skip
    text = json.dumps(config, indent=2).splitlines()
    found = faults(config)
    assert {fault.where.field for fault in found} == set(config) - {
        "model_type",
        "num_attention_heads",
    }
    for fault in found:
        line = text[fault.where.line - 1]
        assert f'"{fault.where.field}"' in line
        assert fault.where.column == line.index(": ") + 3
    assert [fault.where.line for fault in found] == sorted(fault.where.line for fault in found)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"num_attention_heads": 7}, "inconsistent-shape", "num_attention_heads"),
        ({"num_key_value_heads": 3}, "inconsistent-shape", "num_key_value_heads"),
        ({"layer_types": ["full_attention"]}, "wrong-type", "layer_types"),
        ({"layer_types": ["mamba"] * 8}, "wrong-type", "layer_types"),
        ({"layer_types": "full"}, "wrong-type", "layer_types"),
        ({"layer_types": ["sliding_attention"] * 8}, "wrong-type", "sliding_window"),
        ({"sliding_window": "wide"}, "wrong-type", "sliding_window"),
        ({"sliding_window": -1}, "out-of-range", "sliding_window"),
    ],
)
def test_a_fault_of_a_dense_config(change: dict[str, Any], code: str, field: str) -> None:
    config = {**MISTRAL, **change}
    if "num_attention_heads" in change:
        del config["num_key_value_heads"]
        config["model_type"] = "llama"
    assert (code, field) in told(config)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"num_experts_per_tok": 300}, "inconsistent-shape", "num_experts_per_tok"),
        ({"n_group": 7}, "inconsistent-shape", "n_group"),
        ({"topk_group": 9}, "inconsistent-shape", "topk_group"),
        ({"first_k_dense_replace": 62}, None, ""),
        ({"first_k_dense_replace": -1}, "wrong-type", "first_k_dense_replace"),
        ({"moe_layer_freq": 0}, "wrong-type", "moe_layer_freq"),
        ({"moe_layer_freq": [1]}, "wrong-type", "moe_layer_freq"),
        ({"mlp_layer_types": ["dense"]}, "wrong-type", "mlp_layer_types"),
        ({"mlp_only_layers": 3}, "wrong-type", "mlp_only_layers"),
        ({"moe_intermediate_size": None}, "missing-field", "moe_intermediate_size"),
        ({"intermediate_size": None}, "missing-field", "intermediate_size"),
    ],
)
def test_a_fault_of_a_config_with_experts(
    change: dict[str, Any], code: str | None, field: str
) -> None:
    config = {**DEEPSEEK_V3, **change}
    if code is None:
        assert read(config).dense_layers.tolist() == [61]
    else:
        assert (code, field) in told(config)


def test_faults_of_both_parts_of_a_wrapper() -> None:
    text = {"model_type": "llama", "hidden_size": 100, "num_attention_heads": 3}
    vision = {"hidden_size": 10, "num_attention_heads": 3, "image_size": 28, "patch_size": 14}
    assert told({"model_type": "llava", "text_config": text, "vision_config": vision}) == {
        ("missing-field", "text_config.num_hidden_layers"),
        ("missing-field", "text_config.vocab_size"),
        ("inconsistent-shape", "text_config.num_attention_heads"),
        ("missing-field", "vision_config.num_hidden_layers"),
        ("missing-field", "vision_config.intermediate_size"),
        ("inconsistent-shape", "vision_config.num_attention_heads"),
    }


def test_a_depth_beyond_reason_is_told_without_counting_it_out() -> None:
    for config in (K_EXAONE, DEEPSEEK_V3):
        assert ("out-of-range", "num_hidden_layers") in told(
            {**config, "num_hidden_layers": 10**15}
        )


# Files


def test_name_of_a_model_read_from_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "My-Model-8B"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA3_8B))
    (tmp_path / "other.json").write_text(json.dumps(LLAMA3_8B))
    named = {**LLAMA3_8B, "_name_or_path": "org/Named-8B"}
    (tmp_path / "named.json").write_text(json.dumps(named))
    names = load_models(
        folder, folder / "config.json", tmp_path / "other.json", tmp_path / "named.json"
    ).names
    assert names == ("My-Model-8B", "My-Model-8B", "other", "Named-8B")


def test_figures_of_a_config_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(LLAMA3_8B))
    (sheet,) = load_sheets(path)
    assert {figure.source for _, figure in figures_of(sheet)} == {str(path)}
    assert sheet.training.seq_len is None


def test_files_with_tabs_and_exponents(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps({**LLAMA3_8B, "rms_norm_eps": 1e-05}, indent="\t"))
    assert parameters(load_models(path))[0] == 8_030_261_248


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@settings(deadline=None)
@given(
    st.sampled_from([LLAMA3_8B, DEEPSEEK_V3, K_EXAONE, GPT_OSS, MIXTRAL, QWEN3_235B, GPT2]),
    st.data(),
)
def test_any_value_anywhere_is_a_model_or_a_diagnostic(
    config: dict[str, Any], data: st.DataObject
) -> None:
    spoiled = dict(config)
    for key in data.draw(st.lists(st.sampled_from(sorted(config)), max_size=3)):
        spoiled[key] = data.draw(JSON)
    try:
        model = read(spoiled)
    except InputError:
        return
    assert parameters(model)[0] >= active_parameters(model)[0] > 0


def test_fields_of_a_sheet_are_all_that_is_read() -> None:
    from planner.workload import ModelSheet

    for _, config, _ in KNOWN:
        document = read_text(json.dumps(config), "m.json")
        assert set(read_config(document)) <= set(ModelSheet.model_fields)
