"""Pools by period and what each job does in them, with the resolution that this rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Ints
from hardware.errors import InputError
from hardware.sheet import Document
from planner.case_job import JobColumns, Tables
from planner.case_memory import memory_faults
from planner.case_point import PointColumns, point_columns
from planner.case_pool import PoolColumns, pool_columns
from planner.eligibility import ELIGIBLE, NO_COMMON_DAYS, TOO_FEW_NODES, pair_reasons
from planner.lending import within_lending
from planner.library import Library
from planner.period import Periods, border_days
from planner.resolution import PlaceTable, chosen_periods, days_of_work, stated_periods
from planner.scenario import Scenario
from planner.timeline import job_spans

__all__ = ["Rates", "rates_of"]


@dataclass(frozen=True)
class Rates:
    """What each job does in each pool, and between which days."""

    periods: Periods
    border_day: Ints  # [period + 1]
    pools: PoolColumns
    points: PointColumns
    reason: Ints  # [job, pool]
    release_day: Ints  # [job, pool]
    due_day: Ints  # [job, pool]


def rates_of(
    scenario: Scenario,
    library: Library,
    tables: Tables,
    jobs: JobColumns,
    document: Document | None = None,
) -> Rates:
    """
    Pools by period, and the rate of each job on every number of nodes worth considering.

    Parameters
    ----------
    scenario, library, tables, jobs
        A scenario without faults, its names, and what the performance model is asked with.
    document : Document, optional
        Gives faults their places.

    Returns
    -------
    Rates
        With the resolution that the scenario states, or that is chosen for it. Rates are
        in [token/s], days count from the horizon's first. [day]

    Raises
    ------
    InputError
        Every job that no device it may use can hold.

    Notes
    -----
    The numbers of nodes worth considering rest on the periods, so that a resolution chosen
    gives the very columns that it gives where it is stated.
    """
    horizon = scenario.horizon
    made = _made(scenario, library, tables, stated_periods(horizon), document)
    if horizon.resolution != "auto":
        return made
    periods = chosen_periods(horizon, _places(made, jobs))
    if periods.every == made.periods.every:
        return Rates(periods, made.border_day, made.pools, made.points, made.reason,
                     made.release_day, made.due_day)  # fmt: skip
    return _made(scenario, library, tables, periods, document)


def _made(
    scenario: Scenario,
    library: Library,
    tables: Tables,
    periods: Periods,
    document: Document | None,
) -> Rates:
    """Pools and rates for a resolution."""
    border = border_days(scenario.horizon, periods.stretches)
    pools = pool_columns(scenario, library, border)
    release, due = within_lending(scenario, *_spans(scenario, pools))
    reasons = pair_reasons(
        scenario, pools.device.names, pools.device.training, names=library.devices
    )
    reasons = _with_days_and_nodes(scenario, pools, reasons, release, due)
    points, found = point_columns(scenario, library, pools, reasons, tables)
    faults = memory_faults(scenario, pools, reasons, found, tables, document=document)
    if faults:
        raise InputError(faults)
    return Rates(periods, border, pools, points, found, release, due)


def _places(made: Rates, jobs: JobColumns) -> PlaceTable:
    """Ways to serve the jobs, for the choice of a resolution."""
    points = made.points
    job = points.job
    at = (job, points.pool)
    usable = made.reason[at] == ELIGIBLE
    columns = (
        np.maximum(made.release_day[at], 0),
        made.due_day[at],
        days_of_work(jobs.tokens[job], points.tokens_per_s),
        jobs.partial[job],
        jobs.preemptible[job],
    )
    return PlaceTable(*(column[usable] for column in columns))


def _spans(scenario: Scenario, pools: PoolColumns) -> tuple[Ints, Ints]:
    """Days between which each job may run in each pool. [job, pool]"""
    first, end = job_spans(scenario)
    many = len(scenario.pools)
    days = (scenario.horizon.last - scenario.horizon.first).days + 1
    opens, closes = np.full(many, days), np.zeros(many, dtype=np.int64)
    np.minimum.at(opens, pools.delivery_pool, pools.delivery_first_day)
    np.maximum.at(closes, pools.delivery_pool, pools.delivery_end_day)
    return np.maximum(first[:, None], opens), np.minimum(end[:, None], closes)


def _with_days_and_nodes(
    scenario: Scenario, pools: PoolColumns, reasons: Ints, release: Ints, due: Ints
) -> Ints:
    """The reasons, with those of pairs that have no day in common, or too few nodes."""
    least = np.array(
        [min(job.nodes.choices, default=job.nodes.least) for job in scenario.jobs.values()]
    )
    late = np.where((reasons == ELIGIBLE) & (due <= release), NO_COMMON_DAYS, reasons)
    few = (late == ELIGIBLE) & (pools.most_nodes < least[:, None])
    return np.where(few, TOO_FEW_NODES, late)
