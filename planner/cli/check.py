"""The `check` command: validate any file that this program reads, all faults at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from planner.cli.output import Output, Report, Section, option, output_options

if TYPE_CHECKING:
    from hardware.errors import Diagnostic
    from planner.cli.table import Table

__all__ = ["command", "fault_table"]


@click.command("check")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@option("--strict", is_flag=True, help="Warnings make the exit code 1.")
@output_options
def command(files: tuple[str, ...], strict: bool, output: Output) -> int:
    """
    Validate scenarios, sheets and plans; show all faults.

    \b
    Examples:
      planner check scenario.yaml
      planner check my-devices.yaml my-model.yaml plan.json
      planner check --format json scenario.yaml | jq .diagnostics

    What a file is, is read from its `schema` or its keys: a scenario, a hardware
    sheet, a model sheet, a Hugging Face config.json, a plan. Exit code 2 when
    anything is invalid; - reads standard input.
    """
    found = [_checked(path) for path in files]
    output.show(_report(found, output))
    diagnostics = [fault for _, _, faults, _ in found for fault in faults]
    if any(fault.severity == "error" for fault in diagnostics):
        return 2
    return 1 if strict and diagnostics else 0


Checked = tuple[str, str | None, tuple["Diagnostic", ...], dict[str, Any]]


def _checked(path: str) -> Checked:
    """A file with what it is, its faults, and what else is told of it."""
    from hardware.errors import InputError
    from hardware.sheet import read_document
    from planner.cli.recognise import findings_of, kind_of

    kind = None
    try:
        document = read_document(path)
        kind = kind_of(document)
        faults, told = findings_of(document, kind)
        return path, kind, tuple(faults), told
    except InputError as error:
        return path, kind, error.diagnostics, {}


def _report(found: list[Checked], output: Output) -> Report:
    faults = [fault for _, _, faults, _ in found for fault in faults]
    errors = sum(fault.severity == "error" for fault in faults)
    kinds = tuple(_kind_line(*one) for one in found)
    document: dict[str, Any] = {
        "schema": "planner/check/1",
        "files": [
            {
                "path": path,
                "kind": kind,
                "errors": sum(fault.severity == "error" for fault in faults),
                "warnings": sum(fault.severity == "warning" for fault in faults),
                **told,
            }
            for path, kind, faults, told in found
        ],
        "diagnostics": [fault.to_dict() for fault in faults],
    }
    listing = (Section("", kinds),) if output.verbose or not errors else ()
    return Report(
        _sentence(found, errors, len(faults) - errors),
        (output.told(faults), *listing),
        document,
        sheet=fault_table(faults),
        good=not errors,
    )


def _number_of(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _kind_line(path: str, kind: str | None, _: object, told: dict[str, Any]) -> str:
    """What a file is, in a line."""
    periods = f", {told['periods']['sentence']}" if "periods" in told else ""
    return f"{path}: {kind or 'not recognised'}{periods}"


def _sentence(found: list[Checked], errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return f"{_number_of(len(found), 'file')} checked, no faults"
    bad = sum(1 for _, _, faults, _ in found if faults)
    parts = [_number_of(errors, "error")] if errors else []
    parts += [_number_of(warnings, "warning")] if warnings else []
    return f"{' and '.join(parts)} in {bad} of {_number_of(len(found), 'file')}"


def fault_table(faults: Sequence[Diagnostic]) -> Table:
    """Diagnostics as a table for CSV, a field each."""
    from planner.cli.table import Column, Table

    keys = ("severity", "code", "message", "path", "line", "column", "field", "found",
            "expected", "hint")  # fmt: skip
    rows = [fault.to_dict() for fault in faults]
    return Table(
        tuple(Column(key, key) for key in keys),
        tuple(tuple(row.get(key) for key in keys) for row in rows),
    )
