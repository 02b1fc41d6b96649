"""Plans of made-up cases in which every job may change pool and nodes, beside what is asked."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.cases import SIZES, Size, make_case
from benchmarks.figure import Figure, own_peak_bytes
from planner.allocation.solver.solve import Limits
from planner.case import Case
from planner.division import plan_case
from planner.plan import Plan
from planner.scenario import Policy, Scenario

SMALL, MIDDLE, LARGE, LARGEST = SIZES
MOVE_DAYS = 1
QUICK_S = 3.0
# Case, seeds, limit in seconds, gap at which to stop, what is asked.
ROWS: tuple[tuple[str, tuple[int, ...], float, float, str], ...] = (
    (SMALL, (0, 1, 2, 3, 4, 5), 30.0, 0.05, "5 % in 30 s"),
    (SMALL, (0, 1, 2, 3), 120.0, 0.02, "2 % in 120 s"),
    (MIDDLE, (0, 1), 60.0, 0.08, "8 % in 60 s"),
    (LARGE, (0,), 120.0, 0.08, ""),
    (LARGEST, (0,), 120.0, 0.08, "under 2 GB"),
)


def measure(quick: bool) -> Iterator[Figure]:
    """Proved gap, time, memory and the gain over whole runs, each in a process of its own."""
    for name, seeds, limit, gap, asked in ROWS[:1] if quick else ROWS:
        for seed in seeds[:1] if quick else seeds:
            limit = QUICK_S if quick else limit
            found = _apart(name, seed, limit, gap, True)
            fixed = _apart(name, seed, min(limit, 30.0), 0.02, False)
            title = f"{name}, seed {seed}, {limit:g} s"
            wanted = "" if quick else asked  # what is asked is asked of the whole time
            yield Figure(f"{title}: proved gap", 100 * found["gap_frac"], "%", wanted)
            yield Figure(f"{title}: CPU", found["cpu_s"], "s")
            yield Figure(f"{title}: wall", found["wall_s"], "s")
            yield Figure(f"{title}: peak memory", found["peak_bytes"] / 1e6, "MB")
            gain = 100 * (found["objective"] / fixed["objective"] - 1)
            yield Figure(f"{title}: value above whole runs", gain, "%")


def _apart(name: str, seed: int, limit: float, gap: float, is_flexible: bool) -> dict[str, Any]:
    """One plan, made in a process of its own."""
    given = json.dumps([name, seed, limit, gap, is_flexible])
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.flexible", given],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return dict(json.loads(said.stdout))


def flexible_case(size: Size, seed: int, *, is_flexible: bool = True) -> Case:
    """A made-up case whose jobs may all change at borders, or may not."""
    return replace(
        make_case(size, seed),
        scenario=Scenario.model_construct(policy=Policy(ties="none")),  # type: ignore[call-arg]
        job_flexible=np.full(size.jobs, is_flexible),
        job_move_days=np.full(size.jobs, MOVE_DAYS),
    )


def _planned(
    name: str, seed: int, limit: float, gap: float, is_flexible: bool
) -> dict[str, float | None]:
    """Make a plan, check it day by day, and say what it took."""
    case = flexible_case(SIZES[name], seed, is_flexible=is_flexible)
    began, used = time.perf_counter(), _cpu_s()
    plan = plan_case(case, limits=Limits(time_limit_s=limit, gap_frac=gap, seed=seed))
    took = time.perf_counter() - began, _cpu_s() - used
    check_by_day(plan, case)
    return {
        "wall_s": took[0],
        "cpu_s": took[1],
        "gap_frac": plan.verdict.gap_frac,
        "objective": plan.verdict.objective,
        "bound": plan.verdict.bound,
        "peak_bytes": own_peak_bytes(),
    }


def _cpu_s() -> float:
    """Time on processors of this process and of the solvers that it started. [s]"""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def check_by_day(plan: Plan, case: Case) -> None:
    """
    Recount a plan of a made-up case: nodes by day, budgets, and the work of every job.

    Raises
    ------
    RuntimeError
        The plan holds more than there is, spends more than a budget, has a gap between the
        links of a job, or leaves work undone.
    """
    rows, days = plan.rows, case.days
    pools = {name: at for at, name in enumerate(case.pool_names)}
    jobs = {name: at for at, name in enumerate(case.job_names)}
    speed = {
        (job, pool, nodes): rate * 86400.0
        for job, pool, nodes, rate in zip(
            case.point_job.tolist(), case.point_pool.tolist(), case.point_nodes.tolist(),
            case.point_tokens_per_s.tolist(), strict=True,
        )
    }  # fmt: skip
    held = np.zeros((len(pools), days + 1))
    links: dict[int, list[tuple[int, int, float]]] = {}
    for at, where in enumerate(rows.pool):
        job, pool, nodes = jobs[rows.job[at]], pools[where], int(rows.nodes[at])
        first = (rows.first[at] - case.first_day).days
        end = first + int(rows.days[at])
        held[pool, first] += nodes
        held[pool, end] -= nodes
        links.setdefault(job, []).append((first, end, speed[job, pool, nodes]))
    if (np.cumsum(held, axis=1)[:, :-1] > case.pool_nodes[:, :1]).any():
        raise RuntimeError("the plan holds more nodes than there are")
    for job, found in links.items():
        _check_work(case, job, sorted(found))
    spent = dict.fromkeys(case.consortium_names, 0.0)
    for at, team in enumerate(rows.consortium):
        spent[team] += float(rows.cost[at])
    budgets = dict(zip(case.consortium_names, case.consortium_budget.tolist(), strict=True))
    if any(spent[team] > budgets[team] * (1 + 1e-9) for team in spent):
        raise RuntimeError("the plan spends more than a budget")


def _check_work(case: Case, job: int, links: list[tuple[int, int, float]]) -> None:
    """Refuse links with a gap, a change off a border, or too little work in all."""
    work, borders = 0.0, set(case.border_day.tolist())
    for at, (first, end, daily) in enumerate(links):
        lost = MOVE_DAYS if at else 0
        if at and (first != links[at - 1][1] or first not in borders):
            raise RuntimeError("a job changes with a gap, or not at a border")
        work += daily * (end - first - lost)
    if work < float(case.job_tokens[job]) * (1 - 1e-9):
        raise RuntimeError("a job in the plan is not finished")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_planned(*json.loads(sys.argv[1]))) + "\n")
