"""The aim of a plan: each goal with what is reached, what prices prove, what the solver said."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["AimedGoal", "Alone", "AloneRun", "PlanAim", "read_aim", "written_aim"]


@dataclass(frozen=True)
class AimedGoal:
    """
    One goal of a policy, in order of importance; amounts as a reader is told them.

    `bound` is what the prices prove: by weak duality no plan that holds the goals before is
    beyond it. `said` is the solver's own bound, often nearer, which the file cannot prove.
    `touch` has, for proportional shares, the shares at which logarithms are replaced by
    their tangents. None where there is none.
    """

    name: str
    reached: float
    bound: float | None
    said: float | None
    prices: tuple[tuple[str, float], ...] = ()
    touch: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class AloneRun:
    """What one job holds in a stand-alone plan."""

    job: str
    pool: str
    nodes: int
    first: datetime.date
    last: datetime.date  # included


@dataclass(frozen=True)
class Alone:
    """A consortium alone with an equal part: its mean days, the least proved, and its runs."""

    consortium: str
    days: float
    said: float | None  # the solver's bound
    runs: tuple[AloneRun, ...]


@dataclass(frozen=True)
class PlanAim:
    """The goals of a plan's policy; `alone` where finish times are compared with it."""

    work_frac: float  # part of the most work that policies of the least have to do
    goals: tuple[AimedGoal, ...]
    alone: tuple[Alone, ...] = ()


def written_aim(aim: PlanAim | None) -> dict[str, Any] | None:
    """An aim as plain types."""
    if aim is None:
        return None
    return {
        "work_frac": aim.work_frac,
        "goals": [
            {
                "goal": one.name,
                "reached": one.reached,
                "bound": one.bound,
                "said": one.said,
                "prices": dict(one.prices),
                "touch": dict(one.touch),
            }
            for one in aim.goals
        ],
        "alone": [
            {
                "consortium": one.consortium,
                "days": one.days,
                "said": one.said,
                "runs": [
                    {
                        "job": run.job,
                        "pool": run.pool,
                        "nodes": run.nodes,
                        "from": run.first.isoformat(),
                        "to": run.last.isoformat(),
                    }
                    for run in one.runs
                ],
            }
            for one in aim.alone
        ],
    }


def read_aim(data: Any) -> PlanAim | None:
    """
    The aim that a plan file states; None where it states none.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        Fields that are missing or of another kind.
    """
    if data is None:
        return None
    return PlanAim(
        work_frac=float(data["work_frac"]),
        goals=tuple(_goal(one) for one in data["goals"]),
        alone=tuple(_alone(one) for one in data.get("alone") or ()),
    )


def _goal(data: Mapping[str, Any]) -> AimedGoal:
    return AimedGoal(
        name=str(data["goal"]),
        reached=float(data["reached"]),
        bound=_number(data["bound"]),
        said=_number(data["said"]),
        prices=_named(data["prices"]),
        touch=_named(data["touch"]),
    )


def _alone(data: Mapping[str, Any]) -> Alone:
    day = datetime.date.fromisoformat
    runs = tuple(
        AloneRun(str(run["job"]), str(run["pool"]), int(run["nodes"]), day(run["from"]),
                 day(run["to"]))
        for run in data["runs"]
    )  # fmt: skip
    return Alone(str(data["consortium"]), float(data["days"]), _number(data["said"]), runs)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _named(data: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    return tuple((str(name), float(amount)) for name, amount in data.items())
