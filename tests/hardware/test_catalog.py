"""Every shipped sheet loads, every figure has its origin, and look-up forgives spelling only."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

import hardware
from hardware.catalog import accelerator, device_names, fabric, node, node_names, resolve
from hardware.errors import InputError, UnknownName
from hardware.placement import USABLE_FRAC, placed
from hardware.shipped import (
    NODES,
    SHEETS,
    UNUSABLE,
    compared,
    index,
    sheet_names,
    shipped_data,
    shipped_sheet,
)
from hardware.spec import SheetFigure
from hardware.table import CLAIMED, INFERENCE_ONLY, PRECISIONS, TRAINS

DATA = Path(__file__).parents[3] / "shared" / "data"
KOREAN = ("FuriosaAI", "Rebellions", "SAPEON")


def figures_of(record: Any, path: str = "") -> list[tuple[str, SheetFigure]]:
    """Every figure below a record, with its path."""
    if isinstance(record, SheetFigure):
        return [(path, record)]
    if isinstance(record, dict):
        return [pair for key, item in record.items() for pair in figures_of(item, f"{path}.{key}")]
    if hasattr(type(record), "model_fields"):
        names = type(record).model_fields
        return [pair for key in names for pair in figures_of(getattr(record, key), f"{path}.{key}")]
    return []


@pytest.mark.parametrize("name", sheet_names())
def test_every_figure_has_source_and_date(name: str) -> None:
    figures = figures_of(shipped_sheet(name))
    assert figures or name == UNUSABLE
    for path, figure in figures:
        assert len(figure.source) > 5, path
        assert re.match(r"^20\d\d(-\d\d)?(-\d\d)?$", figure.as_of), (path, figure.as_of)
        assert figure.as_of <= "2026-12", path
        if figure.mark == "assumed":
            assert "assumption" in figure.source or figure.note, path


@pytest.mark.parametrize("name", sheet_names())
def test_no_source_key_is_left_unexpanded_and_none_is_unused(name: str) -> None:
    data = shipped_data(name)
    text = (SHEETS / name).read_text(encoding="utf-8")
    for key in data.get("sources", {}):
        assert all(figure.source != key for _, figure in figures_of(shipped_sheet(name)))
        assert re.search(rf"source: \[?[\w, ]*\b{key}\b", text), f"{name}: `{key}` is never named"


def test_sheets_stay_readable() -> None:
    for name in sheet_names():
        lines = (SHEETS / name).read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("# "), name
        assert max(map(len, lines)) <= 120, name


def test_the_index_agrees_with_the_sheets() -> None:
    stated = json.loads((SHEETS / "index.json").read_text(encoding="utf-8"))
    for name in sheet_names():
        inside = list(shipped_sheet(name).accelerators)
        assert list(stated["accelerators"].get(name, {})) == inside, name
    assert list(stated["unusable"]) == list(shipped_sheet(UNUSABLE).unusable)


def test_no_two_devices_share_a_spelling() -> None:
    owner: dict[str, str] = {}
    stated = json.loads((SHEETS / "index.json").read_text(encoding="utf-8"))
    for devices in [*stated["accelerators"].values(), stated["unusable"]]:
        for name, others in devices.items():
            for spelling in (name, *others):
                assert owner.setdefault(compared(spelling), name) == name


def test_every_device_stands_in_its_own_node() -> None:
    table = hardware.load()
    assert table.names == device_names()
    assert (table.memory_bytes > 0).all()
    assert (table.memory_bytes_per_s > 0).all()
    assert (table.peak_flop_per_s.max(axis=1) > 0).all()
    assert (table.matmul_frac <= 1).all()
    assert (table.memory_frac <= 1).all()
    assert (table.scale_up_bytes_per_s > 0).all()
    assert (table.scale_up_size >= 1).all()
    assert (table.scale_out_bytes_per_s > 0).all()
    assert (table.node_power_w >= table.tdp_w * table.devices_per_node).all()
    assert not table.memory_bytes.flags.writeable


def test_the_assumed_usable_part_is_below_every_measured_one() -> None:
    parts = []
    for name in device_names():
        device = accelerator(name)[1]
        if device.usable_memory is not None:
            assert device.usable_memory.mark in ("measured", "derived", "published")
            parts.append(device.usable_memory.value / device.memory.value)
    assert len(parts) > 25
    assert USABLE_FRAC < min(parts) < 1.1
    assert max(parts) < 1.1


def test_every_node_and_fabric_refers_to_what_exists() -> None:
    sheet = shipped_sheet(NODES)
    for name, one in sheet.nodes.items():
        assert one.fabric in sheet.fabrics
        assert one.power is not None or one.host_power is not None
        for held in one.holds:
            assert placed(held, hardware.Catalogue(), name).node_power_w > 0
    used = {one.fabric for one in sheet.nodes.values()}
    assert used == set(sheet.fabrics)


def test_korean_npus_groq_and_inferentia_do_not_train() -> None:
    table = hardware.load()
    serving = {
        table.names[row] for row in range(len(table)) if table.training[row] == INFERENCE_ONLY
    }
    assert {name for name in table.names if accelerator(name)[1].vendor in KOREAN} <= serving
    assert {"groq_lpu_v1", "inferentia2"} <= serving
    assert table.training[table.row("h100_sxm5_80gb")] == TRAINS
    assert table.training[table.row("vera_rubin_nvl72")] == CLAIMED


def test_known_figures_of_well_known_devices() -> None:
    table = hardware.load("v100", "h100", "b200", "gb300", "tpu_v5p", "rngd")
    bf16, fp16, fp8 = (PRECISIONS.index(name) for name in ("bf16", "fp16", "fp8"))
    assert table.peak_flop_per_s[:, bf16].tolist() == [
        0, 989e12, 2250e12, 2500e12, 459e12, 256e12,
    ]  # fmt: skip
    assert table.peak_flop_per_s[0, fp16] == 125e12
    assert table.matmul_frac[1, [bf16, fp8]] == pytest.approx([794.5 / 989, 1402.6 / 1979])
    assert table.scale_up_size.tolist() == [8, 8, 8, 72, 8960, 8]
    assert table.scale_up_is_torus.tolist() == [False, False, False, False, True, False]
    assert table.scale_out_bytes_per_s.tolist() == [6.25e9, 50e9, 50e9, 100e9, 6.25e9, 1.5625e9]
    assert table.node_power_w.tolist() == [3.5e3, 10.2e3, 14.3e3, 7.5e3, 2.4e3, 3e3]
    assert table.usable_memory_bytes[1] == pytest.approx(79.11 * 2**30)


@pytest.mark.parametrize(
    ("written", "full"),
    [("h100", "h100_sxm5_80gb"), ("H100-SXM", "h100_sxm5_80gb"),
     ("A100-SXM-80GB", "a100_sxm4_80gb"),
     ("GB200", "gb200_nvl72"), ("rngd", "furiosa_rngd"), ("TPU v5p", "tpu_v5p"),
     ("x330", "sapeon_x330")],
)  # fmt: skip
def test_aliases_in_any_spelling(written: str, full: str) -> None:
    assert resolve(written) == full
    assert accelerator(written)[0] == full


def test_all_unknown_names_at_once_with_near_matches() -> None:
    with pytest.raises(UnknownName) as caught:
        hardware.load("h100", "h1000", "mi30x", "zzz")
    first, second, third = caught.value.diagnostics
    assert first.code == "unknown-device"
    assert "`h100`" in first.hint
    assert "`mi300x`" in second.hint
    assert "planner catalog" in third.hint


@pytest.mark.parametrize("name", sorted(index().unusable))
def test_unusable_devices_say_why(name: str) -> None:
    with pytest.raises(UnknownName) as caught:
        hardware.load(name)
    fault = caught.value.diagnostics[0]
    assert fault.code == "unusable-device"
    assert fault.found.startswith(shipped_sheet(UNUSABLE).unusable[name].reason)


def test_unknown_nodes_and_fabrics() -> None:
    with pytest.raises(UnknownName, match="hgx_h100"):
        node("hgx_h1000")
    with pytest.raises(UnknownName, match="ib_ndr400"):
        fabric("ib_ndr40")


def test_a_device_in_another_node_keeps_what_is_its_own() -> None:
    own = hardware.load("a100", "a100_sxm4_40gb")
    moved = hardware.with_node(own, "aws_p4d")
    assert moved.scale_out_bytes_per_s.tolist() == [6.25e9, 6.25e9]
    assert moved.memory_bytes.tolist() == own.memory_bytes.tolist()
    assert hardware.with_node("a100", "aws_p4d").names == ("a100_sxm4_80gb",)
    joined = hardware.with_node("trainium2", "trn2_ultraserver")
    assert joined.scale_up_size.tolist() == [64]


def test_a_node_refuses_a_device_that_does_not_fit() -> None:
    with pytest.raises(InputError) as caught:
        hardware.with_node("h100", "hgx_b200")
    fault = caught.value.diagnostics[0]
    assert (fault.code, fault.expected) == ("wrong-node", "b200_sxm_180gb")
    assert "hgx_h100" in fault.hint


def test_node_names_hold_the_presets() -> None:
    assert {"hgx_h100", "gb200_nvl72_tray", "tpu_v5p_slice", "nxt_rngd_server"} <= set(node_names())


# Shipped column -> column of the collected data, in the unit of the latter.
PEAKS = {"fp32": "peak_dense_tflops_fp32", "int8": "peak_int8_tops"} | {
    name: f"peak_{name}" for name in ("tf32", "bf16", "fp16", "fp8", "fp4")
}


@pytest.mark.skipif(not DATA.is_dir(), reason="the collected data is not beside this checkout")
def test_the_catalogue_agrees_with_the_collected_data() -> None:
    with (DATA / "accelerators.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["id"]: row for row in csv.DictReader(stream)}
    assert set(rows) == set(device_names()) | index().unusable
    assert len(rows) == 67
    for name in device_names():
        row, device = rows[name], accelerator(name)[1]
        placement = placed(name, hardware.Catalogue())
        assert device.training == row["training_capable"], name
        assert device.kind == row["kind"], name
        pairs = {
            "memory_gb": device.memory.value / 1e9,
            "memory_bw_gbs": device.memory_bandwidth.value / 1e9,
            "scaleup_bw_gbs_per_direction": placement.scale_up_bytes_per_s / 1e9,
            "scaleup_domain_size": device.domain.value if device.domain else 0,
            "nic_gbs_per_device_typical": placement.scale_out_bytes_per_s / 1e9,
            "devices_per_node": placement.node.devices.value,
            "l2_or_sram_mb": device.sram.value / 1e6 if device.sram else 0,
            "tdp_w": device.tdp.value if device.tdp else 0,
        } | {
            column: figure.value / 1e12 if (figure := getattr(device.peaks, kind)) else 0
            for kind, column in PEAKS.items()
        }
        for column, value in pairs.items():
            if row[column]:
                assert value == pytest.approx(float(row[column]), rel=0.01), (name, column)
            elif column.startswith("peak"):
                assert value == 0, (name, column)
