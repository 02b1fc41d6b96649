"""Runs that stay inside one block of a fabric: chosen by counting, then packed into the blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.offer.block import blocks, nests
from planner.allocation.offer.option import Options, some_plans
from planner.allocation.program.families import build_program
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.program.settle import is_feasible
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits, Solution, solve

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["solve_packed", "widened"]

COUNTED_PART = 0.5  # of the time for the program that counts nodes
PACKED_PART = 0.1  # for packing what it chose


def solve_packed(
    case: Case,
    options: Options,
    program: Program,
    register: Register,
    *,
    solver: str | Engine | None,
    limits: Limits,
    ties_by_cost: bool,
) -> Solution:
    """
    The answer of a program with blocks of a fabric, by way of the one without them.

    Parameters
    ----------
    case, options, program, register : Case, Options, Program, Register
        The case, and its whole program.
    solver, limits, ties_by_cost
        As `solve.solve` takes them. [s], [1]

    Returns
    -------
    Solution
        A point of `program`.

    Notes
    -----
    Without blocks the program is a relaxation with far fewer columns, so its bound holds for
    both. If what it chooses can be packed into the blocks, a small program shows how, and
    the plan is as good for the whole. If not, the whole program is solved, from as much of
    it as could be packed.
    """

    def whole(start: Floats | None, part: float) -> Solution:
        left = replace(limits, time_limit_s=part * limits.time_limit_s)
        return solve(program, solver=solver, limits=left, start=start, ties_by_cost=ties_by_cost)

    free = blocks(replace(case, pool_block_nodes=np.zeros_like(case.pool_block_nodes)))
    if len(options.modes) or not all(nests(here) for here in free):
        return whole(None, 1.0)
    counted, _ = build_program(case, replace(options, blocks=free))
    time_s = COUNTED_PART * limits.time_limit_s
    found = solve(
        counted,
        solver=solver,
        limits=replace(limits, time_limit_s=time_s),
        ties_by_cost=ties_by_cost,
    )
    if found.point is None:
        return found if found.status == "infeasible" else whole(None, 1 - COUNTED_PART)
    plans = len(options.runs) + len(options.chains)
    chosen = np.flatnonzero(found.point[:plans] > 0.5)
    few, of_few = build_program(case, some_plans(options, chosen))
    time_s = PACKED_PART * limits.time_limit_s
    packed = solve(few, solver=solver, limits=replace(limits, time_limit_s=time_s))
    if packed.point is None:
        return whole(None, 1 - COUNTED_PART - PACKED_PART)
    point = widened(register, of_few, packed.point, chosen)
    all_in = packed.point[: len(chosen)].sum() > len(chosen) - 0.5
    if all_in and is_feasible(program, point):
        return replace(found, point=point)
    if found.was_interrupted:
        return replace(packed, point=point, bound=found.bound, status="feasible",
                       was_interrupted=True)  # fmt: skip
    answer = whole(point, 1 - COUNTED_PART - PACKED_PART)
    if answer.objective is None or answer.bound is None or found.bound is None:
        return answer
    return replace(answer, bound=max(min(answer.bound, found.bound), answer.objective))


def widened(register: Register, few: Register, point: Floats, chosen: Ints) -> Floats:
    """
    A point of the program over some plans as one over all.

    Parameters
    ----------
    register, few : Register, Register
        Of all plans and of some; of the same jobs that pause.
    point : ndarray [column]
        Of the smaller program.
    chosen : ndarray of int
        Column in the larger one of each plan of the smaller one.

    Returns
    -------
    ndarray [column]
        Not one that keeps the rows where jobs that pause have other last pieces.
    """
    wide = np.zeros(register.offsets["end"])
    wide[chosen] = point[: len(chosen)]
    here, there = (each.offsets["block"] - each.offsets["mode"] for each in (register, few))
    if here == there:
        wide[register.offsets["mode"] : register.offsets["block"]] = point[
            few.offsets["mode"] : few.offsets["block"]
        ]
    one, two = register.classes, few.classes
    keys = zip(one.pool.tolist(), one.block.tolist(), one.start_day.tolist(),
               one.end_day.tolist(), one.tied.tolist(), strict=True)  # fmt: skip
    place = {key: at for at, key in enumerate(keys)}
    keys = zip(two.pool.tolist(), two.block.tolist(), two.start_day.tolist(),
               two.end_day.tolist(), two.tied.tolist(), strict=True)  # fmt: skip
    for at, key in enumerate(keys):
        wide[register.offsets["block"] + place[key]] = point[few.offsets["block"] + at]
    return wide
