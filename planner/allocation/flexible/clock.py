"""The time of a plan, and bounds as fine as it lets them be."""

from __future__ import annotations

import time

from hardware.column import Floats
from planner.allocation.flexible.bound import COARSEST, bound_at, fine_buckets, leaf_buckets
from planner.allocation.flexible.model import ChainModel
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["Clock"]

PROBE_BUCKETS = 50  # of a first bound, which tells how long a finer one takes
STEP = 8  # between the fineness of a bound before the last and that of the last
WHOLE_FRAC = 0.2  # part of the time for the bound on all plans


class Clock:
    """What is left of the time of a plan, and how finely it lets bounds be computed."""

    def __init__(self, time_limit_s: float) -> None:
        self.began, self.time_limit_s = time.monotonic(), time_limit_s
        self.s_a_bucket = 0.0
        self.buckets, self.is_coarse, self.is_stopped = 0, False, False

    def used(self) -> float:
        """Time since the beginning. [s]"""
        return time.monotonic() - self.began

    def left(self) -> float:
        """Time that is left for plans; none after `stop` or an interrupt. [s]"""
        if self.is_stopped or is_stopped():
            return 0.0
        return self.time_limit_s - self.used()

    def stop(self) -> None:
        """Leave no more time."""
        self.is_stopped = True

    def whole_bound(self, model: ChainModel, prices: Floats, most: int | None = None) -> float:
        """
        The bound on all plans at prices, as fine as a part of the time allows. [value]

        Half as fine, and again, until the time is taken to do; `buckets` tells how fine. For
        the coarsest that is worth stating all of the time that is left may go. No finer than
        `most` where that is given.
        """
        usual, end = fine_buckets(model.ways), self.used() + WHOLE_FRAC * self.time_limit_s
        finest = usual if most is None else min(most, usual)
        bound, self.buckets = self._timed(model, prices, PROBE_BUCKETS), PROBE_BUCKETS
        # Short ones take longer a bucket: the one before the last tells how fine that may be.
        for first in (max(finest // STEP, COARSEST), finest):
            buckets, left = first, max(self.left(), 0.0)
            while buckets > self.buckets:
                spend = 0.9 * left if buckets <= COARSEST else min(end - self.used(), left / 2)
                if self.s_a_bucket * buckets <= spend:
                    bound, self.buckets = self._timed(model, prices, buckets), buckets
                    break
                buckets //= 2
        self.is_coarse = self.buckets < usual
        return bound

    def _timed(self, model: ChainModel, prices: Floats, buckets: int) -> float:
        """A bound, from which to tell how long others take."""
        began = time.monotonic()
        bound = bound_at(model, prices, buckets)
        self.s_a_bucket = (time.monotonic() - began) / buckets
        return bound

    def leaves(self, model: ChainModel, spend_s: float) -> int:
        """Parts whose bounds some time allows to compute."""
        return int(max(spend_s, 0.0) / max(self.s_a_bucket * self.leaf_buckets(model), 1e-9))

    def leaf_buckets(self, model: ChainModel) -> int:
        """How finely work is divided for the bound of a part."""
        return min(leaf_buckets(model.ways), self.buckets)
