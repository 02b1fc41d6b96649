"""Diagnostics, and the root of the exceptions that both packages raise.

PlanningError(Exception)                          carries .diagnostics; str() renders them
├─ InputError(PlanningError, ValueError)          a sheet, scenario or argument is wrong
│  └─ UnknownName(InputError, LookupError)        no such device, model, pool or job
├─ Infeasible(PlanningError)                      the scenario has no plan
├─ Unproven(PlanningError)                        stopped without a plan in hand
└─ SolverFailure(PlanningError, RuntimeError)     the solver broke, or its plan failed the audit
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "Diagnostic",
    "Infeasible",
    "InputError",
    "PlanningError",
    "PlanningWarning",
    "SolverFailure",
    "UnknownName",
    "Unproven",
    "Where",
    "near_match",
    "word_for",
    "wrong_type",
]


@dataclass(frozen=True)
class Where:
    """A place in a document: file, line and column (from 1; 0 is unknown), field path."""

    path: str = ""
    line: int = 0
    column: int = 0
    field: str = ""
    snippet: str = ""

    def __str__(self) -> str:
        place = self.path
        if self.line:
            place = f"{place}:{self.line}:{self.column}"
        if self.field:
            place = f"{place} ({self.field})" if place else self.field
        return place


@dataclass(frozen=True)
class Diagnostic:
    """
    One fault, as a value before it is text.

    `message` says what is wrong in one phrase; the remedy stands only in
    `hint`. `severity` is ``error`` or ``warning``; `code` is words joined by
    hyphens, the same for the same fault everywhere.
    """

    code: str
    message: str
    where: Where = Where()
    found: str = ""
    expected: str = ""
    hint: str = ""
    severity: str = "error"

    def to_dict(self) -> dict[str, Any]:
        """The record as plain types, empty texts as None; for JSON output."""
        record = asdict(self)
        where = record.pop("where")
        record.update(
            path=where["path"], line=where["line"], column=where["column"], field=where["field"]
        )
        return {key: (value if value not in ("", 0) else None) for key, value in record.items()}

    def __str__(self) -> str:
        """Text of the diagnostic: header, place, source line with a caret, remedy."""
        lines = [f"{self.severity}[{self.code}]: {self.message}"]
        place = str(self.where)
        if place:
            lines.append(f" --> {place}")
        snippet, column = self.where.snippet, self.where.column
        if snippet and self.where.line and column <= len(snippet) + 1:
            number = str(self.where.line)
            gutter = " " * len(number)
            lines += [
                f"{gutter} |",
                f"{number} | {snippet}",
                f"{gutter} | {_blank(snippet[: max(column - 1, 0)])}^",
            ]
        if self.found:
            lines.append(f"  = found: {self.found}")
        if self.expected:
            lines.append(f"  = expected: {self.expected}")
        if self.hint:
            lines.append(f"  = hint: {self.hint}")
        return "\n".join(lines)


def _blank(text: str) -> str:
    """White space as wide as a text on a terminal: two cells for each wide letter."""
    from unicodedata import east_asian_width

    wide = ("W", "F")
    return "".join(
        letter if letter == "\t" else "  " if east_asian_width(letter) in wide else " "
        for letter in text
    )


class PlanningError(Exception):
    """Root of every exception raised on purpose; carries its diagnostics."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic]) -> None:
        if isinstance(diagnostics, Diagnostic):
            diagnostics = (diagnostics,)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n\n".join(str(diagnostic) for diagnostic in self.diagnostics)


class InputError(PlanningError, ValueError):
    """A sheet, a scenario or an argument is wrong; holds all faults at once."""


class UnknownName(InputError, LookupError):
    """A name that nothing answers to; the diagnostic carries near matches."""


class Infeasible(PlanningError):
    """The scenario has no plan; the diagnostics explain why."""


class Unproven(PlanningError):
    """Solving stopped before any plan was found."""


class SolverFailure(PlanningError, RuntimeError):
    """The solver broke, or what it returned did not pass the audit."""


class PlanningWarning(UserWarning):
    """Category of every warning that the library issues."""


def word_for(value: Any) -> str:
    """What a value is, in the words of a file."""
    words = {list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return words.get(type(value), "a number" if isinstance(value, int | float) else "a value")


def wrong_type(name: str, value: Any, expected: str, hint: str = "") -> Diagnostic:
    """The fault of an argument of another kind than is read there."""
    shown = repr(value)
    found = shown if len(shown) <= 120 else f"{shown[:120]}…"
    return Diagnostic("wrong-type", f"`{name}` does not fit", Where(), found, expected, hint)


def near_match(name: str, known: Iterable[str]) -> str:
    """A hint naming the closest known spellings, or an empty text when none is close."""
    import difflib

    names = list(known)
    folded = {candidate.lower().replace("_", "-"): candidate for candidate in names}
    wanted = name.lower().replace("_", "-")
    close = difflib.get_close_matches(wanted, list(folded), n=3, cutoff=0.6)
    if not close and len(wanted) >= 2:
        close = [key for key in folded if wanted in key][:3]
    if not close:
        return ""
    return "did you mean " + " or ".join(f"`{folded[key]}`" for key in close) + "?"
