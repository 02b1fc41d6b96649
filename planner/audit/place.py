"""Checks of who may hold nodes of which pool, and from when to when."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hardware.errors import Diagnostic
from planner.audit.facts import Facts, folded
from planner.audit.ledger import Entry, Ledger
from planner.audit.report import Checked, checked, violation
from planner.scenario import TRAINING_KINDS

__all__ = [
    "after_predecessors",
    "allowed_node_counts",
    "before_deadlines",
    "eligible",
    "in_windows",
    "one_run_a_job",
    "while_supported",
]


def eligible(ledger: Ledger) -> Checked:
    """Each row's pool may serve its job: device, kind of work, consortium, programme, lessors."""
    found = [fault for entry in ledger.entries for fault in _barred(ledger, entry)]
    return checked("eligibility", len(ledger.entries), found)


def _barred(ledger: Ledger, entry: Entry) -> Iterator[Diagnostic]:
    yield from _barred_job(ledger.facts, entry)
    yield from _barred_consortium(ledger, entry)


def _barred_job(facts: Facts, entry: Entry) -> Iterator[Diagnostic]:
    job, pool, machine = entry.job, entry.pool.pool, entry.pool.machine
    name, where = entry.row.job, entry.where("pool")
    devices = {facts.device(pool.device), folded(machine.device)}
    if job.devices is not None and not devices & {facts.device(name) for name in job.devices}:
        yield violation("device-not-allowed", f"`{name}` does not allow the pool's device", where,
                        found=pool.device, expected=" or ".join(job.devices))  # fmt: skip
    if job.pools is not None and entry.row.pool not in job.pools:
        yield violation("pool-not-allowed", f"`{name}` does not allow the pool", where,
                        found=entry.row.pool, expected=" or ".join(job.pools))  # fmt: skip
    if pool.kinds is not None and job.kind not in pool.kinds:
        yield violation("kind-not-allowed", f"the pool does not allow the work of `{name}`", where,
                        found=job.kind, expected=" or ".join(pool.kinds))  # fmt: skip
    if job.kind in TRAINING_KINDS and not machine.can_train and not job.what_if_training:
        yield violation(
            "training-on-inference-only", f"the device of the pool cannot train `{name}`", where,
            found=f"{job.kind} on {pool.device}", expected="a device that trains",
        )  # fmt: skip


def _barred_consortium(ledger: Ledger, entry: Entry) -> Iterator[Diagnostic]:
    pool, who, where = entry.pool.pool, entry.consortium, entry.where("pool")
    consortium = ledger.consortium(entry)
    members = {folded(member) for member in consortium.members}
    if entry.is_borrowed:
        pass  # on the owner's terms, `planner.audit.lending`
    elif pool.open_to is not None:
        if who not in pool.open_to:
            yield violation("pool-closed", f"the pool is not open to `{who}`", where,
                            found=entry.row.pool, expected=" or ".join(pool.open_to))  # fmt: skip
    elif pool.basis == "own" and folded(pool.owner) not in members:
        yield violation("pool-closed", f"the pool is another organisation's own than `{who}`'s",
                        where, found=pool.owner, expected="a member of the consortium")  # fmt: skip
    if pool.programme is not None and consortium.programme != pool.programme:
        yield violation(
            "other-programme", f"the pool is paid for by another programme than `{who}`'s", where,
            found=pool.programme, expected=consortium.programme or "no programme",
        )  # fmt: skip
    lessors = members & ledger.facts.lessors
    if ledger.facts.scenario.rules.lessor_excluded and pool.basis == "leased" and lessors:
        yield violation(
            "lessor-uses-leased-pool", f"a lessor is a member of `{who}`, which gets leased nodes",
            where, found=", ".join(m for m in consortium.members if folded(m) in lessors),
            expected="no lessor among the members",
        )  # fmt: skip


def in_windows(ledger: Ledger) -> Checked:
    """Each row lies in the horizon and in its job's window, and lasts as long as it says."""
    found: list[Diagnostic] = []
    for entry in ledger.entries:
        row, window = entry.row, entry.job.window
        horizon = ledger.facts.scenario.horizon
        for what, first, last in (
            ("the plan's days", horizon.first, horizon.last),
            (f"the window of `{row.job}`", window.first, window.last),
        ):
            for field, date, beyond in (
                ("from", row.first, first is not None and row.first < first),
                ("to", row.last, last is not None and row.last > last),
            ):
                if beyond:
                    found.append(violation(
                        "outside-window", f"the row is outside {what}", entry.where(field),
                        found=date, expected=f"{first or horizon.first} to {last or horizon.last}",
                    ))  # fmt: skip
        if row.days != entry.days:
            found.append(violation("days-misstated", "the dates of the row span another time",
                                   entry.where("days"), found=row.days,
                                   expected=entry.days))  # fmt: skip
    return checked("windows", len(ledger.entries), found)


_LEAVE = {
    "after-leaving": "has left the programme",
    "after-removal": "has been removed",
    "evaluation-undecided": "may be removed by an evaluation that is undecided",
}


