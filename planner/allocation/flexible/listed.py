"""A case whose chains are all listed: the plan without changes first, then the whole program."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.large.packing import widened
from planner.allocation.offer.chain import no_chains
from planner.allocation.offer.option import Options, some_plans
from planner.allocation.program.dual import bound_of
from planner.allocation.program.families import build_program
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.program.settle import is_feasible
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.price import row_prices
from planner.allocation.solver.solve import PROVED, Limits, Solution, solve

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["solve_listed"]

MANY_CHAINS = 1_000  # below, the solver is as quick without a start
# From here on HiGHS 1.16 looks for simplifications, and then for cliques, for more than a
# minute: 31,000 chains of 17 jobs take it 65 s before its first relaxed program, and 1 s without.
DENSE_CHAINS = 10_000
FIXED_PART = 0.25  # of the time, for the plan without changes
FEW_CHAINS, FEW_PART = 3_000, 0.35  # those that pay best, and the part of the time for a plan


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
    The answer of a program with chains, at least the plan without changes as found first.

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
    of chains, which may take all of a minute. Where there are more than `DENSE_CHAINS`, a
    better plan is sought among the runs and the chains that earn most at the prices of the
    relaxed program; the whole program is then solved for the proof, without presolve. The
    bound is the smaller of the solver's and of the prices'.
    """
    if len(options.chains) < MANY_CHAINS:
        return solve(program, solver=solver, limits=limits, start=known, ties_by_cost=ties_by_cost)
    ends = time.monotonic() + limits.time_limit_s
    asked = _Asked(program, solver, limits, ends)
    start = known if known is not None and is_feasible(program, known) else None
    chains, links = no_chains()
    fixed, of_fixed = build_program(case, replace(options, chains=chains, links=links))
    start = asked.part(fixed, of_fixed, register, np.arange(len(options.runs)),
                       part=FIXED_PART, start=start)  # fmt: skip
    rest, bound = limits, None
    if len(options.chains) >= DENSE_CHAINS:
        prices = row_prices(program, time_limit_s=FIXED_PART * limits.time_limit_s,
                            memory_limit_bytes=limits.memory_limit_bytes)  # fmt: skip
        if prices is not None:
            bound = bound_of(program, prices)
            kept = _best_plans(program, options, prices, start)
            few, of_few = build_program(case, some_plans(options, kept))
            start = asked.part(few, of_few, register, kept, part=FEW_PART, start=start)
        rest = replace(limits, presolve="off")
    left = max(0.9 * (ends - time.monotonic()), 0.05 * limits.time_limit_s)  # some for ties
    if asked.was_interrupted and start is not None:
        left = 0.1
    by_cost = ties_by_cost and len(options.chains) < DENSE_CHAINS
    found = solve(program, solver=solver, limits=replace(rest, time_limit_s=left), start=start,
                  ties_by_cost=by_cost)  # fmt: skip
    seconds = time.monotonic() - (ends - limits.time_limit_s)
    found = replace(found, seconds=seconds,
                    was_interrupted=found.was_interrupted or asked.was_interrupted)  # fmt: skip
    return found if bound is None else _within(found, bound)


class _Asked:
    """Smaller programs of a case, solved one after the other for a better start."""

    def __init__(
        self, program: Program, solver: str | Engine | None, limits: Limits, ends: float
    ) -> None:
        self.program, self.solver, self.ends = program, solver, ends
        self.limits = replace(limits, on_progress=None)
        self.was_interrupted = False

    def part(
        self,
        few: Program,
        of_few: Register,
        register: Register,
        kept: Ints,
        *,
        part: float,
        start: Floats | None,
    ) -> Floats | None:
        """The better of a start and of what is found in a part of the time among some plans."""
        if self.was_interrupted:
            return start
        left = min(part * self.limits.time_limit_s, max(self.ends - time.monotonic(), 0.1))
        mine = None if start is None else _narrowed(start, kept, few)
        found = solve(few, solver=self.solver, limits=replace(self.limits, time_limit_s=left),
                      start=mine, ties_by_cost=False)  # fmt: skip
        self.was_interrupted = found.was_interrupted
        if found.point is None:
            return start
        point = widened(register, of_few, found.point, kept)
        is_better = start is None or float(self.program.columns.value @ (point - start)) > 0
        return point if is_better and is_feasible(self.program, point) else start


def _narrowed(point: Floats, kept: Ints, few: Program) -> Floats | None:
    """A point as one of a program of some plans; None where there are columns beside plans."""
    return point[kept] if len(few.columns.names) == len(kept) else None


def _best_plans(program: Program, options: Options, prices: Floats, start: Floats | None) -> Ints:
    """All runs, the chains that earn most at prices, and those of a start, as columns."""
    runs, many = len(options.runs), len(options.runs) + len(options.chains)
    profit = program.columns.value.copy()
    for row, price in zip(program.rows, prices.tolist(), strict=True):
        if price:
            np.subtract.at(profit, row.columns, price * row.coefficients)
    best = runs + np.argsort(-profit[runs:many], kind="stable")[:FEW_CHAINS]
    mine = np.zeros(0, dtype=np.int64) if start is None else np.flatnonzero(start[:many] > 0.5)
    return np.unique(np.concatenate([np.arange(runs), best, mine]))


def _within(found: Solution, bound: float) -> Solution:
    """The solution with the smaller of two bounds, judged by it."""
    if found.objective is None:
        return found
    bound = max(bound if found.bound is None else min(bound, found.bound), found.objective)
    proved = bound - found.objective <= PROVED * max(abs(bound), 1e-12)
    return replace(found, bound=bound, status="optimal" if proved else "feasible")
