"""Solvers behind PuLP, asked and read alike: HiGHS on both majors of PuLP, CBC where found."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pulp

from hardware.column import Floats, Ints
from hardware.errors import Diagnostic, SolverFailure, UnknownName, near_match
from planner.allocation.apart import apart
from planner.allocation.problem import scale_of, to_pulp
from planner.allocation.task import Answer, Engine, Progress, Task

__all__ = ["ENGINES", "Answer", "Engine", "Progress", "Task", "cbc_path", "engine", "engines_found"]


def _highs(task: Task) -> Answer:
    """HiGHS through PuLP; once more without presolve when it gives up on itself."""
    began = time.monotonic()
    problem, variables = to_pulp(task.program, task.minimise, extra=task.extra)
    guided: dict[str, Any] = {}
    if task.is_start_good and task.start is not None:
        # Measured a quarter less time to a proof on 25 jobs in 8 pools.
        guided = {"mip_heuristic_effort": 0.0, "mip_allow_restart": False}
    for presolve in ("choose", "off"):
        # One thread unless asked for more: the plan must not depend on the machine's cores.
        solver = _highs_class()(
            mip=not task.is_relaxed,
            msg=False,
            timeLimit=max(task.time_limit_s - (time.monotonic() - began), 0.01),
            gapRel=max(task.gap_frac, 0.0),
            gapAbs=0.0,
            random_seed=task.seed,
            threads=max(task.threads, 1),
            presolve=presolve,
            **guided,
        )
        solver.task, solver.was_interrupted = task, False
        with _descriptor_1_to(2):
            problem.solve(solver)
        seconds = time.monotonic() - began
        answer = _highs_answer(task, problem, variables, solver, seconds)
        # HiGHS 1.16 ends with "Solve error" on some programs that its presolve finds hopeless.
        if not _gave_up(problem.solverModel, answer):
            return answer
    raise SolverFailure(
        Diagnostic("solver-failure", "the solver gave up", found=" ".join(answer.log))
    )


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


def _highs_answer(
    task: Task, problem: Any, variables: list[Any], solver: Any, seconds: float
) -> Answer:
    """What a HiGHS object holds after a run."""
    import highspy

    model = problem.solverModel
    info, status = model.getInfo(), model.getModelStatus()
    factor = scale_of(task.minimise)
    point = None
    has_point = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if has_point:
        point = _values(variables)
    bound = info.mip_dual_bound if not task.is_relaxed else None
    if bound is not None and not np.isfinite(bound):
        bound = None
    prices = None
    if task.is_relaxed and has_point:
        prices = np.array(model.getSolution().row_dual, dtype=np.float64) / factor
    return Answer(
        point=point,
        bound=None if bound is None else bound / factor,
        claimed=info.objective_function_value / factor if has_point else None,
        says_infeasible=status
        in (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        ),
        was_interrupted=solver.was_interrupted,
        seconds=seconds,
        prices=prices,
        log=(f"HiGHS ended with {model.modelStatusToString(status)}",),
    )


def _highs_class() -> Any:
    """PuLP's HiGHS with our start, progress and interrupt; made late, since HiGHS may be absent."""
    import highspy

    class Highs(pulp.HiGHS):  # type: ignore[misc]
        task: Task
        was_interrupted: bool

        def createAndConfigureSolver(self, lp: Any) -> None:
            with _descriptor_1_to(os.devnull):  # the banner
                # Threads that differ from an earlier solve's are refused without a word.
                highspy.Highs.resetGlobalScheduler(True)
                super().createAndConfigureSolver(lp)
            # Without output HiGHS makes no progress calls either.
            lp.solverModel.setOptionValue("log_to_console", False)
            lp.solverModel.setOptionValue("output_flag", True)

        def callSolver(self, lp: Any) -> None:
            model, task = lp.solverModel, self.task
            names = _solver_order(lp)
            if task.start is not None and not task.is_relaxed:
                _set_start(model, names, task)
            with _interruptible() as is_asked:
                _watch(self, model, task, names, is_asked)
                model.run()

    return Highs


def _solver_order(problem: Any) -> list[str]:
    """Names of the variables in the order of the solver's columns."""
    exported = getattr(problem, "exported_variables", problem.variables)
    return [variable.name for variable in exported()]


def _set_start(model: Any, names: list[str], task: Task) -> None:
    """Hand HiGHS a starting point, whole values rounded, since -1e-13 is refused."""
    if task.start is None:
        return
    columns = task.program.columns
    values = np.clip(task.start, 0.0, columns.upper)
    values[columns.is_integer] = np.round(values[columns.is_integer])
    there, here = _places(names, task)
    model.setSolution(len(there), there.astype(np.int32), values[here])


def _places(names: list[str], task: Task) -> tuple[Ints, Ints]:
    """The solver's columns that the program has, and which of the program's each of them is."""
    row = {name: at for at, name in enumerate(task.program.columns.names)}
    known = [(at, row[name]) for at, name in enumerate(names) if name in row]
    there, here = np.array(known, dtype=np.int64).reshape(-1, 2).T
    return there, here


