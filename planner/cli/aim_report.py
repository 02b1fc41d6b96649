"""The aim of a plan for a reader: each goal with what prices prove and what the solver says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.cli.output import Section
from planner.cli.table import Column, Table, significant

__all__ = ["aim_blocks", "aim_lines"]

NEAR = 1e-5


def aim_blocks(plan: Mapping[str, Any]) -> tuple[Table | Section, ...]:
    """The goals of the policy, one row each; nothing for plans of weighted work alone."""
    goals = _goals(plan)
    if not goals:
        return ()
    columns = (
        Column("goal", "goal"),
        Column("reached", "reached", kind="number"),
        Column("bound", "prices prove", kind="number"),
        Column("said", "solver says", kind="number"),
    )
    rows = tuple((one["goal"], one["reached"], one["bound"], one["said"]) for one in goals)
    title = "goals of the policy, each with those before held"
    return Table(columns, rows, title=title), Section("", _alone(plan))


def aim_lines(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """What the file proves less of than the solver says, in a line; `-v` has all of it."""
    weaker = [
        one for one in _goals(plan)
        if one["said"] is not None and not _is_near(one["bound"], one["said"])
    ]  # fmt: skip
    if not weaker:
        return ()
    one = weaker[0]
    proved = "nothing" if one["bound"] is None else significant(float(one["bound"]))
    text = (
        f"aim: for {one['goal']} the solver says that nothing is beyond "
        f"{significant(float(one['said']))}; the prices in the plan file, which anyone can check, "
        f"prove {proved}."
    )
    return (text,)


def _goals(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Goals of a policy other than weighted work, whose bound the certificate proves."""
    if plan["verdict"]["policy"] == "weighted-work":
        return []
    return list((plan.get("aim") or {}).get("goals") or [])


def _is_near(bound: float | None, said: float) -> bool:
    return bound is not None and abs(bound - said) <= NEAR * max(abs(said), 1e-9)


def _alone(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Days of the stand-alone plans that finish times are compared with."""
    return tuple(
        f"{one['consortium']} alone with an equal part: {significant(one['days'])} days to the "
        f"ends of its jobs in the mean{'' if one['runs'] else ', since it could do nothing'}"
        for one in (plan.get("aim") or {}).get("alone") or ()
    )
