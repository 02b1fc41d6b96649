"""Division of all plans into parts, by which jobs they serve, until the bounds of all are near."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from planner.allocation.flexible.master import Master
from planner.allocation.flexible.parts import WHOLE, Part
from planner.allocation.flexible.path import Path, best_starts, followed
from planner.allocation.flexible.prices import INWARD, STARTS
from planner.allocation.flexible.value import chain_values
from planner.allocation.flexible.ways import Ways, costs_of
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


@dataclass(frozen=True)
class Split:
    """The parts, and the job that decides between the halves of each that is divided."""

    leaves: tuple[Leaf, ...]
    divided: dict[int, int]


def split(
    master: Master,
    ways: Sequence[Ways],
    prices: Floats,
    *,
    value: float,
    gap_frac: float,
    buckets: int,
    most: int,
    time_limit_s: float,
    on_leaf: Callable[[Leaf], float] | None = None,
) -> Split:
    """
    Parts of all plans whose bounds are near a plan in hand, as far as the time allows.

    Parameters
    ----------
    master : Master
        The relaxed program over plans; more are added.
    ways : sequence of Ways
        Every job that may be served.
    prices : ndarray [row]
        Of the whole. [value per unit of the row]
    value : float
        Of the plan in hand.
    gap_frac : float
        Parts with a bound this near the plan are not divided. [1]
    buckets : int
        How finely plans are sought.
    most : int
        Parts in the end.
    time_limit_s : float
        Time after which no more parts are made. [s]
    on_leaf : callable, optional
        Told each new part; returns the value of the best plan in hand.

    Notes
    -----
    The part with the largest bound is divided next, by the job that its mixture serves most
    nearly by half. Budgets that have room for one of two jobs, and not for a part of each,
    are what makes the bound of the whole too large.
    """
    end = time.monotonic() + time_limit_s
    maker = _Maker(master, ways, buckets, end)
    root = maker.leaf(Part(WHOLE, frozenset(), frozenset()), prices, value)
    if root is None:
        return Split((), {})
    heap: list[tuple[float, int, Leaf]] = [(-root.estimate, WHOLE, root)]
    closed: list[Leaf] = []
    divided: dict[int, int] = {}
    while heap and len(heap) + len(closed) < most and time.monotonic() < end and not is_stopped():
        if -heap[0][0] * (1 - gap_frac) <= value:
            break
        leaf = heapq.heappop(heap)[2]
        job = _in_doubt(leaf)
        if job is None:
            closed.append(leaf)
            continue
        part, halves = leaf.part, []
        for served in (True, False):
            half = Part(
                2 * part.number + (not served),
                part.served | {job} if served else part.served,
                part.refused if served else part.refused | {job},
            )
            halves.append(maker.leaf(half, leaf.prices, value))
        if halves[0] is None or halves[1] is None:
            closed.append(leaf)
            break
        divided[part.number] = job
        for made in halves:
            if made is not None:
                heapq.heappush(heap, (-made.estimate, made.part.number, made))
                value = max(value, on_leaf(made)) if on_leaf is not None else value
    return Split((*closed, *(leaf for *_, leaf in heap)), divided)


def _in_doubt(leaf: Leaf) -> int | None:
    """The job served most nearly by half; None where all are served or not."""
    served = leaf.served.copy()
    served[list(leaf.part.served | leaf.part.refused)] = 0.0
    job = int(np.argmin(np.abs(served - 0.5)))
    return job if WHOLE_FRAC < served[job] < 1 - WHOLE_FRAC else None


class _Maker:
    """Prices of parts, from those of what they are parts of."""

    def __init__(self, master: Master, ways: Sequence[Ways], buckets: int, end: float) -> None:
        self.master, self.ways, self.buckets, self.end = master, ways, buckets, end

    def leaf(self, part: Part, prices: Floats, value: float) -> Leaf | None:
        """A part with prices of its own; None when the time ends first."""
        master = self.master
        master.ask(part.served, part.refused)
        solved = master.prices(max(self.end - time.monotonic(), 0.1))
        best = (np.inf, prices)
        for _ in range(ROUNDS):
            if solved is None:
                return None
            sought = INWARD * best[1] + (1 - INWARD) * solved[1]
            found = self.paths(part, sought)
            if found is None:
                return None
            best = min(best, (found[1], sought), key=lambda pair: pair[0])
            master.add(found[0])
            solved = master.prices(max(self.end - time.monotonic(), 0.1))
            if best[0] <= value or (
                solved is not None and best[0] - solved[0] < CLOSE * abs(solved[0])
            ):
                break
        if solved is None:
            return None
        return Leaf(part, best[1], best[0], master.served())

    def paths(self, part: Part, prices: Floats) -> tuple[list[Path], float] | None:
        """Plans that earn most at prices, and what the part earns at least; see `paths_at`."""
        rows = self.master.rows
        tariff, earns = rows.tariff(prices), rows.earns(prices)
        total, found = float(prices @ rows.bound), []
        for one in self.ways:
            if one.job in part.refused:
                continue
            if time.monotonic() > self.end or is_stopped():
                return None
            costs = costs_of(rows.case, one, tariff, may_earn=earns)
            values = chain_values(one, costs, self.buckets, is_bound=False)
            most = values.best
            for period, way in best_starts(one, values, STARTS):
                path = followed(one, costs, values, period, way)
                if path is not None:
                    found.append(path)
                    most = max(most, path.profit)
            total += most if one.job in part.served else max(most, 0.0)
        return found, total
