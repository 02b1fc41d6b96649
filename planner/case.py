"""A scenario as columns: pools, jobs, days, and what each job does with each number of nodes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, fields

import numpy as np

from hardware.column import Bools, Floats, Ints
from hardware.table import DeviceTable
from planner.scenario import Scenario

__all__ = ["Case"]

_AXES = ("delivery", "pair", "point")


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
    consortium_end_day: Ints  # [consortium] handback included
    share_limit_frac: float  # 0 = none
    assumed: tuple[str, ...]  # sentences about the assumed figures that take part

    def __post_init__(self) -> None:
        lengths: dict[str, set[int]] = {axis: set() for axis in _AXES}
        for field in fields(self):
            column = getattr(self, field.name)
            axis = field.name.split("_")[0]
            if isinstance(column, np.ndarray):
                if column.dtype.kind == "f" and not np.isfinite(column).all():
                    raise ValueError(f"Case.{field.name} holds a non-finite value")
                column.setflags(write=False)
            if axis in lengths and isinstance(column, (np.ndarray, tuple)):
                lengths[axis].add(len(column))
        for axis, found in lengths.items():
            if len(found) > 1:
                raise ValueError(f"Case has {axis} columns of unequal length: {sorted(found)}")

    def __repr__(self) -> str:
        return (
            f"Case of {len(self.job_names)} jobs, {len(self.pool_names)} pools and "
            f"{len(self.consortium_names)} consortiums over {self.days} days in "
            f"{len(self.border_day) - 1} periods: {len(self.point_job)} points"
        )
