"""The `new` command: the shipped example scenarios in a folder of your own, ready to edit."""

from __future__ import annotations

import contextlib

import click

from planner.cli.output import option
from planner.cli.place import write_stdout, write_whole

__all__ = ["command"]

SCHEMA = "scenario.schema.json"
FIRST = "first-minute.yaml"


@click.command("new")
@click.argument("folder", metavar="DIR", required=False)
@option("--list", "lists", is_flag=True, help="Say what the examples are, and copy nothing.")
@option("-q", "--quiet", is_flag=True, help="No remarks on standard error.")
def command(folder: str | None, lists: bool, quiet: bool) -> int:
    """
    Copy working examples to edit.

    \b
    Examples:
      planner new --list
      planner new my-plan
      planner allocate my-plan/first-minute.yaml

    Puts the example scenarios into DIR, and beside them the JSON Schema with which
    an editor completes and checks them. Overwrites nothing.
    """
    import os

    from hardware.errors import Diagnostic, InputError, Where
    from planner.cli.output import json_text
    from planner.cli.schema import schema_of

    if lists:
        write_stdout("".join(f"{line}\n" for line in told_examples()))
        return 0
    if not folder:
        raise InputError(Diagnostic("missing-argument", "no folder is named",
                                    expected="`planner new DIR`"))  # fmt: skip
    texts = {**example_texts(), SCHEMA: json_text(schema_of("scenario"))}
    places = {os.path.join(folder, name): text for name, text in texts.items()}
    taken = [place for place in places if os.path.lexists(place)]
    if taken:
        raise InputError(
            Diagnostic("file-exists", "the file stands there already", Where(place),
                       hint="name another folder, or move it away")
            for place in taken
        )  # fmt: skip
    _write_all(places)
    write_stdout("".join(f"{place}\n" for place in places))
    if not quiet:
        click.echo(f"next: planner allocate {next(iter(places))}", err=True)
    return 0


def _write_all(places: dict[str, str]) -> None:
    """Write files, all of them or none."""
    import os

    written: list[str] = []
    try:
        for place, text in places.items():
            make_folder(os.path.dirname(place))
            written.append(place)
            write_whole(place, text)
    except BaseException:
        for place in written:
            with contextlib.suppress(OSError):
                os.unlink(place)
        raise


def example_texts() -> dict[str, str]:
    """Text of each shipped example by its path: the first to try, others by size, then sheets."""
    from importlib.resources import files

    folder = files("planner").joinpath("examples")
    scenarios: dict[str, str] = {}
    sheets: dict[str, str] = {}
    for item in folder.iterdir():
        if item.name.endswith(".yaml"):
            scenarios[item.name] = item.read_text("utf-8")
        elif item.is_dir():
            inside = [one for one in item.iterdir() if one.name.endswith(".yaml")]
            sheets |= {f"{item.name}/{one.name}": one.read_text("utf-8") for one in inside}
    by_size = sorted(scenarios.items(), key=lambda pair: (pair[0] != FIRST, len(pair[1])))
    return {**dict(by_size), **dict(sorted(sheets.items()))}


def told_examples() -> list[str]:
    """Lines with the name of each shipped scenario, and what it says that it is."""
    import textwrap

    from hardware.sheet import read_text

    scenarios = {name: text for name, text in example_texts().items() if "/" not in name}
    lines: list[str] = []
    for name, text in scenarios.items():
        about = str(read_text(text).data["about"])
        lines += [name, *(f"  {line}" for line in textwrap.wrap(about, 78))]
    return lines


def make_folder(folder: str) -> None:
    """Make a folder and those above it, where they are missing."""
    import os

    from hardware.errors import Diagnostic, InputError, Where

    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError(
            Diagnostic("cannot-write", "the folder cannot be made", Where(folder),
                       found=error.strerror or str(error))
        ) from None  # fmt: skip
