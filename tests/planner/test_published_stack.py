"""The stack of a published row that names none, and what memory makes of published rows."""

from __future__ import annotations

import pytest

from planner.accuracy_memory import memory_text
from planner.measured import read_measurements
from planner.published_stack import likely_stack
from planner.stack import load_constants
from planner.trial_memory import memory_rows

STACKS = load_constants()[0]


@pytest.mark.parametrize(
    ("row", "stack"),
    [
        ({"zero_stage": "3", "pp": "1", "precision": "fp8"}, "fsdp"),
        ({"zero_stage": "3.0", "pp": ""}, "fsdp"),
        ({"precision": "fp8_cs", "pp": "4"}, "megatron-core"),
        ({"precision": "bf16", "experts": "64"}, "megatron-core"),
        ({"precision": "bf16", "vpp": "5", "pp": "4"}, "megatron-core"),
        ({"precision": "bf16", "recompute": "full", "pp": "12"}, "megatron-deepspeed"),
        ({"precision": "bf16", "pp": "2", "zero_stage": "1"}, "default"),
        ({"cp": "many"}, "default"),
        ({}, "default"),
    ],
)
def test_a_stack_is_known_by_what_only_it_has(row: dict[str, str], stack: str) -> None:
    assert likely_stack(row) == stack
    assert stack in STACKS.names


LINE = {
    "id": "a", "source": "somebody", "model": "Llama 3 8B", "accelerator": "h100_sxm5_80gb",
    "layers": "32", "hidden": "4096", "ffn_hidden": "14336", "heads": "32", "kv_heads": "8",
    "vocab": "128256", "seq_len": "8192", "precision": "bf16", "n_devices": "8", "tp": "8",
    "pp": "1", "dp": "1", "micro_batch": "1", "global_batch_seqs": "8", "outcome": "fits",
    "peak_memory_gib": "40",
}  # fmt: skip


def test_rows_of_memory_are_compared_by_source_and_outcome() -> None:
    huge = {**LINE, "id": "b", "micro_batch": "64", "global_batch_seqs": "64", "outcome": "oom",
            "peak_memory_gib": ""}  # fmt: skip
    unread = {**LINE, "id": "c", "layers": "", "source": "nobody"}
    found = memory_rows(read_measurements([LINE, huge, unread], STACKS), STACKS)
    fits, failed, missing = found["rows"]
    assert fits["predicted_fits"] is True
    assert fits["predicted_overfull"] is None
    assert fits["error_frac"] == pytest.approx(fits["predicted_peak_bytes"] / (40 * 2**30) - 1)
    assert failed["predicted_fits"] is False
    assert failed["predicted_overfull"] == "activations"
    assert failed["error_frac"] is None
    assert missing["predicted_peak_bytes"] is None
    assert missing["reason"]
    assert found["by"]["source"]["somebody"]["n"] == 2
    assert found["summary"]["confusion"]["too_large_predicted_too_large"] == 1
    text = memory_text(found)
    assert "| somebody | 2 |" in text
    assert "1 of 1" in text


def test_source_and_id_are_never_read() -> None:
    other = {**LINE, "id": "z", "source": "else", "other": "k=v"}
    pair = memory_rows(read_measurements([LINE, other], STACKS), STACKS)["rows"]
    assert pair[0]["predicted_peak_bytes"] == pair[1]["predicted_peak_bytes"]
