"""Estimates and comparisons: published runs, arithmetic of money and time, refusals, output."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import hardware
import planner
from hardware.errors import InputError, UnknownName
from planner.comparison import compare
from planner.energy import PUE
from planner.estimation import estimate
from planner.step import PARTS as STEP_PARTS
from planner.strategy import FITS, INFERENCE_ONLY, TOO_FEW_DEVICES

TRILLION = 1e12


@pytest.fixture(scope="module")
def llama() -> planner.Estimate:
    return estimate("llama3-70b", "h100", devices=256, tokens=TRILLION, usd_per_device_s=2 / 3600)


def test_the_verbs_are_handed_on() -> None:
    assert planner.estimate is estimate
    assert planner.compare is compare


def test_time_money_and_energy_follow_from_the_rate(llama: planner.Estimate) -> None:
    wall = TRILLION / (llama.steps.tokens_per_s * llama.goodput.goodput_frac)
    assert np.allclose(llama.duration_s, wall)
    assert np.allclose(llama.cost_usd, 256 * wall * 2 / 3600)
    assert np.allclose(llama.energy_j, llama.power_w * wall * 1.3)
    assert (llama.low80_duration_s < llama.duration_s).all()
    assert (llama.duration_s < llama.high80_duration_s).all()
    assert llama.nodes == 32


def test_rows_are_sorted_fit_and_add_up(llama: planner.Estimate) -> None:
    assert (np.diff(llama.steps.tokens_per_s) <= 0).all()
    assert llama.fits.all()
    parts = sum(getattr(llama.steps, part) for part in STEP_PARTS)
    assert np.allclose(parts, llama.steps.step_s)
    assert (llama.steps.hfu_frac >= llama.steps.mfu_frac).all()


def test_llama_405b_on_16384_h100() -> None:
    # Reported: 38 to 43 % MFU with tp 8 and pp 16 (arXiv 2407.21783, table 4).
    run = estimate(
        "llama-3.1-405b", "h100", devices=16384, tokens=15.6e12, layout="tp=8,pp=16", seq_len=8192
    )
    assert 0.33 < run.steps.mfu_frac[0] < 0.48
    assert 0.90 < run.goodput.goodput_frac[0] < 0.95


def test_deepseek_v3_on_2048_h800() -> None:
    # Reported: 2.664 M device-hours for 14.8 T tokens, 1,543 tokens/s a device (arXiv 2412.19437).
    run = estimate(
        "deepseek-v3", "h800", devices=2048, tokens=14.8e12, precision="fp8_block", seq_len=4096,
        global_batch_tokens=15360 * 4096,
    )  # fmt: skip
    assert run.steps.tokens_per_s[0] / 2048 == pytest.approx(1543, rel=0.35)


def test_a_layout_asked_for_is_kept(llama: planner.Estimate) -> None:
    run = estimate(
        "llama3-70b", "h100", devices=256, tokens=TRILLION, layout={"tp": 4, "recompute": "full"}
    )
    assert set(run.strategies.tp.tolist()) == {4}
    assert set(run.strategies.recompute.tolist()) == {2}
    assert run.steps.tokens_per_s[0] < llama.steps.tokens_per_s[0]


def test_a_layout_that_does_not_divide_the_devices_has_a_reason() -> None:
    run = estimate("llama3-8b", "h100", devices=64, tokens=TRILLION, layout="tp=3")
    assert len(run) == 0
    assert run.reason == TOO_FEW_DEVICES
    assert "no layout" in run.verdict
    assert json.loads(run.to_json())["rows"] == []


def test_training_on_an_npu_is_refused_and_a_what_if_is_marked_everywhere() -> None:
    refused = estimate("llama3-8b", "rngd", devices=64, tokens=TRILLION)
    assert refused.reason == INFERENCE_ONLY
    what_if = estimate("llama3-8b", "rngd", devices=64, tokens=TRILLION, what_if_training=True)
    assert what_if.reason == FITS
    assert what_if.is_what_if
    for text in (repr(what_if), what_if.verdict, what_if._repr_html_(), what_if.to_json()):
        assert "WHAT IF" in text
    honest = estimate("llama3-8b", "h100", devices=64, tokens=TRILLION, what_if_training=True)
    assert not honest.is_what_if


def test_generation_on_an_npu() -> None:
    run = estimate("llama3-8b", "rngd", devices=8, tokens=TRILLION, work="generation")
    assert len(run) == 1
    assert run.precision == "fp8"
    assert run.steps.tokens_per_s[0] > 0


def test_assumed_lengths_of_requests_are_told() -> None:
    run = estimate("llama3-70b", "rngd", devices=8, tokens=TRILLION, work="serving")
    assert any("1,024 in and 512 out" in note and note.endswith("*") for note in run.notes)
    assert "* assumed" in run.notes
    assert "e+0" not in run.verdict  # more than a thousand days, in plain digits


def test_a_peak_above_the_nameplate_is_explained() -> None:
    run = estimate("llama3-70b", "b200", devices=64, tokens=TRILLION)
    above = (run.memories.peak_bytes > 180e9).any()
    assert above == any("more than its nameplate of 180 GB" in note for note in run.notes)
    small = estimate("llama3-8b", "b200", devices=64, tokens=TRILLION, layout="dp=64,zero=3")
    assert not any("nameplate" in note for note in small.notes)


def test_faults_come_at_once() -> None:
    with pytest.raises(InputError) as caught:
        estimate("llama3-8b", "h100", devices=0, tokens=-1.0, precision="fp9", stack="megatron")
    codes = [diagnostic.code for diagnostic in caught.value.diagnostics]
    assert codes.count("out-of-range") == 2
    assert codes.count("unknown-choice") == 2
    assert "megatron-core" in str(caught.value)


@pytest.mark.parametrize(("model", "device"), [("llama3-8x", "h100"), ("llama3-8b", "h10")])
def test_unknown_names(model: str, device: str) -> None:
    with pytest.raises(UnknownName):
        estimate(model, device, devices=8, tokens=TRILLION)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("devices", "8", "wrong-type"),
        ("devices", True, "wrong-type"),
        ("devices", 8.5, "bad-value"),
        ("tokens", "15 T", "wrong-type"),
        ("tokens", float("inf"), "out-of-range"),
        ("seq_len", -1, "out-of-range"),
        ("keep", 0, "out-of-range"),
        ("pue", 0.5, "out-of-range"),
        ("usd_per_device_s", -1.0, "out-of-range"),
    ],
)
def test_odd_numbers_are_refused_by_name(name: str, value: object, code: str) -> None:
    given = {"devices": 8, "tokens": TRILLION, name: value}
    with pytest.raises(InputError, match=f"`{name}`") as caught:
        estimate("llama3-8b", "h100", **given)
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_things_of_another_kind_are_refused_by_name() -> None:
    with pytest.raises(InputError) as caught:
        estimate(None, 3, devices=8, tokens=TRILLION)
    assert [d.code for d in caught.value.diagnostics] == ["wrong-type", "wrong-type"]
    with pytest.raises(InputError, match=r"load\(\*names\)"):
        hardware.load(["h100"])
    with pytest.raises(InputError, match="`plan` does not fit"):
        planner.verify(resources.files("planner") / "examples" / "first-minute.yaml", None)
    with pytest.raises(InputError, match="`path` does not fit"):
        planner.allocate(None)


def test_one_name_or_one_file_needs_no_list(tmp_path: Path) -> None:
    assert compare("h100", model="llama3-8b", size=8).device == ("h100_sxm5_80gb",)
    with pytest.raises(InputError, match=r"none\.yaml"):
        hardware.load("h100", files=str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match=r"none\.yaml"):
        planner.load_models("llama3-8b", files=tmp_path / "none.yaml")


def test_a_missing_price_is_unknown_and_not_zero() -> None:
    run = estimate("llama3-8b", "h800", devices=64, tokens=TRILLION)
    document = json.loads(run.to_json())
    assert document["usd_per_device_s"] is None
    assert {row["cost_usd"] for row in document["rows"]} == {None}
    assert "price" in run.notes[1]


def test_output_forms(llama: planner.Estimate) -> None:
    document = json.loads(llama.to_json())
    assert document["schema"] == "planner/estimate/1"
    assert document["rows"][0]["step_s"] == pytest.approx(float(llama.steps.step_s[0]))
    assert "NaN" not in llama.to_json()
    assert len(llama) == 5
    assert f"{llama.memories.peak_bytes[0] / 1e9:.1f}" in repr(llama)  # GB, as sheets say
    assert llama.verdict in llama._repr_html_()
    assert "<script" not in llama._repr_html_()
    assert max(map(len, repr(llama).splitlines()[:16])) < 160


def test_frames(llama: planner.Estimate) -> None:
    pytest.importorskip("pandas")
    frame = llama.to_frame()
    assert len(frame) == len(llama)
    assert {"duration_s", "tokens_per_s", "peak_bytes", "cost_usd", "layout"} <= set(frame.columns)
    assert len(compare(["h100", "rngd"], model="llama3-8b", size=16).to_frame()) == 2


def test_own_tables_are_taken_as_they_are() -> None:
    device = hardware.load("h100")
    run = estimate("llama3-8b", device, devices=8, tokens=TRILLION)
    assert run.device == "h100_sxm5_80gb"


def test_devices_side_by_side() -> None:
    table = compare(["h100", "b200", "rngd"], model="llama3-8b", size=16)
    assert table.device == ("h100_sxm5_80gb", "b200_sxm_180gb", "furiosa_rngd")
    assert table.reason.tolist() == [FITS, FITS, INFERENCE_ONLY]
    assert table.tokens_per_s[1] > table.tokens_per_s[0] > table.tokens_per_s[2] == 0
    assert table.knee_flop_per_byte[0] == pytest.approx(989e12 / 3.35e12, rel=0.01)
    assert table.energy_j_per_token[1] < table.energy_j_per_token[0]
    assert json.loads(table.to_json())["rows"][2]["usd_per_million_tokens"] is None
    assert "furiosa_rngd" in repr(table)
    assert "furiosa_rngd" in table._repr_html_()


def test_comparing_nothing_is_refused() -> None:
    with pytest.raises(InputError):
        compare([], model="llama3-8b")


def test_devices_left_idle_are_told() -> None:
    run = estimate("K-EXAONE-236B-A23B", "b200", devices=1016, tokens=TRILLION)
    used = int(run.strategies.size[0])
    assert used < 1016
    assert f"leaves {1016 - used} of 1,016 idle" in run.notes[-1]
    assert run.cost_usd[0] == pytest.approx(1016 * run.duration_s[0] * run.usd_per_device_s)


def test_the_assumed_facility_is_the_one_of_the_catalogue() -> None:
    assert hardware.pue("korea").value == PUE
