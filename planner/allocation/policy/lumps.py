"""What lumps say of shares: sums that whole runs can reach, and runs that lead to none of them."""

from __future__ import annotations

import numpy as np

from hardware.column import Bools, Floats
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program

__all__ = ["least_share", "level_shares", "useless"]

MOST_SUMS = 50_000  # shares of one consortium that are looked at


def level_shares(wide: Program) -> tuple[list[Floats], Floats]:
    """Shares that columns give, by consortium, and those without any."""
    rows = [row for row in wide.rows if row.name.startswith("level_0_")]
    found = []
    for row in rows:
        share = np.zeros(len(wide.columns.names))
        share[row.columns[2:]] = -row.coefficients[2:]
        found.append(share)
    return found, np.array([row.bound for row in rows])


def _by_job(register: Register, share: Floats) -> tuple[dict[int, Floats], float]:
    """Shares by job of whole plans; and the most that all other columns can give together."""
    first = register.offsets["mode"]
    owner, mine = register.column_job[:first], share[:first]
    found = {int(job): mine[owner == job] for job in np.unique(owner[mine != 0]).tolist()}
    rest = float(np.maximum(share, 0.0)[first:].sum())
    return found, rest


def useless(register: Register, share: Floats, offset: float, least: float) -> Bools:
    """Whole plans with which a consortium stays at or below a share whatever else it gets."""
    by_job, rest = _by_job(register, share)
    most = {job: max(float(values.max()), 0.0) for job, values in by_job.items()}
    found = np.zeros(len(share), dtype=np.bool_)
    first = register.offsets["mode"]
    owner = register.column_job[:first]
    for job, best in most.items():
        others = offset + rest + sum(most.values()) - best
        mine = np.flatnonzero(owner == job)
        found[mine] = others + share[mine] < least
    return found


def least_share(register: Register, share: Floats, offset: float, least: float) -> float:
    """The smallest share of at least so much that whole plans, one a job, add up to."""
    by_job, rest = _by_job(register, share)
    if rest > 0:
        return least
    sums = np.array([offset])
    for values in by_job.values():
        kinds = np.unique(np.append(values, 0.0))
        if len(sums) * len(kinds) > MOST_SUMS:
            return least
        sums = np.unique(sums[:, None] + kinds)
    above = sums[sums >= least]
    # Nothing above: any number that no share reaches tells so.
    return float(above.min()) * (1 - 1e-12) if len(above) else 2.0 * max(float(sums.max()), least)
