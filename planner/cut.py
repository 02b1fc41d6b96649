"""Layouts as float columns and masks: what memory needs of them, converted once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Floats
from planner.stack import StackTable
from planner.strategy import FP8, FULL, INTERLEAVED, NONE, SELECTIVE, StrategyTable

__all__ = ["Cut", "Flow", "cut"]


@dataclass(frozen=True)
class Cut:
    """How a layout cuts the model; masks are 0 or 1. [row]"""

    tp: Floats
    pp: Floats
    interleave: Floats
    experts_cut: Floats  # ep * expert_tp
    routed_cut: Floats  # ranks over which routed tokens are cut: tp where experts are not
    wide: Floats  # ranks over which hidden-wide activations are cut
    shard: Floats  # ranks over which the dense part is sharded
    expert_shard: Floats  # the same for experts
    micro_batch: Floats
    micro_batches: Floats
    seq_len: Floats
    tokens: Floats  # of a micro-batch on a context-parallel rank
    shards_states: Floats  # mask: ZeRO stage 1 and above
    shards_gradients: Floats  # mask: stage 2 and above
    shards_weights: Floats  # mask: stage 3
    is_narrow: Floats  # mask: fp8 or fp4
    is_full: Floats  # mask: full recomputation
    is_lean: Floats  # mask: selective recomputation where no scores are materialised
    keeps_scores: Floats  # mask: materialised scores are kept for backward
    is_woven: Floats  # mask: interleaved schedule
    is_single: Floats  # mask: no pipeline


@dataclass(frozen=True)
class Flow:
    """Micro-batches on their way through a pipeline. [row]"""

    pp: Floats
    interleave: Floats
    micro_batch: Floats
    micro_batches: Floats
    tokens: Floats  # of a micro-batch on a context-parallel rank
    is_woven: Floats  # mask: interleaved schedule


def cut(stacks: StackTable, rows: StrategyTable) -> Cut:
    """
    Layouts as float columns and masks.

    Parameters
    ----------
    stacks : StackTable
        [stack]
    rows : StrategyTable
        [row]

    Returns
    -------
    Cut
        Counts and masks; sequences in tokens. [row]

    Notes
    -----
    Experts are replicated over what `ep` and `expert_tp` leave of the ranks of
    a stage, and sharded over as large a part of the replicas as the dense part
    is over its own.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.
    """
    tp, pp, cp, dp = (_float(rows, name) for name in ("tp", "pp", "cp", "dp"))
    expert_tp = _float(rows, "expert_tp")
    micro_batch, seq_len = _float(rows, "micro_batch"), _float(rows, "seq_len")
    shard = np.maximum(_float(rows, "shard"), 1.0)
    experts_cut = _float(rows, "ep") * expert_tp
    ranks = np.maximum(dp * cp, 1.0)
    replicas = np.maximum(tp * ranks / experts_cut, 1.0)
    interleave = np.maximum(_float(rows, "interleave"), 1.0)
    scores = stacks.attention_materialised[rows.stack]
    return Cut(
        tp=tp,
        pp=pp,
        interleave=interleave,
        experts_cut=experts_cut,
        routed_cut=tp / np.minimum(expert_tp, tp),
        wide=1.0 + (tp - 1.0) * (rows.sequence_parallel == 1),
        shard=shard,
        expert_shard=np.maximum(replicas * shard / ranks, 1.0),
        micro_batch=micro_batch,
        micro_batches=np.maximum(
            np.floor(_float(rows, "global_batch") / np.maximum(micro_batch * dp, 1.0)), 1.0
        ),
        seq_len=seq_len,
        tokens=micro_batch * seq_len / cp,
        shards_states=_mask(rows.zero >= 1),
        shards_gradients=_mask(rows.zero >= 2),
        shards_weights=_mask(rows.zero >= 3),
        is_narrow=_mask(rows.precision >= FP8),
        is_full=_mask(rows.recompute == FULL),
        is_lean=_mask((rows.recompute == SELECTIVE) & ~scores),
        keeps_scores=_mask((rows.recompute == NONE) & scores),
        is_woven=_mask((rows.schedule == INTERLEAVED) & (interleave > 1.0)),
        is_single=_mask(rows.pp == 1),
    )


def _float(rows: StrategyTable, name: str) -> Floats:
    column: Floats = getattr(rows, name).astype(np.float64)
    return column


def _mask(claims: Bools) -> Floats:
    return claims.astype(np.float64)
