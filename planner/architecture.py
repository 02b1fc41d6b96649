"""Shapes of language models as columns, and the parameters that each part of a shape holds."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from hardware.column import Floats, Ints, row_count, seal

__all__ = [
    "ModelTable",
    "active_parameters",
    "attention_layer_parameters",
    "attention_parameters",
    "dense_mlp_layer_parameters",
    "dense_mlp_parameters",
    "embedding_parameters",
    "encoder_parameters",
    "expert_layer_parameters",
    "expert_parameters",
    "head_parameters",
    "linear_layer_parameters",
    "model_table",
    "mtp_parameters",
    "norm_parameters",
    "parameters",
    "router_layer_parameters",
    "router_parameters",
    "shared_expert_layer_parameters",
    "shared_expert_parameters",
]

_SHORT_CONVOLUTION = 4
"""Taps of the convolution over q, k and v in linear attention (arXiv 2510.26692)."""


def _no_column() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class ModelTable:
    """
    Shapes of models, one a row; every column is a count or a width, never a unit. [model]

    Notes
    -----
    `experts` is 0 for a dense model, and then `dense_layers` equals `layers`.
    A row has MLA (multi-head latent attention) exactly where `kv_lora` is
    positive. `encoder_ffn_hidden` is the width of a plain two-matrix MLP; an
    encoder with a gated MLP is entered with one and a half times its width.
    """

    names: tuple[str, ...]
    layers: Ints  # [model] blocks of the language model, without MTP
    hidden: Ints  # [model]
    ffn_hidden: Ints  # [model] width of a dense MLP; 0 where no layer is dense
    heads: Ints  # [model]
    kv_heads: Ints  # [model]
    head_dim: Ints  # [model] of queries and keys; MLA: without plus with position
    v_head_dim: Ints  # [model]
    vocab: Ints  # [model]
    experts: Ints  # [model] routed experts a layer; 0 = dense
    top_k: Ints  # [model] routed experts a token
    moe_ffn_hidden: Ints  # [model] width of one routed expert
    shared_experts: Ints  # [model]
    shared_ffn_hidden: Ints  # [model] width of ONE shared expert
    dense_layers: Ints  # [model] layers with a dense MLP, the leading ones
    mlp_matrices: Ints  # [model] 3 gated, 2 plain
    q_lora: Ints  # [model] MLA rank of queries; 0 = queries are not compressed
    kv_lora: Ints  # [model] MLA rank of keys and values; 0 = no MLA
    rope_head_dim: Ints  # [model] MLA part of head_dim that carries position
    window_layers: Ints  # [model] layers whose attention sees `window` tokens only
    window: Ints  # [model] tokens
    linear_layers: Ints  # [model] layers of linear attention, without a quadratic term
    mtp_layers: Ints  # [model] multi-token-prediction blocks behind the last layer
    tied_embeddings: Ints  # [model] 1 = input and output embedding are one matrix
    max_positions: Ints  # [model] learned position embeddings; 0 = rotary or none
    qk_norm: Ints  # [model] 1 = queries and keys are normalised a head
    attention_gate: Ints  # [model] 1 = attention output is gated, a value each
    expert_groups: Ints  # [model] groups of group-limited routing; 0 = none
    groups_per_token: Ints  # [model]
    encoder_layers: Ints  # [model]
    encoder_hidden: Ints  # [model]
    encoder_ffn_hidden: Ints  # [model]
    encoder_heads: Ints  # [model]
    encoder_tokens: Ints  # [model] encoder tokens a sequence; 0 = no encoder
    encoder_frozen: Ints  # [model] 1 = the encoder is not trained
    mtp_dense: Ints = field(default_factory=_no_column)
    # [model] 1 = MTP blocks have a dense MLP though the model has experts; left out = 0

    def __post_init__(self) -> None:
        if not len(self.mtp_dense):
            object.__setattr__(self, "mtp_dense", np.zeros(len(self.names), dtype=np.int64))
        for column in fields(self):
            if column.name != "names":
                written = np.asarray(getattr(self, column.name))
                values = written.astype(np.int64)
                if values.ndim != 1:
                    raise ValueError(f"ModelTable.{column.name} is not one-dimensional")
                if (values != written).any():
                    raise ValueError(f"ModelTable.{column.name} holds a fraction: {written}")
                object.__setattr__(self, column.name, values)
        seal(self)

    def __repr__(self) -> str:
        lines = [f"ModelTable [model]: {row_count(self)} models, parameters in 10^9"]
        totals, actives = parameters(self) / 1e9, active_parameters(self) / 1e9
        for name, layers, hidden, experts, total, active in zip(
            self.names, self.layers, self.hidden, self.experts, totals, actives, strict=True
        ):
            kind = f"{experts} experts" if experts else "dense"
            lines.append(
                f"  {name:<32} {layers:>4} x {hidden:<6} {kind:<12}"
                f" total {total:8.2f}  active {active:8.2f}"
            )
        return "\n".join(lines)


def model_table(names: tuple[str, ...], **columns: Ints) -> ModelTable:
    """
    A table from the columns that are known, the rest filled by their plain meaning.

    Parameters
    ----------
    names : tuple of str
        One a model.
    **columns : array_like
        Columns of `ModelTable`; scalars are repeated. `layers`, `hidden`,
        `heads` and `vocab` are needed, and `ffn_hidden` or `moe_ffn_hidden`.

    Returns
    -------
    ModelTable
        [model]

    Raises
    ------
    ValueError
        A column is needed and missing, or is not a column of the table.

    Notes
    -----
    A column left out means: kv_heads = heads; head_dim = hidden / heads;
    v_head_dim = head_dim; shared_ffn_hidden = moe_ffn_hidden; dense_layers =
    layers where there are no experts and 0 elsewhere; mlp_matrices = 3;
    everything else 0.

    Examples
    --------
    >>> table = model_table(
    ...     ("tiny",), layers=2, hidden=8, heads=2, ffn_hidden=32, vocab=10, mlp_matrices=2
    ... )
    >>> int(table.head_dim[0]), int(table.dense_layers[0])
    (4, 2)
    """
    known = {column.name for column in fields(ModelTable)} - {"names"}
    for name in columns:
        if name not in known:
            raise ValueError(f"ModelTable has no column {name!r}")
    for name in ("layers", "hidden", "heads", "vocab"):
        if name not in columns:
            raise ValueError(f"a model table needs the column {name!r}")
    count = len(names)
    given = {name: np.broadcast_to(values, (count,)) for name, values in columns.items()}
    zeros = np.zeros(count, dtype=np.int64)
    given.setdefault("kv_heads", given["heads"])
    given.setdefault("head_dim", given["hidden"] // np.maximum(given["heads"], 1))
    given.setdefault("v_head_dim", given["head_dim"])
    given.setdefault("experts", zeros)
    given.setdefault("moe_ffn_hidden", zeros)
    given.setdefault("shared_ffn_hidden", given["moe_ffn_hidden"])
    given.setdefault("dense_layers", np.where(given["experts"] == 0, given["layers"], 0))
    given.setdefault("mlp_matrices", zeros + 3)
    return ModelTable(names=names, **{name: given.get(name, zeros) for name in known})


def _floats(column: Ints) -> Floats:
    return column.astype(np.float64)


def embedding_parameters(model: ModelTable) -> Floats:
    """Input embedding and learned positions. [model]"""
    return (_floats(model.vocab) + model.max_positions) * model.hidden


def head_parameters(model: ModelTable) -> Floats:
    """Output embedding, 0 where it is the input embedding again. [model]"""
    return _floats(model.vocab) * model.hidden * (1 - model.tied_embeddings)


def attention_layer_parameters(model: ModelTable) -> Floats:
    """
    Projections of one softmax-attention layer. [model]

    Notes
    -----
    Multi-head and grouped-query attention: q, k, v and output matrices. MLA
    [1]_: queries straight or through a rank-`q_lora` pair, keys and values
    through a rank-`kv_lora` pair beside the one shared positional key. An
    output gate is read from the hidden state, or from the compressed query
    where there is one.

    References
    ----------
    .. [1] DeepSeek-AI, "DeepSeek-V2: a strong, economical, and efficient
       mixture-of-experts language model," arXiv 2405.04434, 2024.
    """
    hidden = _floats(model.hidden)
    queries = _floats(model.heads) * model.head_dim
    values = _floats(model.heads) * model.v_head_dim
    plain_kv = hidden * model.kv_heads * (model.head_dim + model.v_head_dim)
    nope = model.head_dim - model.rope_head_dim
    latent_kv = hidden * (model.kv_lora + model.rope_head_dim) + _floats(
        model.kv_lora
    ) * model.kv_heads * (nope + model.v_head_dim)
    query = np.where(model.q_lora > 0, model.q_lora * (hidden + queries), hidden * queries)
    keys_values = np.where(model.kv_lora > 0, latent_kv, plain_kv)
    norms = (model.q_lora + model.kv_lora) + model.qk_norm * 2 * model.head_dim
    gate = model.attention_gate * values * np.where(model.q_lora > 0, model.q_lora, hidden)
    result: Floats = query + keys_values + values * hidden + gate + norms
    return result


def linear_layer_parameters(model: ModelTable) -> Floats:
    """
    Projections of one linear-attention layer. [model]

    Notes
    -----
    Counted as Kimi Delta Attention [1]_ with as many heads as the softmax
    layers: q, k, v and output matrices, a decay and an output gate through a
    rank-`head_dim` pair each, a write strength a head, short convolutions.

    References
    ----------
    .. [1] Kimi Team, "Kimi Linear: an expressive, efficient attention
       architecture," arXiv 2510.26692, 2025.
    """
    hidden = _floats(model.hidden)
    keys = _floats(model.heads) * model.head_dim
    values = _floats(model.heads) * model.v_head_dim
    matrices = hidden * (2 * keys + 2 * values)
    gates = (hidden + keys) * model.head_dim + (hidden + values) * model.v_head_dim
    small = hidden * model.heads + _SHORT_CONVOLUTION * (2 * keys + values) + keys + model.heads
    result: Floats = matrices + gates + small + model.v_head_dim
    return result


def attention_parameters(model: ModelTable) -> Floats:
    """All attention layers, softmax and linear, without MTP. [model]"""
    softmax = model.layers - model.linear_layers
    return softmax * attention_layer_parameters(
        model
    ) + model.linear_layers * linear_layer_parameters(model)


def dense_mlp_layer_parameters(model: ModelTable) -> Floats:
    """One dense MLP. [model]"""
    return _floats(model.mlp_matrices) * model.hidden * model.ffn_hidden


def dense_mlp_parameters(model: ModelTable) -> Floats:
    """All dense MLPs, without MTP. [model]"""
    return model.dense_layers * dense_mlp_layer_parameters(model)


def expert_layer_parameters(model: ModelTable) -> Floats:
    """One routed expert of one layer. [model]"""
    return _floats(model.mlp_matrices) * model.hidden * model.moe_ffn_hidden * (model.experts > 0)


def expert_parameters(model: ModelTable) -> Floats:
    """All routed experts, without MTP. [model]"""
    return _moe_layers(model) * model.experts * expert_layer_parameters(model)


def shared_expert_layer_parameters(model: ModelTable) -> Floats:
    """The shared experts of one layer together. [model]"""
    width = _floats(model.shared_experts) * model.shared_ffn_hidden
    return _floats(model.mlp_matrices) * model.hidden * width * (model.experts > 0)


def shared_expert_parameters(model: ModelTable) -> Floats:
    """All shared experts, without MTP. [model]"""
    return _moe_layers(model) * shared_expert_layer_parameters(model)


def router_layer_parameters(model: ModelTable) -> Floats:
    """The router of one layer: a matrix, and a balancing bias an expert. [model]"""
    return (_floats(model.hidden) + 1) * model.experts


def router_parameters(model: ModelTable) -> Floats:
    """All routers, without MTP. [model]"""
    return _moe_layers(model) * router_layer_parameters(model)


def norm_parameters(model: ModelTable) -> Floats:
    """Two norms a layer and the last one; norms inside attention belong to attention. [model]"""
    return _floats(model.hidden) * (2 * model.layers + 1)


def mtp_parameters(model: ModelTable) -> Floats:
    """
    Multi-token-prediction blocks; they share embedding and head with the model. [model]

    Notes
    -----
    A block is one attention layer, one MLP (dense or with experts, see
    `mtp_dense`), the matrix that joins hidden state and next embedding, and
    the norms round them (DeepSeek-V3 report, arXiv 2412.19437, section 2.2).
    """
    hidden = _floats(model.hidden)
    dense = dense_mlp_layer_parameters(model)
    sparse = (
        model.experts * expert_layer_parameters(model)
        + shared_expert_layer_parameters(model)
        + router_layer_parameters(model)
    )
    mlp = np.where((model.experts > 0) & (model.mtp_dense == 0), sparse, dense)
    block = attention_layer_parameters(model) + mlp + 2 * hidden * hidden + 5 * hidden
    result: Floats = model.mtp_layers * block
    return result


def encoder_parameters(model: ModelTable) -> Floats:
    """The blocks of the encoder, without its patch embedding and projector. [model]"""
    hidden = _floats(model.encoder_hidden)
    block = 4 * hidden * hidden + 2 * hidden * model.encoder_ffn_hidden + 2 * hidden
    return model.encoder_layers * block


def parameters(model: ModelTable) -> Floats:
    """
    Parameters of each model as publishers count them: encoder included, MTP blocks not. [model]

    Notes
    -----
    Add `mtp_parameters` for all that is trained. Biases are not counted: 0.1 %
    of a 124M model that has them everywhere, and less of a larger one. Nor are
    the patch embedding and projector of an encoder, and sparse-attention
    indexers: 0.04 % of A.X-K2.
    """
    return (
        embedding_parameters(model)
        + head_parameters(model)
        + attention_parameters(model)
        + dense_mlp_parameters(model)
        + expert_parameters(model)
        + shared_expert_parameters(model)
        + router_parameters(model)
        + norm_parameters(model)
        + encoder_parameters(model)
    )


def active_parameters(model: ModelTable) -> Floats:
    """
    Parameters that one text token passes through. [model]

    Notes
    -----
    Both embeddings count, as in nearly every published figure; MTP blocks and
    the encoder do not. Some publishers leave the input embedding out: subtract
    `embedding_parameters` to compare with them.
    """
    idle = model.experts - np.minimum(model.top_k, model.experts)
    asleep = _moe_layers(model) * idle * expert_layer_parameters(model)
    return parameters(model) - encoder_parameters(model) - asleep


def _moe_layers(model: ModelTable) -> Ints:
    """Layers with routed experts. [model]"""
    result: Ints = np.where(model.experts > 0, model.layers - model.dense_layers, 0)
    return result
