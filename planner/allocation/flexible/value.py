"""Most that a job can still earn from each border, point and amount of work done: a recursion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.flexible.ways import Costs, Ways

__all__ = ["NEVER", "SLIVER", "Values", "chain_values"]

NEVER = -1e300  # of what cannot be; sums of it stay finite
SLIVER = 1e-9  # part of a day, or of a bucket, that does not count


@dataclass(frozen=True)
class Values:
    """
    Most that can still be earned, by amount of work done. [value]

    Each way counts work in cells of its own, of which a day's work is a whole number or a
    day is a whole part, so that running on rounds nothing; only a change does, which looks
    at buckets that all ways share.
    """

    buckets: int
    stay: Floats  # [period + 1, way, cell] from a border, having run at the way until it
    change: Floats  # [period + 1, bucket + 1] having to change at the border
    start: Floats  # [period + 1, way] starting at a border, last row: at the release
    best: float  # of all starts, less what being served costs at all; may be below 0
    scale: Floats  # [way] cells of all the work
    top: Ints  # [way] the cell in which all of it is done


@dataclass(frozen=True)
class _Step:
    """
    One stretch from a border to a later one: where cells go, and which may finish in it.

    Columns are the cells of a way that runs on, or the buckets of one that is changed to,
    or both, one after the other.
    """

    periods: int
    days: int
    to: Ints  # [way, column] flat cell after the stretch
    at: Ints  # [finish] flat column that is done within the stretch
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
        Parts into which the work is divided, nearly.
    is_bound : bool
        Work done is rounded up to whole cells, so that no plan earns more than is told; else
        down, so that a plan earns what is told at least where no price pays for holding on.
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
        self.many = len(ways.point)
        self.days = np.arange(int(ways.border_day[-1]) + 1)
        self.steps: dict[tuple[int, int, bool, bool], _Step] = {}
        # A whole number of cells a day, or of days a cell.
        daily = ways.day_frac * buckets
        self.daily = np.where(
            daily >= 1.0, np.round(daily), 1.0 / np.floor(1.0 / np.minimum(daily, 1.0))
        )
        self.scale = self.daily / ways.day_frac
        self.top = np.ceil(self.scale).astype(np.int64)
        self.width = int(self.top.max()) + 1
        cell = np.arange(self.width)[None, :]
        bucket = np.arange(buckets + 1)[None, :]
        self.need = self._need(1.0 / ways.day_frac[:, None] - cell / self.daily[:, None])
        self.need_changed = self._need((1.0 - bucket / buckets) / ways.day_frac[:, None])
        self.entry = self._whole(bucket / buckets * self.scale[:, None])
        exit_bucket = self._whole(cell / self.scale[:, None] * buckets)
        self.exit = np.minimum(exit_bucket, buckets).astype(np.int64)
        self.ends = costs.gain - costs.held  # [way, day] earned by an end on the day
        self.ends[self.days > ways.due_day[:, None]] = NEVER

    def _need(self, left: Floats) -> Ints:
        """Whole days that work takes; what rounding alone has done takes another day."""
        days = np.ceil(np.minimum(left - SLIVER * np.maximum(left, 1.0), 1e8))
        return np.maximum(days, 1.0).astype(np.int64)

    def _whole(self, exact: Floats) -> Floats:
        """Amounts of cells as whole numbers, on the side that is safe."""
        return np.asarray(np.ceil(exact) if self.is_bound else np.floor(exact + SLIVER))

    def step(self, at: int, *, stays: bool, changes: bool) -> _Step | None:
        """The stretch from a border, one period or as many as it takes to have moved."""
        border, end = self.ways.border_day, at + 1
        lost = self.ways.move_days if changes else 0
        while end < len(border) and border[end] - border[at] <= lost:
            end += 1
        if end == len(border):
            return None
        key = (int(border[end] - border[at]), end - at, stays, changes)
        found = self.steps.get(key)
        if found is None:
            found = self.steps[key] = self._made(*key)
        return found

    def _made(self, days: int, periods: int, stays: bool, changes: bool) -> _Step:
        """A stretch of so many days."""
        tos, dones, needs = [], [], []
        if stays:
            tos.append(np.arange(self.width)[None, :] + self._whole(days * self.daily)[:, None])
            done = self.need <= days
            done &= (np.arange(self.width) < self.top[:, None]) | self.is_bound
            dones.append(done)
            needs.append(self.need)
        if changes:
            lost = self.ways.move_days
            tos.append(self.entry + self._whole((days - lost) * self.daily)[:, None])
            done = self.need_changed <= days - lost
            done[:, self.buckets] &= self.is_bound
            dones.append(done)
            needs.append(self.need_changed + lost)
        to = np.minimum(np.concatenate(tos, axis=1), self.top[:, None]).astype(np.int64)
        to += (np.arange(self.many) * self.width)[:, None]
        done, need = np.concatenate(dones, axis=1), np.concatenate(needs, axis=1)
        way, column = np.nonzero(done)
        end = way * (days + 1) + need[way, column]
        return _Step(periods, days, to, way * done.shape[1] + column, end)

    def values(self) -> Values:
        """Fill the tables from the last border to the first."""
        ways, periods = self.ways, len(self.ways.border_day) - 1
        stay = np.full((periods + 1, self.many, self.width), NEVER)
        change = np.full((periods + 1, self.buckets + 1), NEVER)
        start = np.full((periods + 1, self.many), NEVER)
        both = np.empty((self.many, self.width + self.buckets + 1))
        due, release = int(ways.due_day.max()), int(ways.release_day.min())
        for at in range(periods, -1, -1):
            day = int(ways.border_day[at])
            if day >= due or at == periods:
                if ways.is_partial:
                    self._stops(stay[at], day)
                continue
            if day < release:
                break
            own, moved = self._links(stay, at, both)
            released = ways.release_day <= day
            start[at, released] = own[released, 0]
            if moved is not None:
                moved[~released] = NEVER
                moved.max(axis=0, out=change[at])
                change[at].take(self.exit, out=stay[at], mode="clip")
                np.maximum(stay[at], own, out=stay[at])
            else:
                stay[at] = own
            if ways.is_partial:
                self._stops(stay[at], day)
        start[periods] = self._released(stay)
        best = self._best(start)
        return Values(self.buckets, stay, change, start, best, self.scale, self.top)

    def _links(self, stay: Floats, at: int, both: Floats) -> tuple[Floats, Floats | None]:
        """What links from a border on earn: those that run on, and those changed to."""
        ways = self.ways
        period = int(ways.border_day[at + 1] - ways.border_day[at])
        if not ways.may_change or at == 0:
            step = self.step(at, stays=True, changes=False)
            return self._link(stay, at, step, np.empty((self.many, self.width))), None
        if period > ways.move_days:
            found = self._link(stay, at, self.step(at, stays=True, changes=True), both)
            return found[:, : self.width], found[:, self.width :]
        step = self.step(at, stays=True, changes=False)
        own = self._link(stay, at, step, np.empty((self.many, self.width)))
        step = self.step(at, stays=False, changes=True)
        if step is None:  # the horizon ends before the move is over
            return own, None
        return own, self._link(stay, at, step, np.empty((self.many, self.buckets + 1)))

    def _link(self, stay: Floats, at: int, step: _Step | None, out: Floats) -> Floats:
        """What links of one stretch earn, by way and column."""
        if step is None:
            raise ValueError("a border without a period after it has no links")
        held, day = self.costs.held, int(self.ways.border_day[at])
        stay[at + step.periods].ravel().take(step.to, out=out, mode="clip")
        most = self.end_most[:, at]
        cost = held[:, day + step.days] - held[:, day]
        out -= np.where(most >= day + step.days, cost, -NEVER)[:, None]
        ends = self.ends[:, day : day + step.days + 1] + held[:, day, None]
        if int(most.min()) < day + step.days:
            ends = np.where(self.days[day : day + step.days + 1] <= most[:, None], ends, NEVER)
        if self.goes_on:
            ends = np.maximum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
        found = ends.ravel().take(step.end)
        flat = out.ravel()
        flat[step.at] = np.maximum(flat[step.at], found)
        has_own, has_moved = out.shape[1] != self.buckets + 1, out.shape[1] != self.width
        own = out[:, : self.width] if has_own else None
        moved = out[:, -self.buckets - 1 :] if has_moved else None
        return self._closed(out, own, moved, at, step.days)

    def _closed(
        self, out: Floats, own: Floats | None, moved: Floats | None, at: int, days: int
    ) -> Floats:
        """The same with stops on the due day, and without cells that nothing true reaches."""
        if self.ways.is_partial and own is not None:
            self._due(own, np.arange(self.width) / self.scale[:, None], at, days, lost=0)
        if self.ways.is_partial and moved is not None:
            done = np.broadcast_to(np.arange(self.buckets + 1) / self.buckets, moved.shape)
            self._due(moved, done, at, days, lost=self.ways.move_days)
        if not self.is_bound and own is not None:
            own[np.arange(self.many), self.top] = NEVER
        if not self.is_bound and moved is not None:
            moved[:, self.buckets] = NEVER
        return out

    def _stops(self, table: Floats, day: int) -> None:
        """Let jobs that count in part stop unfinished at a border."""
        done = np.minimum(np.arange(self.width) / self.scale[:, None], 1.0)
        np.maximum(table, self.ways.worth[day] * done, out=table)
        if not self.is_bound:
            table[np.arange(self.many), self.top] = NEVER

    def _due(self, out: Floats, done: Floats, at: int, days: int, *, lost: int) -> None:
        """Let links of jobs that count in part stop on the due day, inside the stretch."""
        ways, held, due = self.ways, self.costs.held, self.ways.due_day
        day = int(ways.border_day[at])
        mine = np.flatnonzero(
            (due > day + lost) & (due < day + days) & (self.end_most[:, at] >= due)
        )
        if len(mine) == 0:
            return
        work = done[mine] + (ways.day_frac[mine] * (due[mine] - day - lost))[:, None]
        earned = ways.worth[due[mine]][:, None] * np.minimum(work, 1.0)
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
        work = self._whole(self.daily[mine] * (end - day))
        to = np.minimum(work, self.top[mine]).astype(np.int64)
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
