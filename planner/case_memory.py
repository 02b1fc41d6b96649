"""Jobs that no device they may use can hold: what is missing, and how many nodes would do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Ints, take
from hardware.errors import Diagnostic
from hardware.sheet import Document, where_is
from hardware.table import PRECISIONS
from hardware.units import format_si
from planner.architecture import parameters
from planner.case_job import Tables
from planner.case_pool import PoolColumns
from planner.curve import throughput_curves
from planner.eligibility import ELIGIBLE, NEEDS_MEMORY, OTHER_TYPE, REASONS
from planner.inference import TRAINING
from planner.scenario import Job, Scenario
from planner.strategy import FITS

__all__ = ["memory_faults"]

_DOUBLINGS = 8  # up to 256 times the nodes of the largest pool
_BYTES_A_PARAMETER = 16.0  # 16-bit weights and gradients, 32-bit main weights, two Adam states

_BYTES_OF_TYPE = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "fp8-block": 1.0, "fp4": 0.5}


@dataclass(frozen=True)
class _Stuck:
    """A job that no pool can run, and the pool that comes nearest."""

    row: int
    name: str
    job: Job
    pool: int
    nodes: int  # the most that it may hold there
    code: int


def memory_faults(
    scenario: Scenario,
    pools: PoolColumns,
    before: Ints,
    after: Ints,
    tables: Tables,
    *,
    document: Document | None = None,
) -> list[Diagnostic]:
    """
    A fault for each job that every pool it may use fails to hold.

    Parameters
    ----------
    scenario, pools, tables
        The scenario, its pools, what the performance model is asked with.
    before, after : Ints [job, pool]
        Codes of `planner.eligibility` without and with the layouts looked at.
    document : Document, optional
        Gives the faults their places.

    Returns
    -------
    list of Diagnostic
        One a job, with the pool that comes nearest.
    """
    faults = []
    room = pools.most_nodes * pools.device.devices_per_node * pools.device.usable_memory_bytes
    for row, (name, job) in enumerate(scenario.jobs.items()):
        asked = np.flatnonzero(before[row] == ELIGIBLE)
        if not len(asked) or (after[row, asked] == ELIGIBLE).any():
            continue
        short = asked[after[row, asked] == NEEDS_MEMORY]
        near = short if len(short) else asked
        pool = int(near[np.argmax(room[near])])
        have = int(pools.most_nodes[pool])
        nodes = min(max(job.nodes.choices, default=job.nodes.most or have), have)
        stuck = _Stuck(row, name, job, pool, nodes, int(after[row, pool]))
        tell = _too_little_memory if len(short) else _no_layout
        faults.append(tell(stuck, pools, tables, document or Document("", {})))
    return faults


def _no_layout(stuck: _Stuck, pools: PoolColumns, tables: Tables, document: Document) -> Diagnostic:
    """The fault of a job for which the device has no compute type, or the job no cut."""
    field = "precision" if stuck.code == OTHER_TYPE else "model"
    return Diagnostic(
        "no-layout", f"no pool can run `{stuck.name}`",
        where_is(document, ("jobs", stuck.name, field)),
        found=f"{REASONS[stuck.code]}: {stuck.nodes} nodes of `{pools.device.names[stuck.pool]}`",
        expected="a compute type, a sequence and a batch that the devices can divide",
    )  # fmt: skip


def _too_little_memory(
    stuck: _Stuck, pools: PoolColumns, tables: Tables, document: Document
) -> Diagnostic:
    """The fault of a job that is larger than the memory it may have."""
    device, pool = pools.device.names[stuck.pool], stuck.pool
    devices = stuck.nodes * int(pools.device.devices_per_node[pool])
    usable = devices * float(pools.device.usable_memory_bytes[pool])
    state, what = _least_bytes(stuck, pools, tables)
    missing = max(state - usable, 0.0)
    fits = _fitting_nodes(stuck, pools, tables)
    lack = f"{format_si(missing, 'B')} are missing" if missing else "buffers find no room beside it"
    return Diagnostic(
        "memory-exceeded", f"no device that `{stuck.name}` may use can hold it",
        where_is(document, ("jobs", stuck.name, "model")),
        found=f"{stuck.job.model} with {format_si(state, 'B')} of {what} on {devices} `{device}` "
        f"with {format_si(usable, 'B')}: {lack}",
        expected=f"at least {fits} nodes of `{device}`" if fits
        else f"more memory than any number of `{device}` gives in these layouts",
        hint="allow more nodes, a device with more memory, or a smaller batch or sequence",
    )  # fmt: skip


def _least_bytes(stuck: _Stuck, pools: PoolColumns, tables: Tables) -> tuple[float, str]:
    """Bytes that a job keeps whatever its layout, and what they are."""
    total = float(parameters(tables.models)[tables.runs.model[stuck.row]])
    if tables.runs.work[stuck.row] == TRAINING:
        return _BYTES_A_PARAMETER * total, "training state"
    fp8 = pools.device.peak_flop_per_s[stuck.pool, PRECISIONS.index("fp8")] > 0
    return total * _BYTES_OF_TYPE[stuck.job.precision or ("fp8" if fp8 else "bf16")], "weights"


def _fitting_nodes(stuck: _Stuck, pools: PoolColumns, tables: Tables) -> int:
    """Fewest nodes, of doublings of the most, on which the job has a layout; 0 when none has."""
    nodes = stuck.nodes * 2 ** np.arange(1, _DOUBLINGS + 1)
    device = take(pools.device, [stuck.pool])
    curve = throughput_curves(
        tables.models, device, tables.stacks, tables.families, tables.runs,
        job=np.full(len(nodes), stuck.row), device=np.zeros(len(nodes), dtype=np.int64),
        nodes=nodes, what_if_training=np.ones(len(tables.runs.model), dtype=np.int64),
    )  # fmt: skip
    fits = np.flatnonzero(curve.reason == FITS)
    return int(nodes[fits[0]]) if len(fits) else 0
