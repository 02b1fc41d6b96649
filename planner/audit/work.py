"""Checks of work: throughput as recomputed, tokens that the days hold, no workload twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from math import ceil, isclose, prod

from hardware.errors import Diagnostic
from hardware.units import DAY_S
from planner.audit.facts import folded
from planner.audit.ledger import Entry, Ledger
from planner.audit.rate import Point, Prediction
from planner.audit.report import Checked, checked, violation
from planner.scenario import Job

__all__ = [
    "TOLERANCE",
    "done_frac",
    "efficiency_as_predicted",
    "layout_on_nodes",
    "lost_days",
    "no_workload_twice",
    "rates_as_predicted",
    "tokens_add_up",
    "work_done",
]

TOLERANCE = 1e-6  # relative; figures of a plan are written with more digits
Predictions = Mapping[Point, Prediction]


def rates_as_predicted(ledger: Ledger, predicted: Predictions) -> Checked:
    """No row claims more tokens a second than the throughput recomputed for its nodes."""
    found: list[Diagnostic] = []
    for entry in ledger.entries:
        row = entry.row
        rate = predicted[row.job, row.pool, row.nodes].tokens_per_s
        where = entry.where("tokens_per_s")
        if row.tokens_per_s > rate * (1 + TOLERANCE):
            found.append(violation(
                "rate-inflated", f"`{row.job}` is slower on {row.nodes} nodes of `{row.pool}`",
                where, found=row.tokens_per_s, expected=f"at most {rate:.9g}",
            ))  # fmt: skip
        elif row.tokens_per_s < rate * (1 - TOLERANCE):
            found.append(violation(
                "rate-understated", f"`{row.job}` is faster on {row.nodes} nodes of `{row.pool}`",
                where, found=row.tokens_per_s, expected=rate, warning=True,
            ))  # fmt: skip
    return checked("throughput", len(ledger.entries), found)


def efficiency_as_predicted(ledger: Ledger, predicted: Predictions) -> Checked:
    """MFU and energy, where a row states them, are those recomputed; what-if training is marked."""
    found: list[Diagnostic] = []
    looked = 0
    for entry in ledger.entries:
        row = entry.row
        expected = predicted[row.job, row.pool, row.nodes]
        if expected.is_what_if and not any("what if" in folded(mark) for mark in row.marks):
            found.append(violation(
                "mark-missing", f"`{row.job}` trains on a device that is not known to train",
                entry.where("marks"), found=", ".join(row.marks), expected="a mark: what-if",
            ))  # fmt: skip
        energy_j = expected.power_w * entry.days * DAY_S
        for field, code, stated, actual in (
            ("mfu_frac", "mfu-misstated", row.mfu_frac, expected.mfu_frac),
            ("energy_j", "energy-misstated", row.energy_j, energy_j),
        ):
            if stated is None:
                continue
            looked += 1
            if actual is None or not isclose(stated, actual, rel_tol=TOLERANCE, abs_tol=1e-9):
                found.append(violation(
                    code, f"`{row.job}` states another figure than is recomputed",
                    entry.where(field), found=stated,
                    expected="none, since the rate is given" if actual is None else actual,
                ))  # fmt: skip
    return checked("energy and MFU", looked, found)


def lost_days(ledger: Ledger) -> dict[int, int]:
    """Days at the beginning of rows of flexible jobs, the first apart, without work. [day]"""
    lost: dict[int, int] = {}
    for name, entries in ledger.by_job().items():
        days = ledger.facts.move_days.get(name, 0)
        lost |= {entry.at: days for entry in entries[1:]}
    return lost


def tokens_add_up(ledger: Ledger) -> Checked:
    """No row claims more tokens than its rate gives in its days; no job more than it asks."""
    found: list[Diagnostic] = []
    lost = lost_days(ledger)
    for entry in ledger.entries:
        row = entry.row
        most = row.tokens_per_s * entry.days * DAY_S
        if row.tokens > most * (1 + TOLERANCE):
            found.append(violation(
                "tokens-inflated", f"`{row.job}` does not do so much in {entry.days} days",
                entry.where("tokens"), found=row.tokens, expected=f"at most {most:.9g}",
            ))  # fmt: skip
            continue
        needed = ceil(entry.days * row.tokens / most - TOLERANCE) if most else entry.days
        needed += lost.get(entry.at, 0)
        if needed < entry.days:
            found.append(violation(
                "held-idle", f"`{row.job}` holds its nodes longer than the work needs",
                entry.where("days"), found=entry.days, expected=needed, warning=True,
            ))  # fmt: skip
    for name, entries in ledger.by_job().items():
        total, asked = sum(e.row.tokens for e in entries), entries[0].job.tokens.value
        if total > asked * (1 + TOLERANCE):
            found.append(violation(
                "tokens-inflated", f"`{name}` asks for fewer tokens", entries[-1].where("tokens"),
                found=total, expected=f"at most {asked:.9g}",
            ))  # fmt: skip
    return checked("tokens", len(ledger.entries), found)


def done_frac(entries: list[Entry]) -> float:
    """Part of its job's tokens that the rows do, at most 1. [1]"""
    asked = entries[0].job.tokens.value
    done = sum(entry.row.tokens for entry in entries)
    return 1.0 if done >= asked * (1 - TOLERANCE) else done / asked


