"""Published measurements: rows of a CSV file as models, devices, layouts and measured figures."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints, seal
from hardware.errors import Diagnostic, InputError, UnknownName, Where
from hardware.table import PRECISIONS, DeviceTable
from planner.architecture import ModelTable, model_table
from planner.published import (
    architecture,
    is_known_precision,
    layout,
    network_bytes_per_s,
    number,
    precision_code,
)
from planner.published_stack import likely_stack
from planner.stack import StackTable, stack_row
from planner.strategy import StrategyTable

__all__ = ["READ_REASONS", "MeasuredTable", "Measurements", "read_csv", "read_measurements"]

(
    READ,
    NO_ARCHITECTURE,
    NO_LAYOUT,
    UNKNOWN_DEVICE,
    TYPE_NOT_OFFERED,
    UNKNOWN_TYPE,
) = range(6)

READ_REASONS = (
    "",
    "layers, hidden, heads or the width of the MLP are not stated",
    "the sequence length, batch or number of devices is not stated, or the layout does not fit",
    "the accelerator is not in the catalogue",
    "the device does not offer the compute type",
    "the compute type is none that is known",
)


@dataclass(frozen=True)
class MeasuredTable:
    """What was published, beside what can be priced; one row a line of the file. [row]"""

    ids: tuple[str, ...]
    sources: tuple[str, ...]
    stacks: tuple[str, ...]
    accelerators: tuple[str, ...]
    precisions: tuple[str, ...]
    complete: tuple[str, ...]
    metrics: tuple[str, ...]
    values: Floats  # as printed; 0 = none
    flop_per_token: Floats  # FLOP that the source counts a token; 0 where the metric needs none
    memory_bytes: Floats  # peak of a device; 0 = not stated
    memory_kinds: tuple[
        str, ...
    ]  # what was read: a program's print, nvidia-smi; as the source says
    fits: Ints  # 1 = ran, 0 = out of memory or crashed, -1 = not stated
    devices: Ints  # number of accelerators
    reason: Ints  # index into READ_REASONS; 0 = the row can be priced
    row: Ints  # row in the layouts; -1 where it cannot be priced

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Measurements:
    """Rows of a file, with the tables that price them."""

    measured: MeasuredTable
    models: ModelTable
    devices: DeviceTable
    rows: StrategyTable


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """
    Lines of a CSV file as text cells.

    Raises
    ------
    InputError
        The file cannot be read or is empty, or has no `accelerator` and `layers` columns.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restval="")
            names = reader.fieldnames or []
            lines = [{key: (cell or "") for key, cell in line.items() if key} for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            Diagnostic("unreadable-file", f"the rows cannot be read: {error}", Where(str(path)))
        ) from None
    missing = {"accelerator", "layers", "hidden", "n_devices"} - set(names)
    if missing:
        raise InputError(
            Diagnostic(
                "missing-field",
                "the file lacks columns of measurements: " + ", ".join(sorted(missing)),
                Where(str(path)),
                found=", ".join(names[:12]),
            )
        )
    return lines


def read_measurements(
    lines: Iterable[Mapping[str, str]],
    stacks: StackTable,
    *,
    load: Callable[..., DeviceTable] | None = None,
) -> Measurements:
    """
    Published rows as the tables that the model prices.

    Parameters
    ----------
    lines : iterable of mapping
        Cells by column name, in the columns of ``measurements.csv`` or ``memory.csv``.
    stacks : StackTable
        The profiles whose habits fill open cells.
    load : callable, optional
        Gives the `DeviceTable` of names; `hardware.load` when left out.

    Returns
    -------
    Measurements
        The measured rows in the order of the file; those that can be priced
        point to a row of the layouts.

    Notes
    -----
    `published.architecture` and `published.layout` hold the rule for missing
    cells, `published_stack.likely_stack` that for a missing stack. The columns
    `id`, `source` and `other` are carried along for reports and never read for
    a prediction; `flops_convention` and `year` only to turn a published rate of
    operations into tokens.
    """
    reading = _Reading(stacks, load or _catalogue)
    records = [reading.line(line) for line in lines]
    return reading.finish(records)


def _catalogue(*names: str) -> DeviceTable:
    import hardware

    table: DeviceTable = hardware.load(*names)
    return table


