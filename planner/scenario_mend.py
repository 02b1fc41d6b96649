"""What else is wrong with a scenario that has faults of form: names, order, amounts, days."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ValidationError

from hardware.errors import Diagnostic
from hardware.sheet import Document, Path_, fault_paths, field_path
from planner.scenario import Scenario

__all__ = ["faults_beside"]

# A stand-in for a figure that cannot be read, so that the rest of its entry can be checked.
_STAND_IN: dict[tuple[str, str], Any] = {
    ("pools", "nodes"): 1,
    ("jobs", "tokens"): 1,
}
_ENTRIES = ("pools", "consortiums", "jobs", "programmes")
_MAY_GO = ("about", "evaluations", "policy", "power", "rules")
# Faults that no stand-in and no field left out can bring about.
_CERTAIN = (
    "cycle", "dates-out-of-order", "named-twice", "no-exchange-rate", "out-of-range",
    "outside-horizon", "two-programmes", "waits-for-itself", "wrong-exchange-rate",
)  # fmt: skip


def faults_beside(
    document: Document, check: Callable[[Scenario], Iterable[Diagnostic]]
) -> tuple[Diagnostic, ...]:
    """
    Faults of meaning that stand beside faults of form.

    Parameters
    ----------
    document : Document
        A scenario whose form is wrong somewhere.
    check : callable
        The check of a scenario of right form.

    Returns
    -------
    tuple of Diagnostic
        Only what holds whatever the unreadable fields should have said; none when a field
        cannot be read without which the rest means nothing.

    Notes
    -----
    Every field at fault is left out, or gets a stand-in where it has to be there; then the
    rest is checked, and faults of the fields themselves are not told twice.
    """
    if not isinstance(document.data, dict):
        return ()
    data = copy.deepcopy(document.data)
    paths = fault_paths(document, Scenario)
    if not all(_mend(data, path) for path in paths):
        return ()
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError:
        return ()
    mended = [field_path(path[:3]) for path in paths]
    return tuple(
        fault
        for fault in check(scenario)
        if (fault.code in _CERTAIN or fault.code.startswith("unknown-"))
        and not any(fault.where.field.startswith(field) for field in mended)
    )


def _mend(data: dict[str, Any], path: Path_) -> bool:
    """Leave a field at fault out, or put a stand-in there; whether that was possible."""
    section = str(path[0]) if path else ""
    if section not in _ENTRIES:
        data.pop(section, None)
        return section in _MAY_GO or section not in Scenario.model_fields
    entries = data.get(section)
    if len(path) < 3 or not isinstance(entries, dict) or not isinstance(entries.get(path[1]), dict):
        return False
    entry, field = entries[path[1]], str(path[2])
    entry.pop(path[2], None)
    if (section, field) in _STAND_IN:
        entry[field] = _STAND_IN[section, field]
    if (section, field) == ("pools", "price"):
        entry[field] = f"0 {data.get('currency')} / device-month"
    return True
