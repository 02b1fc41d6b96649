"""The most that any plan with changes has, by prices of rows: recomputed in numpy, no solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats
from planner.allocation.flexible.model import ChainModel, chain_model
from planner.allocation.flexible.parts import EVERY, FINENESS, leaf_bound, parts_bound
from planner.allocation.flexible.rows import LinkRows
from planner.allocation.flexible.ways import Ways
from planner.allocation.offer.block import Block

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["COARSEST", "bound_at", "chain_bound", "fine_buckets", "leaf_buckets"]

CELLS = 400e6  # points, periods and buckets of all jobs that a bound is worth: some seconds
FINEST, COARSEST = 6000, 300


def fine_buckets(ways: Sequence[Ways]) -> int:
    """
    Parts into which the work of each job is divided for a bound.

    The more, the tighter; a rule of the case alone, so that whoever recomputes a bound from
    prices finds the same.
    """
    cells = sum(len(one.point) * len(one.border_day) for one in ways)
    return int(min(max(CELLS // max(cells, 1), COARSEST), FINEST))


def leaf_buckets(ways: Sequence[Ways]) -> int:
    """The same for each of the parts into which all plans are divided, of which there are many."""
    return max(fine_buckets(ways) // 4, COARSEST)


def bound_at(model: ChainModel, prices: Floats, buckets: int) -> float:
    """
    The most weighted value of any plan at prices of rows.

    sum_i price_i bound_i + max over sets S of sum_(j in S) most that any plan of j is worth
    less its rows

    S is any set of jobs whose least costs the budgets of `model.knapsacks` have room for.

    Parameters
    ----------
    model : ChainModel
        The case.
    prices : ndarray [row]
        Not negative. [value per unit of the row]
    buckets : int
        As for `chain_value.chain_values`.
    """
    return leaf_bound(model, EVERY, prices, buckets)


def chain_bound(
    case: Case, blocks: tuple[tuple[Block, ...], ...], prices: Mapping[str, float]
) -> float:
    """
    The bound that prices prove for a case with jobs that may change while they run.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    blocks : tuple [pool]
        Blocks of nodes.
    prices : mapping of str to float
        By name of row; a name that is no row counts for nothing, one below zero as zero.
        [value per unit of the row] The entry `FINENESS` asks for a coarser division of work.

    Returns
    -------
    float
        Valid for every plan by weak duality, whatever the prices are: each job's best plan
        at the prices is bounded by a recursion over periods, points and work done; where jobs
        are few, those of a consortium earn together what the best set does that its budget has
        room for (`knapsack.budget_knapsacks`). A job that may pause counts with all that it is
        worth. Where all plans are divided into parts with prices of their own, the largest
        bound of them holds too.
    """
    model = chain_model(case, blocks)
    rows, ways = model.rows, model.ways
    own = np.array([max(float(prices.get(name, 0.0)), 0.0) for name in rows.names])
    pauses = case.job_preemptible
    if pauses.any():
        own[_untold(rows)] = 0.0
    most = max(int(min(float(prices.get(FINENESS, FINEST)), FINEST)), 1)
    fine, leaf = min(fine_buckets(ways), most), min(leaf_buckets(ways), most)
    parts = None if pauses.any() else parts_bound(model, prices, leaf, fine_buckets(ways))
    weight = case.consortium_weight[case.job_consortium]
    worth = float((weight * case.job_value)[pauses].sum())
    whole = bound_at(model, own, fine) + worth
    return whole if parts is None else min(whole, parts)


def _untold(rows: LinkRows) -> list[int]:
    """Rows in which a job that pauses might earn something, at prices that are not negative."""
    pauses = rows.case.job_preemptible
    found = [*rows.floors.values(), *rows.uses.values(), *rows.equals.values()]
    for before, then, first, days in rows.orders:
        if pauses[before] or pauses[then]:
            found += range(first, first + len(days))
    return found
