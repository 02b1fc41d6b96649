"""What breaks in a solver, or is no answer, told as a failure; which solvers may be asked."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.program.settle import broken_rows
from planner.allocation.solver.engine import engine, engines_found
from planner.allocation.solver.task import Answer, Engine, Task

__all__ = ["NOBODY", "Broken", "Named", "candidates_of", "checked", "engines_of", "guarded", "lie"]

Named = tuple[Engine, str, str]  # a solver with its name and version

WHOLE = 1e-4  # farther from whole than this is a lie


class Broken(SolverFailure):
    """A solver that broke after it had told a point, which is whole and keeps every row."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic], point: Floats) -> None:
        super().__init__(diagnostics)
        self.point = point


def engines_of(solver: str | Engine | None) -> list[Named]:
    """
    The solver asked for, then the others found, in case it breaks.

    Raises
    ------
    SolverFailure
        No solver is installed.
    UnknownName
        The one asked for is not.
    """
    if callable(solver):
        return [(solver, getattr(solver, "__name__", type(solver).__name__), "")]
    found = engines_found()
    if not found and solver is None:
        raise SolverFailure(
            Diagnostic("no-solver", "no solver is installed", hint="pip install highspy")
        )
    wanted = solver if solver is not None else found[0]
    first = engine(wanted)
    return [first, *(engine(name) for name in found if name != wanted.lower())]


def candidates_of(
    solver: str | Engine | None, start: Floats | None, notes: list[str]
) -> list[Named]:
    """The solvers to ask, as `engines_of`; none, which is noted, when there is but a start."""
    try:
        return engines_of(solver)
    except SolverFailure as failure:
        if start is None:
            raise
        notes.append(failure.diagnostics[0].message)
        return []


def _nobody(_: Task) -> Answer:
    """The engine where there is none."""
    raise SolverFailure(Diagnostic("no-solver", "no solver is installed"))


NOBODY: Named = (_nobody, "no solver", "")


def guarded(ask: Engine, task: Task) -> Answer:
    """
    Ask a solver; what it answers has the form of an answer, true or not.

    Raises
    ------
    SolverFailure
        Whatever broke in it, or an answer of no use: of another type, or with a point of
        another length or with values that are not finite.
    """
    try:
        answer = ask(task)
    except (SolverFailure, KeyboardInterrupt):
        raise
    except MemoryError as error:
        raise SolverFailure(
            Diagnostic("solver-out-of-memory", "the solver ran out of memory")
        ) from error
    except Exception as error:
        what = f"broke with {type(error).__name__}: {error}"
        raise SolverFailure(lie(what, "an answer")) from error
    if not isinstance(answer, Answer):
        raise SolverFailure(lie(f"returned a {type(answer).__name__}", "an Answer"))
    point = answer.point
    count = len(task.program.columns.names)
    if point is not None and not _is_row_of(point, count):
        raise SolverFailure(lie("returned a point of the wrong shape", f"{count} finite values"))
    return answer


def _is_row_of(values: object, count: int) -> bool:
    """Whether something is an array of so many finite numbers."""
    return (
        isinstance(values, np.ndarray)
        and values.shape == (count,)
        and values.dtype.kind in "fiub"
        and bool(np.isfinite(values).all())
    )


def checked(task: Task, answer: Answer) -> Answer:
    """
    The answer, when its point keeps every row within a solver's tolerance.

    Parameters
    ----------
    task : Task
        What was asked.
    answer : Answer
        In the form that `guarded` gives.

    Returns
    -------
    Answer
        Without the point where the solver was stopped before there was one: CBC leaves
        relaxed values then.

    Raises
    ------
    SolverFailure
        The point is fractional or breaks a row.
    """
    point, whole = answer.point, task.program.columns.is_integer
    if point is None or task.is_relaxed:
        return answer
    rounded = np.where(whole, np.round(point), point)
    is_whole = bool((np.abs(rounded - point) <= WHOLE * np.maximum(1.0, np.abs(point))).all())
    rows = (*task.program.rows, *task.extra)
    far = [row for row, is_far in broken_rows(rows, rounded) if is_far] if is_whole else []
    if is_whole and not far:
        return answer
    was_stopped = answer.was_interrupted or answer.seconds >= 0.9 * task.time_limit_s
    if answer.bound is None and was_stopped:
        return Answer(None, None, was_interrupted=answer.was_interrupted, seconds=answer.seconds,
                      log=answer.log, failure=answer.failure)  # fmt: skip
    if not is_whole:
        raise SolverFailure(lie("returned fractional values", "whole values", answer.log))
    what = f"returned a point that breaks a row: {far[0].sentence}"
    raise SolverFailure(lie(what, far[0].name, answer.log))


def lie(what: str, expected: str, log: tuple[str, ...] = ()) -> Diagnostic:
    """A diagnostic of a solver that broke or lied."""
    return Diagnostic(
        "solver-failure", f"the solver {what}", expected=expected, found=" | ".join(log[-3:])
    )
