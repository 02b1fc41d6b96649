"""Checks of support: equal for all of a programme, and used by the dates of the rules."""

from __future__ import annotations

from collections import defaultdict

from hardware.errors import Diagnostic, Where
from planner.audit.ledger import Ledger
from planner.audit.report import Checked, checked, violation
from planner.audit.work import TOLERANCE

__all__ = ["support_equal", "used_by_dates"]


def _where(ledger: Ledger, consortium: str) -> Where:
    for at, share in enumerate(ledger.plan.consortiums):
        if share.consortium == consortium:
            return Where(ledger.plan.path, field=f"consortiums[{at}].equivalent_device_months")
    return Where(ledger.plan.path, field="consortiums")


def support_equal(ledger: Ledger) -> Checked:
    """
    Consortiums of one programme hold nearly as many device-equivalents, each over its own days.

    The least average of those that ask for work and have a day of support is not below the
    largest by more than `rules.equal_support` of the largest; placeholders apart. Nothing
    else needs to be compared, since any other two differ by less.
    """
    facts = ledger.facts
    rule = facts.scenario.rules.equal_support
    if rule is None:
        return checked("equal support", 0, ())
    runs = ledger.by_consortium()
    asking = {job.consortium for job in facts.scenario.jobs.values()}
    groups: dict[tuple[str, bool], dict[str, float]] = defaultdict(dict)
    for name, consortium in facts.scenario.consortiums.items():
        begin, end = facts.support[name]
        if end <= begin or name not in asking:
            continue
        held = sum(entry.equivalent_days for entry in runs.get(name, ()))
        key = ("" if consortium.programme is None else f"in {consortium.programme}",
               consortium.placeholder)  # fmt: skip
        groups[key][name] = held / (end - begin)
    found: list[Diagnostic] = []
    for means in groups.values():
        low, high = min(means, key=lambda n: means[n]), max(means, key=lambda n: means[n])
        if means[high] - means[low] > (rule.value + TOLERANCE) * means[high]:
            found.append(violation(
                "support-unequal", f"`{low}` holds less than equal support allows beside `{high}`",
                _where(ledger, low),
                found=f"{means[low]:.6g} and {means[high]:.6g} device-equivalents on average",
                expected=f"a difference of at most {100 * rule.value:g} % of the larger",
            ))  # fmt: skip
    return checked("equal support", sum(len(m) for m in groups.values() if len(m) > 1), found)


def used_by_dates(ledger: Ledger) -> Checked:
    """By each date of the rules, consortiums with a floor have used the part of it asked for."""
    facts = ledger.facts
    runs = ledger.by_consortium()
    found: list[Diagnostic] = []
    looked = 0
    for use in facts.scenario.rules.use_by:
        until = facts.day(use.day) + 1
        for name, consortium in facts.scenario.consortiums.items():
            begin, end = facts.support[name]
            is_bound = use.consortiums is None or name in use.consortiums
            if not is_bound or consortium.floor is None or end <= begin or begin >= until:
                continue
            looked += 1
            asked = use.least.value * consortium.floor.value * (end - begin)
            held = 0.0
            for entry in runs.get(name, ()):
                days = max(min(entry.end_day, until) - entry.start_day, 0)
                held += days * entry.row.nodes * entry.pool.equivalents_per_node
            if held < asked * (1 - TOLERANCE):
                found.append(violation(
                    "not-used-by-date", f"`{name}` has used too little of its floor by {use.day}",
                    _where(ledger, name), found=f"{held:.6g} device-equivalent days",
                    expected=f"at least {asked:.6g}, {100 * use.least.value:g} % of its floor",
                ))  # fmt: skip
    return checked("use by dates", looked, found)
