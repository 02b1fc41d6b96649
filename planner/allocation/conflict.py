"""Why there is no plan: the smallest conflict of named promises, and the cheapest repair."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from hardware.errors import SolverFailure
from planner.allocation.engine import Engine, Task
from planner.allocation.row import AT_LEAST, AT_MOST, ColumnTable, Program, Row
from planner.allocation.settle import broken_rows

__all__ = ["Conflict", "conflict"]


@dataclass(frozen=True)
class Conflict:
    """Promises that cannot all be kept, and the least change that would allow a plan."""

    groups: tuple[str, ...]
    is_smallest: bool
    repair: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The conflict and its repair in words."""
        if not self.groups:
            return ("no conflict was isolated in time",)
        *most, last = self.groups
        first = (
            f"cannot all be kept: {', '.join(most)} and {last}"
            if most
            else f"cannot be kept with any choice of the work that is asked: {last}"
        )
        if not self.is_smallest:
            first += " (a smaller conflict may exist: time ran out)"
        fix = f"the least change that allows a plan: {'; '.join(self.repair)}"
        return (first, fix) if self.repair else (first,)


def conflict(program: Program, ask: Engine, *, time_limit_s: float = 20.0) -> Conflict:
    """
    The promises that an infeasible program cannot keep together.

    Parameters
    ----------
    program : Program
        A program proved infeasible.
    ask : Engine
        The solver.
    time_limit_s : float
        For the whole search. [s]

    Returns
    -------
    Conflict
        Groups of rows (a floor, a budget, the nodes of a pool, the work asked for) none of
        which can be left out without the rest becoming possible: a deletion filter, one
        whole-number solve a group. The repair is the least sum of relative changes.
    """
    ends = time.monotonic() + time_limit_s
    groups = list(dict.fromkeys(row.group for row in program.rows))
    kept, proved = list(groups), True
    for group in groups:
        rest = [other for other in kept if other != group]
        left = (ends - time.monotonic()) * 0.6
        if left <= 0:
            proved = False
            break
        state = _is_possible(_with_groups(program, rest), ask, left)
        if state is False:
            kept = rest
        elif state is None:
            proved = False
    return Conflict(tuple(kept), proved, _repair(program, ask, max(ends - time.monotonic(), 1.0)))


def _with_groups(program: Program, groups: list[str]) -> Program:
    """The program with the rows of some groups alone."""
    wanted = set(groups)
    return Program(program.columns, tuple(row for row in program.rows if row.group in wanted))


def _is_possible(program: Program, ask: Engine, time_limit_s: float) -> bool | None:
    """Whether any point keeps all rows; None when not decided in time."""
    zero = np.zeros(len(program.columns.names))
    if not broken_rows(program.rows, zero):
        return True
    if any(len(row.columns) == 0 and broken_rows((row,), zero) for row in program.rows):
        return False
    try:
        answer = ask(Task(program, zero, time_limit_s=time_limit_s))
    except (SolverFailure, RuntimeError):
        return None
    if answer.says_infeasible:
        return False
    return None if answer.point is None else True


def _repair(program: Program, ask: Engine, time_limit_s: float) -> tuple[str, ...]:
    """The cheapest change of what a planner can give: nodes, money, floors, caps, shares."""
    gifts = list(dict.fromkeys(row.repair for row in program.rows if row.repair))
    if not gifts:
        return ()
    first = len(program.columns.names)
    size = {gift: 0.0 for gift in gifts}
    for row in program.rows:
        if row.repair:
            largest = float(np.abs(row.coefficients).max(initial=0.0))
            size[row.repair] = max(size[row.repair], abs(row.bound), largest, 1e-9)
    place = {gift: first + at for at, gift in enumerate(gifts)}
    rows = tuple(_elastic(row, place, size) for row in program.rows)
    columns = program.columns
    more = len(gifts)
    wider = ColumnTable(
        names=(*columns.names, *(f"gift{at:06d}" for at in range(more))),
        upper=np.concatenate([columns.upper, np.full(more, 1e4)]),
        is_integer=np.concatenate([columns.is_integer, np.zeros(more, dtype=np.bool_)]),
        value=np.concatenate([columns.value, np.zeros(more)]),
        cost=np.concatenate([columns.cost, np.zeros(more)]),
    )
    minimise = np.concatenate([np.zeros(first), np.ones(more)])
    if any(len(row.columns) == 0 and broken_rows((row,), np.zeros(0)) for row in rows):
        return ()
    try:
        answer = ask(Task(Program(wider, rows), minimise, time_limit_s=time_limit_s))
    except (SolverFailure, RuntimeError):
        return ()
    if answer.point is None or answer.says_infeasible:
        return ()
    units = {row.repair: row.unit for row in program.rows if row.repair}
    amounts = {gift: float(answer.point[place[gift]]) * size[gift] for gift in gifts}
    return tuple(
        f"{_rounded(amounts[gift] * units[gift])} {gift}"
        for gift in gifts
        if amounts[gift] > 1e-7 * size[gift]
    )


def _elastic(row: Row, place: dict[str, int], size: dict[str, float]) -> Row:
    """A row with a column that relaxes it, in parts of its size."""
    if not row.repair or row.sense not in (AT_MOST, AT_LEAST):
        return row
    sign = -1.0 if row.sense == AT_MOST else 1.0
    return replace(
        row,
        columns=np.append(row.columns, place[row.repair]),
        coefficients=np.append(row.coefficients, sign * size[row.repair]),
    )


def _rounded(amount: float) -> str:
    """An amount to four digits, rounded up, so that it is enough."""
    if amount <= 0:
        return "0"
    step = 10.0 ** (np.floor(np.log10(amount)) - 3)
    return f"{float(np.ceil(amount / step - 1e-6)) * step:.6g}"
