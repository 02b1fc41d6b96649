"""The time of a plan, and bounds as fine as it lets them be, and be recomputed after it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hardware.column import Floats
from planner.allocation.flexible.bound import COARSEST, bound_at, fine_buckets, leaf_buckets
from planner.allocation.flexible.parts import Part, leaf_bound
from planner.allocation.flexible.rows import LinkRows
from planner.allocation.flexible.ways import Ways
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["Clock"]

PROBE_BUCKETS = 50  # of a first bound, which tells how long a finer one takes
STEP = 8  # between the fineness of a bound before the last and that of the last
WHOLE_FRAC, LEAVES_FRAC = 0.2, 0.15  # parts of the time for each of both kinds of bounds


class Clock:
    """
    What is left of the time of a plan.

    Whoever takes up the certificate recomputes its bounds once; that time is kept back.
    """

    def __init__(self, time_limit_s: float) -> None:
        self.began, self.time_limit_s = time.monotonic(), time_limit_s
        self.kept_s, self.took_s, self.s_a_bucket = 0.0, 0.0, 0.0
        self.buckets, self.is_coarse, self.is_stopped = 0, False, False

    def used(self) -> float:
        """Time since the beginning. [s]"""
        return time.monotonic() - self.began

    def left(self) -> float:
        """Time that is left for plans; none after `stop` or an interrupt. [s]"""
        if self.is_stopped or is_stopped():
            return 0.0
        return self.time_limit_s - self.used() - self.kept_s

    def stop(self) -> None:
        """Leave no more time."""
        self.is_stopped = True

    def whole_bound(self, rows: LinkRows, ways: Sequence[Ways], prices: Floats) -> float:
        """
        The bound on all plans at prices, as fine as a part of the time allows. [value]

        Half as fine, and again, until the time is taken to do; `buckets` tells how fine. For
        the coarsest that is worth stating all of the time that is left may go.
        """
        finest, end = fine_buckets(ways), self.used() + WHOLE_FRAC * self.time_limit_s
        bound, self.buckets = self._timed(rows, ways, prices, PROBE_BUCKETS), PROBE_BUCKETS
        # Short ones take longer a bucket: the one before the last tells how fine that may be.
        for most in (max(finest // STEP, COARSEST), finest):
            buckets, left = most, max(self.left(), 0.0)
            while buckets > self.buckets:
                spend = 0.9 * left if buckets <= COARSEST else min(end - self.used(), left / 2)
                if self.s_a_bucket * buckets <= spend:
                    bound, self.buckets = self._timed(rows, ways, prices, buckets), buckets
                    break
                buckets //= 2
        self.is_coarse = self.buckets < finest
        self.kept_s = self.took_s
        return bound

    def _timed(self, rows: LinkRows, ways: Sequence[Ways], prices: Floats, buckets: int) -> float:
        """A bound, from which to tell how long others take."""
        began = time.monotonic()
        bound = bound_at(rows, ways, prices, buckets)
        self.took_s = time.monotonic() - began
        self.s_a_bucket = self.took_s / buckets
        return bound

    def leaves(self, ways: Sequence[Ways]) -> int:
        """Parts whose bounds a part of the time allows to compute, and to recompute."""
        spend = min(LEAVES_FRAC * self.time_limit_s, max(self.left(), 0.0) / 4)
        return int(spend / max(self.s_a_bucket * self.leaf_buckets(ways), 1e-9))

    def leaf_buckets(self, ways: Sequence[Ways]) -> int:
        """How finely work is divided for the bound of a part."""
        return min(leaf_buckets(ways), self.buckets)

    def leaves_bound(
        self, rows: LinkRows, ways: Sequence[Ways], leaves: Sequence[tuple[Part, Floats]]
    ) -> float | None:
        """The largest bound of some parts; None where the time ends before all are known."""
        began, buckets, found = time.monotonic(), self.leaf_buckets(ways), []
        spend = max(self.left(), 0.0) / 2  # as long again to recompute them
        for part, prices in leaves:
            if time.monotonic() - began > spend or is_stopped():
                return None
            found.append(leaf_bound(rows, ways, part, prices, buckets))
        self.kept_s += time.monotonic() - began
        return max(found)
