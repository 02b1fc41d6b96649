"""What a plan is best at besides weighted work: the worst-off first, or the least cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.engine import Engine, Task
from planner.allocation.register import Register
from planner.allocation.row import AT_LEAST, ColumnTable, Program, Row, row_of
from planner.allocation.settle import broken_rows, settle
from planner.allocation.solve import PROVED, Limits

__all__ = [
    "MAX_LEVELS",
    "POLICIES",
    "Goal",
    "Known",
    "Reached",
    "max_min_goals",
    "min_cost_goals",
    "reach",
    "shares",
    "widened",
    "worst_off",
]

POLICIES = (
    "weighted-work",
    "max-min",
    "proportional",
    "min-cost",
    "min-energy",
    "min-makespan",
)
MAX_LEVELS = 12
"""Levels of the worst-off that are raised one after the other; the rest by total work."""


@dataclass(frozen=True)
class Goal:
    """One thing to minimise, and which part of what it reaches later goals may give up."""

    name: str
    minimise: Floats  # [column] of the wider program
    give_frac: float = 0.0
    shares: Floats | None = None  # [consortium, column] for the worst-off of them
    level: int = 0
    measure: Callable[[Floats], float] | None = None  # where neither of the two above tells it

    def value(self, point: Floats) -> float:
        """What a point of the program reaches, computed from its whole columns alone."""
        if self.measure is not None:
            return self.measure(point)
        if self.shares is None:
            return float(self.minimise[: len(point)] @ point)
        return -float(np.sort(self.shares @ point)[: self.level].sum())


@dataclass(frozen=True)
class Known:
    """What is known of the first goal before a solver is asked: a point, its value, a bound."""

    point: Floats  # [column] of the program
    value: float
    bound: float | None


@dataclass(frozen=True)
class Reached:
    """A point after all goals; for each goal what it reached and what is proved possible."""

    point: Floats | None
    reached: tuple[float, ...]
    bounds: tuple[float | None, ...]
    says_infeasible: bool
    was_interrupted: bool
    seconds: float

    def is_proved(self, goal: int) -> bool:
        """Whether a goal is proved to be reached fully."""
        bound, value = self.bounds[goal], self.reached[goal]
        return bound is not None and value - bound <= 10 * PROVED * max(abs(value), 1e-9)


def shares(register: Register, program: Program) -> tuple[Floats, tuple[int, ...]]:
    """
    Part of the weighted work it asks for that a column gives its consortium, over its weight.

    Returns
    -------
    (ndarray [consortium, column], tuple of int)
        Shares, and the consortiums with a weight and with work that some column can do.
        What no column can do is not asked for here, since no plan could give it. [1]
    """
    case, columns = register.case, program.columns
    count = len(case.consortium_names)
    owner = register.column_job
    team = np.where(owner >= 0, case.job_consortium[np.maximum(owner, 0)], -1)
    asked = np.zeros(count)
    for job in range(len(case.job_names)):
        mine = owner == job
        best = float((columns.value * columns.upper)[mine].max(initial=0.0))
        asked[case.job_consortium[job]] += best
    matrix = np.zeros((count, len(columns.names)))
    for at in np.flatnonzero((asked > 0) & (case.consortium_weight > 0)).tolist():
        mine = team == at
        matrix[at, mine] = columns.value[mine] / asked[at] / case.consortium_weight[at]
    able = tuple(np.flatnonzero(matrix.any(axis=1)).tolist())
    return matrix, able


def max_min_goals(register: Register, program: Program) -> tuple[Program, tuple[Goal, ...]]:
    """
    Raise the worst-off consortium, then the two worst-off together, and so on; then all work.

    With s_c the share of consortium c, level k maximises the sum of the k smallest shares,

    max  k t_k - sum_c d_{k,c},    t_k - d_{k,c} <= s_c,    d_{k,c} >= 0    for every c

    with the earlier levels held, which is lexicographic max-min also where the possible
    shares are lumps and not a convex set [1]_. Weighted work comes next, and cost last.

    References
    ----------
    .. [1] W. Ogryczak, M. Pioro, A. Tomaszewski, "Telecommunications network design and
       max-min optimization problem," J. Telecommunications and Information Technology, 2005.
    """
    matrix, able = shares(register, program)
    levels = min(len(able), MAX_LEVELS)
    base = len(program.columns.names)
    per = 1 + len(able)
    top = max((1.0 / register.case.consortium_weight[c] for c in able), default=1.0)
    wide = widened(program.columns, [top] * (levels * per))
    rows: list[Row] = list(program.rows)
    goals = []
    for level in range(levels):
        first = base + level * per
        minimise = np.zeros(base + levels * per)
        minimise[first] = -(level + 1.0)
        minimise[first + 1 : first + per] = 1.0
        name = f"level {level + 1}"
        goals.append(Goal(name, minimise, shares=matrix[list(able)], level=level + 1))
        for place, team in enumerate(able):
            used = np.flatnonzero(matrix[team])
            name = register.case.consortium_names[team]
            rows.append(
                row_of(
                    f"level_{level}_{team}",
                    np.concatenate([[first, first + 1 + place], used]),
                    np.concatenate([[1.0, -1.0], -matrix[team, used]]),
                    family="level",
                    group=f"the share of `{name}`",
                    sentence=f"`{name}` counts with its share in level {level + 1}",
                    bound=0.0,
                )
            )
    goals += [Goal("work", -wide.value), Goal("cost", wide.cost)]
    return Program(wide, tuple(rows)), tuple(goals)


def min_cost_goals(program: Program, work_frac: float) -> tuple[Program, tuple[Goal, ...]]:
    """The cheapest plan that does at least a part of the most weighted work there can be."""
    columns = program.columns
    return program, (Goal("work", -columns.value, 1.0 - work_frac), Goal("cost", columns.cost))


def widened(columns: ColumnTable, upper: list[float]) -> ColumnTable:
    """Columns with continuous ones of no value and cost behind them."""
    more = len(upper)
    zero = np.zeros(more)
    return ColumnTable(
        names=(*columns.names, *(f"level{at:06d}" for at in range(more))),
        upper=np.concatenate([columns.upper, np.array(upper)]),
        is_integer=np.concatenate([columns.is_integer, np.zeros(more, dtype=np.bool_)]),
        value=np.concatenate([columns.value, zero]),
        cost=np.concatenate([columns.cost, zero]),
    )


def reach(
    program: Program,
    wide: Program,
    goals: tuple[Goal, ...],
    *,
    ask: Engine,
    limits: Limits,
    known: Known | None = None,
) -> Reached:
    """
    Reach goals one after the other, each with the earlier ones held.

    Parameters
    ----------
    program : Program
        The program that the point must keep.
    wide : Program
        The same with columns for the goals behind it.
    goals : tuple of Goal
        In order of importance.
    ask : Engine
        The solver.
    limits : Limits
        The time is for all goals; each gets at most half of what is left. [s]
    known : Known, optional
        The first goal as reached already; its point stands where the others find none better.
        It is no start for the solver, which may map it wrongly and then stop too soon.

    Returns
    -------
    Reached
        The last point found; when a goal finds none in its time, the one before stands.

    Raises
    ------
    SolverFailure
        The solver returned a point that the rows refuse.
    """
    ends = time.monotonic() + limits.time_limit_s
    began = time.monotonic()
    held: tuple[Row, ...] = ()
    point: Floats | None = None
    reached: list[float] = []
    bounds: list[float | None] = []
    interrupted = False
    if known is not None:
        point, reached, bounds = known.point, [known.value], [known.bound]
        held = (_hold(goals[0], known.value, 0),)
    for at, goal in enumerate(goals):
        if at < len(reached):
            continue
        left = ends - time.monotonic()
        share = left if at == len(goals) - 1 else 0.5 * left
        task = Task(wide, goal.minimise, extra=held, time_limit_s=max(share, 0.5),
                    gap_frac=limits.gap_frac, threads=limits.threads, seed=limits.seed,
                    on_progress=limits.on_progress)  # fmt: skip
        answer = ask(task)
        interrupted |= answer.was_interrupted
        if at == 0 and answer.says_infeasible:
            return Reached(None, (), (), True, interrupted, time.monotonic() - began)
        if answer.point is None:
            is_known = known is not None and point is not None and not answer.says_infeasible
            reached.append(goal.value(point) if is_known and point is not None else float("inf"))
            bounds.append(answer.bound if is_known else None)
            break
        found = settle(program, answer.point[: len(program.columns.names)])
        if found is None or any(far for _, far in broken_rows(program.rows, found)):
            raise SolverFailure(
                Diagnostic("solver-failure", "the solver returned a point that breaks a row")
            )
        if broken_rows(program.rows, found):
            break  # within the solver's tolerance, but not exact: the point before stands
        if known is None or point is None or goal.value(found) <= goal.value(point):
            point = found
        value = goal.value(point)
        reached.append(value)
        bounds.append(answer.bound)
        held = (*held, _hold(goal, value, at))
        if interrupted:
            break
    return Reached(point, tuple(reached), tuple(bounds), False, interrupted,
                   time.monotonic() - began)  # fmt: skip


def _hold(goal: Goal, value: float, at: int) -> Row:
    """A row that keeps what a goal has reached, but for what it may give up and float noise."""
    used = np.flatnonzero(goal.minimise)
    give = goal.give_frac * abs(value) + 1e-7 * max(abs(value), 1e-6)
    return row_of(
        f"hold_{at}",
        used,
        -goal.minimise[used],
        family="hold",
        group=f"the goal `{goal.name}`",
        sentence=f"what goal `{goal.name}` has reached is held",
        sense=AT_LEAST,
        bound=-value - give,
    )


def worst_off(register: Register, program: Program, point: Floats) -> tuple[float, str]:
    """
    The consortium with the smallest share over weight at a point, and its share. [1]

    The share is of the work it asks for, without the weight; 1 when nobody can get any.
    """
    matrix, able = shares(register, program)
    if not able:
        return 1.0, ""
    got = matrix[list(able)] @ point
    team = able[int(np.argmin(got))]
    share = float(got.min()) * float(register.case.consortium_weight[team])
    return share, register.case.consortium_names[team]
