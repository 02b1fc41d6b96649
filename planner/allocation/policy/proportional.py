"""Proportional fairness: the largest weighted product of the consortiums' shares, with a bound."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from hardware.column import Floats
from hardware.errors import PlanningError
from planner.allocation.policy.goal import Goal, Reached, widened
from planner.allocation.policy.proportions import LEAST_SHARE, Proportions, log_worth, proportions
from planner.allocation.policy.sequence import reach
from planner.allocation.program.register import Register
from planner.allocation.program.row import AT_LEAST, EQUAL, Program, Row, row_of
from planner.allocation.solver.engine import Engine, Task, engine, engines_found
from planner.allocation.solver.solve import Limits

__all__ = [
    "LEAST_SHARE",
    "Proportions",
    "log_worth",
    "proportional",
    "proportions",
    "relaxed_shares",
]

RATIO = 1.3  # between neighbouring tangents at first; they differ from the curve by 0.009 at most
ROUNDS = 8
TIES = 4  # rounds for the cheapest of equals
NEAR = 1e-5  # sum of logarithms over the sum of weights


def proportional(register: Register, program: Program, *, ask: Engine, limits: Limits) -> Reached:
    """
    The point with the largest weighted sum of logarithms of shares, then the cheapest such.

    max  sum_c w_c log s_c    (`log_worth` in place of the logarithm)

    Parameters
    ----------
    register, program : Register, Program
        What there is to choose from.
    ask : Engine
        The solver.
    limits : Limits
        The time is for everything. [s]

    Returns
    -------
    Reached
        First goal: minus the sum, counted from that of nothing at all; then the cost.

    Raises
    ------
    SolverFailure
        The solver returned a point that the rows refuse.

    Notes
    -----
    The logarithm is replaced by the least of its tangents, which lies above it, so the
    solver's bound is one on the sum itself. Tangents are added where the point found lies
    until bound and sum meet, which happens after finitely many points; time may end it
    before. Proved is the bound of the last round: no plan has a sum above it. The cheapest
    is sought among plans that give every consortium at least its share here, then among all
    with the same sum, which may divide the shares otherwise.
    """
    ends = time.monotonic() + limits.time_limit_s
    mine = proportions(register, program)
    touch = np.geomspace(LEAST_SHARE, 1.0, 1 + round(np.log(1 / LEAST_SHARE) / np.log(RATIO)))
    points = [touch for _ in mine.names]
    best, bound, interrupted, seconds = None, None, False, 0.0
    for _ in range(ROUNDS):
        left = ends - time.monotonic()
        if best is not None and left < 0.3 * limits.time_limit_s:
            break
        wide, minimise = _outer(mine, program, points)
        goal = Goal("proportional", minimise, measure=lambda point: -mine.worth(point))
        given = replace(limits, time_limit_s=max(0.8 * left, 0.5))
        found = reach(program, wide, (goal,), ask=ask, limits=given)
        seconds += found.seconds
        interrupted = found.was_interrupted
        if found.says_infeasible and best is None:
            return found
        if found.bounds and found.bounds[0] is not None:
            bound = found.bounds[0] if bound is None else max(bound, found.bounds[0])
        if found.point is None:
            break
        if best is None or mine.worth(found.point) > mine.worth(best):
            best = found.point
        worth = mine.worth(best)
        if interrupted or (bound is not None and -bound - worth <= NEAR * float(mine.weight.sum())):
            break
        here = mine.matrix @ found.point
        points = [
            np.append(old, max(share, LEAST_SHARE))
            for old, share in zip(points, here.tolist(), strict=True)
        ]
    if best is None:
        return Reached(None, (float("inf"),), (bound,), False, interrupted, seconds)
    left = max(ends - time.monotonic(), 0.5)
    if not interrupted:
        given = replace(limits, time_limit_s=left)
        cheap = _cheapest(mine, program, best, ask, given)
        best, interrupted = cheap.point if cheap.point is not None else best, cheap.was_interrupted
        seconds += cheap.seconds
    if not interrupted:
        began = time.monotonic()
        given = replace(limits, time_limit_s=max(ends - began, 0.1))
        best = _cheapest_equal(mine, program, best, points, ask=ask, limits=given)
        seconds += time.monotonic() - began
    cost = float(program.columns.cost @ best)
    return Reached(best, (-mine.worth(best), cost), (bound, None), False, interrupted, seconds)


def relaxed_shares(
    register: Register, program: Program, *, time_limit_s: float, memory_limit_bytes: int = 0
) -> dict[str, float]:
    """
    Shares of the relaxed program with the largest weighted sum of logarithms, by consortium.

    Tangents there, with prices of rows, prove how large the sum of any plan can be.

    Parameters
    ----------
    register, program : Register, Program
        What the shares are of.
    time_limit_s : float
        For all rounds. [s]
    memory_limit_bytes : int
        For the solver's process; none when 0. [byte]
    """
    mine = proportions(register, program)
    ends = time.monotonic() + time_limit_s
    share = np.ones(len(mine.names))
    touch = np.geomspace(LEAST_SHARE, 1.0, 1 + round(np.log(1 / LEAST_SHARE) / np.log(RATIO)))
    points = [touch for _ in mine.names]
    if "highs" not in engines_found():
        return dict(zip(mine.names, share.tolist(), strict=True))
    ask, _, _ = engine("highs")
    for _ in range(ROUNDS):
        left = ends - time.monotonic()
        if left <= 0 or not mine.names:
            break
        wide, minimise = _outer(mine, program, points)
        try:
            answer = ask(Task(wide, minimise, is_relaxed=True, time_limit_s=left,
                              memory_limit_bytes=memory_limit_bytes))  # fmt: skip
        except (PlanningError, RuntimeError):
            break
        if answer.point is None:
            break
        before, share = share, mine.matrix @ answer.point[: len(program.columns.names)]
        if np.abs(share - before).max(initial=0.0) < 1e-7:
            break
        points = [
            np.append(old, max(one, LEAST_SHARE))
            for old, one in zip(points, share.tolist(), strict=True)
        ]
    return dict(zip(mine.names, np.maximum(share, 0.0).tolist(), strict=True))


def _outer(mine: Proportions, program: Program, points: list[Floats]) -> tuple[Program, Floats]:
    """The program with a column of the share and one of its worth for each consortium."""
    count, many = len(program.columns.names), len(mine.names)
    span = 1.0 - np.log(LEAST_SHARE)
    wide = widened(program.columns, [1.0 + 1e-6] * many + [float(span)] * many)
    rows: list[Row] = list(program.rows)
    for at, name in enumerate(mine.names):
        used = np.flatnonzero(mine.matrix[at])
        group = f"the share of `{name}`"
        rows.append(
            row_of(f"proportion_{at}", np.append(used, count + at),
                   np.append(mine.matrix[at, used], -1.0), sense=EQUAL, bound=0.0,
                   sentence=f"the share of `{name}` is of the work that can be done for it",
                   family="proportional", group=group)
        )  # fmt: skip
        for number, touch in enumerate(np.unique(points[at]).tolist()):
            rows.append(
                row_of(f"tangent_{at}_{number}", np.array([count + many + at, count + at]),
                       np.array([touch, -1.0]), bound=touch * float(np.log(touch / LEAST_SHARE)),
                       sentence=f"the share of `{name}` is worth its logarithm",
                   family="proportional", group=group)
            )  # fmt: skip
    minimise = np.zeros(count + 2 * many)
    minimise[count + many :] = -mine.weight
    return Program(wide, tuple(rows)), minimise


def _cheapest(
    mine: Proportions, program: Program, point: Floats, ask: Engine, limits: Limits
) -> Reached:
    """The cheapest point that gives every consortium at least its share at a point."""
    got = mine.matrix @ point
    held = []
    for at, name in enumerate(mine.names):
        used = np.flatnonzero(mine.matrix[at])
        held.append(
            row_of(f"hold_share_{at}", used, mine.matrix[at, used], family="hold",
                   group=f"the share of `{name}`", sentence=f"`{name}` keeps its share",
                   sense=AT_LEAST, bound=float(got[at]) - 1e-8)
        )  # fmt: skip
    kept = Program(program.columns, (*program.rows, *held))
    return reach(kept, kept, (Goal("cost", program.columns.cost),), ask=ask, limits=limits)


def _cheapest_equal(
    mine: Proportions,
    program: Program,
    best: Floats,
    points: list[Floats],
    *,
    ask: Engine,
    limits: Limits,
) -> Floats:
    """
    The cheapest point with the same sum of logarithms, or the given one where none is cheaper.

    Points whose sum is smaller than its tangents allow get tangents of their own.
    """
    ends = time.monotonic() + limits.time_limit_s
    worth, cost = mine.worth(best), float(program.columns.cost @ best)
    slack = 1e-7 * max(worth, 1.0)
    share = mine.matrix @ best
    for _ in range(TIES):
        left = ends - time.monotonic()
        if left <= 0 or not mine.names or cost <= 0:
            break
        points = [
            np.append(old, max(one, LEAST_SHARE))
            for old, one in zip(points, share.tolist(), strict=True)
        ]
        wide, minimise = _outer(mine, program, points)
        used = np.flatnonzero(minimise)
        held = row_of("hold_worth", used, -minimise[used], family="hold", sense=AT_LEAST,
                      group="the product of shares", sentence="the product of shares is held",
                      bound=worth - slack)  # fmt: skip
        kept = Program(wide.columns, (*wide.rows, held))
        given = replace(limits, time_limit_s=left)
        found = reach(program, kept, (Goal("cost", wide.columns.cost),), ask=ask, limits=given)
        point = found.point
        if point is None or float(program.columns.cost @ point) >= cost * (1 - 1e-9):
            break
        if mine.worth(point) >= worth - slack:
            return point
        share = mine.matrix @ point
    return best
