"""The goals of a policy, what a plan reaches of each, and the bound that prices prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats
from planner.allocation.policy.figures import Figures
from planner.allocation.policy.finish_time import FinishTerms, finish_time_goals, ratios
from planner.allocation.policy.goal import (
    Goal,
    hold,
    max_min_goals,
    min_cost_goals,
    shares_reached,
    work_and_cost,
)
from planner.allocation.policy.least import min_energy_goals, min_makespan_goals
from planner.allocation.policy.lumps import least_share, level_shares, useless
from planner.allocation.policy.proportions import proportions, touching
from planner.allocation.program.dual import bound_of
from planner.allocation.program.register import Register
from planner.allocation.program.row import AT_LEAST, Program, Row, row_of

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["Aim", "aim_of", "bound_by", "keeps_all", "priced_program", "reached_by"]

HELD = 1e-7  # part of a goal that `hold` gives up to float noise


@dataclass(frozen=True)
class Aim:
    """A policy over a program: the wider program of its goals, and how finish times count."""

    policy: str
    register: Register
    program: Program
    wide: Program
    goals: tuple[Goal, ...]
    terms: FinishTerms | None = None
    alone_days: Floats | None = None  # [consortium]

    @property
    def case(self) -> Case:
        """The case that the program is of."""
        return self.register.case


def keeps_all(policy: str) -> bool:
    """Whether a policy may want runs that work and cost alone make needless."""
    return policy in ("min-energy", "min-makespan", "finish-time")


def aim_of(
    register: Register,
    program: Program,
    policy: str,
    work_frac: float,
    *,
    terms: FinishTerms | None = None,
    alone_days: Floats | None = None,
) -> Aim:
    """
    The goals of a policy.

    Parameters
    ----------
    register, program : Register, Program
        What there is to choose from.
    policy : str
        One of `planner.allocation.policy.goal.POLICIES`.
    work_frac : float
        Part of the most weighted work that policies of the least have to do. [1]
    terms, alone_days : FinishTerms, ndarray [consortium]
        For ``finish-time``: how days count, and those of the stand-alone plans. [day]
    """
    wide, goals = program, work_and_cost(program)
    if policy == "max-min":
        wide, found = max_min_goals(register, program)
        return Aim(policy, register, program, wide, found)
    if policy == "finish-time":
        if terms is None or alone_days is None:
            raise ValueError("finish times are compared with those of stand-alone plans")
        wide, found = finish_time_goals(register, program, terms, alone_days)
        return Aim(policy, register, program, wide, found, terms, alone_days)
    if policy == "proportional":
        nothing = np.zeros(len(program.columns.names))
        return Aim(policy, register, program, program,
                   (Goal("proportional", nothing, sign=-1.0), goals[1]))  # fmt: skip
    if policy == "min-energy":
        wide, found = min_energy_goals(register, program, work_frac)
    elif policy == "min-makespan":
        wide, found = min_makespan_goals(register, program, work_frac)
    elif policy == "min-cost":
        wide, found = min_cost_goals(program, work_frac)
    else:
        found = goals
    return Aim(policy, register, program, wide, found)


def reached_by(aim: Aim, figures: Figures) -> tuple[float, ...]:
    """What a plan reaches of each goal, as minimised, from its figures alone."""
    case = aim.case
    weight = case.consortium_weight[case.job_consortium]
    work = float(weight @ figures.value)
    known = {
        "work": -work,
        "cost": figures.cost,
        "energy": figures.energy_j,
        "last day": float(figures.end_day.max(initial=0.0)),
    }
    found = []
    for goal in aim.goals:
        if goal.name in known:
            found.append(known[goal.name])
        elif aim.policy == "proportional":
            mine = proportions(aim.register, aim.program)
            share = shares_reached(aim.register, aim.program, figures.value)[0] * mine.weight
            found.append(-mine.worth_of(share))
        elif aim.policy == "max-min":
            got = shares_reached(aim.register, aim.program, figures.value)[0]
            found.append(-float(np.sort(got)[: goal.level].sum()))
        else:
            found.append(_largest(aim, figures, goal.level) - goal.shift)
    return tuple(found)


def _largest(aim: Aim, figures: Figures, level: int) -> float:
    """Sum of the largest weighted ratios of days to those alone."""
    if aim.terms is None or aim.alone_days is None:
        return 0.0
    ratio = ratios(aim.case, aim.terms, figures, aim.alone_days) * aim.case.consortium_weight
    counts = aim.terms.counts & (aim.alone_days > 0)
    return float(np.sort(ratio[counts])[::-1][:level].sum())


def priced_program(
    aim: Aim, at: int, reached: Sequence[float], touch: Mapping[str, float]
) -> tuple[Program, float]:
    """
    The program of one goal with the goals before it held, as a maximisation.

    Parameters
    ----------
    aim : Aim
        The goals.
    at : int
        Row of the goal.
    reached : sequence of float
        What the plan reaches of the goals before, as minimised.
    touch : mapping of str to float
        For proportional shares: the share of each consortium at which the logarithm is
        replaced by its tangent, which lies above it. [1]

    Returns
    -------
    (Program, float)
        Its largest value and the number together are minus the least that the goal can be.
    """
    goal, columns = aim.goals[at], aim.wide.columns
    if goal.name == "proportional":
        mine = proportions(aim.register, aim.program)
        share = np.array([max(float(touch.get(name, 1.0)), 0.0) for name in mine.names])
        slope, rest = touching(mine, share)
        value = slope @ mine.matrix if len(mine.names) else np.zeros(len(columns.names))
        return Program(replace(columns, value=value), aim.program.rows), rest
    held = tuple(hold(aim.goals[k], reached[k], k) for k in range(at))
    if aim.policy == "proportional":
        held = ()
    upper = columns.upper
    if at > 0 and aim.goals[0].level == 1:
        upper, lumps = _with_lumps(aim, -reached[0])
        held = (*held, *lumps)
    kept = replace(columns, value=-goal.minimise, upper=upper)
    return Program(kept, (*aim.wide.rows, *held)), 0.0


def _with_lumps(aim: Aim, smallest: float) -> tuple[Floats, tuple[Row, ...]]:
    """
    Bounds of columns and rows that every plan keeps which holds the share of the worst-off.

    Whole runs with which a consortium cannot reach that share are left out, and each one's
    share is at least the next that whole runs, one a job, add up to; see `lumps`.
    """
    upper, rows = aim.wide.columns.upper.copy(), []
    least = smallest - 2 * HELD * max(abs(smallest), 1e-6)
    matrix, offset = level_shares(aim.wide)
    for place, share in enumerate(matrix):
        upper[useless(aim.register, share, float(offset[place]), least)] = 0.0
        used = np.flatnonzero(share)
        enough = least_share(aim.register, share, float(offset[place]), least)
        rows.append(
            row_of(f"least_{place}", used, share[used], bound=enough - float(offset[place]),
                   family="least", group="the worst-off", sense=AT_LEAST,
                   sentence="every consortium has at least the share of the worst-off")
        )  # fmt: skip
    return upper, tuple(rows)


def bound_by(
    aim: Aim,
    at: int,
    reached: Sequence[float],
    prices: Mapping[str, float],
    touch: Mapping[str, float],
) -> float:
    """
    The least that one goal can be in any plan that holds the goals before, by prices of rows.

    Valid whatever the prices are, by weak duality; no solver takes part. As minimised.
    """
    program, rest = priced_program(aim, at, reached, touch)
    own = np.array([float(prices.get(row.name, 0.0)) for row in program.rows])
    return -bound_of(program, own) - rest
