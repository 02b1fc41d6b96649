"""Enumeration of layouts against a plain loop, and the words that a layout is written in."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hardware
from hardware.errors import InputError
from planner.architecture import model_table
from planner.layout import BATCH_TOLERANCE_FRAC, QuestionTable, layouts
from planner.layout_words import layout_codes, layout_text
from planner.stack import load_constants, stack_row
from planner.strategy import (
    BATCH_INDIVISIBLE,
    CROSSES_SCALE_UP,
    FITS,
    FP8,
    INDIVISIBLE_HEADS,
    INDIVISIBLE_LAYERS,
    INFERENCE_ONLY,
    REASONS,
    TYPE_NOT_OFFERED,
    StrategyTable,
)

STACKS = load_constants()[0]
DEVICES = hardware.load("h100", "rngd", "a100")
MODELS = model_table(
    ("dense", "moe"), layers=[12, 10], hidden=[1024, 1024], heads=[16, 16], kv_heads=[4, 16],
    ffn_hidden=4096, vocab=32000, experts=[0, 8], top_k=[0, 2], moe_ffn_hidden=[0, 1024],
    dense_layers=[12, 1],
)  # fmt: skip


def asked(**given: Any) -> QuestionTable:
    columns: dict[str, Any] = dict(
        model=0, device=0, stack=stack_row(STACKS, "megatron-core"), seq_len=4096, global_batch=64,
        size=16, precision=0, optimizer=0,
    )  # fmt: skip
    columns.update(given)
    count = max(np.size(value) for value in columns.values())
    return QuestionTable(
        **{
            name: np.broadcast_to(np.asarray(value, dtype=np.int64), (count,)).copy()
            for name, value in columns.items()
        }
    )


def by_loop(model: int, size: int, batch: int, seq_len: int) -> set[tuple[int, ...]]:
    """Layouts (tp, pp, cp, ep, expert_tp, dp, micro_batch) of a Megatron run, one by one."""
    found = set()
    layers, heads, kv = int(MODELS.layers[model]), 16, int(MODELS.kv_heads[model])
    experts = int(MODELS.experts[model])
    for tp in (1, 2, 4, 8):
        for pp in (1, 2, 3, 4, 5, 6, 8, 10, 12):
            slots = -(-layers // pp) * pp
            if heads % tp or (kv % tp and tp % kv) or pp > layers or slots > 1.25 * layers:
                continue
            for cp in (1, 2, 4, 8, 16, 32):
                if size % (tp * pp * cp) or (cp > 1 and seq_len < 4096 * cp):
                    continue
                dp = size // (tp * pp * cp)
                for ep in (1, 2, 4, 8):
                    if ep > 1 and (ep > experts or experts % ep or (tp * cp * dp) % ep):
                        continue
                    for etp in {1, tp} if experts else {1}:
                        if (tp * cp * dp // ep) % etp:
                            continue
                        for micro in (1, 2, 4, 8, 16):
                            near = max((2 * batch + micro * dp) // (2 * micro * dp), 1)
                            if abs(near * micro * dp - batch) > BATCH_TOLERANCE_FRAC * batch:
                                continue
                            if micro > 1 and micro * seq_len // cp > 32768:
                                continue
                            found.add((tp, pp, cp, ep, etp, dp, micro))
    return found


def standing(rows: StrategyTable, reason: Any) -> set[tuple[int, ...]]:
    names = ("tp", "pp", "cp", "ep", "expert_tp", "dp", "micro_batch")
    cells = np.column_stack([getattr(rows, name)[reason == FITS] for name in names])
    return {tuple(int(cell) for cell in row) for row in cells}


@settings(max_examples=40, deadline=None)
@given(
    model=st.integers(0, 1), size=st.sampled_from([1, 6, 8, 24, 40, 64]),
    batch=st.sampled_from([8, 50, 64, 100]), seq_len=st.sampled_from([2048, 4096, 8192, 16384]),
)  # fmt: skip
def test_a_plain_loop_finds_the_same_layouts(
    model: int, size: int, batch: int, seq_len: int
) -> None:
    rows, _, reason = layouts(
        MODELS, DEVICES, STACKS, asked(model=model, size=size, global_batch=batch, seq_len=seq_len)
    )
    assert standing(rows, reason) == by_loop(model, size, batch, seq_len)


@settings(max_examples=25, deadline=None)
@given(size=st.sampled_from([8, 480, 1000, 1016]), batch=st.integers(64, 2048))
def test_what_stands_is_a_layout_of_the_question(size: int, batch: int) -> None:
    question = asked(model=[0, 1], size=size, global_batch=batch)
    rows, of, reason = layouts(MODELS, DEVICES, STACKS, question)
    good = reason == FITS
    assert (rows.size[good] == size).all()
    assert (rows.global_batch[good] % (rows.micro_batch * rows.dp)[good] == 0).all()
    moved = np.abs(rows.global_batch[good] - batch)
    assert (moved <= BATCH_TOLERANCE_FRAC * batch).all()
    assert ((rows.tp * rows.cp * rows.dp)[good] % (rows.ep * rows.expert_tp)[good] == 0).all()
    assert (np.diff(of[good]) >= 0).all()
    assert set(np.unique(of)) <= {0, 1}


def test_questions_do_not_touch_each_other() -> None:
    both = layouts(MODELS, DEVICES, STACKS, asked(model=[0, 1], size=[16, 24]))
    for at, (model, size) in enumerate(((0, 16), (1, 24))):
        alone = layouts(MODELS, DEVICES, STACKS, asked(model=model, size=size))
        mine = both[1] == at
        assert np.bincount(both[2][mine]).tolist() == np.bincount(alone[2]).tolist()
        for column in dataclasses.fields(StrategyTable):
            assert np.array_equal(
                np.sort(getattr(both[0], column.name)[mine]),
                np.sort(getattr(alone[0], column.name)),
            )


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ({"device": 1}, INFERENCE_ONLY),
        ({"device": 2, "precision": FP8}, TYPE_NOT_OFFERED),
        ({"size": 4096, "global_batch": 8}, BATCH_INDIVISIBLE),
        ({"size": 16}, CROSSES_SCALE_UP),
        ({"size": 16 * 25}, INDIVISIBLE_LAYERS),
    ],
)
def test_rejected_rows_keep_a_reason(given_: dict[str, int], reason: int) -> None:
    _, _, reasons = layouts(MODELS, DEVICES, STACKS, asked(**given_))
    assert reason in reasons


def test_odd_heads_are_rejected_for_tensor_parallelism() -> None:
    odd = dataclasses.replace(MODELS, heads=np.array([10, 10]), kv_heads=np.array([10, 10]))
    rows, _, reasons = layouts(odd, DEVICES, STACKS, asked())
    assert (reasons[rows.tp >= 4] == INDIVISIBLE_HEADS).all()


def test_a_what_if_lays_training_out_on_an_inference_device() -> None:
    _, _, reasons = layouts(MODELS, DEVICES, STACKS, asked(device=1), what_if_training=True)
    assert INFERENCE_ONLY not in reasons
    assert (reasons == FITS).any()


def test_what_is_fixed_is_kept() -> None:
    fixed = {"tp": 2, "pp": 3, "zero": 0, "micro_batch": 3, "recompute": 2}
    rows, _, reason = layouts(MODELS, DEVICES, STACKS, asked(size=24, global_batch=48), fixed=fixed)
    assert (reason == FITS).any()
    for name, value in fixed.items():
        assert set(getattr(rows, name)[reason == FITS].tolist()) == {value}


def test_every_reason_has_a_sentence() -> None:
    assert len(REASONS) == 11
    assert all(REASONS)


def test_layouts_are_read_and_written_in_the_same_words() -> None:
    fixed = layout_codes("tp=2, pp=2, recompute=full, micro_batch=2")
    assert fixed == {"tp": 2, "pp": 2, "recompute": 2, "micro_batch": 2}
    rows, _, reason = layouts(MODELS, DEVICES, STACKS, asked(), fixed=fixed)
    text = layout_text(rows, int(np.flatnonzero(reason == FITS)[0]))
    assert layout_codes(text).items() >= fixed.items()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("micro_bach=2", "did you mean `micro_batch`"),
        ("tp=x", "'x'"),
        ("tp=0", "from 1"),
        ("zero=7", "0 to 3"),
        ("recompute=some", "none, selective, full"),
    ],
)
def test_a_misspelt_layout_says_what_is_known(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        layout_codes(text)
    assert words in str(caught.value)


def test_all_faults_of_a_layout_come_at_once() -> None:
    with pytest.raises(InputError) as caught:
        layout_codes({"tb": 1, "pp": "many"})
    assert len(caught.value.diagnostics) == 2
