"""The compact program of a case, one binary a job, way and period, to compare with."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from hardware.column import Floats
from planner.allocation.program.row import EQUAL, ColumnTable, Program, Row, row_of
from planner.allocation.program.settle import is_feasible
from planner.allocation.solver.engine import Task, engine
from planner.case import Case

__all__ = ["Reached", "compact_program", "solve_compact"]

DAY_S = 86400.0


class Reached(NamedTuple):
    """Value that a solver reached in the compact program, and its bound where it gives one."""

    value: float
    bound: float | None
    seconds: float
    columns: int


def compact_program(case: Case) -> Program:
    """
    Maximise sum_j value_j y_j over runs that keep their pool and node count without a break.

    z_{j,m} way of running; x_{j,m,t} nodes held in period t; s_{j,m,t} start; work in whole
    periods, which asks for no more than runs by the day do on average.
    """
    periods = len(case.border_day) - 1
    days = np.diff(case.border_day).astype(np.float64)
    points = np.flatnonzero(case.pair_reason[_pair(case)] == 0)
    many, jobs = len(points), len(case.job_names)
    y, z = np.arange(jobs), jobs + np.arange(many)
    x = jobs + many + np.arange(many * periods).reshape(many, periods)
    s = x + many * periods
    rows: list[Row] = []

    def add(columns: object, amounts: object, bound: float = 0.0, sense: int = -1) -> None:
        words = {"family": "compact", "group": "", "sentence": ""}
        terms = np.asarray(columns), np.asarray(amounts, dtype=np.float64)
        rows.append(row_of(f"row_{len(rows)}", *terms, sense=sense, bound=bound, **words))  # type: ignore[arg-type]

    job, pool = case.point_job[points], case.point_pool[points]
    for one in range(jobs):
        mine = np.flatnonzero(job == one)
        add(np.append(z[mine], y[one]), np.append(np.ones(len(mine)), -1.0), sense=EQUAL)
    pair = _pair(case)[points]
    release, due = case.pair_release_day[pair], case.pair_due_day[pair]
    upper = np.ones(int(s.max()) + 1)
    for at in range(many):
        done = case.point_tokens_per_s[points[at]] * DAY_S * days / case.job_tokens[job[at]]
        add(np.append(x[at], z[at]), np.append(-done, 1.0))
        add(s[at], np.ones(periods), 1.0)
        for t in range(periods):
            outside = case.border_day[t] < release[at] or case.border_day[t + 1] > due[at]
            upper[x[at, t]] = 0.0 if outside else 1.0
            add([x[at, t], z[at]], [1.0, -1.0])
            before = [x[at, t - 1]] if t else []
            add([x[at, t], *before, s[at, t]], [1.0, *(-1.0 for _ in before), -1.0])
    nodes = case.point_nodes[points].astype(np.float64)
    for one in range(len(case.pool_names)):
        mine = np.flatnonzero(pool == one)
        for t in range(periods):
            add(x[mine, t], nodes[mine], float(case.pool_nodes[one, t]))
    cost = case.point_cost_per_day[points][:, None] * days
    for team in np.flatnonzero(case.consortium_budget >= 0).tolist():
        mine = np.flatnonzero(case.job_consortium[job] == team)
        add(x[mine].ravel(), cost[mine].ravel(), float(case.consortium_budget[team]))
    value: Floats = np.zeros(len(upper))
    value[y] = case.job_value * case.consortium_weight[case.job_consortium]
    names = tuple(f"x{number:07d}" for number in range(len(upper)))
    columns = ColumnTable(names, upper, np.ones(len(upper), dtype=np.bool_), value, value * 0.0)
    return Program(columns, tuple(rows))


def solve_compact(case: Case, solver: str, time_limit_s: float) -> Reached:
    """What a solver reaches in the compact program."""
    began = time.monotonic()
    program = compact_program(case)
    ask, _, _ = engine(solver)
    answer = ask(Task(program, -program.columns.value, time_limit_s=time_limit_s, gap_frac=1e-3))
    point = None if answer.point is None else np.round(answer.point)
    value = 0.0
    if point is not None and is_feasible(program, point):
        value = float(program.columns.value @ point)
    bound = None if answer.bound is None else -answer.bound
    return Reached(value, bound, time.monotonic() - began, len(program.columns.names))


def _pair(case: Case) -> np.ndarray:
    """Row of the pair table of each point."""
    return np.asarray(case.point_job * len(case.pool_names) + case.point_pool)
