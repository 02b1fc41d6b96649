"""Rows priced a second, and searches over whole spaces of layouts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import hardware
from benchmarks.figure import Figure, peak_bytes
from benchmarks.space import DEVICES, MODELS, SIZES, questions
from hardware.column import take
from planner.curve import throughput_curves
from planner.inference import TRAINING
from planner.pricing import Priced, layout_chunks, priced
from planner.run import UNSTATED, RunTable, default_stacks
from planner.search import joined, search
from planner.stack import load_constants
from planner.workload import load_models

NODES = (1, 2, 4, 8, 16, 24, 32, 48, 60, 64, 96, 125, 127, 128, 375)


def measure(quick: bool) -> list[Figure]:
    """Rows a second of time and memory, seconds of a large search and of many curves."""
    # First: a process counts the memory of the one that starts it as its own.
    figures = _streams((10_000,) if quick else (100_000, 1_000_000, 10_000_000))
    stacks, families = load_constants()
    models, devices = load_models(*MODELS), hardware.load(*DEVICES)
    tables = (models, devices, stacks)
    asked = questions(
        models, devices, default_stacks(devices, stacks), SIZES[::6] if quick else SIZES
    )
    rows = joined(list(layout_chunks(*tables, asked)))
    dice = np.random.default_rng(0)
    rows = take(rows, dice.permutation(len(rows.model))[: 20_000 if quick else 1_000_000])
    found: list[Any] = []
    search_s = _cpu_s(lambda: found.append(search(*tables, families, asked)))
    curves_s = _cpu_s(lambda: _curves(quick))
    return [
        *figures,
        *_orders(tables, families, rows, 20 if quick else 200),
        Figure(f"search of {len(asked.model)} questions, {found[0].counts.sum():,} layouts",
               search_s, "CPU s", "under 5"),
        Figure("curves: 14 jobs on 4 devices, 15 sizes each", curves_s, "CPU s", "under 3"),
    ]  # fmt: skip


def _streams(counts: tuple[int, ...]) -> list[Figure]:
    """Different layouts priced chunk by chunk, each number of them in a process of its own."""
    figures = []
    for count in counts:
        child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.stream", str(count)], stdout=subprocess.PIPE
        )
        spent, peak = _told(child)
        name = f"rows priced, {count:,} different"
        figures += [
            Figure(f"{name}, time alone", count / spent["time_s"], "rows/s"),
            Figure(f"{name}, memory alone", count / spent["memory_s"], "rows/s"),
            Figure(f"{name}, both", count / spent["both_s"], "rows/s", "1,000,000"),
            Figure(f"{name}, peak memory", peak / 1e6, "MB", "under 1,000"),
        ]
    return figures


def _told(child: subprocess.Popen[bytes]) -> tuple[dict[str, float], float]:
    """What a process printed as JSON, and its peak resident memory. [byte]"""
    if child.stdout is None:
        raise RuntimeError("the process has no output to read")
    with child.stdout as output:
        text = output.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"the process ended with code {child.returncode}")
    spent: dict[str, float] = json.loads(text)
    return spent, peak_bytes(usage)


def _orders(tables: Any, families: Any, rows: Any, single: int) -> list[Figure]:
    """Rows in random order, where fewer neighbours have anything in common, and one a call."""

    models, devices, stacks = tables

    def both(some: Any) -> Priced:
        return next(priced(models, devices, stacks, families, [some]))

    many_s = min(_cpu_s(lambda: both(rows)) for _ in range(3))
    alone = [take(rows, np.array([row])) for row in range(single)]
    alone_s = _cpu_s(lambda: [both(row) for row in alone])
    per_row = len(rows.model) / many_s
    return [
        Figure(f"rows priced, {len(rows.model):,} shuffled, both", per_row, "rows/s", "1,000,000"),
        Figure("rows priced, one a call, both", single / alone_s, "rows/s"),
        Figure("rows a call over one a call", per_row * alone_s / single, ""),
    ]


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _curves(quick: bool) -> None:
    """The curves of a scenario of the sovereign-AI kind."""
    stacks, families = load_constants()
    models = load_models(*MODELS)
    devices = hardware.load("h100", "h200", "b200", "b300")
    jobs = 2 if quick else 14
    points = np.array(
        [(job, device, nodes) for job in range(jobs) for device in range(4) for nodes in NODES]
    ).T
    runs = RunTable(
        model=np.arange(jobs) % len(models.names),
        work=np.full(jobs, TRAINING),
        seq_len=np.full(jobs, 4096) * (1 + np.arange(jobs) // len(models.names)),
        global_batch_tokens=np.zeros(jobs),
        precision=np.full(jobs, UNSTATED),
        optimizer=np.zeros(jobs, dtype=np.int64),
        stack=np.full(jobs, UNSTATED),
    )
    throughput_curves(
        models, devices, stacks, families, runs, job=points[0], device=points[1], nodes=points[2]
    )
