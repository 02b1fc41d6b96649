"""Which pools may serve which jobs, and why not: codes, their sentences, and the rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from hardware.column import Bools, Ints
from hardware.table import TRAINS
from planner.scenario import TRAINING_KINDS, Scenario

__all__ = [
    "ELIGIBLE",
    "NEEDS_MEMORY",
    "NOT_TRAINING",
    "NO_COMMON_DAYS",
    "NO_LAYOUT",
    "OTHER_DEVICE",
    "OTHER_KIND",
    "OTHER_POOL",
    "OTHER_PROGRAMME",
    "OTHER_TYPE",
    "POOL_CLOSED",
    "POOL_OF_LESSOR",
    "REASONS",
    "TOO_FEW_NODES",
    "access_reasons",
    "lessors",
    "pair_reasons",
    "same_name",
]

# A pair of job and pool is usable (0), or carries the first of these that holds.
(
    ELIGIBLE,
    OTHER_DEVICE,
    OTHER_POOL,
    POOL_CLOSED,
    OTHER_PROGRAMME,
    POOL_OF_LESSOR,
    OTHER_KIND,
    NOT_TRAINING,
    NO_COMMON_DAYS,
    TOO_FEW_NODES,
    OTHER_TYPE,
    NEEDS_MEMORY,
    NO_LAYOUT,
) = range(13)

REASONS = (
    "usable",
    "the job does not allow the pool's device",
    "the job does not allow the pool",
    "the pool is not open to the consortium",
    "the pool is paid for by another programme than the consortium's",
    "a lessor is a member of the consortium, and lessors get no leased pool",
    "the pool does not allow this kind of work",
    "the pool's device cannot train",
    "pool, consortium and job have no day in common",
    "the pool has fewer nodes than the job needs at least",
    "the pool's device does not offer the compute type",
    "the job does not fit into the memory of as many devices as the pool has",
    "no layout divides the job over the pool's devices",
)


def same_name(text: str) -> str:
    """
    What two spellings of a name share: case, width, spaces, dashes and underscores aside.

    Examples
    --------
    >>> same_name("SK-Telecom") == same_name(" sk telecom")
    True
    """
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def lessors(scenario: Scenario) -> frozenset[str]:
    """Organisations that own a leased pool, as `same_name` writes them."""
    owners = (pool.owner for pool in scenario.pools.values() if pool.basis == "leased")
    return frozenset(same_name(owner) for owner in owners if owner)


def access_reasons(scenario: Scenario) -> Ints:
    """
    Whether each consortium may use each pool, by who it is.

    Parameters
    ----------
    scenario : Scenario
        Pools with their programme and who they are open to, consortiums, rules.

    Returns
    -------
    Ints [consortium, pool]
        ELIGIBLE, POOL_CLOSED, OTHER_PROGRAMME or POOL_OF_LESSOR. [code]

    Notes
    -----
    An own pool that is open to nobody by name is open to consortiums with its owner
    among the members, and to those that it is lent to. A pool that a programme pays for
    serves that programme only.
    """
    excluded = lessors(scenario) if scenario.rules.lessor_excluded else frozenset()
    pools = list(scenario.pools.values())
    owners = [same_name(pool.owner) for pool in pools]
    open_to = [None if pool.open_to is None else frozenset(pool.open_to) for pool in pools]
    borrowers = [frozenset(pool.lend.to) if pool.lend else frozenset() for pool in pools]
    programmes = [pool.programme for pool in pools]
    leased = np.array([pool.basis == "leased" for pool in pools])
    reasons = np.zeros((len(scenario.consortiums), len(pools)), dtype=np.int64)
    for at, (name, consortium) in enumerate(scenario.consortiums.items()):
        members = {same_name(member) for member in consortium.members}
        row = reasons[at]
        if members & excluded:
            row[leased] = POOL_OF_LESSOR
        row[[p is not None and p != consortium.programme for p in programmes]] = OTHER_PROGRAMME
        row[
            [
                name not in lent and (
                    (pool.basis == "own" and owner not in members) if allowed is None
                    else name not in allowed
                )
                for pool, owner, allowed, lent in zip(
                    pools, owners, open_to, borrowers, strict=True
                )
            ]
        ] = POOL_CLOSED  # fmt: skip
    return reasons


def pair_reasons(
    scenario: Scenario,
    devices: Sequence[str],
    training: Ints,
    *,
    names: Mapping[str, str] | None = None,
) -> Ints:
    """
    Why each pool cannot serve each job, days, nodes and memory not yet looked at.

    Parameters
    ----------
    scenario : Scenario
        A scenario whose names are all known.
    devices : sequence of str [pool]
        Device of each pool.
    training : Ints [pool]
        INFERENCE_ONLY, CLAIMED or TRAINS of each pool's device. [code]
    names : mapping of str to str, optional
        Device as a job may write it -> device as `devices` has it.

    Returns
    -------
    Ints [job, pool]
        ELIGIBLE, or the first code that holds. [code]

    Notes
    -----
    Training that a vendor claims and nobody has shown counts as none, unless the job
    says `what_if_training`.
    """
    access = access_reasons(scenario)
    row = {name: at for at, name in enumerate(scenario.consortiums)}
    pools = list(scenario.pools.items())
    pool_names = [name for name, _ in pools]
    one_name = names or {}
    trains = np.asarray(training) == TRAINS
    reasons = np.empty((len(scenario.jobs), len(pools)), dtype=np.int64)
    masks: dict[object, Bools] = {}

    def among(wanted: tuple[str, ...], have: Sequence[str], label: str) -> Bools:
        key = (label, wanted)
        if key not in masks:
            masks[key] = np.isin(np.array(have), np.array(wanted, dtype=str))
        return masks[key]

    kinds = {
        kind: np.array([pool.kinds is None or kind in pool.kinds for _, pool in pools])
        for kind in {job.kind for job in scenario.jobs.values()}
    }
    for at, job in enumerate(scenario.jobs.values()):
        reason = access[row[job.consortium]].copy()
        late = reason == ELIGIBLE
        if job.kind in TRAINING_KINDS and not job.what_if_training:
            reason[late & ~trains] = NOT_TRAINING
        reason[late & ~kinds[job.kind]] = OTHER_KIND
        if job.pools is not None:
            reason[~among(job.pools, pool_names, "pool")] = OTHER_POOL
        if job.devices is not None:
            wanted = tuple(one_name.get(device, device) for device in job.devices)
            reason[~among(wanted, devices, "device")] = OTHER_DEVICE
        reasons[at] = reason
    return reasons
