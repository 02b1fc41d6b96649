"""From an exception to a text on standard error and one of the documented exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hardware.errors import Diagnostic

__all__ = ["NO", "OUR_FAULT", "WRONG_QUESTION", "YES", "exit_code_of", "styled", "talk"]

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


def talk(diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics to standard error, a blank line between them."""
    click.echo("\n\n".join(styled(diagnostic) for diagnostic in diagnostics), err=True)


def exit_code_of(error: Exception, *, debug: bool = False) -> int:
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

        click.echo("".join(traceback.format_exception(error)), err=True)
    if isinstance(error, PlanningError):
        talk(error.diagnostics)
        if isinstance(error, InputError):
            return WRONG_QUESTION
        if isinstance(error, (Infeasible, Unproven)):
            return NO
    else:
        click.echo(f"{click.style('bug', fg='red', bold=True)}: {_one_line(error)}", err=True)
    _where_to_report(debug)
    return OUR_FAULT


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def _where_to_report(debug: bool) -> None:
    import platform

    from planner.version import version

    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    click.echo(
        f"\nthis is our fault: planner {version()}, {system}\n"
        "please report it at the project's issue tracker, with the command line, the input files "
        "and this text",
        err=True,
    )
    if not debug:
        click.echo("  = hint: run it again with --debug for a traceback", err=True)
