"""Compute of the blocks on a device: products, attention, element-wise traffic, launches."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.column import Floats
from hardware.roofline import linear_s

__all__ = ["Pass", "attention_core", "encoder", "head", "kernels", "linears", "traffic_bytes"]

Columns = Any
"""A record of gathered columns, see `planner.step`; whatever broadcasts."""

Pass = tuple[Floats, Floats]
"""Forward and backward."""

LOSS_BYTES = 18.0
"""Traffic of cross-entropy an element of the logits beyond the product: a wide copy, the
maximum, the sum of exponentials, the gradient. [byte]"""

SCORE_BYTES = 8.0
"""Traffic of materialised attention an element of the square and pass: the masked softmax reads
and writes, dropout reads, writes and keeps its mask, less what stays in cache. [byte]"""

ALIGNED = 64.0
"""Widths that are no multiple of this waste part of every tile and vector load."""

UNALIGNED_RATE = 0.8
"""Rate of products whose width a tensor rank is not `ALIGNED`, over the others'."""

UNALIGNED_HEAD = 4.0
"""Slowdown of materialised attention whose head is no multiple of 8, which leaves tensor cores."""

ROW_TILE = 64.0
"""Rows to which a grouped product pads each expert, half of the usual tile of 128."""

CHUNK = 64.0
"""Tokens a chunk of linear attention, within which it is quadratic (arXiv 2312.06635)."""


def _linear(
    c: Columns, tokens: Any, inputs: Any, outputs: Any, rate: Any, groups: Any = 1.0
) -> Pass:
    return linear_s(
        tokens, inputs, outputs, flop_per_s=rate, bytes_per_s=c.memory_rate,
        fill_elements=c.fill_elements, ramp_depth=c.ramp_depth, groups=groups,
    )  # fmt: skip


def _add(total: Pass | None, part: Pass, count: Any) -> Pass:
    forward, backward = part[0] * count, part[1] * count
    return (forward, backward) if total is None else (total[0] + forward, total[1] + backward)


def linears(c: Columns) -> Pass:
    """
    Matrix products of all blocks of the model, a micro-batch and device of the tensor group.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    (ndarray, ndarray)
        Forward, backward. [s]

    Notes
    -----
    Key and value heads are repeated where tp exceeds them. Low-rank
    projections of MLA before their up-projection are repeated on every tensor
    rank. Experts: one grouped product over those of a rank, each padded to
    `ROW_TILE`, times the load of the busiest rank.

    References
    ----------
    .. [1] M. Shoeybi et al., "Megatron-LM," arXiv 1909.08053, 2019.
    .. [2] DeepSeek-AI, "DeepSeek-V2," arXiv 2405.04434, 2024: MLA.
    """
    tokens = c.tokens
    query, value = c.heads * c.head_dim / c.tp, c.heads * c.v_head_dim / c.tp
    even = (query * (1.0 / ALIGNED)) % 1.0 == 0.0
    rate = c.product_rate * np.where(even, 1.0, UNALIGNED_RATE)
    wide_kv = np.maximum(c.kv_heads / c.tp, 1.0) * (c.head_dim + c.v_head_dim)
    qkv = query + wide_kv
    if c.any_gate:
        qkv = qkv + c.attention_gate * value
    total = _add(None, _linear(c, tokens, c.hidden, qkv, rate), c.blocks)
    total = _add(total, _linear(c, tokens, value, c.hidden, rate), c.blocks)
    if c.any_mla:
        total = _latent(c, total, query, value)
    width = c.ffn_hidden / c.tp
    gated = c.mlp_matrices - 1.0
    total = _add(total, _linear(c, tokens, c.hidden, gated * width, rate), c.dense_blocks)
    total = _add(total, _linear(c, tokens, width, c.hidden, rate), c.dense_blocks)
    if c.any_experts:
        total = _experts(c, total, gated)
    return total


def _latent(c: Columns, plain: Pass, query: Any, value: Any) -> Pass:
    """The same with low-rank projections where a model has them."""
    rate, tokens = c.product_rate, c.tokens
    down = _linear(c, tokens, c.hidden, c.q_lora + c.kv_lora + c.rope_head_dim, rate)
    up_query = _linear(c, tokens, c.q_lora, query, rate)
    keys = c.heads / c.tp * (c.head_dim - c.rope_head_dim) + value
    up_keys = _linear(c, tokens, c.kv_lora, keys, rate)
    out = _linear(c, tokens, value, c.hidden, rate)
    total = _add(None, down, c.blocks)
    for part in (up_query, up_keys, out):
        total = _add(total, part, c.blocks)
    is_mla = c.kv_lora > 0
    return np.where(is_mla, total[0], plain[0]), np.where(is_mla, total[1], plain[1])


