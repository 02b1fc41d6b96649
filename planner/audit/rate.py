"""What each job does on the nodes that a plan gives it: predicted anew, or as the job says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from planner.audit.machine import Lookup
from planner.curve import ThroughputCurve, throughput_curves
from planner.energy import PUE
from planner.inference import TRAINING, WORK_NAMES
from planner.run import UNSTATED, RunTable
from planner.scenario import TRAINING_KINDS, Job, Scenario
from planner.stack import StackTable, load_constants
from planner.strategy import ADAM_FP32, FITS, PRECISION_NAMES

__all__ = ["Point", "Prediction", "predictions"]

Point = tuple[str, str, int]  # job, pool, nodes


@dataclass(frozen=True)
class Prediction:
    """What a job does on a number of nodes of a pool."""

    tokens_per_s: float  # on the wall clock; 0 where no layout fits
    power_w: float  # of all nodes at the wall, facility included
    mfu_frac: float | None  # None where the job gives the rate
    is_what_if: bool = False  # training on a device that is not known to train
    layout: Mapping[str, int] = field(default_factory=dict)  # axis -> size; empty where given


def predictions(
    scenario: Scenario, lookup: Lookup, points: Iterable[Point]
) -> dict[Point, Prediction]:
    """
    Throughput [token/s], power [W] and MFU [1] of jobs on numbers of nodes.

    Parameters
    ----------
    scenario : Scenario
        Its jobs may give rates a device, which stand in place of the prediction; power is
        then the highest of the nodes.
    lookup : Lookup
        Pools and models as tables.
    points : iterable of (job, pool, nodes)
        What a plan uses.

    References
    ----------
    .. [1] S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual
       performance model for multicore architectures," Commun. ACM, vol. 52, no. 4, 2009.
    """
    pue = PUE if scenario.power.pue is None else scenario.power.pue.value
    found: dict[Point, Prediction] = {}
    open_points: list[Point] = []
    for job, pool, nodes in dict.fromkeys(points):
        given = _given(scenario.jobs[job], lookup, pool)
        if given is None:
            open_points.append((job, pool, nodes))
            continue
        machine = lookup.machines[pool]
        rate = given * nodes * machine.devices_per_node
        is_what_if = scenario.jobs[job].kind in TRAINING_KINDS and not machine.can_train
        power_w = nodes * machine.node_power_w * pue
        found[job, pool, nodes] = Prediction(rate, power_w, None, is_what_if)
    return found | _predicted(scenario, lookup, open_points, pue)


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


def _predicted(
    scenario: Scenario, lookup: Lookup, points: list[Point], pue: float
) -> dict[Point, Prediction]:
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
    trains = [scenario.jobs[job].kind in TRAINING_KINDS for job, _, _ in points]
    known = [lookup.machines[pool].can_train for _, pool, _ in points]
    return {
        point: Prediction(
            float(rate[at]),
            float(curve.power_w[at]) * pue,
            float(curve.mfu_frac[at]),
            trains[at] and not known[at],
            _layout(curve, at, trains[at]),
        )
        for at, point in enumerate(points)
    }


_TRAINING_AXES = {
    "tp": "tp", "pp": "pp", "cp": "cp", "ep": "ep", "dp": "dp", "mb": "micro_batch",
}  # fmt: skip
_INFERENCE_AXES = {"tp": "tp", "copies": "dp", "batch": "micro_batch"}


def _layout(curve: ThroughputCurve, at: int, trains: bool) -> dict[str, int]:
    """Sizes of the predicted layout by the words that plans use; empty where none fits."""
    if curve.reason[at] != FITS:
        return {}
    axes = _TRAINING_AXES if trains else _INFERENCE_AXES
    return {word: int(getattr(curve, column)[at]) for word, column in axes.items()}
