"""What every check of a scenario is given, and how it words a fault at its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hardware.errors import Diagnostic, near_match
from hardware.sheet import Document, Path_, where_is
from planner.scenario import Scenario

__all__ = ["Written", "unknown_name"]


@dataclass(frozen=True)
class Written:
    """A scenario with its document, and what its names mean; unknown names are absent."""

    scenario: Scenario
    document: Document
    devices: Mapping[str, str] = field(default_factory=dict)
    """Device as written -> its one name."""
    training: Mapping[str, int] = field(default_factory=dict)
    """Name of a device -> code of `hardware.table.TRAINING`."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Model as written -> its one name."""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Model as written -> numbers that two models of one architecture share."""

    def text(self, path: Path_) -> str:
        """What the file says at a field, without its origin."""
        value: Any = self.document.data
        for step in path:
            if isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                value = value.get(step) if isinstance(value, dict) else None
        return str(value.get("value") if isinstance(value, dict) else value)

    def fault(
        self,
        path: Path_,
        code: str,
        message: str,
        *,
        found: str = "",
        expected: str = "",
        hint: str = "",
        key: bool = False,
    ) -> Diagnostic:
        """An error at a field, inside its record where it is written as one, or at its key."""
        inside = (*path, "value")
        where = where_is(self.document, path, key=key)
        if not key and inside in self.document.values:
            where = replace(where_is(self.document, inside), field=where.field)
        return Diagnostic(code, message, where, found, expected, hint)

    def warning(
        self, path: Path_, code: str, message: str, *, found: str = "", hint: str = ""
    ) -> Diagnostic:
        """A warning at the key of an entry."""
        where = where_is(self.document, path, key=True)
        return Diagnostic(code, message, where, found, "", hint, "warning")


def unknown_name(
    written: Written, path: Path_, kind: str, name: str, known: Iterable[str]
) -> Diagnostic:
    """The fault of a reference that names nothing in the file."""
    names = list(known)
    few = ", ".join(f"`{each}`" for each in names) if 0 < len(names) <= 8 else ""
    return written.fault(
        path, f"unknown-{kind}", f"no {kind} is called `{name}`",
        found=f"`{name}`", expected=few or f"one of the {len(names)} entries of `{kind}s`",
        hint=near_match(name, names),
    )  # fmt: skip
