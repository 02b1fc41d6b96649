"""A plan of whole runs as it is built: what each row has left, and which columns still fit."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.large.band import Bands, Layer
from planner.allocation.large.pack import Packs

__all__ = ["Board"]

SLACK = 1e-10  # float sums of scaled rows differ by less
BLINK, BLINK_RESTLESS = 0.03, 0.1  # part of the columns that an insertion overlooks


class Board:
    """
    A plan as it is built: what each row has left, and the least over each stretch.

    Columns of a job lie in order of their worth at prices. `cell` holds, for every line,
    the least that is left between every two rows of it, so that whether a column fits is
    one look-up a layer. Rows that a plan without runs breaks, those that ask for at least,
    may be broken meanwhile, at a penalty. On a restless board more columns are overlooked,
    and those of every job are changed for others that fit: where jobs are few, what finds
    plans that the order by worth alone does not lead to.
    """

    def __init__(
        self,
        bands: Bands,
        prices: Floats,
        *,
        packs: Packs | None = None,
        profit: Floats | None = None,
        is_restless: bool = False,
    ) -> None:
        profit = bands.profit(prices) if profit is None else profit
        self.packs = packs
        group = np.repeat(np.arange(len(bands.job)), bands.sizes)
        self.order = np.lexsort([-profit, group])
        self.first = bands.first.tolist()
        self.value = bands.value[self.order]
        self.lead = profit[self.order[bands.first[:-1]]]  # [group] best profit
        self.worth = np.maximum.reduceat(bands.value, bands.first[:-1])  # [group]
        sizes = np.diff(bands.line_first)
        base = np.concatenate([[0], np.cumsum(sizes * sizes)])
        self.line_base, self.line_first = base.tolist(), bands.line_first.tolist()
        self.layers: list[tuple[Ints, Ints, Ints, Floats]] = []
        self.tests: list[tuple[Ints, Floats]] = []
        for layer in bands.layers:
            self._add_layer(bands, layer, base)
        self.left = bands.bound.copy()
        self.asks = np.flatnonzero(bands.bound < 0)  # rows `at least`
        self.relieves = _relieves(self, bands)
        self.waits = _waits(self, bands)
        self.depth = np.zeros(len(bands.job), dtype=np.int64)
        for before, then in reversed(self.waits):
            self.depth[then] = max(int(self.depth[then]), int(self.depth[before]) + 1)
        self.lends = _lends(self, bands)
        np.maximum.at(self.depth, self.lends[1], self.depth[self.lends[0]] + 1)
        self.needs = np.zeros(0, dtype=np.int64)  # rows that a run may break by going
        if self.depth.any():
            named = [name.startswith(("after_", "lent_")) for name in bands.names]
            self.needs = np.flatnonzero(np.array(named, dtype=np.bool_))
        least = np.minimum.reduceat(bands.value, bands.first[:-1])
        self.is_choosy = ((least < self.worth) | is_restless).tolist()
        for one in {one for pair in self.waits for one in pair}:
            self.is_choosy[one] = True
        self.chosen = np.full(len(bands.job), -1, dtype=np.int64)
        self.total = 0.0
        self.cell = np.full(int(base[-1]) + 1, np.inf)
        self.before = {
            size: np.where(np.tri(size, k=-1, dtype=np.bool_), np.inf, 0.0)
            for size in np.unique(sizes).tolist()
        }
        self.touched: set[int] = set()
        for line in range(len(sizes)):
            self.refresh(line)
        dice = np.random.default_rng(0)
        self.blink = BLINK_RESTLESS if is_restless else BLINK
        self.blinks = dice.random(4 * int(bands.sizes.max()) + 4096) >= self.blink

    def _add_layer(self, bands: Bands, layer: Layer, base: Ints) -> None:
        """Rows and look-up cells of the columns in one layer."""
        low, high = layer.low[self.order].astype(np.int64), layer.high[self.order].astype(np.int64)
        amount, used = layer.amount[self.order], high > low
        line = np.where(used, np.searchsorted(bands.line_first, low, side="right") - 1, 0)
        first, size = bands.line_first[line], np.diff(bands.line_first)[line]
        cell = base[line] + (low - first) * size + (high - 1 - first)
        self.layers.append((low, high, np.where(used, line, -1), amount))
        if (used & (amount > 0)).any():
            asked = np.where(used & (amount > 0), amount - SLACK, -np.inf)
            self.tests.append((np.where(used, cell, base[-1]), asked))

    def state(self) -> tuple[Floats, Ints, float, Any]:
        """What a round changes, to be kept; what follows from it is computed anew."""
        self.touched.clear()
        packed = None if self.packs is None else self.packs.state()
        return self.left.copy(), self.chosen.copy(), self.total, packed

    def restore(self, state: tuple[Floats, Ints, float, Any]) -> None:
        """Go back to what was kept last."""
        self.left, self.chosen, self.total, packed = state
        if self.packs is not None:
            self.packs.restore(packed)
        for line in list(self.touched):
            self.refresh(line)

    def restore_all(self, state: tuple[Floats, Ints, float, Any]) -> None:
        """Go back to what was kept at any time."""
        self.touched.update(range(len(self.line_base) - 1))
        self.restore(state)

    def refresh(self, line: int) -> None:
        """Recompute the least over the stretches of a line."""
        self.touched.add(line)
        first, end = self.line_first[line], self.line_first[line + 1]
        base, size = self.line_base[line], end - first
        if size == 1:
            self.cell[base] = self.left[first]
            return
        table = self.cell[base : base + size * size].reshape(size, size)
        np.add(self.before[size], self.left[first:end], out=table)
        np.minimum.accumulate(table, axis=1, out=table)

    def fitting(self, group: int) -> Bools:
        """Which columns of a job every row still has room for, the worthiest first."""
        low, high = self.first[group], self.first[group + 1]
        fits = np.ones(high - low, dtype=np.bool_)
        for cell, asked in self.tests:
            fits &= self.cell[cell[low:high]] >= asked[low:high]
        return fits

    def packed(self, column: int) -> bool:
        """Whether a column that fits by count also gets its blocks, which it then holds."""
        return self.packs is None or self.packs.place(int(self.order[column]))

    def put(self, group: int, column: int, sign: float = 1.0) -> None:
        """Add a column to the plan, or take it out with sign -1."""
        if self.packs is not None and sign < 0:
            self.packs.remove(int(self.order[column]))
        for low, high, line, amount in self.layers:
            at = int(line[column])
            if at >= 0:
                self.left[low[column] : high[column]] -= sign * amount[column]
                self.refresh(at)
        self.chosen[group] = column if sign > 0 else -1
        self.total += sign * float(self.value[column])

    def take_dependents(self) -> list[int]:
        """Take out runs that need one that is gone; the jobs they served."""
        out: list[int] = []
        while len(self.needs):
            short = self.left[self.needs] < -SLACK
            if not short.any():
                return out
            row = int(self.needs[int(short.argmax())])
            for group in np.flatnonzero(self.chosen >= 0).tolist():
                column = int(self.chosen[group])
                if any(low[column] <= row < high[column] and amount[column] > 0
                       for low, high, _, amount in self.layers):  # fmt: skip
                    self.put(group, column, -1.0)
                    out.append(group)
                    break
        return out

    def shortage(self) -> float:
        """By how much rows `at least` are short, in their scaled units together."""
        if len(self.asks) == 0:
            return 0.0
        return float(np.maximum(-self.left[self.asks], 0.0).sum())

    def relief(self) -> Bools:
        """Jobs whose runs would relieve a row that is short. [group]"""
        short = self.left[self.asks] < -SLACK
        counts = np.bincount(self.relieves[0], weights=short[self.relieves[1]],
                             minlength=len(self.chosen))  # fmt: skip
        return np.asarray(counts > 0)

    def holds(self) -> bool:
        """Whether every row is kept."""
        return bool((self.left >= -SLACK).all())


def _waits(board: Board, bands: Bands) -> list[tuple[int, int]]:
    """Pairs of groups, the second waiting for the first; the last of a chain first."""
    owner = np.repeat(np.arange(len(bands.job)), bands.sizes)
    names, edges = bands.names, bands.line_first.tolist()
    pairs: dict[int, list[int]] = {
        line: [-1, -1]
        for line, (low, high) in enumerate(pairwise(edges))
        if low < high and names[low].startswith("after_")
    }
    for _, _, line, amount in board.layers if pairs else ():
        for one in np.unique(line[line >= 0]).tolist():
            if one in pairs:
                at = int(np.flatnonzero(line == one)[0])
                pairs[one][0 if amount[at] < 0 else 1] = int(owner[at])
    found = [(before, then) for before, then in pairs.values() if before >= 0 and then >= 0]
    depth = dict.fromkeys((group for pair in found for group in pair), 0)
    for _ in found:
        for before, then in found:
            depth[then] = max(depth[then], depth[before] + 1)
    return sorted(found, key=lambda pair: -depth[pair[1]])


def _relieves(board: Board, bands: Bands) -> tuple[Ints, Ints]:
    """Groups, and numbers of the rows `at least` that their first columns take part in."""
    owner, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    lead = bands.first[:-1]
    for low, high, _, amount in board.layers:
        for number, row in enumerate(board.asks.tolist()):
            mine = np.flatnonzero((low[lead] <= row) & (row < high[lead]) & (amount[lead] < 0))
            owner.append(mine)
            rows.append(np.full(len(mine), number))
    return np.concatenate(owner), np.concatenate(rows)


def _lends(board: Board, bands: Bands) -> tuple[Ints, Ints]:
    """Pairs of groups, the second of which may borrow what is lent when the first is placed."""
    edges = bands.line_first.tolist()
    lent = [line for line, (low, high) in enumerate(pairwise(edges))
            if low < high and bands.names[low].startswith("lent_")]  # fmt: skip
    owner = np.repeat(np.arange(len(bands.job)), bands.sizes)
    gives: list[Ints] = [np.zeros(0, np.int64)]
    takes: list[Ints] = [np.zeros(0, np.int64)]
    for each in lent:
        before, then = [], []
        for _, _, line, amount in board.layers:
            mine = line == each
            before.append(owner[mine & (amount < 0)])
            then.append(owner[mine & (amount > 0)])
        first, second = np.unique(np.concatenate(before)), np.unique(np.concatenate(then))
        gives.append(np.repeat(first, len(second)))
        takes.append(np.tile(second, len(first)))
    return np.concatenate(gives), np.concatenate(takes)
