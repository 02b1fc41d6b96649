"""Own pools that are lent: who borrows, on which days, at which price, and after whose jobs."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.column import Floats, Ints
from hardware.units import DAY_S
from planner.case_pool import PoolColumns, in_plan_currency
from planner.eligibility import NO_COMMON_DAYS
from planner.scenario import Scenario
from planner.timeline import day_number

__all__ = ["borrowed", "lending_fields", "node_day_prices", "within_lending"]


def borrowed(scenario: Scenario) -> tuple[Ints, Ints]:
    """Rows of job and pool of every pair in which the job's consortium borrows the pool."""
    pairs = [
        (job_row, pool_row)
        for pool_row, pool in enumerate(scenario.pools.values())
        if pool.lend is not None
        for job_row, job in enumerate(scenario.jobs.values())
        if job.consortium in pool.lend.to
    ]
    job, pool_of = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return job.copy(), pool_of.copy()


def within_lending(scenario: Scenario, release: Ints, due: Ints) -> tuple[Ints, Ints]:
    """Days of each job and pool, those of borrowers cut to the days on which nodes are lent."""
    release, due = release.copy(), due.copy()
    pools = list(scenario.pools.values())
    for job, pool in zip(*(rows.tolist() for rows in borrowed(scenario)), strict=True):
        lend = pools[pool].lend
        if lend is not None and lend.window.first is not None:
            first = day_number(lend.window.first, scenario.horizon)
            release[job, pool] = max(release[job, pool], first)
        if lend is not None and lend.window.last is not None:
            end = day_number(lend.window.last, scenario.horizon) + 1
            due[job, pool] = min(due[job, pool], end)
    return release, due


def node_day_prices(scenario: Scenario, pools: PoolColumns) -> Floats:
    """What a node and day of each pool costs each job, in the scenario's currency. [job, pool]"""
    prices = np.tile(pools.cost_per_node_day, (len(scenario.jobs), 1))
    entries = list(scenario.pools.values())
    for job, pool in zip(*(rows.tolist() for rows in borrowed(scenario)), strict=True):
        lend = entries[pool].lend
        if lend is not None and lend.price is not None:
            many = int(pools.device.devices_per_node[pool]) if lend.price.per == "device" else 1
            prices[job, pool] = in_plan_currency(scenario, lend.price) * many * DAY_S
    return prices


def lending_fields(scenario: Scenario, reasons: Ints) -> dict[str, Any]:
    """
    Columns of `planner.case.Case` on [borrow] and [lend]: who borrows, and whose jobs go first.

    First go the jobs of other consortiums that device, kind of work and rules let into a
    lent pool, whether or not they find room there.
    """
    job, pool = borrowed(scenario)
    borrowing = set(zip(job.tolist(), pool.tolist(), strict=True))
    firsts = [
        (row, at)
        for at in np.unique(pool).tolist()
        for row in range(len(scenario.jobs))
        if (row, at) not in borrowing
        and (reasons[row, at] == 0 or reasons[row, at] >= NO_COMMON_DAYS)
    ]
    table = np.array(firsts, dtype=np.int64).reshape(-1, 2)
    return {
        "borrow_job": job,
        "borrow_pool": pool,
        "lend_job": table[:, 0].copy(),
        "lend_pool": table[:, 1].copy(),
    }
