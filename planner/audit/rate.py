"""Throughput of each job on the nodes that a plan gives it: predicted anew, or as the job says."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from planner.audit.machine import Lookup
from planner.curve import throughput_curves
from planner.inference import TRAINING, WORK_NAMES
from planner.run import UNSTATED, RunTable
from planner.scenario import TRAINING_KINDS, Job, Scenario
from planner.stack import StackTable, load_constants
from planner.strategy import ADAM_FP32, FITS, PRECISION_NAMES

__all__ = ["tokens_per_s"]

Point = tuple[str, str, int]  # job, pool, nodes


def tokens_per_s(scenario: Scenario, lookup: Lookup, points: Iterable[Point]) -> dict[Point, float]:
    """
    Throughput on the wall clock of jobs on numbers of nodes; 0 where no layout fits. [token/s]

    Parameters
    ----------
    scenario : Scenario
        Its jobs may give rates a device, which stand in place of the prediction.
    lookup : Lookup
        Pools and models as tables.
    points : iterable of (job, pool, nodes)
        What a plan uses.

    References
    ----------
    .. [1] S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual
       performance model for multicore architectures," Commun. ACM, vol. 52, no. 4, 2009.
    """
    rates: dict[Point, float] = {}
    open_points: list[Point] = []
    for job, pool, nodes in dict.fromkeys(points):
        given = _given(scenario.jobs[job], lookup, pool)
        if given is None:
            open_points.append((job, pool, nodes))
        else:
            devices = nodes * lookup.machines[pool].devices_per_node
            rates[job, pool, nodes] = given * devices
    return rates | _predicted(scenario, lookup, open_points)


def _given(job: Job, lookup: Lookup, pool: str) -> float | None:
    """The rate a device that the job states for the pool's device."""
    device = lookup.machines[pool].device
    for written, figure in job.rates.items():
        if lookup.device_names.get(written, written) == device:
            return figure.value
    return None


def _run_table(jobs: list[Job], lookup: Lookup, stacks: StackTable) -> RunTable:
    def column(values: Iterable[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array(list(values), dtype=np.int64)

    return RunTable(
        model=column(lookup.model_row[job.model] for job in jobs),
        work=column(
            TRAINING if job.kind in TRAINING_KINDS else WORK_NAMES.index(job.kind) for job in jobs
        ),
        seq_len=column(job.sequence or lookup.seq_len[job.model] for job in jobs),
        global_batch_tokens=np.array(
            [0.0 if job.global_batch is None else job.global_batch.value for job in jobs]
        ),
        precision=column(
            UNSTATED if job.precision is None
            else PRECISION_NAMES.index(job.precision.replace("-", "_"))
            for job in jobs
        ),
        optimizer=column(ADAM_FP32 for _ in jobs),
        stack=column(
            UNSTATED if job.stack is None else stacks.names.index(job.stack) for job in jobs
        ),
    )  # fmt: skip


def _predicted(scenario: Scenario, lookup: Lookup, points: list[Point]) -> dict[Point, float]:
    if not points:
        return {}
    stacks, families = load_constants()
    names = list(dict.fromkeys(job for job, _, _ in points))
    jobs = [scenario.jobs[name] for name in names]
    row = {name: at for at, name in enumerate(names)}
    pool_row = {name: at for at, name in enumerate(scenario.pools)}
    curve = throughput_curves(
        lookup.models, lookup.devices, stacks, families, _run_table(jobs, lookup, stacks),
        job=np.array([row[job] for job, _, _ in points], dtype=np.int64),
        device=np.array([pool_row[pool] for _, pool, _ in points], dtype=np.int64),
        nodes=np.array([nodes for _, _, nodes in points], dtype=np.int64),
        what_if_training=np.array([job.what_if_training for job in jobs], dtype=np.int64),
    )  # fmt: skip
    rate = np.where(curve.reason == FITS, curve.wall_tokens_per_s, 0.0)
    return {point: float(value) for point, value in zip(points, rate, strict=True)}
