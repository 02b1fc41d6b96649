"""What a solver adds: the best plan in which nothing changes, and one over all plans at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, take
from hardware.errors import SolverFailure
from planner.allocation.flexible.made import options_of, plan_columns, point_at, run_paths
from planner.allocation.flexible.path import Path
from planner.allocation.large.packing import widened
from planner.allocation.offer.chain import no_chains
from planner.allocation.offer.option import Options
from planner.allocation.program.families import build_program
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.program.settle import is_feasible
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits, Solution, solve

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["WholeRuns", "Wide", "solve_runs", "wide_program"]


@dataclass(frozen=True)
class WholeRuns:
    """A plan of whole runs, with the program over runs alone that it is a point of."""

    program: Program
    register: Register
    found: Solution
    point: Floats
    paths: tuple[Path, ...]  # the runs chosen

    @property
    def value(self) -> float:
        """Weighted work."""
        return float(self.program.columns.value @ self.point)


@dataclass(frozen=True)
class Wide:
    """A program over all plans at hand, and the best point of it that is known."""

    program: Program
    register: Register
    start: Floats | None


def solve_runs(
    case: Case,
    options: Options,
    *,
    solver: str | Engine | None,
    limits: Limits,
    paths: Sequence[Path],
) -> WholeRuns | None:
    """
    The best plan of whole runs, as near as the time allows.

    Parameters
    ----------
    case, options : Case, Options
        The scenario as columns, and its runs.
    solver, limits : str or Engine, Limits
        As `solve.solve` takes them. [s], [1]
    paths : sequence of Path
        A plan of some of the runs to start from.

    Returns
    -------
    WholeRuns or None
        None where no plan was found, or every solver broke.
    """
    chains, links = no_chains()
    program, register = build_program(case, replace(options, chains=chains, links=links))
    start = point_at(register, paths)
    try:
        found = solve(program, solver=solver, limits=replace(limits, on_progress=None),
                      start=start, ties_by_cost=False)  # fmt: skip
    except SolverFailure:
        return None
    if found.point is None:
        return None
    chosen = np.flatnonzero(found.point[: len(options.runs)] > 0.5)
    runs = tuple(run_paths(case, take(options.runs, chosen)))
    return WholeRuns(program, register, found, found.point, runs)


def wide_program(
    case: Case,
    options: Options,
    paths: Sequence[Path],
    mine: Sequence[Path],
    alone: WholeRuns | None,
) -> Wide:
    """
    The program over some plans and the runs of a plan without changes.

    Parameters
    ----------
    case, options : Case, Options
        The scenario as columns, and its blocks.
    paths : sequence of Path
        Plans that the program has, one of each key.
    mine : sequence of Path
        The best plan that the search knows, some of `paths`.
    alone : WholeRuns, optional
        The plan in which nothing changes, and the runs that the program has too.

    Returns
    -------
    Wide
        Starting from the better of both plans that keep every row; None where none does.
    """
    every = {path.key: path for path in paths}
    if alone is not None:
        runs = run_paths(case, alone.register.options.runs)
        every = {path.key: path for path in runs} | every
    program, register = build_program(case, options_of(case, options, list(every.values())))
    known = [point_at(register, mine)]
    if alone is not None:
        column = plan_columns(register)
        kept = np.array([column[path.key] for path in runs], dtype=np.int64)
        known.append(widened(register, alone.register, alone.point, kept))
    known = [point for point in known if is_feasible(program, point)]
    known.sort(key=lambda point: -float(program.columns.value @ point))
    return Wide(program, register, known[0] if known else None)