def _experts(c: Columns, total: Pass, gated: Any) -> Pass:
    """Routed experts as grouped products, shared experts as plain ones, the router."""
    rate = c.product_rate
    own = np.maximum(c.experts / c.ep, 1.0)
    rows = c.tokens * c.top_k * c.expert_tp / c.tp * c.imbalance / own + ROW_TILE
    width = c.moe_ffn_hidden / c.expert_tp
    blocks, grouped = c.moe_blocks, rate * c.grouped_frac
    total = _add(total, _linear(c, rows, c.hidden, gated * width, grouped, own), blocks)
    total = _add(total, _linear(c, rows, width, c.hidden, grouped, own), blocks)
    shared = c.shared_width / c.tp
    shared_blocks = blocks * (shared > 0)
    total = _add(total, _linear(c, c.tokens, c.hidden, gated * shared, rate), shared_blocks)
    total = _add(total, _linear(c, c.tokens, shared, c.hidden, rate), shared_blocks)
    router = _linear(c, c.tokens / c.tp, c.hidden, c.experts, c.product_16)
    return _add(total, router, blocks)


def _context(c: Columns) -> Any:
    """Tokens that a token attends to, summed over the blocks."""
    full = c.softmax_blocks - c.window_layers
    total = full * c.seq_len * 0.5
    if c.any_window:
        window = np.minimum(np.maximum(c.window, 1.0), c.seq_len)
        total = total + c.window_layers * window * (1.0 - 0.5 * window / c.seq_len)
    return total


def attention_core(c: Columns) -> Pass:
    """
    Scores, softmax and weighted sum of all blocks, a micro-batch and device.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    (ndarray, ndarray)
        Forward, backward. [s]

    Notes
    -----
    A flash kernel skips the masked half, reads and writes nothing of the
    square, and repeats the scores in backward: 2.5 times the products of
    forward [1]_. Its rate grows with the sequence. Materialised attention
    computes the whole square and moves it `SCORE_BYTES` an element and pass.
    Linear attention is a quadratic chunk and a state [2]_.

    References
    ----------
    .. [1] T. Dao, "FlashAttention-2," arXiv 2307.08691, 2023.
    .. [2] S. Yang et al., "Gated linear attention transformers," arXiv 2312.06635, 2023.
    """
    heads = c.heads / c.tp
    wide = c.head_dim + c.v_head_dim
    context = _context(c)
    flop = 2.0 * c.tokens * heads * wide * context
    rate = c.product_16 * c.attention_rate_frac * c.seq_len / (c.seq_len + 512.0)
    forward = flop / (rate * c.attention_frac)
    backward = 2.5 * flop / (rate * c.attention_backward_frac)
    if c.any_materialised:
        square, copied = _materialised(c, heads)
        forward = np.where(c.attention_materialised > 0, square + copied, forward)
        backward = np.where(c.attention_materialised > 0, 2.0 * (square + copied), backward)
    if c.any_linear:
        state = 2.0 * c.tokens * heads * (c.head_dim * c.v_head_dim * 2.0 + wide * CHUNK)
        linear = c.linear_layers * state / (c.product_16 * 0.5 * c.attention_frac)
        forward, backward = forward + linear, backward + 2.5 * linear
    return forward, backward


def _materialised(c: Columns, heads: Any) -> tuple[Any, Any]:
    """Products over the whole square, and its traffic, of all softmax blocks."""
    elements = c.tokens * heads * c.seq_len
    wide = c.head_dim + c.v_head_dim
    ramp = 1.0 + 2.0 * c.ramp_depth / wide
    ramp = ramp * np.where(c.head_dim % 8.0 == 0.0, 1.0, UNALIGNED_HEAD)
    square = c.softmax_blocks * 2.0 * elements * wide * ramp / c.product_16
    copied = c.softmax_blocks * SCORE_BYTES * elements * c.traffic_passes / c.memory_rate
    return square, copied


