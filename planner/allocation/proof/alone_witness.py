"""Checks of the stand-alone plans that finish times are compared with, without a solver."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats
from hardware.errors import Diagnostic, Where
from planner.allocation.policy.figures import Figures, counted_ends
from planner.allocation.policy.finish_time import FinishTerms, mean_days
from planner.allocation.policy.otherwise import equal_part
from planner.plan_aim import Alone, AloneRun

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["alone_faults"]

DAY_S = 86400.0
TOLERANCE = 1e-6

Held = tuple[int, int, int, int, int]  # job, point, pool, start day, end day


def alone_faults(case: Case, terms: FinishTerms, stated: tuple[Alone, ...]) -> Iterator[Diagnostic]:
    """
    Check stated stand-alone plans: every consortium's is one that an equal part allows.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    terms : FinishTerms
        How the days of jobs add up.
    stated : tuple of Alone
        As the plan file has them.

    Yields
    ------
    Diagnostic
        Each that is missing, breaks a rule of the consortium alone, or states other days than
        its runs give. That none is sooner is the solver's word, and not checked. Nodes are
        counted by day.
    """
    names = [case.consortium_names[team] for team in np.flatnonzero(terms.counts).tolist()]
    if sorted(one.consortium for one in stated) != sorted(names):
        yield _fault("aim.alone", "the stand-alone plans are of other consortiums",
                     ", ".join(one.consortium for one in stated), ", ".join(names))  # fmt: skip
        return
    for at, one in enumerate(stated):
        place = f"aim.alone[{at}]"
        team = case.consortium_names.index(one.consortium)
        part = equal_part(case, team)
        try:
            held = [_held(part, team, run) for run in one.runs]
        except LookupError as error:
            yield _fault(place, "the run is none that the consortium may have", str(error), "")
            continue
        broken = next(_broken(part, team, held), None)
        if broken is not None:
            yield _fault(place, "a stand-alone plan breaks a rule", broken, "")
            continue
        days = float(mean_days(case, terms, _figures(part, held))[team])
        if abs(days - one.days) > TOLERANCE * max(days, 1e-9):
            yield _fault(f"{place}.days", "the runs give other days", f"{one.days:.9g}",
                         f"{days:.9g}")  # fmt: skip
        if one.said is not None and one.said > days * (1 + TOLERANCE):
            yield _fault(f"{place}.said", "the runs are sooner than the bound", f"{one.said:.9g}",
                         f"at most {days:.9g}")  # fmt: skip


def _fault(field: str, message: str, found: str, expected: str) -> Diagnostic:
    return Diagnostic("alone-misstated", message, Where(field=field), found, expected)


def _held(case: Case, team: int, run: AloneRun) -> Held:
    """The rows that a run speaks of; LookupError where there are none."""
    if run.job not in case.job_names or run.pool not in case.pool_names:
        raise LookupError(f"`{run.job}` in `{run.pool}`")
    job, pool = case.job_names.index(run.job), case.pool_names.index(run.pool)
    points = np.flatnonzero(
        (case.point_job == job) & (case.point_pool == pool) & (case.point_nodes == run.nodes)
        & (case.point_tokens_per_s > 0)
    )  # fmt: skip
    pairs = np.flatnonzero(
        (case.pair_job == job) & (case.pair_pool == pool) & (case.pair_reason == 0)
    )
    start, end = (run.first - case.first_day).days, (run.last - case.first_day).days + 1
    if not len(points) or not len(pairs) or case.job_consortium[job] != team or end <= start:
        raise LookupError(f"`{run.job}` on {run.nodes} nodes of `{run.pool}`")
    release = max(int(case.pair_release_day[pairs[0]]), 0)
    due = min(int(case.pair_due_day[pairs[0]]), case.days)
    if start < release or end > due or (start != release and start not in case.border_day):
        raise LookupError(f"`{run.job}` from {run.first} to {run.last}")
    return job, int(points[0]), pool, start, end


def _broken(case: Case, team: int, held: list[Held]) -> Iterator[str]:
    """Rules that a plan of one consortium alone breaks, in words."""
    use = np.zeros((len(case.pool_names), case.days))
    there = np.zeros_like(use)
    for pool, first, end, nodes in zip(
        case.delivery_pool, case.delivery_first_day, case.delivery_end_day, case.delivery_nodes,
        strict=True,
    ):  # fmt: skip
        there[pool, max(int(first), 0) : max(int(end), 0)] += nodes
    cost = 0.0
    for _, point, pool, start, end in held:
        use[pool, start:end] += case.point_nodes[point]
        cost += float(case.point_cost_per_day[point]) * (end - start)
    if (use > there).any():
        pool = int(np.argwhere(use > there)[0][0])
        yield f"more nodes of `{case.pool_names[pool]}` than its part"
    budget, cap = float(case.consortium_budget[team]), float(case.consortium_cap[team])
    if budget >= 0 and cost > budget * (1 + TOLERANCE):
        yield f"a cost of {cost:.6g} above the budget of {budget:.6g}"
    if cap > 0 and (case.pool_equivalent @ use).max(initial=0.0) > cap * (1 + TOLERANCE):
        yield f"more device-equivalents than the cap of {cap:g}"
    jobs = sorted({job for job, *_ in held})
    if len({int(case.job_identity[job]) for job in jobs}) < len(jobs):
        yield "one workload twice"
    done, ends = _done(case, held)
    for before, then in zip(case.after_before.tolist(), case.after_then.tolist(), strict=True):
        starts = [start for job, _, _, start, _ in held if job == then]
        if starts and (done[before] < 1 or ends[before] > min(starts)):
            yield f"`{case.job_names[then]}` before what it waits for"
    for job in jobs:
        spans = sorted((start, end) for owner, _, _, start, end in held if owner == job)
        if any(one[1] > two[0] for one, two in pairwise(spans)):
            yield f"`{case.job_names[job]}` in two places at once"
        is_fixed = not (case.job_preemptible[job] or _moves(case, job))
        if is_fixed and len(spans) > 1:
            yield f"`{case.job_names[job]}` in {len(spans)} runs"


def _moves(case: Case, job: int) -> bool:
    """Whether a job may change pool or number of nodes."""
    return bool(len(case.job_flexible)) and bool(case.job_flexible[job])


def _done(case: Case, held: list[Held]) -> tuple[Floats, Floats]:
    """Part done and last day of each job."""
    count = len(case.job_names)
    tokens, ends, seen = np.zeros(count), np.zeros(count), set[int]()
    for job, point, _, start, end in sorted(held, key=lambda one: one[3]):
        lost = int(case.job_move_days[job]) if job in seen and _moves(case, job) else 0
        tokens[job] += float(case.point_tokens_per_s[point]) * DAY_S * max(end - start - lost, 0)
        ends[job] = max(ends[job], end)
        seen.add(job)
    done = np.where(tokens >= case.job_tokens * (1 - 1e-9), 1.0, tokens / case.job_tokens)
    return done, ends


def _figures(case: Case, held: list[Held]) -> Figures:
    """The figures that the days of jobs are made of."""
    done, _ = _done(case, held)
    job, _, pool, _, end = np.array(held, dtype=np.int64).reshape(-1, 5).T
    last = np.zeros(len(done))
    np.maximum.at(last, job, counted_ends(case, job, pool, end).astype(np.float64))
    counts = np.where(case.job_partial | (done >= 1.0), done, 0.0)
    return Figures(np.zeros(len(done)), counts, last, 0.0, 0.0)
