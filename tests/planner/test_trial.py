"""Predictions beside measurements: the structure promised, counts that add up, recorded errors."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hardware.errors import InputError
from planner.trial import backtest, summary

DATA = Path(__file__).parents[3] / "shared" / "data"
MEASUREMENTS, MEMORY = DATA / "measurements.csv", DATA / "memory.csv"
needs_rows = pytest.mark.skipif(not MEASUREMENTS.exists(), reason="published rows are not here")

HEAD = (
    "id,stack,model,layers,hidden,ffn_hidden,heads,vocab,seq_len,mlp_kind,precision,"
    "accelerator,n_devices,tp,pp,dp,micro_batch,global_batch_seqs,metric,value,complete\n"
)
LINE = "r1,fsdp,L,32,4096,11008,32,32000,4096,swiglu,bf16,a100_sxm4_80gb,128,1,1,128,2,256,"


def rows_file(tmp_path: Path, *endings: str) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(HEAD + "".join(f"{LINE}{ending}\n" for ending in endings), "utf-8")
    return path


def test_summary_of_known_errors() -> None:
    error = np.log([1.1, 0.9, 1.0, 2.0])
    record = summary(error, np.array([True, True, True, False]), count=6)
    assert record["n"] == 6
    assert record["n_predicted"] == 4
    assert record["mdape_frac"] == pytest.approx(0.1)
    assert record["mape_frac"] == pytest.approx(0.3)
    assert record["coverage80_frac"] == 0.75


def test_summary_of_nothing_is_unknown() -> None:
    record = summary(np.zeros(0), np.zeros(0, dtype=bool), count=2)
    assert record["n"] == 2
    assert record["mdape_frac"] is record["coverage80_frac"] is None


def test_row_that_cannot_be_predicted_counts(tmp_path: Path) -> None:
    path = rows_file(tmp_path, "tokens_per_s_per_device,4550,yes", "loss,2.1,yes")
    text = path.read_text("utf-8")
    path.write_text(text + text.splitlines()[1].replace("a100_sxm4_80gb", "abacus") + "\n", "utf-8")
    found = backtest(path)
    assert found["summary"]["n"] == 3
    assert found["summary"]["n_predicted"] == 1
    first, second, third = found["rows"]
    assert first["reason"] is None
    assert first["low80"] < first["predicted_tokens_per_s_per_device"] < first["high80"]
    assert abs(first["error_frac"]) < 0.4
    assert second["measured_tokens_per_s_per_device"] is None
    assert second["predicted_tokens_per_s_per_device"] is not None
    assert second["error_frac"] is None
    assert "metric" in second["reason"]
    assert third["predicted_tokens_per_s_per_device"] is None
    assert "catalogue" in third["reason"]


def test_file_without_rows_and_file_without_columns(tmp_path: Path) -> None:
    assert backtest(rows_file(tmp_path))["summary"]["n"] == 0
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(InputError, match="accelerator"):
        backtest(path)
    with pytest.raises(InputError):
        backtest(tmp_path / "absent.csv")


@needs_rows
def test_published_rows_within_recorded_error() -> None:
    """The shipped constants saw these rows: a change of the model shows as a change here."""
    found = backtest(MEASUREMENTS)
    json.dumps(found, allow_nan=False)
    assert found["summary"]["n"] == 2315
    assert found["summary"]["n_predicted"] >= 2300
    complete = found["by"]["complete"]
    assert complete["yes"]["mdape_frac"] < 0.05
    assert complete["yes"]["p90_frac"] < 0.20
    assert complete["yes"]["mdape_frac"] < 0.3 * complete["yes"]["constant"]["mdape_frac"]
    assert sum(record["n"] for record in found["by"]["stack"].values()) == 2315
    assert found["by"]["stack"]["fsdp"]["mdape_frac"] < 0.05
    assert found["by"]["stack"]["nanotron"]["mdape_frac"] < 0.30


@needs_rows
def test_korthikanti_within_five_percent_in_the_mean() -> None:
    rows = [row for row in backtest(MEASUREMENTS)["rows"] if row["id"].startswith("kor22-t5-")]
    assert len(rows) == 8
    assert np.mean([abs(row["error_frac"]) for row in rows]) < 0.05


@needs_rows
def test_strong_scaling_is_followed() -> None:
    """530B from 560 to 2,240 devices: the loss of speed a device is that which was published."""
    rows = {row["id"]: row for row in backtest(MEASUREMENTS)["rows"]}
    few, many = rows["nar21-t2-10"], rows["nar21-t2-12"]
    measured, predicted = (
        many[f"{kind}_tokens_per_s_per_device"] / few[f"{kind}_tokens_per_s_per_device"]
        for kind in ("measured", "predicted")
    )
    assert predicted == pytest.approx(measured, rel=0.05)


@needs_rows
def test_memory_rows_have_a_confusion_matrix() -> None:
    found = backtest(MEMORY, memory=True, stack="nanotron")
    json.dumps(found, allow_nan=False)
    assert sum(found["summary"]["confusion"].values()) == found["summary"]["n_predicted"] == 1558
    assert all(math.isfinite(row["predicted_peak_bytes"]) for row in found["rows"])
