"""Bounds by parts of all plans: divided, proved, and divided again where they prove too little."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hardware.column import Floats
from planner.allocation.flexible.bound import fine_buckets
from planner.allocation.flexible.clock import Clock
from planner.allocation.flexible.master import Master
from planner.allocation.flexible.parts import leaf_bound, written
from planner.allocation.flexible.split import Leaf, Split, split
from planner.allocation.flexible.value import NEVER

__all__ = ["Division"]

BUCKETS = 600  # how finely plans of parts are sought
MOST_LEAVES = 400
MOST_EASED = 4  # times that prices are moved halfway to what bounds more parts
WORST = 3  # parts by which to tell what rounding hides in others: half of it, to divide on
HIDDEN = 0.004  # part by which a bound is taken to be above what prices nearly prove, at first
SPLIT_FRAC = 0.5  # of the time, for parts and their prices; the rest is for their bounds


@dataclass
class Division:
    """
    Parts of all plans with bounds, from which it can be gone on with.

    Attributes
    ----------
    master : Master
        The relaxed program over some plans, with absences.
    whole : (ndarray [row], float)
        Prices of all plans, and what they nearly prove. [value per unit of the row], [value]
    clock : Clock
        The time.
    found : Split or None
        The parts so far.
    bound : float
        The most value of any plan that their prices prove.
    """

    master: Master
    whole: tuple[Floats, float]
    clock: Clock
    found: Split | None = None
    bound: float = float("inf")
    entries: dict[str, float] = field(default_factory=dict)
    known: dict[int, tuple[float, int]] = field(default_factory=dict)  # bound and its fineness
    hidden: float = HIDDEN
    eased: dict[int, int] = field(default_factory=dict)  # how often the prices of a part were

    def reach(self, leaf: Leaf) -> float:
        """The bound that a part proves, or is expected to."""
        number = leaf.part.number
        return self.known[number][0] if number in self.known else self._expected(leaf)

    def _expected(self, leaf: Leaf) -> float:
        """What the prices of a part nearly prove, and what rounding is likely to hide."""
        return leaf.estimate + self.hidden * abs(leaf.estimate)

    def go_on(self, goal: float, time_limit_s: float) -> bool:
        """
        Divide until all parts prove a goal, or the time ends; whether they prove more than before.

        Parameters
        ----------
        goal : float
            Bound that is near enough. [value]
        time_limit_s : float
            Time that may be used. [s]
        """
        end, before, many = self.clock.used() + time_limit_s, self.bound, -1
        while self.bound > goal and self._left(end) > 0:
            old = len(self.found.leaves) if self.found else 0
            if old == many:
                break
            many = old
            spend = (1 - SPLIT_FRAC) * self._left(end)
            most = min(old + self.clock.leaves(self.master.chains, spend), MOST_LEAVES)
            if most < max(old, 1) + 1:
                break
            found = split(self.master, self.whole, reach=self.reach, goal=goal, buckets=BUCKETS,
                          most=most, time_limit_s=SPLIT_FRAC * self._left(end),
                          begun=self.found)  # fmt: skip
            if not found.divided or not self._prove(found, goal):
                break
            self.found = found
        if self.found is not None and self.bound > goal:
            self.found = self._refined(self.found, goal, end)
        return self.bound < before

    def _refined(self, found: Split, goal: float, end: float) -> Split:
        """The parts, with work divided more finely for those that prove least while time lasts."""
        usual, finest = self.clock.leaf_buckets(self.master.chains), self._finest()
        while self._left(end) > 0:
            leaf = max(found.leaves, key=self.reach)
            bound, buckets = self.known[leaf.part.number]
            if bound <= goal:
                break
            if buckets < finest:
                if not self._proved(leaf, finest):
                    break
            elif self.eased.get(leaf.part.number, 0) >= MOST_EASED:
                break
            else:
                found = self._eased(found, leaf)
        self._state(found, usual)
        return found

    def _eased(self, found: Split, leaf: Leaf) -> Split:
        """
        The parts, one with prices halfway to those of what it is a part of where these prove more.

        Where jobs can hardly be served together prices become so high that what rounding
        hides grows with them.
        """
        number, before = leaf.part.number, self.known[leaf.part.number]
        self.eased[number] = self.eased.get(number, 0) + 1
        fresh = replace(leaf, prices=(leaf.prices + leaf.outer) / 2)
        if not self._proved(fresh, self._finest()):
            return found
        if self.known[number][0] >= before[0]:
            self.known[number], self.eased[number] = before, MOST_EASED
            return found
        return replace(found, leaves=tuple(fresh if one is leaf else one for one in found.leaves))

    def _left(self, end: float) -> float:
        """Time until an end on the clock, or that there is. [s]"""
        return min(end - self.clock.used(), self.clock.left())

    def _prove(self, found: Split, goal: float) -> bool:
        """Compute the bounds of parts; whether all are known when the time ends."""
        usual, finest = self.clock.leaf_buckets(self.master.chains), self._finest()
        leaves = sorted(found.leaves, key=lambda leaf: -self.reach(leaf))
        for leaf in leaves:
            if leaf.part.number not in self.known and not self._proved(leaf, usual):
                return False
        self.hidden = max(0.0, *(self._hidden(leaf) / 2 for leaf in leaves[:WORST]))
        for leaf in leaves:
            bound, buckets = self.known[leaf.part.number]
            is_last = goal >= self._expected(leaf) or leaf.in_doubt is None
            is_worth_it = bound > goal and is_last and buckets < finest
            if is_worth_it and not self._proved(leaf, finest):
                break
        self._state(found, usual)
        return True

    def _hidden(self, leaf: Leaf) -> float:
        """Part by which the bound of a part is above what its prices nearly prove."""
        return self.known[leaf.part.number][0] / max(abs(leaf.estimate), 1e-300) - 1.0

    def _finest(self) -> int:
        """How finely work is divided at most."""
        return fine_buckets(self.master.chains.ways)

    def _proved(self, leaf: Leaf, buckets: int) -> bool:
        """Compute the bound of a part; whether there is time to."""
        if self.clock.left() < self.clock.s_a_bucket * buckets:
            return False
        began = self.clock.used()
        bound = leaf_bound(self.master.chains, leaf.part, leaf.prices, buckets)
        if bound > NEVER:  # else it took no time
            self.clock.s_a_bucket = (self.clock.used() - began) / buckets
        self.known[leaf.part.number] = (bound, buckets)
        return True

    def _state(self, found: Split, usual: int) -> None:
        """Take the bound of all parts over into the certificate, where it is the best so far."""
        numbers = [leaf.part.number for leaf in found.leaves]
        bound = max(self.known[number][0] for number in numbers)
        if bound >= self.bound:
            return
        fineness = {number: self.known[number][1] for number in numbers}
        self.bound = bound
        self.entries = written(
            self.master.rows.names,
            [(leaf.part.number, leaf.prices) for leaf in found.leaves],
            found.divided,
            {number: buckets for number, buckets in fineness.items() if buckets != usual},
        )
