"""The `backtest` command: predictions against published measurements, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.output import Output, Report, Section, option, output_options

if TYPE_CHECKING:
    from planner.cli.table import Table

__all__ = ["command"]

_WORST = 10


@click.command("backtest")
@click.argument("rows", metavar="ROWS.csv")
@option("--memory", is_flag=True, help="Compare peak memory and fit; columns of memory.csv.")
@option("--stack", metavar="STACK", default="", help="Software stack of rows that name none.")
@option("--constants", metavar="FILE", default=None, help="Table of constants; the shipped one.")
@option("--leave-out", type=click.Choice(["source", "device"]), default=None,
        help="Fit anew without each source, or device, then predict it.")  # fmt: skip
@output_options
def command(
    rows: str,
    *,
    memory: bool,
    stack: str,
    constants: str | None,
    leave_out: str | None,
    output: Output,
) -> int:
    """
    Predict published rows and compare.

    \b
    Examples:
      planner backtest measurements.csv
      planner backtest memory.csv --memory --stack nanotron
      planner backtest measurements.csv --leave-out source --format json

    A row that cannot be predicted says why and counts. The shipped constants
    were fitted on published rows: only --leave-out tells of rows unseen.
    """
    from planner.stack import CONSTANTS

    table = constants or CONSTANTS
    if leave_out:
        from planner.accuracy import left_out

        with output.working("fitting") as note:
            found = left_out(rows, by=leave_out, constants=table, note=note)
    else:
        from planner.trial import backtest

        with output.working("predicting"):
            found = backtest(rows, memory=memory, stack=stack, constants=table)
    output.show(_memory_report(found) if memory and not leave_out else _report(found, leave_out))
    return 0


def _report(found: dict[str, Any], leave_out: str | None) -> Report:
    whole = found["summary"]
    unseen = f", each {leave_out} unseen by its fit" if leave_out else ""
    if not whole["n_predicted"]:
        sentence = f"none of {whole['n']} rows could be predicted and compared"
    else:
        sentence = (
            f"{whole['n_predicted']} of {whole['n']} rows predicted: median error "
            f"{whole['mdape_frac']:.1%}, nine of ten within {whole['p90_frac']:.1%}, "
            f"bias {whole['bias_frac']:+.1%}{unseen}"
        )
    blocks = (_classes(found), _unread(found))
    return Report(sentence, blocks, found, _sheet(found))


def _classes(found: dict[str, Any]) -> Table:
    from planner.cli.table import Column, Table

    columns = (
        Column("by", "by"),
        Column("class", "class"),
        Column("n", "rows", kind="count"),
        Column("mdape_frac", "median", "%", kind="percent"),
        Column("p90_frac", "90th pct", "%", kind="percent"),
        Column("bias_frac", "bias", "%", kind="percent"),
        Column("coverage80_frac", "in 80 %", "%", kind="percent"),
        Column("constant_mdape_frac", "constant", "%", kind="percent"),
    )
    records = [("all", "", found["summary"])]
    records += [
        (name, value, record)
        for name, values in found["by"].items()
        for value, record in values.items()
    ]
    keys = ("n", "mdape_frac", "p90_frac", "bias_frac", "coverage80_frac")
    cells = tuple(
        (
            name,
            value,
            *(record.get(key) for key in keys),
            (record.get("constant") or {}).get("mdape_frac"),
        )
        for name, value, record in records
    )
    return Table(columns, cells, title="constant: half of the dense peak for every row")


def _unread(found: dict[str, Any]) -> Section:
    reasons: dict[str, list[str]] = {}
    for row in found["rows"]:
        if row["reason"]:
            reasons.setdefault(row["reason"], []).append(row["id"])
    lines = tuple(
        f"{len(ids):>5}  {reason}: {', '.join(ids[:3])}{' …' if len(ids) > 3 else ''}"
        for reason, ids in sorted(reasons.items())
    )
    return Section("not predicted", lines)


def _sheet(found: dict[str, Any]) -> Table:
    from planner.cli.table import Column, Table

    names = tuple(found["rows"][0]) if found["rows"] else ("id",)
    columns = tuple(
        Column(name, name, kind="text" if name in ("id", "reason") else "number") for name in names
    )
    return Table(columns, tuple(tuple(row[name] for name in names) for row in found["rows"]))


def _memory_report(found: dict[str, Any]) -> Report:
    from planner.cli.table import Column, Table

    whole = found["summary"]
    error = whole["mdape_frac"]
    told = "no peak to compare" if error is None else f"median error {error:.1%} where it fitted"
    sentence = f"{whole['n_predicted']} of {whole['n']} rows predicted: {told}"
    cells = whole["confusion"]
    matrix = Table(
        (
            Column("measured", "measured"),
            Column("predicted_fits", "predicted to fit", kind="count"),
            Column("predicted_too_large", "predicted too large", kind="count"),
        ),
        (
            ("fits", cells["fits_predicted_fits"], cells["fits_predicted_too_large"]),
            ("too large or crashed", cells["too_large_predicted_fits"],
             cells["too_large_predicted_too_large"]),
        ),
    )  # fmt: skip
    return Report(sentence, (matrix, _unread(found)), found, _sheet(found))
