"""Constraint family of lending: who borrows an own pool comes after its owner's jobs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardware.column import Ints
from planner.allocation.register import Register
from planner.allocation.row import Row, row_of

__all__ = ["owner_first"]


def owner_first(register: Register) -> Iterator[Row]:
    """
    Nodes of an own pool are lent only when the owner's jobs are placed.

    sum_{ways of k in p} x <= sum_{ways of j or of the same workload} x
    for every lent pool p, every job k that borrows it, and every job j that goes before:
    a job of those who use the pool as their own, unless device, kind of work or a rule keeps
    it out. j may be placed in any pool, and in part where it counts in proportion.
    """
    case, options = register.case, register.options
    job = np.concatenate([options.runs.job, options.modes.job])
    pool = np.concatenate([options.runs.pool, options.modes.pool])
    column = np.arange(len(job))
    column[len(options.runs) :] += register.offsets["mode"] - len(options.runs)

    def ways(workload: int) -> Ints:
        return np.asarray(column[case.job_identity[job] == workload])

    number = 0
    for borrower, place in zip(case.borrow_job.tolist(), case.borrow_pool.tolist(), strict=True):
        mine = column[(job == borrower) & (pool == place)]
        if len(mine) == 0:
            continue
        for first in case.lend_job[case.lend_pool == place].tolist():
            if case.job_identity[first] == case.job_identity[borrower]:
                continue  # one of them is funded at most, so the owner's would never be
            served = ways(int(case.job_identity[first]))
            yield row_of(
                f"lend_{number}",
                np.concatenate([mine, served]),
                np.concatenate([np.ones(len(mine)), -np.ones(len(served))]),
                family="owner_first",
                group=f"the owner of `{case.pool_names[place]}` first",
                sentence=f"`{case.job_names[borrower]}` borrows `{case.pool_names[place]}` only "
                f"when `{case.job_names[first]}` is placed",
                bound=0.0,
            )
            number += 1
