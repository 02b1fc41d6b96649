"""Funded jobs that look like the same work under two names, told as warnings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from hardware.errors import Diagnostic
from planner.audit.facts import folded
from planner.audit.ledger import Entry, Ledger
from planner.audit.report import Checked, checked, violation

__all__ = ["no_near_workload"]

_TOKENS_FRAC = 0.05  # of the larger amount
_LOOKED_AT = 256  # next larger jobs of one kind and shape that a job is held against
_FILLERS = {"and", "corpora", "corpus", "data", "dataset", "for", "of", "the", "with"}


def no_near_workload(
    ledger: Ledger, names: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> Checked:
    """
    Funded jobs of one kind, architecture and amount of work that share data or a member.

    Parameters
    ----------
    ledger : Ledger
        The plan's rows.
    names : mapping of str to str
        The catalogue's name of each model that a job writes.
    shapes : mapping of str to tuple of int
        Layers, widths, heads and experts of each model that a job writes.

    Notes
    -----
    Tokens may differ by 5 % of the larger. Names of data are alike when three quarters of the
    words of the shorter one stand in the other; members count between two consortiums.
    """
    groups: dict[tuple[object, ...], list[Entry]] = defaultdict(list)
    for entries in ledger.by_job().values():
        job = entries[0].job
        if job.model in shapes:
            groups[job.kind, shapes[job.model]].append(entries[0])
    found: list[Diagnostic] = []
    for group in groups.values():
        group.sort(key=lambda entry: (-entry.job.tokens.value, entry.row.job))
        told: set[str] = set()
        for at, larger in enumerate(group):
            for smaller in group[at + 1 : at + 1 + _LOOKED_AT]:
                if smaller.job.tokens.value < larger.job.tokens.value * (1 - _TOKENS_FRAC):
                    break
                reasons = _shared(ledger, larger, smaller)
                if reasons and not _same(larger, smaller, names) and smaller.row.job not in told:
                    told.add(smaller.row.job)
                    found.append(violation(
                        "near-workload",
                        f"`{smaller.row.job}` looks like `{larger.row.job}`, and both are funded",
                        smaller.where("job"), found="; ".join(reasons),
                        expected="two pieces of work that differ", warning=True,
                    ))  # fmt: skip
    return checked("workloads that look alike", sum(map(len, groups.values())), found)


def _same(one: Entry, two: Entry, names: Mapping[str, str]) -> bool:
    """Whether the identities are equal, which is a rule of its own."""
    keys = []
    for job in (one.job, two.job):
        model = names.get(job.model, job.model)
        keys.append((folded(model), folded(job.data), folded(job.objective or job.kind)))
    return keys[0] == keys[1]


def _shared(ledger: Ledger, one: Entry, two: Entry) -> list[str]:
    """What two jobs have in common besides kind, architecture and tokens."""
    reasons = []
    words = [
        {
            word
            for word in re.findall(r"[^\W_]+", folded(entry.job.data))
            if word not in _FILLERS and not re.fullmatch(r"v\d+|(?:19|20)\d{2}", word)
        }
        for entry in (one, two)
    ]
    both = words[0] & words[1]
    if both and len(both) / min(map(len, words)) >= 0.75:
        reasons.append(f"data {one.job.data} and {two.job.data}")
    if one.consortium != two.consortium:
        members = [
            {folded(member): member for member in ledger.consortium(entry).members}
            for entry in (one, two)
        ]
        common = sorted(members[0].keys() & members[1].keys())
        if common:
            reasons.append(f"{one.consortium} and {two.consortium} share {members[0][common[0]]}")
    return reasons
