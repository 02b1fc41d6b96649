"""Division of all plans into parts, by which jobs they serve, until the bounds of all are near."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from planner.allocation.flexible.knapsack import NOBODY
from planner.allocation.flexible.master import Master
from planner.allocation.flexible.parts import EVERY, Part
from planner.allocation.flexible.prices import INWARD, paths_at
from planner.allocation.flexible.value import NEVER
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["Leaf", "Split", "split"]

ROUNDS, CLOSE = 6, 0.002  # rounds of pricing a part is worth, and how near they need to come
WHOLE_FRAC = 1e-4  # a job served by less than this, or by all but this, is not in doubt


@dataclass(frozen=True)
class Leaf:
    """A part that is not divided, with prices and what they nearly prove."""

    part: Part
    prices: Floats
    estimate: float
    served: Floats  # [job] part of each job that the best mixture serves
    outer: Floats  # prices of what it is a part of

    @property
    def in_doubt(self) -> int | None:
        """The job served most nearly by half; None where all are served or not."""
        served = self.served.copy()
        served[list(self.part.served | self.part.refused)] = 0.0
        job = int(np.argmin(np.abs(served - 0.5)))
        return job if WHOLE_FRAC < served[job] < 1 - WHOLE_FRAC else None


@dataclass(frozen=True)
class Split:
    """The parts, and the job that decides between the halves of each that is divided."""

    leaves: tuple[Leaf, ...]
    divided: dict[int, int]


def split(
    master: Master,
    whole: tuple[Floats, float],
    *,
    reach: Callable[[Leaf], float],
    goal: float,
    buckets: int,
    most: int,
    time_limit_s: float,
    begun: Split | None = None,
) -> Split:
    """
    Parts of all plans whose bounds are near a plan in hand, as far as the time allows.

    Parameters
    ----------
    master : Master
        The relaxed program over plans; more are added.
    whole : (ndarray [row], float)
        Prices of all plans, and what they nearly prove. [value per unit of the row], [value]
    reach : callable
        The bound that a part is expected to prove. [value]
    goal : float
        Parts with a bound up to this are not divided. [value]
    buckets : int
        How finely plans are sought.
    most : int
        Parts in the end.
    time_limit_s : float
        Time after which no more parts are made. [s]
    begun : Split, optional
        Parts to go on from.

    Notes
    -----
    The part with the largest bound is divided next, by the job that its mixture serves most
    nearly by half. Nodes and budgets that have room for one of two jobs, and not for a part
    of each, are what makes the bound of the whole too large.
    """
    maker = _Maker(master, buckets, goal, time.monotonic() + time_limit_s)
    divided = dict(begun.divided) if begun else {}
    leaves = list(begun.leaves) if begun else []
    if not leaves:
        root = maker.root(*whole)
        if root is None:
            return Split((), {})
        leaves.append(root)
    while len(leaves) < most and not maker.is_over():
        leaf = max(leaves, key=reach)
        job = leaf.in_doubt
        if reach(leaf) <= goal or job is None:
            break
        halves = [maker.leaf(half, leaf.prices) for half in _halves(leaf.part, job)]
        made = [half for half in halves if half is not None]
        if len(made) < len(halves):
            break
        divided[leaf.part.number] = job
        leaves = [one for one in leaves if one is not leaf] + made
    return Split(tuple(leaves), divided)


def _halves(part: Part, job: int) -> tuple[Part, Part]:
    """The plans of a part that serve a job, and those that do not."""
    return (
        Part(2 * part.number, part.served | {job}, part.refused),
        Part(2 * part.number + 1, part.served, part.refused | {job}),
    )


class _Maker:
    """Prices of parts, from those of what they are parts of."""

    def __init__(self, master: Master, buckets: int, goal: float, end: float) -> None:
        self.master, self.buckets, self.goal, self.end = master, buckets, goal, end

    def is_over(self) -> bool:
        """Whether the time is."""
        return time.monotonic() > self.end or is_stopped()

    def root(self, prices: Floats, estimate: float) -> Leaf | None:
        """All plans, with the prices that there are; None when the time ends first."""
        self.master.ask(NOBODY, NOBODY)
        if self.master.prices(max(self.end - time.monotonic(), 0.1)) is None:
            return None
        return Leaf(EVERY, prices, estimate, self.master.served(), prices)

    def leaf(self, part: Part, prices: Floats) -> Leaf | None:
        """A part with prices of its own; None when the time ends first."""
        master = self.master
        if not all(one.holds(part.served) for one in master.knapsacks):
            return Leaf(part, prices, NEVER, np.zeros(master.jobs), prices)
        master.ask(part.served, part.refused)
        solved = master.prices(max(self.end - time.monotonic(), 0.1))
        best = (np.inf, prices)
        for _ in range(ROUNDS):
            if solved is None:
                return None
            sought = INWARD * best[1] + (1 - INWARD) * solved[1]
            found = paths_at(master.chains, part, sought, self.buckets, self.end)
            if found is None:
                return None
            best = min(best, (found[1], sought), key=lambda pair: pair[0])
            master.add(found[0])
            solved = master.prices(max(self.end - time.monotonic(), 0.1))
            if best[0] <= self.goal or (
                solved is not None and best[0] - solved[0] < CLOSE * abs(solved[0])
            ):
                break
        if solved is None:
            return None
        return Leaf(part, best[1], best[0], master.served(), prices)
