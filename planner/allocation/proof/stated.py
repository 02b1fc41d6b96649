"""A plan's aim as its file states it, and the same read back for words and checks."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats
from planner.allocation.policy.figures import Figures
from planner.allocation.policy.goal import Reached
from planner.allocation.proof.aim import Aim, reached_by
from planner.plan_aim import AimedGoal, Alone, AloneRun, PlanAim

if TYPE_CHECKING:
    from planner.allocation.answer.placement import PlacementTable
    from planner.allocation.policy.stand_alone import StandAlone
    from planner.case import Case

__all__ = ["alone_days", "held_values", "of_plan", "reached_of", "stated_aim"]


def stated_aim(
    aim: Aim, reached: Reached, work_frac: float, alone: StandAlone | None = None
) -> PlanAim:
    """The goals reached, with the solver's bounds; prices come later."""
    goals = []
    for goal, value, bound in zip(aim.goals, reached.reached, reached.bounds, strict=False):
        if not np.isfinite(value):
            break
        said = None if bound is None or not np.isfinite(bound) else goal.told(bound)
        goals.append(AimedGoal(goal.name, goal.told(value), None, said))
    return PlanAim(work_frac, tuple(goals), _alone(aim.case, alone))


def of_plan(aim: Aim, stated: PlanAim, figures: Figures) -> PlanAim:
    """The same with what the plan reaches by its own figures; see `held_values`."""
    values = held_values(aim, stated, figures)
    goals = tuple(
        replace(one, reached=goal.told(value))
        for one, goal, value in zip(stated.goals, aim.goals, values, strict=False)
    )
    return replace(stated, goals=goals)


def held_values(aim: Aim, stated: PlanAim, figures: Figures) -> tuple[float, ...]:
    """
    What later goals hold on to, as minimised: what the plan reaches by its own figures.

    Of a goal of which the plan gives up a part, such as half of the most work, it is what was
    found before, as stated.
    """
    values = reached_by(aim, figures)
    return tuple(
        goal.untold(one.reached) if goal.give_frac > 0 else value
        for one, goal, value in zip(stated.goals, aim.goals, values, strict=False)
    )


def reached_of(aim: Aim, stated: PlanAim) -> Reached:
    """What a stated aim says was reached and is bounded by the solver, as minimised."""
    pairs = list(zip(aim.goals, stated.goals, strict=False))
    return Reached(
        None,
        tuple(goal.untold(one.reached) for goal, one in pairs),
        tuple(None if one.said is None else goal.untold(one.said) for goal, one in pairs),
        False,
        False,
        0.0,
    )


def alone_days(case: Case, stated: PlanAim) -> Floats:
    """Days of the stand-alone plans, 0 for consortiums without one. [consortium]"""
    days = np.zeros(len(case.consortium_names))
    for one in stated.alone:
        days[case.consortium_names.index(one.consortium)] = one.days
    return days


def _alone(case: Case, alone: StandAlone | None) -> tuple[Alone, ...]:
    """Stand-alone plans of the consortiums that count."""
    if alone is None:
        return ()
    return tuple(
        Alone(
            case.consortium_names[team],
            float(alone.days[team]),
            alone.bound[team],
            _runs(case, alone.placed[team]),
        )
        for team in np.flatnonzero(alone.terms.counts).tolist()
    )


def _runs(case: Case, placed: PlacementTable | None) -> tuple[AloneRun, ...]:
    """What jobs hold, by name."""
    if placed is None:
        return ()
    columns = (placed.job, placed.pool, placed.nodes, placed.start_day, placed.end_day)
    return tuple(
        AloneRun(
            case.job_names[job],
            case.pool_names[pool],
            nodes,
            case.first_day + datetime.timedelta(days=start),
            case.first_day + datetime.timedelta(days=end - 1),
        )
        for job, pool, nodes, start, end in zip(*(c.tolist() for c in columns), strict=True)
    )
