"""A case whose chains are all listed: the plan without changes first, then the whole program."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats
from planner.allocation.chain import no_chains
from planner.allocation.engine import Engine
from planner.allocation.option import Options
from planner.allocation.packing import widened
from planner.allocation.program import build_program
from planner.allocation.register import Register
from planner.allocation.row import Program
from planner.allocation.settle import is_feasible
from planner.allocation.solve import Limits, Solution, solve

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["solve_listed"]

MANY_CHAINS = 1_000  # below, the solver is as quick without a start
FIXED_PART = 0.25  # of the time, for the plan without changes


def solve_listed(
    case: Case,
    options: Options,
    program: Program,
    register: Register,
    *,
    solver: str | Engine | None,
    limits: Limits,
    known: Floats | None,
    ties_by_cost: bool,
) -> Solution:
    """
    The answer of a program with chains, never behind the plan in which nothing changes.

    Parameters
    ----------
    case, options, program, register : Case, Options, Program, Register
        The case, and its whole program.
    solver, limits, ties_by_cost
        As `solve.solve` takes them. [s], [1]
    known : ndarray [column], optional
        A point to start from.

    Returns
    -------
    Solution
        A point of `program`.

    Notes
    -----
    With runs alone the program has a tenth of the columns or fewer, and is solved in little
    time; as a start it saves the solver the search for a first plan among tens of thousands
    of chains, which may take all of a minute.
    """
    if len(options.chains) < MANY_CHAINS:
        return solve(program, solver=solver, limits=limits, start=known, ties_by_cost=ties_by_cost)
    began = time.monotonic()
    chains, links = no_chains()
    fixed, of_fixed = build_program(case, replace(options, chains=chains, links=links))
    brief = replace(limits, time_limit_s=FIXED_PART * limits.time_limit_s, on_progress=None)
    first = solve(fixed, solver=solver, limits=brief, ties_by_cost=False)
    start = known if known is not None and is_feasible(program, known) else None
    if first.point is not None:
        mine = widened(register, of_fixed, first.point, np.arange(len(options.runs)))
        if is_feasible(program, mine) and (start is None or _worth(program, mine, start) > 0):
            start = mine
    left = max(limits.time_limit_s - (time.monotonic() - began), 0.1 * limits.time_limit_s)
    rest = replace(limits, time_limit_s=left)
    if first.was_interrupted and start is not None:
        rest = replace(rest, time_limit_s=0.1)
    found = solve(program, solver=solver, limits=rest, start=start, ties_by_cost=ties_by_cost)
    return replace(found, seconds=time.monotonic() - began,
                   was_interrupted=found.was_interrupted or first.was_interrupted)  # fmt: skip


def _worth(program: Program, one: Floats, two: Floats) -> float:
    """By how much one point is worth more than another."""
    return float(program.columns.value @ (one - two))