class _Reading:
    """The growing tables while lines are read: distinct models and devices, layouts."""

    def __init__(self, stacks: StackTable, load: Callable[..., DeviceTable]) -> None:
        self.stacks, self.load = stacks, load
        self.models: dict[tuple[tuple[str, int], ...], int] = {}
        self.names: list[str] = []
        self.devices: dict[tuple[str, float], int] = {}
        self.tables: dict[str, DeviceTable | None] = {}
        self.layouts: list[dict[str, int]] = []

    def line(self, line: Mapping[str, str]) -> dict[str, Any]:
        record = _published(line)
        shape = architecture(line)
        device = self._device(line)
        stack = stack_row(self.stacks, line.get("stack") or likely_stack(line))
        habits = {
            key: int(getattr(self.stacks, key)[stack])
            for key in ("zero", "recompute", "sequence_parallel", "chunk_layers")
        }
        placed = layout(line, **habits)
        record["reason"] = READ
        precision = precision_code(line)
        if device < 0:
            record["reason"] = UNKNOWN_DEVICE
        elif not shape:
            record["reason"] = NO_ARCHITECTURE
        elif not placed or placed["seq_len"] <= 0:
            record["reason"] = NO_LAYOUT
        elif not is_known_precision(line):
            record["reason"] = UNKNOWN_TYPE
        elif peak_flop_per_s(self.tables[line["accelerator"]], precision) <= 0:
            record["reason"] = TYPE_NOT_OFFERED
        record["row"] = -1
        if record["reason"] == READ:
            key = tuple(sorted(shape.items()))
            model = self.models.setdefault(key, len(self.models))
            if model == len(self.names):
                self.names.append(line.get("model") or f"model {model}")
            record["row"] = len(self.layouts)
            record["flop_per_token"] = self._flop_per_token(line, shape, placed)
            self.layouts.append(
                {"model": model, "device": device, "stack": stack, "precision": precision, **placed}
            )
        return record

    def _device(self, line: Mapping[str, str]) -> int:
        name = line.get("accelerator", "")
        if name not in self.tables:
            try:
                self.tables[name] = self.load(name)
            except UnknownName:
                self.tables[name] = None
        if self.tables[name] is None:
            return -1
        return self.devices.setdefault((name, network_bytes_per_s(line)), len(self.devices))

    def _flop_per_token(
        self, line: Mapping[str, str], shape: dict[str, int], placed: dict[str, int]
    ) -> float:
        metric = line.get("metric", "")
        if metric not in ("model_tflops_per_device", "hardware_tflops_per_device", "mfu"):
            return 0.0
        counted = counted_flop_per_token(line, shape, placed)
        if metric == "mfu":
            kind = 2 if line.get("precision", "") in ("fp8", "int8") else 0
            return counted / peak_flop_per_s(self.tables[line["accelerator"]], kind) * 1e12
        return counted

    def finish(self, records: list[dict[str, Any]]) -> Measurements:
        keys = list(self.models)
        columns = {name for key in keys for name, _ in key}
        shapes = [dict(key) for key in keys]
        models = model_table(
            tuple(self.names),
            **{
                name: np.array([shape.get(name, 0) for shape in shapes], dtype=np.int64)
                for name in columns
            },
        ) if keys else _no_models()  # fmt: skip
        rows = StrategyTable(
            **{
                field.name: np.array([item[field.name] for item in self.layouts], dtype=np.int64)
                for field in fields(StrategyTable)
            }
        )
        measured = MeasuredTable(
            **{
                field.name: _column(field, [record[field.name] for record in records])
                for field in fields(MeasuredTable)
            }
        )
        return Measurements(measured, models, self._device_table(), rows)

    def _device_table(self) -> DeviceTable:
        """One row a device and the network that its rows state."""
        parts = [(self.tables[name], rate) for name, rate in self.devices]
        columns: dict[str, Any] = {}
        for field in fields(DeviceTable):
            cells = [getattr(table, field.name) for table, _ in parts]
            if str(field.type).startswith("tuple"):
                columns[field.name] = tuple(cell[0] for cell in cells)
            else:
                columns[field.name] = np.concatenate(cells) if cells else _no_device(field.name)
        if parts:
            rates = np.array([rate for _, rate in parts])
            columns["scale_out_bytes_per_s"] = np.where(
                rates > 0, rates, columns["scale_out_bytes_per_s"]
            )
        return DeviceTable(**columns)


def _no_device(name: str) -> Any:
    """An empty column of the device table."""
    wide = name in ("peak_flop_per_s", "matmul_frac")
    return np.zeros((0, len(PRECISIONS)) if wide else 0)


def _no_models() -> ModelTable:
    empty = np.zeros(0, dtype=np.int64)
    return model_table((), layers=empty, hidden=empty, heads=empty, vocab=empty, ffn_hidden=empty)


def _column(field: dataclasses.Field[Any], cells: list[Any]) -> Any:
    kind = str(field.type)
    if kind.startswith("tuple"):
        return tuple(cells)
    return np.array(cells, dtype=np.float64 if kind == "Floats" else np.int64)


