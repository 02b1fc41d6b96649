"""Jobs that no device they may use can hold: what is missing, and how many nodes would do."""

from __future__ import annotations

import numpy as np

from hardware.column import Ints, take
from hardware.errors import Diagnostic
from hardware.sheet import Document, where_is
from hardware.units import format_si
from planner.architecture import parameters
from planner.case_job import Tables
from planner.case_pool import PoolColumns
from planner.curve import throughput_curves
from planner.eligibility import ELIGIBLE, NEEDS_MEMORY, REASONS
from planner.scenario import Scenario
from planner.strategy import FITS

__all__ = ["memory_faults"]

_DOUBLINGS = 8  # up to 256 times the nodes of the largest pool
_BYTES_A_PARAMETER = 16.0  # 16-bit weights and gradients, 32-bit main weights, two Adam states


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
    before, after : Ints [job, pool]
        Codes of `planner.eligibility` without and with the layouts looked at.

    Returns
    -------
    list of Diagnostic
        One a job, with the pool that comes nearest.
    """
    faults = []
    for at, (name, job) in enumerate(scenario.jobs.items()):
        asked = np.flatnonzero(before[at] == ELIGIBLE)
        if not len(asked) or (after[at, asked] == ELIGIBLE).any():
            continue
        room = pools.most_nodes * pools.device.devices_per_node * pools.device.usable_memory_bytes
        held = asked[after[at, asked] == NEEDS_MEMORY]
        pool = int((held if len(held) else asked)[np.argmax(room[held if len(held) else asked])])
        code = int(after[at, pool])
        where = where_is(document or Document("", {}), ("jobs", name, "model"))
        most = job.nodes.most or int(pools.most_nodes[pool])
        most = min(max((most, *job.nodes.choices)), int(pools.most_nodes[pool]))
        device = pools.device.names[pool]
        if code != NEEDS_MEMORY:
            faults.append(Diagnostic(
                "no-layout", f"no pool can run `{name}`", where,
                found=f"{REASONS[code]}: {most} nodes of `{device}`",
                expected="a compute type, a sequence and a batch that the devices can divide",
            ))  # fmt: skip
            continue
        state = _BYTES_A_PARAMETER * float(parameters(tables.models)[tables.runs.model[at]])
        devices = most * int(pools.device.devices_per_node[pool])
        usable = float(pools.device.usable_memory_bytes[pool])
        fits = _fitting_nodes(at, pool, most, pools, tables)
        missing = max(state - devices * usable, 0.0)
        faults.append(Diagnostic(
            "memory-exceeded", f"no device that `{name}` may use can hold it", where,
            found=f"{job.model} with {format_si(state, 'B')} of training state on {devices} "
            f"`{device}` with {format_si(devices * usable, 'B')}"
            + (f": {format_si(missing, 'B')} are missing" if missing else
               ": activations and buffers find no room beside it"),
            expected=f"at least {fits} nodes of `{device}`" if fits
            else f"more memory than any number of `{device}` gives in these layouts",
            hint="allow more nodes, a device with more memory, or a smaller batch or sequence",
        ))  # fmt: skip
    return faults


def _fitting_nodes(
    job: int,
    pool: int,
    most: int,
    pools: PoolColumns,
    tables: Tables,
) -> int:
    """Fewest nodes, of doublings of `most`, on which the job has a layout; 0 when none has."""
    nodes = most * 2 ** np.arange(1, _DOUBLINGS + 1)
    curve = throughput_curves(
        tables.models, take(pools.device, [pool]), tables.stacks, tables.families, tables.runs,
        job=np.full(len(nodes), job), device=np.zeros(len(nodes), dtype=np.int64), nodes=nodes,
        what_if_training=np.ones(len(tables.runs.model), dtype=np.int64),
    )  # fmt: skip
    fits = np.flatnonzero(curve.reason == FITS)
    return int(nodes[fits[0]]) if len(fits) else 0
