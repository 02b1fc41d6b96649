"""Every chain of the flexible jobs of a small case, for a program that leaves none out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.offer.block import Block, free_nodes, nests
from planner.allocation.offer.chain import ChainTable, LinkTable, chains_of, no_chains, pair_rows
from planner.allocation.offer.run import days_needed, points_of_pairs, start_days

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["chain_points", "every_chain", "joined"]

DAY_S = 86400.0
WORK_A_CHAIN = 8  # open links looked at for each chain that there may be


def every_chain(
    case: Case,
    blocks: tuple[tuple[Block, ...], ...],
    limit: int,
    *,
    keeps_all: bool = False,
) -> tuple[ChainTable, LinkTable] | None:
    """
    All plans of two links or more that flexible jobs may have.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    blocks : tuple [pool]
        Blocks of nodes.
    limit : int
        Most chains in all.
    keeps_all : bool
        Whether links may use needless points too, for aims other than value and cost.

    Returns
    -------
    (ChainTable, LinkTable) or None
        By job name, number of links, and the points and days of the links; None when there
        are more than `limit`, or when as much work would be spent on plans that lead nowhere.

    Notes
    -----
    Plans are grown link by link: an open link is closed at each border on which the work is
    not done yet, and followed by a link at every other point whose window is open then.
    Links that no rate of the job could finish in time are not followed. Points that
    `chain_points` finds needless are left out, which keeps the optimum.
    """
    names, room = case.job_names, limit
    chains: list[ChainTable] = []
    links: list[LinkTable] = []
    for job in sorted(np.flatnonzero(case.job_flexible).tolist(), key=lambda at: names[at]):
        points = chain_points(case, blocks, job, keeps_all=keeps_all)
        found = _grown(case, blocks, job, points, room) if len(points) > 1 else no_chains()
        if found is None:
            return None
        room -= len(found[0])
        chains.append(found[0])
        links.append(found[1])
    return joined(chains, links)


def chain_points(
    case: Case, blocks: tuple[tuple[Block, ...], ...], job: int, *, keeps_all: bool = False
) -> Ints:
    """
    Points that a link of a job's chains may use, by pool name and nodes. [point]

    Parameters
    ----------
    case : Case
        The scenario as columns.
    blocks : tuple [pool]
        Blocks of nodes.
    job : int
        A flexible job.
    keeps_all : bool
        Whether to keep the needless ones too, for aims other than value and cost.

    Returns
    -------
    ndarray of int
        Rows of the case's point table.

    Notes
    -----
    A point that `option.dominated` drops for whole runs may still be useful inside a chain:
    it is dropped there for a slower point that needs as many whole days for all of the work,
    and part of the work may need more. So here B is needless for A of the same pair only if
    A has no more nodes, costs no more a day, and is no slower. This keeps the optimum, ties
    by cost included. Proof: take a plan with a chain that has links of B, and put A in the
    stead of each. Where A now follows A, join the two, which needs no move. By every day at
    least as much work is done, so the chain ends no later, and links after its end fall
    away; a stop at a border of a job that counts in part stays where it was, or the job is
    finished before. On each day no more nodes of the pool are held than before, at no more
    cost: capacity, caps, share limits and budgets hold, value is no less, and whatever waits
    for the job still may. What is left may be one link, which is a run. Node ids follow from
    counting by day, so nothing is dropped in pools whose blocks do not nest: there, nodes
    that stay for both of two links might not be the same. Nor is anything where a rule counts
    the time that the consortium holds nodes. Of equal points the first stays.
    """
    found = [
        _useful(case, job, points, nests(blocks[pool]) and not keeps_all)
        for pool, points in sorted(
            ((pool, points) for (owner, pool), points in points_of_pairs(case).items()
             if owner == job and case.pair_reason[pair_rows(case)[job, pool]] == 0),
            key=lambda item: case.pool_names[item[0]],
        )
    ]  # fmt: skip
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _useful(case: Case, job: int, points: Ints, may_drop: bool) -> Ints:
    """Points of one pair, fewest nodes first, without those needless in chains."""
    points = points[np.argsort(case.point_nodes[points], kind="stable")]
    if not may_drop or case.consortium_must_hold[case.job_consortium[job]]:
        return points
    loads = [
        case.point_nodes[points],
        case.point_cost_per_day[points],
        -case.point_tokens_per_s[points],
    ]
    no_worse = np.ones((len(points), len(points)), dtype=np.bool_)
    better = np.zeros_like(no_worse)
    for load in loads:
        no_worse &= load[:, None] <= load[None, :]
        better |= load[:, None] < load[None, :]
    earlier = np.arange(len(points))[:, None] < np.arange(len(points))[None, :]
    return points[~(no_worse & (better | earlier)).any(axis=0)]


@dataclass(frozen=True)
class _Open:
    """Links that have begun, each behind the one that it follows."""

    at: Ints  # [open] row of the job's points
    start: Ints  # [open]
    left: Floats  # [open] tokens to do from the start on
    before: Ints  # [open] row of the open links of one link less


@dataclass(frozen=True)
class _Job:
    """What the links of one job's chains may be."""

    job: int
    point: Ints  # [point]
    pool: Ints  # [point]
    nodes: Ints  # [point]
    rate: Floats  # [point] tokens a second
    release: Ints  # [point]
    due: Ints  # [point]
    borders: Ints  # [border] days on which links may change
    move: int
    blocks: tuple[tuple[Block, ...], ...]  # [pool]

    def stays(self, at: Ints, start: Ints, end: Ints) -> Bools:
        """Whether enough nodes stay for each link."""
        free = np.zeros(len(at), dtype=np.int64)
        for pool in np.unique(self.pool[at]).tolist():
            mine = self.pool[at] == pool
            free[mine] = free_nodes(self.blocks[pool], start[mine], end[mine])
        return np.asarray(free >= self.nodes[at])


