"""Prices a number of different layouts chunk by chunk, and tells how long it took, as JSON."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import hardware
from benchmarks.space import DEVICES, MODELS, SIZES, questions
from hardware.column import take
from planner.memory import memory
from planner.pricing import layout_chunks, priced
from planner.run import default_stacks
from planner.stack import load_constants
from planner.step import step
from planner.strategy import StrategyTable
from planner.workload import load_models

SEQ_LENS = (4096, 8192, 2048, 16384, 32768)
BATCH_FACTORS = (1.0, 2.0, 0.5, 4.0)


def main(count: int) -> dict[str, float]:
    """Rows, and seconds of this process for time, for memory and for both."""
    stacks, families = load_constants()
    models, devices = load_models(*MODELS), hardware.load(*DEVICES)
    tables = (models, devices, stacks)
    chunks = _first(count, _different(tables))
    spent = {"rows": 0.0, "time_s": 0.0, "memory_s": 0.0, "both_s": 0.0}
    for rows in chunks:
        spent["rows"] += len(rows.model)
        began = time.process_time()
        next(priced(models, devices, stacks, families, [rows]))
        spent["both_s"] += time.process_time() - began
        began = time.process_time()
        step(models, devices, stacks, families, rows)
        spent["time_s"] += time.process_time() - began
        began = time.process_time()
        memory(models, devices, stacks, rows)
        spent["memory_s"] += time.process_time() - began
    return spent


def _different(tables: Any) -> Iterator[StrategyTable]:
    """Layouts of one set of questions after another: no two are alike."""
    models, devices, stacks = tables
    usual = default_stacks(devices, stacks)
    for factor, seq_len in itertools.product(BATCH_FACTORS, SEQ_LENS):
        asked = questions(models, devices, usual, SIZES, seq_len=seq_len, factor=factor)
        yield from layout_chunks(models, devices, stacks, asked)


def _first(count: int, chunks: Iterator[StrategyTable]) -> Iterator[StrategyTable]:
    """So many rows of the chunks."""
    for rows in chunks:
        held = min(count, len(rows.model))
        yield rows if held == len(rows.model) else take(rows, np.arange(held))
        count -= held
        if not count:
            return
    raise RuntimeError(f"the space of layouts is {count:,} rows short")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]))) + "\n")
