"""The root command: knows every command by name and loads one only when it is called."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["COMMANDS", "main", "root", "run"]

_INTERRUPTED, _ENDED = 130, 143  # 128 and the signal: SIGINT, SIGTERM

# Command -> (module, first line of its help). The module has a click command named
# `command`, and imports nothing but click until that command is called.
COMMANDS: dict[str, tuple[str, str]] = {
    "estimate": (
        "planner.cli.estimate",
        "Predict time, memory, money and energy of a run.",
    ),
    "compare": ("planner.cli.compare", "Put accelerators side by side on one model."),
    "catalog": ("planner.cli.catalog", "Show what is known of devices, nodes, models and stacks."),
    "new": ("planner.cli.new", "Copy working examples to edit."),
    "check": ("planner.cli.check", "Validate scenarios, sheets and plans; show all faults."),
    "allocate": (
        "planner.cli.allocate",
        "Divide the pools of a scenario among those who ask.",
    ),
    "policies": (
        "planner.cli.policies",
        "Put the policies side by side: work, shares, cost, fairness.",
    ),
    "verify": ("planner.cli.verify", "Check a plan against its scenario, without the solver."),
    "why": ("planner.cli.why", "Say why a job runs where it does, or why it does not."),
    "backtest": ("planner.cli.backtest", "Predict published rows and compare."),
    "calibrate": ("planner.cli.calibrate", "Fit constants to measured rows."),
    "schema": ("planner.cli.schema", "Print the JSON Schema of a file format, for editors."),
    "explain": ("planner.cli.explain", "Say what a code means, or why a job was placed so."),
    "completion": ("planner.cli.completion", "Print the line that turns on shell completion."),
}

_SECTIONS: dict[str, tuple[str, ...]] = {
    "Plan a shared pool": ("new", "check", "allocate", "policies", "verify", "why", "explain"),
    "Predict a run": ("estimate", "compare", "catalog"),
    "Trust the prediction": ("backtest", "calibrate"),
    "Set up": ("schema", "completion"),
}

_EPILOG = (
    "Exit codes: 0 yes, 1 no (findings, infeasible, violations), 2 the question is wrong, "
    "3 our fault, 130 interrupted, 143 ended. Every option has an environment variable, shown in "
    "the help of its command."
)


class LazyGroup(click.Group):
    """A group whose commands are imported when called; its own help imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now; None when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        import importlib

        found = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(found, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name][0]}.command is a {type(found).__name__}")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments call; a near match is named when there is none."""
        name = args[0]
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        import difflib

        near = difflib.get_close_matches(name, list(COMMANDS), n=3, cutoff=0.6)
        remedy = " or ".join(f"`{match}`" for match in near)
        hint = f"did you mean {remedy}?" if near else "`planner --help` lists the commands"
        raise click.UsageError(f"no command `{name}`; {hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by purpose, each with its first help line, from the table alone."""
        width = max(map(len, COMMANDS))
        for title, names in _SECTIONS.items():
            rows = [(name.ljust(width), COMMANDS[name][1]) for name in names if name in COMMANDS]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Names that complete a word, without importing any command."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=COMMANDS[name][1])
            for name in COMMANDS
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def _show_version(ctx: click.Context, option: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from planner.version import version

        click.echo(f"planner {version()}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    epilog=_EPILOG,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "auto_envvar_prefix": "PLANNER",
    },
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False,
              callback=_show_version, help="Show the version and exit.")  # fmt: skip
@click.pass_context
def root(ctx: click.Context) -> None:
    """
    Predict what training costs on an accelerator, and divide a pool of accelerators.

    \b
    Examples:
      planner new my-plan             a working example to edit
      planner allocate my-plan/first-minute.yaml
      planner explain unit-mismatch   what a code in an error means
    """
    import os

    if os.environ.get("NO_COLOR"):
        ctx.color = False  # click itself does not read it


def run(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command line and return its exit code.

    Every failure ends here: as a text on standard error and one of the
    documented codes, never as a traceback unless `--debug` asks for it. What
    the library warned of is told once, at the end.
    """
    with _interrupts() as seen:
        return _run(arguments, seen)


def _run(arguments: Sequence[str] | None, seen: list[int]) -> int:
    """The same, for who listens to interrupts already."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # an ASCII terminal shows ? for the sign it lacks
    manner: dict[str, object] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        code = _answer(arguments, manner, seen)
    if caught and not manner.get("quiet"):
        from planner.cli.failure import caution

        caution(caught, debug=bool(manner.get("debug")), color=_color(manner))
    return code


@contextlib.contextmanager
def _interrupts() -> Iterator[list[int]]:
    """
    The interrupts seen so far.

    A library may turn the exception into one of its own: pydantic does, while it builds a
    schema.
    """
    import signal
    import threading

    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.default_int_handler(number, frame)

    def ended(number: int, _: FrameType | None) -> None:
        seen.append(number)
        signal.raise_signal(signal.SIGINT)  # the same from here on, but for the exit code

    ours: dict[int, tuple[Any, Callable[[int, FrameType | None], None]]] = {
        signal.SIGINT: (signal.default_int_handler, note),
        signal.SIGTERM: (signal.SIG_DFL, ended),
    }
    is_main = threading.current_thread() is threading.main_thread()
    taken = [
        number
        for number, (usual, _) in ours.items()
        if is_main and signal.getsignal(number) is usual
    ]
    for number in taken:
        signal.signal(number, ours[number][1])
    try:
        yield seen
    finally:
        for number in taken:
            signal.signal(number, ours[number][0])


def _code_of(seen: list[int]) -> int:
    """Exit code of a command that was interrupted: by Ctrl-C, or ended by SIGTERM."""
    import signal

    return _ENDED if signal.SIGTERM in seen else _INTERRUPTED


def _answer(arguments: Sequence[str] | None, manner: dict[str, object], seen: list[int]) -> int:
    code = _answer_noting(arguments, manner, seen)
    # An import of compiled code may take an interrupt for a library that is not installed.
    return _code_of(seen) if code == _INTERRUPTED or (seen and code == 0) else code


def _answer_noting(
    arguments: Sequence[str] | None, manner: dict[str, object], seen: list[int]
) -> int:
    try:
        answer = root.main(arguments, prog_name="planner", standalone_mode=False, obj=manner)
    except (click.Abort, KeyboardInterrupt):
        return _interrupted()
    except SystemExit:  # click's, when the reader of standard output has seen enough
        return 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        if seen:
            return _interrupted()
        from planner.cli.failure import exit_code_of

        if isinstance(error, OSError):
            from planner.cli.place import stdout_failure

            error = stdout_failure(error) or error
        return exit_code_of(error, debug=bool(manner.get("debug")), color=_color(manner))
    return answer if isinstance(answer, int) else 0


def _interrupted() -> int:
    """Say that an interrupt ended the command; no further one is heard."""
    _hear_no_more()
    click.echo("interrupted", err=True)
    return _INTERRUPTED


def _hear_no_more() -> None:
    import signal
    import threading

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _color(manner: dict[str, object]) -> bool | None:
    return {"always": True, "never": False}.get(str(manner.get("color")))


def main() -> None:
    """Entry point of the `planner` command."""
    with _interrupts() as seen:
        try:
            code = _run(None, seen)
        except KeyboardInterrupt:  # between the answer and here
            code = _code_of(seen)
    _hear_no_more()  # the interpreter's own end is not to be disturbed
    if code in (_INTERRUPTED, _ENDED):
        # After an interrupt inside text that Python executes, as dataclasses do at import,
        # `python -m` ends by the signal, whatever exit code it is given.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
