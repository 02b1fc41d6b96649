"""Whole plans of jobs that may change pool and number of nodes at borders, as chains of links."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints, row_count, seal, take
from planner.allocation.offer.run import days_needed

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["ChainTable", "LinkTable", "chains_of", "no_chains", "pair_rows", "take_chains"]

DAY_S = 86400.0


@dataclass(frozen=True)
class ChainTable:
    """
    Plans of two links or more, one row a plan; the program chooses at most one a job.

    A plan of one link is a run and stands in the table of runs.
    """

    job: Ints  # [chain]
    start_day: Ints  # [chain] of the first link
    end_day: Ints  # [chain] first day after the last link
    done_frac: Floats  # [chain] part of the tokens done, 1 when finished
    value: Floats  # [chain] worth of what is done, lateness included, without the weight
    cost: Floats  # [chain] in the scenario's currency, days of moving included

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


@dataclass(frozen=True)
class LinkTable:
    """Nodes held by a chain without a change, by chain and then by start day."""

    chain: Ints  # [link]
    point: Ints  # [link] row of the case's point table
    pool: Ints  # [link]
    nodes: Ints  # [link]
    start_day: Ints  # [link]
    end_day: Ints  # [link] start day of the next link of the chain
    lost_days: Ints  # [link] days at its start without work, 0 for the first link

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


def no_chains() -> tuple[ChainTable, LinkTable]:
    """Tables without a row: cases in which no job may change while it runs."""
    none, zero = np.zeros(0, dtype=np.int64), np.zeros(0)
    return (
        ChainTable(none, none, none, zero, zero, zero),
        LinkTable(none, none, none, none, none, none, none),
    )


def take_chains(chains: ChainTable, links: LinkTable, rows: Ints) -> tuple[ChainTable, LinkTable]:
    """Some of the chains with their links, in the order of the rows given."""
    counts = np.bincount(links.chain, minlength=len(chains))
    first = np.cumsum(counts) - counts
    many = counts[rows]
    offset = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    found = take(links, np.repeat(first[rows], many) + offset)
    return take(chains, rows), replace(found, chain=np.repeat(np.arange(len(rows)), many))


def pair_rows(case: Case) -> Ints:
    """Row of the pair table for each job and pool. [job, pool]"""
    rows = np.zeros((len(case.job_names), len(case.pool_names)), dtype=np.int64)
    rows[case.pair_job, case.pair_pool] = np.arange(len(case.pair_job))
    return rows


def chains_of(
    case: Case,
    job: Ints,
    chain: Ints,
    point: Ints,
    start_day: Ints,
    *,
    stop_day: Ints | None = None,
) -> tuple[ChainTable, LinkTable]:
    """
    Chains from where each link starts: their days, what is lost, value and cost.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    job : ndarray of int [chain]
        Whose plan each chain is.
    chain : ndarray of int [link]
        Chain of each link, ascending; two links or more each.
    point : ndarray of int [link]
        Row of the case's point table.
    start_day : ndarray of int [link]
        Ascending within a chain. [day]
    stop_day : ndarray of int [chain], optional
        Day by which a chain ends, finished or not, for jobs that count in part; the last
        day of its pair when left out. [day]

    Returns
    -------
    (ChainTable, LinkTable)
        In the order given. A link ends where the next one starts, the last link on the
        first day on which the work is done. At the start of each link but the first
        ``case.job_move_days`` days are held and paid without work.

    Raises
    ------
    ValueError
        A chain has fewer than two links, one of its links does no work, its work is done
        before the last link, or is not done in time and does not count in part.

    Notes
    -----
    That a link lies in its window and that its nodes are there is for the caller to see to.
    """
    count = len(job)
    first = np.searchsorted(chain, np.arange(count + 1))
    if (np.diff(first) < 2).any():
        raise ValueError("a chain has two links at least; one of one link is a run")
    last, of = first[1:] - 1, job[chain]
    pool, rate = case.point_pool[point], case.point_tokens_per_s[point] * DAY_S
    lost = np.array(case.job_move_days[of], dtype=np.int64)
    lost[first[:-1]] = 0
    due = np.minimum(case.pair_due_day[pair_rows(case)[job, pool[last]]], case.days)
    stop = due if stop_day is None else np.minimum(stop_day, due)
    end = np.empty_like(start_day)
    end[:-1] = start_day[1:]
    end[last] = stop
    work = rate * (end - start_day - lost)
    before = work.copy()
    before[last] = 0.0
    left = case.job_tokens[job] - np.bincount(chain, weights=before, minlength=count)
    need = start_day[last] + lost[last] + days_needed(left, case.point_tokens_per_s[point[last]])
    is_done = need <= stop
    end[last] = np.minimum(need, stop)
    _check(case, job, left, is_done, (end - start_day - lost)[last], last, rate, work)
    done = np.where(is_done, 1.0, 1.0 - (left - work[last]) / case.job_tokens[job])
    late = np.maximum(end[last] - case.job_soft_due_day[job], 0)
    kept = np.maximum(1.0 - case.job_loss_per_day[job] * late, 0.0)
    paid = case.point_cost_per_day[point] * (end - start_day)
    return (
        ChainTable(
            job=np.asarray(job, dtype=np.int64).copy(),
            start_day=start_day[first[:-1]],
            end_day=end[last],
            done_frac=done,
            value=case.job_value[job] * done * kept,
            cost=np.bincount(chain, weights=paid, minlength=count).astype(np.float64),
        ),
        LinkTable(
            chain=np.asarray(chain, dtype=np.int64).copy(),
            point=np.asarray(point, dtype=np.int64).copy(),
            pool=np.asarray(pool, dtype=np.int64),
            nodes=np.asarray(case.point_nodes[point], dtype=np.int64),
            start_day=np.asarray(start_day, dtype=np.int64).copy(),
            end_day=end,
            lost_days=lost,
        ),
    )


def _check(
    case: Case,
    job: Ints,
    left: Floats,
    is_done: Bools,
    last_days: Ints,
    last: Ints,
    rate: Floats,
    work: Floats,
) -> None:
    """Refuse chains that are none; see `chains_of`."""
    earlier = np.delete(work, last)
    if (earlier <= 0).any() or (last_days <= 0).any():
        raise ValueError("each link of a chain has more days than its move takes")
    # What the link before the last had left at its start says whether it did the rest.
    then = (left + work[last - 1]) / rate[last - 1]
    if (left <= 1e-9 * np.maximum(then, 1.0) * rate[last - 1]).any():
        raise ValueError("the work of a chain is done before its last link")
    if (~is_done & ~case.job_partial[job]).any():
        raise ValueError("a chain does not finish in time, and its job does not count in part")
