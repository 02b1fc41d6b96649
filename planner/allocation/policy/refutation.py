"""Proof that no plan is better in the first thing a policy wants, which lumps leave to be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from planner.allocation.policy.goal import widened
from planner.allocation.policy.least import end_days
from planner.allocation.policy.lumps import least_share, level_shares, useless
from planner.allocation.program.dual import bound_of
from planner.allocation.program.row import Program, row_of
from planner.allocation.proof.aim import Aim, bound_by

__all__ = ["BETTER", "can_refute", "goal_bound", "is_refuted", "refutation"]

NOTHING = 1e300  # a bound that says nothing
BETTER = "better plans"
NOISE = 1e-7  # of a share: better by less is not better


def can_refute(aim: Aim, at: int) -> bool:
    """Whether a goal is one that `refutation` speaks of."""
    first_level = aim.policy in ("max-min", "finish-time") and at == 0 and aim.goals[0].level == 1
    return first_level or (aim.policy == "min-makespan" and at == 1)


def refutation(aim: Aim, at: int, reached: Sequence[float]) -> tuple[Program, float]:
    """
    A program that every better plan would bring to a least value.

    Parameters
    ----------
    aim : Aim
        The goals.
    at : int
        Row of the goal; see `can_refute`.
    reached : sequence of float
        What the plan reaches of the goals, as minimised.

    Returns
    -------
    (Program, float)
        The program to maximise, and the value. Prices that prove less prove that there is no
        better plan.

    Notes
    -----
    Of the worst-off: in a better plan every consortium c has a share above z, so at least
    s_c, the smallest above z among the sums of shares of one whole plan a job. Then

    max t    with    s_c t <= share of c    for every c

    is 1 or more; and only runs count with which c can get above z at all. Of the last day: a
    better plan has runs that end before it alone, and does the work that has to be done.
    """
    columns = aim.wide.columns
    if aim.policy == "min-makespan":
        ends = end_days(aim.register)
        late = np.zeros(len(columns.names), dtype=np.bool_)
        late[: len(ends)] = ends >= reached[1]
        upper = np.where(late, 0.0, columns.upper)
        kept = replace(columns, value=-aim.goals[0].minimise, upper=upper)
        need = -(1.0 - aim.goals[0].give_frac) * reached[0]
        return Program(kept, aim.wide.rows), need - 2e-7 * max(abs(reached[0]), 1e-6)
    least = -reached[0] + NOISE * max(abs(reached[0]), 1e-6)
    matrix, offset = level_shares(aim.wide)
    wide = widened(columns, [1.0], "better")
    upper, count = wide.upper.copy(), len(columns.names)
    rows = list(aim.wide.rows)
    for place, share in enumerate(matrix):
        upper[:count][useless(aim.register, share, float(offset[place]), least)] = 0.0
        used = np.flatnonzero(share)
        enough = least_share(aim.register, share, float(offset[place]), least)
        rows.append(
            row_of(f"better_{place}", np.append(used, count), np.append(-share[used], enough),
                   bound=float(offset[place]), family="better", group="a better plan",
                   sentence="in a better plan every consortium has a share above the smallest")
        )  # fmt: skip
    value = np.zeros(count + 1)
    value[count] = 1.0
    return Program(replace(wide, value=value, upper=upper), tuple(rows)), 1.0


def is_refuted(aim: Aim, at: int, reached: Sequence[float], prices: dict[str, float]) -> bool:
    """Whether prices prove that no plan is better in a goal; no solver takes part."""
    program, need = refutation(aim, at, reached)
    own = np.array([float(prices.get(row.name, 0.0)) for row in program.rows])
    return bound_of(program, own) < need - 1e-9 * max(abs(need), 1e-9)


def goal_bound(
    aim: Aim,
    at: int,
    reached: Sequence[float],
    prices: Mapping[str, float],
    touch: Mapping[str, float],
) -> float:
    """
    The least that one goal can be, by prices of either kind, as minimised.

    With `BETTER` in `touch` they are of the refutation, and prove what is reached or nothing.
    """
    if BETTER not in touch or not can_refute(aim, at):
        return bound_by(aim, at, reached, prices, touch)
    if not is_refuted(aim, at, reached, dict(prices)):
        return -NOTHING
    noise = 0.0 if aim.policy == "min-makespan" else NOISE * max(abs(reached[0]), 1e-6)
    return reached[at] - noise
