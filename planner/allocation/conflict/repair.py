"""The cheapest change that allows a plan, in nodes, money, floors, caps and shares."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from hardware.errors import SolverFailure
from planner.allocation.conflict.elastic import elastic, row_size, within_support
from planner.allocation.program.row import AT_LEAST, Program, Row, violation
from planner.allocation.program.settle import settle
from planner.allocation.solver.task import Answer, Engine, Task

__all__ = ["Repair", "cheapest_repair"]

NEAR = 5e-3  # part of the sum of changes by which a smaller one is not looked for

STEPS = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"))  # words of large amounts


@dataclass(frozen=True)
class Repair:
    """What to give so that a plan exists; the point is one of the program as it then is."""

    amounts: tuple[tuple[str, float], ...]  # (what is given, how much of it)
    over_frac: float  # by how much of the sum of changes the least may be smaller
    point: Floats | None  # [column]

    @property
    def words(self) -> tuple[str, ...]:
        """Each amount with what it is of, rounded up so that it is enough."""
        return tuple(f"{_rounded(amount)} {gift}" for gift, amount in self.amounts)


NONE = Repair((), 0.0, None)


def cheapest_repair(program: Program, ask: Engine, *, time_limit_s: float) -> Repair:
    """
    The smallest sum of relative changes of what a planner can give that allows a plan.

    Parameters
    ----------
    program : Program
        A program without a point; rows with a `repair` may be relaxed.
    ask : Engine
        The solver.
    time_limit_s : float
        For it. [s]

    Returns
    -------
    Repair
        Each change counts as a part of the size of its row: a pool's nodes, a budget, a
        floor. Found at the latest by giving up what asks for something, which always can be
        done; nothing where rows that nobody can relax stand in the way.

    Notes
    -----
    The amounts are those that the plan behind them needs, counted from its rows.
    """
    gifts = list(dict.fromkeys(row.repair for row in program.rows if row.repair))
    nothing = np.zeros(len(program.columns.names))
    start = _with_bends(program, gifts, nothing)
    return _asked(program, gifts, ask, start, time_limit_s) if gifts else NONE


def _asked(
    program: Program,
    gifts: list[str],
    ask: Engine,
    start: Floats | None,
    time_limit_s: float,
) -> Repair:
    """What the solver finds, or the start."""
    ends = time.monotonic() + time_limit_s
    wider, minimise = elastic(program, gifts, lambda row: row.repair, ())
    first = len(program.columns.names)
    point = None if start is None else start[:first]
    bounds: list[float] = []
    relaxed = _said(ask, Task(wider, minimise, is_relaxed=True, time_limit_s=time_limit_s))
    tries = [wider]
    if relaxed is not None and relaxed.point is not None:
        bounds.append(float(minimise @ relaxed.point))
        tries.insert(0, within_support(wider, relaxed.point))
    for each in tries:
        left = max((ends - time.monotonic()) / (2 if each is not wider else 1), 0.05)
        answer = _said(ask, Task(each, minimise, time_limit_s=left, gap_frac=NEAR, start=start))
        if answer is None or answer.point is None or answer.says_infeasible:
            continue
        if each is wider and answer.bound is not None:
            bounds.append(answer.bound)
        better = settle(program, np.asarray(answer.point[:first], dtype=np.float64))
        if better is not None and (point is None or _sum(program, better) < _sum(program, point)):
            point = better
            start = _with_bends(program, gifts, better)
        if point is not None and _over_frac(program, point, bounds) <= 2 * NEAR:
            break
    if point is None or any(violation(row, point) > 1e-6 * row_size(row) for row in _firm(program)):
        return NONE
    amounts: dict[str, float] = {}
    for row in program.rows:
        short = violation(row, point)
        if row.repair and short > 1e-7 * row_size(row):
            amounts[row.repair] = max(amounts.get(row.repair, 0.0), short * row.unit)
    return Repair(tuple(amounts.items()), _over_frac(program, point, bounds), point)


def _said(ask: Engine, task: Task) -> Answer | None:
    """The solver's answer; None when it broke."""
    try:
        return ask(task)
    except (SolverFailure, RuntimeError):
        return None


def _over_frac(program: Program, point: Floats, bounds: list[float]) -> float:
    """By how much a point may need more than the least there is, by the bounds known."""
    amount, least = _sum(program, point), max(bounds, default=0.0)
    return max(amount - least, 0.0) / amount if amount > 0 else 0.0


def _firm(program: Program) -> list[Row]:
    """Rows that nobody can relax."""
    return [row for row in program.rows if not row.repair]


def _sum(program: Program, point: Floats) -> float:
    """Sum of the relative changes that a point needs."""
    parts: dict[tuple[str, int], float] = {}
    for row in program.rows:
        if row.repair:
            key = (row.repair, row.sense)
            parts[key] = max(parts.get(key, 0.0), violation(row, point) / row_size(row))
    return sum(parts.values())


def _with_bends(program: Program, gifts: list[str], point: Floats) -> Floats | None:
    """A point of the wider program: the point with bends as large as it needs."""
    if any(violation(row, point) > 0 for row in _firm(program)):
        return None
    place = {gift: 2 * at for at, gift in enumerate(gifts)}
    bends = np.zeros(2 * len(gifts))
    for row in program.rows:
        if row.repair:
            at = place[row.repair] + (row.sense == AT_LEAST)
            bends[at] = max(bends[at], violation(row, point) / row_size(row))
    return np.concatenate([point, bends])


def _rounded(amount: float) -> str:
    """An amount to four digits, rounded up, so that it is enough."""
    if amount <= 0:
        return "0"
    step = 10.0 ** (np.floor(np.log10(amount)) - 3)
    enough = float(np.ceil(amount / step - 1e-6)) * step
    for size, word in STEPS:
        if enough >= size:
            return f"{enough / size:.6g} {word}"
    return f"{enough:.6g}"
