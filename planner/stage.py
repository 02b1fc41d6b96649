"""What a pipeline stage holds: its blocks, its parameters a device, its micro-batches in flight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Floats
from planner.architecture import (
    ModelTable,
    attention_parameters,
    dense_mlp_layer_parameters,
    embedding_parameters,
    encoder_parameters,
    expert_layer_parameters,
    mtp_parameters,
    norm_parameters,
    router_layer_parameters,
    shared_expert_layer_parameters,
)
from planner.cut import Cut, Flow

__all__ = [
    "POSITIONS",
    "Sizes",
    "Stage",
    "has_empty_stage",
    "in_flight_layers",
    "sizes",
    "stage",
    "stage_layers",
]

# The stages that can hold the most: the first has the most micro-batches in flight, the second
# the same without leading dense layers, the last has the output head and the loss.
POSITIONS = ("first", "second", "last")

_AFTER_HEAD = 2
"""Modules behind the output head that can fill a stage: the cast of the logits, and the loss."""


@dataclass(frozen=True)
class Sizes:
    """Parameters of a model by part. [model], or gathered [row]"""

    layers: Floats
    dense_layers: Floats
    head_layers: Floats  # cost of the output head in blocks
    attention: Floats  # a block
    dense_mlp: Floats  # a block
    shared: Floats  # shared experts of a block
    routed: Floats  # routed experts of a block, all of them
    whole: Floats  # norms of a block: not cut by tensor parallelism
    router: Floats
    embedding: Floats
    vocabulary: Floats  # output embedding
    tied: Floats
    mtp: Floats  # MTP blocks without their routed experts
    mtp_experts: Floats
    encoder: Floats
    frozen: Floats  # 1 where the encoder is not trained


@dataclass(frozen=True)
class Stage:
    """Contents of one stage of the pipeline, a device; columns over [row]."""

    layers: Floats  # blocks of the stage
    dense_layers: Floats  # of those, blocks with a dense MLP
    moe_layers: Floats  # of those, blocks with experts
    dense_parameters: Floats  # parameters that a tensor-parallel rank holds, experts left out
    expert_parameters: Floats  # routed-expert parameters that a rank holds
    frozen_parameters: Floats  # parameters without gradient
    in_flight_layers: Floats  # blocks times micro-batches whose activations wait for backward
    is_first: Floats  # 1 where the stage embeds tokens
    is_last: Floats  # 1 where the stage computes the loss


def sizes(models: ModelTable) -> Sizes:
    """
    Parameters by part.

    Parameters
    ----------
    models : ModelTable
        [model]

    Returns
    -------
    Sizes
        Counts of parameters. [model]

    Notes
    -----
    Attention parameters are the mean over softmax and linear layers.

    References
    ----------
    .. [1] `planner.architecture` holds the counts and their sources.
    """
    layers = models.layers.astype(np.float64)
    experts = models.experts > 0
    attention = attention_parameters(models) / layers
    dense_mlp = dense_mlp_layer_parameters(models)
    expert = expert_layer_parameters(models)
    shared = shared_expert_layer_parameters(models)
    vocabulary = models.vocab.astype(np.float64) * models.hidden
    active = attention + np.where(experts, models.top_k * expert + shared, dense_mlp)
    routed = models.experts * expert
    mtp_experts = np.where(experts & (models.mtp_dense == 0), models.mtp_layers * routed, 0.0)
    return Sizes(
        layers=layers,
        dense_layers=np.where(experts, models.dense_layers, layers).astype(np.float64),
        head_layers=vocabulary / active,
        attention=attention,
        dense_mlp=dense_mlp,
        shared=shared,
        routed=routed,
        whole=norm_parameters(models) / layers,
        router=router_layer_parameters(models),
        embedding=embedding_parameters(models),
        vocabulary=vocabulary,
        tied=models.tied_embeddings.astype(np.float64),
        mtp=mtp_parameters(models) - mtp_experts,
        mtp_experts=mtp_experts,
        encoder=encoder_parameters(models),
        frozen=models.encoder_frozen.astype(np.float64),
    )


def stage_layers(layers: Floats, pp: Floats, head_layers: Floats, position: int) -> Floats:
    """
    Blocks of a pipeline stage.

    Parameters
    ----------
    layers, pp : ndarray
        Blocks of the model, stages of the pipeline. [row]
    head_layers : ndarray
        The cost of the output head in blocks where the stack balances cost, 0
        where it balances the number of blocks. [row]
    position : int
        Index into `POSITIONS`.

    Returns
    -------
    ndarray
        Number of blocks, 0 where the pipeline has no such stage. [row]

    Notes
    -----
    By count: every stage gets ``ceil(layers / pp)``, the missing ones are
    taken from the last stage and then from the first, beside the head and the
    embedding. By cost: a stage is closed with the block that passes its share
    of ``layers + head_layers``, which fills early stages first.

    References
    ----------
    .. [1] Llama Team, "The Llama 3 herd of models," arXiv 2407.21783, 2024:
       first and last stage one block short.

    Examples
    --------
    >>> one = lambda number: np.array([float(number)])
    >>> [float(stage_layers(one(126), one(16), np.zeros(1), p)[0]) for p in range(3)]
    [7.0, 8.0, 7.0]
    """
    most = np.ceil(layers / pp)
    missing = most * pp - layers
    counted = (most - (missing >= 2.0), most * (pp > 2.0), most - (missing >= 1.0))[position]
    if not head_layers.any():
        return counted
    share = (layers + head_layers) / pp
    first = np.where(pp > 1.0, np.minimum(np.floor(share) + 1.0, layers), layers)
    if position == 0:
        costed = first
    elif position == 1:
        costed = (np.minimum(np.floor(2.0 * share) + 1.0, layers) - first) * (pp > 2.0)
    else:
        opened = np.where(pp > 1.0, np.floor((pp - 1.0) * share) + 1.0, 0.0)
        costed = np.maximum(layers - opened, 0.0)
    result: Floats = np.where(head_layers > 0, costed, counted)
    return result


def has_empty_stage(layers: Floats, pp: Floats, head_layers: Floats) -> Bools:
    """
    Whether some stage of the pipeline is left without anything to compute.

    Parameters
    ----------
    layers, pp, head_layers : ndarray
        As in `stage_layers`. [row]

    Returns
    -------
    ndarray of bool
        True where stages outnumber the blocks, or where a split by cost closes
        the pipeline early: more than two stages follow the one that the output
        head falls on. [row]

    Notes
    -----
    No program runs such a layout, whatever its memory.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.
    """
    outnumbered: Bools = pp > layers
    if not head_layers.any():
        return outnumbered
    share = (layers + head_layers) / pp
    head_stage = np.ceil(layers / share) - 1.0
    early: Bools = (head_layers > 0) & (pp - 1.0 - head_stage > _AFTER_HEAD)
    return outnumbered | early


def in_flight_layers(by: Cut | Flow, layers: Floats, position: int) -> Floats:
    """
    Blocks of a stage times the micro-batches that wait in it for their backward pass. [row]

    Notes
    -----
    1F1B keeps ``pp - i`` micro-batches on stage `i`; the interleaved schedule
    keeps ``2 (pp - 1 - i) + (interleave - 1) pp + 1`` chunks of
    ``layers / interleave`` blocks [1]_. The zero-bubble schedule is the one
    with the memory of 1F1B (ZB-H1).

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.
    """
    behind = (by.pp - 1.0, np.maximum(by.pp - 2.0, 0.0), 0.0)[position]
    plain = np.minimum(behind + 1.0, by.micro_batches)
    if not by.is_woven.any():
        result: Floats = layers * plain
        return result
    chunks = 2.0 * behind + (by.interleave - 1.0) * by.pp + 1.0
    woven = np.minimum(chunks / by.interleave, by.micro_batches)
    mixed: Floats = layers * (plain + by.is_woven * (woven - plain))
    return mixed


def stage(of: Sizes, by: Cut, head_layers: Floats, position: int) -> Stage:
    """
    Contents of the stage at a position, a device, for every row.

    Parameters
    ----------
    of : Sizes
        Parameters by part. [row]
    by : Cut
        [row]
    head_layers : ndarray
        As in `stage_layers`. [row]
    position : int
        Index into `POSITIONS`.

    Returns
    -------
    Stage
        [row]

    Notes
    -----
    The encoder stands on the first stage, MTP blocks and the output head on
    the last; tied embeddings are held twice when the pipeline has more than
    one stage. Tensor parallelism cuts everything but norms and routers.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.
    """
    layers = stage_layers(of.layers, by.pp, head_layers, position)
    ones, single = np.ones(len(layers)), by.is_single
    is_first = (ones, 0.0 * ones, single)[position]
    is_last = (single, 0.0 * ones, ones)[position]
    before: Floats = 0.0 * ones
    if position == 1:
        before = stage_layers(of.layers, by.pp, head_layers, 0)
    elif position == 2:
        before = of.layers - layers
    dense = np.minimum(np.maximum(of.dense_layers - before, 0.0), layers)
    moe = layers - dense
    split = of.attention * layers + of.dense_mlp * dense + of.shared * moe
    if position != 1:
        split = split + (of.embedding + of.encoder * (1.0 - of.frozen)) * is_first
        split = split + (of.vocabulary * (1.0 - of.tied * single) + of.mtp) * is_last
    return Stage(
        layers=layers,
        dense_layers=dense,
        moe_layers=moe,
        dense_parameters=split / by.tp + of.whole * layers + of.router * moe,
        expert_parameters=(of.routed * moe + of.mtp_experts * is_last) / by.experts_cut,
        frozen_parameters=of.encoder * of.frozen * is_first / by.tp,
        in_flight_layers=in_flight_layers(by, layers, position),
        is_first=is_first,
        is_last=is_last,
    )
