"""Constraint families of support: equal for all of a programme, and used by its dates."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.program.register import Register
from planner.allocation.program.row import AT_LEAST, Row, row_of

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["FAMILIES", "compares_support"]


def compares_support(case: Case) -> bool:
    """Whether support or lending is ruled: insertion at prices knows no such rule."""
    rules = len(case.use_consortium) + len(case.borrow_job)
    return case.equal_support_frac >= 0 or rules > 0


def equal_support(register: Register) -> Iterator[Row]:
    """
    Consortiums compared with each other hold nearly as much, each over its own days.

    u_c = sum_{held h of c} equivalent_h nodes_h days_h x_h / days_c
    (1 - share) u_b - u_a <= 0    for every ordered pair (a, b) of one group

    Both orders of a pair together say that the difference is at most `share` of the larger.
    days_c are the consortium's own days of support in the horizon, so one that joins late or
    leaves early is measured over fewer days. Pairs, and no common level, since the program
    has whole columns alone.
    """
    case = register.case
    if case.equal_support_frac < 0:
        return
    mean = [_mean(register, team) for team in range(len(case.consortium_names))]
    for group in np.unique(case.support_group[case.support_group >= 0]).tolist():
        teams = np.flatnonzero(case.support_group == group).tolist()
        for more in teams:
            if len(mean[more][0]) == 0:
                continue
            for less in teams:
                if less != more:
                    yield _near(case, mean, less, more)


def _near(case: Case, mean: list[tuple[Ints, Floats]], less: int, more: int) -> Row:
    """The row that one consortium holds at most so much more than another."""
    names, frac = case.consortium_names, case.equal_support_frac
    return row_of(
        f"equal_{less}_{more}",
        np.concatenate([mean[more][0], mean[less][0]]),
        np.concatenate([(1 - frac) * mean[more][1], -mean[less][1]]),
        family="equal_support",
        group="equal support",
        sentence=f"`{names[less]}` holds at least {100 * (1 - frac):.4g} % of what "
        f"`{names[more]}` holds, on average over the days of each",
        bound=0.0,
        repair=f"device-equivalents more by which `{names[less]}` is behind `{names[more]}`",
    )


def _mean(register: Register, team: int) -> tuple[Ints, Floats]:
    """Columns of a consortium, and what one unit of each adds to its average."""
    case, held = register.case, register.held
    mine = np.flatnonzero(case.job_consortium[held.job] == team)
    days = int(case.consortium_end_day[team] - case.consortium_first_day[team])
    time = case.pool_equivalent[held.pool[mine]] * held.nodes[mine] * held.days[mine]
    return held.column[mine], np.asarray(time / max(days, 1))


def used_by_day(register: Register) -> Iterator[Row]:
    """
    A consortium has used a part of its floor by a day.

    sum_{spans o of c} equivalent_o nodes_o days_o(D) x_o
        + sum_{modes m of c} equivalent_m nodes_m g_{r,m} >= least_r floor_c days_c
    for every rule r of consortium c with day D; spans are runs and links of chains, and
    days_o(D) are their days up to D

    Preemptible jobs count the days g that they hold by D, `days_in_time`.
    """
    case, spans, modes = register.case, register.spans, register.options.modes
    worth = case.pool_equivalent
    whole = spans.column < register.offsets["mode"]
    for row, (team, end) in enumerate(
        zip(case.use_consortium.tolist(), case.use_end_day.tolist(), strict=True)
    ):
        days = np.minimum(spans.end_day, end) - spans.start_day
        mine = np.flatnonzero(whole & (case.job_consortium[spans.job] == team) & (days > 0))
        counted = np.flatnonzero(register.uses[:, 0] == row)
        mode = register.uses[counted, 1]
        name, least = case.consortium_names[team], float(case.use_least[row])
        last = (case.first_day + datetime.timedelta(days=end - 1)).isoformat()
        span = end - int(case.consortium_first_day[team])
        yield row_of(
            f"use_{row}",
            np.concatenate([spans.column[mine], counted + register.offsets["by"]]),
            np.concatenate(
                [
                    worth[spans.pool[mine]] * spans.nodes[mine] * days[mine],
                    worth[modes.pool[mode]] * modes.nodes[mode],
                ]
            ),
            family="used_by_day",
            group=f"what `{name}` uses by {last}",
            sentence=f"`{name}` has held {least:.6g} device-equivalent days by {last}",
            sense=AT_LEAST,
            bound=least,
            repair=f"fewer device-equivalents asked of `{name}` on average until {last}",
            unit=1.0 / max(span, 1),
        )


def days_in_time(register: Register) -> Iterator[Row]:
    """
    A preemptible job has held its nodes by a day as long as its pieces before it last, and
    no longer than it holds them at all.

    g_{r,m} <= sum_{p in m} days_p(D) h_p    for every rule r with day D and mode m it counts
    g_{r,m} <= need_m z_m, or u_m where the job counts in proportion
    """
    case, at = register.case, register.offsets
    modes, pieces = register.options.modes, register.options.pieces
    part = {int(mode): row for row, mode in enumerate(register.part_modes.tolist())}
    for number, (row, mode) in enumerate(register.uses.tolist()):
        end = int(case.use_end_day[row])
        days = np.minimum(pieces.end_day, end) - pieces.start_day
        mine = np.flatnonzero((pieces.mode == mode) & (days > 0))
        total = at["days"] + part[mode] if mode in part else at["mode"] + mode
        amount = 1.0 if mode in part else float(modes.need_days[mode])
        name = case.job_names[int(modes.job[mode])]
        for kind, columns, amounts in (
            ("pieces", mine + at["piece"], -days[mine].astype(np.float64)),
            ("total", np.array([total]), np.array([-amount])),
        ):
            yield row_of(
                f"by_{kind}_{number}",
                np.concatenate([[number + at["by"]], columns]),
                np.concatenate([[1.0], amounts]),
                family="days_in_time",
                group=f"the work that `{case.consortium_names[int(case.use_consortium[row])]}` "
                "asks for",
                sentence=f"`{name}` counts the days that it holds its nodes",
                bound=0.0,
            )


FAMILIES = (equal_support, used_by_day, days_in_time)
