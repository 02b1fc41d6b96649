"""Solvers behind PuLP, asked and read alike: HiGHS on both majors of PuLP, CBC where found."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pulp

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure, UnknownName, near_match
from planner.allocation.program.problem import to_pulp
from planner.allocation.solver.apart import apart
from planner.allocation.solver.highs import highs, interruptible
from planner.allocation.solver.task import Answer, Engine, Progress, Task

__all__ = ["ENGINES", "Answer", "Engine", "Progress", "Task", "cbc_path", "engine", "engines_found"]


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
        was_interrupted, word = False, ""
        try:
            # Apart from us CBC gets the interrupt too, and writes the best that it has.
            with interruptible() if task.is_apart else _left_alone() as is_asked:
                said = problem.solve(solver)
                was_interrupted = is_asked()
            word = str(getattr(said, "status_str", pulp.LpStatus.get(_status_code(said), "")))
        except KeyboardInterrupt:
            was_interrupted = True
        lines = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
    return Answer(
        point=_values(variables) if word else None,
        bound=None,
        says_infeasible="infeasible" in word.lower(),
        was_interrupted=was_interrupted,
        seconds=time.monotonic() - began,
        log=tuple(lines),
    )


@contextlib.contextmanager
def _left_alone() -> Iterator[Callable[[], bool]]:
    """Interrupts as they are."""
    yield lambda: False


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


ENGINES: dict[str, Engine] = {"highs": highs, "cbc": _cbc}


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
    return apart(highs), "HiGHS", metadata.version("highspy")
