"""What each job does with each number of nodes of each pool: candidate counts and their rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints, take
from planner.case_job import Tables
from planner.case_pool import PoolColumns
from planner.curve import ThroughputCurve, throughput_curves
from planner.eligibility import ELIGIBLE, NEEDS_MEMORY, NO_LAYOUT, OTHER_TYPE
from planner.inference import TRAINING
from planner.library import Library
from planner.run import RunTable
from planner.scenario import NodeLimits, Scenario
from planner.strategy import EXCEEDS_MEMORY, FITS, RECOMPUTE_NAMES, TYPE_NOT_OFFERED

__all__ = ["PointColumns", "candidate_nodes", "nice_counts", "point_columns"]

STATED = "rate stated"
"""Layout of a point whose rate the scenario gives."""


@dataclass(frozen=True)
class PointColumns:
    """Columns of `planner.case.Case` that points give."""

    job: Ints  # [point]
    pool: Ints  # [point]
    nodes: Ints  # [point]
    tokens_per_s: Floats  # [point]
    it_power_w: Floats  # [point] without the facility
    mfu_frac: Floats  # [point]
    peak_bytes: Floats  # [point]
    layout: tuple[str, ...]  # [point]
    low_frac: Floats  # [point]
    high_frac: Floats  # [point]


def nice_counts(most: int) -> Ints:
    """
    Numbers of nodes worth trying up to `most`: few odd factors, steps of at most a half.

    Examples
    --------
    >>> nice_counts(64).tolist()
    [1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64]
    >>> nice_counts(160).tolist()[-5:]
    [80, 96, 112, 128, 160]
    """
    counts = [1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48]
    step = 16
    while counts[-1] < most:
        counts += [4 * step, 5 * step, 6 * step, 7 * step]
        step *= 2
    return np.array([count for count in counts if count <= most], dtype=np.int64)


def candidate_nodes(limits: NodeLimits, totals: Sequence[int]) -> Ints:
    """
    Numbers of nodes to consider for a job in a pool.

    Parameters
    ----------
    limits : NodeLimits
        What the job allows.
    totals : sequence of int
        Numbers of nodes that the pool has, at one time or another.

    Returns
    -------
    Ints
        Rising; the job's choices, or else round numbers, its limits and the totals.

    Examples
    --------
    >>> candidate_nodes(NodeLimits.model_validate({"min": 30, "max": 60}), [0, 50]).tolist()
    [30, 32, 40, 48, 50]
    """
    most = min(max(totals, default=0), limits.most or max(totals, default=0))
    if limits.choices:
        wanted = np.array(limits.choices, dtype=np.int64)
    else:
        ends = np.array([limits.least, most, *totals], dtype=np.int64)
        wanted = np.concatenate([nice_counts(most), ends])
    return np.unique(wanted[(wanted >= limits.least) & (wanted <= most) & (wanted > 0)])


def point_columns(
    scenario: Scenario,
    library: Library,
    pools: PoolColumns,
    pair_reason: Ints,
    tables: Tables,
) -> tuple[PointColumns, Ints]:
    """
    Rate, power and layout of every job on every number of nodes worth considering.

    Parameters
    ----------
    scenario, library, pools
        The scenario, its names, its pools.
    pair_reason : Ints [job, pool]
        Why a pool cannot serve a job, before memory is looked at.
    tables : Tables
        What the performance model is asked with.

    Returns
    -------
    (PointColumns, Ints [job, pool])
        Rates over wall time [token/s], power [W], memory [byte]; and the reasons, with
        those of pairs that no layout serves.

    Notes
    -----
    A rate that the job states for a device holds for each device, whatever their number.
    """
    job, pool, nodes = _asked(scenario, pools, pair_reason)
    stated = _stated_rates(scenario, library, pools)[job, pool]
    _, first = np.unique(pools.kind, return_index=True)
    curve = throughput_curves(
        tables.models, take(pools.device, first), tables.stacks, tables.families, tables.runs,
        job=job[stated == 0], device=pools.kind[pool[stated == 0]], nodes=nodes[stated == 0],
        what_if_training=np.array([j.what_if_training for j in scenario.jobs.values()], dtype=int),
    )  # fmt: skip
    reasons = pair_reason.copy()
    _tell_reasons(reasons, job[stated == 0], pool[stated == 0], curve.reason)
    size = nodes * pools.device.devices_per_node[pool]
    rate = stated * size
    power = pools.device.node_power_w[pool] * nodes
    mfu, peak = np.zeros(len(job)), np.zeros(len(job))
    low, high = np.ones(len(job)), np.ones(len(job))
    predicted = np.flatnonzero(stated == 0)
    rate[predicted], power[predicted] = curve.wall_tokens_per_s, curve.power_w
    mfu[predicted], peak[predicted] = curve.mfu_frac, curve.peak_bytes
    divisor = np.where(curve.tokens_per_s > 0, curve.tokens_per_s, 1.0)
    low[predicted] = curve.low80_tokens_per_s / divisor
    high[predicted] = curve.high80_tokens_per_s / divisor
    layouts = np.full(len(job), STATED, dtype=object)
    layouts[predicted] = _layouts(curve, tables.runs)
    kept = np.flatnonzero(rate > 0)
    return PointColumns(
        job[kept], pool[kept], nodes[kept], rate[kept], power[kept], mfu[kept], peak[kept],
        tuple(str(text) for text in layouts[kept]), low[kept], high[kept],
    ), reasons  # fmt: skip


def _asked(scenario: Scenario, pools: PoolColumns, pair_reason: Ints) -> tuple[Ints, Ints, Ints]:
    """Every (job, pool, nodes) to be priced, by job, then pool, then nodes."""
    totals = [sorted({*row.tolist(), int(most)}) for row, most in
              zip(pools.nodes, pools.most_nodes, strict=True)]  # fmt: skip
    parts: list[Ints] = []
    for at, job in enumerate(scenario.jobs.values()):
        for pool in np.flatnonzero(pair_reason[at] == ELIGIBLE).tolist():
            counts = candidate_nodes(job.nodes, totals[pool])
            parts.append(
                np.column_stack([np.full_like(counts, at), np.full_like(counts, pool), counts])
            )
    rows = np.concatenate(parts) if parts else np.zeros((0, 3), dtype=np.int64)
    return rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy()


def _stated_rates(scenario: Scenario, library: Library, pools: PoolColumns) -> Floats:
    """Rate of a device that the job states, 0 where it states none. [job, pool], [token/s]"""
    rates = np.zeros((len(scenario.jobs), len(scenario.pools)))
    for at, job in enumerate(scenario.jobs.values()):
        for device, figure in job.rates.items():
            names = np.array(pools.device.names)
            rates[at, names == library.devices[device]] = figure.value
    return rates


def _tell_reasons(reasons: Ints, job: Ints, pool: Ints, found: Ints) -> None:
    """Write the reason of each pair none of whose points has a layout."""
    codes = {EXCEEDS_MEMORY: NEEDS_MEMORY, TYPE_NOT_OFFERED: OTHER_TYPE}
    group = job * reasons.shape[1] + pool
    for one in np.unique(group):
        rows = np.flatnonzero(group == one)
        if (found[rows] != FITS).all():
            most = int(np.argmax(np.bincount(found[rows])))
            reasons[job[rows[0]], pool[rows[0]]] = codes.get(most, NO_LAYOUT)


def _layouts(curve: ThroughputCurve, runs: RunTable) -> list[str]:
    """A short text of each point's layout; empty where it has none."""
    texts = []
    for at in range(len(curve)):
        if curve.reason[at] != FITS:
            texts.append("")
        elif runs.work[curve.job[at]] == TRAINING:
            texts.append(
                f"tp={curve.tp[at]} pp={curve.pp[at]} cp={curve.cp[at]} ep={curve.ep[at]} "
                f"dp={curve.dp[at]} mb={curve.micro_batch[at]} "
                f"recompute={RECOMPUTE_NAMES[curve.recompute[at]]}"
            )
        else:
            texts.append(f"tp={curve.tp[at]} copies={curve.dp[at]} batch={curve.micro_batch[at]}")
    return texts
