"""A plan of whole runs as it is built: what each row has left, and which columns still fit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.band import Bands, Layer

__all__ = ["BLINK", "Board"]

SLACK = 1e-10  # float sums of scaled rows differ by less
BLINK = 0.03  # part of the columns that an insertion overlooks


class Board:
    """
    A plan as it is built: what each row has left, and the least over each stretch.

    Columns of a job lie in order of their worth at prices. `cell` holds, for every line,
    the least that is left between every two rows of it, so that whether a column fits is
    one look-up a layer.
    """

    def __init__(self, bands: Bands, prices: Floats) -> None:
        profit = bands.profit(prices)
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
        self.waits = _waits(self, bands)
        self.depth = np.zeros(len(bands.job), dtype=np.int64)
        for before, then in reversed(self.waits):
            self.depth[then] = max(int(self.depth[then]), int(self.depth[before]) + 1)
        least = np.minimum.reduceat(bands.value, bands.first[:-1])
        self.is_choosy = (least < self.worth).tolist()
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
        self.blinks = dice.random(4 * int(bands.sizes.max()) + 4096) >= BLINK

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

    def state(self) -> tuple[Floats, Ints, float]:
        """What a round changes, to be kept; what follows from it is computed anew."""
        self.touched.clear()
        return self.left.copy(), self.chosen.copy(), self.total

    def restore(self, state: tuple[Floats, Ints, float]) -> None:
        """Go back to what was kept last."""
        self.left, self.chosen, self.total = state
        for line in list(self.touched):
            self.refresh(line)

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

    def put(self, group: int, column: int, sign: float = 1.0) -> None:
        """Add a column to the plan, or take it out with sign -1."""
        for low, high, line, amount in self.layers:
            at = int(line[column])
            if at >= 0:
                self.left[low[column] : high[column]] -= sign * amount[column]
                self.refresh(at)
        self.chosen[group] = column if sign > 0 else -1
        self.total += sign * float(self.value[column])

    def take_dependents(self) -> list[int]:
        """Take out runs that wait for one that is gone; the jobs they served."""
        out: list[int] = []
        if not self.depth.any():
            return out
        while True:
            short = self.left < -SLACK
            short[self.asks] = False
            if not short.any():
                return out
            row = int(short.argmax())
            for group in np.flatnonzero(self.chosen >= 0).tolist():
                column = int(self.chosen[group])
                if any(low[column] <= row < high[column] and amount[column] > 0
                       for low, high, _, amount in self.layers):  # fmt: skip
                    self.put(group, column, -1.0)
                    out.append(group)
                    break

    def score(self) -> float:
        """Value less a penalty for rows `at least` that are short."""
        if len(self.asks) == 0:
            return self.total
        short = np.maximum(-self.left[self.asks], 0.0).sum()
        return self.total - float(short) * float(self.worth.sum())

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
