"""Stand-alone plans: how soon each consortium would be done alone with an equal part."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats
from hardware.errors import SolverFailure
from planner.allocation.answer.placement import PlacementTable, placements
from planner.allocation.offer.option import enumerate_options
from planner.allocation.policy.figures import figures_of_placements
from planner.allocation.policy.finish_time import FinishTerms, finish_goal, mean_days
from planner.allocation.policy.otherwise import equal_part
from planner.allocation.policy.sequence import reach
from planner.allocation.program.families import build_program
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["StandAlone", "stand_alone"]


@dataclass(frozen=True)
class StandAlone:
    """The plan of least mean days of each consortium alone with an equal part."""

    terms: FinishTerms
    days: Floats  # [consortium] 0 for those that do not count
    bound: tuple[float | None, ...]  # [consortium] days below which the solver sees no plan
    placed: tuple[PlacementTable | None, ...]  # [consortium] None where nothing is placed

    @property
    def is_idle(self) -> Bools:
        """Consortiums that count but could do nothing alone. [consortium]"""
        return self.terms.counts & np.array([one is None for one in self.placed], dtype=np.bool_)


def stand_alone(case: Case, terms: FinishTerms, *, ask: Engine, limits: Limits) -> StandAlone:
    """
    What each consortium that counts could do alone with `standing.equal_part`.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    terms : FinishTerms
        How the days of jobs add up.
    ask : Engine
        The solver.
    limits : Limits
        The time is for all of them. [s]

    Returns
    -------
    StandAlone
        Where no plan is found in time, or a part of the pools is too small for any job, the
        days are those of nothing done, and the ratio of the consortium is at most 1.
    """
    count = len(case.consortium_names)
    days = np.zeros(count)
    bounds: list[float | None] = [None] * count
    placed: list[PlacementTable | None] = [None] * count
    nothing = terms.unserved_days(case)
    ends = time.monotonic() + limits.time_limit_s
    teams = np.flatnonzero(terms.counts).tolist()
    for at, team in enumerate(teams):
        left = (ends - time.monotonic()) / (len(teams) - at)
        given = replace(limits, time_limit_s=max(left, 0.2), on_progress=None)
        days[team], bounds[team], placed[team] = _one(case, terms, team, float(nothing[team]),
                                                      ask, given)  # fmt: skip
    return StandAlone(terms, days, tuple(bounds), tuple(placed))


def _one(
    case: Case, terms: FinishTerms, team: int, nothing: float, ask: Engine, limits: Limits
) -> tuple[float, float | None, PlacementTable | None]:
    """Days, the solver's bound on them and what is held, for one consortium."""
    part = equal_part(case, team)
    program, register = build_program(part, enumerate_options(part, keeps_all=True))
    if not program.columns.names:
        return nothing, nothing, None
    wide, goal = finish_goal(register, program, terms, team)
    try:
        found = reach(program, wide, (goal,), ask=ask, limits=limits)
    except SolverFailure:
        return nothing, None, None
    bound = found.bounds[0] if found.bounds else None
    said = None if bound is None else max(goal.told(bound), 0.0)
    if found.point is None:
        return nothing, said, None
    held = placements(register, found.point)
    if len(held) == 0:
        return nothing, said, None
    days = float(mean_days(case, terms, figures_of_placements(register, held))[team])
    return days, None if said is None else min(said, days), held
