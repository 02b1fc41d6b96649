"""Jobs far too long for their days, whatever they are given: a warning before a solve."""

from __future__ import annotations

import numpy as np

from hardware.errors import Diagnostic
from hardware.sheet import Document, where_is
from planner.case import Case
from planner.eligibility import ELIGIBLE
from planner.resolution import days_of_work

__all__ = ["unfinishable"]

FAR = 10  # times the days there are, from which on nobody can have meant it


def unfinishable(case: Case, document: Document) -> tuple[Diagnostic, ...]:
    """
    Warnings about jobs whose work takes ten times their days and more, whatever they are given.

    Parameters
    ----------
    case : Case
        With the throughput of every job on every number of nodes. [token/s]
    document : Document
        Gives the warnings their places.

    Returns
    -------
    tuple of Diagnostic
        One a job; jobs that count in part are left out. Jobs that are only somewhat too
        long are left to the plan, which tells what they lack.
    """
    pair = case.point_job * len(case.pool_names) + case.point_pool
    usable = case.pair_reason[pair] == ELIGIBLE
    need = days_of_work(case.job_tokens[case.point_job], case.point_tokens_per_s)
    release, due = np.maximum(case.pair_release_day[pair], 0), case.pair_due_day[pair]
    days = due - release
    found = []
    for job, name in enumerate(case.job_names):
        mine = np.flatnonzero((case.point_job == job) & usable)
        if len(mine) and len(case.job_flexible) and case.job_flexible[job]:
            days[mine] = due[mine].max() - release[mine].min()  # it may change pools on the way
        if case.job_partial[job] or len(mine) == 0 or (need[mine] < FAR * days[mine]).any():
            continue
        best = mine[np.argmin(need[mine] - days[mine])]
        pool = case.pool_names[case.point_pool[best]]
        where = where_is(document, ("jobs", name, "tokens"), key=True)
        found.append(
            Diagnostic(
                "takes-too-long", f"`{name}` cannot be finished in its days", where,
                found=f"{int(need[best]):,} days on {int(case.point_nodes[best]):,} nodes of "
                f"`{pool}`, {int(days[best]):,} days to do it in",
                hint="ask for fewer tokens, or set `partial: true`", severity="warning",
            )
        )  # fmt: skip
    return tuple(found)
