"""The `catalog` command: devices, nodes, models and stacks that are known, with their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.complete import catalogue_names
from planner.cli.output import Output, Report, Section, option, output_options

if TYPE_CHECKING:
    from planner.cli.table import Table

__all__ = ["command"]


@click.command("catalog")
@click.argument(
    "name", metavar="[NAME]", required=False, default="", shell_complete=catalogue_names
)
@option("--files", "files", metavar="SHEET", multiple=True,
        help="A sheet of your own to lay over the catalogue; may be given again.")  # fmt: skip
@output_options
def command(name: str, files: tuple[str, ...], output: Output) -> int:
    """
    Show what is known of devices, nodes, models and stacks.

    \b
    Examples:
      planner catalog                 everything, one line each
      planner catalog devices         only devices; also nodes, models, stacks
      planner catalog b200            every figure of one, with source and date
      planner catalog b200 --files my-devices.yaml
    """
    from planner.cli import catalog_entry, catalog_list

    listed = {"": tuple(catalog_list.LISTS), **{kind: (kind,) for kind in catalog_list.LISTS}}
    if name in listed:
        output.show(_listing(listed[name], files))
    else:
        entry = catalog_entry.entry(name, files)
        output.show(_entry_report(entry, output.verbose))
    return 0


def _listing(kinds: tuple[str, ...], files: tuple[str, ...]) -> Report:
    from planner.cli import catalog_list

    tables = {kind: catalog_list.LISTS[kind](files) for kind in kinds}
    counts = ", ".join(f"{len(table.rows)} {kind}" for kind, table in tables.items())
    document = {
        "schema": "planner/catalog/1",
        **{kind: catalog_list.records(table) for kind, table in tables.items()},
    }
    blocks: list[Table | Section] = list(tables.values())
    if set(kinds) & {"devices", "nodes"}:
        blocks.append(Section("", (catalog_list.FOOTNOTE,)))
    return Report(f"{counts}; `planner catalog NAME` shows one with its sources",
                  tuple(blocks), document)  # fmt: skip


def _entry_report(entry: dict[str, Any], verbose: bool) -> Report:
    from planner.cli.figure import SIGNS, figure_table, remark, source_numbers

    figures = entry["figures"]
    facts = tuple(f"{key.replace('_', ' ')}: {text}" for key, text in entry["facts"].items())
    sources = tuple(f"[{n}] {source}" for source, n in source_numbers(figures).items())
    remarks = tuple(f"{one['field']}: {remark(one)}" for one in figures if remark(one))
    blocks: list[Table | Section] = [Section("", facts), figure_table(figures)]
    blocks += [_quotes(entry["quotes"])] if entry["quotes"] else []
    blocks += [_offers(entry["offers"])] if entry["offers"] and verbose else []
    blocks += [Section("remarks", remarks), Section("sources", sources), Section("", (SIGNS,))]
    document = {"schema": "planner/catalog-entry/1", **entry}
    return Report(f"{entry['name']}: {entry['title']}, {entry['kind']}", tuple(blocks), document,
                  sheet=figure_table(figures, full=True))  # fmt: skip


HOUR_S = 3600.0


def _quotes(quotes: list[dict[str, Any]]) -> Table:
    """Prices a term in dollars a device-hour."""
    from planner.cli.table import Column, Table

    columns = (
        Column("term", "term"),
        Column("median", "median", "USD", "number"),
        Column("low", "low", "USD", "number"),
        Column("high", "high", "USD", "number"),
        Column("prices", "prices", kind="count"),
    )
    rows = tuple(
        (one["term"], *(HOUR_S * one[f"{which}_usd_per_device_s"]
                        for which in ("median", "low", "high")), one["prices"])
        for one in quotes
    )  # fmt: skip
    return Table(columns, rows, "price of a device-hour")


def _offers(offers: list[dict[str, Any]]) -> Table:
    """Every price known, in dollars a device-hour."""
    from planner.cli.table import Column, Table

    texts = ("provider", "term", "region", "as_of", "kind")
    columns = (Column("price", "price", "USD", "number"),
               *(Column(name, name.replace("as_of", "date")) for name in texts))  # fmt: skip
    rows = tuple(
        (HOUR_S * one["usd_per_device_s"], *(one[name] or None for name in texts))
        for one in sorted(offers, key=lambda one: (one["term"], one["usd_per_device_s"]))
    )
    return Table(columns, rows, "every price of a device-hour")
