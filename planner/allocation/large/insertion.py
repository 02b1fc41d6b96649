"""Plans by insertion at prices, improved by taking runs out and putting others in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.large.aim import MostWork, SearchAim
from planner.allocation.large.band import Bands
from planner.allocation.large.board import Board
from planner.allocation.large.pack import Packs, Parts
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["Insertion", "improve"]

HEAT, COLD = 0.3, 0.003  # mean values of a job by which a plan may be worse, first and last
HEAT_BEGUN = 0.05  # where an earlier plan is what to begin with, and not to be left again
FEW, HEAT_OF_FEW = 50, 1.0  # jobs up to which a warmer, restless search finds more
CYCLE, CYCLE_A_JOB = 300, 8  # rounds after which it is as warm as at first, at least
MOST_OUT, MOST_TRIED = 10, 40  # runs taken out, and waiting jobs tried, in a round
MOST_PACKED = 40  # runs of a job for which blocks are sought, where counting is not enough


@dataclass(frozen=True)
class Insertion:
    """The best plan found."""

    chosen: Ints  # columns, ascending
    value: float
    rounds: int
    seconds: float
    was_interrupted: bool = False
    parts: tuple[Parts, ...] = ()  # for each column the blocks that it lies on, where it matters


def improve(
    bands: Bands,
    prices: Floats,
    *,
    rounds: int = 1000,
    time_limit_s: float = 10.0,
    seed: int = 0,
    goal: float = np.inf,
    on_better: Callable[[float], None] | None = None,
    packs: Packs | None = None,
    aim: SearchAim | None = None,
    profit: Floats | None = None,
    start: Ints | None = None,
) -> Insertion | None:
    """
    A plan by insertion at prices, then ruin-and-recreate.

    Parameters
    ----------
    bands : Bands
        Columns to choose from, at most one a job, and the rows that they keep; no levels.
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
    packs : Packs, optional
        The blocks that runs lie on, where counting is not enough.
    aim : SearchAim, optional
        What is to be made large; the most weighted work when left out.
    profit : ndarray [column], optional
        By which columns are ordered, where it is not value less prices.
    start : ndarray of int, optional
        Columns that are put in first, in this order, as far as they fit: of each job the
        first one that does. Left again where insertion alone gives a better plan.

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
    is_few = len(bands.job) <= FEW
    board = Board(bands, prices, packs=packs, profit=profit, is_restless=is_few)
    aim = aim or MostWork()
    aim.begin(board)
    dice = np.random.default_rng(seed)
    heat = HEAT_OF_FEW if is_few else HEAT
    if _begin(board, start, dice, aim):
        heat = min(heat, HEAT_BEGUN)
    best = _Best(on_better)
    best.see(board, aim)
    was_interrupted = False
    try:
        used = _rounds(
            board,
            best,
            dice,
            aim,
            heat=heat,
            rounds=rounds,
            end=began + time_limit_s,
            goal=goal,
        )
    except KeyboardInterrupt:
        used, was_interrupted = 0, True
    was_interrupted |= is_stopped()
    if best.chosen is None:
        return None
    chosen = np.sort(board.order[best.chosen])
    return Insertion(chosen, best.value, used, time.monotonic() - began, was_interrupted,
                     tuple(best.parts.get(at, ()) for at in chosen.tolist()))  # fmt: skip


