"""A scenario as columns: pools, jobs, days, and what each job does with each number of nodes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints
from hardware.errors import InputError
from hardware.sheet import Document
from hardware.table import DeviceTable
from planner.assumption import assumptions
from planner.case_job import JobColumns, job_columns, performance_tables
from planner.case_point import PointColumns
from planner.case_pool import PoolColumns, in_plan_currency
from planner.case_rate import rates_of
from planner.energy import PUE
from planner.flexibility import flexible_fields
from planner.lending import lending_fields, node_day_prices
from planner.library import Library, read_library
from planner.near_work import Alike, alike_jobs, model_shapes
from planner.period import Periods
from planner.scenario import Scenario
from planner.scenario_check import scenario_faults
from planner.scenario_rules import workload_identity
from planner.support_rule import support_fields
from planner.timeline import support

__all__ = ["Case", "build_case"]

_AXES = ("delivery", "pair", "point", "use", "borrow", "lend")


def _no_ints() -> Ints:
    return np.zeros(0, dtype=np.int64)


def _no_bools() -> Bools:
    return np.zeros(0, dtype=np.bool_)


def _no_floats() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, repr=False)
class Case:
    """
    Everything that a plan is made from, as read-only columns.

    Days are integers from the horizon's first day, intervals half-open. Rows of
    the axes [job], [pool] and [consortium] follow the order of the file. A point
    is one number of nodes of one pool for one job; a pair is a job and a pool.
    """

    scenario: Scenario
    job_names: tuple[str, ...]  # [job]
    pool_names: tuple[str, ...]  # [pool]
    consortium_names: tuple[str, ...]  # [consortium]
    currency: str
    first_day: datetime.date
    days: int
    border_day: Ints  # [period + 1] first days of the periods, then the end of the horizon

    pool_device: DeviceTable  # [pool] with the overrides of node and fabric
    pool_equivalent: Floats  # [pool] device-equivalents of a node
    pool_cost_per_node_day: Floats  # [pool] in the scenario's currency
    pool_shared: Bools  # [pool] not one consortium's own
    pool_nodes: Ints  # [pool, period] nodes usable during the whole period
    delivery_pool: Ints  # [delivery]
    delivery_first_day: Ints  # [delivery]
    delivery_end_day: Ints  # [delivery]
    delivery_nodes: Ints  # [delivery] overlapping deliveries of a pool add up

    job_consortium: Ints  # [job]
    job_value: Floats  # [job] worth of the finished work
    job_tokens: Floats  # [job]
    job_partial: Bools  # [job] counts in proportion
    job_preemptible: Bools  # [job]
    job_identity: Ints  # [job] equal where the workload is the same
    job_soft_due_day: Ints  # [job] end_day beyond which value is lost; `days` = none
    job_loss_per_day: Floats  # [job] part of the value lost a day after it
    after_before: Ints  # [precedence] the job that must be finished
    after_then: Ints  # [precedence] the job that waits

    pair_job: Ints  # [pair]
    pair_pool: Ints  # [pair]
    pair_release_day: Ints  # [pair] earliest start
    pair_due_day: Ints  # [pair] latest end
    pair_reason: Ints  # [pair] 0 = usable, else a code of planner.eligibility

    point_job: Ints  # [point]
    point_pool: Ints  # [point]
    point_nodes: Ints  # [point]
    point_tokens_per_s: Floats  # [point] on the wall clock, whole job
    point_cost_per_day: Floats  # [point] in the scenario's currency
    point_power_w: Floats  # [point] all nodes at the wall, facility included
    point_mfu_frac: Floats  # [point] 0 where the rate was given, not predicted
    point_peak_bytes: Floats  # [point] of the fullest device; 0 where the rate was given
    point_layout: tuple[str, ...]  # [point] such as "tp=1 pp=8 ep=8 dp=64 mb=1 recompute=full"
    point_low_frac: Floats  # [point] rate at the low end of the 80 % range, over the rate
    point_high_frac: Floats  # [point] rate at the high end

    consortium_weight: Floats  # [consortium]
    consortium_budget: Floats  # [consortium] negative = none
    consortium_floor: Floats  # [consortium] average device-equivalents; 0 = none
    consortium_cap: Floats  # [consortium] device-equivalents at any time; 0 = none
    consortium_first_day: Ints  # [consortium]
    consortium_end_day: Ints  # [consortium] end of support; nodes may go back later
    share_limit_frac: float  # 0 = none
    assumed: tuple[str, ...]  # sentences about the assumed figures that take part
    alike: tuple[Alike, ...] = ()  # jobs that look like another under a different name
    equal_support_frac: float = -1.0  # most difference of support, of the larger; -1 = no rule
    support_group: Ints = field(default_factory=_no_ints)  # [consortium] compared, -1 = nobody
    pool_block_nodes: Ints = field(default_factory=_no_ints)  # [pool] of a fabric block, 0 = none
    pool_contiguous: Bools = field(default_factory=_no_bools)  # [pool] ids side by side if possible
    job_one_block: Bools = field(default_factory=_no_bools)  # [job] stays inside one
    job_flexible: Bools = field(default_factory=_no_bools)  # [job] pool and nodes may change
    job_move_days: Ints = field(default_factory=_no_ints)  # [job] without work after a change
    borrow_job: Ints = field(default_factory=_no_ints)  # [borrow] jobs that borrow an own pool
    borrow_pool: Ints = field(default_factory=_no_ints)  # [borrow]
    lend_job: Ints = field(default_factory=_no_ints)  # [lend] jobs that go before borrowers
    lend_pool: Ints = field(default_factory=_no_ints)  # [lend]
    use_consortium: Ints = field(default_factory=_no_ints)  # [use]
    use_end_day: Ints = field(default_factory=_no_ints)  # [use] day after the last that counts
    use_least: Floats = field(default_factory=_no_floats)  # [use] device-equivalents times days

    periods: Periods | None = None  # the resolution that `border_day` comes from

    def __post_init__(self) -> None:
        lengths: dict[str, set[int]] = {axis: set() for axis in _AXES}
        for each in fields(self):
            column = getattr(self, each.name)
            axis = each.name.split("_")[0]
            if isinstance(column, np.ndarray):
                if column.dtype.kind == "f" and not np.isfinite(column).all():
                    raise ValueError(f"Case.{each.name} holds a non-finite value")
                column.setflags(write=False)
            if axis in lengths and isinstance(column, (np.ndarray, tuple)):
                lengths[axis].add(len(column))
        for axis, found in lengths.items():
            if len(found) > 1:
                raise ValueError(f"Case has {axis} columns of unequal length: {sorted(found)}")

    @property
    def consortium_must_hold(self) -> Bools:
        """Consortiums of which a rule counts the time that they hold nodes. [consortium]"""
        must = self.consortium_floor > 0
        if self.equal_support_frac >= 0:
            must = must | (self.support_group >= 0)
        must[self.use_consortium] = True
        return np.asarray(must)

    def __repr__(self) -> str:
        return (
            f"Case of {len(self.job_names)} jobs, {len(self.pool_names)} pools and "
            f"{len(self.consortium_names)} consortiums over {self.days} days in "
            f"{len(self.border_day) - 1} periods: {len(self.point_job)} points"
        )


def build_case(
    scenario: Scenario, base_path: str | Path = ".", *, document: Document | None = None
) -> Case:
    """
    A scenario as columns, with the throughput of every job on every number of nodes.

    Parameters
    ----------
    scenario : Scenario
        As written; one that was built in code is checked here as one from a file is.
    base_path : path
        Folder that its paths are relative to.
    document : Document, optional
        Gives faults their places.

    Returns
    -------
    Case
        Days from the horizon's first [day], money in the scenario's currency, rates
        [token/s] over wall time, power [W] with the facility's share.

    Raises
    ------
    InputError
        Every fault of the scenario; or else every job that no device it may use can hold.
    """
    errors = [
        fault
        for fault in scenario_faults(scenario, base_path, document)
        if fault.severity == "error"
    ]
    if errors:
        raise InputError(errors)
    library, _ = read_library(scenario, base_path, document)
    tables, lengths = performance_tables(scenario, library)
    jobs = job_columns(scenario, library, tables.models, tables.runs.model)
    made = rates_of(scenario, library, tables, jobs, document)
    border, pools, points, found = made.border_day, made.pools, made.points, made.reason
    return Case(
        scenario=scenario,
        job_names=tuple(scenario.jobs),
        pool_names=tuple(scenario.pools),
        consortium_names=tuple(scenario.consortiums),
        currency=scenario.currency,
        first_day=scenario.horizon.first,
        days=int(border[-1]),
        border_day=border,
        **_pool_fields(pools),
        **_job_fields(jobs),
        pair_job=np.repeat(np.arange(len(scenario.jobs)), len(scenario.pools)),
        pair_pool=np.tile(np.arange(len(scenario.pools)), len(scenario.jobs)),
        pair_release_day=made.release_day.ravel(),
        pair_due_day=made.due_day.ravel(),
        pair_reason=found.ravel(),
        **_point_fields(scenario, pools, points),
        **_consortium_fields(scenario),
        **support_fields(scenario),
        **lending_fields(scenario, found),
        **flexible_fields(scenario),
        pool_block_nodes=np.array(
            [int(p.fabric.block_nodes or 0) if p.fabric else 0 for p in scenario.pools.values()],
            dtype=np.int64,
        ),
        pool_contiguous=np.array([pool.contiguous for pool in scenario.pools.values()]),
        job_one_block=np.array([job.topology == "one-block" for job in scenario.jobs.values()]),
        assumed=(*assumptions(scenario, library, document), *lengths),
        alike=_alike(scenario, library),
        periods=made.periods,
    )


def _alike(scenario: Scenario, library: Library) -> tuple[Alike, ...]:
    """Jobs that look like another under a different name."""
    identities = {
        name: workload_identity(job, library.models[job.model].name)
        for name, job in scenario.jobs.items()
    }
    return alike_jobs(scenario, identities, model_shapes(library.models))


def _pool_fields(pools: PoolColumns) -> dict[str, Any]:
    """Fields of Case on the axes [pool] and [delivery]."""
    return {
        "pool_device": pools.device,
        "pool_equivalent": pools.equivalent,
        "pool_cost_per_node_day": pools.cost_per_node_day,
        "pool_shared": pools.shared,
        "pool_nodes": pools.nodes,
        "delivery_pool": pools.delivery_pool,
        "delivery_first_day": pools.delivery_first_day,
        "delivery_end_day": pools.delivery_end_day,
        "delivery_nodes": pools.delivery_nodes,
    }


def _job_fields(jobs: JobColumns) -> dict[str, Any]:
    """Fields of Case on the axes [job] and [precedence]."""
    return {
        "job_consortium": jobs.consortium,
        "job_value": jobs.value,
        "job_tokens": jobs.tokens,
        "job_partial": jobs.partial,
        "job_preemptible": jobs.preemptible,
        "job_identity": jobs.identity,
        "job_soft_due_day": jobs.soft_due_day,
        "job_loss_per_day": jobs.loss_per_day,
        "after_before": jobs.before,
        "after_then": jobs.then,
    }


def _point_fields(scenario: Scenario, pools: PoolColumns, points: PointColumns) -> dict[str, Any]:
    """Fields of Case on the axis [point]."""
    pue = scenario.power.pue.value if scenario.power.pue else PUE
    return {
        "point_job": points.job,
        "point_pool": points.pool,
        "point_nodes": points.nodes,
        "point_tokens_per_s": points.tokens_per_s,
        "point_cost_per_day": node_day_prices(scenario, pools)[points.job, points.pool]
        * points.nodes,
        "point_power_w": points.it_power_w * pue,
        "point_mfu_frac": points.mfu_frac,
        "point_peak_bytes": points.peak_bytes,
        "point_layout": points.layout,
        "point_low_frac": points.low_frac,
        "point_high_frac": points.high_frac,
    }


def _consortium_fields(scenario: Scenario) -> dict[str, Any]:
    """Fields of Case on the axis [consortium], and the limit on their shares."""
    days = support(scenario)
    entries = list(scenario.consortiums.values())
    limit = scenario.rules.share_limit
    budgets = [in_plan_currency(scenario, e.budget) if e.budget else -1.0 for e in entries]
    return {
        "consortium_weight": np.array([entry.weight.value for entry in entries]),
        "consortium_budget": np.array(budgets),
        "consortium_floor": np.array([e.floor.value if e.floor else 0.0 for e in entries]),
        "consortium_cap": np.array([e.cap.value if e.cap else 0.0 for e in entries]),
        "consortium_first_day": days.first_day,
        "consortium_end_day": days.end_day,
        "share_limit_frac": limit.value if limit else 0.0,
    }
