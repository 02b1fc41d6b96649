"""HiGHS through PuLP's class of it, fed with arrays; with our start, progress and interrupt."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pulp

from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.program.matrix import Matrix, matrix_of, scale_of
from planner.allocation.program.settle import broken_rows, is_feasible
from planner.allocation.solver.task import Answer, Progress, Task

__all__ = ["highs", "interruptible", "loaded"]

# With a good plan in hand the time goes to the proof. Measured on ten cases of 25 jobs in 8
# pools: from 3.3 s a case to 1.3 s together with the cut-off below it. Presolving at the root
# alone and shorter lives of cuts: 14 % less of the solver's time over 21 other cases, in one run.
PROOF: dict[str, Any] = {
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_detect_symmetry": False,
    "mip_allow_restart": False,
    "mip_root_presolve_only": True,
    "mip_pool_age_limit": 10,
    "mip_lp_age_limit": 5,
}
BY_ROWS, MINIMISE = 2, 1  # codes of HiGHS


def highs(task: Task) -> Answer:
    """
    HiGHS through PuLP; once more without presolve when it gives up on itself.

    Notes
    -----
    A good start is no start for HiGHS 1.16, whose presolve drops columns that others are as
    good as, those of the start among them. It is a cut-off: points that are not better by
    the gap asked are not looked for, and where there is none the start is the answer.
    """
    began = time.monotonic()
    matrix, worst = matrix_of(task.program, task.minimise, extra=task.extra), _cut_off(task)
    for presolve in dict.fromkeys((task.presolve, "off")):
        left = task.time_limit_s - (time.monotonic() - began)
        with _descriptor_1_to(2):
            model = loaded(task, matrix, time_limit_s=left, presolve=presolve, worst=worst)
            with interruptible() as is_asked:
                was_interrupted = _watch(model, task, worst, is_asked)
                model.run()
        seconds = time.monotonic() - began
        answer = _answer(model, task, seconds=seconds, was_interrupted=was_interrupted.is_set())
        # HiGHS 1.16 ends with "Solve error" on some programs that its presolve finds hopeless.
        if not _gave_up(model, answer):
            return answer if worst is None else _with_start(task, answer, worst)
    raise SolverFailure(
        Diagnostic("solver-failure", "the solver gave up", found=" ".join(answer.log))
    )


def loaded(
    task: Task,
    matrix: Matrix,
    *,
    time_limit_s: float = 60.0,
    presolve: str = "choose",
    worst: float | None = None,
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
    worst : float, optional
        Objective from which on points are of no use, in place of the start.

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
        **({} if worst is None else {**PROOF, "objective_bound": worst * scale_of(task.minimise)}),
    )
    solver.matrix = matrix
    problem = pulp.LpProblem("plan", pulp.LpMinimize)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    if worst is None:
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
    if task.start is None or task.is_relaxed:
        return
    columns = task.program.columns
    values = np.clip(task.start, 0.0, columns.upper)
    values[columns.is_integer] = np.round(values[columns.is_integer])
    model.setSolution(len(values), np.arange(len(values), dtype=np.int32), values)


def _cut_off(task: Task) -> float | None:
    """The objective from which on points are of no use beside a good start, if there is one."""
    if task.start is None or task.is_relaxed or not task.is_start_good:
        return None
    if not is_feasible(task.program, task.start) or broken_rows(task.extra, task.start):
        return None
    worth = float(task.minimise @ task.start)
    # A little less than the gap, and never the start itself, so that rounding does no harm.
    return worth + (1e-9 - 0.999 * max(task.gap_frac, 0.0)) * abs(worth)


def _with_start(task: Task, answer: Answer, worst: float) -> Answer:
    """The answer to a question with a cut-off, as one to the question without."""
    bound = worst if answer.says_infeasible else answer.bound
    bound = None if bound is None else min(bound, worst)
    if task.start is None:
        return replace(answer, bound=bound)
    worth = float(task.minimise @ task.start)
    # A point beyond the cut-off, which HiGHS may come upon, is worse than the start.
    if answer.point is not None and float(task.minimise @ answer.point) <= worth:
        return replace(answer, bound=bound)
    return replace(answer, point=task.start, bound=bound, claimed=worth, says_infeasible=False)


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


def _watch(
    model: Any, task: Task, worst: float | None, is_asked: Callable[[], bool]
) -> threading.Event:
    """Let HiGHS report its progress and each better point, and stop when asked to."""
    import highspy

    factor = scale_of(task.minimise)
    worth = 0.0 if task.start is None else float(task.minimise @ task.start)
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
            found, bound = number(out.mip_primal_bound), number(out.mip_dual_bound)
            if worst is not None:
                found = worth if found is None else min(found, worth)
                bound = None if bound is None else min(bound, worst)
            task.on_progress(Progress(out.running_time, found, bound))
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