def work_done(ledger: Ledger) -> Checked:
    """A job that is worth nothing unfinished is finished."""
    jobs = ledger.by_job()
    found = [
        violation("work-not-done", f"`{name}` is not finished, and counts only when it is",
                  entries[0].where("tokens"), found=sum(e.row.tokens for e in entries),
                  expected=entries[0].job.tokens.value)
        for name, entries in jobs.items()
        if not entries[0].job.partial and done_frac(entries) < 1
    ]  # fmt: skip
    return checked("work done", len(jobs), found)


def _identity(job: Job, names: Mapping[str, str]) -> tuple[str, str, str]:
    model = names.get(job.model, job.model)
    return folded(model), folded(job.data), folded(job.objective or job.kind)


def no_workload_twice(ledger: Ledger, names: Mapping[str, str]) -> Checked:
    """
    No two funded jobs ask for the same work, and no job is funded under two consortiums.

    Parameters
    ----------
    ledger : Ledger
        The plan's rows.
    names : mapping of str to str
        The catalogue's name of each model that a job writes, so that two spellings of one
        model are one.
    """
    jobs = ledger.by_job()
    found: list[Diagnostic] = []
    same: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name, entries in jobs.items():
        same[_identity(entries[0].job, names)].append(name)
        who = list(dict.fromkeys(entry.row.consortium for entry in entries))
        if len(who) > 1:
            found.append(violation(
                "workload-funded-twice", f"`{name}` is funded under {len(who)} consortiums",
                entries[-1].where("consortium"), found=" and ".join(who), expected="one",
            ))  # fmt: skip
    for (model, data, objective), twins in same.items():
        for twin in twins[1:]:
            one, two = jobs[twins[0]][0], jobs[twin][0]
            found.append(violation(
                "workload-funded-twice", f"`{twins[0]}` and `{twin}` are the same work",
                two.where("job"),
                found=f"model {model}, data {data or 'unnamed'}, objective {objective}, "
                      f"for {one.consortium} and {two.consortium}",
                expected="one of them funded",
            ))  # fmt: skip
    return checked("workloads", len(jobs), found)


_AXIS = re.compile(r"\b(tp|pp|cp|ep|dp|mb|copies|batch)=(\d{1,9})\b", re.ASCII)
_PLACES = ("tp", "pp", "cp", "dp", "copies")  # axes whose sizes multiply to devices


def layout_on_nodes(ledger: Ledger, predicted: Predictions) -> Checked:
    """A layout, where a row states one, has places for its devices, and is the predicted one."""
    found: list[Diagnostic] = []
    looked = 0
    for entry in ledger.entries:
        row = entry.row
        axes = {axis: int(size) for axis, size in _AXIS.findall(row.layout or "")}
        if not axes:
            continue
        looked += 1
        size = prod(axes.get(axis, 1) for axis in _PLACES)
        devices = row.nodes * entry.pool.machine.devices_per_node
        if size > devices:
            found.append(violation(
                "layout-exceeds-nodes", f"the layout of `{row.job}` needs more devices",
                entry.where("layout"), found=f"{size} devices", expected=f"at most {devices}",
            ))  # fmt: skip
        best = predicted[row.job, row.pool, row.nodes].layout
        if any(best.get(axis, size) != size for axis, size in axes.items()):
            found.append(violation(
                "layout-misstated", f"another layout of `{row.job}` gives the predicted rate",
                entry.where("layout"), found=row.layout or "",
                expected=" ".join(f"{axis}={size}" for axis, size in best.items()),
            ))  # fmt: skip
    return checked("layouts", looked, found)
