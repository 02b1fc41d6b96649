"""What a pipeline stage holds: its layers, its parameters a device, its micro-batches in flight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Floats, Ints
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
from planner.stack import StackTable
from planner.strategy import INTERLEAVED, StrategyTable

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


def stage_layers(layers: Ints, pp: Ints, head_layers: Floats, position: int) -> Floats:
    """
    Blocks of a pipeline stage.

    Parameters
    ----------
    layers, pp : ndarray of int
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

    Examples
    --------
    >>> one = lambda number: np.array([number])
    >>> [float(stage_layers(one(126), one(16), np.zeros(1), p)[0]) for p in range(3)]
    [7.0, 8.0, 7.0]
    """
    ceil = -(-layers // pp)
    missing = ceil * pp - layers
    share = (layers + head_layers) / pp
    by_cost = head_layers > 0
    first = np.where(by_cost, np.minimum(np.floor(share) + 1, layers), ceil - (missing >= 2))
    first = np.where(pp == 1, layers, first)
    if position == 0:
        return first.astype(np.float64)
    if position == 1:
        closed = np.minimum(np.floor(2 * share) + 1, layers) - first
        second = np.where(by_cost, closed, ceil)
        return np.where(pp > 2, second, 0).astype(np.float64)
    opened = np.minimum(np.floor((pp - 1) * share) + 1, layers)
    last = np.where(by_cost, layers - opened, ceil - (missing >= 1))
    return np.where(pp == 1, layers, np.maximum(last, 0)).astype(np.float64)


def has_empty_stage(of: Sizes, pp: Ints) -> Bools:
    """
    Whether some stage of the pipeline is left without anything to compute.

    Parameters
    ----------
    of : Sizes
        [row]
    pp : ndarray of int
        Stages of the pipeline. [row]

    Returns
    -------
    ndarray of bool
        True where stages outnumber the blocks, or where a split by cost closes
        the pipeline early: the output head falls on a stage behind which more
        than `_AFTER_HEAD` stages follow. [row]

    Notes
    -----
    No program runs such a layout, whatever its memory.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.
    """
    share = (of.layers + of.head_layers) / pp
    head_stage = np.ceil(of.layers / share) - 1.0
    early = (of.head_layers > 0) & (pp - 1 - head_stage > _AFTER_HEAD)
    result: Bools = (pp > of.layers) | early
    return result


def in_flight_layers(rows: StrategyTable, layers: Floats, position: int) -> Floats:
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
    index = np.minimum(position, rows.pp - 1) if position < 2 else rows.pp - 1
    batches = np.maximum(rows.micro_batches, 1)
    plain = np.minimum(rows.pp - index, batches)
    chunks = 2 * (rows.pp - 1 - index) + (rows.interleave - 1) * rows.pp + 1
    chunks = np.minimum(chunks, batches * rows.interleave)
    woven = (rows.schedule == INTERLEAVED) & (rows.interleave > 1)
    result: Floats = layers * np.where(woven, chunks / np.maximum(rows.interleave, 1), plain)
    return result


@dataclass(frozen=True)
class Sizes:
    """Parameters by part, gathered from the model of each row. [row]"""

    layers: Ints
    dense_layers: Floats
    head_layers: Floats  # cost of the output head in blocks, 0 where the stack counts blocks
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


def sizes(models: ModelTable, stacks: StackTable, rows: StrategyTable) -> Sizes:
    """
    Parameters by part for every row.

    Parameters
    ----------
    models, stacks
        Tables whose row numbers stand in `rows`.
    rows : StrategyTable
        [row]

    Returns
    -------
    Sizes
        Counts of parameters. [row]

    Notes
    -----
    Attention parameters are the mean over softmax and linear layers.

    References
    ----------
    .. [1] `planner.architecture` holds the counts and their sources.
    """
    pick = rows.model
    layers = models.layers
    experts = models.experts > 0
    attention = attention_parameters(models) / layers
    dense_mlp = dense_mlp_layer_parameters(models)
    expert = expert_layer_parameters(models)
    shared = shared_expert_layer_parameters(models)
    vocabulary = models.vocab.astype(np.float64) * models.hidden
    active = attention + np.where(experts, models.top_k * expert + shared, dense_mlp)
    routed = models.experts * expert
    mtp_experts = np.where(experts & (models.mtp_dense == 0), models.mtp_layers * routed, 0.0)
    by_cost = stacks.stages_by_cost[rows.stack]
    dense_layers = np.where(experts, models.dense_layers, layers).astype(np.float64)
    return Sizes(
        layers=layers[pick],
        dense_layers=dense_layers[pick],
        head_layers=np.where(by_cost, (vocabulary / active)[pick], 0.0),
        attention=attention[pick],
        dense_mlp=dense_mlp[pick],
        shared=shared[pick],
        routed=routed[pick],
        whole=(norm_parameters(models) / layers)[pick],
        router=router_layer_parameters(models)[pick],
        embedding=embedding_parameters(models)[pick],
        vocabulary=vocabulary[pick],
        tied=models.tied_embeddings[pick].astype(np.float64),
        mtp=(mtp_parameters(models) - mtp_experts)[pick],
        mtp_experts=mtp_experts[pick],
        encoder=encoder_parameters(models)[pick],
        frozen=models.encoder_frozen[pick].astype(np.float64),
    )


def stage(of: Sizes, rows: StrategyTable, position: int) -> Stage:
    """
    Contents of the stage at a position, a device, for every row.

    Parameters
    ----------
    of : Sizes
        Parameters by part. [row]
    rows : StrategyTable
        [row]
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
    layers = stage_layers(of.layers, rows.pp, of.head_layers, position)
    single = rows.pp == 1
    is_first = np.ones(len(single)) if position == 0 else single.astype(np.float64)
    is_last = np.ones(len(single)) if position == 2 else single.astype(np.float64)
    if position == 1:
        is_first, is_last = np.zeros(len(single)), np.zeros(len(single))
    before: Floats = np.zeros(1)
    if position == 1:
        before = stage_layers(of.layers, rows.pp, of.head_layers, 0)
    elif position == 2:
        before = of.layers - layers
    dense = np.clip(of.dense_layers - before, 0.0, layers)
    moe = layers - dense
    head = is_last * np.where(single, 1.0 - of.tied, 1.0)
    split = (
        of.attention * layers
        + of.dense_mlp * dense
        + of.shared * moe
        + (of.embedding + of.encoder * (1.0 - of.frozen)) * is_first
        + of.vocabulary * head
        + of.mtp * is_last
    )
    return Stage(
        layers=layers,
        dense_layers=dense,
        moe_layers=moe,
        dense_parameters=split / rows.tp + of.whole * layers + of.router * moe,
        expert_parameters=(of.routed * moe + of.mtp_experts * is_last) / (rows.ep * rows.expert_tp),
        frozen_parameters=of.encoder * of.frozen * is_first / rows.tp,
        in_flight_layers=in_flight_layers(rows, layers, position),
        is_first=is_first,
        is_last=is_last,
    )
