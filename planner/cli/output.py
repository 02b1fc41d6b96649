"""The options that every command shares, and the one way from an answer to a file or stream."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from planner.cli.place import check_place, with_copy, write_stdout, write_whole

if TYPE_CHECKING:
    from hardware.errors import Diagnostic, InputError
    from planner.cli.table import Table

__all__ = ["Output", "Report", "Section", "option", "output_options", "write_whole"]

Command = TypeVar("Command", bound=Callable[..., Any])

# Every option shows the environment variable that stands in for it.
option = functools.partial(click.option, show_envvar=True)


@dataclass(frozen=True)
class Section:
    """A titled list of lines, such as what was not done and why."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """
    An answer before it is text: the same answer serves a table, JSON and CSV.

    The sentence is the verdict; `document` is what JSON prints, in plain types
    and SI units; `sheet` is the table that CSV prints, the first one by default.
    """

    sentence: str
    blocks: tuple[Table | Section, ...]
    document: dict[str, Any]
    sheet: Table | None = None
    good: bool | None = None


@dataclass(frozen=True)
class Output:
    """Where and how a command answers: format, file, and how much it says on the side."""

    format: str = "table"
    path: str = "-"
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    progress: bool = True
    format_is_stated: bool = False

    def show(self, report: Report) -> None:
        """Write the answer in the format asked for, to the file or to standard output."""
        if self.format == "json":
            text = json_text(report.document)
        elif self.format == "csv":
            text = csv_text(report)
        else:
            on_stdout = self.path == "-"
            width = terminal_width() if on_stdout else 100
            text = report_text(report, width, color=on_stdout and self.has_color(sys.stdout))
        self.write(text)

    def write(self, text: str) -> None:
        """Write a whole text to the file or to standard output."""
        if self.path == "-":
            write_stdout(text)
        else:
            write_whole(self.path, text)
            self.say(f"wrote {self.path}")

    def has_color(self, stream: Any) -> bool:
        """Whether to colour what goes to a stream; the flag wins over NO_COLOR."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return bool(stream.isatty())

    def told(self, faults: Sequence[Diagnostic]) -> Section:
        """Diagnostics as a part of the answer, in colour where the answer has any."""
        from planner.cli.failure import styled

        color = self.path == "-" and self.has_color(sys.stdout)
        texts = (styled(fault) if color else str(fault) for fault in faults)
        return Section("", ("\n\n".join(texts),) if faults else ())

    def say(self, text: str) -> None:
        """A remark on standard error, unless quiet."""
        if not self.quiet:
            from planner.cli.failure import tell

            tell(text)

    def show_and_keep(self, report: Report, *, kept: str) -> None:
        """
        Write the answer to the file, and still show it as a table unless quiet.

        The file is in the form asked for, else by its ending, else `kept`.
        """
        failure = self.keep(report, kept=kept)
        self.show_kept(report, failure)

    def keep(self, report: Report, *, kept: str) -> InputError | None:
        """
        Write the answer to the file, if there is one; gives what went wrong.

        What cannot be written there is put among the temporary files, and that is told.
        """
        if self.path == "-":
            return None
        from hardware.errors import InputError

        form = self.format if self.format_is_stated or self.format != "table" else kept
        try:
            replace(self, format=form).show(report)
        except InputError as error:
            return with_copy(error, json_text(report.document))
        return None

    def show_kept(self, report: Report, failure: InputError | None) -> None:
        """Show the answer that was kept in a file, unless quiet, and raise what went wrong."""
        if self.path == "-":
            self.show(report)
        elif not self.quiet:
            replace(self, format="table", path="-").show(report)
        if failure is not None:
            raise failure

    @contextmanager
    def working(self, what: str) -> Iterator[Callable[[str], None]]:
        """
        Show on standard error that work goes on and for how long; nothing off a terminal.

        Gives a function that puts a remark on the line.
        """
        remark = [""]

        def note(text: str) -> None:
            remark[0] = f", {text}"

        if self.quiet or not self.progress or not sys.stderr.isatty():
            yield note
            return
        import threading
        import time

        done = threading.Event()
        began = time.monotonic()

        def tell() -> None:
            while not done.wait(0.5):
                line = f"{what}, {time.monotonic() - began:.0f} s{remark[0]}"
                sys.stderr.write(f"\r\x1b[K{line[: terminal_width() - 1]}")
                sys.stderr.flush()

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield note
        finally:
            done.set()
            teller.join()
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _note_debug(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    if value and isinstance(ctx.obj, dict):
        ctx.obj["debug"] = True
    return value


_SHARED = (
    option("--format", type=click.Choice(["table", "json", "csv"]),
           help="Form of the answer; by the ending of --output, else table."),
    option("-o", "--output", metavar="FILE|-", default="-",
           help="Write the answer there, whole or not at all; - is standard output."),
    option("-q", "--quiet", is_flag=True, help="No remarks on standard error."),
    option("-v", "--verbose", is_flag=True, help="Say more."),
    option("--color", type=click.Choice(["auto", "always", "never"]), default="auto",
           show_default=True, help="Colour; auto obeys NO_COLOR and is off outside a terminal."),
    option("--no-progress", is_flag=True, help="No progress line on standard error."),
    option("--debug", is_flag=True, is_eager=True, expose_value=False, callback=_note_debug,
           help="Show a traceback with any error."),
)  # fmt: skip


def output_options(command: Command) -> Command:
    """Give a command the shared options; it receives them as one argument, `output`."""

    @functools.wraps(command)
    def with_output(**given: Any) -> Any:
        path, stated = given.pop("output"), given.pop("format")
        color = given.pop("color")
        output = Output(
            format=stated or _format_of(path),
            path=path,
            quiet=given.pop("quiet"),
            verbose=given.pop("verbose"),
            color=color,
            progress=not given.pop("no_progress"),
            format_is_stated=stated is not None,
        )
        ctx = click.get_current_context()
        if color != "auto":
            ctx.find_root().color = ctx.color = color == "always"
        if isinstance(ctx.obj, dict):
            ctx.obj.update(quiet=output.quiet, color=color)
        check_place(path)  # before any work is done for it
        return command(output=output, **given)

    wrapped: Any = with_output
    for add in reversed(_SHARED):
        wrapped = add(wrapped)
    return wrapped  # type: ignore[no-any-return]


def _format_of(path: str) -> str:
    ending = os.path.splitext(path)[1].lower()
    return {".json": "json", ".csv": "csv"}.get(ending, "table")


def terminal_width() -> int:
    """Columns to write in: the terminal's, at most 100; 100 when it is no terminal."""
    import shutil

    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 100
    return max(20, min(100, shutil.get_terminal_size((100, 24)).columns))


def report_text(report: Report, width: int, *, color: bool) -> str:
    """The answer for a reader: verdict, tables, then what was not done and what was assumed."""
    from planner.cli.table import Table, table_text

    good = {True: "green", False: "red", None: None}[report.good]
    head = click.style(report.sentence, fg=good, bold=True) if color else report.sentence
    parts = [head]
    for block in report.blocks:
        if isinstance(block, Table):
            parts.append(table_text(block, width=width, color=color))
        elif block.lines:
            title = click.style(block.title, bold=True) if color else block.title
            parts.append("\n".join([title, *block.lines] if title else block.lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def json_text(document: dict[str, Any]) -> str:
    """JSON in stable order; a number that is not finite is our bug and raises."""
    import json

    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def csv_text(report: Report) -> str:
    """One table as CSV, columns by their names with unit suffix, unknown cells empty."""
    import csv
    import io

    from planner.cli.table import Table, raw

    tables = [block for block in report.blocks if isinstance(block, Table)]
    sheet = report.sheet or (tables[0] if tables else Table((), ()))
    paper = io.StringIO()
    writer = csv.writer(paper, lineterminator="\n")
    writer.writerow([column.name for column in sheet.columns])
    for row in sheet.rows:
        cells = [raw(column, cell) for column, cell in zip(sheet.columns, row, strict=True)]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return paper.getvalue()
