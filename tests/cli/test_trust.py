"""`backtest` and `calibrate` as users run them: what is printed, written and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.stack import load_constants, stack_row

Cli = Any  # the fixture of conftest, which no module can import by name

HEAD = (
    "id,source,stack,model,layers,hidden,ffn_hidden,heads,vocab,seq_len,mlp_kind,precision,"
    "accelerator,n_devices,tp,pp,dp,micro_batch,global_batch_seqs,metric,value,complete"
)
LINE = ("ours,our-stack,m,{layers},4096,11008,32,32000,4096,swiglu,bf16,h100_sxm5_80gb,{devices},"
        "1,1,{devices},2,{batch},tokens_per_s_per_device,{value},yes")  # fmt: skip


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    lines = [
        f"r{at}," + LINE.format(layers=layers, devices=devices, batch=devices * 8, value=value)
        for at, (layers, devices, value) in enumerate(
            [(16, 8, 17500), (32, 8, 9000), (32, 64, 8800), (48, 64, 5900)]
        )
    ]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEAD, *lines]) + "\n", "utf-8")
    return path


def test_backtest_says_the_error_first(cli: Cli, rows: Path) -> None:
    answer = cli("backtest", rows)
    assert answer.code == 0
    assert answer.err == ""
    first = answer.out.splitlines()[0]
    assert first.startswith("4 of 4 rows predicted: median error ")
    assert "our-stack" in answer.out
    assert "constant" in answer.out


def test_backtest_as_json_has_the_promised_keys(cli: Cli, rows: Path) -> None:
    document = json.loads(cli("backtest", rows, "--format", "json").out)
    assert set(document) == {"schema", "rows", "summary", "by"}
    assert set(document["rows"][0]) == {
        "id", "measured_tokens_per_s_per_device", "predicted_tokens_per_s_per_device",
        "error_frac", "low80", "high80", "reason",
    }  # fmt: skip
    assert {"n", "mdape_frac", "p90_frac", "bias_frac", "coverage80_frac"} <= set(
        document["summary"]
    )


def test_backtest_as_csv_is_one_line_a_row(cli: Cli, rows: Path) -> None:
    lines = cli("backtest", rows, "--format", "csv").out.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("id,measured_tokens_per_s_per_device,")


def test_backtest_tells_why_a_row_was_not_predicted(cli: Cli, rows: Path) -> None:
    rows.write_text(rows.read_text("utf-8").replace("h100_sxm5_80gb,64", "abacus,64"), "utf-8")
    answer = cli("backtest", rows)
    assert answer.code == 0
    assert "2 of 4 rows predicted" in answer.out
    assert "the accelerator is not in the catalogue: r2, r3" in answer.out


def test_backtest_of_memory_shows_who_fits(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "memory.csv"
    line = LINE.format(layers=32, devices=8, batch=64, value=0)
    path.write_text(f"{HEAD},outcome,peak_memory_gib\nr1,{line},fits,60\n", "utf-8")
    answer = cli("backtest", path, "--memory", "--stack", "fsdp")
    assert answer.code == 0
    assert answer.out.startswith("1 of 1 rows predicted: median error ")
    assert "predicted to fit" in answer.out


def test_calibrate_writes_a_table_that_backtest_reads(cli: Cli, rows: Path, tmp_path: Path) -> None:
    table = tmp_path / "profile.yaml"
    assert cli("calibrate", rows, "-o", table).code == 0
    stacks, _ = load_constants(table)
    assert stack_row(stacks, "our-stack") > 0
    before = json.loads(cli("backtest", rows, "--format", "json").out)
    after = json.loads(cli("backtest", rows, "--constants", table, "--format", "json").out)
    assert after["summary"]["mdape_frac"] <= before["summary"]["mdape_frac"]


def test_calibrate_shows_before_and_after(cli: Cli, rows: Path) -> None:
    answer = cli("calibrate", rows)
    assert answer.code == 0
    assert answer.out.startswith("fitted 1 stacks to 4 rows")
    assert "before" in answer.out


def test_page_without_everything_is_refused(cli: Cli, rows: Path, tmp_path: Path) -> None:
    answer = cli("calibrate", rows, "--page", tmp_path / "page.md")
    assert answer.code == 2
    assert "--everything" in answer.err


@pytest.mark.parametrize("command", ["backtest", "calibrate"])
def test_file_that_is_no_rows_is_the_users_fault(cli: Cli, tmp_path: Path, command: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    answer = cli(command, path)
    assert answer.code == 2
    assert answer.out == ""
    assert "missing-field" in answer.err
    assert cli(command, tmp_path / "absent.csv").code == 2


def test_memory_without_page_is_refused(cli: Cli, rows: Path) -> None:
    answer = cli("calibrate", rows, "--everything", "--memory", rows)
    assert answer.code == 2
    assert "--memory needs --page" in answer.err
