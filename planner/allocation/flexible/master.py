"""The relaxed program over the plans found so far, kept in HiGHS while plans are added."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.flexible.knapsack import CELLS, NOBODY
from planner.allocation.flexible.model import ChainModel
from planner.allocation.flexible.path import Path
from planner.allocation.flexible.rows import LinkRows

__all__ = ["Master", "path_terms"]

PRIMAL = 4  # HiGHS' number of its primal simplex method
FILLINGS, LESS = 20, 1e-7  # rounds of more sets at once, and what a set must be better by
SHORT = 3.0  # value of all work that a unit of a row `at least` is taken to be short at most


def path_terms(rows: LinkRows, paths: list[Path]) -> tuple[Ints, Ints, Floats]:
    """Row, plan and amount of each term of some plans; see `LinkRows.terms`."""
    sizes = np.array([len(path.point) for path in paths], dtype=np.int64)
    point = np.array([one for path in paths for one in path.point], dtype=np.int64)
    start = np.array([day for path in paths for day in path.start], dtype=np.int64)
    end = np.array([day for path in paths for day in (*path.start[1:], path.end)], dtype=np.int64)
    job = np.array([path.job for path in paths], dtype=np.int64)
    done = np.array([path.done for path in paths])
    chain = np.repeat(np.arange(len(paths)), sizes)
    return rows.terms(job, done, chain, point, start_day=start, end_day=end)


class Master:
    """
    Plans added bit by bit, and prices of rows that the best mixture of them proves.

    HiGHS keeps the last basis, so that plans added cost a few steps of the simplex method
    and not a new solve; PuLP would write the program anew each time. The jobs that a budget
    has no room for together are served as parts of sets that it has room for; the sets are
    added bit by bit too.
    """

    def __init__(self, model: ChainModel, jobs: int) -> None:
        import highspy

        self.chains, self.rows, self.knapsacks = model, model.rows, model.knapsacks
        rows = self.rows
        self.scale = 1.0 / np.where(np.abs(rows.bound) > 0, np.abs(rows.bound), 1.0)
        with _quiet():
            self.model: Any = highspy.Highs()  # type: ignore[no-untyped-call]
            self.model.setOptionValue("output_flag", False)
            self.model.setOptionValue("threads", 1)
            self.model.setOptionValue("simplex_strategy", PRIMAL)  # plans added keep it feasible
            self.model.setOptionValue("simplex_scale_strategy", 0)  # rows are scaled already
        inf = highspy.kHighsInf
        upper = np.concatenate([rows.bound * self.scale, np.ones(jobs)])
        count = len(upper)
        none, no_terms = np.zeros(0, dtype=np.int32), np.zeros(0)
        self.model.addRows(count, np.full(count, -inf), upper, 0, np.zeros(count, dtype=np.int32),
                           none, no_terms)  # fmt: skip
        self.jobs, self.none = jobs, -highspy.kHighsInf
        self.settled: list[int] = []
        self.owner: list[int] = []  # [column] its job; -1 for what is no plan
        self.paths: list[Path] = []
        self.seen: set[tuple[object, ...]] = set()
        self.inside = np.full(jobs, -1, dtype=np.int64)  # [job] row of what sets serve of it
        self.whole: list[int] = []  # [knapsack] row of all its sets
        self.sets: list[set[bytes]] = []
        self._add_knapsacks()

    def add(self, paths: list[Path]) -> int:
        """Add the plans that are not there yet; how many these are."""
        fresh = []
        for path in paths:
            if path.key not in self.seen:
                self.seen.add(path.key)
                fresh.append(path)
        if not fresh:
            return 0
        row, plan, amount = path_terms(self.rows, fresh)
        own = np.arange(len(fresh))
        job = np.array([path.job for path in fresh], dtype=np.int64)
        inside = np.flatnonzero(self.inside[job] >= 0)
        index = np.concatenate([row, job + len(self.rows.names), self.inside[job[inside]]])
        column = np.concatenate([plan, own, inside])
        amounts = np.concatenate([amount * self.scale[row], np.ones(len(fresh) + len(inside))])
        order = np.lexsort((index, column))
        first = np.searchsorted(column[order], own)
        value = np.array([path.value for path in fresh])
        self._columns(value, first, index[order], amounts[order])
        self.owner += [path.job for path in fresh]
        self.paths += fresh
        return len(fresh)

    def _columns(self, value: Floats, first: Ints, index: Ints, amounts: Floats) -> None:
        """Hand columns to HiGHS."""
        import highspy

        many = len(value)
        self.model.addCols(many, -value, np.zeros(many), np.full(many, highspy.kHighsInf),
                           len(index), first.astype(np.int32), index.astype(np.int32),
                           amounts)  # fmt: skip

    def _add_knapsacks(self) -> None:
        """Rows of sets, and sets to begin with: one that holds each job."""
        for one in self.knapsacks:
            first, many = self.model.getNumRow(), len(one.jobs)
            self.inside[one.jobs] = first + np.arange(many)
            self.whole.append(first + many)
            self.sets.append(set())
            upper = np.append(np.zeros(many), 1.0)
            self.model.addRows(many + 1, np.full(many + 1, self.none), upper, 0,
                               np.zeros(many + 1, dtype=np.int32), np.zeros(0, dtype=np.int32),
                               np.zeros(0))  # fmt: skip
        for at, one in enumerate(self.knapsacks):
            for item in np.flatnonzero(one.weight <= CELLS).tolist():
                chosen = np.arange(len(one.jobs)) == item
                self._add_set(at, one.filled(chosen, np.argsort(one.weight, kind="stable")))

    def _add_set(self, at: int, chosen: Bools) -> bool:
        """Add a set of the jobs of a knapsack; whether it is new."""
        if chosen.tobytes() in self.sets[at]:
            return False
        self.sets[at].add(chosen.tobytes())
        mine = self.inside[self.knapsacks[at].jobs[chosen]]
        self._columns(np.zeros(1), np.zeros(1, dtype=np.int64), np.append(mine, self.whole[at]),
                      np.append(np.full(len(mine), -1.0), 1.0))  # fmt: skip
        self.owner.append(-1)
        return True

    def _fill(self, dual: Floats) -> bool:
        """Add the set of each knapsack that earns most at prices; whether one is new."""
        found = False
        for at, one in enumerate(self.knapsacks):
            price = np.maximum(-dual[self.inside[one.jobs]], 0.0)
            most, chosen = one.best(price, NOBODY, NOBODY)
            if most > -dual[self.whole[at]] + LESS * max(most, 1.0):
                order = np.lexsort((one.weight, -price))
                found |= self._add_set(at, one.filled(chosen, order))
        return found

    def add_shortfalls(self, total: float) -> None:
        """Let rows `at least` be short, at a price above what all work is worth."""
        asks = np.flatnonzero(self.rows.bound < 0)
        if len(asks):
            self._columns(np.full(len(asks), -SHORT * total), np.arange(len(asks)), asks,
                          np.full(len(asks), -1.0))  # fmt: skip
            self.owner += [-1] * len(asks)

    def add_absences(self, total: float) -> None:
        """Let jobs that are to be served be not, at a price above what all work is worth."""
        rows = np.arange(self.jobs) + len(self.rows.names)
        self._columns(np.full(self.jobs, -total), np.arange(self.jobs), rows, np.ones(self.jobs))
        self.owner += [-1] * self.jobs

    def ask(self, served: frozenset[int], refused: frozenset[int]) -> None:
        """Ask for some jobs, and for none of some others."""
        for job in range(self.jobs):
            row = len(self.rows.names) + job
            low, high = (1.0, 1.0) if job in served else (self.none, 1.0)
            self.model.changeRowBounds(row, low, 0.0 if job in refused else high)

    def served(self) -> Floats:
        """Part of each job that the best mixture serves. [job]"""
        owner = np.array(self.owner, dtype=np.int64)
        part = np.asarray(self.model.getSolution().col_value, dtype=np.float64)
        total = np.zeros(self.jobs + 1)
        np.add.at(total, owner + 1, part)
        return total[1:]

    def mixture(self) -> list[tuple[float, Path, int]]:
        """Plans that the best mixture holds: how much of each, and its column."""
        part = np.asarray(self.model.getSolution().col_value, dtype=np.float64)
        columns = np.flatnonzero(np.array(self.owner, dtype=np.int64) >= 0)
        held = np.flatnonzero(part[columns] > LESS)
        return [(float(part[columns[at]]), self.paths[at], int(columns[at]))
                for at in held.tolist()]  # fmt: skip

    def settle(self, column: int, *, chosen: bool) -> None:
        """Take a plan whole, or not at all, until `release`."""
        bound = 1.0 if chosen else 0.0
        self.model.changeColBounds(column, bound, bound)
        self.settled.append(column)

    def release(self) -> None:
        """Let all plans be mixed again."""
        for column in self.settled:
            self.model.changeColBounds(column, 0.0, -self.none)
        self.settled = []

    def prices(self, time_limit_s: float) -> tuple[float, Floats] | None:
        """Value of the best mixture, and prices of rows; None when not found."""
        import highspy

        self.model.setOptionValue("time_limit", self.model.getRunTime() + time_limit_s)
        for _ in range(FILLINGS):
            with _quiet():
                self.model.run()
            if self.model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return None
            dual = np.asarray(self.model.getSolution().row_dual, dtype=np.float64)
            if not self._fill(dual):
                break
        prices = np.maximum(-dual[: len(self.rows.names)] * self.scale, 0.0)
        return -float(self.model.getInfo().objective_function_value), prices


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing reach descriptor 1: HiGHS prints a banner there whatever it is told."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:
        yield
        return
    try:
        opened = os.open(os.devnull, os.O_WRONLY)
        os.dup2(opened, 1)
        os.close(opened)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
