"""Rows priced a second, and searches over whole spaces of layouts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import hardware
from benchmarks.figure import Figure
from hardware.column import take
from planner.curve import throughput_curves
from planner.inference import TRAINING
from planner.layout import QuestionTable, layouts
from planner.memory import memory
from planner.run import UNSTATED, RunTable, default_batch_tokens, default_stacks
from planner.search import search
from planner.stack import load_constants
from planner.step import step
from planner.strategy import FITS
from planner.workload import load_models

MODELS = ("llama3-8b", "llama3-70b", "llama-3.1-405b", "deepseek-v3", "K-EXAONE-236B-A23B")
DEVICES = (
    "a100", "h100", "h200", "b200", "gb200_nvl72", "mi300x", "mi355x", "gaudi3", "tpu_v5p",
    "trainium2",
)  # fmt: skip
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
NODES = (1, 2, 4, 8, 16, 24, 32, 48, 60, 64, 96, 125, 127, 128, 375)


def measure(quick: bool) -> list[Figure]:
    """Rows a second of time and memory, seconds of a large search and of many curves."""
    stacks, families = load_constants()
    models, devices = load_models(*MODELS), hardware.load(*DEVICES)
    asked = _questions(
        models, devices, default_stacks(devices, stacks), SIZES[::6] if quick else SIZES
    )
    rows, _, reason = layouts(models, devices, stacks, asked)
    rows = take(rows, np.resize(np.flatnonzero(reason == FITS), 20_000 if quick else 1_000_000))
    count = len(rows.model)
    memory_s = _cpu_s(lambda: memory(models, devices, stacks, rows))
    step_s = _cpu_s(lambda: step(models, devices, stacks, families, rows))
    found: list[Any] = []
    search_s = _cpu_s(lambda: found.append(search(models, devices, stacks, families, asked)))
    curves_s = _cpu_s(lambda: _curves(quick))
    return [
        Figure("rows priced, memory alone", count / memory_s, "rows/s"),
        Figure("rows priced, step time alone", count / step_s, "rows/s"),
        Figure("rows priced, time and memory", count / (memory_s + step_s), "rows/s", "1,000,000"),
        Figure(f"search of {len(asked.model)} questions, {found[0].counts.sum():,} layouts",
               search_s, "CPU s", "under 5"),
        Figure("curves: 14 jobs on 4 devices, 15 sizes each", curves_s, "CPU s", "under 3"),
    ]  # fmt: skip


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _questions(models: Any, devices: Any, usual: Any, sizes: tuple[int, ...]) -> QuestionTable:
    """Every model on every device at every size."""
    batch = default_batch_tokens(models) / 4096
    cells = [
        (model, device, usual[device], 4096, int(batch[model]), size, 0, 0)
        for model in range(len(models.names))
        for device in range(len(devices.names))
        for size in sizes
    ]
    return QuestionTable(*np.array(cells, dtype=np.int64).T.copy())


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
