"""A plan of chains as it is built: what each row has left, and the best chain that still fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.flexible.master import path_terms
from planner.allocation.flexible.path import Path, followed
from planner.allocation.flexible.rows import LinkRows
from planner.allocation.flexible.value import chain_values
from planner.allocation.flexible.ways import Costs, Ways, costs_of, free_until

__all__ = ["ChainBoard"]

SLACK = 1e-9  # part of a row's bound by which sums of floats differ
BLINK = 0.05  # part of the known plans that an insertion overlooks
CLOSED = 1e200  # cost of starting on a day on which a job may not
TRIES, DEARER = (
    3,
    2.0,
)  # how often money is made dearer, and by how much, when a chain costs too much


class _Known:
    """Plans of one job with their terms, one below the other."""

    def __init__(self) -> None:
        self.terms: list[tuple[Path, Ints, Floats]] = []
        self.keys: set[tuple[object, ...]] = set()
        self.table: tuple[Ints, Floats, Ints, Floats] | None = None

    def add(self, terms: tuple[Path, Ints, Floats]) -> None:
        """One more plan, where it is new."""
        if terms[0].key not in self.keys:
            self.keys.add(terms[0].key)
            self.terms.append(terms)
            self.table = None

    def joined(self) -> tuple[Ints, Floats, Ints, Floats]:
        """Rows and amounts of all plans, the first term of each, and values."""
        if self.table is None:
            sizes = [len(row) for _, row, _ in self.terms]
            self.table = (
                np.concatenate([row for _, row, _ in self.terms]),
                np.concatenate([amount for _, _, amount in self.terms]),
                np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
                np.array([path.value for path, _, _ in self.terms]),
            )
        return self.table


class ChainBoard:
    """
    Chosen chains, what each row has left, and the best chain at prices in what is left.

    Pools and caps block points for the days on which they lack room, budgets and other sums
    are looked at once a chain is found: where money is short, the chain is sought again with
    money dearer.
    """

    def __init__(self, rows: LinkRows, ways: tuple[Ways, ...], buckets: int) -> None:
        self.rows, self.ways, self.buckets = rows, {one.job: one for one in ways}, buckets
        case = rows.case
        self.left = rows.bound.copy()
        self.slack = SLACK * np.maximum(np.abs(rows.bound), 1.0)
        self.asks = np.flatnonzero(rows.bound < 0)
        self.chosen: dict[int, tuple[Path, Ints, Floats]] = {}
        self.total = 0.0
        stride = rows.stride
        releases = [np.unique(one.release_day) for one in ways]
        step_days = [case.border_day[:-1], rows.pool_key % stride, *releases]
        self.steps = np.unique(np.concatenate(step_days)).astype(np.int64)
        self.border_step = np.searchsorted(self.steps, case.border_day[:-1])
        self.pool_row = _rows_at(rows.pool_key, len(case.pool_names), stride, self.steps)
        self.cap_row = _rows_at(rows.cap_key, len(case.consortium_names), stride, self.steps)
        self.capped = set(np.unique(rows.cap_key // stride).tolist())
        self.waits: dict[int, list[tuple[int, Ints]]] = {}
        for _, then, first, days in rows.orders:
            self.waits.setdefault(then, []).append((first, days))
        self.prices = np.zeros(len(rows.bound))
        self.costs: dict[int, Costs] = {}
        self.known: dict[int, _Known] = {}

    def learn(self, paths: list[Path]) -> None:
        """Keep plans to look at before a new one is sought."""
        row, plan, amount = path_terms(self.rows, paths)
        cuts = np.searchsorted(plan, np.arange(len(paths) + 1)).tolist()
        for at, path in enumerate(paths):
            terms = (path, row[cuts[at] : cuts[at + 1]], amount[cuts[at] : cuts[at + 1]])
            self.known.setdefault(path.job, _Known()).add(terms)

    def seen(
        self, job: int, blinks: np.random.Generator | None
    ) -> tuple[Path, Ints, Floats] | None:
        """The known plan of a job that earns most among those that fit, some overlooked."""
        known = self.known.get(job)
        if known is None:
            return None
        row, amount, first, value = known.joined()
        fits = (amount <= 0) | (self.left[row] + self.slack[row] >= amount)
        fitting = np.logical_and.reduceat(fits, first)
        if blinks is not None:
            fitting &= blinks.random(len(fitting)) >= BLINK
        if not fitting.any():
            return None
        profit = value - np.add.reduceat(self.prices[row] * amount, first)
        return known.terms[int(np.argmax(np.where(fitting, profit, -np.inf)))]

    def set_prices(self, prices: Floats) -> None:
        """Seek chains at other prices from now on."""
        self.prices, self.tariff, self.costs = prices, self.rows.tariff(prices), {}

    def cost(self, job: int) -> Costs:
        """What the links of a job cost."""
        found = self.costs.get(job)
        if found is None:
            found = costs_of(self.rows.case, self.ways[job], self.tariff, may_earn=False)
            if len(self.ways) <= 150:  # beyond, they would fill the memory
                self.costs[job] = found
        return found

    def room(self, job: int) -> tuple[Ints, Ints]:
        """Last end days of links from each border and from the release, in what is left."""
        ways, case = self.ways[job], self.rows.case
        blocked = self.left[self.pool_row][ways.pool] < ways.nodes[:, None] - 0.5
        team = int(case.job_consortium[job])
        if team in self.capped:
            worth = (case.pool_equivalent[ways.pool] * ways.nodes)[:, None]
            row = self.rows.cap_first + self.cap_row[team]
            blocked |= (self.left[row] + self.slack[row])[None, :] < worth
        until = free_until(blocked, self.steps, case.days)
        release = np.searchsorted(self.steps, ways.release_day)
        most = np.minimum(ways.end_most, until[:, self.border_step])
        return most, np.minimum(ways.release_most, until[np.arange(len(until)), release])

    def found(self, job: int) -> tuple[Path, Ints, Floats] | None:
        """The best chain of a job that every row has room for, with its terms."""
        ways, costs = self.ways[job], self.cost(job)
        end_most, release_most = self.room(job)
        if job in self.waits:
            costs = replace(costs, start=self._starts(job, costs))
        held = costs.held
        for trial in range(TRIES):
            values = chain_values(ways, costs, self.buckets, is_bound=False, end_most=end_most,
                                  release_most=release_most)  # fmt: skip
            if values.best <= -0.5 * CLOSED:
                return None
            period, way = np.unravel_index(int(np.argmax(values.start)), values.start.shape)
            path = followed(ways, costs, values, int(period), int(way), end_most=end_most,
                            release_most=release_most)  # fmt: skip
            if path is None:
                return None
            row, _, amount = path_terms(self.rows, [path])
            short = (amount > 0) & (self.left[row] + self.slack[row] < amount)
            if not short.any():
                return path, row, amount
            budget = self.rows.budgets.get(int(self.rows.case.job_consortium[job]))
            if not (short & (row == budget)).any():
                return None
            dearer = (DEARER ** (trial + 1) - 1.0) * self._money(job)
            days = np.arange(held.shape[1], dtype=np.float64)
            costs = replace(costs, held=held + (dearer * ways.cost_per_day)[:, None] * days)
        return None

    def _money(self, job: int) -> float:
        """A price of money at which the job would be worth about what it costs."""
        ways = self.ways[job]
        least = float((ways.cost_per_day / ways.day_frac).min())
        return float(ways.worth.max()) / max(least, 1e-300)

    def _starts(self, job: int, costs: Costs) -> Floats:
        """Cost of starting, with the days closed on which what a job waits for is not done."""
        start = np.zeros(self.rows.stride) if costs.start is None else costs.start.copy()
        for first, days in self.waits[job]:
            open_from = np.flatnonzero(self.left[first : first + len(days)] < 0.5)
            if len(open_from):
                start[: int(days[open_from[-1]]) + 1] = CLOSED
        return start

    def put(self, found: tuple[Path, Ints, Floats]) -> None:
        """Add a chain to the plan."""
        path, row, amount = found
        self.left[row] -= amount
        self.chosen[path.job] = found
        self.total += path.value

    def clear(self) -> None:
        """Take every chain out."""
        self.left, self.chosen, self.total = self.rows.bound.copy(), {}, 0.0

    def take(self, job: int) -> None:
        """Take a job's chain out, and those of jobs that wait for it."""
        path, row, amount = self.chosen.pop(job)
        self.left[row] += amount
        self.total -= path.value
        for before, then, first, days in self.rows.orders:
            is_short = bool((self.left[first : first + len(days)] < -0.5).any())
            if before == job and then in self.chosen and is_short:
                self.take(then)

    def score(self, worth: float) -> float:
        """Value less a penalty for rows `at least` that are short."""
        if len(self.asks) == 0:
            return self.total
        short = np.maximum(-self.left[self.asks], 0.0) / np.abs(self.rows.bound[self.asks])
        return self.total - worth * float(short.sum())

    def holds(self) -> bool:
        """Whether every row is kept."""
        return bool((self.left >= -self.slack).all())

    def state(self) -> tuple[Floats, dict[int, tuple[Path, Ints, Floats]], float]:
        """What a round changes."""
        return self.left.copy(), dict(self.chosen), self.total

    def restore(self, state: tuple[Floats, dict[int, tuple[Path, Ints, Floats]], float]) -> None:
        """Go back to what was kept."""
        self.left, self.chosen, self.total = state


def _rows_at(key: Ints, lines: int, stride: int, steps: Ints) -> Ints:
    """Row that speaks for each step of each line: the last one until its day. [line, step]"""
    base = np.arange(lines)[:, None] * stride + steps[None, :]
    return np.maximum(np.searchsorted(key, base, side="right") - 1, 0)
