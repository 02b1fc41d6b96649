"""Activation bytes that a token leaves for the backward pass in each kind of block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from planner.architecture import ModelTable
from planner.stack import StackTable
from planner.stage import Stage
from planner.strategy import FP8, FULL, NONE, SELECTIVE, StrategyTable

__all__ = ["Saved", "blocks", "saved"]


@dataclass(frozen=True)
class Saved:
    """
    Bytes a token and block by kind and by what cuts them; axis [row].

    `wide` parts are as wide as the hidden state and are cut by `tp` only with
    sequence parallelism; `split` parts are always cut by `tp`.
    """

    block_wide: Floats  # attention and the two residual inputs, any kind of MLP
    attention_split: Floats
    dense_split: Floats
    moe_wide: Floats  # tokens as routed, cut by tp where experts are not
    moe_split: Floats
    input_wide: Floats  # the block's input, all that full recomputation keeps
    gradient_split: Floats  # widest gradient of a dense MLP while it is worked on


def saved(models: ModelTable, stacks: StackTable, rows: StrategyTable) -> Saved:
    """
    Bytes that a token leaves in each kind of block.

    Parameters
    ----------
    models, stacks
        Tables whose row numbers stand in `rows`.
    rows : StrategyTable
        [row]

    Returns
    -------
    Saved
        [byte a token and block], [row]

    Notes
    -----
    With 16-bit activations a block keeps its input, the norm's output, q, k
    and v, the attention output, the second residual input and norm output,
    and the inputs of the MLP's matrices [1]_. An input of a matrix product
    takes one byte in fp8. Materialised scores add five bytes a head and key
    [1]_; flash attention keeps four bytes a head. Selective recomputation
    frees the scores; with flash attention, where there are none, it frees the
    outputs of norms and activation functions instead, which cost little to
    compute again. MLA keeps its latents, queries, keys and values; selective
    recomputation frees the latter three, as in [2]_. A stack that fuses
    nothing also keeps rotated copies of q and k and the gate's activation; in
    fp8 these are fused with the casts.

    References
    ----------
    .. [1] V. Korthikanti et al., "Reducing activation recomputation in large
       transformer models," MLSys 2023.
    .. [2] DeepSeek-AI, "DeepSeek-V3 technical report," arXiv 2412.19437, 2024.
    """
    pick = rows.model
    narrow = np.where(rows.precision >= FP8, 1.0, 2.0)
    scores = stacks.attention_materialised[rows.stack].astype(np.float64)
    unfused = np.where(rows.precision >= FP8, 0.0, stacks.unfused_frac[rows.stack])
    lean = (rows.recompute == SELECTIVE) & (scores == 0)
    cheap: Floats = np.where(lean, 0.0, narrow)
    hidden = models.hidden[pick].astype(np.float64)
    heads = models.heads[pick].astype(np.float64)
    queries = heads * models.head_dim[pick]
    keys = models.kv_heads[pick] * models.head_dim[pick]
    values = models.kv_heads[pick] * models.v_head_dim[pick]
    latent = models.kv_lora[pick] > 0
    output = heads * models.v_head_dim[pick]
    projected = 2.0 * (queries + keys + values) + 2.0 * unfused * (queries + keys)
    projected = np.where(latent & lean, 0.0, projected)
    score_bytes = np.where(rows.recompute == NONE, 5.0, 0.0) * heads * rows.seq_len * scores
    gate = 4.0 * output * models.attention_gate[pick]
    attention = projected + 2.0 * output + 4.0 * heads + score_bytes + gate
    latents = 4.0 * (models.q_lora[pick] + models.kv_lora[pick] + models.rope_head_dim[pick])
    inputs: Floats = models.mlp_matrices[pick].astype(np.float64) - 1.0
    a_width: Floats = 2.0 * inputs + cheap + 2.0 * unfused * (inputs - 1.0)
    experts = (models.experts[pick] > 0) * models.top_k[pick].astype(np.float64)
    shared = models.shared_experts[pick].astype(np.float64) * models.shared_ffn_hidden[pick]
    routed = experts * models.moe_ffn_hidden[pick]
    return Saved(
        block_wide=4.0 * hidden + 2.0 * cheap * hidden + latents * latent,
        attention_split=attention,
        dense_split=a_width * models.ffn_hidden[pick],
        moe_wide=experts * hidden * (narrow + cheap),
        moe_split=a_width * (routed + shared),
        input_wide=2.0 * hidden,
        gradient_split=2.0 * (inputs + 1.0) * np.maximum(models.ffn_hidden[pick], routed + shared),
    )


def blocks(kept: Saved, held: Stage, rows: StrategyTable, tokens: Floats) -> tuple[Floats, Floats]:
    """
    Activations that a stage keeps, and the workspace of the block at work.

    Parameters
    ----------
    kept : Saved
        [byte a token and block], [row]
    held : Stage
        Contents of the stage. [row]
    rows : StrategyTable
        [row]
    tokens : ndarray
        Tokens of a micro-batch on a context-parallel rank. [row]

    Returns
    -------
    (ndarray, ndarray)
        Activations of all micro-batches in flight; gradients and, with full
        recomputation, activations of the one block being worked on. [byte]
    """
    wide = np.where(rows.sequence_parallel == 1, rows.tp, 1)
    moe_cut = rows.tp / np.minimum(rows.expert_tp, rows.tp)
    attention = kept.block_wide / wide + kept.attention_split / rows.tp
    dense = attention + kept.dense_split / rows.tp
    moe = attention + kept.moe_wide / moe_cut + kept.moe_split / rows.tp
    layers = np.maximum(held.layers, 1.0)
    mean = (held.dense_layers * dense + held.moe_layers * moe) / layers
    largest = np.maximum(np.where(held.dense_layers > 0, dense, 0.0),
                         np.where(held.moe_layers > 0, moe, 0.0))  # fmt: skip
    full = rows.recompute == FULL
    kept_bytes = np.where(full, kept.input_wide / wide, mean) * held.in_flight_layers
    working = kept.gradient_split / rows.tp + 2.0 * kept.input_wide / wide
    working = working + np.where(full, largest, 0.0)
    return kept_bytes * tokens, working * tokens
