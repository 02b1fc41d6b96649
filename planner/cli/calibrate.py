"""The `calibrate` command: fit profiles of software stacks to rows of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planner.cli.output import Output, Report, Section, option, output_options

if TYPE_CHECKING:
    from planner.profile import Calibration

__all__ = ["command"]


@click.command("calibrate")
@click.argument("rows", metavar="ROWS.csv")
@option("--constants", metavar="FILE", default=None, help="Table to start from; the shipped one.")
@option("--everything", is_flag=True,
        help="Fit device families and intervals too, from the priors.")  # fmt: skip
@option("--page", metavar="FILE", default=None, help="With --everything: accuracy page.")
@option("--memory", metavar="FILE", default=None,
        help="With --page: memory outcomes, for its section on memory.")  # fmt: skip
@output_options
def command(
    rows: str,
    *,
    constants: str | None,
    everything: bool,
    page: str | None,
    memory: str | None,
    output: Output,
) -> int:
    """
    Fit constants to measured rows.

    \b
    Examples:
      planner calibrate my-runs.csv -o profile.yaml
      planner backtest my-runs.csv --constants profile.yaml
      planner calibrate measurements.csv --everything -o constants.yaml

    The file has the columns of measurements.csv; every stack it names gets a
    profile, which starts from the one of that name or from the default. With
    -o FILE.yaml the whole table of constants is written there.
    """
    from planner.profile import calibrate
    from planner.stack import CONSTANTS

    if page and not everything:
        raise click.UsageError("--page needs --everything: it shows errors of sources left out")
    if memory and not page:
        raise click.UsageError("--memory needs --page: it is a section of the page")
    with output.working("fitting") as note:
        found = calibrate(rows, constants=constants or CONSTANTS, everything=everything, note=note)
    if page:
        from pathlib import Path

        from planner import backtest
        from planner.accuracy import page_text, with_drawing_apart
        from planner.cli.output import write_whole

        drawing = Path(page).with_suffix(".svg")
        outcomes = backtest(memory, memory=True) if memory else None
        text, image = with_drawing_apart(page_text(found, memory=outcomes), drawing.name)
        write_whole(str(drawing), image)
        write_whole(page, text)
        output.say(f"wrote {page} and {drawing}")
    if output.path.endswith((".yaml", ".yml")):
        output.write(found.text)
        return 0
    output.show(_report(found))
    return 0


def _report(found: Calibration) -> Report:
    from planner.cli.table import Column, Table

    document = found.to_dict()
    stacks = document["stacks"]
    columns = (
        Column("stack", "stack"),
        Column("n", "rows", kind="count"),
        Column("before_mdape_frac", "before", "%", kind="percent"),
        Column("after_mdape_frac", "after", "%", kind="percent"),
        Column("after_p90_frac", "90th pct", "%", kind="percent"),
        Column("after_bias_frac", "bias", "%", kind="percent"),
    )
    cells = tuple(
        (
            name,
            record["after"]["n"],
            record["before"]["mdape_frac"],
            record["after"]["mdape_frac"],
            record["after"]["p90_frac"],
            record["after"]["bias_frac"],
        )
        for name, record in stacks.items()
    )
    sentence = f"fitted {len(stacks)} stacks to {len(found.known)} rows"
    unseen = document["unseen"]
    lines = ("errors after the fit are of the rows that it saw",)
    if unseen:
        lines = (
            f"unseen sources: median error {unseen['mdape_frac']:.1%}, nine of ten within "
            f"{unseen['p90_frac']:.1%}, bias {unseen['bias_frac']:+.1%}",
        )
    return Report(sentence, (Table(columns, cells), Section("", lines)), document)
