"""Checks of use: jobs that no pool can take, entries that nothing uses, owners that are missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardware.column import Ints
from hardware.errors import Diagnostic
from hardware.sheet import Path_
from hardware.table import CLAIMED, INFERENCE_ONLY, TRAINS
from planner.delivery import delivery_blocks
from planner.eligibility import ELIGIBLE, NOT_TRAINING, OTHER_DEVICE, OTHER_POOL, pair_reasons
from planner.scenario import Job
from planner.scenario_fault import Written

__all__ = ["check_owners", "check_placeable", "check_unused"]


def _reasons(written: Written) -> tuple[Ints, list[str]]:
    """Why each pool cannot serve each job, and the device of each pool; names as resolved."""
    scenario = written.scenario
    devices = [written.devices.get(p.device, p.device) for p in scenario.pools.values()]
    training = np.array([written.training.get(name, TRAINS) for name in devices], dtype=np.int64)
    return pair_reasons(scenario, devices, training, names=written.devices), devices


def check_placeable(written: Written) -> Iterator[Diagnostic]:
    """Jobs whose own conditions leave no pool: devices, training, fewest nodes."""
    scenario = written.scenario
    reasons, devices = _reasons(written)
    most = np.array([_most_nodes(written, name) for name in scenario.pools], dtype=np.int64)
    for at, (name, job) in enumerate(scenario.jobs.items()):
        row = reasons[at]
        path: Path_ = ("jobs", name)
        if (row == OTHER_DEVICE).all() or ((row == OTHER_DEVICE) | (row == OTHER_POOL)).all():
            yield _no_pool(written, path, job, devices)
        elif not (row == ELIGIBLE).any() and (row == NOT_TRAINING).any():
            yield _cannot_train(written, path, job, [devices[i] for i in _rows(row, NOT_TRAINING)])
        elif (row == ELIGIBLE).any() and int(most[row == ELIGIBLE].max()) < _least(job):
            place = (*path, "nodes", "min")
            yield written.fault(
                place if place in written.document.values else (*path, "nodes"),
                "too-few-nodes", "no pool that the job may use has so many nodes",
                found=f"at least {_least(job)} nodes",
                expected=f"at most {int(most[row == ELIGIBLE].max())}",
            )  # fmt: skip


def _rows(row: Ints, code: int) -> list[int]:
    return [int(at) for at in np.flatnonzero(row == code)]


def _least(job: Job) -> int:
    return min(job.nodes.choices, default=job.nodes.least)


def _most_nodes(written: Written, pool: str) -> int:
    blocks = delivery_blocks(written.scenario.pools[pool], written.scenario.horizon)
    return int(blocks.end_id.max()) if len(blocks) else 0


def _no_pool(written: Written, path: Path_, job: Job, devices: list[str]) -> Diagnostic:
    field = "devices" if job.devices is not None else "pools"
    asked = ", ".join(f"`{name}`" for name in (job.devices or job.pools or ()))
    named = (job.devices is not None) and (job.pools is not None)
    return written.fault(
        (*path, field), "no-such-pool", "no pool is among those that the job allows",
        found=f"devices {asked}" + (f" in pools {', '.join(job.pools or ())}" if named else "")
        if job.devices is not None else f"pools {asked or 'none'}",
        expected="a device of " + ", ".join(sorted(set(devices))[:8]),
        hint="leave `devices` and `pools` out to allow all", key=True,
    )  # fmt: skip


def _cannot_train(written: Written, path: Path_, job: Job, devices: list[str]) -> Diagnostic:
    names = sorted(set(devices))
    codes = {written.training.get(name) for name in names}
    if codes == {INFERENCE_ONLY}:
        message = "only devices that cannot train are allowed"
    elif CLAIMED in codes:
        message = "only devices whose training nobody has shown are allowed"
    else:
        message = "no device allowed can train"
    field = next((f for f in ("devices", "pools") if getattr(job, f) is not None), "kind")
    return written.fault(
        (*path, field), "cannot-train", message,
        found=f"{job.kind} on {', '.join(names)}",
        expected="a device that trains, or work of kind generation, evaluation or serving",
        hint="`what_if_training: true` plans it all the same, and marks every output",
    )  # fmt: skip


def check_owners(written: Written) -> Iterator[Diagnostic]:
    """Leased and own pools that say not whose they are, and pools open to another programme."""
    scenario = written.scenario
    for name, pool in scenario.pools.items():
        path: Path_ = ("pools", name)
        needs = pool.basis == "own" and pool.open_to is None
        needs = needs or (pool.basis == "leased" and scenario.rules.lessor_excluded)
        if needs and not pool.owner.strip():
            yield written.fault(
                (*path, "basis"), "missing-owner", f"the {pool.basis} pool has no owner",
                found=f"basis: {pool.basis}", expected="`owner`, an organisation",
            )  # fmt: skip
        for at, consortium in enumerate(pool.open_to or ()):
            entry = scenario.consortiums.get(consortium)
            if entry and pool.programme is not None and entry.programme != pool.programme:
                yield written.fault(
                    (*path, "open_to", at), "other-programme",
                    f"`{consortium}` is not in the programme that pays for the pool",
                    found=f"`{consortium}` in {_programme(entry.programme)}",
                    expected=f"a consortium of `{pool.programme}`",
                )  # fmt: skip


def _programme(name: str | None) -> str:
    return f"`{name}`" if name else "no programme"


def check_unused(written: Written) -> Iterator[Diagnostic]:
    """Pools that serve no job, programmes and consortiums that nothing names: warnings."""
    scenario = written.scenario
    reasons, _ = _reasons(written)
    usable = (reasons == ELIGIBLE).any(axis=0)
    for at, name in enumerate(scenario.pools):
        if not usable[at]:
            yield written.warning(
                ("pools", name), "unused-pool", f"no job may use the pool `{name}`",
                hint="look at its programme, `open_to`, `kinds`, and at the jobs' `devices`",
            )  # fmt: skip
    programmes = {p.programme for p in scenario.pools.values()}
    programmes |= {c.programme for c in scenario.consortiums.values()}
    for name in scenario.programmes:
        if name not in programmes:
            yield written.warning(
                ("programmes", name), "unused-programme",
                f"nothing is of the programme `{name}`",
            )  # fmt: skip
    asking = {job.consortium for job in scenario.jobs.values()}
    for name, consortium in scenario.consortiums.items():
        if name in asking:
            continue
        if consortium.floor is not None and consortium.floor.value > 0:
            yield written.fault(
                ("consortiums", name, "floor"), "floor-without-jobs",
                f"`{name}` has a floor and no job to hold nodes with",
                found=f"floor {written.text(('consortiums', name, 'floor'))}",
                expected="a job, such as one with `partial: true`",
            )  # fmt: skip
        else:
            yield written.warning(
                ("consortiums", name), "idle-consortium", f"`{name}` asks for nothing"
            )
