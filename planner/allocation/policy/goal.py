"""What a plan is best at, as goals one after the other: pure columns and rows, no solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from planner.allocation.program.register import Register
from planner.allocation.program.row import AT_LEAST, ColumnTable, Program, Row, row_of

__all__ = [
    "MAX_LEVELS",
    "POLICIES",
    "Goal",
    "Known",
    "Reached",
    "asked_work",
    "hold",
    "level_goals",
    "max_min_goals",
    "min_cost_goals",
    "shares",
    "shares_reached",
    "widened",
    "work_and_cost",
    "worst_off",
]

POLICIES = (
    "weighted-work",
    "max-min",
    "proportional",
    "min-cost",
    "min-energy",
    "min-makespan",
    "finish-time",
)
MAX_LEVELS = 12
"""Levels of the worst-off that are raised one after the other; the rest by total work."""


PROVED_GOAL = 1e-5
"""Distance of what is reached from its bound, as a part, that counts as none."""


@dataclass(frozen=True)
class Goal:
    """One thing to minimise, and which part of what it reaches later goals may give up."""

    name: str
    minimise: Floats  # [column] of the wider program
    give_frac: float = 0.0
    shares: Floats | None = None  # [consortium, column] for the worst-off of them
    level: int = 0
    measure: Callable[[Floats], float] | None = None  # where neither of the two above tells it
    sign: float = 1.0  # of what is minimised in what a reader is told, -1 for what is the most
    shift: float = 0.0  # added to it

    def value(self, point: Floats) -> float:
        """What a point of the program reaches, computed from its whole columns alone."""
        if self.measure is not None:
            return self.measure(point)
        if self.shares is None:
            return float(self.minimise[: len(point)] @ point)
        return -float(np.sort(self.shares @ point)[: self.level].sum())

    def told(self, value: float) -> float:
        """A value or bound as a reader is told it: work and shares as the most there is."""
        return self.shift + self.sign * value

    def untold(self, amount: float) -> float:
        """The value behind an amount that a reader is told."""
        return self.sign * (amount - self.shift)


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
        return bound is not None and value - bound <= PROVED_GOAL * max(abs(value), 1e-9)


def shares(register: Register, program: Program) -> tuple[Floats, tuple[int, ...]]:
    """
    Part of the weighted work that can be done that a column gives its consortium, over weight.

    Returns
    -------
    (ndarray [consortium, column], tuple of int)
        Shares, and the consortiums with a weight and with work that some column can do.
        What no column can do is not asked for here, since no plan could give it. [1]
    """
    case, columns = register.case, program.columns
    owner = register.column_job
    team = np.where(owner >= 0, case.job_consortium[np.maximum(owner, 0)], -1)
    asked = asked_work(register, program)
    matrix = np.zeros((len(asked), len(columns.names)))
    for at in np.flatnonzero((asked > 0) & (case.consortium_weight > 0)).tolist():
        mine = team == at
        matrix[at, mine] = columns.value[mine] / asked[at] / case.consortium_weight[at]
    able = tuple(np.flatnonzero(matrix.any(axis=1)).tolist())
    return matrix, able


def asked_work(register: Register, program: Program) -> Floats:
    """Weighted work that each consortium asks for, of what some column can do. [consortium]"""
    case, columns = register.case, program.columns
    owner = register.column_job
    best = np.zeros(len(case.job_names))
    of_job = owner >= 0
    np.maximum.at(best, owner[of_job], (columns.value * columns.upper)[: len(owner)][of_job])
    asked = np.bincount(case.job_consortium, best, minlength=len(case.consortium_names))
    return asked.astype(np.float64)


def shares_reached(
    register: Register, program: Program, value: Floats
) -> tuple[Floats, tuple[int, ...]]:
    """
    Shares over weights that a plan gives, from the worth of each job without the weight.

    Returns
    -------
    (ndarray, tuple of int)
        Of the consortiums that `shares` has, and their rows.
    """
    case, asked = register.case, asked_work(register, program)
    got = np.bincount(case.job_consortium, value, minlength=len(asked))
    able = tuple(np.flatnonzero((asked > 0) & (case.consortium_weight > 0)).tolist())
    return got[list(able)] / asked[list(able)], able


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
    top = max((1.0 / register.case.consortium_weight[c] for c in able), default=1.0)
    names = tuple(register.case.consortium_names[team] for team in able)
    wide, goals = level_goals(program, names, matrix[list(able)], np.zeros(len(able)), top)
    return wide, (*goals, *work_and_cost(wide))


def level_goals(
    program: Program, names: tuple[str, ...], matrix: Floats, offset: Floats, top: float
) -> tuple[Program, tuple[Goal, ...]]:
    """
    Levels of the worst-off, one goal after the other; see `max_min_goals`.

    Parameters
    ----------
    program : Program
        With all columns that shares are made of.
    names : tuple of str
        Consortiums that count.
    matrix : ndarray [consortium, column]
        Share that a unit of a column gives.
    offset : ndarray [consortium]
        Share that each has without any; not negative.
    top : float
        No share is above it.

    Returns
    -------
    (Program, tuple of Goal)
        The program with columns and rows of levels behind it, and a goal for each level.
    """
    levels = min(len(names), MAX_LEVELS)
    base, per = len(program.columns.names), 1 + len(names)
    wide = widened(program.columns, [top] * (levels * per))
    rows: list[Row] = list(program.rows)
    goals = []
    for level in range(levels):
        first = base + level * per
        minimise = np.zeros(base + levels * per)
        minimise[first] = -(level + 1.0)
        minimise[first + 1 : first + per] = 1.0
        goals.append(
            Goal(f"level {level + 1}", minimise, shares=matrix, level=level + 1, sign=-1.0)
        )
        for place, name in enumerate(names):
            used = np.flatnonzero(matrix[place])
            rows.append(
                row_of(
                    f"level_{level}_{place}",
                    np.concatenate([[first, first + 1 + place], used]),
                    np.concatenate([[1.0, -1.0], -matrix[place, used]]),
                    family="level",
                    group=f"the share of `{name}`",
                    sentence=f"`{name}` counts with its share in level {level + 1}",
                    bound=float(offset[place]),
                )
            )
    return Program(wide, tuple(rows)), tuple(goals)


def work_and_cost(wide: Program) -> tuple[Goal, Goal]:
    """Weighted work, and cost last."""
    columns = wide.columns
    return Goal("work", -columns.value, sign=-1.0), Goal("cost", columns.cost)


def min_cost_goals(program: Program, work_frac: float) -> tuple[Program, tuple[Goal, ...]]:
    """The cheapest plan that does at least a part of the most weighted work there can be."""
    columns = program.columns
    return program, (
        Goal("work", -columns.value, 1.0 - work_frac, sign=-1.0),
        Goal("cost", columns.cost),
    )


def widened(columns: ColumnTable, upper: list[float], prefix: str = "level") -> ColumnTable:
    """Columns with continuous ones of no value and cost behind them."""
    more = len(upper)
    zero = np.zeros(more)
    return ColumnTable(
        names=(*columns.names, *(f"{prefix}{at:06d}" for at in range(more))),
        upper=np.concatenate([columns.upper, np.array(upper)]),
        is_integer=np.concatenate([columns.is_integer, np.zeros(more, dtype=np.bool_)]),
        value=np.concatenate([columns.value, zero]),
        cost=np.concatenate([columns.cost, zero]),
    )


def worst_off(register: Register, program: Program, point: Floats) -> tuple[float, str]:
    """
    The consortium with the smallest share over weight at a point, and its share. [1]

    The share is of the work that can be done for it, without the weight; 1 when nobody can
    get any.
    """
    matrix, able = shares(register, program)
    if not able:
        return 1.0, ""
    got = matrix[list(able)] @ point
    team = able[int(np.argmin(got))]
    share = float(got.min()) * float(register.case.consortium_weight[team])
    return share, register.case.consortium_names[team]


def hold(goal: Goal, value: float, at: int) -> Row:
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
