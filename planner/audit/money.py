"""Checks of money and shares: cost of each row, budgets, floors, caps, the share limit."""

from __future__ import annotations

from collections import defaultdict
from math import isclose

import numpy as np

from hardware.errors import Diagnostic, Where
from planner.audit.facts import folded, in_currency
from planner.audit.ledger import Entry, Ledger
from planner.audit.report import Checked, checked, violation
from planner.audit.work import TOLERANCE

__all__ = [
    "costs_as_priced",
    "floors_met",
    "one_programme_an_organisation",
    "within_budgets",
    "within_caps",
    "within_share_limit",
]


def costs_as_priced(ledger: Ledger) -> Checked:
    """The cost of each row is nodes times days times the pool's price."""
    found: list[Diagnostic] = []
    if ledger.plan.currency != ledger.facts.scenario.currency:
        found.append(violation(
            "currency-mismatch", "the plan counts in another currency than the scenario",
            Where(ledger.plan.path, field="currency"), found=ledger.plan.currency,
            expected=ledger.facts.scenario.currency,
        ))  # fmt: skip
    looked = 0
    for entry in ledger.entries:
        cost = entry.cost
        if cost is None:
            found.append(violation(
                "no-exchange-rate", "no exchange rate for the pool's price: cost unchecked",
                entry.where("cost"), found=entry.pool.pool.price.currency, warning=True,
            ))  # fmt: skip
            continue
        looked += 1
        if not isclose(cost, entry.row.cost, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            found.append(violation(
                "cost-misstated", f"the nodes of `{entry.row.job}` cost something else",
                entry.where("cost"), found=entry.row.cost, expected=cost,
            ))  # fmt: skip
    return checked("costs", looked, found)


def _spot(ledger: Ledger, consortium: str, field: str) -> Where:
    for at, share in enumerate(ledger.plan.consortiums):
        if share.consortium == consortium:
            return Where(ledger.plan.path, field=f"consortiums[{at}].{field}")
    return Where(ledger.plan.path, field="consortiums")


def within_budgets(ledger: Ledger) -> Checked:
    """The runs of a consortium cost at most its budget."""
    scenario = ledger.facts.scenario
    runs = ledger.by_consortium()
    found: list[Diagnostic] = []
    looked = 0
    for name, consortium in scenario.consortiums.items():
        if consortium.budget is None:
            continue
        budget = in_currency(scenario, consortium.budget, consortium.budget.currency)
        if budget is None:
            continue
        looked += 1
        cost = sum(entry.cost or 0.0 for entry in runs.get(name, []))
        if cost > budget * (1 + TOLERANCE):
            found.append(violation(
                "budget-exceeded", f"the runs of `{name}` cost more than its budget",
                _spot(ledger, name, "cost"), found=cost, expected=f"at most {budget:.9g}",
            ))  # fmt: skip
    return checked("budgets", looked, found)


def floors_met(ledger: Ledger) -> Checked:
    """A consortium holds its floor of device-equivalents on average over its days."""
    runs = ledger.by_consortium()
    found: list[Diagnostic] = []
    looked = 0
    for name, consortium in ledger.facts.scenario.consortiums.items():
        begin, end = ledger.facts.support[name]
        if consortium.floor is None or end <= begin:
            continue
        looked += 1
        held = sum(entry.equivalent_days for entry in runs.get(name, [])) / (end - begin)
        if held < consortium.floor.value * (1 - TOLERANCE):
            found.append(violation(
                "floor-missed", f"`{name}` holds fewer device-equivalents than its floor",
                _spot(ledger, name, "equivalent_device_months"), found=f"{held:.6g} on average",
                expected=f"at least {consortium.floor.value:g} over {end - begin} days",
            ))  # fmt: skip
    return checked("floors", looked, found)


def _peak(entries: list[Entry]) -> tuple[float, int]:
    """Most device-equivalents held at once, and a day on which they are."""
    worth = np.array([entry.row.nodes * entry.pool.equivalents_per_node for entry in entries])
    starts = [entry.start_day for entry in entries]
    ends = [entry.end_day for entry in entries]
    days, group = np.unique(np.array([*starts, *ends], dtype=np.int64), return_inverse=True)
    held = np.cumsum(np.bincount(group, weights=np.concatenate([worth, -worth])))
    return float(held.max()), int(days[int(np.argmax(held))])


def within_caps(ledger: Ledger) -> Checked:
    """A consortium never holds more device-equivalents than its cap."""
    runs = ledger.by_consortium()
    found: list[Diagnostic] = []
    looked = 0
    for name, consortium in ledger.facts.scenario.consortiums.items():
        if consortium.cap is None:
            continue
        looked += 1
        peak, day = _peak(runs[name]) if name in runs else (0.0, 0)
        if peak > consortium.cap.value * (1 + TOLERANCE):
            found.append(violation(
                "cap-exceeded", f"`{name}` holds more device-equivalents than its cap",
                _spot(ledger, name, "equivalent_device_months"),
                found=f"{peak:.6g} on {ledger.facts.date(day)}",
                expected=f"at most {consortium.cap.value:g}",
            ))  # fmt: skip
    return checked("caps", looked, found)


def within_share_limit(ledger: Ledger) -> Checked:
    """No consortium takes more than its part of the shared pools' device-equivalent time."""
    limit = ledger.facts.scenario.rules.share_limit
    if limit is None:
        return checked("share limit", 0, ())
    shared = {n: p for n, p in ledger.facts.pools.items() if p.pool.basis != "own"}
    offered = sum(
        float(((d.end_day - d.first_day) * (d.end_id - d.first_id)).sum()) * p.equivalents_per_node
        for p in shared.values()
        for d in (p.deliveries,)
    )
    runs = ledger.by_consortium()
    found: list[Diagnostic] = []
    for name, entries in runs.items():
        taken = sum(e.equivalent_days for e in entries if e.row.pool in shared)
        if taken > limit.value * offered * (1 + TOLERANCE):
            found.append(violation(
                "share-limit-exceeded", f"`{name}` takes more than its part of the shared pools",
                _spot(ledger, name, "equivalent_device_months"),
                found=f"{taken / offered:.6g} of the time", expected=f"at most {limit.value:g}",
            ))  # fmt: skip
    return checked("share limit", len(runs), found)


def one_programme_an_organisation(ledger: Ledger) -> Checked:
    """No organisation is in funded consortiums of two programmes, where the rule holds."""
    scenario = ledger.facts.scenario
    if not scenario.rules.one_programme_per_organisation:
        return checked("programmes", 0, ())
    paid: dict[str, dict[str, str]] = defaultdict(dict)
    for name in ledger.by_consortium():
        consortium = scenario.consortiums[name]
        for member in consortium.members if consortium.programme else ():
            paid[folded(member)].setdefault(consortium.programme or "", name)
    found = [
        violation(
            "organisation-in-two-programmes", f"`{member}` is funded by {len(by)} programmes",
            _spot(ledger, list(by.values())[-1], "consortium"),
            found=", ".join(f"{programme} through {name}" for programme, name in by.items()),
            expected="one programme an organisation",
        )
        for member, by in paid.items()
        if len(by) > 1
    ]  # fmt: skip
    return checked("programmes", len(paid), found)
