"""Checks of lending: borrowed rows on the owner's days, and only after the owner's jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hardware.errors import Diagnostic
from planner.audit.facts import Facts, PoolFacts, folded
from planner.audit.ledger import Entry, Ledger
from planner.audit.report import Checked, checked, violation
from planner.scenario import TRAINING_KINDS, Job

__all__ = ["lent_on_terms"]


def lent_on_terms(ledger: Ledger, names: Mapping[str, str]) -> Checked:
    """
    Nodes of an own pool are lent on the days it is lent, in plans that place the owner's jobs.

    Parameters
    ----------
    ledger : Ledger
        The plan's rows.
    names : mapping of str to str
        The catalogue's name of each model that a job writes: a workload that is funded under
        another consortium counts as placed.
    """
    facts = ledger.facts
    borrowed = [entry for entry in ledger.entries if entry.is_borrowed]
    funded = {_identity(entry.job, names) for entry in ledger.entries}
    found: list[Diagnostic] = []
    for entry in borrowed:
        found += _outside(facts, entry)
        waiting = [
            name
            for name, job in facts.scenario.jobs.items()
            if _goes_first(facts, entry.pool, job) and _identity(job, names) not in funded
        ]
        if waiting:
            found.append(violation(
                "lent-before-owner", f"`{entry.row.pool}` is lent while its owner's jobs wait",
                entry.where("pool"), found=", ".join(waiting[:5]),
                expected="every job of the owner's placed", hint="their jobs come first",
            ))  # fmt: skip
    return checked("lending", len(borrowed), found)


def _identity(job: Job, names: Mapping[str, str]) -> tuple[str, str, str]:
    model = names.get(job.model, job.model)
    return folded(model), folded(job.data), folded(job.objective or job.kind)


def _outside(facts: Facts, entry: Entry) -> Iterator[Diagnostic]:
    """A borrowed row with a day on which the pool is not lent."""
    lend = entry.pool.pool.lend
    if lend is None:
        return
    early = lend.window.first is not None and facts.day(lend.window.first) > entry.start_day
    late = lend.window.last is not None and facts.day(lend.window.last) + 1 < entry.end_day
    if early or late:
        yield violation(
            "outside-lending", f"`{entry.row.pool}` is not lent on all days of the row",
            entry.where("from" if early else "to"),
            found=f"{entry.row.first} to {entry.row.last}",
            expected=f"{lend.window.first or 'the start'} to {lend.window.last or 'the end'}",
        )  # fmt: skip


def _goes_first(facts: Facts, place: PoolFacts, job: Job) -> bool:
    """Whether a job is of those who use the pool as their own, and nothing keeps it out."""
    pool = place.pool
    consortium = facts.scenario.consortiums[job.consortium]
    if pool.lend is None or job.consortium in pool.lend.to:
        return False
    is_owner = folded(pool.owner) in {folded(member) for member in consortium.members}
    if not (is_owner if pool.open_to is None else job.consortium in pool.open_to):
        return False
    if pool.programme is not None and pool.programme != consortium.programme:
        return False
    stands = {facts.device(pool.device), folded(place.machine.device)}
    allows = job.devices is None or bool(stands & {facts.device(name) for name in job.devices})
    if job.pools is not None:
        allows = allows and any(facts.pools.get(name) is place for name in job.pools)
    if pool.kinds is not None and job.kind not in pool.kinds:
        return False
    trains = job.kind not in TRAINING_KINDS or place.machine.can_train or job.what_if_training
    return allows and trains
