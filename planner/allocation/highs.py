"""HiGHS through PuLP's class of it, fed with arrays; with our start, progress and interrupt."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pulp

from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.matrix import Matrix, matrix_of, scale_of
from planner.allocation.task import Answer, Progress, Task

__all__ = ["highs", "interruptible", "loaded"]

# With a good plan in hand the time goes to the proof. Measured on 25 jobs in 8 pools.
PROOF: dict[str, Any] = {"mip_heuristic_effort": 0.0, "mip_allow_restart": False}
BY_ROWS, MINIMISE = 2, 1  # codes of HiGHS


def highs(task: Task) -> Answer:
    """HiGHS through PuLP; once more without presolve when it gives up on itself."""
    began = time.monotonic()
    matrix = matrix_of(task.program, task.minimise, extra=task.extra)
    for presolve in ("choose", "off"):
        left = task.time_limit_s - (time.monotonic() - began)
        with _descriptor_1_to(2):
            model = loaded(task, matrix, time_limit_s=left, presolve=presolve)
            with interruptible() as is_asked:
                was_interrupted = _watch(model, task, is_asked)
                model.run()
        seconds = time.monotonic() - began
        answer = _answer(model, task, seconds=seconds, was_interrupted=was_interrupted.is_set())
        # HiGHS 1.16 ends with "Solve error" on some programs that its presolve finds hopeless.
        if not _gave_up(model, answer):
            return answer
    raise SolverFailure(
        Diagnostic("solver-failure", "the solver gave up", found=" ".join(answer.log))
    )


def loaded(
    task: Task, matrix: Matrix, *, time_limit_s: float = 60.0, presolve: str = "choose"
) -> Any:
    """
    HiGHS, ready to run on a program.

    Parameters
    ----------
    task : Task
        Gap, seed, threads and start.
    matrix : Matrix
        The program as arrays.
    time_limit_s : float
        After which HiGHS gives the best it has. [s]
    presolve : str
        ``choose`` or ``off``.

    Returns
    -------
    highspy.Highs
        Made and set by `pulp.HiGHS`; the program comes from arrays, since PuLP makes an
        object of every column and a pair of every term.

    Raises
    ------
    SolverFailure
        HiGHS refuses the program.
    """
    has_start = task.start is not None and not task.is_relaxed
    # One thread unless asked for more: the plan must not depend on the machine's cores.
    solver = _highs_class()(
        mip=not task.is_relaxed,
        msg=False,
        timeLimit=max(time_limit_s, 0.01),
        gapRel=max(task.gap_frac, 0.0),
        gapAbs=0.0,
        random_seed=task.seed,
        threads=max(task.threads, 1),
        presolve=presolve,
        **(PROOF if task.is_start_good and has_start else {}),
    )
    solver.matrix = matrix
    problem = pulp.LpProblem("plan", pulp.LpMinimize)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    if has_start:
        _set_start(problem.solverModel, task)
    return problem.solverModel


def _highs_class() -> Any:
    """PuLP's HiGHS, fed with arrays; made late, since HiGHS may be absent."""
    import highspy

    class Highs(pulp.HiGHS):  # type: ignore[misc]
        matrix: Matrix

        def createAndConfigureSolver(self, lp: Any) -> None:
            with _descriptor_1_to(os.devnull):  # the banner
                # Threads that differ from an earlier solve's are refused without a word.
                highspy.Highs.resetGlobalScheduler(True)
                super().createAndConfigureSolver(lp)
            # Without output HiGHS makes no progress calls either.
            lp.solverModel.setOptionValue("log_to_console", False)
            lp.solverModel.setOptionValue("output_flag", True)

        def buildSolverModel(self, lp: Any) -> None:
            m, none = self.matrix, np.zeros(len(self.matrix.cost))
            if len(none) == 0:  # nothing to pass, which HiGHS would take for an error
                return
            said = lp.solverModel.passModel(
                len(none), len(m.lower), len(m.amount), BY_ROWS, MINIMISE, 0.0,
                m.cost, none, m.most, m.lower, m.upper, m.first, m.column, m.amount,
                m.is_integer if self.mip else np.zeros_like(m.is_integer),
            )  # fmt: skip
            if said == highspy.HighsStatus.kError:
                raise SolverFailure(
                    Diagnostic("solver-failure", "the solver refuses the program",
                               found=f"{len(none)} columns, {len(m.lower)} rows")
                )  # fmt: skip

    return Highs


