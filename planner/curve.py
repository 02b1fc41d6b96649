"""Throughput against number of nodes, for every job on every device: best layout, raw and hull."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardware.column import Floats, Ints, row_count, seal, take, to_columns
from hardware.table import TRAINS, DeviceTable
from planner.architecture import ModelTable, parameters
from planner.energy import node_power_w, run_power_w
from planner.goodput import DEVICE_S_PER_FAILURE, goodput
from planner.inference import TRAINING, inference, inference_precision, requests
from planner.layout import QuestionTable
from planner.run import (
    UNSTATED,
    RunTable,
    default_batch_tokens,
    default_stacks,
    sizes_within,
    training_precision,
)
from planner.search import search
from planner.stack import FamilyTable, StackTable
from planner.strategy import FITS, REASONS

__all__ = ["ThroughputCurve", "concave_envelope", "throughput_curves"]

_LAYOUT = (
    "micro_batch", "global_batch", "tp", "pp", "cp", "ep", "expert_tp", "dp", "interleave", "zero",
    "shard", "recompute", "precision", "schedule", "stack",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class ThroughputCurve:
    """
    Best throughput of a job on a number of nodes of a device; all columns [point].

    Points stay in the order in which they were asked. A point without a layout
    keeps zeros and a `reason`. For work of inference type `tp` is the devices
    that share a copy, `dp` the copies, `micro_batch` the requests decoded
    together.
    """

    job: Ints  # row in the RunTable asked
    device: Ints  # row in DeviceTable
    nodes: Ints
    size: Ints  # devices held; tp * pp * cp * dp of them are used
    reason: Ints  # index into planner.strategy.REASONS
    is_what_if: Ints  # 1 = training on a device that nobody has shown to train
    tokens_per_s: Floats  # while running, all devices
    low80_tokens_per_s: Floats
    high80_tokens_per_s: Floats
    goodput_frac: Floats  # part of wall time that advances the job
    wall_tokens_per_s: Floats  # tokens_per_s * goodput_frac
    envelope_tokens_per_s: Floats  # smallest concave curve over wall_tokens_per_s
    step_s: Floats  # 0 for inference
    mfu_frac: Floats  # over the dense peak of the compute type
    peak_bytes: Floats  # a device
    capacity_bytes: Floats  # a device
    power_w: Floats  # IT power, all nodes, mean over wall time
    micro_batch: Ints
    global_batch: Ints
    tp: Ints
    pp: Ints
    cp: Ints
    ep: Ints
    expert_tp: Ints
    dp: Ints
    interleave: Ints
    zero: Ints
    shard: Ints
    recompute: Ints
    precision: Ints
    schedule: Ints
    stack: Ints

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)

    def __repr__(self) -> str:
        lines = [
            f"ThroughputCurve [point: {len(self)}], best layout a point",
            f"{'job':>4} {'device':>6} {'nodes':>6} {'tokens/s':>11} {'goodput %':>9} {'MFU %':>6} "
            f"{'GiB':>6}  layout",
        ]
        for at in range(min(len(self), 30)):
            head = f"{self.job[at]:>4} {self.device[at]:>6} {self.nodes[at]:>6} "
            if self.reason[at] != FITS:
                lines.append(head + f"{'—':>11}  {REASONS[self.reason[at]]}")
                continue
            lines.append(
                head + f"{self.tokens_per_s[at]:>11,.0f} {100 * self.goodput_frac[at]:>9.1f} "
                f"{100 * self.mfu_frac[at]:>6.1f} {self.peak_bytes[at] / 2**30:>6.1f}  "
                f"tp {self.tp[at]} pp {self.pp[at]} cp {self.cp[at]} ep {self.ep[at]} "
                f"dp {self.dp[at]} micro_batch {self.micro_batch[at]}"
            )
        if len(self) > 30:
            lines.append(f"and {len(self) - 30} more")
        return "\n".join(lines)

    def to_columns(self) -> dict[str, Any]:
        """The columns by name."""
        return to_columns(self)

    def to_frame(self) -> Any:
        """The curve as a pandas frame, one row a point."""
        import pandas

        return pandas.DataFrame(self.to_columns())


def throughput_curves(
    models: ModelTable,
    devices: DeviceTable,
    stacks: StackTable,
    families: FamilyTable,
    runs: RunTable,
    *,
    job: Ints,
    device: Ints,
    nodes: Ints,
    what_if_training: Ints | None = None,
    device_s_per_failure: float = DEVICE_S_PER_FAILURE,
) -> ThroughputCurve:
    """
    Best throughput of jobs on numbers of nodes.

    Parameters
    ----------
    models, devices, stacks, families
        Tables whose row numbers stand in `runs` and in the points.
    runs : RunTable
        What each job asks. [job]
    job, device, nodes : ndarray of int
        The points: row of the job, row of the device, nodes held. [point]
    what_if_training : ndarray of int, optional
        1 for jobs that may train where no training has been shown. [job]
    device_s_per_failure : float
        Device-seconds between interruptions. [s]

    Returns
    -------
    ThroughputCurve
        Rates [token/s], times [s], memory [byte], power [W]. [point]

    Notes
    -----
    Equal points are searched once, and a few nodes may stay idle where the rest
    can be laid out better (`planner.run.sizes_within`). Unstated choices follow `planner.run`: the
    usual stack of the device, bf16 (fp16 where there is none), a batch by the
    size of the model; inference takes fp8 where the device offers it.
    The envelope joins the points of a job on a device, with no nodes giving
    nothing; mixing two sizes over time reaches any point of it.

    References
    ----------
    .. [1] S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful
       visual performance model for multicore architectures," Commun. ACM,
       vol. 52, no. 4, 2009.
    """
    job, device, nodes = (np.asarray(column, dtype=np.int64) for column in (job, device, nodes))
    size = nodes * devices.devices_per_node[device]
    trains = runs.work[job] == TRAINING
    allowed = np.zeros(len(runs.model)) if what_if_training is None else what_if_training
    what_if = trains & (devices.training[device] != TRAINS) & (allowed[job] == 1)
    found = _empty(len(job))
    for mask, flag in ((trains & ~what_if, False), (what_if, True)):
        points = np.flatnonzero(mask)
        if len(points):
            asked = _questions(
                models, devices, stacks, runs, job[points], device[points], size[points]
            )
            _fill_training(found, points, models, devices, stacks, families, asked, flag)
    points = np.flatnonzero(~trains)
    if len(points):
        _fill_inference(
            found, points, models, devices, runs, job[points], device[points], size[points]
        )
    total = parameters(models)[runs.model[job]]
    useful = goodput(
        np.maximum(size, 1), np.where(trains, total, 0.0),
        devices_per_node=devices.devices_per_node[device],
        device_s_per_failure=device_s_per_failure,
    ).goodput_frac  # fmt: skip
    fits = found["reason"] == FITS
    maximum_w = node_power_w(devices.node_power_w, devices.tdp_w, devices.devices_per_node)[device]
    power = run_power_w(
        maximum_w * nodes, found.pop("multiplying"), found.pop("moving"), goodput_frac=useful
    )
    wall = found["tokens_per_s"] * useful
    return ThroughputCurve(
        job=job,
        device=device,
        nodes=nodes,
        size=size,
        is_what_if=what_if.astype(np.int64),
        goodput_frac=np.where(fits, useful, 0.0),
        wall_tokens_per_s=wall,
        envelope_tokens_per_s=concave_envelope(
            job * (1 + device.max(initial=0)) + device, nodes, wall
        ),
        power_w=np.where(fits, power, 0.0),
        **found,
    )


def concave_envelope(group: Ints, nodes: Ints, rate: Floats) -> Floats:
    """
    Smallest concave curve over the points of each group and the origin.

    Parameters
    ----------
    group, nodes : ndarray of int
        Curve that a point belongs to, and its place on it. [point]
    rate : ndarray
        Rate at the point, at least 0. [token/s]

    Returns
    -------
    ndarray
        Rate of the envelope at each point. [token/s], [point]

    Notes
    -----
    Beyond the best point the envelope stays level: nodes may be left idle.

    References
    ----------
    .. [1] A. M. Andrew, "Another efficient algorithm for convex hulls in two
       dimensions," Inf. Process. Lett., vol. 9, no. 5, 1979.

    Examples
    --------
    >>> concave_envelope(np.zeros(3, int), np.array([1, 2, 3]), np.array([1.0, 0.0, 3.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    result = np.array(rate, dtype=np.float64)
    for one in np.unique(group):
        rows = np.flatnonzero(group == one)
        rows = rows[np.argsort(nodes[rows], kind="stable")]
        x = np.r_[0.0, nodes[rows]]
        y = np.maximum.accumulate(np.r_[0.0, rate[rows]])
        hull: list[int] = []
        for at in range(len(x)):
            while len(hull) > 1 and _turns_left(x, y, hull[-2], hull[-1], at):
                hull.pop()
            hull.append(at)
        result[rows] = np.interp(x[1:], x[hull], y[hull])
    return result


def _turns_left(x: Floats, y: Floats, a: int, b: int, c: int) -> bool:
    """Whether b lies on or under the line from a to c."""
    return bool((y[b] - y[a]) * (x[c] - x[a]) <= (y[c] - y[a]) * (x[b] - x[a]))


def _empty(count: int) -> dict[str, Any]:
    """Columns of points that have no answer yet."""
    floats = ("tokens_per_s", "low80_tokens_per_s", "high80_tokens_per_s", "step_s", "mfu_frac",
              "peak_bytes", "capacity_bytes", "multiplying", "moving")  # fmt: skip
    columns: dict[str, Any] = {name: np.zeros(count) for name in floats}
    return columns | {name: np.zeros(count, dtype=np.int64) for name in ("reason", *_LAYOUT)}


def _questions(
    models: ModelTable, devices: DeviceTable, stacks: StackTable, runs: RunTable, *point: Ints
) -> QuestionTable:
    """The points as questions, with unstated choices made."""
    job, device, size = point
    model = runs.model[job]
    precision = np.where(
        runs.precision[job] == UNSTATED, training_precision(devices)[device], runs.precision[job]
    )
    usual = default_stacks(devices, stacks)[device]
    batch_tokens = np.where(
        runs.global_batch_tokens[job] > 0,
        runs.global_batch_tokens[job],
        default_batch_tokens(models)[model],
    )
    seq_len = runs.seq_len[job]
    return QuestionTable(
        model=model,
        device=device,
        stack=np.where(runs.stack[job] == UNSTATED, usual, runs.stack[job]),
        seq_len=seq_len,
        global_batch=np.maximum(np.rint(batch_tokens / seq_len), 1).astype(np.int64),
        size=size,
        precision=precision,
        optimizer=runs.optimizer[job],
    )


def _unique(asked: QuestionTable) -> tuple[QuestionTable, Ints]:
    """Different questions, and for each of those asked its row among them."""
    columns = np.column_stack(list(to_columns(asked).values()))
    _, first, back = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    return take(asked, first), np.reshape(back, -1)


def _fill_training(
    found: dict[str, Any], points: Ints, models: ModelTable, devices: DeviceTable,
    stacks: StackTable, families: FamilyTable, asked: QuestionTable, what_if: bool,
) -> None:  # fmt: skip
    choice, size = sizes_within(asked.size, devices.devices_per_node[asked.device])
    different, back = _unique(dataclasses.replace(take(asked, choice), size=size))
    answer = search(models, devices, stacks, families, different, what_if_training=what_if)
    first = answer.first()[back]
    rate = (
        np.where(first >= 0, answer.steps.tokens_per_s[first], -1.0)
        if len(answer.question)
        else np.full(len(first), -1.0)
    )
    best = np.lexsort((-rate, choice))[np.searchsorted(np.sort(choice), np.arange(len(points)))]
    found["reason"][points] = answer.reason[back[best]]
    first = first[best]
    good = points[first >= 0]
    row = first[first >= 0]
    times, sizes = answer.steps, answer.memories
    for name in _LAYOUT:
        found[name][good] = getattr(answer.strategies, name)[row]
    found["tokens_per_s"][good] = times.tokens_per_s[row]
    found["low80_tokens_per_s"][good] = times.tokens_per_s[row] / times.factor_80[row]
    found["high80_tokens_per_s"][good] = times.tokens_per_s[row] * times.factor_80[row]
    found["step_s"][good] = times.step_s[row]
    found["mfu_frac"][good] = times.mfu_frac[row]
    found["peak_bytes"][good] = sizes.peak_bytes[row]
    found["capacity_bytes"][good] = sizes.capacity_bytes[row]
    found["multiplying"][good] = (times.matmul_s[row] + times.attention_s[row]) / times.step_s[row]
    found["moving"][good] = (times.traffic_s[row] + times.optimizer_s[row]) / times.step_s[row]


def _fill_inference(
    found: dict[str, Any], points: Ints, models: ModelTable, devices: DeviceTable, runs: RunTable,
    *point: Ints,
) -> None:  # fmt: skip
    job, device, size = point
    stated = runs.precision[job]
    precision = np.where(stated == UNSTATED, inference_precision(devices)[device], stated)
    answer = inference(
        models, devices, requests(runs.model[job], device, size, precision, runs.work[job])
    )
    found["reason"][points] = answer.reason
    found["tokens_per_s"][points] = answer.tokens_per_s
    found["low80_tokens_per_s"][points] = answer.low80_tokens_per_s
    found["high80_tokens_per_s"][points] = answer.high80_tokens_per_s
    found["peak_bytes"][points] = answer.peak_bytes
    found["capacity_bytes"][points] = answer.capacity_bytes
    found["multiplying"][points] = answer.busy_frac
    found["moving"][points] = np.where(answer.reason == FITS, 1.0 - answer.busy_frac, 0.0)
    found["tp"][points] = answer.group
    found["dp"][points] = answer.copies
    found["micro_batch"][points] = answer.batch
    found["global_batch"][points] = answer.batch * answer.copies
    found["precision"][points] = precision
    for name in ("pp", "cp", "ep", "expert_tp", "interleave", "shard"):
        found[name][points] = np.where(answer.reason == FITS, 1, 0)