def while_supported(ledger: Ledger) -> Checked:
    """No consortium holds nodes before it joins, or when it must have handed them back."""
    found: list[Diagnostic] = []
    for entry in ledger.entries:
        consortium = ledger.consortium(entry)
        if consortium.joined is not None and entry.row.first < consortium.joined:
            found.append(violation(
                "before-joining", f"`{entry.consortium}` holds nodes before it joins",
                entry.where("from"), found=entry.row.first,
                expected=f"{consortium.joined} or later",
            ))  # fmt: skip
        limit, code = ledger.facts.must_leave.get(entry.consortium, (float("inf"), ""))
        if entry.end_day > limit:
            found.append(violation(
                code, f"`{entry.consortium}` {_LEAVE[code]}, and holds nodes too long",
                entry.where("to"), found=entry.row.last,
                expected=f"{ledger.facts.date(limit - 1)} or earlier, handback included",
            ))  # fmt: skip
    return checked("membership", len(ledger.entries), found)


def before_deadlines(ledger: Ledger) -> Checked:
    """No run lasts beyond its job's hard deadline."""
    due = [(e, e.job.deadline) for e in ledger.entries if e.job.deadline is not None]
    hard = [(entry, deadline) for entry, deadline in due if deadline.kind == "hard"]
    found = [
        violation("deadline-missed", f"`{entry.row.job}` runs beyond its deadline",
                  entry.where("to"), found=entry.row.last, expected=f"{deadline.day} or earlier")
        for entry, deadline in hard
        if entry.row.last > deadline.day
    ]  # fmt: skip
    return checked("deadlines", len(hard), found)


def allowed_node_counts(ledger: Ledger) -> Checked:
    """Each row holds a number of nodes that its job allows."""
    found: list[Diagnostic] = []
    for entry in ledger.entries:
        limits, nodes = entry.job.nodes, entry.row.nodes
        expected = (
            f"{limits.least} or more" if limits.most is None else f"{limits.least} to {limits.most}"
        )
        if limits.choices:
            expected += ", one of " + ", ".join(map(str, limits.choices))
        allowed = limits.least <= nodes and (limits.most is None or nodes <= limits.most)
        if not allowed or (limits.choices and nodes not in limits.choices):
            found.append(violation(
                "node-limits", f"`{entry.row.job}` does not run on so many nodes",
                entry.where("nodes"), found=nodes, expected=expected,
            ))  # fmt: skip
    return checked("node limits", len(ledger.entries), found)


def one_run_a_job(ledger: Ledger) -> Checked:
    """A job is one run, unless flexible; a preemptible one may pause, in its pool and size."""
    found: list[Diagnostic] = []
    jobs = ledger.by_job()
    for name, entries in jobs.items():
        is_flexible = name in ledger.facts.move_days
        if len(entries) > 1 and not entries[0].job.preemptible and not is_flexible:
            found.append(violation(
                "job-split", f"`{name}` may not pause or change, and has {len(entries)} rows",
                entries[1].where(), found=f"{len(entries)} rows", expected="one row",
            ))  # fmt: skip
        for before, after in [] if is_flexible else pairwise(entries):
            for code, field in (("pool-changed", "pool"), ("size-changed", "nodes")):
                was, now = getattr(before.row, field), getattr(after.row, field)
                if was != now:
                    found.append(violation(
                        code, f"`{name}` goes on elsewhere than in rows[{before.at}]",
                        after.where(field), found=now, expected=was,
                    ))  # fmt: skip
        reach = entries[0]
        for after in entries[1:]:
            if after.start_day < reach.end_day:
                found.append(violation(
                    "job-overlaps-itself", f"two rows of `{name}` run at the same time",
                    after.where("from"), found=after.row.first, expected=f"after {reach.row.last}",
                ))  # fmt: skip
            reach = max(reach, after, key=lambda entry: entry.end_day)
    return checked("runs a job", len(jobs), found)


def after_predecessors(ledger: Ledger) -> Checked:
    """A job starts when every job that it waits for is finished."""
    jobs = ledger.by_job()
    found: list[Diagnostic] = []
    looked = 0
    for name, entries in jobs.items():
        for before in entries[0].job.after:
            looked += 1
            runs = jobs.get(before, [])
            end = max((run.end_day for run in runs), default=None)
            done = sum(run.row.tokens for run in runs)
            asked = ledger.facts.scenario.jobs[before].tokens.value
            if end is None or done < asked * (1 - 1e-6) or entries[0].start_day < end:
                state = "not placed" if end is None else f"ends {ledger.facts.date(end - 1)}"
                if end is not None and done < asked * (1 - 1e-6):
                    state = f"{done / asked:.4g} of it done"
                found.append(violation(
                    "predecessor-not-finished", f"`{name}` starts before `{before}` is finished",
                    entries[0].where("from"),
                    found=f"`{before}` {state}, start {entries[0].row.first}",
                    expected="a start after the end of the finished work",
                ))  # fmt: skip
    return checked("predecessors", looked, found)
