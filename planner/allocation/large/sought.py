"""A plan by insertion, whatever its rules: blocks of a fabric, and levels of equal support."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.large.aim import SearchAim
from planner.allocation.large.band import Bands
from planner.allocation.large.insertion import Insertion, improve
from planner.allocation.large.pack import Parts, block_amounts, packs_of
from planner.allocation.offer.option import Options
from planner.allocation.program.register import Register

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["point_of", "sought"]

LEVEL_RATIO, LEVELS_TRIED = 0.85, 12
TRIAL_PART = 0.04  # of rounds and time for each level; the rest for the best of them


def sought(
    case: Case,
    options: Options,
    bands: Bands,
    prices: Floats,
    columns: Ints,
    *,
    rounds: int,
    time_limit_s: float,
    seed: int = 0,
    goal: float = np.inf,
    on_better: Callable[[float], None] | None = None,
    aim: Callable[[Ints], SearchAim] | None = None,
    profit: Floats | None = None,
    start: Ints | None = None,
) -> Insertion | None:
    """
    A plan by insertion over some columns.

    Parameters
    ----------
    case, options : Case, Options
        What there is, all of it.
    bands : Bands
        Of all runs, and levels.
    prices : ndarray [row]
        Scaled prices.
    columns : ndarray of int
        Columns to choose from, ascending, all levels among them.
    rounds, time_limit_s, seed, goal, on_better, profit
        As `insertion.improve` takes them; `profit` is over all columns. [s]
    start : ndarray of int, optional
        Some of `columns` to put in first, as `insertion.improve` does.
    aim : callable, optional
        From the columns that are searched, in their order, to what is to be made large.

    Returns
    -------
    Insertion or None
        With columns of `bands`; None when none was found that keeps every row.

    Notes
    -----
    Where support must be equal, the level is held at one amount after another, from the most
    it can be downwards, for a few rounds each; the best one is searched for the rest. What is
    returned is good for its level alone, and no bound follows from it.
    """
    part = bands.part(columns)
    runs = columns[: part.columns - part.levels]
    packs = packs_of(case, options, runs)
    mine = None if profit is None else profit[runs]
    first = None if start is None else np.searchsorted(runs, start)

    def one(
        level: float, part_of: float, on_each: Callable[[float], None] | None
    ) -> Insertion | None:
        held = part.at_levels(np.full(part.levels, level)) if part.levels else part
        if packs is not None:
            packs.clear()
        found = improve(held, prices, rounds=int(rounds * part_of), seed=seed, goal=goal,
                        time_limit_s=time_limit_s * part_of, on_better=on_each, packs=packs,
                        aim=None if aim is None else aim(runs), profit=mine,
                        start=first)  # fmt: skip
        return None if found is None else replace(found, chosen=runs[found.chosen])

    if part.levels == 0:
        return one(1.0, 1.0, on_better)
    return _best_level(one, on_better)


def _best_level(
    one: Callable[[float, float, Callable[[float], None] | None], Insertion | None],
    on_better: Callable[[float], None] | None,
) -> Insertion | None:
    """The plan at the best level of those tried, improved for the rest of the time."""
    best: tuple[float, Insertion] | None = None
    began = time.monotonic()
    for step in range(LEVELS_TRIED):
        level = LEVEL_RATIO**step
        found = one(level, TRIAL_PART, None)
        if found is None:
            continue
        if found.was_interrupted:
            return found if best is None or found.value > best[1].value else best[1]
        if best is not None and found.value < 0.9 * best[1].value:
            break
        if best is None or found.value > best[1].value:
            best = (level, found)
    if best is None:
        return one(LEVEL_RATIO**LEVELS_TRIED, 1 - TRIAL_PART * LEVELS_TRIED, on_better)
    last = one(best[0], 1 - TRIAL_PART * LEVELS_TRIED, on_better)
    if last is None or last.value < best[1].value:
        last = best[1] if last is None else replace(best[1], was_interrupted=last.was_interrupted)
    return replace(last, seconds=time.monotonic() - began)


def point_of(register: Register, chosen: Ints, parts: tuple[Parts, ...]) -> Floats:
    """
    A point of a program with ones at the chosen runs, and the blocks that they lie on.

    Parameters
    ----------
    register : Register
        Of the program.
    chosen : ndarray of int
        Runs of the register's options.
    parts : tuple of Parts
        As an `Insertion` has them.

    Returns
    -------
    ndarray [column]
    """
    point = np.zeros(register.offsets["end"])
    point[chosen] = 1.0
    if len(register.classes.pool):
        point[register.offsets["block"] :] = block_amounts(register, chosen, list(parts))
    return point
