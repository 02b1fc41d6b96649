"""Layouts priced chunk by chunk give what they give at once, and none are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

import hardware
from hardware.column import take, to_columns
from planner.layout import QuestionTable, layouts
from planner.memory import memory
from planner.pricing import layout_chunks, priced
from planner.search import joined
from planner.stack import load_constants
from planner.step import step
from planner.strategy import FITS, StrategyTable
from planner.workload import load_models

MODELS = load_models("llama3-8b", "deepseek-v3")
DEVICES = hardware.load("h100", "mi300x")
STACKS, FAMILIES = load_constants()


def asked(count: int = 30) -> QuestionTable:
    row = np.arange(count)
    return QuestionTable(
        model=row % 2,
        device=row // 2 % 2,
        stack=np.zeros(count, dtype=np.int64),
        seq_len=np.full(count, 4096),
        global_batch=np.full(count, 512),
        size=np.full(count, 64),
        precision=np.zeros(count, dtype=np.int64),
        optimizer=np.zeros(count, dtype=np.int64),
    )


def test_chunks_hold_every_layout_that_stands() -> None:
    rows, _, reason = layouts(MODELS, DEVICES, STACKS, asked(24))
    standing = take(rows, np.flatnonzero(reason == FITS))
    chunks = list(layout_chunks(MODELS, DEVICES, STACKS, asked()))
    assert len(chunks) == 2
    for name, column in to_columns(standing).items():
        np.testing.assert_array_equal(getattr(chunks[0], name), column)


def test_a_chunk_is_priced_as_the_whole_is() -> None:
    chunks = list(layout_chunks(MODELS, DEVICES, STACKS, asked()))
    whole = joined(chunks)
    order = np.random.default_rng(0).permutation(len(whole.model))
    whole = take(whole, order)
    times = step(MODELS, DEVICES, STACKS, FAMILIES, whole)
    sizes = memory(MODELS, DEVICES, STACKS, whole)
    answers = list(priced(MODELS, DEVICES, STACKS, FAMILIES, chunks))
    for expected, kind in ((times, "steps"), (sizes, "memories")):
        found = joined([getattr(answer, kind) for answer in answers])
        for field in dataclasses.fields(expected):
            column = getattr(found, field.name)[order]
            np.testing.assert_allclose(column, getattr(expected, field.name), rtol=1e-12)


def test_a_chunk_is_taken_only_when_its_answer_is_asked_for() -> None:
    taken: list[int] = []

    def chunks() -> Iterator[StrategyTable]:
        for chunk in layout_chunks(MODELS, DEVICES, STACKS, asked()):
            taken.append(len(chunk.model))
            yield chunk

    answers = priced(MODELS, DEVICES, STACKS, FAMILIES, chunks())
    assert not taken
    assert len(next(answers).steps) == taken[0]
    assert len(taken) == 1