def _published(line: Mapping[str, str]) -> dict[str, Any]:
    outcome = line.get("outcome", "")
    return {
        "ids": line.get("id", ""),
        "sources": line.get("source", ""),
        "stacks": line.get("stack", ""),
        "accelerators": line.get("accelerator", ""),
        "precisions": line.get("precision", ""),
        "complete": line.get("complete", ""),
        "metrics": line.get("metric", ""),
        "values": max(number(line, "value"), 0.0),
        "flop_per_token": 0.0,
        "memory_kinds": line.get("memory_kind", ""),
        "memory_bytes": max(number(line, "peak_memory_gib"), 0.0) * 2.0**30,
        "fits": 1 if outcome == "fits" else (0 if outcome else -1),
        "devices": int(number(line, "n_devices")),
    }


def peak_flop_per_s(table: DeviceTable | None, precision: int) -> float:
    """Peak of the first device of a table for a compute type; 0 where it does not offer it."""
    if table is None:
        return 0.0
    wanted = {0: ("bf16", "fp16"), 1: ("fp16", "bf16"), 4: ("fp4",)}.get(precision, ("fp8", "int8"))
    peaks = [float(table.peak_flop_per_s[0, PRECISIONS.index(name)]) for name in wanted]
    return next((peak for peak in peaks if peak > 0), 0.0)


def counted_flop_per_token(
    line: Mapping[str, str], shape: Mapping[str, int], placed: Mapping[str, int]
) -> float:
    """
    Operations a token as the source of a row counts them. [FLOP]

    Notes
    -----
    Six a weight that a token is multiplied with, plus attention over the full
    or the causally halved square, as `flops_convention` says; where it does
    not, halved from 2025 on, when the frameworks changed, and full before.
    `hardware_tflops_per_device` adds the forward pass of full recompute.
    """
    latent = shape.get("kv_lora", 0)
    heads, wide = shape["heads"], shape["head_dim"]
    low, values = shape.get("q_lora", 0), shape["v_head_dim"]
    hidden = shape["hidden"]
    if latent:
        attention = low * (hidden + heads * wide) + hidden * (latent + shape["rope_head_dim"])
        attention += latent * heads * (wide - shape["rope_head_dim"] + values)
        attention += heads * values * hidden
    else:
        attention = hidden * wide * (2 * heads + 2 * shape["kv_heads"])
    sparse = shape["top_k"] * shape["moe_ffn_hidden"] if shape["experts"] else 0
    sparse += shape["shared_experts"] * shape["shared_ffn_hidden"]
    mlp = shape["dense_layers"] * shape["ffn_hidden"]
    mlp += (shape["layers"] - shape["dense_layers"]) * sparse
    body = shape["layers"] * attention + shape["mlp_matrices"] * hidden * mlp
    halved = 0.5 if _is_halved(line) else 1.0
    softmax = shape["layers"] - shape.get("linear_layers", 0)
    square = softmax * placed["seq_len"] * heads * (wide + values) * halved
    again = 4 / 3 if line.get("metric") == "hardware_tflops_per_device" else 1.0
    if again > 1 and placed["recompute"] != 2:
        again = 1.0
    return 6.0 * ((body + square) * again + shape["vocab"] * hidden)


def _is_halved(line: Mapping[str, str]) -> bool:
    text = line.get("flops_convention", "").lower()
    if re.search(r"not (causal-)?halved|unhalved|full \(not|\+ full|96\*b|12\*l|x4/3", text):
        return False
    if "halved" in text:
        return True
    return "framework-reported" not in text and number(line, "year") >= 2025


def tokens_per_s_per_device(measured: MeasuredTable, rows: StrategyTable) -> Floats:
    """
    Published figures as tokens a second and device; 0 where the row cannot be priced. [row]

    Notes
    -----
    A step time is taken with the batch of the layout, a rate of operations
    with `flop_per_token`.
    """
    known = measured.row >= 0
    at = np.where(known, measured.row, 0)
    result = np.zeros(len(measured))
    if not known.any():
        return result
    tokens = (rows.global_batch * rows.seq_len)[at].astype(np.float64)
    devices = rows.size[at]
    metric = np.array(measured.metrics)
    value = measured.values
    step = np.where(value > 0, tokens / devices / np.maximum(value, 1e-300), 0.0)
    counted = np.maximum(measured.flop_per_token, 1.0)
    result = np.where(metric == "tokens_per_s_per_device", value, result)
    result = np.where(metric == "step_time_s", step, result)
    operations: Bools = np.isin(metric, ("model_tflops_per_device", "hardware_tflops_per_device"))
    result = np.where(operations | (metric == "mfu"), value * 1e12 / counted, result)
    return np.where(known, result, 0.0)
