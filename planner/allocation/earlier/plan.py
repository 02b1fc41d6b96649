"""An earlier plan as what to start from, and not to fall behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.offer.option import OptionTable
from planner.allocation.program.incidence import incidence
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.program.settle import is_feasible
from planner.allocation.solver.price import price_bound
from planner.allocation.solver.solve import PROVED, Solution
from planner.plan_table import PlanRowTable

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["Span", "Taken", "held_before", "nearest", "no_worse", "taken_over"]

NEAREST = 20  # runs of a job that are tried

Span = tuple[int, int, int, int]  # pool, nodes, start day, end day


@dataclass(frozen=True)
class Taken:
    """What of an earlier plan can still be just as it was."""

    point: Floats  # [column]
    jobs: int  # whose plans stand in the point
    asked: int  # jobs that the earlier plan serves

    @property
    def words(self) -> str:
        """How much was taken over, as a sentence."""
        what = "1 job of the plan" if self.asked == 1 else f"{self.asked} jobs of the plan"
        if self.jobs == self.asked:
            return f"{what} to start from: all can still be served just so"
        return f"{what} to start from: {self.jobs or 'none'} can still be served just so"


def taken_over(register: Register, program: Program, rows: PlanRowTable) -> Taken:
    """
    The point that stands for what of an earlier plan still keeps the rules.

    Parameters
    ----------
    register, program : Register, Program
        What there is to choose from now.
    rows : PlanRowTable
        Who held what.

    Returns
    -------
    Taken
        Whole plans of jobs that run without a pause, on the same nodes and days. Where they
        break a row together, such as a budget that was lowered, the most valuable ones that
        keep it. The point may still miss a row that asks for at least.

    Notes
    -----
    Pools in which counting nodes by day is not enough are left out: their node ids would
    have to be taken over too.
    """
    known = _known(register)
    columns = [known[key] for key in held_before(register.case, rows).items() if key in known]
    chosen = np.array(sorted(columns), dtype=np.int64)
    point = np.zeros(len(program.columns.names))
    point[chosen] = 1.0
    if not is_feasible(program, point):
        point = _fitting(program, chosen)
    return Taken(point, int(point.sum()), len(set(rows.job)))


def held_before(case: Case, rows: PlanRowTable) -> dict[int, tuple[Span, ...]]:
    """What each job that is still there held, in the order of time."""
    jobs = {name: at for at, name in enumerate(case.job_names)}
    pools = {name: at for at, name in enumerate(case.pool_names)}
    found: dict[int, list[Span]] = {}
    for at, name in enumerate(rows.job):
        if name in jobs:
            start = (rows.first[at] - case.first_day).days
            end = start + int(rows.days[at])
            span = (pools.get(rows.pool[at], -1), int(rows.nodes[at]), start, end)
            found.setdefault(jobs[name], []).append(span)
    return {job: tuple(sorted(spans, key=lambda span: span[2])) for job, spans in found.items()}


def _known(register: Register) -> dict[tuple[int, tuple[Span, ...]], int]:
    """Column of each whole plan, by its job and what it holds."""
    runs, chains, links = register.options.runs, register.options.chains, register.options.links
    by_class = np.zeros(len(register.case.pool_names), dtype=np.bool_)
    by_class[register.classes.pool] = True
    spans = _spans(runs.pool, runs.nodes, runs.start_day, runs.end_day)
    known: dict[tuple[int, tuple[Span, ...]], int] = {
        (job, (span,)): column
        for column, (job, span) in enumerate(zip(runs.job.tolist(), spans, strict=True))
        if not by_class[span[0]]
    }
    if len(chains) == 0:
        return known
    held = _spans(links.pool, links.nodes, links.start_day, links.end_day)
    first = np.searchsorted(links.chain, np.arange(len(chains) + 1)).tolist()
    for chain, job in enumerate(chains.job.tolist()):
        mine = tuple(held[first[chain] : first[chain + 1]])
        if not any(by_class[span[0]] for span in mine):
            known[job, mine] = register.offsets["chain"] + chain
    return known


def _spans(*columns: Ints) -> list[Span]:
    """Rows of some columns as tuples."""
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _fitting(program: Program, chosen: Ints) -> Floats:
    """Ones at the chosen columns that break no row together, the most valuable first."""
    terms = incidence(program)
    point = np.zeros(len(program.columns.names))
    activity = terms.activity(point)
    excess = float(terms.excess(activity).sum())
    waiting = chosen[np.argsort(-program.columns.value[chosen], kind="stable")].tolist()
    while True:
        left = []
        for column in waiting:
            moved = terms.shift(activity, [column], [1.0])
            over = float(terms.excess(moved).sum())
            if over > excess:
                left.append(column)
                continue
            activity, excess, point[column] = moved, over, 1.0
        if len(left) == len(waiting):  # one may only fit after another
            return point
        waiting = left


def nearest(case: Case, runs: OptionTable, rows: PlanRowTable) -> Ints:
    """
    Runs that are the same as in an earlier plan, then those that are nearest to it.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    runs : OptionTable
        What there is to choose from now.
    rows : PlanRowTable
        Who held what.

    Returns
    -------
    ndarray of int
        Up to `NEAREST` rows of `runs` for each job that held nodes of one pool without a
        pause, by the days by which they differ: at the start, at the end, and the part by
        which the nodes differ times the days held. The same runs come first, the most
        valuable of them at the head.
    """
    held = np.full((len(case.job_names), 4), -1.0)
    for job, spans in held_before(case, rows).items():
        if len(spans) == 1:
            held[job] = spans[0]
    pool, nodes, start, end = held[runs.job].T
    part = np.abs(runs.nodes - nodes) / np.maximum(nodes, 1.0)
    far = np.abs(runs.start_day - start) + np.abs(runs.end_day - end) + part * (end - start)
    found = np.flatnonzero((runs.pool == pool) & (nodes > 0))
    found = found[np.lexsort([far[found], runs.job[found]])]
    rank = np.arange(len(found)) - np.searchsorted(runs.job[found], runs.job[found])
    found = found[rank < NEAREST]
    worth = runs.value * case.consortium_weight[case.job_consortium[runs.job]]
    return found[np.lexsort([-worth[found], far[found]])]


def no_worse(
    register: Register,
    program: Program,
    solution: Solution,
    rows: PlanRowTable,
    *,
    memory_limit_bytes: int = 0,
) -> Solution:
    """
    The solution, or an earlier plan where that is worth more or costs less for as much.

    Parameters
    ----------
    register, program, solution : Register, Program, Solution
        What was found.
    rows : PlanRowTable
        Who held what in the earlier plan.
    memory_limit_bytes : int
        For the solver's process that finds prices where a bound is missing; none when 0. [byte]

    Returns
    -------
    Solution
        A bound that was proved stays; a note tells how much of the earlier plan still holds.
    """
    taken = taken_over(register, program, rows)
    solution = replace(solution, notes=(*solution.notes, taken.words))
    point = taken.point
    if taken.jobs == 0 or not is_feasible(program, point):
        return solution
    columns = program.columns
    value, cost = float(columns.value @ point), float(columns.cost @ point)
    if solution.objective is not None:
        slack = 1e-9 * max(abs(value), abs(solution.objective))
        ahead = value > solution.objective + slack
        cheaper = value >= solution.objective - slack and cost < (solution.cost or 0.0)
        if not (ahead or cheaper):
            return solution
    bound = solution.bound
    if bound is None:
        bound = price_bound(program, memory_limit_bytes=memory_limit_bytes)
    proved = bound is not None and bound - value <= PROVED * max(abs(bound), 1e-12)
    return replace(
        solution,
        status="optimal" if proved else "feasible",
        point=point,
        objective=value,
        cost=cost,
        bound=None if bound is None else max(bound, value),
    )