def _rounds(
    board: Board,
    best: _Best,
    dice: np.random.Generator,
    aim: SearchAim,
    *,
    heat: float,
    rounds: int,
    end: float,
    goal: float,
) -> int:
    """Ruin and recreate; the rounds used."""
    penalty = float(board.worth.sum()) * aim.heat / max(float(board.worth.mean()), 1e-12)

    def score() -> float:
        return aim.worth(board) - penalty * board.shortage()

    current = score()
    cycle = min(max(CYCLE, CYCLE_A_JOB * len(board.chosen), rounds // 3), rounds)
    for used in range(1, rounds + 1):
        if time.monotonic() > end or best.value >= goal * (1 - 1e-9) or is_stopped():
            return used - 1
        before = board.state()
        out = _ruin(board, dice)
        _insert(board, _waiting(board, out, dice, aim), dice, board.blink, aim)
        # By rounds and not by the clock, so that a seed gives the same plan on any machine.
        warm = aim.heat * heat * (COLD / heat) ** (used % cycle / cycle)
        found = score()
        if found < current + warm * float(np.log(dice.random() + 1e-12)):
            board.restore(before)
        else:
            current = found
            best.see(board, aim)
    return rounds


class _Best:
    """The best plan seen that keeps every row."""

    def __init__(self, on_better: Callable[[float], None] | None) -> None:
        self.value = -np.inf
        self.chosen: Ints | None = None
        self.parts: dict[int, Parts] = {}
        self.on_better = on_better

    def see(self, board: Board, aim: SearchAim) -> None:
        """Keep the plan on the board where it is better."""
        worth = aim.worth(board)
        if worth > self.value + 1e-12 * abs(worth) and board.holds():
            self.value = worth
            self.parts = {} if board.packs is None else dict(board.packs.taken)
            self.chosen = board.chosen[board.chosen >= 0].copy()
            if self.on_better is not None:
                self.on_better(self.value)


def _insert(
    board: Board, groups: Ints, dice: np.random.Generator, blink: float, aim: SearchAim
) -> None:
    """Give each job, in the order given, its first column that fits, some overlooked."""
    rolls = dice.random(len(groups) + 1).tolist() if blink else None
    for at, group in enumerate(groups.tolist()):
        if board.chosen[group] >= 0:
            continue
        if aim.has_enough(board):
            return
        fits = board.fitting(group)
        if rolls is not None:
            start = int(rolls[at] * (len(board.blinks) - len(fits)))
            fits &= board.blinks[start : start + len(fits)]
        found = int(fits.argmax())
        if rolls is not None and board.is_choosy[group] and fits[found]:
            found = _another(board, group, fits, dice)
        for _ in range(MOST_PACKED):
            if not fits[found]:
                break
            if board.packed(board.first[group] + found):
                board.put(group, board.first[group] + found)
                break
            fits[found] = False
            found = int(fits.argmax())


def _begin(board: Board, start: Ints | None, dice: np.random.Generator, aim: SearchAim) -> bool:
    """The first plan on the board; whether it has the columns to start from."""
    everyone = _in_order(board, np.arange(len(board.lead)), board.lead)
    if start is None:
        _insert(board, everyone, dice, 0.0, aim)
        return False
    empty = board.state()
    _insert(board, everyone, dice, 0.0, aim)
    plain, worth = board.state(), aim.worth(board) if board.holds() else -np.inf
    board.restore_all(empty)
    _put_first(board, start)
    _insert(board, everyone, dice, 0.0, aim)
    if (aim.worth(board) if board.holds() else -np.inf) >= worth:
        return True
    board.restore_all(plain)
    return False


def _put_first(board: Board, columns: Ints) -> None:
    """Put in given columns as far as they fit, those that others wait for before them."""
    place = np.empty(len(board.order), dtype=np.int64)
    place[board.order] = np.arange(len(board.order))
    wanted = place[columns]
    groups = np.searchsorted(board.first, wanted, side="right") - 1
    order = np.argsort(board.depth[groups], kind="stable")
    for group, column in zip(groups[order].tolist(), wanted[order].tolist(), strict=True):
        if board.chosen[group] >= 0 or not board.fitting(group)[column - board.first[group]]:
            continue
        if board.packed(column):
            board.put(group, column)


def _another(board: Board, group: int, fits: Bools, dice: np.random.Generator) -> int:
    """
    Position of a column that fits, where the first need not be the one to take.

    The prices say little about runs that others wait for, about how much of a job to do, and
    where a job of few is best: half the time the first is taken, else the most valuable or any.
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


def _waiting(board: Board, out: list[int], dice: np.random.Generator, aim: SearchAim) -> Ints:
    """Jobs to try: those taken out and some of the others, in an order drawn by chance."""
    keen = aim.keen(board)
    relief = board.relief() if board.shortage() > 0 else None
    waits = board.chosen < 0
    waits[out] = False
    others = dice.permutation(np.flatnonzero(waits))
    if relief is not None:  # those that a short row needs come first
        others = others[np.argsort(~relief[others], kind="stable")]
    groups = np.concatenate([np.array(out, dtype=np.int64), others[:MOST_TRIED]])
    kind = dice.random()
    if kind < 0.4:
        key = board.lead[groups] * (1 + 0.3 * dice.standard_normal(len(groups)))
    elif kind < 0.7:
        key = board.worth[groups] * (1 + 0.3 * dice.standard_normal(len(groups)))
    else:
        key = dice.random(len(groups))
    if keen is not None and dice.random() < 0.8:
        key = key * keen[groups]
    if relief is not None and dice.random() < 0.8:
        key = key + relief[groups] * (1.0 + float(np.abs(key).max(initial=0.0)))
    return _in_order(board, groups, key)


def _in_order(board: Board, groups: Ints, key: Floats) -> Ints:
    """Jobs by falling key, one that others wait for as early as those, and before them."""
    full = np.full(len(board.chosen), -np.inf)
    full[groups] = key
    np.maximum.at(full, board.lends[0], full[board.lends[1]])
    for before, then in board.waits:
        full[before] = max(full[before], full[then])
    return groups[np.lexsort([board.depth[groups], -full[groups]])]
