"""Solvers asked in turn: the next one when one breaks or lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.solver.guard import checked, engines_of, guarded
from planner.allocation.solver.task import Answer, Engine, Task

__all__ = ["in_turn"]

PATIENCE = 2  # failures after which a solver is not asked again


def in_turn(
    solver: str | Engine | None, notes: list[str], *, memory_limit_bytes: int = 0
) -> tuple[Engine, Callable[[], tuple[str, str]]]:
    """
    An engine that asks one solver after the other until one answers well.

    Parameters
    ----------
    solver : str or Engine, optional
        The first one; the first one found when left out. The others found follow.
    notes : list of str
        Each failure is told here, in a sentence.
    memory_limit_bytes : int
        For a solver in a process of its own. [byte]

    Returns
    -------
    (Engine, callable)
        The engine, and a function that gives the name and version of who answered last.
        The engine raises `SolverFailure` when nobody answers, unless a point was told
        before; that is its answer then, without a bound.

    Raises
    ------
    SolverFailure
        No solver is installed.
    """
    line = engines_of(solver)
    failed = dict.fromkeys(range(len(line)), 0)
    order = list(failed)
    last = [0]

    def ask(task: Task) -> Answer:
        task = replace(task, memory_limit_bytes=memory_limit_bytes)
        faults: list[Diagnostic] = []
        kept: Floats | None = None
        for at in tuple(order):
            mine, point = _heard(line[at][0], task)
            if isinstance(mine, Answer):
                last[0] = at
                return mine
            faults += mine
            notes.append(f"{line[at][1]} failed: {mine[0].message}")
            if point is not None and (
                kept is None or float(task.minimise @ point) < float(task.minimise @ kept)
            ):
                kept, last[0] = point, at
            failed[at] += 1
            order.remove(at)
            if failed[at] < PATIENCE:
                order.append(at)
        if kept is not None:
            return Answer(kept, None)
        what = Diagnostic("solver-failure", "no solver is left that has not failed")
        raise SolverFailure(faults or (what,))

    return ask, lambda: line[last[0]][1:]


def _heard(ask: Engine, task: Task) -> tuple[Answer | tuple[Diagnostic, ...], Floats | None]:
    """A good answer, or why there is none and the point that was told nevertheless."""
    try:
        answer = checked(task, guarded(ask, task))
    except SolverFailure as failure:
        return failure.diagnostics, None
    if answer.failure is not None:
        return (answer.failure,), answer.point
    return answer, None
