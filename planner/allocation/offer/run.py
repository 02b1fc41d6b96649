"""Runs of jobs that count only when finished: all of a pool at once, without the needless ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.offer.block import Block, free_nodes, nests

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["days_needed", "ordinary_runs", "points_of_pairs", "start_days", "start_grid"]

DAY_S = 86400.0


def days_needed(tokens: Floats, tokens_per_s: Floats) -> Ints:
    """
    Whole days that work takes at a throughput.

    Parameters
    ----------
    tokens : array_like
        Work. [token]
    tokens_per_s : array_like
        Throughput over wall time, positive. [token/s]

    Returns
    -------
    ndarray
        At least one day; a remainder below a billionth of a day does not start another. [day]

    Examples
    --------
    >>> days_needed(np.array([864000.0, 864001.0]), np.array([1.0, 1.0])).tolist()
    [10, 11]
    """
    days = np.asarray(tokens, dtype=np.float64) / (
        np.asarray(tokens_per_s, dtype=np.float64) * DAY_S
    )
    whole = np.ceil(np.minimum(days - 1e-9 * np.maximum(days, 1.0), 1e9))
    return np.asarray(np.maximum(whole, 1.0), dtype=np.int64)


def start_days(case: Case, pair: int) -> Ints:
    """Days on which a run of the pair may start: its release, then the borders of periods."""
    release = max(int(case.pair_release_day[pair]), 0)
    borders = np.asarray(case.border_day[:-1])
    later = borders[borders > release]
    days = np.concatenate([[release], later])
    return np.asarray(days[days < case.pair_due_day[pair]], dtype=np.int64)


def start_grid(case: Case, pairs: Ints) -> tuple[Ints, Bools]:
    """
    Days on which runs of some pairs may start, one row a pair.

    Returns
    -------
    (ndarray [pair, start], ndarray [pair, start])
        The release, then every border of a period, ascending; and which of them count: the
        release and the borders after it, all before the due day. [day]
    """
    borders = np.asarray(case.border_day[:-1])
    release = np.maximum(case.pair_release_day[pairs], 0)[:, None]
    days = np.concatenate([release, np.broadcast_to(borders, (len(pairs), len(borders)))], axis=1)
    counts = days > release
    counts[:, 0] = True
    return days, counts & (days < case.pair_due_day[pairs][:, None])


@dataclass(frozen=True)
class _Grid:
    """The points of some pairs of one pool side by side, padded; and their starts."""

    job: Ints  # [pair]
    point: Ints  # [pair, point] 0 where padded
    is_point: Bools  # [pair, point]
    nodes: Ints  # [pair, point] ascending
    need: Ints  # [pair, point] days
    cost: Floats  # [pair, point] of the whole run
    starts: Ints  # [pair, start]
    is_start: Bools  # [pair, start]
    due: Ints  # [pair]


def ordinary_runs(
    case: Case,
    pairs: Ints,
    points: list[Ints],
    blocks: tuple[tuple[Block, ...], ...],
    *,
    keeps_all: bool = False,
) -> tuple[Ints, tuple[Ints | Floats, ...]]:
    """
    Runs of pairs of job and pool whose job counts only when finished.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    pairs : ndarray of int
        Rows of the pair table, in the order wanted.
    points : list of ndarray
        For each pair its rows of the point table, fewest nodes first.
    blocks : tuple [pool]
        Blocks of nodes.
    keeps_all : bool
        Whether to keep the needless ones too, for aims other than value and cost.

    Returns
    -------
    (ndarray, tuple of ndarray)
        For each run the position of its pair; and the columns of an option table. By pair,
        nodes and start day. Days from the horizon's first [day], cost in the case's currency.

    Notes
    -----
    Of the runs of one job in one pool from one start day, B is dropped for A when A has no
    more nodes, costs no more, holds no more node-days, has no less value, and reaches no
    later event day. Event days of a pool are the days on which any run or piece may start
    in it, on which some of its nodes go, and, where a consortium has a cap, on which one of
    its own may start anywhere. This keeps the optimum, ties by cost included. Proof: take a
    plan that uses B and put A in its stead. More is held than before at most on days after
    the end of B and before the end of A; no event day lies there. Between two event days
    nothing starts and no node goes, so what a pool or a capped consortium holds only falls:
    the most is reached on an event day, where A holds no more than B. Counting by day is
    enough for node ids in pools whose blocks nest. Budgets, share limits, value and ties
    hold by the other conditions; the start day is the same, so what the job waits for is
    done. In pools whose blocks do not nest, and for a job that another waits for, every day
    is an event day, so A ends no later. Only a floor asks for more of something that A has
    less of, so nothing is dropped for jobs of a consortium with a floor. Of runs equal in
    all respects the first stays.
    """
    found: list[tuple[Ints | Floats, ...]] = []
    ranks: list[Ints] = []
    pools = case.pair_pool[pairs]
    events = _event_days(case, blocks)
    for pool in np.unique(pools).tolist():
        mine = np.flatnonzero(pools == pool)
        for part in np.array_split(mine, max(len(mine) // 400, 1)):
            grid = _grid(case, pairs[part], [points[at] for at in part.tolist()])
            fits, end = _fitting(grid, blocks[pool])
            waited = np.isin(grid.job, case.after_before)[:, None, None]
            days = (
                end
                if not nests(blocks[pool])
                else np.where(waited, end, np.searchsorted(events[pool], end))
            )
            keep = fits if keeps_all else fits & ~_needless(case, grid, fits, end, days)
            rank, columns = _columns(case, grid, keep)
            ranks.append(part[rank])
            found.append(columns)
    if not found:
        return np.zeros(0, dtype=np.int64), ()
    rank = np.concatenate(ranks)
    order = np.argsort(rank, kind="stable")
    joined = (np.concatenate([part[at] for part in found]) for at in range(9))
    return rank[order], tuple(column[order] for column in joined)


def _event_days(case: Case, blocks: tuple[tuple[Block, ...], ...]) -> list[Ints]:
    """Days of each pool on which its load or its size may rise or fall; see `ordinary_runs`."""
    usable = np.flatnonzero(case.pair_reason == 0)
    days, counts = start_grid(case, usable)
    capped = case.consortium_cap[case.job_consortium[case.pair_job[usable]]] > 0
    found = []
    for pool, here in enumerate(blocks):
        mine = counts & ((case.pair_pool[usable] == pool) | capped)[:, None]
        ends = [end for block in here for _, end in block.spans]
        found.append(np.unique(np.concatenate([days[mine], np.array(ends, dtype=np.int64)])))
    return found


def _grid(case: Case, pairs: Ints, points: list[Ints]) -> _Grid:
    """Points of pairs side by side."""
    sizes = np.array([len(part) for part in points])
    job = case.pair_job[pairs]
    is_point = np.arange(int(sizes.max(initial=0))) < sizes[:, None]
    point = np.zeros(is_point.shape, dtype=np.int64)
    point[is_point] = np.concatenate(points)
    rate = np.where(is_point, case.point_tokens_per_s[point], 1.0)
    need = days_needed(case.job_tokens[job][:, None], rate)
    days, counts = start_grid(case, pairs)
    return _Grid(
        job=job,
        point=point,
        is_point=is_point,
        nodes=case.point_nodes[point],
        need=need,
        cost=case.point_cost_per_day[point] * need,
        starts=days,
        is_start=counts,
        due=np.minimum(case.pair_due_day[pairs], case.days),
    )


def _fitting(grid: _Grid, here: tuple[Block, ...]) -> tuple[Bools, Ints]:
    """Which runs fit into their windows and their pool, and their ends. [pair, point, start]"""
    start = np.broadcast_to(grid.starts[:, None, :], (*grid.point.shape, grid.starts.shape[1]))
    end = start + grid.need[:, :, None]
    fits = grid.is_point[:, :, None] & grid.is_start[:, None, :]
    fits &= end <= grid.due[:, None, None]
    fits &= free_nodes(here, start, end) >= grid.nodes[:, :, None]
    return fits, end


def _needless(case: Case, grid: _Grid, fits: Bools, end: Ints, reach: Ints) -> Bools:
    """Which runs another run makes needless; see `ordinary_runs`. [pair, point, start]"""
    drop = ~case.consortium_must_hold[case.job_consortium[grid.job]]
    worth = _kept(case, grid.job[:, None, None], end)
    needless = np.zeros_like(fits)
    many = grid.point.shape[1]
    time: Floats = grid.nodes.astype(np.float64) * grid.need
    for a in range(many):
        for b in range(many):
            less = grid.nodes[:, a] <= grid.nodes[:, b]
            less &= (grid.cost[:, a] <= grid.cost[:, b]) & (time[:, a] <= time[:, b]) & drop
            if a == b or not less.any():
                continue
            at = np.flatnonzero(less)
            one, two = reach[at, a], reach[at, b]
            worse = fits[at, a] & (one <= two) & (worth[at, a] >= worth[at, b])
            if a > b:  # the first of equals stays
                load = np.stack([grid.nodes, grid.cost, time])[:, at]
                equal = (load[:, :, a] == load[:, :, b]).all(axis=0)[:, None]
                worse &= ~(equal & (one == two) & (worth[at, a] == worth[at, b]))
            needless[at, b] |= worse
    return needless


def _kept(case: Case, job: Ints, end: Ints) -> Floats:
    """Part of a job's value that is left when it ends on some day."""
    late = np.maximum(end - case.job_soft_due_day[job], 0)
    return np.asarray(np.maximum(1.0 - case.job_loss_per_day[job] * late, 0.0))


