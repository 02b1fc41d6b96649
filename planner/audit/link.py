"""Checks of flexible jobs: rows without a gap, changes at borders of periods, days lost at each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hardware.errors import Diagnostic, Where
from hardware.units import DAY_S
from planner.audit.ledger import Entry, Ledger
from planner.audit.period import border_days
from planner.audit.report import Checked, checked, violation
from planner.audit.work import TOLERANCE, lost_days

__all__ = ["allocation_as_asked", "changes_at_borders", "days_lost_at_changes"]


def allocation_as_asked(ledger: Ledger) -> Checked:
    """The plan was made under the allocation that the scenario asks for; a plan cannot choose."""
    asked = ledger.facts.scenario.policy.allocation
    stated = ledger.plan.verdict.allocation or "fixed"
    if stated == asked:
        return checked("allocation", 1, ())
    return checked("allocation", 1, [
        violation(
            "allocation-mismatch", "the plan was made under another allocation than is asked for",
            Where(ledger.plan.path, field="verdict.allocation"), found=stated, expected=asked,
            hint=f"verify with `--{stated}` if that is meant"
            if stated in ("fixed", "flexible") else "",
        )
    ])  # fmt: skip


def _flexible(ledger: Ledger) -> Iterator[tuple[str, list[Entry]]]:
    """Flexible jobs that have rows, by start."""
    for name, entries in ledger.by_job().items():
        if name in ledger.facts.move_days:
            yield name, entries


def changes_at_borders(ledger: Ledger) -> Checked:
    """A flexible job goes on without a gap, and pool or nodes change at borders of periods only."""
    facts = ledger.facts
    chosen = [(stretch.until, stretch.every) for stretch in ledger.plan.stretches]
    borders = set(border_days(facts.scenario.horizon, chosen))
    found: list[Diagnostic] = []
    looked = 0
    for name, entries in _flexible(ledger):
        for before, after in pairwise(entries):
            looked += 1
            if after.start_day > before.end_day:
                found.append(violation(
                    "links-apart", f"`{name}` may not pause, and goes on later",
                    after.where("from"), found=after.row.first,
                    expected=facts.date(before.end_day),
                ))  # fmt: skip
            if after.start_day not in borders:
                found.append(violation(
                    "change-off-border", f"`{name}` changes on a day that is no border of a period",
                    after.where("from"), found=after.row.first,
                    expected=_nearest(ledger, sorted(borders), after.start_day),
                ))  # fmt: skip
            if (before.row.pool, before.row.nodes) == (after.row.pool, after.row.nodes):
                found.append(violation(
                    "link-unchanged", f"`{name}` has two rows, and nothing changes between them",
                    after.where("nodes"), found=f"{after.row.nodes} nodes of `{after.row.pool}`",
                    expected=f"another pool or number of nodes than in rows[{before.at}]",
                ))  # fmt: skip
    return checked("changes", looked, found)


def _nearest(ledger: Ledger, borders: list[int], day: int) -> str:
    """The borders on both sides of a day."""
    sides = [max((b for b in borders if b < day), default=None),
             min((b for b in borders if b > day), default=None)]  # fmt: skip
    return " or ".join(str(ledger.facts.date(side)) for side in sides if side is not None)


def days_lost_at_changes(ledger: Ledger) -> Checked:
    """After each change of a flexible job its migration is lost, and then work is done."""
    lost = lost_days(ledger)
    found: list[Diagnostic] = []
    looked = 0
    for name, entries in _flexible(ledger):
        for entry in entries[1:]:
            looked += 1
            row, days = entry.row, entry.days - lost[entry.at]
            most = row.tokens_per_s * max(days, 0) * DAY_S
            if days <= 0 or row.tokens <= 0:
                found.append(violation(
                    "link-without-work", f"`{name}` changes to nodes on which it does no work",
                    entry.where("days" if days <= 0 else "tokens"),
                    found=f"{entry.days} days, {lost[entry.at]} of them lost, "
                          f"{row.tokens:.9g} tokens",
                    expected="days and tokens beyond those that are lost",
                ))  # fmt: skip
            if row.tokens > most * (1 + TOLERANCE):
                found.append(violation(
                    "move-days-worked",
                    f"`{name}` loses {lost[entry.at]} days by the change, and does less",
                    entry.where("tokens"), found=row.tokens, expected=f"at most {most:.9g}",
                ))  # fmt: skip
    return checked("days lost", looked, found)
