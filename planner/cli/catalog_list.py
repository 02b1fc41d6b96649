"""Lists of the catalogue, one table a kind: devices, nodes, models, stacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hardware.catalog import accelerator, device_names, fabric, node, node_names, open_catalogue
from planner.cli.figure import ASSUMED
from planner.cli.recognise import sorted_files
from planner.cli.table import Column, Marked, Table, raw

__all__ = ["FOOTNOTE", "LISTS", "records"]

FOOTNOTE = (
    "peaks are dense; links are one direction a device; — is unpublished or not offered; "
    f"{ASSUMED} assumed"
)


def _cell(figure: Any) -> Any:
    """Value of a figure, marked when it is assumed; None when there is none."""
    if figure is None:
        return None
    return Marked(figure.value, ASSUMED) if figure.mark == "assumed" else figure.value


def _devices(files: tuple[str, ...]) -> Table:
    columns = (
        Column("device", "device"),
        Column("training", "trains"),
        Column("memory_bytes", "memory", "B", "si"),
        Column("memory_bytes_per_s", "memory rate", "B/s", "si"),
        Column("bf16_peak_flop_per_s", "bf16", "FLOP/s", "si"),
        Column("fp16_peak_flop_per_s", "fp16", "FLOP/s", "si"),
        Column("fp8_peak_flop_per_s", "fp8", "FLOP/s", "si"),
        Column("link_bytes_per_s", "scale-up", "B/s", "si"),
        Column("domain", "domain", kind="count"),
        Column("tdp_w", "TDP", "W", "number"),
        Column("title", "title"),
        Column("vendor", "vendor"),
        Column("family", "family"),
        Column("node", "node"),
    )
    catalogue = open_catalogue(sorted_files(files)[0])
    rows = []
    for name in device_names(catalogue):
        _, one = accelerator(name, catalogue)
        cells = (one.memory, one.memory_bandwidth, one.peaks.bf16, one.peaks.fp16, one.peaks.fp8,
                 one.link, one.domain, one.tdp)  # fmt: skip
        rows.append((name, one.training, *map(_cell, cells), one.title, one.vendor, one.family,
                     one.node))  # fmt: skip
    return Table(columns, tuple(rows), "devices")


def _nodes(files: tuple[str, ...]) -> Table:
    columns = (
        Column("node", "node"),
        Column("devices", "devices", kind="count"),
        Column("scale_out_bytes_per_s", "scale-out a device", "B/s", "si"),
        Column("power_w", "power", "W", "si"),
        Column("fabric", "fabric"),
        Column("title", "title"),
    )
    catalogue = open_catalogue(sorted_files(files)[0])
    rows = []
    for name in node_names(catalogue):
        one = node(name, catalogue)
        port = fabric(one.fabric, catalogue).port.value
        rate = one.nics.value * port / one.devices.value
        rows.append((name, _cell(one.devices), rate, _cell(one.power), one.fabric, one.title))
    return Table(columns, tuple(rows), "nodes")


def _models(files: tuple[str, ...]) -> Table:
    from planner.architecture import active_parameters, parameters
    from planner.workload import catalogue, load_sheets, table_of

    columns = (
        Column("model", "model"),
        Column("parameters", "parameters", "", "big"),
        Column("active_parameters", "active", "", "big"),
        Column("layers", "layers", kind="count"),
        Column("experts", "experts", kind="count"),
        Column("seq_len", "sequence", "tokens", "count"),
        Column("tokens", "trained on", "tokens", "big"),
        Column("publisher", "publisher"),
        Column("names", "also called"),
    )
    sheets = {**catalogue()}
    for path in sorted_files(files)[1]:
        sheets |= {sheet.name: sheet for sheet in load_sheets(path)}
    table = table_of(sheets.values())
    sizes, active = parameters(table), active_parameters(table)
    rows = []
    for at, (name, sheet) in enumerate(sheets.items()):
        rows.append((
            name, float(sizes[at]), float(active[at]), float(table.layers[at]),
            float(table.experts[at]), _cell(sheet.training.seq_len), _cell(sheet.training.tokens),
            sheet.publisher, ", ".join(sheet.aliases),
        ))  # fmt: skip
    return Table(columns, tuple(rows), "models")


def _stacks(files: tuple[str, ...]) -> Table:
    from planner.stack import load_constants

    sorted_files(files)  # a sheet at fault is told, though no stack is written in one
    columns = (
        Column("stack", "stack"),
        Column("measured", "fitted on published runs"),
        Column("matmul_frac", "matmul reached", kind="percent"),
        Column("dp_overlap_frac", "dp hidden", kind="percent"),
        Column("tp_overlap_frac", "tp hidden", kind="percent"),
        Column("residual_spread", "spread", kind="percent"),
    )
    stacks, _ = load_constants()
    rows = tuple(
        (name, "yes" if stacks.measured[at] else "no", float(stacks.matmul_frac[at]),
         float(stacks.dp_overlap_frac[at]), float(stacks.tp_overlap_frac[at]),
         float(stacks.residual_spread[at]))
        for at, name in enumerate(stacks.names)
    )  # fmt: skip
    return Table(columns, rows, "stacks")


LISTS: Mapping[str, Callable[[tuple[str, ...]], Table]] = {
    "devices": _devices,
    "nodes": _nodes,
    "models": _models,
    "stacks": _stacks,
}


def records(table: Table) -> list[dict[str, Any]]:
    """Rows of a table as mappings for JSON, marks left out."""
    return [
        {column.name: raw(column, cell) for column, cell in zip(table.columns, row, strict=True)}
        for row in table.rows
    ]
