"""What plans with changes are made of: rows, ways of jobs, and budgets that cannot pay for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from planner.allocation.flexible.knapsack import Knapsack, budget_knapsacks
from planner.allocation.flexible.rows import LinkRows, link_rows
from planner.allocation.flexible.ways import Ways, all_ways
from planner.allocation.offer.block import Block

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["ChainModel", "chain_model"]

MOST_THREADS = 4  # each fills tables of its own, and memory is what they wait for

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True)
class ChainModel:
    """A case with jobs that may change at borders, as bounds and searches look at it."""

    rows: LinkRows
    ways: tuple[Ways, ...]  # of every job that may be served
    knapsacks: tuple[Knapsack, ...]  # budgets that have no room for all the jobs they pay for
    threads: int = 1

    def each(self, do: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
        """
        The answer to each item, in their order, several at a time.

        Threads suffice, since numpy lets others run while it fills tables. None is left
        afterwards: a process with threads cannot safely make another for a solver.
        """
        if self.threads <= 1 or len(items) < 2:
            return [do(item) for item in items]
        with ThreadPoolExecutor(min(self.threads, len(items))) as pool:
            return list(pool.map(do, items))


def chain_model(
    case: Case, blocks: tuple[tuple[Block, ...], ...], *, threads: int = 0
) -> ChainModel:
    """
    The rows and ways of a case.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    blocks : tuple [pool]
        Blocks of nodes.
    threads : int
        Processors to use; 0 for those that the process may use, four at most.
    """
    rows, ways = link_rows(case, blocks), all_ways(case, blocks)
    return ChainModel(rows, ways, budget_knapsacks(rows, ways), threads or _processors())


def _processors() -> int:
    """Processors that are worth using."""
    try:
        found = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        found = os.cpu_count() or 1
    return min(found, MOST_THREADS)
