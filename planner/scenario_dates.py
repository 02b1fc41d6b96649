"""Checks of days: horizon, windows, deadlines, membership, evaluations."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from hardware.errors import Diagnostic
from hardware.sheet import Path_
from planner.delivery import delivery_blocks
from planner.scenario import Evaluation, Window
from planner.scenario_fault import Written
from planner.timeline import candidates_of, job_spans, support

__all__ = [
    "check_deliveries",
    "check_evaluations",
    "check_job_days",
    "check_membership",
    "check_resolution",
]

_CHANCE_TOLERANCE = 0.01  # chances are published with two digits


def _spoken(first: datetime.date | None, last: datetime.date | None) -> str:
    return f"{first or 'the start'} to {last or 'the end'}"


def _outside(written: Written, path: Path_, window: Window) -> Iterator[Diagnostic]:
    """A window without a day of the horizon."""
    horizon = written.scenario.horizon
    late = window.first is not None and window.first > horizon.last
    early = window.last is not None and window.last < horizon.first
    if late or early:
        yield written.fault(
            (*path, "from" if late else "to"), "outside-horizon",
            "the window has no day of the horizon",
            found=_spoken(window.first, window.last),
            expected=f"days of {_spoken(horizon.first, horizon.last)}",
        )  # fmt: skip


def check_resolution(written: Written) -> Iterator[Diagnostic]:
    """Stretches of the horizon that are out of order, end outside it, or leave days without one."""
    horizon = written.scenario.horizon
    if isinstance(horizon.resolution, str):
        return
    before: datetime.date | None = None
    last = len(horizon.resolution) - 1
    for at, stretch in enumerate(horizon.resolution):
        path: Path_ = ("horizon", "resolution", at)
        until = stretch.until
        if until is None and at < last:
            yield written.fault(
                path, "missing-field", "only the last stretch goes on to the horizon's end",
                found="no `until`", expected="the last day of the stretch",
            )  # fmt: skip
        elif until is not None and not horizon.first <= until <= horizon.last:
            yield written.fault(
                (*path, "until"), "outside-horizon", "the stretch ends on no day of the horizon",
                found=str(until), expected=f"a day of {_spoken(horizon.first, horizon.last)}",
            )  # fmt: skip
        elif until is not None and before is not None and until <= before:
            yield written.fault(
                (*path, "until"), "dates-out-of-order", "the stretches are not in order of days",
                found=f"{until} after {before}", expected=f"a day after {before}",
            )  # fmt: skip
        elif until is not None and at == last and until < horizon.last:
            yield written.fault(
                (*path, "until"), "contradiction", "the days after the last stretch have no period",
                found=str(until), expected=f"{horizon.last}, the horizon's end, or no `until`",
                hint="add a stretch without `until`",
            )  # fmt: skip
        if until is not None and until <= horizon.last:
            before = until if before is None else max(before, until)


def check_membership(written: Written) -> Iterator[Diagnostic]:
    """Joined after left, and support without a day of the horizon."""
    horizon = written.scenario.horizon
    for name, consortium in written.scenario.consortiums.items():
        path: Path_ = ("consortiums", name)
        joined, left = consortium.joined, consortium.left
        if joined and left and left < joined:
            yield written.fault(
                (*path, "left"), "dates-out-of-order", "the consortium leaves before it joins",
                found=f"joined {joined}, left {left}", expected="`left` not before `joined`",
            )  # fmt: skip
        elif (joined and joined > horizon.last) or (left and left < horizon.first):
            late = joined is not None and joined > horizon.last
            yield written.fault(
                (*path, "joined" if late else "left"), "outside-horizon",
                "the consortium has no day of the horizon",
                found=_spoken(joined, left),
                expected=f"days of {_spoken(horizon.first, horizon.last)}",
            )  # fmt: skip


def check_deliveries(written: Written) -> Iterator[Diagnostic]:
    """Pools without nodes, deliveries outside the horizon or above the pool's nodes."""
    for name, pool in written.scenario.pools.items():
        path: Path_ = ("pools", name)
        outside = [
            fault
            for at, window in enumerate(pool.windows)
            for fault in _outside(written, (*path, "windows", at), window)
        ]
        yield from outside
        blocks = delivery_blocks(pool, written.scenario.horizon)
        if not len(blocks) and not outside:
            yield written.fault(
                (*path, "nodes"), "empty-pool", "the pool has no node on any day",
                found="0 nodes", expected="at least one node", hint="leave the pool out",
            )  # fmt: skip
        elif len(blocks) and int(blocks.end_id.max()) > pool.nodes.value:
            yield written.fault(
                (*path, "windows"), "too-many-nodes",
                "the windows deliver more nodes than the pool has",
                found=f"{int(blocks.end_id.max())} nodes at one time",
                expected=f"at most {int(pool.nodes.value)}",
                hint="windows that overlap add up; raise `nodes`, or end one before the next",
            )  # fmt: skip


