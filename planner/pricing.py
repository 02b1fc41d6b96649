"""Time and memory of any number of layouts, a chunk at a time, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from hardware.column import take
from hardware.table import DeviceTable
from planner.architecture import ModelTable
from planner.layout import QuestionTable, layouts
from planner.memory import MemoryTable, memory
from planner.stack import FamilyTable, StackTable
from planner.step import StepTable, step
from planner.strategy import FITS, StrategyTable

__all__ = ["Priced", "layout_chunks", "priced"]

_QUESTIONS = 24
"""Questions laid out at once: some have 50,000 layouts."""


@dataclass(frozen=True)
class Priced:
    """A chunk of layouts with time and memory; the tables share the axis. [row]"""

    strategies: StrategyTable
    steps: StepTable
    memories: MemoryTable


def layout_chunks(
    models: ModelTable, devices: DeviceTable, stacks: StackTable, questions: QuestionTable
) -> Iterator[StrategyTable]:
    """
    The layouts of many questions that no rule of divisibility rejects, some questions at a time.

    Parameters
    ----------
    models, devices, stacks
        Tables whose row numbers stand in `questions`.
    questions : QuestionTable
        [question]

    Yields
    ------
    StrategyTable
        [row]

    Notes
    -----
    Rows that stand may still exceed memory [byte]; `priced` tells.

    References
    ----------
    .. [1] M. Isaev et al., "Calculon: a methodology and tool for high-level
       co-design of systems and large language models," SC 2023.
    """
    for start in range(0, len(questions.model), _QUESTIONS):
        asked = take(questions, slice(start, start + _QUESTIONS))
        rows, _, reason = layouts(models, devices, stacks, asked)
        yield take(rows, np.flatnonzero(reason == FITS))


def priced(
    models: ModelTable,
    devices: DeviceTable,
    stacks: StackTable,
    families: FamilyTable,
    chunks: Iterable[StrategyTable],
) -> Iterator[Priced]:
    """
    Step time and peak memory, each with its breakdown, of chunks of layouts.

    Parameters
    ----------
    models, devices, stacks, families
        Tables whose row numbers stand in the chunks.
    chunks : iterable of StrategyTable
        Any number of tables, of some ten thousand rows each for speed. [row]

    Yields
    ------
    Priced
        A chunk in the order given: times [s], memory [byte]. [row]

    Notes
    -----
    Lazy: a chunk is taken when its answer is asked for, and none is kept, so
    that ten million rows need no more memory than the largest chunk.

    References
    ----------
    .. [1] M. Isaev et al., "Calculon: a methodology and tool for high-level
       co-design of systems and large language models," SC 2023.
    """
    for rows in chunks:
        times = step(models, devices, stacks, families, rows)
        yield Priced(rows, times, memory(models, devices, stacks, rows))
