"""Fits: they recover the constants behind rows, keep to priors elsewhere, resist outliers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hardware.errors import InputError
from planner.calibration import evidence, fit, log_error
from planner.leave_out import by_group, scored
from planner.measured import read_measurements
from planner.profile import calibrate
from planner.stack import load_constants, load_priors, stack_row
from planner.step import step

SHAPES = ((24, 2048, 8192, 16), (32, 4096, 14336, 32), (40, 5120, 13824, 40))


def lines(stack: str, factor: float = 1.0) -> list[dict[str, str]]:
    """Rows whose speeds the model itself gives, over `factor`."""
    cells = []
    for layers, hidden, width, heads in SHAPES:
        for devices in (8, 64):
            for micro in (1, 4):
                cells.append({
                    "id": f"{layers}-{devices}-{micro}", "source": f"site {devices}",
                    "stack": stack, "model": f"m{layers}", "layers": layers, "hidden": hidden,
                    "ffn_hidden": width, "heads": heads, "vocab": 32000, "seq_len": 4096,
                    "mlp_kind": "swiglu", "precision": "bf16", "accelerator": "h100_sxm5_80gb",
                    "n_devices": devices, "tp": 1, "pp": 1, "cp": 1, "dp": devices,
                    "zero_stage": 1, "micro_batch": micro, "global_batch_seqs": devices * 16,
                    "recompute": "none", "metric": "tokens_per_s_per_device", "value": 1,
                    "complete": "yes",
                })  # fmt: skip
    text = [{key: str(cell) for key, cell in line.items()} for line in cells]
    tables = load_constants()
    read = read_measurements(text, tables[0])
    speed = step(read.models, read.devices, *tables, read.rows).tokens_per_s / read.rows.size
    return [{**line, "value": str(value / factor)} for line, value in zip(text, speed, strict=True)]


def test_rows_that_the_constants_made_leave_them_alone() -> None:
    tables = load_constants()
    known = evidence(read_measurements(lines("megatron-core"), tables[0]), tables[1])
    fitted = fit(known, tables, with_families=False)
    at = stack_row(tables[0], "megatron-core")
    assert np.abs(log_error(known, fitted)).max() < 1e-3
    assert fitted[0].matmul_frac[at] == pytest.approx(tables[0].matmul_frac[at], rel=1e-2)


def test_slower_rows_make_a_slower_profile() -> None:
    tables = load_constants()
    known = evidence(read_measurements(lines("megatron-core", 1.25), tables[0]), tables[1])
    before, after = (
        log_error(known, tables),
        log_error(known, fit(known, tables, with_families=False)),
    )
    assert np.median(before) == pytest.approx(np.log(1.25), rel=0.01)
    assert np.abs(np.median(after)) < 0.25 * np.median(before)


def test_one_wild_row_moves_little() -> None:
    tables = load_constants()
    rows = lines("megatron-core")
    rows[0] = {**rows[0], "value": str(float(rows[0]["value"]) / 10)}
    known = evidence(read_measurements(rows, tables[0]), tables[1])
    error = log_error(known, fit(known, tables, with_families=False))
    assert np.abs(np.median(error[1:])) < 0.02


def test_stacks_without_rows_stay_where_they_were() -> None:
    tables = load_constants()
    known = evidence(read_measurements(lines("megatron-core", 1.3), tables[0]), tables[1])
    fitted = fit(known, tables)
    other = stack_row(tables[0], "maxtext")
    for field in dataclasses.fields(tables[0]):
        if field.name != "names":
            assert getattr(fitted[0], field.name)[other] == getattr(tables[0], field.name)[other]


def test_group_left_out_is_predicted_without_its_rows() -> None:
    priors = load_priors()
    known = evidence(read_measurements(lines("megatron-core", 1.2), priors[0]), priors[1])
    assert scored(known).all()
    unseen = by_group(known, priors, known.sources)
    seen = log_error(known, fit(known, priors))
    assert np.abs(unseen).mean() > np.abs(seen).mean()


def test_own_rows_make_a_profile_for_a_new_stack(tmp_path: Path) -> None:
    rows = lines("our-own-stack", 1.15)
    path = tmp_path / "rows.csv"
    names = list(rows[0])
    text = "\n".join([",".join(names), *(",".join(line[name] for name in names) for line in rows)])
    path.write_text(text + "\n", "utf-8")
    found = calibrate(path)
    assert "our-own-stack" in found.tables[0].names
    assert np.abs(np.median(found.after)) < np.abs(np.median(found.before))
    table = tmp_path / "profile.yaml"
    table.write_text(found.text, "utf-8")
    again, _ = load_constants(table)
    assert again.measured[stack_row(again, "our-own-stack")]
    assert again.matmul_frac[stack_row(again, "maxtext")] == pytest.approx(
        load_constants()[0].matmul_frac[stack_row(load_constants()[0], "maxtext")], rel=1e-3
    )


def test_file_without_a_usable_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("accelerator,layers,hidden,n_devices\nabacus,1,2,3\n", "utf-8")
    with pytest.raises(InputError, match="no row"):
        calibrate(path)