def check_job_days(written: Written) -> Iterator[Diagnostic]:
    """Windows and deadlines outside the horizon, or without a day that the consortium has."""
    scenario = written.scenario
    horizon = scenario.horizon
    known = [job.consortium in scenario.consortiums for job in scenario.jobs.values()]
    if not all(known):
        return
    first, end = job_spans(scenario)
    table = support(scenario)
    row = {name: at for at, name in enumerate(scenario.consortiums)}
    for at, (name, job) in enumerate(scenario.jobs.items()):
        path: Path_ = ("jobs", name)
        faults = list(_outside(written, (*path, "window"), job.window))
        day = job.deadline.day if job.deadline else None
        if day and not horizon.first <= day <= horizon.last:
            place = (*path, "deadline")
            if (*place, "day") in written.document.values:
                place = (*place, "day")
            faults.append(
                written.fault(
                    place, "outside-horizon", "the deadline is no day of the horizon",
                    found=str(day), expected=f"a day of {_spoken(horizon.first, horizon.last)}",
                )
            )  # fmt: skip
        yield from faults
        team = row[job.consortium]
        if faults or end[at] > first[at] or table.end_day[team] <= table.first_day[team]:
            continue
        start = horizon.first + datetime.timedelta(int(table.first_day[team]))
        stop = horizon.first + datetime.timedelta(int(table.hold_day[team]) - 1)
        asked = "window" if (*path, "window") in written.document.values else "deadline"
        yield written.fault(
            (*path, asked), "no-common-days", "the job has no day on which it may run",
            found=f"window {_spoken(job.window.first, job.window.last)}, deadline {day or 'none'}",
            expected=f"a day of `{job.consortium}`'s time, {_spoken(start, stop)}",
            hint=_way_out(written, job.consortium),
        )  # fmt: skip


def _way_out(written: Written, consortium: str) -> str:
    """What a planner can do for work after an evaluation whose result is open."""
    for evaluation in written.scenario.evaluations:
        undecided = evaluation.removed is None
        if undecided and consortium in candidates_of(written.scenario, evaluation):
            return (
                f"the evaluation of {evaluation.day} is undecided; give work after it to a "
                "consortium with `placeholder: true` that joins the day after"
            )
    return ""


def check_evaluations(written: Written) -> Iterator[Diagnostic]:
    """Removals of teams that are not there, contradictions with `left`, chances that do not add."""
    horizon = written.scenario.horizon
    before: datetime.date | None = None
    for at, evaluation in enumerate(written.scenario.evaluations):
        path: Path_ = ("evaluations", at)
        if not horizon.first <= evaluation.day <= horizon.last:
            yield written.fault(
                (*path, "day"), "outside-horizon", "the evaluation is no day of the horizon",
                found=str(evaluation.day),
                expected=f"a day of {_spoken(horizon.first, horizon.last)}",
            )  # fmt: skip
        if before is not None and evaluation.day < before:
            yield written.fault(
                (*path, "day"), "dates-out-of-order", "the evaluations are not in order of days",
                found=f"{evaluation.day} after {before}", expected="the earlier one first",
            )  # fmt: skip
        before = evaluation.day
        yield from _check_teams(written, path, evaluation)
        yield from _check_numbers(written, path, evaluation)


