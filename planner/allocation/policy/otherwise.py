"""The case as it would be otherwise: alone, with an equal part, with another's nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.answer.placement import PlacementTable

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["alone", "askers", "equal_part", "idle_frac", "with_nodes_of"]

_NOT_ASKED = 1  # any code but 0 takes a pair of job and pool out


def askers(case: Case) -> Ints:
    """Rows of the consortiums that have a job."""
    return np.unique(case.job_consortium)


def alone(case: Case, consortium: int) -> Case:
    """
    The case as if a consortium were the only one.

    Its budget, cap, windows, eligibility and the share limit stay; floors, days of use and
    equal support, which promise it something or compare it with others, do not.
    """
    mine = case.job_consortium[case.pair_job] == consortium
    none: Ints = np.zeros(0, dtype=np.int64)
    return replace(
        case,
        pair_reason=np.where(mine, case.pair_reason, np.maximum(case.pair_reason, _NOT_ASKED)),
        consortium_weight=np.ones_like(case.consortium_weight),
        consortium_floor=np.zeros_like(case.consortium_floor),
        equal_support_frac=-1.0,
        use_consortium=none,
        use_end_day=none,
        use_least=np.zeros(0),
    )


def equal_part(case: Case, consortium: int) -> Case:
    """
    The case of a consortium alone with an equal part of each shared pool, in whole nodes.

    A pool is divided among the consortiums that have a job which can run there, each
    delivery rounded down; own pools stay whole. The share limit speaks of the whole pool
    and is left out.
    """
    usable = case.pair_reason == 0
    users = np.ones(len(case.pool_names), dtype=np.int64)
    for pool in np.flatnonzero(case.pool_shared).tolist():
        jobs = case.pair_job[usable & (case.pair_pool == pool)]
        users[pool] = max(len(np.unique(case.job_consortium[jobs])), 1)
    nodes = case.delivery_nodes // users[case.delivery_pool]
    part = replace(alone(case, consortium), share_limit_frac=0.0)
    return _delivered(part, case.delivery_pool, case.delivery_first_day, case.delivery_end_day,
                      nodes)  # fmt: skip


def with_nodes_of(case: Case, consortium: int, placed: PlacementTable, other: int) -> Case:
    """
    The case of a consortium alone with the nodes and days that another one's runs hold.

    Its own windows and eligibility stay, so that nodes it may not use are worth nothing to
    it; budget, cap and share limit do not, since the other's nodes are paid for.
    """
    rows: Bools = case.job_consortium[placed.job] == other
    freed = replace(
        alone(case, consortium),
        consortium_budget=np.full_like(case.consortium_budget, -1.0),
        consortium_cap=np.zeros_like(case.consortium_cap),
        share_limit_frac=0.0,
    )
    return _delivered(freed, placed.pool[rows], placed.start_day[rows], placed.end_day[rows],
                      placed.nodes[rows])  # fmt: skip


def _delivered(case: Case, pool: Ints, first: Ints, end: Ints, nodes: Ints) -> Case:
    """The case with other deliveries."""
    there = nodes > 0
    pool, first, end, nodes = pool[there], first[there], end[there], nodes[there]
    starts, stops = case.border_day[:-1], case.border_day[1:]
    whole = (first[:, None] <= starts) & (end[:, None] >= stops)
    usable = np.zeros_like(case.pool_nodes)
    np.add.at(usable, pool, whole * nodes[:, None])
    return replace(case, delivery_pool=pool, delivery_first_day=first, delivery_end_day=end,
                   delivery_nodes=nodes, pool_nodes=usable)  # fmt: skip


def idle_frac(case: Case, placed: PlacementTable) -> float:
    """Part of the node-days of all pools within the horizon that nobody holds. [1]"""
    end = np.minimum(case.delivery_end_day, case.days)
    offered = (np.maximum(end - np.maximum(case.delivery_first_day, 0), 0)) * case.delivery_nodes
    held: Floats = ((placed.end_day - placed.start_day) * placed.nodes).astype(np.float64)
    total = float(offered.sum())
    return 0.0 if total <= 0 else max(1.0 - float(held.sum()) / total, 0.0)
