"""Activation bytes that a token leaves for the backward pass in each kind of block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from planner.architecture import ModelTable
from planner.cut import Cut
from planner.stage import Stage

__all__ = ["Saved", "Widths", "blocks", "encoder_bytes", "saved", "widths"]


@dataclass(frozen=True)
class Widths:
    """Widths of what blocks keep, in elements a token. [model], or gathered [row]"""

    hidden: Floats
    heads: Floats
    queries_keys: Floats
    values: Floats
    output: Floats  # attention output, all heads
    gate: Floats  # output gate of attention, 0 where there is none
    latents: Floats  # MLA, 0 elsewhere
    is_latent: Floats  # mask
    inputs: Floats  # matrices that widen the MLP: 2 gated, 1 plain
    ffn: Floats
    sparse: Floats  # routed and shared experts that a token passes
    routed_hidden: Floats  # hidden state once for each routed expert of a token
    encoder: Floats  # all of a trained encoder, a sequence


@dataclass(frozen=True)
class Saved:
    """
    Bytes a token and block on one rank. [row]

    `mean` over blocks depends on the stage and is taken there.
    """

    dense: Floats  # block with a dense MLP
    moe: Floats  # block with experts
    input: Floats  # the block's input, all that full recomputation keeps
    gradient: Floats  # widest gradients while a block is worked on


def widths(models: ModelTable) -> Widths:
    """
    Widths of what blocks keep for the backward pass.

    Parameters
    ----------
    models : ModelTable
        [model]

    Returns
    -------
    Widths
        Elements a token; of the encoder, bytes a sequence. [model]

    Notes
    -----
    A trained encoder keeps 16 bytes a hidden element and 4 a middle one, as a
    block with a plain MLP and flash attention does.

    References
    ----------
    .. [1] V. Korthikanti et al., "Reducing activation recomputation in large
       transformer models," MLSys 2023.
    """
    column = {
        name: getattr(models, name).astype(np.float64)
        for name in ("hidden", "heads", "kv_heads", "head_dim", "v_head_dim", "top_k", "q_lora",
                     "kv_lora", "rope_head_dim", "moe_ffn_hidden", "shared_experts",
                     "shared_ffn_hidden", "attention_gate", "mlp_matrices", "ffn_hidden",
                     "encoder_hidden", "encoder_ffn_hidden", "encoder_layers", "encoder_tokens",
                     "encoder_frozen")
    }  # fmt: skip
    is_latent = (column["kv_lora"] > 0).astype(np.float64)
    output = column["heads"] * column["v_head_dim"]
    routed = column["top_k"] * (models.experts > 0)
    shared = column["shared_experts"] * column["shared_ffn_hidden"]
    encoder = 16.0 * column["encoder_hidden"] + 4.0 * column["encoder_ffn_hidden"]
    encoder = encoder * column["encoder_layers"] * column["encoder_tokens"]
    return Widths(
        hidden=column["hidden"],
        heads=column["heads"],
        queries_keys=(column["heads"] + column["kv_heads"]) * column["head_dim"],
        values=column["kv_heads"] * column["v_head_dim"],
        output=output,
        gate=output * column["attention_gate"],
        latents=is_latent * (column["q_lora"] + column["kv_lora"] + column["rope_head_dim"]),
        is_latent=is_latent,
        inputs=column["mlp_matrices"] - 1.0,
        ffn=column["ffn_hidden"],
        sparse=routed * column["moe_ffn_hidden"] + shared,
        routed_hidden=routed * column["hidden"],
        encoder=encoder * (1.0 - column["encoder_frozen"]),
    )


def saved(of: Widths, by: Cut, unfused_frac: Floats) -> Saved:
    """
    Bytes that a token leaves in each kind of block, on one rank.

    Parameters
    ----------
    of : Widths
        [row]
    by : Cut
        [row]
    unfused_frac : ndarray
        Part of the element-wise intermediates that the stack keeps. [row]

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
    fp8 these are fused with the casts. Parts as wide as the hidden state are
    cut by `tp` only with sequence parallelism.

    References
    ----------
    .. [1] V. Korthikanti et al., "Reducing activation recomputation in large
       transformer models," MLSys 2023.
    .. [2] DeepSeek-AI, "DeepSeek-V3 technical report," arXiv 2412.19437, 2024.
    """
    narrow = 2.0 - by.is_narrow
    unfused = 2.0 * unfused_frac * (1.0 - by.is_narrow)
    cheap = narrow * (1.0 - by.is_lean)
    projected = 2.0 * (of.queries_keys + of.values) + unfused * of.queries_keys
    attention = projected * (1.0 - of.is_latent * by.is_lean)
    attention = attention + 2.0 * of.output + 4.0 * (of.heads + of.gate)
    if by.keeps_scores.any():
        attention = attention + 5.0 * by.keeps_scores * of.heads * by.seq_len
    wide = (4.0 + 2.0 * cheap) * of.hidden + 4.0 * of.latents
    middle = 2.0 * of.inputs + cheap + unfused * (of.inputs - 1.0)
    base = wide / by.wide + attention / by.tp
    return Saved(
        dense=base + middle * of.ffn / by.tp,
        moe=base + (narrow + cheap) * of.routed_hidden / by.routed_cut + middle * of.sparse / by.tp,
        input=2.0 * of.hidden / by.wide,
        gradient=2.0 * (of.inputs + 1.0) * np.maximum(of.ffn, of.sparse) / by.tp,
    )


def blocks(kept: Saved, held: Stage, by: Cut) -> tuple[Floats, Floats]:
    """
    Activations that a stage keeps, and the workspace of the block at work.

    Parameters
    ----------
    kept : Saved
        [byte a token and block], [row]
    held : Stage
        Contents of the stage. [row]
    by : Cut
        [row]

    Returns
    -------
    (ndarray, ndarray)
        Activations of all micro-batches in flight; gradients and, with full
        recomputation, activations of the one block being worked on. [byte]

    Notes
    -----
    Full recomputation keeps the input of every block.

    References
    ----------
    .. [1] V. Korthikanti et al., "Reducing activation recomputation in large
       transformer models," MLSys 2023.
    """
    mean = held.dense_layers * kept.dense + held.moe_layers * kept.moe
    mean = mean / np.maximum(held.layers, 1.0)
    largest = np.maximum(kept.dense * (held.dense_layers > 0), kept.moe * (held.moe_layers > 0))
    a_block = mean + by.is_full * (kept.input - mean)
    working = kept.gradient + 2.0 * kept.input + by.is_full * largest
    return a_block * held.in_flight_layers * by.tokens, working * by.tokens


def encoder_bytes(of: Widths, by: Cut, held: Stage) -> Floats:
    """
    Activations of a trained encoder on the first stage, all micro-batches in flight. [byte]

    Notes
    -----
    The encoder is cut by `tp` with sequence parallelism and not by `cp`.

    References
    ----------
    .. [1] V. Korthikanti et al., "Reducing activation recomputation in large
       transformer models," MLSys 2023.
    """
    waiting = held.in_flight_layers / np.maximum(held.layers, 1.0)
    thin = 1.0 - 0.9 * by.is_full
    result: Floats = of.encoder * by.micro_batch * waiting * held.is_first * thin / by.wide
    return result
