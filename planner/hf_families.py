"""What each Hugging Face model type leaves unsaid in its ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["ENCODERS_WITH_GATE", "FAMILIES", "KEYS", "WRAPPERS", "Family"]


@dataclass(frozen=True)
class Family:
    """
    One model type: what its class fixes, and what it fills in when the file is silent.

    `window` says which layers slide when no list of layer types is given:
    ``all`` that the file has a window for, ``alternate`` every other, ``tail``
    those from `max_window_layers` on, ``pattern`` all but each last of a period.
    """

    mlp: str = "swiglu"
    tied: bool = False
    plain_kv: bool = False  # silent about key-value heads = multi-head attention
    needs_head_dim: bool = False  # silent about head_dim = a default of the class, not of the width
    qk_norm: bool = False
    positions: bool = False  # learned positions
    ffn_times: int = 0  # silent about the width of the MLP = this many times the hidden width
    experts: Literal["", "own", "shared-key"] = ""  # shared-key: intermediate_size is an expert's
    latent: bool = False
    gate: bool = False
    linear: bool = False
    window: Literal["", "all", "alternate", "tail", "pattern"] = ""
    window_period: int = 0
    leading_dense: int = 0  # silent about first_k_dense_replace
    mtp_dense: bool = False
    groups: bool = False


KEYS: Mapping[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "hidden": ("hidden_size", "n_embd", "n_embed", "d_model"),
    "ffn_hidden": ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"),
    "heads": ("num_attention_heads", "n_head", "n_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads"),
    "head_dim": ("head_dim",),
    "vocab": ("vocab_size",),
    "experts": ("n_routed_experts", "num_local_experts", "num_experts"),
    "top_k": ("num_experts_per_tok", "experts_per_token"),
    "moe_ffn_hidden": ("moe_intermediate_size",),
    "shared_experts": ("n_shared_experts", "num_shared_experts"),
    "shared_ffn_hidden": ("shared_expert_intermediate_size",),
    "expert_groups": ("n_group",),
    "groups_per_token": ("topk_group",),
    "q_lora": ("q_lora_rank",),
    "kv_lora": ("kv_lora_rank",),
    "rope_head_dim": ("qk_rope_head_dim",),
    "v_head_dim": ("v_head_dim",),
    "window": ("sliding_window",),
    "mtp_layers": ("num_nextn_predict_layers", "mtp_num_layers"),
    "max_positions": ("n_positions", "max_position_embeddings"),
    "encoder_layers": ("num_hidden_layers", "depth", "encoder_layers", "num_layers"),
    "encoder_hidden": ("embed_dim", "hidden_size", "d_model"),
    "encoder_ffn_hidden": ("intermediate_size", "encoder_ffn_dim"),
    "encoder_heads": ("num_attention_heads", "num_heads", "encoder_attention_heads"),
}
"""Names that a file may use for each column, the first found wins."""

_LLAMA = Family(plain_kv=True)
_GQA = Family()
_QWEN = Family(window="tail")
_QWEN3 = replace(_QWEN, qk_norm=True, needs_head_dim=True)
_GEMMA = Family(mlp="geglu", tied=True, needs_head_dim=True)
_PLAIN = Family(mlp="gelu", plain_kv=True)
_GPT2 = replace(_PLAIN, tied=True, positions=True, ffn_times=4)
_DEEPSEEK = Family(experts="own", latent=True, plain_kv=True, groups=True)
_GQA_MOE = Family(experts="own", groups=True)

FAMILIES: Mapping[str, Family] = {
    "llama": _LLAMA,
    "solar": _LLAMA,
    "internlm2": _LLAMA,
    "granite": _LLAMA,
    "hyperclovax": _LLAMA,
    "exaone": _LLAMA,
    "olmo": _LLAMA,
    "olmo2": replace(_LLAMA, qk_norm=True),
    "olmo3": replace(_LLAMA, qk_norm=True, window="pattern", window_period=4),
    "exaone4": replace(_LLAMA, qk_norm=True, window="pattern", window_period=4),
    "phi3": replace(_LLAMA, window="all"),
    "stablelm": _GQA,
    "seed_oss": replace(_GQA, needs_head_dim=True),
    "glm": replace(_GQA, needs_head_dim=True),
    "glm4": replace(_GQA, needs_head_dim=True),
    "smollm3": replace(_GQA, tied=True),
    "mistral": replace(_GQA, window="all"),
    "ministral": replace(_GQA, window="all"),
    "qwen2": _QWEN,
    "qwen3": _QWEN3,
    "gemma": _GEMMA,
    "gemma2": replace(_GEMMA, window="alternate"),
    "gemma3_text": replace(_GEMMA, window="pattern", window_period=6, qk_norm=True),
    "cohere": replace(_LLAMA, tied=True),
    "cohere2": replace(_LLAMA, tied=True, window="pattern", window_period=4),
    "nemotron": replace(_PLAIN, mlp="squared_relu"),
    "phi": _PLAIN,
    "gpt_neox": _PLAIN,
    "starcoder2": Family(mlp="gelu", tied=True, window="all"),
    "gpt2": _GPT2,
    "gpt_bigcode": replace(_GPT2, plain_kv=False),
    "gptj": replace(_PLAIN, ffn_times=4),
    "opt": replace(_PLAIN, mlp="relu", tied=True, positions=True),
    "bloom": replace(_PLAIN, tied=True, ffn_times=4),
    "falcon": replace(_PLAIN, tied=True, ffn_times=4),
    "mixtral": Family(experts="shared-key", window="all"),
    "phimoe": Family(experts="shared-key", window="all"),
    "olmoe": Family(experts="shared-key", plain_kv=True, qk_norm=True),
    "granitemoe": Family(experts="shared-key", plain_kv=True, tied=False),
    "gpt_oss": Family(
        experts="shared-key", mlp="swiglu_clamped", needs_head_dim=True, window="alternate"
    ),
    "qwen2_moe": replace(_QWEN, experts="own"),
    "qwen3_moe": replace(_QWEN3, experts="own"),
    "glm4_moe": replace(_GQA_MOE, needs_head_dim=True, leading_dense=1),
    "dots1": replace(_GQA_MOE, qk_norm=True, window="tail"),
    "solar_open": replace(_GQA_MOE, needs_head_dim=True),
    "solar_open2": replace(_GQA_MOE, needs_head_dim=True, gate=True, linear=True),
    "exaone_moe": replace(
        _GQA_MOE,
        qk_norm=True,
        window="pattern",
        window_period=4,
        leading_dense=1,
        mtp_dense=True,
    ),
    "deepseek_v2": _DEEPSEEK,
    "deepseek_v3": replace(_DEEPSEEK, leading_dense=3),
    "deepseek_v32": replace(_DEEPSEEK, leading_dense=3),
    "kimi_k2": _DEEPSEEK,
    "glm4_moe_lite": replace(_DEEPSEEK, leading_dense=1),
    "axk1": replace(_DEEPSEEK, leading_dense=1),
    "axk2": replace(_DEEPSEEK, leading_dense=1, gate=True),
    "qwen2_vl_text": _QWEN,
    "qwen2_5_vl_text": _QWEN,
    "qwen3_vl_text": _QWEN3,
    "qwen3_vl_moe_text": replace(_QWEN3, experts="own"),
}
"""Language models that are read, by model type."""

WRAPPERS: Mapping[str, str] = {
    **dict.fromkeys(
        ("llava", "llava_next", "llava_onevision", "qwen3_vl", "qwen3_vl_moe", "gemma3"), ""
    ),
    **dict.fromkeys(("mistral3", "internvl", "hyperclovax_vision_v2", "vlm", "kimi_vl"), ""),
    **dict.fromkeys(("paligemma", "aya_vision", "exaone4_5", "qwen2_audio"), ""),
    "qwen2_vl": "qwen2",  # early files hold the language model's fields beside vision_config
    "qwen2_5_vl": "qwen2",
}
"""Models with an encoder, by model type; and the language model of a file without text_config."""

ENCODERS_WITH_GATE = ("qwen2_5_vl", "qwen2_5_vl_vision", "pixtral", "hyperclovax_seed_clip_vision")
"""Encoders whose MLP has three matrices."""
