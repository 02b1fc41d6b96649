"""Kept breakdowns of memory: a change of the model shows as a change of the table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

import hardware
from planner.memory import OVERFULL, PARTS, memory
from planner.stack import load_constants, stack_row
from planner.strategy import BF16, FP8, FULL, INTERLEAVED, NONE, SELECTIVE, StrategyTable
from planner.workload import load_models

GOLDEN = Path(__file__).parent / "golden" / "memory.txt"
GIB = 2.0**30

# Model, device, stack, and what differs from one device at a time.
CASES: tuple[tuple[str, str, str, dict[str, int]], ...] = (
    ("llama3-8b", "h100", "fsdp", {"dp": 8, "shard": 8, "zero": 3, "recompute": SELECTIVE}),
    ("llama3-70b", "h100", "megatron-core", {"tp": 4, "pp": 4, "dp": 4, "shard": 4, "zero": 1}),
    ("llama3-70b", "a100", "megatron-deepspeed",
     {"tp": 8, "pp": 8, "sequence_parallel": 0, "recompute": FULL}),
    ("llama-3.1-405b", "h100", "megatron-core",
     {"tp": 8, "pp": 8, "cp": 2, "dp": 64, "shard": 128, "zero": 1, "interleave": 8,
      "schedule": INTERLEAVED, "precision": FP8, "seq_len": 8192, "global_batch": 1536}),
    ("deepseek-v3", "h800", "megatron-core",
     {"tp": 1, "pp": 16, "ep": 64, "dp": 128, "shard": 128, "zero": 1, "recompute": SELECTIVE,
      "precision": FP8, "global_batch": 15360}),
    ("K-EXAONE-236B-A23B", "b200", "megatron-core",
     {"tp": 1, "pp": 4, "ep": 8, "dp": 128, "shard": 128, "zero": 1, "global_batch": 2048}),
    ("llama3-8b", "h100", "nanotron", {"pp": 4, "dp": 2, "shard": 2, "zero": 1}),
    ("llama3-8b", "v100_sxm2_32gb", "megatron-2022", {"tp": 2, "recompute": SELECTIVE}),
)  # fmt: skip


def breakdown() -> str:
    stacks = load_constants()[0]
    plain: dict[str, Any] = dict(
        model=0, device=0, seq_len=4096, global_batch=64, micro_batch=1, tp=1, pp=1, cp=1, ep=1,
        expert_tp=1, dp=1, interleave=1, zero=0, shard=1, sequence_parallel=1, recompute=NONE,
        precision=BF16, schedule=0, optimizer=0,
    )  # fmt: skip
    lines = ["# GiB of the fullest stage: " + ", ".join(PARTS[1:]) + ", peak; what is over-full"]
    for model, device, stack, given in CASES:
        cells = {**plain, "stack": stack_row(stacks, stack), **given}
        rows = StrategyTable(**{name: np.array([value]) for name, value in cells.items()})
        table = memory(load_models(model), hardware.load(device), stacks, rows)
        values = [float(getattr(table, f"{part}_bytes")[0]) / GIB for part in (*PARTS[1:], "peak")]
        layout = " ".join(f"{name}={value}" for name, value in given.items())
        lines.append(f"{model} {device} {stack} {layout}")
        lines.append(
            "  " + " ".join(f"{value:8.2f}" for value in values)
            + f"  {OVERFULL[int(table.first_overfull[0])]}"
        )  # fmt: skip
    return "\n".join(lines) + "\n"


def test_breakdown_of_memory_is_the_kept_one() -> None:
    text = breakdown()
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")
