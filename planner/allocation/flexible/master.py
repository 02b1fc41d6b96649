"""The relaxed program over the plans found so far, kept in HiGHS while plans are added."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.flexible.path import Path
from planner.allocation.flexible.rows import LinkRows

__all__ = ["Master", "path_terms"]

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
    and not a new solve; PuLP would write the program anew each time.
    """

    def __init__(self, rows: LinkRows, jobs: int) -> None:
        import highspy

        self.rows = rows
        self.scale = 1.0 / np.where(np.abs(rows.bound) > 0, np.abs(rows.bound), 1.0)
        with _quiet():
            self.model: Any = highspy.Highs()  # type: ignore[no-untyped-call]
            self.model.setOptionValue("output_flag", False)
            self.model.setOptionValue("threads", 1)
        inf = highspy.kHighsInf
        upper = np.concatenate([rows.bound * self.scale, np.ones(jobs)])
        count = len(upper)
        none, no_terms = np.zeros(0, dtype=np.int32), np.zeros(0)
        self.model.addRows(count, np.full(count, -inf), upper, 0, np.zeros(count, dtype=np.int32),
                           none, no_terms)  # fmt: skip
        self.jobs, self.none = jobs, -highspy.kHighsInf
        self.owner: list[int] = []  # [column] its job; -1 for what is no plan
        self.paths: list[Path] = []
        self.seen: set[tuple[object, ...]] = set()

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
        job = np.array([path.job for path in fresh], dtype=np.int64) + len(self.rows.names)
        index = np.concatenate([row, job])
        column = np.concatenate([plan, own])
        amounts = np.concatenate([amount * self.scale[row], np.ones(len(fresh))])
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

    def prices(self, time_limit_s: float) -> tuple[float, Floats] | None:
        """Value of the best mixture, and prices of rows; None when not found."""
        import highspy

        self.model.setOptionValue("time_limit", self.model.getRunTime() + time_limit_s)
        with _quiet():
            self.model.run()
        if self.model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        dual = -np.asarray(self.model.getSolution().row_dual, dtype=np.float64)
        many = len(self.rows.names)
        prices = np.maximum(dual[:many] * self.scale, 0.0)
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
