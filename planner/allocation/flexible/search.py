"""Plans of chains by insertion at prices, improved by taking chains out and putting others in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.flexible.board import ChainBoard
from planner.allocation.flexible.path import Path
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["Searched", "search"]

HEAT, COLD = 0.5, 0.01  # mean values of a job by which a plan may be worse, first and last
MOST_OUT, MOST_TRIED = 6, 10  # chains taken out, and waiting jobs tried, in a round
FRESH, TRIED_FRESH = 0.02, 0.03  # how often a new plan is sought: at once, and when none fits
NOISE = 0.3  # spread of the prices of a round, in parts


@dataclass(frozen=True)
class Searched:
    """The best plan found."""

    paths: tuple[Path, ...]
    value: float
    rounds: int
    was_interrupted: bool = False


def search(
    board: ChainBoard,
    prices: Floats,
    *,
    rounds: int,
    time_limit_s: float,
    seed: int = 0,
    goal: float = np.inf,
    on_better: Callable[[float], None] | None = None,
) -> Searched | None:
    """
    A plan by insertion at prices, then ruin-and-recreate.

    Parameters
    ----------
    board : ChainBoard
        Empty, or with a plan in hand.
    prices : ndarray [row]
        At which chains are sought. [value per unit of the row]
    rounds : int
        Rounds of taking out and putting in.
    time_limit_s : float
        Time after which the best so far is returned. [s]
    seed : int
        The same rounds and seed give the same plan, unless the time ends first.
    goal : float
        Value at which to stop.
    on_better : callable, optional
        Told the value of each plan that is better than those before.

    Returns
    -------
    Searched or None
        None when no plan was found that keeps every row.
    """
    return _Search(board, prices, seed, goal, on_better).run(rounds, time_limit_s)


class _Search:
    """The search while it lasts."""

    def __init__(
        self,
        board: ChainBoard,
        prices: Floats,
        seed: int,
        goal: float,
        on_better: Callable[[float], None] | None,
    ) -> None:
        self.board, self.prices, self.goal, self.on_better = board, prices, goal, on_better
        self.dice = np.random.default_rng(seed)
        self.jobs = np.array(sorted(board.ways), dtype=np.int64)
        self.worth = {job: float(board.ways[job].worth.max()) for job in board.ways}
        self.mean = float(np.mean(list(self.worth.values())))
        self.sum = float(sum(self.worth.values()))
        self.best: tuple[float, tuple[Path, ...]] | None = None

    def run(self, rounds: int, time_limit_s: float) -> Searched | None:
        """Insertion, then rounds."""
        end = time.monotonic() + time_limit_s
        used, was_interrupted = 0, False
        try:
            self.board.set_prices(self.prices)
            self.insert(
                sorted(self.jobs.tolist(), key=lambda job: -self.worth[job]), end, first=True
            )
            self.see()
            current = self.board.score(self.sum)
            for used in range(1, rounds + 1):
                is_over = time.monotonic() > end or is_stopped()
                if is_over or (self.best and self.best[0] >= self.goal):
                    break
                heat = self.mean * HEAT * (COLD / HEAT) ** (used / rounds)
                current = self.round(current, heat, end)
        except KeyboardInterrupt:
            was_interrupted = True
        was_interrupted |= is_stopped()
        if self.best is None:
            return None
        return Searched(self.best[1], self.best[0], used, was_interrupted)

    def round(self, current: float, heat: float, end: float) -> float:
        """Take some out and put some in; the score of the plan that is kept."""
        board, dice = self.board, self.dice
        before = board.state()
        noise = np.exp(NOISE * dice.standard_normal(len(self.prices)))
        board.set_prices(self.prices * noise)
        out = self.ruin()
        waiting = np.array([job for job in self.jobs if job not in board.chosen and job not in out],
                           dtype=np.int64)  # fmt: skip
        tried = [*out, *dice.permutation(waiting)[:MOST_TRIED].tolist()]
        key = {job: self.worth[job] * float(np.exp(0.5 * dice.standard_normal())) for job in tried}
        if dice.random() < 0.5:
            key = {job: float(dice.random()) for job in tried}
        self.insert(sorted(tried, key=lambda job: -key[job]), end)
        score = board.score(self.sum)
        if score < current + heat * float(np.log(dice.random() + 1e-12)):
            board.restore(before)
            return current
        self.see()
        return score

    def insert(self, jobs: list[int], end: float, *, first: bool = False) -> None:
        """Give each job the best chain that fits."""
        for job in jobs:
            if job in self.board.chosen or time.monotonic() > end:
                continue
            found = None
            if first or self.dice.random() >= FRESH:
                found = self.board.seen(job, None if first else self.dice)
            if found is None and (first or self.dice.random() < TRIED_FRESH):
                found = self.board.found(job)
                if found is not None:
                    self.board.learn([found[0]])
            if found is not None:
                self.board.put(found)

    def ruin(self) -> list[int]:
        """Take out some chains that meet, or of one consortium."""
        board, dice = self.board, self.dice
        placed = np.array(sorted(board.chosen), dtype=np.int64)
        if len(placed) == 0:
            return []
        many = int(dice.integers(1, min(len(placed), MOST_OUT) + 1))
        centre = int(dice.choice(placed))
        kind = dice.random()
        if kind < 0.25:
            team = board.rows.case.job_consortium
            near = placed[team[placed] == team[centre]]
        elif kind < 0.35:
            near = placed
        else:
            near = self.meeting(placed, centre)
        out = [centre, *[job for job in dice.permutation(near).tolist() if job != centre]][:many]
        gone = set(board.chosen)
        for job in out:
            if job in board.chosen:
                board.take(job)
        return sorted(gone - set(board.chosen))

    def meeting(self, placed: Ints, centre: int) -> Ints:
        """Placed jobs that hold nodes in a row of a pool in which one does."""
        board = self.board
        pools = len(board.rows.pool_key)
        used = np.zeros(pools, dtype=np.bool_)
        row = board.chosen[centre][1]
        used[row[row < pools]] = True
        return np.array(
            [job for job in placed.tolist()
             if used[(mine := board.chosen[job][1])[mine < pools]].any()], dtype=np.int64
        )  # fmt: skip

    def see(self) -> None:
        """Keep the plan on the board where it is the best."""
        board = self.board
        if (self.best is None or board.total > self.best[0] + 1e-12) and board.holds():
            paths = tuple(board.chosen[job][0] for job in sorted(board.chosen))
            self.best = (board.total, paths)
            if self.on_better is not None:
                self.on_better(board.total)
