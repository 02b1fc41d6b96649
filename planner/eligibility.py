"""Why a pool cannot serve a job: codes and their sentences."""

from __future__ import annotations

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
