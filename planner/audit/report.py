"""What the audit says: what each check looked at, and every violation it found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hardware.errors import Diagnostic, Where

__all__ = ["AT_ITS_WORD", "AuditReport", "Checked", "checked", "violation"]


AT_ITS_WORD = (
    "sentences, hints and, where several would do, reasons of jobs",
    "warnings",
    "the solver, its version and seconds in the verdict",
    "whether its inputs are unchanged (a warning where they are not)",
)
"""What of a plan file no check recomputes."""


@dataclass(frozen=True)
class Checked:
    """One check: how many items it looked at, and what it found."""

    name: str
    looked_at: int
    findings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class AuditReport:
    """
    The audit of one plan.

    `checks` says for each check how many items it looked at; one that looked at
    nothing proves nothing, and the text of the report says so. `at_its_word` names what
    of the plan no check recomputes.
    """

    ok: bool
    violations: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]
    checks: tuple[tuple[str, int], ...]
    at_its_word: tuple[str, ...] = ()

    @property
    def idle(self) -> tuple[str, ...]:
        """Names of the checks that looked at nothing."""
        return tuple(name for name, count in self.checks if count == 0)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain types, for JSON output."""
        return {
            "schema": "planner/audit/1",
            "ok": self.ok,
            "violations": [diagnostic.to_dict() for diagnostic in self.violations],
            "warnings": [diagnostic.to_dict() for diagnostic in self.warnings],
            "checks": [{"check": name, "looked_at": count} for name, count in self.checks],
            "at_its_word": list(self.at_its_word),
        }

    @property
    def word(self) -> str:
        """What is taken at the word of the plan, in one line; empty where nothing is known."""
        if not self.at_its_word:
            return ""
        return f"taken at the word of the file: {'; '.join(self.at_its_word)}"

    def __str__(self) -> str:
        """Verdict, then the violations, then what was looked at."""
        count = len(self.violations)
        verdict = "the plan holds" if self.ok else f"the plan does not hold: {count} violations"
        parts = [verdict, *(str(d) for d in (*self.violations, *self.warnings))]
        width = max((len(name) for name, _ in self.checks), default=0)
        lines = [
            f"{name:<{width}}  {number:>8}" if number else f"{name:<{width}}   nothing to look at"
            for name, number in self.checks
        ]
        said = [self.word] if self.word else []
        return "\n\n".join([*parts, "\n".join(lines), *said])


def checked(name: str, looked_at: int, findings: Iterable[Diagnostic]) -> Checked:
    """A check with its findings, in the order found."""
    return Checked(name, looked_at, tuple(findings))


def violation(
    code: str, message: str, where: Where, *,
    found: object = "", expected: object = "", hint: str = "", warning: bool = False,
) -> Diagnostic:  # fmt: skip
    """A diagnostic of a broken promise; numbers are shown to nine digits."""
    return Diagnostic(
        code, message, where, _text(found), _text(expected), hint,
        "warning" if warning else "error",
    )  # fmt: skip


def _text(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)