def _check_teams(written: Written, path: Path_, evaluation: Evaluation) -> Iterator[Diagnostic]:
    """Everyone named in an evaluation is there on its day, and named once."""
    gone = {
        name: earlier.day
        for earlier in written.scenario.evaluations
        if earlier.day < evaluation.day
        for name in earlier.removed or ()
    }
    for field in ("removed", "candidates"):
        names: tuple[str, ...] = getattr(evaluation, field) or ()
        for at, name in enumerate(names):
            consortium = written.scenario.consortiums.get(name)
            place = (*path, field, at)
            if name in names[:at]:
                yield written.fault(place, "named-twice", f"`{name}` stands twice", found=name)
            if consortium is None:
                continue
            joined, left = consortium.joined, consortium.left
            if joined and joined > evaluation.day:
                yield written.fault(
                    place, "not-in-programme", f"`{name}` has not joined by the evaluation",
                    found=f"joined {joined}, evaluation {evaluation.day}",
                    expected="a consortium that is there on the day",
                )  # fmt: skip
            elif (left and left < evaluation.day) or name in gone:
                yield written.fault(
                    place, "not-in-programme", f"`{name}` has gone before the evaluation",
                    found=f"gone on {gone.get(name, left)}, evaluation {evaluation.day}",
                    expected="a consortium that is there on the day",
                )  # fmt: skip
            elif field == "removed" and left and left > evaluation.day:
                yield written.fault(
                    place, "contradiction", f"`{name}` is removed before the day it leaves",
                    found=f"removed {evaluation.day}, left {left}",
                    expected="the same day, or no `left`",
                )  # fmt: skip
            elif field == "removed" and name not in candidates_of(written.scenario, evaluation):
                yield written.fault(
                    place, "contradiction", f"`{name}` is removed without being a candidate",
                    found=name, expected="one of `candidates`",
                )  # fmt: skip


def _check_numbers(written: Written, path: Path_, evaluation: Evaluation) -> Iterator[Diagnostic]:
    """How many are removed, of how many, and with which chances."""
    candidates = candidates_of(written.scenario, evaluation)
    if evaluation.removed is not None and len(evaluation.removed) != evaluation.removes:
        given = "removes" in evaluation.model_fields_set
        yield written.fault(
            (*path, "removes" if given else "removed"), "contradiction",
            "the number removed is not the number of names",
            found=f"removes {evaluation.removes}, removed {len(evaluation.removed)} names",
            expected=f"removes: {len(evaluation.removed)}",
        )  # fmt: skip
    if evaluation.removes > len(candidates):
        yield written.fault(
            (*path, "removes"), "contradiction", "more are removed than there are candidates",
            found=f"removes {evaluation.removes} of {len(candidates)}",
            expected="at most the candidates",
        )  # fmt: skip
    for name in evaluation.chances:
        if name in written.scenario.consortiums and name not in candidates:
            yield written.fault(
                (*path, "chances", name), "contradiction", f"`{name}` is no candidate",
                found=name, expected=", ".join(candidates), key=True,
            )  # fmt: skip
    total = sum(chance.value for chance in evaluation.chances.values())
    if evaluation.chances and abs(total - evaluation.removes) > _CHANCE_TOLERANCE:
        yield written.fault(
            (*path, "chances"), "chances-do-not-add",
            "the chances do not sum to the number removed",
            found=f"{total:.4g}", expected=str(evaluation.removes), key=True,
        )  # fmt: skip
