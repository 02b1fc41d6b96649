"""The `compare` command: devices side by side on one model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.complete import device_names, model_names
from planner.cli.output import Output, Report, Section, option, output_options
from planner.cli.run_options import run_options, split_files

if TYPE_CHECKING:
    from planner.cli.table import Table
    from planner.comparison import Comparison

__all__ = ["command"]


@click.command("compare")
@click.argument("devices", metavar="DEVICE…", nargs=-1, required=True, shell_complete=device_names)
@option("--model", required=True, metavar="MODEL", shell_complete=model_names,
        help="Name of the catalogue, model sheet, or config.json.")  # fmt: skip
@option("--size", type=click.IntRange(min=1), default=64, show_default=True,
        help="Devices of each.")  # fmt: skip
@run_options
@output_options
def command(devices: tuple[str, ...], output: Output, **given: Any) -> int:
    """
    Put accelerators side by side on one model.

    \b
    Examples:
      planner compare h100 b200 mi300x --model llama-3.1-70b
      planner compare b200 rngd --model llama-3.1-8b --work generation --size 8

    As many of each device, each with its best layout: peak, roofline knee, tokens a
    second, MFU, money and energy a token. Exit code 1 when no device has a layout.
    """
    from planner.comparison import compare
    from planner.strategy import FITS

    with output.working("comparing"):
        found = compare(devices, **split_files(given))
    output.show(_report(found))
    return 0 if (found.reason == FITS).any() else 1


def _report(found: Comparison) -> Report:
    from planner.forecast import CONVENTION
    from planner.strategy import FITS, REASONS

    left_out = tuple(
        f"{name}: {REASONS[code]}"
        for name, code in zip(found.device, found.reason, strict=True)
        if code != FITS
    )
    prices = tuple(
        f"price of {name}: {price}" for name, price in zip(found.device, found.price, strict=True)
    )
    what_if = ("† WHAT IF: no training on this device has been shown; not a forecast",)
    spans = ", ".join(
        f"{name} {low - 1:+.0%} to {high - 1:+.0%}"
        for name, low, high in zip(found.device, found.low80_frac, found.high80_frac, strict=True)
        if low > 0
    )
    above = (found.peak_bytes > found.memory_bytes).nonzero()[0]
    notes = [f"80 % interval of tokens a second: {spans}"] * bool(spans)
    notes += [f"memory: {found.device[at]} reports more than its nameplate of "
              f"{found.memory_bytes[at] / 1e9:g} GB" for at in above]  # fmt: skip
    blocks = (
        _table(found),
        Section("without a layout", left_out),
        Section("", (*(what_if if found.is_what_if.any() else ()), CONVENTION,
                     *notes, *prices)),
    )  # fmt: skip
    return Report(found.verdict, blocks, found.to_document(), _sheet(found),
                  good=len(left_out) < len(found))  # fmt: skip


def _table(found: Comparison) -> Table:
    from planner.cli.table import Column, Marked, Table
    from planner.strategy import FITS

    columns = (
        Column("device", "device"),
        Column("precision", "type"),
        Column("peak_flop_per_s", "peak", "FLOP/s", "si"),
        Column("knee_flop_per_byte", "knee", "FLOP/B", "number"),
        Column("tokens_per_s_per_device", "a device", "tok/s", "number"),
        Column("mfu_frac", "MFU", kind="percent"),
        Column("usd_per_million_tokens", "a M tokens", "USD", "number"),
        Column("energy_j_per_token", "a token", "J", "si"),
        Column("peak_bytes", "memory", "B", "si"),
        Column("layout", "layout"),
    )
    rows = []
    for at, name in enumerate(found.device):
        fits = found.reason[at] == FITS
        shown = Marked(name, "†") if found.is_what_if[at] else name
        speed = (found.tokens_per_s_per_device[at], found.mfu_frac[at],
                 found.usd_per_million_tokens[at] or None, found.energy_j_per_token[at],
                 found.peak_bytes[at], found.layout[at])  # fmt: skip
        roofline = (found.peak_flop_per_s[at] or None, found.knee_flop_per_byte[at] or None)
        rest = speed if fits else [None] * len(speed)
        rows.append((shown, found.precision[at], *roofline, *rest))
    return Table(columns, tuple(rows))


def _sheet(found: Comparison) -> Table:
    from planner.cli.table import Column, Table

    rows = found.to_document()["rows"]
    names = list(rows[0]) if rows else ["device"]
    return Table(tuple(Column(name, name) for name in names),
                 tuple(tuple(row[name] for name in names) for row in rows))  # fmt: skip
