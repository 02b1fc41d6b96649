"""Peak memory: counts by hand, what must hold of any layout, and published peaks."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hardware
from hardware.column import row_count, take
from planner.activation import blocks, saved, widths
from planner.architecture import ModelTable, model_table, mtp_parameters, parameters
from planner.cut import cut
from planner.memory import EMPTY_STAGE, NOTHING, OVERFULL, PARTS, MemoryTable, memory, printed_bytes
from planner.stack import StackTable, load_constants, stack_row
from planner.stage import Stage, sizes, stage, stage_layers
from planner.strategy import (
    ADAM_8BIT,
    ADAM_BF16_STATES,
    BF16,
    FP8,
    FULL,
    INTERLEAVED,
    NONE,
    SELECTIVE,
    StrategyTable,
)

GIB = 2.0**30
STACKS = load_constants()[0]
MEGATRON = stack_row(STACKS, "megatron-core")
H100 = hardware.load("h100")

DENSE = model_table(
    ("dense",), layers=8, hidden=1024, heads=16, kv_heads=4, ffn_hidden=4096, vocab=32000
)
MOE = model_table(
    ("moe",), layers=8, hidden=1024, heads=16, ffn_hidden=4096, vocab=32000, experts=16, top_k=2,
    moe_ffn_hidden=512, shared_experts=1, dense_layers=1, mtp_layers=1,
)  # fmt: skip


def layout(count: int = 1, **given: Any) -> StrategyTable:
    """Rows of a plain layout on one device, but for what is given."""
    columns: dict[str, Any] = dict(
        model=0, device=0, stack=MEGATRON, seq_len=4096, global_batch=64, micro_batch=1, tp=1,
        pp=1, cp=1, ep=1, expert_tp=1, dp=1, interleave=1, zero=0, shard=1, sequence_parallel=1,
        recompute=NONE, precision=BF16, schedule=0, optimizer=0,
    )  # fmt: skip
    columns.update(given)
    return StrategyTable(
        **{
            name: np.broadcast_to(np.asarray(value, dtype=np.int64), (count,)).copy()
            for name, value in columns.items()
        }
    )


def peak(models: ModelTable, rows: StrategyTable, stacks: StackTable = STACKS) -> MemoryTable:
    return memory(models, H100, stacks, rows)


def gathered(table: Any, rows: StrategyTable) -> Any:
    return take(table, rows.model)


def one_stage(models: ModelTable, rows: StrategyTable, position: int) -> Stage:
    of, by = gathered(sizes(models), rows), cut(STACKS, rows)
    return stage(of, by, np.zeros(row_count(rows)), position)


def test_states_of_one_device_are_sixteen_bytes_a_parameter() -> None:
    table = peak(DENSE, layout())
    total = float(parameters(DENSE)[0])
    # 2 + 2 + 12 bytes; gradients as Megatron-core reduces them, in 16 bit. The last norm is the
    # one part that belongs to no block of the stage.
    assert table.weights_bytes[0] == pytest.approx(2 * total, rel=1e-3)
    assert table.gradients_bytes[0] == pytest.approx(2 * total, rel=1e-3)
    assert table.optimizer_bytes[0] == pytest.approx(12 * total, rel=1e-3)


@pytest.mark.parametrize("models", [DENSE, MOE], ids=["dense", "moe"])
@pytest.mark.parametrize("pp", [1, 2, 4, 8])
def test_stages_hold_every_parameter_once(models: ModelTable, pp: int) -> None:
    rows = layout(pp=pp)
    first, second, last = (one_stage(models, rows, at) for at in range(3))
    held = first.dense_parameters + first.expert_parameters
    if pp > 1:
        held = held + last.dense_parameters + last.expert_parameters
    if pp > 2:
        # Middle stages are alike here: leading dense blocks stand on the first stage.
        held = held + (pp - 2) * (second.dense_parameters + second.expert_parameters)
    whole = float(parameters(models)[0])
    held = held - mtp_parameters(models)  # counted apart from the model's own
    assert held[0] == pytest.approx(whole, rel=2e-3)


def test_tied_embeddings_are_held_once_without_a_pipeline_and_twice_with_one() -> None:
    tied = dataclasses.replace(DENSE, tied_embeddings=np.array([1]))
    table = float(DENSE.vocab[0] * DENSE.hidden[0])
    alone = (
        one_stage(DENSE, layout(), 0).dense_parameters
        - one_stage(tied, layout(), 0).dense_parameters
    )
    piped = (
        one_stage(DENSE, layout(pp=2), 2).dense_parameters
        - one_stage(tied, layout(pp=2), 2).dense_parameters
    )
    assert alone[0] == pytest.approx(table)
    assert piped[0] == 0.0


def test_activations_of_a_block_follow_korthikanti() -> None:
    # GPT block, 16-bit, dropout masks aside: 8 h outside tensor parallelism, 24 h inside, and
    # 5 bytes a head and key of materialised scores.
    gpt = model_table(
        ("gpt",), layers=4, hidden=512, heads=8, ffn_hidden=2048, vocab=1000, mlp_matrices=2
    )
    stack = stack_row(STACKS, "megatron-2022")
    rows = layout(stack=stack, seq_len=1024, tp=4, sequence_parallel=[0, 1], count=2)
    by = cut(STACKS, rows)
    kept = saved(gathered(widths(gpt), rows), by, np.zeros(2))
    statistics = 4.0 * 8 / 4
    scores = 5.0 * 8 * 1024 / 4
    assert kept.dense[0] == pytest.approx(8 * 512 + 24 * 512 / 4 + scores + statistics)
    assert kept.dense[1] == pytest.approx(32 * 512 / 4 + scores + statistics)


def test_selective_recompute_frees_the_scores_and_full_keeps_one_input() -> None:
    stack = stack_row(STACKS, "megatron-2022")
    rows = layout(3, stack=stack, recompute=[NONE, SELECTIVE, FULL], dp=8, global_batch=64)
    by = cut(STACKS, rows)
    kept = saved(gathered(widths(DENSE), rows), by, np.zeros(3))
    held = one_stage(DENSE, rows, 0)
    activations, working = blocks(kept, held, by)
    assert activations[0] - activations[1] == pytest.approx(8 * 4096 * 5.0 * 16 * 4096)
    assert activations[2] == pytest.approx(8 * 4096 * 2 * 1024)
    assert working[2] > working[1]


@pytest.mark.parametrize(
    ("layers", "pp", "expected"),
    [(126, 16, [7, 8, 7]), (70, 12, [5, 6, 5]), (32, 4, [8, 8, 8]), (61, 16, [3, 4, 3]),
     (7, 2, [4, 0, 3]), (5, 1, [5, 0, 5])],
)  # fmt: skip
def test_uneven_stages_spare_the_ends(layers: int, pp: int, expected: list[int]) -> None:
    counts = [
        stage_layers(np.array([float(layers)]), np.array([float(pp)]), np.zeros(1), at)[0]
        for at in range(3)
    ]
    assert counts == expected


def test_first_stage_of_1f1b_holds_pp_micro_batches_and_interleaving_more() -> None:
    rows = layout(
        3, pp=4, interleave=[1, 2, 1], schedule=[0, INTERLEAVED, 0], global_batch=[64, 64, 2]
    )
    first, _, last = (one_stage(DENSE, rows, at) for at in range(3))
    assert first.in_flight_layers.tolist() == [8.0, 2 * (2 * 3 + 4 + 1) / 2, 4.0]
    assert last.in_flight_layers.tolist() == [2.0, 2 * (4 + 1) / 2, 2.0]


@settings(max_examples=60, deadline=None)
@given(
    tp=st.sampled_from([1, 2, 4]), pp=st.sampled_from([1, 2, 4, 8]), cp=st.sampled_from([1, 2]),
    dp=st.sampled_from([1, 2, 8]), micro_batch=st.sampled_from([1, 2]), ep=st.sampled_from([1, 2]),
    recompute=st.sampled_from([NONE, SELECTIVE, FULL]), stack=st.integers(0, len(STACKS) - 1),
    is_moe=st.booleans(), precision=st.sampled_from([BF16, FP8]),
)  # fmt: skip
def test_any_layout(
    tp: int, pp: int, cp: int, dp: int, micro_batch: int, ep: int, recompute: int, stack: int,
    is_moe: bool, precision: int,
) -> None:  # fmt: skip
    ep = ep if is_moe and (tp * cp * dp) % ep == 0 else 1
    common: dict[str, Any] = dict(
        tp=tp, pp=pp, cp=cp, dp=dp, micro_batch=micro_batch, ep=ep, stack=stack, shard=dp * cp,
        precision=precision, global_batch=64 * dp,
    )  # fmt: skip
    models = MOE if is_moe else DENSE
    table = peak(models, layout(4, zero=[0, 1, 2, 3], recompute=recompute, **common))
    parts = sum(getattr(table, f"{part}_bytes") for part in PARTS[1:])
    assert np.allclose(parts, table.peak_bytes)
    states = table.weights_bytes + table.gradients_bytes + table.optimizer_bytes
    assert (np.diff(states) <= 1e-6 * states[0]).all()
    modes = peak(models, layout(3, recompute=[NONE, SELECTIVE, FULL], **common))
    assert (np.diff(modes.activations_bytes) <= 0).all()
    more = peak(models, layout(2, **{**common, "micro_batch": [micro_batch, 2 * micro_batch]}))
    assert more.peak_bytes[1] >= more.peak_bytes[0]
    leaner = peak(models, layout(3, optimizer=[0, ADAM_BF16_STATES, ADAM_8BIT], **common))
    assert (np.diff(leaner.optimizer_bytes) < 0).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_permuting_rows_permutes_results(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = 200
    rows = layout(
        count, tp=random.choice([1, 2, 4], count), pp=random.choice([1, 2, 3, 8], count),
        dp=random.choice([1, 4], count), micro_batch=random.choice([1, 2], count),
        recompute=random.integers(0, 3, count), zero=random.integers(0, 4, count),
        stack=random.integers(0, len(STACKS), count),
    )  # fmt: skip
    order = random.permutation(count)
    straight, shuffled = peak(MOE, rows), peak(MOE, take(rows, order))
    for column in dataclasses.fields(MemoryTable):
        assert np.allclose(getattr(straight, column.name)[order], getattr(shuffled, column.name))


def test_a_row_is_priced_alike_in_any_chunk() -> None:
    rows = layout(
        20_000, tp=np.resize([1, 2, 4, 8], 20_000), recompute=np.resize([0, 1, 2], 20_000)
    )
    table = peak(DENSE, rows)
    alone = peak(DENSE, take(rows, slice(19_990, 20_000)))
    assert (table.peak_bytes[19_990:] == alone.peak_bytes).all()
    assert row_count(table) == 20_000


def test_the_first_overfull_part_is_named() -> None:
    big = dataclasses.replace(DENSE, layers=np.array([400]), hidden=np.array([8192]),
                              ffn_hidden=np.array([32768]), heads=np.array([64]),
                              dense_layers=np.array([400]))  # fmt: skip
    rows = layout(4, tp=[8, 8, 1, 1], micro_batch=[1, 64, 1, 1])
    assert OVERFULL[peak(DENSE, rows).first_overfull[0]] == "nothing"
    assert OVERFULL[peak(big, rows).first_overfull[0]] == "weights"
    assert peak(DENSE, layout(micro_batch=64, global_batch=64)).first_overfull[0] == PARTS.index(
        "activations"
    )


def test_a_pipeline_longer_than_the_model_does_not_fit() -> None:
    table = peak(DENSE, layout(2, pp=[8, 16]))
    assert table.first_overfull.tolist() == [NOTHING, EMPTY_STAGE]
    assert table.fits.tolist() == [True, False]


def test_more_memory_never_fits_less() -> None:
    rows = layout(64, micro_batch=np.resize([1, 2, 4, 8, 16, 32, 64, 128], 64),
                  recompute=np.resize([0, 1, 2], 64), global_batch=128)  # fmt: skip
    larger = dataclasses.replace(H100, usable_memory_bytes=H100.usable_memory_bytes * 2)
    small, large = memory(DENSE, H100, STACKS, rows), memory(DENSE, larger, STACKS, rows)
    assert not (small.fits & ~large.fits).any()
    assert small.fits.sum() < large.fits.sum()


def test_an_encoder_takes_activations_only_when_it_is_trained() -> None:
    eyes = {"encoder_layers": 24, "encoder_hidden": 1024, "encoder_ffn_hidden": 4096,
            "encoder_heads": 16, "encoder_tokens": 1024}  # fmt: skip
    seeing, frozen = (
        dataclasses.replace(DENSE, encoder_frozen=np.array([flag]),
                            **{name: np.array([value]) for name, value in eyes.items()})
        for flag in (0, 1)
    )  # fmt: skip
    blind, trained, kept = (peak(models, layout()) for models in (DENSE, seeing, frozen))
    assert trained.activations_bytes[0] > kept.activations_bytes[0]
    assert kept.activations_bytes[0] == blind.activations_bytes[0]
    assert kept.weights_bytes[0] == trained.weights_bytes[0] > blind.weights_bytes[0]
    assert kept.optimizer_bytes[0] == blind.optimizer_bytes[0]


def test_a_program_prints_less_than_a_monitor() -> None:
    table = peak(DENSE, layout(2))
    printed, monitored = printed_bytes(table, ["max reserved GiB", "nvidia-smi used GB"])
    assert monitored == table.peak_bytes[0]
    assert printed == pytest.approx(monitored - table.runtime_bytes[0])


def test_published_peaks() -> None:
    # MLPerf Training v5.0, Llama 3.1 405B in fp8, tp 8 pp 8 interleave 8 cp 2, 8,192 H100:
    # 50.9 GiB as logged by the allocator. The stack is Megatron-core's.
    from planner.workload import load_models

    rows = layout(
        seq_len=8192, global_batch=1536, tp=8, pp=8, cp=2, dp=64, interleave=8,
        schedule=INTERLEAVED, zero=1, shard=128, precision=FP8,
    )  # fmt: skip
    table = memory(load_models("llama-3.1-405b"), H100, STACKS, rows)
    printed = float(printed_bytes(table, [""])[0]) / GIB
    assert printed == pytest.approx(50.9, rel=0.15)
