"""Prefill and decode against hand rooflines, and what must hold of any serving question."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hardware
from hardware.table import DeviceTable
from planner.architecture import active_parameters, parameters
from planner.inference import (
    EVALUATION,
    GENERATION,
    SERVING,
    InferenceTable,
    RequestTable,
    cache_bytes_per_token,
    inference,
    inference_precision,
    requests,
)
from planner.strategy import BF16, EXCEEDS_MEMORY, FITS, FP8, FP16, TYPE_NOT_OFFERED
from planner.workload import load_models

MODELS = load_models("llama3-70b", "deepseek-v3", "K-EXAONE-236B-A23B")
DEVICES = hardware.load("h100", "rngd", "rebel_quad", "atom_max", "a100")


def ask(model: int, device: int, size: int, work: int = GENERATION, precision: int = -1,
        devices: DeviceTable = DEVICES) -> InferenceTable:  # fmt: skip
    kind = int(inference_precision(devices)[device]) if precision < 0 else precision
    cells = [np.array([value]) for value in (model, device, size, kind, work)]
    return inference(MODELS, devices, requests(*cells))


def test_fp8_is_taken_where_offered_and_16_bit_elsewhere() -> None:
    assert inference_precision(DEVICES).tolist() == [FP8, FP8, FP8, FP16, BF16]


def test_cache_of_a_token() -> None:
    # Llama 3 70B: 80 layers, 8 heads of 128 for keys and values, 2 bytes: 320 KiB. DeepSeek-V3
    # caches 512 + 64 elements in each of 61 layers.
    cached = cache_bytes_per_token(MODELS)
    assert cached[0] == 80 * 8 * (128 + 128) * 2
    assert cached[1] == 61 * (512 + 64) * 2


def test_decoding_alone_is_bound_by_reading_the_weights() -> None:
    question = RequestTable(
        model=np.array([0]), device=np.array([4]), size=np.array([8]), precision=np.array([BF16]),
        prompt_tokens=np.array([1]), output_tokens=np.array([100_000]),
        step_limit_s=np.array([1e9]),
    )  # fmt: skip
    answer = inference(MODELS, DEVICES, question)
    read_s = float(parameters(MODELS)[0]) * 2 / (8 * DEVICES.memory_bytes_per_s[4])
    # Reading weights is the floor of a step, whatever the batch.
    assert answer.decode_s[0] > read_s
    assert answer.tokens_per_s[0] < answer.batch[0] / read_s


def test_prefill_is_bound_by_arithmetic() -> None:
    answer = ask(0, 0, 64, EVALUATION)
    peak = DEVICES.peak_flop_per_s[0].max() * float(answer.group[0])
    floor_s = 2 * float(active_parameters(MODELS)[0]) * 2048 / peak
    assert answer.prefill_s[0] > floor_s


@pytest.mark.parametrize("device", range(5))
@pytest.mark.parametrize("work", [GENERATION, EVALUATION, SERVING])
def test_rates_are_finite_ordered_and_fit(device: int, work: int) -> None:
    answer = ask(2, device, 64, work)
    if answer.reason[0] == FITS:
        assert answer.low80_tokens_per_s[0] < answer.tokens_per_s[0] < answer.high80_tokens_per_s[0]
        assert answer.peak_bytes[0] <= answer.capacity_bytes[0]
        assert answer.group[0] * answer.copies[0] <= 64
    else:
        assert answer.tokens_per_s[0] == 0.0


@settings(max_examples=30, deadline=None)
@given(factor=st.floats(1.0, 4.0), device=st.integers(0, 4), model=st.integers(0, 2))
def test_faster_parts_never_slow_it_down(factor: float, device: int, model: int) -> None:
    plain = ask(model, device, 64)
    for column in ("memory_bytes_per_s", "peak_flop_per_s", "scale_up_bytes_per_s",
                   "usable_memory_bytes"):  # fmt: skip
        better = dataclasses.replace(DEVICES, **{column: getattr(DEVICES, column) * factor})
        faster = ask(model, device, 64, devices=better)
        assert faster.tokens_per_s[0] >= plain.tokens_per_s[0] * (1 - 1e-12)


def test_a_model_that_no_group_holds_has_a_reason() -> None:
    assert ask(1, 3, 4).reason[0] == EXCEEDS_MEMORY
    assert ask(0, 4, 8, precision=FP8).reason[0] == TYPE_NOT_OFFERED


def test_a_limit_on_the_decode_step_is_kept() -> None:
    served, free = ask(0, 0, 8, SERVING), ask(0, 0, 8, GENERATION)
    assert served.decode_s[0] <= 0.05
    assert free.batch[0] >= served.batch[0]
