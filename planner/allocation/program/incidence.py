"""Which rows each column takes part in, and what a point leaves free in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.program.row import AT_LEAST, AT_MOST, Program

__all__ = ["Incidence", "incidence"]


@dataclass(frozen=True)
class Incidence:
    """
    Terms of a program by column, each row turned so that it asks for at most.

    A row `at least` is negated; an equality stands as it is and is also checked from below.
    """

    first: Ints  # [column + 1] where each column's terms begin
    row: Ints  # [term]
    coefficient: Floats  # [term]
    bound: Floats  # [row]
    is_equal: Bools  # [row]
    slack: Floats  # [row] what float sums may differ by

    def activity(self, point: Floats) -> Floats:
        """Sum of each row at a point. [row]"""
        used = np.flatnonzero(point)
        which, owner = self.terms(used)
        weights = self.coefficient[which] * point[used][owner]
        total = np.bincount(self.row[which], weights=weights, minlength=len(self.bound))
        return total.astype(np.float64)  # of nothing, bincount counts in whole numbers

    def shift(self, activity: Floats, columns: Sequence[int], amounts: Sequence[float]) -> Floats:
        """Activity after some columns change by some amounts. [row]"""
        moved = activity.copy()
        for column, amount in zip(columns, amounts, strict=True):
            terms = slice(int(self.first[column]), int(self.first[column + 1]))
            np.add.at(moved, self.row[terms], amount * self.coefficient[terms])
        return moved

    def excess(self, activity: Floats) -> Floats:
        """By how much each row is broken, 0 where it holds. [row]"""
        over = activity - self.bound
        over = np.where(self.is_equal, np.abs(over), over)
        return np.where(over > self.slack, over, 0.0)

    def terms(self, columns: Ints) -> tuple[Ints, Ints]:
        """Terms of some columns, and for each the position of its column. [term], [term]"""
        counts = self.first[columns + 1] - self.first[columns]
        owner = np.repeat(np.arange(len(columns)), counts)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(self.first[columns], counts) + offset, owner

    def first_fitting(self, activity: Floats, candidates: Ints, place: Ints) -> int | None:
        """The first of some columns, by `place` [column], that may be added to an activity."""
        if len(candidates) == 0:
            return None
        which, owner = self.terms(candidates)
        rows = self.row[which]
        over = activity[rows] + self.coefficient[which] - self.bound[rows]
        blocked = np.zeros(len(candidates), dtype=np.bool_)
        blocked[owner[over > self.slack[rows]]] = True
        candidates = candidates[~blocked]
        for candidate in candidates[np.argsort(place[candidates])].tolist():
            if not self.excess(self.shift(activity, [candidate], [1.0])).any():
                return int(candidate)
        return None


def incidence(program: Program) -> Incidence:
    """The terms of a program by column."""
    rows = program.rows
    sign = np.array([-1.0 if row.sense == AT_LEAST else 1.0 for row in rows])
    counts = np.array([len(row.columns) for row in rows], dtype=np.int64)
    row = np.repeat(np.arange(len(rows)), counts)
    column = np.concatenate([r.columns for r in rows]) if rows else np.zeros(0, dtype=np.int64)
    amount = np.concatenate([r.coefficients for r in rows]) if rows else np.zeros(0)
    order = np.argsort(column, kind="stable")
    first = np.searchsorted(column[order], np.arange(len(program.columns.names) + 1))
    bound = sign * np.array([r.bound for r in rows])
    largest = np.zeros(len(rows))
    np.maximum.at(largest, row, np.abs(amount))
    return Incidence(
        first=first.astype(np.int64),
        row=row[order],
        coefficient=(amount * sign[row])[order],
        bound=bound,
        is_equal=np.array([r.sense not in (AT_MOST, AT_LEAST) for r in rows], dtype=np.bool_),
        slack=1e-9 * np.maximum(np.maximum(largest, np.abs(bound)), 1e-12),
    )
