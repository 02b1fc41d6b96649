"""The search against pricing every layout, and what must hold of curves drawn from it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hardware
from hardware.column import take
from planner.curve import ThroughputCurve, concave_envelope, throughput_curves
from planner.inference import GENERATION, TRAINING
from planner.layout import QuestionTable, layouts
from planner.memory import memory
from planner.run import UNSTATED, RunTable, default_stacks, sizes_within, training_precision
from planner.search import search
from planner.stack import load_constants
from planner.step import step
from planner.strategy import BF16, EXCEEDS_MEMORY, FITS, FP16, FULL, INFERENCE_ONLY, NONE
from planner.workload import load_models

STACKS, FAMILIES = load_constants()
MODELS = load_models("llama3-8b", "K-EXAONE-236B-A23B")
DEVICES = hardware.load("h100", "b200", "rngd", "v100_sxm2_32gb")
USUAL = default_stacks(DEVICES, STACKS)


def asked(model: int, device: int, size: int, **given: int) -> QuestionTable:
    columns = dict(
        model=model, device=device, stack=int(USUAL[device]), seq_len=4096, global_batch=512,
        size=size, precision=BF16, optimizer=0,
    )  # fmt: skip
    columns.update(given)
    return QuestionTable(**{name: np.array([value]) for name, value in columns.items()})


@pytest.mark.parametrize(("model", "device", "size"), [(0, 0, 8), (0, 0, 24), (1, 1, 64)])
def test_the_best_layout_is_the_best_of_all(model: int, device: int, size: int) -> None:
    question = asked(model, device, size)
    rows, _, reason = layouts(MODELS, DEVICES, STACKS, question)
    rows = take(rows, reason == FITS)
    fits = memory(MODELS, DEVICES, STACKS, rows).fits
    rate = step(MODELS, DEVICES, STACKS, FAMILIES, rows).tokens_per_s
    found = search(MODELS, DEVICES, STACKS, FAMILIES, question)
    assert found.steps.tokens_per_s[0] == pytest.approx(rate[fits].max(), rel=1e-12)
    assert found.counts[0, FITS] == fits.sum()
    early = (reason == EXCEEDS_MEMORY).sum()
    assert found.counts[0, EXCEEDS_MEMORY] == (~fits).sum() + early
    assert found.counts[0].sum() == len(reason)
    assert found.overfull[0].sum() == (~fits).sum() + early


def test_recomputing_more_is_never_faster() -> None:
    # The search prices the least recomputation that fits; this is why that is enough.
    question = asked(0, 0, 32)
    rows, _, reason = layouts(MODELS, DEVICES, STACKS, question)
    rows = take(rows, reason == FITS)
    rate = step(MODELS, DEVICES, STACKS, FAMILIES, rows).tokens_per_s.reshape(-1, 3)
    assert rows.recompute[:3].tolist() == [NONE, 1, FULL]
    assert (np.diff(rate, axis=1) <= 1e-9 * rate[:, 1:]).all()


def test_the_pareto_set_holds_what_nothing_beats() -> None:
    question = asked(0, 0, 16)
    found = search(MODELS, DEVICES, STACKS, FAMILIES, question, pareto=True)
    rate, peak = found.steps.tokens_per_s, found.memories.peak_bytes
    assert (np.diff(rate) <= 0).all()
    assert (np.diff(peak) < 0).all()
    rows, _, reason = layouts(MODELS, DEVICES, STACKS, question)
    rows = take(rows, reason == FITS)
    sizes = memory(MODELS, DEVICES, STACKS, rows)
    rates = step(MODELS, DEVICES, STACKS, FAMILIES, rows).tokens_per_s
    for one_rate, one_peak in zip(rates[sizes.fits], sizes.peak_bytes[sizes.fits], strict=True):
        assert ((rate >= one_rate) & (peak <= one_peak)).any()


def test_questions_together_are_answered_as_alone() -> None:
    parts = [asked(0, 0, 8), asked(1, 0, 8), asked(0, 1, 48), asked(1, 1, 512)]
    together = QuestionTable(
        **{
            column.name: np.concatenate([getattr(part, column.name) for part in parts])
            for column in dataclasses.fields(QuestionTable)
        }
    )
    found = search(MODELS, DEVICES, STACKS, FAMILIES, together)
    first = found.first()
    for at, part in enumerate(parts):
        alone = search(MODELS, DEVICES, STACKS, FAMILIES, part)
        assert found.reason[at] == alone.reason[0]
        if len(alone.question):
            assert found.steps.tokens_per_s[first[at]] == alone.steps.tokens_per_s[0]
        else:
            assert first[at] == -1


def test_more_memory_never_gives_a_slower_layout() -> None:
    larger = dataclasses.replace(DEVICES, usable_memory_bytes=DEVICES.usable_memory_bytes * 1.5)
    question = asked(1, 0, 128)
    small = search(MODELS, DEVICES, STACKS, FAMILIES, question)
    large = search(MODELS, larger, STACKS, FAMILIES, question)
    assert large.steps.tokens_per_s[0] >= small.steps.tokens_per_s[0]
    assert large.counts[0, FITS] >= small.counts[0, FITS]


def test_reasons_are_told_in_sentences() -> None:
    found = search(MODELS, DEVICES, STACKS, FAMILIES, asked(1, 0, 8))
    assert found.reason[0] == EXCEEDS_MEMORY
    text = " ".join(found.why())
    assert "peak memory exceeds" in text
    assert "first over-full part: weights" in text or "first over-full part: gradients" in text


def runs(**given: Any) -> RunTable:
    count = len(MODELS.names)
    columns: dict[str, Any] = dict(
        model=np.arange(count), work=np.full(count, TRAINING), seq_len=np.full(count, 4096),
        global_batch_tokens=np.zeros(count), precision=np.full(count, UNSTATED),
        optimizer=np.zeros(count, dtype=np.int64), stack=np.full(count, UNSTATED),
    )  # fmt: skip
    columns.update(given)
    return RunTable(**columns)


def curve(job: Any, device: Any, nodes: Any, **given: Any) -> ThroughputCurve:
    return throughput_curves(
        MODELS, DEVICES, STACKS, FAMILIES, given.pop("runs", runs()), job=np.asarray(job),
        device=np.asarray(device), nodes=np.asarray(nodes), **given,
    )  # fmt: skip


def test_points_keep_their_order_and_equal_points_agree() -> None:
    table = curve([1, 0, 1, 0], [1, 0, 1, 1], [64, 4, 64, 4])
    assert table.nodes.tolist() == [64, 4, 64, 4]
    assert table.tokens_per_s[0] == table.tokens_per_s[2] > 0
    assert table.size.tolist() == [512, 32, 512, 32]
    assert (table.low80_tokens_per_s < table.tokens_per_s).all()
    assert (table.high80_tokens_per_s > table.tokens_per_s).all()
    assert np.allclose(table.wall_tokens_per_s, table.tokens_per_s * table.goodput_frac)
    assert (table.peak_bytes <= table.capacity_bytes).all()


def test_odd_numbers_of_nodes_find_good_layouts() -> None:
    # 60, 125 and 127 nodes of the sovereign-AI case: no worse a device than a tenth below round.
    table = curve([1] * 5, [1] * 5, [60, 64, 125, 127, 128])
    each = table.tokens_per_s / table.size
    assert each[0] > 0.9 * each[1]
    assert each[2] > 0.85 * each[4]
    assert each[3] > 0.85 * each[4]
    used = table.tp * table.pp * table.cp * table.dp
    assert (used <= table.size).all()
    assert (used >= 0.875 * table.size).all()


def test_a_model_too_large_has_a_reason_and_no_rate() -> None:
    table = curve([1], [0], [1])
    assert table.reason[0] == EXCEEDS_MEMORY
    assert table.tokens_per_s[0] == table.power_w[0] == table.envelope_tokens_per_s[0] == 0.0


def test_training_on_an_inference_device_is_refused_unless_it_is_a_what_if() -> None:
    refused = curve([0], [2], [8])
    assert refused.reason[0] == INFERENCE_ONLY
    assert refused.is_what_if[0] == 0
    allowed = curve([0], [2], [8], what_if_training=np.array([1, 1]))
    assert allowed.reason[0] == FITS
    assert allowed.is_what_if[0] == 1


def test_generation_runs_on_an_inference_device() -> None:
    table = curve([0, 0], [2, 0], [4, 4], runs=runs(work=np.full(2, GENERATION)))
    assert (table.reason == FITS).all()
    assert table.tokens_per_s[1] > table.tokens_per_s[0] > 0
    assert (table.is_what_if == 0).all()


def test_power_is_within_the_nodes() -> None:
    table = curve([0, 0], [0, 1], [4, 4])
    most = DEVICES.node_power_w[[0, 1]] * 4
    assert (table.power_w < most).all()
    assert (table.power_w > 0.4 * most).all()


@settings(max_examples=80, deadline=None)
@given(
    rates=st.lists(st.floats(0, 1e6), min_size=1, max_size=12),
    steps=st.lists(st.integers(1, 50), min_size=12, max_size=12),
)
def test_the_envelope_is_concave_and_the_smallest(rates: list[float], steps: list[int]) -> None:
    nodes = np.cumsum(steps[: len(rates)])
    rate = np.array(rates)
    hull = concave_envelope(np.zeros(len(rate), dtype=np.int64), nodes, rate)
    tolerance = 1e-9 * (1 + rate.max())
    assert (hull >= rate - tolerance).all()
    x, y = np.r_[0, nodes], np.r_[0.0, hull]
    slope = np.diff(y) / np.diff(x)
    assert (np.diff(slope) <= 1e-9 * (1 + np.abs(slope[:-1]))).all()
    assert (slope >= -1e-9).all()
    assert hull.max() <= rate.max() + tolerance


def test_sizes_within_leave_at_most_an_eighth_idle() -> None:
    point, used = sizes_within(np.array([8, 1016, 3000]), np.array([8, 8, 8]))
    assert used[point == 0].tolist() == [8]
    assert used[point == 1].tolist() == [1016, 992, 896]
    assert (used[point == 2] >= 0.875 * 3000).all()


def test_unstated_choices() -> None:
    assert training_precision(DEVICES).tolist() == [BF16, BF16, BF16, FP16]
    names = [STACKS.names[row] for row in USUAL]
    assert names == ["megatron-core", "megatron-core", "default", "megatron-core"]