def _grown(
    case: Case, blocks: tuple[tuple[Block, ...], ...], job: int, points: Ints, limit: int
) -> tuple[ChainTable, LinkTable] | None:
    """All chains of one job; None when there are more than the limit."""
    pair = pair_rows(case)[job, case.point_pool[points]]
    here = _Job(
        job=job,
        point=points,
        pool=case.point_pool[points],
        nodes=case.point_nodes[points],
        rate=case.point_tokens_per_s[points],
        release=np.maximum(case.pair_release_day[pair], 0),
        due=np.minimum(case.pair_due_day[pair], case.days),
        borders=np.asarray(case.border_day[1:-1]),
        move=int(case.job_move_days[job]),
        blocks=blocks,
    )
    starts = [start_days(case, row) for row in pair.tolist()]
    at = np.repeat(np.arange(len(points)), [len(days) for days in starts])
    none = np.full(len(at), -1)
    level = _Open(at, np.concatenate(starts), np.full(len(at), case.job_tokens[job]), none)
    levels = [level]
    closed: list[tuple[int, Ints, Ints]] = []  # links, rows of the last level, stop days
    many = 0
    while len(level.at):
        lost = here.move if len(levels) > 1 else 0
        finish = level.start + lost + days_needed(level.left, here.rate[level.at])
        if len(levels) > 1:
            row, stop = _ends(case, here, level, lost, finish)
            closed.append((len(levels), row, stop))
            many += len(row)
        following = _followed(case, here, level, lost, finish, WORK_A_CHAIN * limit + 1000)
        if following is None or many > limit:
            return None
        level = following
        levels.append(level)
    return _tables(case, here, levels, closed)


def _ends(case: Case, here: _Job, level: _Open, lost: int, finish: Ints) -> tuple[Ints, Ints]:
    """Open links that may be the last, and the days on which they stop."""
    row, stop = np.arange(len(level.at)), finish
    if case.job_partial[here.job]:
        days = np.unique(np.concatenate([case.border_day[1:], here.due]))
        begun = days[None, :] > (level.start + lost)[:, None]
        early = begun & (days[None, :] < finish[:, None])
        is_border = np.isin(days, case.border_day)
        early &= is_border[None, :] | (days[None, :] == here.due[level.at][:, None])
        rows, at = np.nonzero(early)
        row, stop = np.concatenate([row, rows]), np.concatenate([stop, days[at]])
        order = np.lexsort((stop, row))
        row, stop = row[order], stop[order]
    link = level.at[row]
    keep = (stop <= here.due[link]) & here.stays(link, level.start[row], stop)
    return row[keep], stop[keep]


def _followed(
    case: Case, here: _Job, level: _Open, lost: int, finish: Ints, most: int
) -> _Open | None:
    """The links that may follow some open ones; None when there are more than some number."""
    day = here.borders[None, :]
    closes = (day > (level.start + lost)[:, None]) & (day < finish[:, None])
    closes &= day <= here.due[level.at][:, None]
    row, border = np.nonzero(closes)
    start = here.borders[border]
    stays = here.stays(level.at[row], level.start[row], start)
    row, start = row[stays], start[stays]
    left = level.left[row] - here.rate[level.at[row]] * DAY_S * (start - level.start[row] - lost)
    ahead = int(here.due.max()) - start - here.move
    if not case.job_partial[here.job]:
        # A little more than needed, so that float sums exclude nothing that may finish.
        able = left <= float(here.rate.max()) * DAY_S * ahead * (1 + 1e-6)
        row, start, left = row[able], start[able], left[able]
    if len(row) * len(here.point) > 4 * most:
        return None
    may = (here.release[None, :] <= start[:, None]) & (start[:, None] + here.move < here.due)
    may &= np.arange(len(here.point))[None, :] != level.at[row][:, None]
    before, at = np.nonzero(may)
    if len(before) > most:
        return None
    return _Open(at, start[before], left[before], row[before])


def _tables(
    case: Case, here: _Job, levels: list[_Open], closed: list[tuple[int, Ints, Ints]]
) -> tuple[ChainTable, LinkTable]:
    """Chains of all numbers of links, followed back to their first."""
    chain, point, start, stops = [], [], [], []
    count = 0
    for links, last, stop in closed:
        rows = last
        own = np.arange(len(last)) + count
        ats, days = [], []
        for level in reversed(levels[:links]):
            ats.append(here.point[level.at[rows]])
            days.append(level.start[rows])
            rows = level.before[rows]
        chain.append(np.repeat(own, links))
        point.append(np.stack(ats[::-1], axis=1).ravel())
        start.append(np.stack(days[::-1], axis=1).ravel())
        stops.append(stop)
        count += len(last)
    if count == 0:
        return no_chains()
    return chains_of(
        case,
        np.full(count, here.job, dtype=np.int64),
        np.concatenate(chain),
        np.concatenate(point),
        np.concatenate(start),
        stop_day=np.concatenate(stops),
    )


def joined(chains: list[ChainTable], links: list[LinkTable]) -> tuple[ChainTable, LinkTable]:
    """Tables of several jobs, one below the other."""
    if not chains:
        return no_chains()
    first = np.cumsum([0, *(len(each) for each in chains)])
    shifted = [part.chain + low for part, low in zip(links, first.tolist(), strict=False)]
    one = {name: np.concatenate([getattr(each, name) for each in chains])
           for name in ChainTable.__dataclass_fields__}  # fmt: skip
    two = {name: np.concatenate([getattr(each, name) for each in links])
           for name in LinkTable.__dataclass_fields__ if name != "chain"}  # fmt: skip
    return ChainTable(**one), LinkTable(chain=np.concatenate(shifted), **two)
