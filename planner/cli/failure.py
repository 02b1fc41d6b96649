"""From an exception to a text on standard error and one of the documented exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import warnings

    from hardware.errors import Diagnostic

__all__ = [
    "NO",
    "OUR_FAULT",
    "WRONG_QUESTION",
    "YES",
    "caution",
    "exit_code_of",
    "styled",
    "talk",
    "tell",
]

YES, NO, WRONG_QUESTION, OUR_FAULT = 0, 1, 2, 3

_COLOR = {"error": "red", "warning": "yellow"}


def styled(diagnostic: Diagnostic) -> str:
    """Text of a diagnostic with its header and remedy coloured; colour is never the message."""
    head, _, rest = str(diagnostic).partition("\n")
    tag, colon, message = head.partition(": ")
    color = _COLOR.get(diagnostic.severity, "cyan")
    lines = [click.style(tag, fg=color, bold=True) + colon + click.style(message, bold=True)]
    for line in rest.splitlines():
        is_hint = line.startswith("  = hint:")
        lines.append(click.style(line, fg="cyan") if is_hint else line)
    return "\n".join(lines)


def tell(text: str, color: bool | None = None) -> None:
    """Write to standard error; colour by what was asked, else by the terminal and NO_COLOR."""
    import os

    if color is None and os.environ.get("NO_COLOR"):
        color = False
    click.echo(text, err=True, color=color)


def talk(diagnostics: Iterable[Diagnostic], color: bool | None = None) -> None:
    """Write diagnostics to standard error, a blank line between them."""
    tell("\n\n".join(styled(diagnostic) for diagnostic in diagnostics), color)


def caution(
    caught: Iterable[warnings.WarningMessage], *, debug: bool = False, color: bool | None = None
) -> None:
    """Tell what the library warned of, each thing once; warnings of others only to debug."""
    from hardware.errors import Diagnostic, PlanningWarning

    told: dict[Diagnostic, None] = {}
    for warning in caught:
        argument = warning.message.args[0] if isinstance(warning.message, Warning) else None
        if isinstance(argument, Diagnostic):
            told.setdefault(argument)
        elif issubclass(warning.category, PlanningWarning):
            told.setdefault(Diagnostic("note", str(warning.message), severity="warning"))
        elif debug:
            tell(f"{warning.category.__name__}: {warning.message}")
    if told:
        talk(told, color)


def exit_code_of(error: Exception, *, debug: bool = False, color: bool | None = None) -> int:
    """
    Say on standard error what went wrong, and return the exit code.

    Returns
    -------
    int
        1 for an answered question whose answer is no, 2 for a wrong question,
        3 for a fault of the solver or of this program.
    """
    from hardware.errors import Infeasible, InputError, PlanningError, Unproven

    if debug:
        import traceback

        tell("".join(traceback.format_exception(error)))
    if isinstance(error, PlanningError):
        talk(error.diagnostics, color)
        if isinstance(error, InputError):
            return WRONG_QUESTION
        if isinstance(error, (Infeasible, Unproven)):
            return NO
    else:
        tell(f"{click.style('bug', fg='red', bold=True)}: {_one_line(error)}", color)
    _where_to_report(debug)
    return OUR_FAULT


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def _where_to_report(debug: bool) -> None:
    import platform

    from planner.version import version

    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    tell(
        f"\nthis is our fault: planner {version()}, {system}\n"
        "please report it at the project's issue tracker, with the command line, the input files "
        "and this text"
    )
    if not debug:
        tell("  = hint: run it again with --debug for a traceback")
