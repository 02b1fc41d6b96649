"""What each job may do day by day: its points, their windows and speeds, what an end is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.flexible.rows import Tariff
from planner.allocation.offer.block import Block, node_rows
from planner.allocation.offer.enumeration import chain_points
from planner.allocation.offer.run import points_of_pairs

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["Costs", "Ways", "all_ways", "costs_of", "free_until"]

DAY_S = 86400.0


@dataclass(frozen=True)
class Ways:
    """One job: the points that it may run at, and the days."""

    job: int
    point: Ints  # [way]
    pool: Ints  # [way]
    nodes: Ints  # [way]
    day_frac: Floats  # [way] part of the work done a day
    cost_per_day: Floats  # [way] in the scenario's currency
    release_day: Ints  # [way]
    due_day: Ints  # [way]
    end_most: Ints  # [way, period] last end day of a link that runs on from the border
    release_most: Ints  # [way] the same for one that starts at the release
    border_day: Ints  # [period + 1]
    worth: Floats  # [day] weighted worth of finishing by the day
    move_days: int
    may_change: bool
    is_partial: bool


@dataclass(frozen=True)
class Costs:
    """What one job's links cost at prices, less what an end is worth. [value]"""

    held: Floats  # [way, day] from the first day of the horizon until the day
    start: Floats | None  # [day] of starting
    gain: Floats  # [day] of finishing on the day
    once: float  # of being served at all
    is_rising: bool  # no link earns by holding on


def costs_of(rows_case: Case, ways: Ways, tariff: Tariff, *, may_earn: bool) -> Costs:
    """
    What the links of a job cost at prices.

    Parameters
    ----------
    rows_case : Case
        The scenario as columns.
    ways : Ways
        The job.
    tariff : Tariff
        What days cost.
    may_earn : bool
        Whether some price may pay for holding nodes.
    """
    case = rows_case
    team = int(case.job_consortium[ways.job])
    days = np.arange(case.days + 1, dtype=np.float64)
    pools, at = np.unique(ways.pool, return_inverse=True)
    shared = tariff.shared[team] * case.pool_shared[pools]
    each = tariff.equivalent[team][None, :] + shared[:, None] * days
    each = tariff.node[pools] + case.pool_equivalent[pools][:, None] * each
    held = each[at] * ways.nodes[:, None]
    if tariff.money[team]:
        held += (ways.cost_per_day * tariff.money[team])[:, None] * days
    gain = ways.worth
    if ways.job in tariff.finishes:
        gain = gain + tariff.finishes[ways.job]
    rising = not may_earn or not bool((held[:, 1:] < held[:, :-1]).any())
    return Costs(held, tariff.starts.get(ways.job), gain, float(tariff.once[ways.job]), rising)


def free_until(blocked: Bools, days: Ints, end: int) -> Ints:
    """
    First day on which each line is blocked, seen from each day; `end` when none is.

    Parameters
    ----------
    blocked : ndarray of bool [line, step]
        Whether the days from a step to the next are.
    days : ndarray of int [step]
        First days of the steps, ascending. [day]
    """
    first = np.where(blocked, days[None, :], end)
    return np.asarray(np.minimum.accumulate(first[:, ::-1], axis=1)[:, ::-1])


def all_ways(case: Case, blocks: tuple[tuple[Block, ...], ...]) -> tuple[Ways, ...]:
    """
    The ways of every job that runs without pauses and has a point.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    blocks : tuple [pool]
        Blocks of nodes.

    Returns
    -------
    tuple of Ways
        By row of the job. Points that no plan needs are left out for jobs that may change,
        see `enumeration.chain_points`.
    """
    every = np.arange(case.days)
    room = np.array([node_rows(here, every) for here in blocks]).reshape(len(blocks), case.days)
    may = case.job_flexible if len(case.job_flexible) else np.zeros(len(case.job_names), np.bool_)
    fixed: dict[int, list[Ints]] = {}
    for (job, _), points in points_of_pairs(case).items():
        fixed.setdefault(job, []).append(points)
    found = []
    for job in range(len(case.job_names)):
        if case.job_preemptible[job] or job not in fixed:
            continue
        points = np.concatenate(fixed[job])
        if may[job]:
            points = chain_points(case, blocks, job)
        ways = _ways(case, room, job, points, bool(may[job]))
        if len(ways.point):
            found.append(ways)
    return tuple(found)


def _ways(case: Case, room: Ints, job: int, points: Ints, may_change: bool) -> Ways:
    """The ways of one job at some points."""
    stride = np.zeros((len(case.job_names), len(case.pool_names)), dtype=np.int64)
    stride[case.pair_job, case.pair_pool] = np.arange(len(case.pair_job))
    pair = stride[job, case.point_pool[points]]
    due = np.minimum(case.pair_due_day[pair], case.days)
    release = np.maximum(case.pair_release_day[pair], 0)
    keep = (case.pair_reason[pair] == 0) & (release < due)
    points, due, release = points[keep], due[keep], release[keep]
    pool, nodes = case.point_pool[points], case.point_nodes[points]
    until = free_until(room[pool] < nodes[:, None], np.arange(case.days), case.days)
    until = np.minimum(until, due[:, None])
    days = np.arange(case.days + 1)
    late = np.maximum(days - case.job_soft_due_day[job], 0)
    kept = np.maximum(1.0 - case.job_loss_per_day[job] * late, 0.0)
    weight = case.consortium_weight[case.job_consortium[job]]
    return Ways(
        job=job,
        point=points,
        pool=pool,
        nodes=nodes,
        day_frac=case.point_tokens_per_s[points] * DAY_S / case.job_tokens[job],
        cost_per_day=case.point_cost_per_day[points],
        release_day=release,
        due_day=due,
        end_most=until[:, case.border_day[:-1]].astype(np.int32),
        release_most=until[np.arange(len(points)), release],
        border_day=np.asarray(case.border_day, dtype=np.int64),
        worth=float(case.job_value[job] * weight) * kept,
        move_days=int(case.job_move_days[job]) if may_change else 0,
        may_change=may_change,
        is_partial=bool(case.job_partial[job]),
    )
