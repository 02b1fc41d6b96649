"""Constraint family of lending: who borrows an own pool comes after its owner's jobs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hardware.column import Ints
from planner.allocation.program.register import Register
from planner.allocation.program.row import Row, row_of

__all__ = ["owner_first"]


def owner_first(register: Register) -> Iterator[Row]:
    """
    Nodes of an own pool are lent only when the owner's jobs are placed.

    sum_{ways of k that hold nodes of p} x <= sum_{ways of j or of the same workload} x
    for every lent pool p, every job k that borrows it, and every job j that goes before:
    a job of those who use the pool as their own, unless device, kind of work or a rule keeps
    it out. j may be placed in any pool, and in part where it counts in proportion.
    """
    case, spans, modes = register.case, register.spans, register.options.modes
    job = np.concatenate([register.plans.job, modes.job])
    first_mode = register.offsets["mode"]
    column = np.arange(len(job))  # runs, chains and modes are the first families of columns
    # A mode that counts in part may be chosen without a day: only days held are a placement.
    column[first_mode + register.part_modes] = register.offsets["days"] + np.arange(
        len(register.part_modes)
    )
    whole = spans.column < first_mode

    def ways(workload: int) -> Ints:
        return np.asarray(column[case.job_identity[job] == workload])

    def holding(borrower: int, place: int) -> Ints:
        there = whole & (spans.job == borrower) & (spans.pool == place)
        of_mode = np.flatnonzero((modes.job == borrower) & (modes.pool == place))
        return np.concatenate([np.unique(spans.column[there]), first_mode + of_mode])

    number = 0
    for borrower, place in zip(case.borrow_job.tolist(), case.borrow_pool.tolist(), strict=True):
        mine = holding(borrower, place)
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
