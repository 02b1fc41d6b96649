"""What a consortium could get otherwise: alone, with an equal part, with another's nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.allocation.offer.option import enumerate_options
from planner.allocation.policy.otherwise import alone, askers, equal_part, idle_frac, with_nodes_of
from planner.allocation.program.families import build_program
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits, solve

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["alone", "askers", "best_value", "equal_part", "idle_frac", "with_nodes_of"]


def best_value(
    case: Case, *, solver: str | Engine | None, limits: Limits
) -> tuple[float, float | None] | None:
    """
    The most value of a case's jobs, without weights, and a bound on it.

    Returns
    -------
    (float, float or None) or None
        What was found, and what cannot be exceeded; None where nothing was found in time
        or no plan exists.
    """
    program, _ = build_program(case, enumerate_options(case))
    if not program.columns.names:
        return 0.0, 0.0
    found = solve(program, solver=solver, limits=limits, ties_by_cost=False)
    return None if found.objective is None else (found.objective, found.bound)
