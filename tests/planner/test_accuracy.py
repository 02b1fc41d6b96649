"""The page of accuracy: all its figures computed, unseen apart from seen, a drawing that parses."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from planner.accuracy import left_out, page_text, sweep_record, with_drawing_apart
from planner.calibration import evidence
from planner.measured import read_csv, read_measurements
from planner.profile import Calibration, calibrate
from planner.scatter import scatter_svg
from planner.stack import load_constants, load_priors
from planner.step import step

DATA = Path(__file__).parents[3] / "shared" / "data" / "measurements.csv"
needs_rows = pytest.mark.skipif(not DATA.exists(), reason="published rows are not here")


@pytest.fixture(scope="module")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sources of one stack, each with its own pace; speeds are the model's own."""
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    cells = []
    for at, (source, pace) in enumerate((("north", 1.0), ("south", 1.1), ("west", 0.9))):
        for devices in (8, 64, 512):
            for micro in (1, 2):
                cells.append(
                    {
                        "id": f"{source}-{devices}-{micro}", "source": source, "stack": "fsdp",
                        "model": "m", "layers": 32 + at, "hidden": 4096, "ffn_hidden": 11008,
                        "heads": 32, "vocab": 32000, "seq_len": 4096, "mlp_kind": "swiglu",
                        "precision": "bf16",
                        "accelerator": ("h100_sxm5_80gb", "a100_sxm4_80gb")[at % 2],
                        "n_devices": devices, "tp": 1, "pp": 1, "cp": 1, "dp": devices,
                        "zero_stage": 3, "micro_batch": micro, "recompute": "none",
                        "global_batch_seqs": devices * micro, "complete": "yes",
                        "metric": "tokens_per_s_per_device", "value": 1.0, "pace": pace,
                    }
                )  # fmt: skip
    text = [{key: str(cell) for key, cell in line.items()} for line in cells]
    tables = load_constants()
    read = read_measurements(text, tables[0])
    speed = step(read.models, read.devices, *tables, read.rows).tokens_per_s / read.rows.size
    for line, value in zip(text, speed, strict=True):
        line["value"] = str(value * float(line.pop("pace")))
    names = list(text[0])
    body = "\n".join(",".join(line[name] for name in names) for line in text)
    path.write_text(",".join(names) + "\n" + body + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def fitted(rows_file: Path) -> Calibration:
    return calibrate(rows_file, everything=True)


def test_everything_marks_what_was_measured(fitted: Calibration) -> None:
    stacks, families = fitted.tables
    assert [stacks.names[i] for i in np.flatnonzero(stacks.measured)] == ["fsdp"]
    assert {families.names[i] for i in np.flatnonzero(families.measured)} == {
        "nvidia-ampere", "nvidia-hopper",
    }  # fmt: skip
    assert (families.residual_spread[families.measured] == 0.0).all()


def test_unseen_errors_are_larger_than_seen_ones(fitted: Calibration) -> None:
    assert len(fitted.unseen) == len(fitted.known) == 18
    assert np.abs(fitted.unseen).mean() > np.abs(fitted.after).mean()


def test_interval_covers_most_of_what_was_unseen(fitted: Calibration) -> None:
    known = fitted.known.measurements
    priced = step(known.models, known.devices, *fitted.tables, known.rows)
    inside = np.abs(fitted.unseen) <= np.log(priced.factor_80)
    assert 0.7 <= inside.mean() <= 1.0


def test_page_tells_memory_apart_and_how_far_it_may_be_trusted(fitted: Calibration) -> None:
    cells = dict.fromkeys(
        ("fits_predicted_fits", "fits_predicted_too_large", "too_large_predicted_fits",
         "too_large_predicted_too_large"), 3)  # fmt: skip
    record = {"n": 12, "mdape_frac": 0.071, "p90_frac": 0.28, "bias_frac": None, "confusion": cells}
    page = page_text(fitted, memory={"summary": record, "by": {"source": {"north": record}}})
    assert "--memory memory.csv" in page
    assert "| north | 12 | 7.1 % | 28.0 % | — | 3 of 6 | 3 of 6 |" in page
    assert "no errors of unseen sources" in page
    assert "## Memory" not in page_text(fitted)


def test_page_holds_what_was_computed(fitted: Calibration) -> None:
    page = page_text(fitted)
    told = fitted.to_dict()["unseen"]
    assert f"median {100 * told['mdape_frac']:.1f} %" in page
    assert "| source | north | 6 |" in page
    assert "| device | a100_sxm4_80gb | 6 |" in page
    assert "nan" not in page.lower()
    text, drawing = with_drawing_apart(page, "page.svg")
    assert "(page.svg)" in text
    assert "<svg" not in text
    assert text.replace("](page.svg)", "").count("##") == page.count("##")
    assert len(ElementTree.fromstring(drawing).findall("{http://www.w3.org/2000/svg}circle")) == 18


def test_left_out_has_the_form_of_a_backtest(rows_file: Path) -> None:
    told: list[str] = []
    found = left_out(rows_file, by="source", note=told.append)
    assert told == ["north", "south", "west"]
    assert found["summary"]["n"] == 18
    assert set(found["by"]["source"]) == {"north", "south", "west"}
    assert all(row["low80"] < row["high80"] for row in found["rows"])


def test_drawing_of_nothing_is_still_a_drawing() -> None:
    empty = scatter_svg(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_))
    assert ElementTree.fromstring(empty).tag.endswith("svg")


@needs_rows
def test_sweep_is_ranked_and_the_choice_is_good() -> None:
    """Recorded: how well the sweep of layouts is ordered, with its own stack's constants."""
    priors, tables = load_priors(), load_constants()
    known = evidence(read_measurements(read_csv(DATA), priors[0]), priors[1])
    record = sweep_record(known, tables)
    assert record["rows"] == 1038
    assert record["groups"] == 21
    assert record["rank_correlation"] > 0.80
    assert record["loss_median_frac"] < 0.10
    assert record["mdape_frac"] < 0.20
