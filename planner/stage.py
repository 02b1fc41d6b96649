"""What a pipeline stage holds: its layers, its parameters a device, its micro-batches in flight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints
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
from planner.strategy import INTERLEAVED, StrategyTable

__all__ = ["POSITIONS", "Stage", "in_flight_layers", "stage", "stage_layers"]

# The stages that can hold the most: the first has the most micro-batches in flight, the second
# the same without leading dense layers, the last has the output head and the loss.
POSITIONS = ("first", "second", "last")


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


def stage(models: ModelTable, rows: StrategyTable, by_cost: Floats, position: int) -> Stage:
    """
    Contents of the stage at a position, a device, for every row.

    Parameters
    ----------
    models : ModelTable
        [model]
    rows : StrategyTable
        [row]
    by_cost : ndarray
        1 where the stack balances the cost of stages, 0 where their blocks. [row]
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
    """
    pick = rows.model
    layers_in_all = models.layers[pick]
    dense_in_all = np.where(models.experts[pick] > 0, models.dense_layers[pick], layers_in_all)
    block = attention_parameters(models) / models.layers + np.where(
        models.experts > 0,
        models.top_k * expert_layer_parameters(models) + shared_expert_layer_parameters(models),
        dense_mlp_layer_parameters(models),
    )
    vocabulary = models.vocab.astype(np.float64) * models.hidden
    layers = stage_layers(layers_in_all, rows.pp, by_cost * (vocabulary / block)[pick], position)
    single = rows.pp == 1
    is_first = np.where(position == 0, 1.0, 0.0) * np.ones(len(pick))
    is_last = np.where(position == 2, 1.0, 0.0) + np.where(single & (position == 0), 1.0, 0.0)
    if position == 2:
        is_first = np.where(single, 1.0, 0.0)
    before = layers_in_all - layers if position == 2 else np.zeros(len(pick))
    if position == 1:
        before = stage_layers(layers_in_all, rows.pp, by_cost * (vocabulary / block)[pick], 0)
    dense = np.clip(dense_in_all - before, 0, layers)
    moe = layers - dense
    split = (attention_parameters(models) / models.layers)[pick] * layers
    split = split + dense_mlp_layer_parameters(models)[pick] * dense
    split = split + shared_expert_layer_parameters(models)[pick] * moe
    split = split + embedding_parameters(models)[pick] * is_first
    head = np.where(models.tied_embeddings[pick] == 1, is_last * ~single, is_last)
    split = split + vocabulary[pick] * head
    extra = mtp_parameters(models)[pick] * is_last
    mtp_experts = np.where(
        (models.experts > 0) & (models.mtp_dense == 0),
        models.mtp_layers * models.experts * expert_layer_parameters(models),
        0.0,
    )[pick]
    encoder = encoder_parameters(models)[pick] * is_first
    frozen = models.encoder_frozen[pick] == 1
    split = split + extra - mtp_experts * is_last + np.where(frozen, 0.0, encoder)
    whole = (norm_parameters(models) / models.layers)[pick] * layers
    whole = whole + router_layer_parameters(models)[pick] * moe
    experts = (models.experts * expert_layer_parameters(models))[pick] * moe
    experts = experts + mtp_experts * is_last
    return Stage(
        layers=layers,
        dense_layers=dense,
        moe_layers=moe,
        dense_parameters=split / rows.tp + whole,
        expert_parameters=experts / (rows.ep * rows.expert_tp),
        frozen_parameters=np.where(frozen, encoder, 0.0) / rows.tp,
        in_flight_layers=in_flight_layers(rows, layers, position),
        is_first=is_first,
        is_last=is_last,
    )
