"""Plans of an earlier answer, offered again where the program has only a part of all chains."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import take
from planner.allocation.earlier.plan import Span, held_before, no_worse
from planner.allocation.offer.block import free_nodes
from planner.allocation.offer.chain import ChainTable, LinkTable, chains_of, pair_rows
from planner.allocation.offer.enumeration import chain_points, joined
from planner.allocation.offer.option import Options, OptionTable, enumerate_options
from planner.allocation.offer.run import start_days
from planner.allocation.program.families import build_program
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.solver.solve import Solution
from planner.plan_table import PlanRowTable

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["begun_from", "with_prior"]


def begun_from(
    register: Register,
    program: Program,
    solution: Solution,
    rows: PlanRowTable,
    *,
    memory_limit_bytes: int = 0,
) -> tuple[Register, Program, Solution]:
    """
    The solution, or an earlier plan where that is worth more or costs less for as much.

    Parameters
    ----------
    register, program, solution : Register, Program, Solution
        What was found; the program may have a part of the chains only.
    rows : PlanRowTable
        Who held what in the earlier plan.
    memory_limit_bytes : int
        For the solver's process that finds prices where a bound is missing; none when 0. [byte]

    Returns
    -------
    (Register, Program, Solution)
        As `prior.no_worse` answers, in a program that has the chains of the earlier plan too
        where that is the answer. Of a program with a part of all plans no bound is taken.
    """
    wider = with_prior(register.case, register.options, rows)
    if wider is register.options:
        return register, program, no_worse(register, program, solution, rows,
                                           memory_limit_bytes=memory_limit_bytes)  # fmt: skip
    wide, of_wide = build_program(register.case, wider)
    found = no_worse(of_wide, wide, solution, rows, memory_limit_bytes=memory_limit_bytes)
    if found.point is solution.point:
        return register, program, found
    if solution.bound is None:
        found = replace(found, bound=None, status="feasible")
    return of_wide, wide, found


def with_prior(case: Case, options: Options, rows: PlanRowTable) -> Options:
    """
    The options, and the plans of an earlier one that still may be and are not among them.

    Where all chains are there anyway, or none of the earlier plans still may be, the options
    themselves.
    """
    if options.is_whole or not case.job_flexible.any():
        return options
    held = held_before(case, rows)
    options = _with_runs(case, options, {job: at[0] for job, at in held.items() if len(at) == 1})
    known = {
        (job, *_starts(options.links, chain))
        for chain, job in enumerate(options.chains.job.tolist())
    }
    found = [
        one
        for job, spans in held.items()
        if case.job_flexible[job] and len(spans) > 1
        for one in _again(case, options, job, spans)
        if (job, *_starts(one[1], 0)) not in known
    ]
    if not found:
        return options
    chains, links = joined(
        [options.chains, *(one for one, _ in found)], [options.links, *(two for _, two in found)]
    )
    return replace(options, chains=chains, links=links)


def _with_runs(case: Case, options: Options, spans: dict[int, Span]) -> Options:
    """The options, and runs of jobs that held nodes without a change."""
    known = set(_keys(options.runs))
    missing = {(job, *span) for job, span in spans.items()} - known
    if not missing:
        return options
    every = enumerate_options(case, keeps_all=True, chain_limit=0).runs
    more = take(every, [at for at, key in enumerate(_keys(every)) if key in missing])
    if len(more) == 0:
        return options
    names = OptionTable.__dataclass_fields__
    both = {
        name: np.concatenate([getattr(options.runs, name), getattr(more, name)]) for name in names
    }
    return replace(options, runs=OptionTable(**both))


def _keys(runs: OptionTable) -> list[tuple[int, ...]]:
    """Job and span of each run."""
    columns = (runs.job, runs.pool, runs.nodes, runs.start_day, runs.end_day)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _starts(links: LinkTable, chain: int) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Points and first days of the links of a chain, and its end."""
    low, high = np.searchsorted(links.chain, [chain, chain + 1]).tolist()
    start = tuple(links.start_day[low:high].tolist())
    return tuple(links.point[low:high].tolist()), start, int(links.end_day[high - 1])


def _again(
    case: Case, options: Options, job: int, spans: tuple[Span, ...]
) -> list[tuple[ChainTable, LinkTable]]:
    """The chain that held some spans, or nothing where it may not be any more."""
    usable = chain_points(case, options.blocks, job, keeps_all=True)
    places = zip(case.point_pool[usable].tolist(), case.point_nodes[usable].tolist(), strict=True)
    point_of = dict(zip(places, usable.tolist(), strict=True))
    points = [point_of.get((pool, nodes), -1) for pool, nodes, _, _ in spans]
    pairs = [int(pair_rows(case)[job, pool]) for pool, _, _, _ in spans]
    starts, ends = ([span[at] for span in spans] for at in (2, 3))
    days = set(case.border_day[1:-1].tolist())
    if (
        -1 in points
        or starts[1:] != ends[:-1]
        or not days.issuperset(starts[1:])
        or starts[0] not in start_days(case, pairs[0])
        or any(one == two for one, two in pairwise(points))
    ):
        return []
    for (pool, nodes, start, end), pair in zip(spans, pairs, strict=True):
        inside = case.pair_release_day[pair] <= start and end <= case.pair_due_day[pair]
        free = free_nodes(options.blocks[pool], np.array([start]), np.array([end]))
        if not inside or free[0] < nodes:
            return []
    try:
        chains, links = chains_of(
            case,
            np.array([job]),
            np.zeros(len(points), dtype=np.int64),
            np.array(points),
            np.array(starts),
            stop_day=np.array([ends[-1]]),
        )
    except ValueError:  # its work is another now
        return []
    return [(chains, links)] if int(chains.end_day[0]) == ends[-1] else []
