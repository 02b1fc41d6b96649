"""The rows of a plan that name a known job and pool, with what the scenario says of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from hardware.errors import Diagnostic, Where, near_match
from planner.audit.facts import Facts, PoolFacts, folded
from planner.audit.plan_record import PlanRecord, RowRecord
from planner.audit.report import Checked, checked, violation
from planner.scenario import Consortium, Job

__all__ = ["Entry", "Ledger", "ledger_of", "named_as_in_scenario", "unknown_name"]


@dataclass(frozen=True, eq=False)
class Entry:
    """One row beside the scenario's job, pool and consortium."""

    at: int  # position in the file
    path: str
    row: RowRecord
    job: Job
    pool: PoolFacts
    consortium: str  # who asked for the job, whatever the row says
    start_day: int
    end_day: int  # half-open

    def where(self, field: str = "") -> Where:
        """The place of a field of the row."""
        return Where(self.path, field=f"rows[{self.at}]" + (f".{field}" if field else ""))

    @property
    def days(self) -> int:
        """Days held, from the dates."""
        return self.end_day - self.start_day

    @property
    def equivalent_days(self) -> float:
        """Device-equivalents held times days."""
        return self.row.nodes * self.pool.equivalents_per_node * self.days

    @property
    def is_borrowed(self) -> bool:
        """Whether the consortium that asked borrows the pool from its owner."""
        lend = self.pool.pool.lend
        return lend is not None and self.consortium in lend.to

    @property
    def cost(self) -> float | None:
        """What the nodes cost by the scenario's price; None without an exchange rate."""
        pool = self.pool
        price = pool.lent_per_node_day if self.is_borrowed else pool.cost_per_node_day
        return None if price is None else self.row.nodes * self.days * price


@dataclass(frozen=True)
class Ledger:
    """All entries of a plan, in file order."""

    facts: Facts
    plan: PlanRecord
    entries: tuple[Entry, ...]

    def by_pool(self) -> dict[str, list[Entry]]:
        """Entries of each pool that has some."""
        return _grouped(self.entries, "pool")

    def by_job(self) -> dict[str, list[Entry]]:
        """Entries of each job that has some, by start."""
        groups = _grouped(self.entries, "job")
        return {job: sorted(group, key=lambda e: e.start_day) for job, group in groups.items()}

    def by_consortium(self) -> dict[str, list[Entry]]:
        """Entries of each consortium that asked for the job, without those that hold nothing."""
        groups: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            groups[entry.consortium].append(entry)
        return dict(groups)

    def consortium(self, entry: Entry) -> Consortium:
        """The record of the consortium that asked."""
        return self.facts.scenario.consortiums[entry.consortium]


def _grouped(entries: tuple[Entry, ...], field: str) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[getattr(entry.row, field)].append(entry)
    return dict(groups)


def ledger_of(facts: Facts, plan: PlanRecord) -> Ledger:
    """The rows whose job and pool the scenario knows; `named_as_in_scenario` tells the rest."""
    jobs = facts.scenario.jobs
    entries = tuple(
        Entry(
            at, plan.path, row, jobs[row.job], facts.pools[row.pool], jobs[row.job].consortium,
            facts.day(row.first), facts.day(row.last) + 1,
        )
        for at, row in enumerate(plan.rows)
        if row.job in jobs and row.pool in facts.pools
    )  # fmt: skip
    return Ledger(facts, plan, entries)


def named_as_in_scenario(ledger: Ledger) -> Checked:
    """Every row names a job, pool, consortium and device that the scenario has, and together."""
    plan, facts = ledger.plan, ledger.facts
    names = {"job": facts.scenario.jobs, "pool": facts.pools}
    found: list[Diagnostic] = []
    for at, row in enumerate(plan.rows):
        for field, known in names.items():
            name = getattr(row, field)
            if name not in known:
                found.append(
                    unknown_name(plan.path, f"rows[{at}].{field}", field, name, list(known))
                )
    found += [fault for entry in ledger.entries for fault in _mismatches(facts, entry)]
    return checked("names", len(plan.rows), found)


_UNKNOWN_CODES = {
    "job": "unknown-job",
    "pool": "unknown-pool",
    "consortium": "unknown-consortium",
}


def unknown_name(path: str, field: str, kind: str, name: str, known: list[str]) -> Diagnostic:
    """The violation that a name of the plan stands for nothing in the scenario."""
    return violation(
        _UNKNOWN_CODES[kind], f"the scenario has no {kind} `{name}`", Where(path, field=field),
        found=name, hint=near_match(name, known),
    )  # fmt: skip


def _mismatches(facts: Facts, entry: Entry) -> Iterator[Diagnostic]:
    row = entry.row
    if row.consortium not in facts.scenario.consortiums:
        known = list(facts.scenario.consortiums)
        field = f"rows[{entry.at}].consortium"
        yield unknown_name(entry.path, field, "consortium", row.consortium, known)
    elif row.consortium != entry.consortium:
        yield violation(
            "consortium-mismatch", f"the job `{row.job}` is another consortium's",
            entry.where("consortium"), found=row.consortium, expected=entry.consortium,
        )  # fmt: skip
    stands = {facts.device(entry.pool.pool.device), folded(entry.pool.machine.device)}
    if facts.device(row.device) not in stands:
        yield violation(
            "device-misstated", f"other devices stand in the pool `{row.pool}`",
            entry.where("device"), found=row.device, expected=entry.pool.pool.device,
        )  # fmt: skip
