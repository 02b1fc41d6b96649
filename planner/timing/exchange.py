"""Communication of a step by kind of parallelism, before anything hides it."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.collective import all_reduce_s, all_to_all_s, gather_s, point_to_point_s
from hardware.column import Floats
from hardware.topology import group_bytes_per_s, members_inside, spans_domains

__all__ = ["context_s", "data_s", "expert_s", "pipeline_hop_s", "tensor_s"]

Columns = Any
"""A record of gathered columns, see `planner.step`; whatever broadcasts."""

BUCKET_BYTES = 2.0e8
"""Gradients reduced by one collective. [byte]"""


class _Ring:
    """A group of ranks: its size, the bandwidth a rank sees, the latency a hop and of a tree."""

    def __init__(self, c: Columns, group: Any, stride: Any) -> None:
        inside = members_inside(group, stride, c.domain)
        domains = spans_domains(group, inside)
        beyond = domains > 1.0
        self.group = group
        self.bytes_per_s = group_bytes_per_s(
            inside, domains, scale_up_bytes_per_s=c.up_rate, scale_out_bytes_per_s=c.out_rate
        )
        self.latency_s = np.where(beyond, c.out_latency_s, c.up_latency_s)
        self.tree_latency_s = 4.0 * c.up_latency_s + 4.0 * c.out_latency_s * np.log2(
            np.maximum(domains, 1.0)
        )

    def gather_s(self, moved_bytes: Any, calls: Any = 1.0) -> Floats:
        return gather_s(
            moved_bytes, self.group, bytes_per_s=self.bytes_per_s, latency_s=calls * self.latency_s
        )

    def all_reduce_s(self, moved_bytes: Any, calls: Any = 1.0) -> Floats:
        return all_reduce_s(
            moved_bytes, self.group, bytes_per_s=self.bytes_per_s,
            latency_s=calls * self.latency_s, tree_latency_s=calls * self.tree_latency_s,
        )  # fmt: skip


def tensor_s(c: Columns) -> tuple[Floats, Floats]:
    """
    Tensor-parallel communication of all blocks and a micro-batch: forward, backward.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    (ndarray, ndarray)
        [s]

    Notes
    -----
    An all-reduce after attention and one after the MLP, each way; under
    sequence parallelism a reduce-scatter and an all-gather in place of each;
    what backward gathers once more runs beside the weight's gradient [1]_.
    Experts that tp does not cut need neither; those that it cuts gather the
    copies of tokens that came to them.

    References
    ----------
    .. [1] V. Korthikanti et al., arXiv 2205.05198, 2022.
    """
    ring = _Ring(c, c.tp, 1.0)
    moved = 2.0 * c.tokens * c.hidden
    each = ring.all_reduce_s(moved)
    pair = 2.0 * ring.gather_s(moved)
    count = 2.0 * c.blocks
    if c.any_experts:
        is_plain = (c.shared_width > 0) | ((c.expert_tp > 1.0) & (c.ep <= 1.0))
        count = count - c.moe_blocks * (1.0 - is_plain)
        copies = c.moe_blocks * c.top_k * ((c.expert_tp > 1.0) & (c.ep > 1.0))
        count = count + copies
    each = count * np.where(c.sequence_parallel > 0, pair, each)
    return each, each


def context_s(c: Columns) -> tuple[Floats, Floats]:
    """
    Context-parallel communication of all softmax blocks and a micro-batch: forward, backward.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    (ndarray, ndarray)
        [s]

    Notes
    -----
    Keys and values go once round the ring forward; backward they go again
    with their gradients.

    References
    ----------
    .. [1] H. Liu, M. Zaharia, P. Abbeel, "Ring attention," arXiv 2310.01889, 2023.
    """
    ring = _Ring(c, c.cp, c.tp)
    width = np.maximum(c.kv_heads / c.tp, 1.0) * (c.head_dim + c.v_head_dim)
    if c.any_mla:
        width = np.where(c.kv_lora > 0, c.heads / c.tp * (c.head_dim + c.v_head_dim), width)
    once = c.softmax_blocks * ring.gather_s(2.0 * c.tokens * c.cp * width)
    return once, 2.0 * once


def expert_s(c: Columns) -> Floats:
    """
    All-to-alls of all blocks with experts and a micro-batch, one way through the model.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    ndarray
        Dispatch and combine; backward costs the same. [s]

    Notes
    -----
    Every token goes to `top_k` ranks, over the links of the level on which
    they lie; beyond the domain once a domain that holds any of them, of which
    group-limited routing allows `groups_per_token` [1]_. The busiest rank sets
    the time.

    References
    ----------
    .. [1] DeepSeek-AI, "DeepSeek-V3 technical report," arXiv 2412.19437, 2024.
    """
    inside = members_inside(c.ep, c.expert_tp, c.domain)
    domains = spans_domains(c.ep, inside)
    copies = c.tokens / c.tp * 2.0 * c.hidden
    distinct = domains * (1.0 - (1.0 - 1.0 / domains) ** c.top_k)
    limit = np.where(c.groups_per_token > 0, c.groups_per_token, distinct)
    reached = np.minimum(np.minimum(distinct, limit), c.top_k)
    beyond = copies * reached * (1.0 - 1.0 / domains)
    within = copies * c.top_k * (1.0 - 1.0 / inside)
    once = all_to_all_s(
        within * c.imbalance, beyond * c.imbalance,
        scale_up_bytes_per_s=c.up_rate, scale_out_bytes_per_s=c.out_rate,
        latency_s=np.where(domains > 1.0, c.out_latency_s, c.up_latency_s) * np.sqrt(c.ep),
    )  # fmt: skip
    result: Floats = np.where(c.ep > 1.0, 2.0 * c.moe_blocks * once, 0.0)
    return result


def pipeline_hop_s(c: Columns) -> Floats:
    """
    Time to hand a micro-batch to the next stage.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    ndarray
        0 without a pipeline. [s]

    Notes
    -----
    Every tensor rank sends its part of the activation, and a stage lies in
    another domain as soon as its ranks fill one.

    References
    ----------
    .. [1] D. Narayanan et al., SC 2021: scatter/gather optimisation.
    """
    apart = c.tp * c.cp * c.dp
    is_near = apart * 2.0 <= c.domain
    rate = np.where(is_near, c.up_rate, np.minimum(c.out_rate, c.up_rate))
    latency = np.where(is_near, c.up_latency_s, c.out_latency_s)
    moved = 2.0 * c.tokens * c.hidden / c.tp
    once = point_to_point_s(moved, bytes_per_s=rate, latency_s=latency)
    result: Floats = np.where(c.pp > 1.0, once, 0.0)
    return result


def data_s(c: Columns) -> tuple[Floats, Floats]:
    """
    Data-parallel communication: once a step, and once a micro-batch.

    Parameters
    ----------
    c : Columns
        Gathered columns. [row]

    Returns
    -------
    (ndarray, ndarray)
        A step; a micro-batch (ZeRO-3 alone). [s]

    Notes
    -----
    ZeRO-0 sums gradients; ZeRO-1 and 2 scatter them and gather the weights;
    ZeRO-3 gathers the weights of every block forward and backward and
    scatters gradients, each micro-batch unless the stack keeps them [1]_.
    Sharding over fewer ranks than replicas adds the sum over the replicas of
    a shard. Experts are data parallel over the ranks that ep leaves.

    References
    ----------
    .. [1] S. Rajbhandari et al., "ZeRO," SC 2020; Y. Zhao et al., "PyTorch
       FSDP," VLDB 2023.
    """
    step, batch = _shared(c, c.dense_share, c.dp * c.cp, c.tp, np.minimum(c.shard, c.dp * c.cp))
    if c.any_experts:
        group = np.maximum(c.tp * c.cp * c.dp / (c.ep * c.expert_tp), 1.0)
        shard = np.maximum(np.minimum(c.shard / (c.dp * c.cp) * group, group), 1.0)
        more = _shared(c, c.expert_share, group, c.ep * c.expert_tp, shard)
        # A model without experts pays no latency of theirs, whatever else stands in the chunk.
        held = c.expert_share > 0
        step, batch = step + held * more[0], batch + held * more[1]
    return step, batch


def _shared(c: Columns, weights: Any, group: Any, stride: Any, shard: Any) -> tuple[Any, Any]:
    """Time a step and a micro-batch for weights shared by a group."""
    whole = _Ring(c, group, stride)
    gradients = weights * c.reduce_bytes
    calls = np.maximum(gradients / BUCKET_BYTES, 1.0)
    summed = whole.all_reduce_s(gradients, calls)
    scattered = whole.gather_s(gradients, calls) + whole.gather_s(2.0 * weights, calls)
    step = np.where(c.zero > 0, scattered, summed)
    batch = np.zeros_like(step)
    if c.any_zero3:
        ring = _Ring(c, shard, stride)
        blocks = c.blocks / c.pp
        gathered = 2.0 * ring.gather_s(2.0 * weights, blocks)
        reduced = ring.gather_s(gradients, blocks)
        replicas = _Ring(c, group / shard, stride * shard)
        across = replicas.all_reduce_s(gradients / shard, calls)
        each = c.gathers_each_micro_batch > 0
        is_sharded = c.zero > 2
        batch = np.where(is_sharded, gathered + np.where(each, reduced, 0.0), 0.0)
        step = np.where(is_sharded, across + np.where(each, 0.0, reduced), step)
    return step, batch
