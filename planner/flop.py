"""Operations of a model: recompute is not counted, causal attention is halved."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.column import Floats
from planner.architecture import (
    ModelTable,
    active_parameters,
    embedding_parameters,
    head_parameters,
    mtp_parameters,
    norm_parameters,
)

__all__ = ["context_tokens", "encoder_flop", "matrix_parameters", "model_flop_per_token"]


def context_tokens(
    seq_len: Any, *, softmax_layers: Any, window_layers: Any = 0.0, window: Any = 1.0
) -> Floats:
    """
    Tokens that a token attends to, summed over layers, mean over the sequence.

    Parameters
    ----------
    seq_len : array_like
        Length of a sequence. [token]
    softmax_layers, window_layers : array_like
        Layers of softmax attention, and those of them that see a window only.
    window : array_like
        [token]

    Returns
    -------
    ndarray
        Half the sequence a layer; in a window `w` of `s` tokens ``w (1 - w / 2s)``. [token]

    References
    ----------
    .. [1] A. Chowdhery et al., "PaLM," arXiv 2204.02311, 2022, appendix B:
       the convention, there without the causal half.

    Examples
    --------
    >>> float(context_tokens(4096, softmax_layers=2))
    4096.0
    """
    seq = np.asarray(seq_len, dtype=np.float64)
    seen = np.minimum(np.maximum(window, 1.0), seq)
    full = (softmax_layers - window_layers) * seq * 0.5
    result: Floats = full + window_layers * seen * (1.0 - 0.5 * seen / seq)
    return result


def matrix_parameters(models: ModelTable) -> Floats:
    """
    Weights that a token is multiplied with, output head and MTP included. [model]

    Parameters
    ----------
    models : ModelTable
        [model]

    Returns
    -------
    ndarray
        Of routed experts only those that a token visits; a tied head counts once. [model]

    Notes
    -----
    The input embedding is a look-up and norms are no matrices.

    References
    ----------
    .. [1] A. Chowdhery et al., arXiv 2204.02311, 2022, appendix B.
    """
    vocab = models.vocab.astype(np.float64) * models.hidden
    idle = np.maximum(models.experts - models.top_k, 0) * models.mlp_matrices
    asleep = idle * models.hidden * models.moe_ffn_hidden.astype(np.float64)
    sparse_mtp = np.where(models.mtp_dense > 0, 0, models.mtp_layers)
    mtp = mtp_parameters(models) - sparse_mtp * asleep + models.mtp_layers * vocab
    body = active_parameters(models) - embedding_parameters(models) - head_parameters(models)
    result: Floats = body - norm_parameters(models) + vocab + mtp
    return result


def encoder_flop(models: ModelTable) -> Floats:
    """
    Operations of the encoder a sequence, forward and, where it is trained, backward. [model]

    Parameters
    ----------
    models : ModelTable
        [model]

    Returns
    -------
    ndarray
        [FLOP]

    Notes
    -----
    Attention of an encoder sees all its tokens, nothing is halved.

    References
    ----------
    .. [1] A. Chowdhery et al., arXiv 2204.02311, 2022, appendix B.
    """
    hidden = models.encoder_hidden.astype(np.float64)
    weights = 4.0 * hidden * hidden + 2.0 * hidden * models.encoder_ffn_hidden
    tokens = models.encoder_tokens.astype(np.float64)
    forward = models.encoder_layers * tokens * (2.0 * weights + 4.0 * hidden * tokens)
    result: Floats = forward * np.where(models.encoder_frozen > 0, 1.0, 3.0)
    return result


def model_flop_per_token(models: ModelTable, seq_len: Any) -> Floats:
    """
    Operations that training spends on a token of the language model.

    Parameters
    ----------
    models : ModelTable
        [model]
    seq_len : array_like
        Length of a sequence; one for all models, or one a model. [token]

    Returns
    -------
    ndarray
        Forward and backward: six a weight, and attention halved for causality. [FLOP]

    Notes
    -----
    The encoder counts a sequence, not a token: see `encoder_flop`. A layer of
    linear attention counts its weights, and its state of
    ``heads * head_dim * v_head_dim`` written and read.

    References
    ----------
    .. [1] A. Chowdhery et al., arXiv 2204.02311, 2022, appendix B.
    """
    softmax = models.layers + models.mtp_layers - models.linear_layers
    context = context_tokens(
        seq_len,
        softmax_layers=softmax,
        window_layers=models.window_layers,
        window=models.window.astype(np.float64),
    )
    heads = models.heads.astype(np.float64)
    scores = 2.0 * heads * (models.head_dim + models.v_head_dim) * context
    state = 4.0 * models.linear_layers * heads * models.head_dim * models.v_head_dim
    result: Floats = 6.0 * matrix_parameters(models) + 3.0 * (scores + state)
    return result
