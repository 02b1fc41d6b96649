"""Checks of topology: jobs that stay inside one block of a fabric, and blocks for them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardware.column import Ints
from hardware.errors import Diagnostic
from hardware.table import TRAINS
from planner.delivery import delivery_blocks
from planner.eligibility import ELIGIBLE, pair_reasons
from planner.scenario_fault import Written

__all__ = ["check_topology"]


def check_topology(written: Written) -> Iterator[Diagnostic]:
    """Jobs larger than every block that they may use, or without a pool that states blocks."""
    scenario = written.scenario
    tied = [at for at, job in enumerate(scenario.jobs.values()) if job.topology == "one-block"]
    if not tied or any(
        job.consortium not in scenario.consortiums for job in scenario.jobs.values()
    ):
        return
    sizes = [p.fabric.block_nodes if p.fabric else None for p in scenario.pools.values()]
    reasons = _reasons(written)
    jobs = list(scenario.jobs.items())
    used: set[int] = set()
    for at in tied:
        name, job = jobs[at]
        pools = np.flatnonzero(reasons[at] == ELIGIBLE).tolist()
        stated = [int(size) for size in (sizes[pool] for pool in pools) if size is not None]
        used |= set(pools)
        least = int(min(job.nodes.choices, default=job.nodes.least))
        if pools and not stated:
            yield written.warning(
                ("jobs", name), "no-fabric-blocks",
                f"no pool that `{name}` may use states the blocks of its fabric",
                found="topology: one-block", hint="give the pools `fabric: {block_nodes: …}`",
            )  # fmt: skip
        elif pools and len(stated) == len(pools) and max(stated) < least:
            yield written.fault(
                ("jobs", name, "topology"), "block-too-small",
                "no block of a fabric that the job may use has so many nodes",
                found=f"at least {least} nodes", expected=f"at most {max(stated)}",
                hint="raise `block_nodes`, or drop `topology`",
            )  # fmt: skip
    yield from _split_blocks(written, used)


def _split_blocks(written: Written, used: set[int]) -> Iterator[Diagnostic]:
    """Deliveries that end inside a block: each part of it counts as a block."""
    scenario = written.scenario
    for at, (name, pool) in enumerate(scenario.pools.items()):
        size = pool.fabric.block_nodes if pool.fabric else None
        if at not in used or size is None:
            continue
        blocks = delivery_blocks(pool, scenario.horizon)
        top = int(blocks.end_id.max(initial=0))
        edges = np.concatenate([blocks.first_id, blocks.end_id])
        inside = np.unique(edges[(edges % int(size) > 0) & (edges < top)]).tolist()
        if inside:
            yield written.warning(
                ("pools", name), "delivery-splits-block",
                f"deliveries of `{name}` split blocks of its fabric",
                found=f"blocks of {size} nodes, deliveries up to node "
                + ", ".join(str(edge) for edge in inside[:5]),
                hint="each part of such a block counts as a block of its own",
            )  # fmt: skip


def _reasons(written: Written) -> Ints:
    """Why each pool cannot serve each job; names as resolved. [job, pool]"""
    devices = [written.devices.get(p.device, p.device) for p in written.scenario.pools.values()]
    training = np.array([written.training.get(name, TRAINS) for name in devices], dtype=np.int64)
    return pair_reasons(written.scenario, devices, training, names=written.devices)
