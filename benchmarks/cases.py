"""Made-up cases of any size with fixed seeds: lumpy jobs that ask for more than there is."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

import hardware
from hardware.column import take
from planner.case import Case
from planner.scenario import Scenario

__all__ = ["SIZES", "Size", "make_case"]

DAY_S = 86400.0
MONTH_DAYS = 30


@dataclass(frozen=True)
class Size:
    """Extent of a case."""

    jobs: int
    devices: int
    counts: int
    periods: int
    consortiums: int


SIZES = {
    "25 jobs, 36 months": Size(25, 8, 8, 36, 5),
    "100 jobs, 24 months": Size(100, 8, 8, 24, 10),
    "500 jobs, 36 months": Size(500, 10, 8, 36, 25),
    "1,000 jobs, 60 months": Size(1000, 12, 10, 60, 50),
}


def make_case(size: Size, seed: int = 0, *, pressure: float = 1.6) -> Case:
    """
    A case whose jobs ask for `pressure` times what the pools can do.

    A job holds a sixteenth to a half of a pool; speed grows with nodes to the power of
    0.9; six of ten pools suit a job; a third of the jobs have a window of half the horizon;
    each consortium has a budget for about four fifths of an even share.
    """
    dice = np.random.default_rng(seed)
    days = size.periods * MONTH_DAYS
    border = np.arange(size.periods + 1) * MONTH_DAYS
    nodes = dice.choice([64, 96, 128, 192, 256, 384, 512], size.devices)
    speed = dice.uniform(0.5, 3.0, size.devices)
    price = speed * dice.uniform(0.8, 1.2, size.devices) * 100.0
    frac = np.geomspace(1 / 16, 1 / 2, size.counts)
    counts = np.maximum(np.round(nodes[:, None] * frac).astype(np.int64), 1)
    capacity = float((nodes**0.9 * speed).sum() * days)
    share = dice.lognormal(0.0, 0.8, size.jobs)
    tokens = share / share.sum() * capacity * pressure
    fastest = float((counts[:, -1] ** 0.9 * speed).max())
    tokens = np.minimum(tokens, 0.6 * days * fastest)
    value = tokens / tokens.mean() * dice.lognormal(0.0, 0.4, size.jobs)
    suits = dice.random((size.jobs, size.devices)) < 0.6
    suits[np.arange(size.jobs), dice.integers(0, size.devices, size.jobs)] = True
    consortium = dice.integers(0, size.consortiums, size.jobs)
    late = dice.random(size.jobs) < 1 / 3
    release = np.where(late, dice.integers(0, size.periods // 2, size.jobs) * MONTH_DAYS, 0)
    due = np.where(late, release + days // 2, days)
    job, pool = np.nonzero(suits)
    point_job = np.repeat(job, size.counts)
    point_pool = np.repeat(pool, size.counts)
    point_nodes = counts[pool].ravel()
    full_cost = float((nodes * price).sum() * days)
    many = len(point_job)
    return Case(
        scenario=Scenario.model_construct(),  # type: ignore[call-arg]
        job_names=tuple(f"job-{j:04d}" for j in range(size.jobs)),
        pool_names=tuple(f"pool-{p:02d}" for p in range(size.devices)),
        consortium_names=tuple(f"team-{t:02d}" for t in range(size.consortiums)),
        currency="USD",
        first_day=datetime.date(2026, 1, 1),
        days=days,
        border_day=border,
        pool_device=take(hardware.load("h100_sxm5_80gb"), np.zeros(size.devices, dtype=np.int64)),
        pool_equivalent=speed * 8,
        pool_cost_per_node_day=price,
        pool_shared=np.ones(size.devices, dtype=np.bool_),
        pool_nodes=np.repeat(nodes[:, None], size.periods, axis=1),
        delivery_pool=np.arange(size.devices),
        delivery_first_day=np.zeros(size.devices, dtype=np.int64),
        delivery_end_day=np.full(size.devices, days),
        delivery_nodes=nodes,
        job_consortium=consortium,
        job_value=value,
        job_tokens=tokens,
        job_partial=np.zeros(size.jobs, dtype=np.bool_),
        job_preemptible=np.zeros(size.jobs, dtype=np.bool_),
        job_identity=np.arange(size.jobs),
        job_soft_due_day=np.full(size.jobs, days),
        job_loss_per_day=np.zeros(size.jobs),
        after_before=np.zeros(0, dtype=np.int64),
        after_then=np.zeros(0, dtype=np.int64),
        pair_job=np.repeat(np.arange(size.jobs), size.devices),
        pair_pool=np.tile(np.arange(size.devices), size.jobs),
        pair_release_day=np.repeat(release, size.devices),
        pair_due_day=np.repeat(due, size.devices),
        pair_reason=np.where(suits.ravel(), 0, 1),
        point_job=point_job,
        point_pool=point_pool,
        point_nodes=point_nodes,
        point_tokens_per_s=point_nodes**0.9 * speed[point_pool] / DAY_S,
        point_cost_per_day=point_nodes * price[point_pool],
        point_power_w=np.full(many, 1e4),
        point_mfu_frac=np.full(many, 0.4),
        point_peak_bytes=np.full(many, 1e9),
        point_layout=("tp=1",) * many,
        point_low_frac=np.full(many, 0.9),
        point_high_frac=np.full(many, 1.1),
        consortium_weight=np.ones(size.consortiums),
        consortium_budget=np.full(size.consortiums, 0.8 * full_cost / size.consortiums),
        consortium_floor=np.zeros(size.consortiums),
        consortium_cap=np.zeros(size.consortiums),
        consortium_first_day=np.zeros(size.consortiums, dtype=np.int64),
        consortium_end_day=np.full(size.consortiums, days),
        share_limit_frac=0.0,
        assumed=(),
    )