def traffic_bytes(c: Columns) -> Pass:
    """
    Element-wise traffic of all blocks, a micro-batch and device.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    (ndarray, ndarray)
        Forward, backward. [byte]

    Notes
    -----
    Of a fused block forward: two norms and two residual sums, 20 bytes a
    hidden element; rotary 4 bytes a query and key element; the activation
    twice its inputs and output; permutation to experts and back, 8 bytes an
    element of every copy and pass. Backward is twice that, and adds the gradient of the
    weights, read and written once a micro-batch. fp8 quantises both operands
    of every product. Norms and sums are cut by tp under sequence parallelism.

    References
    ----------
    .. [1] V. Korthikanti et al., "Reducing activation recomputation in large
       transformer models," arXiv 2205.05198, 2022.
    """
    tokens, hidden = c.tokens, c.hidden
    split = np.where(c.sequence_parallel > 0, c.tp, 1.0)
    rotary = 4.0 * (c.heads + c.kv_heads) * c.head_dim / c.tp
    block = c.blocks * (20.0 * hidden / split + rotary)
    width = c.dense_blocks * c.ffn_hidden / c.tp
    copies = 0.0
    if c.any_experts:
        copies = c.top_k * c.expert_tp / c.tp
        width = width + c.moe_blocks * (
            copies * c.moe_ffn_hidden / c.expert_tp + c.shared_width / c.tp
        )
    block = block + 2.0 * c.mlp_matrices * width
    forward = tokens * block * c.traffic_passes
    if c.any_experts:
        forward = forward + tokens * c.moe_blocks * copies * hidden * 8.0 * c.permute_passes
    backward = 2.0 * forward + 2.0 * c.gradient_bytes * c.body_share
    if c.any_fp8:
        inputs = c.blocks * (hidden + c.heads * c.v_head_dim / c.tp) + width
        inputs = inputs + (c.dense_blocks + c.moe_blocks * copies) * hidden
        cast = c.is_fp8 * c.cast_bytes * tokens * inputs
        forward, backward = forward + cast, backward + 1.5 * cast
    return forward, backward


def head(c: Columns) -> tuple[Pass, Floats]:
    """
    Output head and loss: products forward and backward, traffic. [s], [byte]

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    ((ndarray, ndarray), ndarray)
        Products [s] and traffic of loss and embedding [byte], of a micro-batch.

    Notes
    -----
    In 16 bits whatever the blocks use. The logits are read and written about
    `LOSS_BYTES` an element; the embedding three times a hidden element each way.

    References
    ----------
    .. [1] M. Shoeybi et al., "Megatron-LM," arXiv 1909.08053, 2019: parallel loss.
    """
    vocab = c.vocab / c.tp
    forward, backward = _linear(c, c.tokens, c.hidden, vocab, c.product_16)
    moved = c.tokens * (LOSS_BYTES * vocab * c.heads_out + 14.0 * c.hidden)
    return (forward * c.heads_out, backward * c.heads_out), moved


def encoder(c: Columns) -> tuple[Pass, Pass]:
    """
    The encoder in front: (products and attention), (traffic), a micro-batch and device.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    ((ndarray, ndarray), (ndarray, ndarray))
        Forward and backward time of compute [s], and traffic [byte].

    Notes
    -----
    Attention sees all tokens of a sequence's encoder; a frozen encoder has no
    backward. Cut by tp as the language model is, and by cp along its tokens.

    References
    ----------
    .. [1] A. Dosovitskiy et al., "An image is worth 16x16 words," ICLR 2021.
    """
    tokens = c.micro_batch * c.encoder_tokens / c.cp
    hidden, width, rate = c.encoder_hidden, c.encoder_ffn_hidden / c.tp, c.product_rate
    total = _add(None, _linear(c, tokens, hidden, 3.0 * hidden / c.tp, rate), c.encoder_layers)
    for inputs, outputs in ((hidden / c.tp, hidden), (hidden, width), (width, hidden)):
        total = _add(total, _linear(c, tokens, inputs, outputs, rate), c.encoder_layers)
    square = 4.0 * tokens * c.encoder_tokens * hidden / c.tp * c.encoder_layers
    core = square / (c.product_16 * c.attention_frac * c.attention_rate_frac)
    trained = 1.0 - c.encoder_frozen
    moved = c.encoder_layers * tokens * (20.0 * hidden + 4.0 * width) * c.traffic_passes
    return (
        (total[0] + core, trained * (total[1] + 2.5 * core)),
        (moved, 2.0 * trained * moved),
    )


def kernels(c: Columns) -> Floats:
    """
    Kernels that one block launches forward; backward launches twice as many.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    ndarray
        [row]

    Notes
    -----
    Five products with attention and their element-wise kernels; two
    collectives under tp; router, permutation and two all-to-alls for experts,
    and an expert and matrix a product, copies, and quantisation; quantisation
    of plain products under fp8.

    References
    ----------
    .. [1] NVIDIA, "CUDA C++ best practices guide," 2024.
    """
    count = 24.0 + 4.0 * (c.tp > 1.0)
    if c.any_experts:
        own = np.maximum(c.experts / c.ep, 1.0)
        count = count + (c.moe_blocks > 0) * (
            24.0 + own * (4.0 + 4.0 * c.is_fp8 + 8.0 * c.is_block)
        )
    if c.any_fp8:
        count = count + 8.0 * c.is_fp8
    result: Floats = count
    return result
