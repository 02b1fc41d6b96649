"""The least of something for given work: energy, or days until all of it is done."""

from __future__ import annotations

import numpy as np

from hardware.column import Floats
from planner.allocation.policy.goal import Goal, widened
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program, Row, row_of

__all__ = ["end_days", "energy_per_column", "min_energy_goals", "min_makespan_goals"]

DAY_S = 86400.0


def energy_per_column(register: Register) -> Floats:
    """
    Energy at the wall of one unit of each column, facility included. [J]

    A run draws its point's mean power on every day that it holds its nodes, those on which
    it moves included; nodes that nobody holds are not counted.
    """
    options, modes, held = register.options, register.options.modes, register.held
    whole = np.flatnonzero(~register.case.job_partial[modes.job])
    of_mode = modes.point[np.concatenate([whole, register.part_modes])]
    point = np.concatenate([options.runs.point, options.links.point, of_mode])
    energy = np.zeros(register.offsets["end"])
    drawn = register.case.point_power_w[point.astype(np.int64)] * held.days * DAY_S
    np.add.at(energy, held.column, drawn)
    return energy


def min_energy_goals(
    register: Register, program: Program, work_frac: float
) -> tuple[Program, tuple[Goal, ...]]:
    """
    The plan of least energy that does at least a part of the most weighted work.

    First the most weighted work W, then

    min  sum_k energy_k x_k    with    sum_k value_k x_k >= work_frac W

    and the least cost last. Proved is what the solver's bounds prove of both steps: the
    words say so, and where the first is not proved the energy is that for the work found.
    """
    columns = program.columns
    energy = energy_per_column(register)
    return program, (
        Goal("work", -columns.value, 1.0 - work_frac, sign=-1.0),
        Goal("energy", energy),
        Goal("cost", columns.cost),
    )


def end_days(register: Register) -> Floats:
    """Day on which what a column holds is free again; 0 for columns that hold nothing. [day]"""
    spans = register.spans
    days = np.zeros(register.offsets["end"])
    np.maximum.at(days, spans.column, spans.end_day)
    return days


def min_makespan_goals(
    register: Register, program: Program, work_frac: float
) -> tuple[Program, tuple[Goal, ...]]:
    """
    The plan whose last run ends first, of those that do a part of the most weighted work.

    First the most weighted work W, then

    min M    with    sum_{k in plans(j)} end_k x_k <= M for every job j

    and the work held; the least cost last. A job that pauses counts to the end of its last
    piece, even where it is done within it. Ends are whole days, so a bound is rounded up to
    the next: within a day of it nothing is better.
    """
    columns, ends = program.columns, end_days(register)
    count, pieces = len(columns.names), register.offsets["piece"]
    plans = register.plans
    parts = [np.flatnonzero(plans.job == job) for job in np.unique(plans.job).tolist()]
    parts += [np.array([pieces + at]) for at in range(len(register.options.pieces))]
    rows: list[Row] = [
        row_of(
            f"makespan_{number}",
            np.append(part, count),
            np.append(ends[part], -1.0),
            family="makespan",
            group="the last day",
            sentence="no run ends after the last day",
            bound=0.0,
        )
        for number, part in enumerate(parts)
    ]
    wide = Program(widened(columns, [float(register.case.days)]), (*program.rows, *rows))
    last = np.zeros(count + 1)
    last[count] = 1.0
    return wide, (
        Goal("work", np.append(-columns.value, 0.0), 1.0 - work_frac, sign=-1.0),
        Goal("last day", last, measure=lambda point: float((ends * (point > 0.5)).max(initial=0))),
        Goal("cost", np.append(columns.cost, 0.0)),
    )