def _columns(case: Case, grid: _Grid, keep: Bools) -> tuple[Ints, tuple[Ints | Floats, ...]]:
    """Position of the pair of each kept run, and its columns of an option table."""
    pair, at, start_at = np.nonzero(keep)
    job, point = grid.job[pair], grid.point[pair, at]
    start = grid.starts[pair, start_at]
    end = start + grid.need[pair, at]
    value = case.job_value[job] * _kept(case, job, end)
    return pair, (
        job,
        point,
        case.point_pool[point],
        grid.nodes[pair, at],
        start,
        end,
        np.ones(len(job)),
        value,
        grid.cost[pair, at],
    )


def points_of_pairs(case: Case) -> dict[tuple[int, int], Ints]:
    """Rows of the point table by job and pool, throughput positive."""
    usable = np.flatnonzero((case.point_tokens_per_s > 0) & (case.point_nodes > 0))
    if case.job_one_block.any():
        room = case.pool_block_nodes[case.point_pool[usable]]
        fits = (room == 0) | (case.point_nodes[usable] <= room)
        usable = usable[fits | ~case.job_one_block[case.point_job[usable]]]
    if len(usable) == 0:
        return {}
    key = case.point_job[usable] * (len(case.pool_names) + 1) + case.point_pool[usable]
    order = np.argsort(key, kind="stable")
    cuts = np.flatnonzero(np.diff(key[order])) + 1
    return {
        (int(case.point_job[part[0]]), int(case.point_pool[part[0]])): part
        for part in np.split(usable[order], cuts)
    }
