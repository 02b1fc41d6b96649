"""The best layout, or the trade of time against memory, for many questions at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints, take
from hardware.table import DeviceTable
from planner.architecture import ModelTable
from planner.layout import NOTHING_FIXED, QuestionTable, layouts
from planner.memory import OVERFULL, MemoryTable, memory
from planner.stack import FamilyTable, StackTable
from planner.step import StepTable, step
from planner.strategy import EXCEEDS_MEMORY, FITS, REASONS, TOO_FEW_DEVICES, StrategyTable

__all__ = ["Search", "joined", "search"]

_QUESTIONS = 24
"""Questions searched at once, to bound memory: some have 50,000 layouts."""


@dataclass(frozen=True)
class Search:
    """
    Answers of a search: the rows kept, and counts of all rows by reason.

    Rows are sorted by question, then from the fastest to the slowest. `reason`
    is FITS where the question has a layout, else the reason of most of its
    rows. `counts` and `overfull` have a row a question.
    """

    question: Ints  # [row] row number in the questions asked
    strategies: StrategyTable  # [row]
    steps: StepTable  # [row]
    memories: MemoryTable  # [row]
    reason: Ints  # [question] index into REASONS
    counts: Ints  # [question, reason] layouts, by reason
    overfull: Ints  # [question, part] layouts that exceed memory, by the part that first does

    def first(self) -> Ints:
        """Row of the best layout of each question, -1 where it has none. [question]"""
        best = np.full(len(self.reason), -1, dtype=np.int64)
        best[self.question[::-1]] = np.arange(len(self.question))[::-1]
        return best

    def why(self, question: int = 0) -> list[str]:
        """Sentences on the rejected layouts of a question, the largest group first."""
        counts, total = self.counts[question], int(self.counts[question].sum())
        lines = []
        for reason in np.argsort(-counts, kind="stable"):
            if counts[reason] and reason != FITS:
                lines.append(f"{counts[reason]:,} of {total:,} layouts: {REASONS[reason]}")
        parts = self.overfull[question]
        if parts.any():
            named = [f"{OVERFULL[p]} {parts[p]:,}" for p in np.argsort(-parts) if parts[p]]
            lines.append("first over-full part: " + ", ".join(named))
        return lines


def joined(tables: Sequence[Any]) -> Any:
    """Tables of one kind, one below the other; all columns are arrays. [row]"""
    return type(tables[0])(
        **{
            field.name: np.concatenate([getattr(table, field.name) for table in tables])
            for field in fields(tables[0])
        }
    )


def search(
    models: ModelTable,
    devices: DeviceTable,
    stacks: StackTable,
    families: FamilyTable,
    questions: QuestionTable,
    *,
    keep: int = 1,
    pareto: bool = False,
    what_if_training: bool = False,
    fixed: Mapping[str, int] = NOTHING_FIXED,
) -> Search:
    """
    Best layouts of every question.

    Parameters
    ----------
    models, devices, stacks, families
        Tables whose row numbers stand in `questions`.
    questions : QuestionTable
        [question]
    keep : int
        Layouts kept a question, the fastest first.
    pareto : bool
        Keep instead every layout that no other beats in both tokens a second
        and peak memory.
    what_if_training : bool
        Lay training out on devices on which no training has been shown.
    fixed : mapping of str to int
        Columns of the layout that are asked for.

    Returns
    -------
    Search
        Rows [row] and counts [question, reason].

    Notes
    -----
    Of layouts that differ in recomputation alone, the one that recomputes
    least and still fits is priced: more recomputation is never faster. Ties in
    tokens a second go to the smaller peak memory [byte], then to the earlier
    row of the enumeration.

    References
    ----------
    .. [1] M. Isaev et al., "Calculon: a methodology and tool for high-level
       co-design of systems and large language models," SC 2023.
    """
    count = len(questions.model)
    parts, kept = [], []
    counts = np.zeros((count, len(REASONS)), dtype=np.int64)
    overfull = np.zeros((count, len(OVERFULL)), dtype=np.int64)
    for start in range(0, count, _QUESTIONS):
        asked = take(questions, slice(start, start + _QUESTIONS))
        rows, question, reason = layouts(
            models, devices, stacks, asked, what_if_training=what_if_training, fixed=fixed
        )
        standing, early = np.flatnonzero(reason == FITS), np.flatnonzero(reason == EXCEEDS_MEMORY)
        heavy = memory(models, devices, stacks, take(rows, early))
        rows, held = take(rows, standing), question[standing]
        sizes = memory(models, devices, stacks, rows)
        over = ~sizes.fits
        block = slice(start, start + len(asked.model))
        reason[standing[over]] = EXCEEDS_MEMORY
        counts[block] = _count(question, reason, len(asked.model), len(REASONS))
        named = np.concatenate([sizes.first_overfull[over], heavy.first_overfull])
        whose = np.concatenate([held[over], question[early]])
        overfull[block] = _count(whose, named, len(asked.model), len(OVERFULL))
        chosen = np.flatnonzero(
            sizes.fits if pareto else _least_recompute(sizes.fits, 1 if "recompute" in fixed else 3)
        )
        rows, held, sizes = take(rows, chosen), held[chosen], take(sizes, chosen)
        times = step(models, devices, stacks, families, rows)
        best = _best(held, times.tokens_per_s, sizes.peak_bytes, keep=keep, pareto=pareto)
        parts.append((take(rows, best), take(times, best), take(sizes, best)))
        kept.append(held[best] + start)
    reasons = np.where(counts[:, FITS] > 0, FITS, np.argmax(counts[:, 1:], axis=1) + 1)
    reasons = np.where(counts.sum(axis=1) == 0, TOO_FEW_DEVICES, reasons)
    strategies, steps, memories = (joined([part[at] for part in parts]) for at in range(3))
    return Search(
        question=np.concatenate(kept),
        strategies=strategies,
        steps=steps,
        memories=memories,
        reason=reasons,
        counts=counts,
        overfull=overfull,
    )


def _count(question: Ints, code: Ints, questions: int, codes: int) -> Ints:
    """Rows by question and code."""
    flat = np.bincount(question * codes + code, minlength=questions * codes)
    return flat.reshape(questions, codes).astype(np.int64)


def _least_recompute(fits: Bools, each: int) -> Bools:
    """Of rows that differ in recomputation alone, in rising order, the first that fits."""
    groups = fits.reshape(-1, each)
    first = np.cumsum(groups, axis=1) == 1
    result: Bools = (first & groups).reshape(-1)
    return result


def _best(
    question: Ints, tokens_per_s: Floats, peak_bytes: Floats, *, keep: int, pareto: bool
) -> Ints:
    """Rows to keep, by question and from the fastest down."""
    if not len(question):
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((peak_bytes, -tokens_per_s, question))
    group = question[order]
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    if not pareto:
        fastest: Ints = order[rank < keep]
        return fastest
    # Shift each group below the one before it, so that one running minimum serves all groups.
    span = float(peak_bytes.max()) + 1.0
    shifted = peak_bytes[order] / span - group
    before = np.r_[np.inf, np.minimum.accumulate(shifted)[:-1]]
    frontier: Ints = order[shifted < before]
    return frontier