def _set_start(model: Any, task: Task) -> None:
    """Hand HiGHS a starting point, whole values rounded, since -1e-13 is refused."""
    if task.start is None:
        return
    columns = task.program.columns
    values = np.clip(task.start, 0.0, columns.upper)
    values[columns.is_integer] = np.round(values[columns.is_integer])
    model.setSolution(len(values), np.arange(len(values), dtype=np.int32), values)


def _gave_up(model: Any, answer: Answer) -> bool:
    """Whether HiGHS ended with an error of its own instead of an answer or a limit."""
    import highspy

    status = highspy.HighsModelStatus
    return answer.point is None and model.getModelStatus() in (
        status.kNotset,
        status.kLoadError,
        status.kModelError,
        status.kPresolveError,
        status.kSolveError,
        status.kPostsolveError,
        status.kUnknown,
    )


def _answer(model: Any, task: Task, *, seconds: float, was_interrupted: bool) -> Answer:
    """What a HiGHS object holds after a run."""
    import highspy

    info, status = model.getInfo(), model.getModelStatus()
    factor = scale_of(task.minimise)
    has_point = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    solution = model.getSolution() if has_point else None
    bound = info.mip_dual_bound if not task.is_relaxed else None
    if bound is not None and not np.isfinite(bound):
        bound = None
    prices = None
    if task.is_relaxed and solution is not None:
        prices = np.array(solution.row_dual, dtype=np.float64) / factor
    return Answer(
        point=None if solution is None else np.array(solution.col_value, dtype=np.float64),
        bound=None if bound is None else bound / factor,
        claimed=info.objective_function_value / factor if has_point else None,
        says_infeasible=status
        in (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        ),
        was_interrupted=was_interrupted,
        seconds=seconds,
        prices=prices,
        log=(f"HiGHS ended with {model.modelStatusToString(status)}",),
    )


def _watch(model: Any, task: Task, is_asked: Callable[[], bool]) -> threading.Event:
    """Let HiGHS report its progress and each better point, and stop when asked to."""
    import highspy

    factor = scale_of(task.minimise)
    was_interrupted = threading.Event()

    def number(amount: float) -> float | None:
        return amount / factor if np.isfinite(amount) else None

    def called(kind: Any, _message: str, out: Any, answer: Any, _data: Any) -> None:
        if is_asked():
            was_interrupted.set()
            if answer is not None:
                answer.user_interrupt = True
        if task.on_progress is None:
            return
        if kind == highspy.cb.HighsCallbackType.kCallbackMipLogging:
            task.on_progress(
                Progress(out.running_time, number(out.mip_primal_bound), number(out.mip_dual_bound))
            )
        elif kind == highspy.cb.HighsCallbackType.kCallbackMipImprovingSolution:
            better = number(out.objective_function_value)
            point = np.array(out.mip_solution, dtype=np.float64)
            task.on_progress(Progress(out.running_time, better, None, point))

    model.setCallback(called, None)
    if not task.is_relaxed:
        model.startCallback(highspy.cb.HighsCallbackType.kCallbackMipInterrupt)
        model.startCallback(highspy.cb.HighsCallbackType.kCallbackMipLogging)
        model.startCallback(highspy.cb.HighsCallbackType.kCallbackMipImprovingSolution)
    model.startCallback(highspy.cb.HighsCallbackType.kCallbackSimplexInterrupt)
    return was_interrupted


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C into a question that the solver's callback can ask."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _descriptor_1_to(target: int | str) -> Iterator[None]:
    """Point descriptor 1 elsewhere: HiGHS writes to it whatever its options say."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # no standard output to protect
        yield
        return
    try:
        with contextlib.suppress(OSError):
            if isinstance(target, int):
                os.dup2(target, 1)
            else:
                opened = os.open(target, os.O_WRONLY)
                os.dup2(opened, 1)
                os.close(opened)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
