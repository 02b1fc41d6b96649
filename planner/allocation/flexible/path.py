"""The plan that a table of values leads to, link by link with the work that is truly done."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hardware.column import Ints
from planner.allocation.flexible.value import SLIVER, Values
from planner.allocation.flexible.ways import Costs, Ways

__all__ = ["Path", "best_paths", "best_starts", "followed"]

STARTS = 3  # plans a job and round, each beginning in another pool


@dataclass(frozen=True)
class Path:
    """One whole plan of a job; a plan of one link is a run."""

    job: int
    point: tuple[int, ...]  # [link] row of the case's point table
    start: tuple[int, ...]  # [link]
    end: int  # first day after the last link
    done: float  # part of the work
    value: float  # weighted
    profit: float  # at the prices at which it was found

    @property
    def key(self) -> tuple[object, ...]:
        """What tells plans of a job apart."""
        return (self.job, self.point, self.start, self.end)


def best_starts(ways: Ways, values: Values, many: int) -> list[tuple[int, int]]:
    """The best starts, period and way, each in another pool."""
    found, start = [], values.start
    each = np.full(int(ways.pool.max()) + 1, -np.inf)
    most = start.max(axis=0)
    np.maximum.at(each, ways.pool, most)
    for pool in np.argsort(-each, kind="stable")[:many].tolist():
        if each[pool] <= values.best - abs(values.best) - 1e200:
            break
        mine = np.flatnonzero(ways.pool == pool)
        way = int(mine[np.argmax(most[mine])])
        found.append((int(np.argmax(start[:, way])), way))
    return found


def best_paths(
    ways: Ways,
    costs: Costs,
    values: Values,
    *,
    end_most: Ints | None = None,
    release_most: Ints | None = None,
) -> list[Path]:
    """Plans from the best starts that can be kept, see `followed`; each begins in another pool."""
    every = [
        followed(ways, costs, values, period, way, end_most=end_most, release_most=release_most)
        for period, way in best_starts(ways, values, STARTS)
    ]
    return [path for path in every if path is not None]


def followed(
    ways: Ways,
    costs: Costs,
    values: Values,
    period: int,
    way: int,
    *,
    end_most: Ints | None = None,
    release_most: Ints | None = None,
) -> Path | None:
    """
    The plan from one start, choosing at each border what earns most.

    Parameters
    ----------
    ways, costs, values
        As for `chain_value.chain_values`.
    period, way : int
        Row and column of `values.start`; the last row is the release.
    end_most, release_most
        As given there.

    Returns
    -------
    Path or None
        With work, days and profit that are exact; None where rounding promised an end that
        cannot be kept.
    """
    border = ways.border_day
    most = ways.end_most if end_most is None else end_most
    if period == len(border) - 1:
        day = int(ways.release_day[way])
        period = int(np.searchsorted(border, day, side="right")) - 1
        limit = int((ways.release_most if release_most is None else release_most)[way])
    else:
        day, limit = int(border[period]), int(most[way, period])
    return _Walk(ways, costs, values, most).walk(period, way, day, limit)


class _Walk:
    """One job's plan as it is followed."""

    def __init__(self, ways: Ways, costs: Costs, values: Values, most: Ints) -> None:
        self.ways, self.costs, self.values, self.most = ways, costs, values, most
        self.border = ways.border_day.tolist()

    def walk(self, period: int, way: int, day: int, limit: int) -> Path | None:
        """From a start to the end."""
        ways, held = self.ways, self.costs.held
        begun, done, lost, spent = day, 0.0, 0, 0.0
        links: list[tuple[int, int]] = [(way, day)]
        while True:
            rate = float(ways.day_frac[way])
            ahead = self._ahead(period, lost)
            if ahead is None:
                return None
            end = self.border[ahead]
            need = _need(1.0 - done, rate) + lost
            if day + need <= min(end, limit):
                end = day + need
                spent += float(held[way, end] - held[way, day])
                return self._path(links, begun, end, 1.0, spent)
            due = int(ways.due_day[way])
            if ways.is_partial and day + lost < due < end and limit >= due:
                spent += float(held[way, due] - held[way, day])
                return self._path(links, begun, due, done + rate * (due - day - lost), spent)
            if limit < end:
                return None
            spent += float(held[way, end] - held[way, day])
            done += rate * (end - day - lost)
            period, day, lost = ahead, end, 0
            if period == len(self.border) - 1:
                return self._stopped(links, begun, day, done, spent)
            stay = self._stays(period, way, done)
            bucket = min(int(done * self.values.buckets + SLIVER), self.values.buckets - 1)
            stop = float(ways.worth[day]) * done if ways.is_partial else -np.inf
            if ways.may_change and self.values.change[period, bucket] > max(stay, stop):
                other, earned = self._changed(period, way, done)
                if earned > max(stay, stop):
                    way, lost = other, ways.move_days
                    links.append((way, day))
                    stay = earned
            if stop > stay:
                return self._stopped(links, begun, day, done, spent)
            limit = int(self.most[way, period])

    def _ahead(self, period: int, lost: int) -> int | None:
        """The next border on which a link may end."""
        at = period + 1
        while at < len(self.border) and self.border[at] - self.border[period] <= lost:
            at += 1
        return at if at < len(self.border) else None

    def _stays(self, period: int, way: int, done: float) -> float:
        """What running on earns, looked at one period ahead with the work truly done."""
        ways, held, values = self.ways, self.costs.held, self.values
        day, end, rate = self.border[period], self.border[period + 1], float(ways.day_frac[way])
        limit = int(self.most[way, period])
        need = _need(1.0 - done, rate)
        if day + need <= min(end, limit):
            stop = day + need
            return float(self.costs.gain[stop] - held[way, stop] + held[way, day])
        due = int(ways.due_day[way])
        if ways.is_partial and day < due < end and limit >= due:
            work = done + rate * (due - day)
            return float(ways.worth[due] * work - held[way, due] + held[way, day])
        if limit < end:
            return -np.inf
        cell = int((done + rate * (end - day)) * float(values.scale[way]) + SLIVER)
        after = float(values.stay[period + 1, way, min(cell, int(values.top[way]) - 1)])
        return after - float(held[way, end] - held[way, day])

    def _changed(self, period: int, way: int, done: float) -> tuple[int, float]:
        """The way to change to and what it earns, looked at likewise."""
        ways, held, values = self.ways, self.costs.held, self.values
        ahead = self._ahead(period, ways.move_days)
        if ahead is None:
            return way, -np.inf
        day, end, limit = self.border[period], self.border[ahead], self.most[:, period]
        left = (1.0 - done) / ways.day_frac
        need = np.maximum(np.ceil(left - SLIVER * np.maximum(left, 1.0)), 1.0)
        stop = day + ways.move_days + np.minimum(need, 1e8).astype(np.int64)
        is_done = stop <= np.minimum(limit, end)
        stop = np.minimum(stop, end)
        at = np.arange(len(stop))
        last = self.costs.gain[stop] - held[at, stop] + held[:, day]
        work = done + ways.day_frac * (end - day - ways.move_days)
        cell = np.minimum((work * values.scale + SLIVER).astype(np.int64), values.top - 1)
        on = values.stay[ahead, at, cell] - held[:, end] + held[:, day]
        earned = np.where(is_done, last, np.where(limit >= end, on, -np.inf))
        earned[(ways.release_day > day) | (at == way)] = -np.inf
        best = int(np.argmax(earned))
        return best, float(earned[best])

    def _stopped(
        self, links: list[tuple[int, int]], begun: int, day: int, done: float, spent: float
    ) -> Path | None:
        """The plan that stops unfinished at a border; None where that counts for nothing."""
        if not self.ways.is_partial or done <= 0.0:
            return None
        return self._path(links, begun, day, done, spent)

    def _path(
        self, links: list[tuple[int, int]], begun: int, end: int, done: float, spent: float
    ) -> Path:
        """The plan as a record."""
        ways, costs = self.ways, self.costs
        value = float(ways.worth[end]) * done
        gain = float(costs.gain[end]) - float(ways.worth[end]) if done >= 1.0 else 0.0
        charge = 0.0 if costs.start is None else float(costs.start[begun])
        return Path(
            ways.job,
            tuple(int(ways.point[way]) for way, _ in links),
            tuple(day for _, day in links),
            end,
            done,
            value,
            value + gain - spent - charge - costs.once,
        )


def _need(left: float, rate: float) -> int:
    """Whole days until the rest of the work is done, as `run.days_needed` counts them."""
    days = left / rate
    return max(math.ceil(min(days - SLIVER * max(days, 1.0), 1e9)), 1)