def _watch(
    solver: Any, model: Any, task: Task, names: list[str], is_asked: Callable[[], bool]
) -> None:
    """Let HiGHS report its progress and each better point, and stop when asked to."""
    import highspy

    factor = scale_of(task.minimise)
    there, here = _places(names, task)

    def number(amount: float) -> float | None:
        return amount / factor if np.isfinite(amount) else None

    def called(kind: Any, _message: str, out: Any, answer: Any, _data: Any) -> None:
        if is_asked():
            solver.was_interrupted = True
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
            point = np.zeros(len(task.program.columns.names))
            point[here] = np.array(out.mip_solution, dtype=np.float64)[there]
            task.on_progress(Progress(out.running_time, better, None, point))

    model.setCallback(called, None)
    if not task.is_relaxed:
        model.startCallback(highspy.cb.HighsCallbackType.kCallbackMipInterrupt)
        model.startCallback(highspy.cb.HighsCallbackType.kCallbackMipLogging)
        model.startCallback(highspy.cb.HighsCallbackType.kCallbackMipImprovingSolution)
    model.startCallback(highspy.cb.HighsCallbackType.kCallbackSimplexInterrupt)


@contextlib.contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
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


def _cbc(task: Task) -> Answer:
    """CBC through PuLP. Its bound is not read: PuLP reports wrong ones."""
    began = time.monotonic()
    path = cbc_path()
    if path is None:
        raise SolverFailure(Diagnostic("no-solver", "CBC is not installed", found="no `cbc`"))
    problem, variables = to_pulp(task.program, task.minimise, extra=task.extra)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cbc.log"
        solver = pulp.COIN_CMD(
            path=path,
            mip=not task.is_relaxed,
            msg=False,
            timeLimit=max(round(task.time_limit_s), 1),
            gapRel=max(task.gap_frac, 0.0),
            gapAbs=1e-9,
            threads=task.threads or None,
            options=[f"randomSeed {task.seed + 1}", f"randomCbcSeed {task.seed + 1}"],
            logPath=str(log),
        )
        solver.tmpDir = folder
        interrupted, word = False, ""
        try:
            said = problem.solve(solver)
            word = str(getattr(said, "status_str", pulp.LpStatus.get(_status_code(said), "")))
        except KeyboardInterrupt:
            interrupted = True
        lines = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
    return Answer(
        point=None if interrupted else _values(variables),
        bound=None,
        says_infeasible="infeasible" in word.lower(),
        was_interrupted=interrupted,
        seconds=time.monotonic() - began,
        log=tuple(lines),
    )


def _status_code(said: Any) -> int:
    """Status code that PuLP 3 returns from a solve; 0 for the record that PuLP 4 returns."""
    return said if isinstance(said, int) else 0


def cbc_path() -> str | None:
    """Path of a CBC binary: on the search path, of cbcbox, or the one inside PuLP 3."""
    import shutil

    found = shutil.which("cbc")
    if found:
        return found
    bundled = getattr(pulp, "PULP_CBC_CMD", None)
    candidates = [getattr(bundled, "pulp_cbc_path", "")]
    with contextlib.suppress(ImportError, AttributeError):
        import cbcbox  # type: ignore[import-not-found]

        candidates.insert(0, str(cbcbox.cbc_bin_path()))
    return next((path for path in candidates if path and os.access(path, os.X_OK)), None)


def _values(variables: list[Any]) -> Floats:
    """Values of the variables; one that no row and no objective has is at its lower bound."""
    return np.array(
        [0.0 if (value := variable.varValue) is None else value for variable in variables],
        dtype=np.float64,
    )


ENGINES: dict[str, Engine] = {"highs": _highs, "cbc": _cbc}


def engines_found() -> tuple[str, ...]:
    """Names of the solvers that can be used here, the default first."""
    found = []
    with contextlib.suppress(ImportError):
        import highspy  # noqa: F401

        found.append("highs")
    if cbc_path() is not None:
        found.append("cbc")
    return tuple(found)


def engine(name: str) -> tuple[Engine, str, str]:
    """
    A solver by its name, in a process of its own, with the name and version to print.

    Raises
    ------
    UnknownName
        No solver has the name, or it is not installed; the found ones are told.
    """
    found = engines_found()
    if name.lower() not in found:
        raise UnknownName(
            Diagnostic(
                "unknown-solver",
                f"no solver `{name}` can be used",
                found=name,
                expected=", ".join(f"`{known}`" for known in found) or "a solver installed",
                hint=near_match(name, found),
            )
        )
    if name.lower() == "cbc":
        return apart(_cbc), "CBC", f"PuLP {metadata.version('pulp')}"
    return apart(_highs), "HiGHS", metadata.version("highspy")
