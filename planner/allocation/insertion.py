"""Plans by insertion at prices, improved by taking runs out and putting others in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.band import Bands, Layer

__all__ = ["Board", "Insertion", "improve"]

SLACK = 1e-10  # float sums of scaled rows differ by less
BLINK = 0.03  # part of the columns that an insertion overlooks
HEAT, COLD = 0.3, 0.003  # mean values of a job by which a plan may be worse, first and last
CYCLE, CYCLE_A_JOB = 300, 8  # rounds after which it is as warm as at first, at least
MOST_OUT, MOST_TRIED = 10, 40  # runs taken out, and waiting jobs tried, in a round


@dataclass(frozen=True)
class Insertion:
    """The best plan found."""

    chosen: Ints  # columns, ascending
    value: float
    rounds: int
    seconds: float
    was_interrupted: bool = False


def improve(
    bands: Bands,
    prices: Floats,
    *,
    rounds: int = 1000,
    time_limit_s: float = 10.0,
    seed: int = 0,
    goal: float = np.inf,
    on_better: Callable[[float], None] | None = None,
) -> Insertion | None:
    """
    A plan by insertion at prices, then ruin-and-recreate.

    Parameters
    ----------
    bands : Bands
        Columns to choose from, at most one a job, and the rows that they keep.
    prices : ndarray [row]
        Scaled prices; the dearer a column at these, the later it is tried.
    rounds : int
        Rounds of taking out and putting in; 0 for insertion alone. The same rounds and
        seed give the same plan, unless the time ends first.
    time_limit_s : float
        Time after which the best so far is returned. [s]
    goal : float
        Value at which to stop, such as a proved bound.
    on_better : callable, optional
        Told the value of each plan that is better than those before.

    Returns
    -------
    Insertion or None
        None when no plan was found that keeps every row.

    Notes
    -----
    Rounds take out neighbouring runs and put in what fits, each job by the first of its
    columns that does, in order of their worth at the prices, some overlooked by chance; a
    worse plan is kept with a probability that falls from round to round [1]_.

    References
    ----------
    .. [1] J. Christiaens, G. Vanden Berghe, "Slack induction by string removals for vehicle
       routing problems," Transportation Science, vol. 54, 2020.
    """
    began = time.monotonic()
    if len(bands.job) == 0:
        return None
    board = Board(bands, prices)
    dice = np.random.default_rng(seed)
    _insert(board, _in_order(board, np.arange(len(board.lead)), board.lead), dice, 0.0)
    best = _Best(on_better)
    best.see(board)
    heat = float(board.value[bands.first[:-1]].mean())
    was_interrupted = False
    try:
        used = _rounds(
            board,
            best,
            dice,
            heat=heat,
            rounds=rounds,
            end=began + time_limit_s,
            goal=goal,
        )
    except KeyboardInterrupt:
        used, was_interrupted = 0, True
    if best.chosen is None:
        return None
    return Insertion(
        np.sort(board.order[best.chosen]),
        best.value,
        used,
        time.monotonic() - began,
        was_interrupted,
    )


def _rounds(
    board: Board,
    best: _Best,
    dice: np.random.Generator,
    *,
    heat: float,
    rounds: int,
    end: float,
    goal: float,
) -> int:
    """Ruin and recreate; the rounds used."""
    current = board.score()
    cycle = min(max(CYCLE, CYCLE_A_JOB * len(board.chosen), rounds // 3), rounds)
    for used in range(1, rounds + 1):
        if time.monotonic() > end or best.value >= goal * (1 - 1e-9):
            return used - 1
        before = board.state()
        out = _ruin(board, dice)
        _insert(board, _waiting(board, out, dice), dice, BLINK)
        # By rounds and not by the clock, so that a seed gives the same plan on any machine.
        warm = heat * HEAT * (COLD / HEAT) ** (used % cycle / cycle)
        score = board.score()
        if score < current + warm * float(np.log(dice.random() + 1e-12)):
            board.restore(before)
        else:
            current = score
            best.see(board)
    return rounds


class _Best:
    """The best plan seen that keeps every row."""

    def __init__(self, on_better: Callable[[float], None] | None) -> None:
        self.value = -np.inf
        self.chosen: Ints | None = None
        self.on_better = on_better

    def see(self, board: Board) -> None:
        """Keep the plan on the board where it is better."""
        if board.total > self.value + 1e-12 * abs(board.total) and board.holds():
            self.value = board.total
            self.chosen = board.chosen[board.chosen >= 0].copy()
            if self.on_better is not None:
                self.on_better(self.value)


def _insert(board: Board, groups: Ints, dice: np.random.Generator, blink: float) -> None:
    """Give each job, in the order given, its first column that fits, some overlooked."""
    rolls = dice.random(len(groups) + 1).tolist() if blink else None
    for at, group in enumerate(groups.tolist()):
        if board.chosen[group] >= 0:
            continue
        fits = board.fitting(group)
        if rolls is not None:
            start = int(rolls[at] * (len(board.blinks) - len(fits)))
            fits &= board.blinks[start : start + len(fits)]
        found = int(fits.argmax())
        if rolls is not None and board.is_choosy[group] and fits[found]:
            found = _another(board, group, fits, dice)
        if fits[found]:
            board.put(group, board.first[group] + found)


def _another(board: Board, group: int, fits: Bools, dice: np.random.Generator) -> int:
    """
    Position of a column that fits, where the first need not be the one to take.

    The prices say little about runs that others wait for, and about how much of a job to do:
    half the time the first is taken, else the most valuable or any.
    """
    kind = dice.random()
    if kind < 0.5:
        return int(fits.argmax())
    if kind < 0.75:
        low, high = board.first[group], board.first[group + 1]
        return int(np.where(fits, board.value[low:high], -np.inf).argmax())
    return int(dice.choice(np.flatnonzero(fits)))


def _ruin(board: Board, dice: np.random.Generator) -> list[int]:
    """Take out some runs that lie near each other; the jobs they served."""
    placed = np.flatnonzero(board.chosen >= 0)
    if len(placed) == 0:
        return []
    many = int(dice.integers(1, min(len(placed), MOST_OUT) + 1))
    low, high, line, _ = board.layers[0]
    column = board.chosen[placed]
    if dice.random() < 0.5:  # around a run
        centre = int(dice.choice(column))
    else:  # where a waiting job would like to be
        absent = np.flatnonzero(board.chosen < 0)
        group = int(dice.choice(absent)) if len(absent) else int(dice.choice(placed))
        first, end = board.first[group], board.first[group + 1]
        centre = min(first + int(dice.exponential(8.0)), end - 1)
    near = (line[column] == line[centre]) & (low[column] < high[centre])
    near &= high[column] > low[centre]
    if dice.random() < 0.1:  # anywhere
        near[:] = True
    chosen = dice.permutation(placed[near])[:many]
    for one in chosen.tolist():
        board.put(one, int(board.chosen[one]), -1.0)
    return [*chosen.tolist(), *board.take_dependents()]


def _waiting(board: Board, out: list[int], dice: np.random.Generator) -> Ints:
    """Jobs to try: those taken out and some of the others, in an order drawn by chance."""
    waits = board.chosen < 0
    waits[out] = False
    others = np.flatnonzero(waits)
    groups = np.concatenate([np.array(out, dtype=np.int64), dice.permutation(others)[:MOST_TRIED]])
    kind = dice.random()
    if kind < 0.4:
        key = board.lead[groups] * (1 + 0.3 * dice.standard_normal(len(groups)))
    elif kind < 0.7:
        key = board.worth[groups] * (1 + 0.3 * dice.standard_normal(len(groups)))
    else:
        key = dice.random(len(groups))
    return _in_order(board, groups, key)


def _in_order(board: Board, groups: Ints, key: Floats) -> Ints:
    """Jobs by falling key, one that others wait for as early as those, and before them."""
    full = np.full(len(board.chosen), -np.inf)
    full[groups] = key
    for before, then in board.waits:
        full[before] = max(full[before], full[then])
    return groups[np.lexsort([board.depth[groups], -full[groups]])]


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

    def state(self) -> tuple[Floats, Floats, Ints, float]:
        """What a round changes, to be kept."""
        return self.left.copy(), self.cell.copy(), self.chosen.copy(), self.total

    def restore(self, state: tuple[Floats, Floats, Ints, float]) -> None:
        """Go back to what was kept."""
        self.left, self.cell, self.chosen, self.total = state

    def refresh(self, line: int) -> None:
        """Recompute the least over the stretches of a line."""
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
