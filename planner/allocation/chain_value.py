"""Most that a job can still earn from each border, point and amount of work done: a recursion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.chain_ways import Costs, Ways

__all__ = ["Values", "chain_values"]

NEVER = -1e300  # of what cannot be; sums of it stay finite
SLIVER = 1e-9  # part of a day, or of a bucket, that does not count


@dataclass(frozen=True)
class Values:
    """Most that can still be earned, by buckets of work done. [value]"""

    buckets: int
    stay: Floats  # [period + 1, way, bucket + 1] from a border, having run at the way until it
    change: Floats  # [period + 1, bucket + 1] having to change at the border
    start: Floats  # [period + 1, way] starting at a border, last row: at the release
    best: float  # of all starts, less what being served costs at all; may be below 0

    @property
    def most(self) -> float:
        """The best of all plans, 0 where none earns anything."""
        return max(self.best, 0.0)


@dataclass(frozen=True)
class _Step:
    """
    One stretch from a border to a later one: where cells go, and which may finish in it.

    Lines are ways, or twice the ways: those that run on, then those that are changed to.
    """

    periods: int
    days: int
    losts: tuple[int, ...]  # days lost at the start, for each set of ways
    to: Ints  # [line, bucket + 1] flat cell after the stretch
    cell: Ints  # [finish] flat cell that is done within the stretch
    end: Ints  # [finish] flat way and day of the stretch on which it is


def chain_values(
    ways: Ways,
    costs: Costs,
    buckets: int,
    *,
    is_bound: bool,
    end_most: Ints | None = None,
    release_most: Ints | None = None,
) -> Values:
    """
    The most that a job can earn at prices, over all its plans.

    Parameters
    ----------
    ways : Ways
        Points, windows and days of the job.
    costs : Costs
        What links cost, and what an end is worth. [value]
    buckets : int
        Parts into which the work is divided.
    is_bound : bool
        Work done is rounded up to whole buckets at every border, so that no plan earns more
        than is told; else down, so that a plan earns what is told at least.
    end_most : ndarray [way, period], optional
        Last end days of links, where others than the job's own hold nodes. [day]
    release_most : ndarray [way], optional
        The same of links from the release. [day]

    Returns
    -------
    Values
        Of every border, way and bucket.

    Notes
    -----
    Backwards over borders: a link that runs on adds a period's work and cost; one that
    changes takes any other point, and loses its days of moving first. A last link ends on
    the first whole day on which the work is done. Rounding up makes every true state one
    with at least as much work: it may do whatever the true one does, at no more cost as long
    as no price pays for holding nodes; where rounding alone has done all of the work, at least a
    day is left. Where a price does pay, ends later than needed are allowed too.
    """
    return _Recursion(ways, costs, buckets, is_bound, end_most, release_most).values()


class _Recursion:
    """The tables while they are filled."""

    def __init__(
        self,
        ways: Ways,
        costs: Costs,
        buckets: int,
        is_bound: bool,
        end_most: Ints | None,
        release_most: Ints | None,
    ) -> None:
        self.ways, self.costs, self.buckets, self.is_bound = ways, costs, buckets, is_bound
        self.end_most = ways.end_most if end_most is None else end_most
        self.release_most = ways.release_most if release_most is None else release_most
        self.goes_on = is_bound and not costs.is_rising
        self.many, self.width = len(ways.point), buckets + 1
        self.steps: dict[tuple[int, int, tuple[int, ...]], _Step] = {}
        self.days = np.arange(int(ways.border_day[-1]) + 1)
        left = np.arange(buckets, -1, -1)[None, :] / (ways.day_frac * buckets)[:, None]
        self.need = np.ceil(np.minimum(left - SLIVER * np.maximum(left, 1.0), 1e8))
        # Work that rounding alone has done takes another day.
        self.need = np.maximum(self.need, 1.0).astype(np.int64)
        self.ends = costs.gain - costs.held  # [way, day] earned by an end on the day
        self.ends[self.days > ways.due_day[:, None]] = NEVER

    def step(self, at: int, losts: tuple[int, ...]) -> _Step | None:
        """The stretch from a border, one period or as many as it takes to have moved."""
        border, end = self.ways.border_day, at + 1
        while end < len(border) and border[end] - border[at] <= max(losts):
            end += 1
        if end == len(border):
            return None
        key = (int(border[end] - border[at]), end - at, losts)
        found = self.steps.get(key)
        if found is None:
            found = self.steps[key] = self._made(*key)
        return found

    def _made(self, days: int, periods: int, losts: tuple[int, ...]) -> _Step:
        """A stretch of so many days."""
        tos, cells, ends = [], [], []
        for part, lost in enumerate(losts):
            exact = self.ways.day_frac * self.buckets * (days - lost)
            moved = np.ceil(exact) if self.is_bound else np.floor(exact + SLIVER)
            moved = np.minimum(moved, self.buckets).astype(np.int64)
            to = np.minimum(np.arange(self.width)[None, :] + moved[:, None], self.buckets)
            tos.append(to + (np.arange(self.many) * self.width)[:, None])
            is_done = self.need <= days - lost
            is_done[:, self.buckets] &= self.is_bound
            way, bucket = np.nonzero(is_done)
            need = self.need[way, bucket] + lost
            cells.append((part * self.many + way) * self.width + bucket)
            ends.append(way * (days + 1) + need)
        return _Step(periods, days, losts, np.concatenate(tos), np.concatenate(cells),
                     np.concatenate(ends))  # fmt: skip

    def values(self) -> Values:
        """Fill the tables from the last border to the first."""
        ways, periods = self.ways, len(self.ways.border_day) - 1
        stay = np.full((periods + 1, self.many, self.width), NEVER)
        change = np.full((periods + 1, self.width), NEVER)
        start = np.full((periods + 1, self.many), NEVER)
        both = np.empty((2 * self.many, self.width))
        own, moved = both[: self.many], both[self.many :]
        due, release = int(ways.due_day.max()), int(ways.release_day.min())
        for at in range(periods, -1, -1):
            day = int(ways.border_day[at])
            if day >= due or at == periods:
                if ways.is_partial:
                    self._stops(stay[at], day)
                continue
            if day < release:
                break
            may_change = ways.may_change and at > 0
            if may_change and ways.border_day[at + 1] - day > ways.move_days:
                self._link(stay, at, (0, ways.move_days), both)
            else:
                self._link(stay, at, (0,), own)
                may_change = may_change and self._link(stay, at, (ways.move_days,), moved)
            released = ways.release_day <= day
            start[at, released] = own[released, 0]
            if may_change:
                moved[~released] = NEVER
                moved.max(axis=0, out=change[at])
                np.maximum(own, change[at], out=stay[at])
            else:
                stay[at] = own
            if ways.is_partial:
                self._stops(stay[at], day)
        start[periods] = self._released(stay)
        return Values(self.buckets, stay, change, start, self._best(start))

    def _link(self, stay: Floats, at: int, losts: tuple[int, ...], out: Floats) -> bool:
        """What links from a border on earn, by line and bucket; whether there are any."""
        held, parts = self.costs.held, len(losts)
        day = int(self.ways.border_day[at])
        step = self.step(at, losts)
        if step is None:  # the horizon ends before the move is over
            return False
        stay[at + step.periods].ravel().take(step.to, out=out, mode="clip")
        most = self.end_most[:, at]
        cost = held[:, day + step.days] - held[:, day]
        cost = np.where(most >= day + step.days, cost, -NEVER)
        out -= np.tile(cost, parts)[:, None]
        ends = self.ends[:, day : day + step.days + 1] + held[:, day, None]
        if int(most.min()) < day + step.days:
            ends = np.where(self.days[day : day + step.days + 1] <= most[:, None], ends, NEVER)
        if self.goes_on:
            ends = np.maximum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
        found = ends.ravel().take(step.end)
        flat = out.ravel()
        flat[step.cell] = np.maximum(flat[step.cell], found)
        if self.ways.is_partial:
            for part, lost in enumerate(losts):
                self._due(out[part * self.many : (part + 1) * self.many], at, step.days, lost)
        if not self.is_bound:
            out[:, self.buckets] = NEVER
        return True

    def _stops(self, table: Floats, day: int) -> None:
        """Let jobs that count in part stop unfinished at a border."""
        done = np.arange(self.width) / self.buckets
        np.maximum(table, self.ways.worth[day] * done, out=table)
        if not self.is_bound:
            table[:, self.buckets] = NEVER

    def _due(self, out: Floats, at: int, days: int, lost: int) -> None:
        """Let links of jobs that count in part stop on the due day, inside the stretch."""
        ways, held = self.ways, self.costs.held
        day = int(ways.border_day[at])
        due = ways.due_day
        mine = np.flatnonzero(
            (due > day + lost) & (due < day + days) & (self.end_most[:, at] >= due)
        )
        if len(mine) == 0:
            return
        done = np.arange(self.width)[None, :] / self.buckets
        done = done + (ways.day_frac[mine] * (due[mine] - day - lost))[:, None]
        earned = ways.worth[due[mine]][:, None] * np.minimum(done, 1.0)
        earned -= (held[mine, due[mine]] - held[mine, day])[:, None]
        out[mine] = np.maximum(out[mine], earned)

    def _released(self, stay: Floats) -> Floats:
        """What links earn that start on a release day between borders. [way]"""
        ways, held = self.ways, self.costs.held
        earned = np.full(self.many, NEVER)
        period = np.searchsorted(ways.border_day, ways.release_day, side="right") - 1
        mine = np.flatnonzero(ways.border_day[period] < ways.release_day)
        if len(mine) == 0:
            return earned
        day, end = ways.release_day[mine], ways.border_day[period[mine] + 1]
        most = self.release_most[mine]
        work = ways.day_frac[mine] * self.buckets * (end - day)
        work = np.ceil(work) if self.is_bound else np.floor(work + SLIVER)
        to = np.minimum(work, self.buckets).astype(np.int64)
        found = stay[period[mine] + 1, mine, to] - (held[mine, end] - held[mine, day])
        found = np.where(most >= end, found, NEVER)
        for at, way in enumerate(mine.tolist()):
            low, high = int(day[at] + self.need[way, 0]), int(min(most[at], end[at]))
            if low <= high:
                ends = self.ends[way, low : (high if self.goes_on else low) + 1]
                found[at] = max(found[at], float(ends.max()) + held[way, day[at]])
            due = int(ways.due_day[way])
            if ways.is_partial and day[at] < due < end[at] and most[at] >= due:
                done = min(float(ways.day_frac[way]) * (due - int(day[at])), 1.0)
                cost = float(held[way, due] - held[way, day[at]])
                found[at] = max(found[at], float(ways.worth[due]) * done - cost)
        earned[mine] = found
        return earned

    def _best(self, start: Floats) -> float:
        """The best start, less what starting on its day costs; fills that in."""
        ways, charge = self.ways, self.costs.start
        if charge is not None:
            start[:-1] -= charge[ways.border_day[:-1]][:, None]
            start[-1] -= charge[ways.release_day]
        return float(start.max(initial=NEVER)) - self.costs.once
