"""Plans of made-up cases from 25 to 1,000 jobs, beside what is asked and the compact program."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.cases import SIZES, Size, make_case
from benchmarks.compact import solve_compact
from benchmarks.figure import Figure, own_peak_bytes, peak_bytes
from planner.allocation.large.band import bands_of
from planner.allocation.offer.option import enumerate_options
from planner.allocation.portfolio import solve_case
from planner.allocation.program.families import build_program
from planner.allocation.program.matrix import matrix_of
from planner.allocation.program.place import with_places
from planner.allocation.program.problem import to_pulp
from planner.allocation.proof.certificate import certified_bound
from planner.allocation.solver.engine import engines_found
from planner.allocation.solver.highs import loaded
from planner.allocation.solver.solve import Limits
from planner.allocation.solver.task import Task
from planner.division import plan_case
from planner.plan import Plan
from planner.scenario import Policy, Scenario

SMALL, MIDDLE, LARGE, LARGEST = SIZES
# Case, seeds, what is sought, limit in seconds, gap at which to stop, what is asked.
ROWS: tuple[tuple[str, tuple[int, ...], float, float, str], ...] = (
    (SMALL, tuple(range(10)), 60.0, 0.001, "0.1 % in 2 s"),
    (MIDDLE, (0, 1), 60.0, 0.12, "a plan in 1 s"),
    (MIDDLE, (0, 1), 60.0, 0.03, "3 % in 60 s"),
    (LARGE, (0, 1), 60.0, 0.12, "a plan in 2 s"),
    (LARGE, (0, 1), 60.0, 0.025, "8 % in 60 s"),
    (LARGEST, (0, 1), 60.0, 0.12, "a plan in 5 s, under 2 GB"),
    (LARGEST, (0, 1), 120.0, 0.03, "10 % in 120 s, under 2 GB"),
)
BUILT = (Size(100, 8, 8, 24, 10), Size(200, 10, 8, 36, 10))
COMPACT = (Size(6, 3, 4, 6, 2), Size(25, 6, 8, 12, 5))


def measure(quick: bool) -> Iterator[Figure]:
    """Time to a checked plan, its proved gap and memory, each in a process of its own."""
    for name, seeds, limit, gap, asked in ROWS[:2] if quick else ROWS:
        for seed in seeds[:1] if quick else seeds:
            found = _apart(name, seed, limit, gap)
            title = f"{name}, seed {seed}, until {gap:.1%}"
            yield Figure(f"{title}: CPU", found["cpu_s"], "s", asked)
            yield Figure(f"{title}: wall", found["wall_s"], "s")
            yield Figure(f"{title}: proved gap", 100 * found["gap_frac"], "%")
            yield Figure(f"{title}: peak memory", found["peak_bytes"] / 1e6, "MB")
    yield from _building(MIDDLE if quick else LARGEST)
    yield from _begun(SMALL if quick else MIDDLE, 0.045)
    for size in COMPACT[:1] if quick else COMPACT:
        yield from _compared(size, 3.0 if quick else 20.0)


def _apart(name: str, seed: int, limit: float, gap: float) -> dict[str, Any]:
    """One plan, made in a process of its own."""
    given = json.dumps([name, seed, limit, gap])
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.allocation", given],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return dict(json.loads(said.stdout))


def _planned(name: str, seed: int, limit: float, gap: float) -> dict[str, float | None]:
    """Make a plan, check it day by day, and say what it took."""
    case = replace(
        make_case(SIZES[name], seed),
        scenario=Scenario.model_construct(policy=Policy(ties="none")),  # type: ignore[call-arg]
    )
    began, used = time.perf_counter(), cpu_s()
    plan = plan_case(case, limits=Limits(time_limit_s=limit, gap_frac=gap, seed=seed))
    check_by_day(plan, SIZES[name], seed)
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": cpu_s() - used,
        "gap_frac": plan.verdict.gap_frac,
        "objective": plan.verdict.objective,
        "bound": plan.verdict.bound,
        "peak_bytes": max(
            own_peak_bytes(), peak_bytes(resource.getrusage(resource.RUSAGE_CHILDREN))
        ),
    }


def cpu_s() -> float:
    """Processor time of this process and of the solvers that ran in processes of their own."""
    return float(sum(os.times()[:4]))


def check_by_day(plan: Plan, size: Size, seed: int) -> None:
    """
    Recount a plan of a made-up case: nodes of every pool by day, budgets, one run a job.

    Raises
    ------
    RuntimeError
        The plan holds more than there is.
    """
    case = make_case(size, seed)
    rows = plan.rows
    pool = {name: at for at, name in enumerate(case.pool_names)}
    held = np.zeros((len(pool), case.days + 1))
    for at, where in enumerate(rows.pool):
        first = (rows.first[at] - case.first_day).days
        held[pool[where], first] += rows.nodes[at]
        held[pool[where], first + int(rows.days[at])] -= rows.nodes[at]
    over = np.cumsum(held, axis=1)[:, :-1] > case.pool_nodes[:, :1]
    spent = {name: 0.0 for name in case.consortium_names}
    for at, team in enumerate(rows.consortium):
        spent[team] += float(rows.cost[at])
    budgets = dict(zip(case.consortium_names, case.consortium_budget.tolist(), strict=True))
    if over.any() or len(set(rows.job)) < len(rows.job):
        raise RuntimeError("the plan holds more nodes than there are, or serves a job twice")
    if any(spent[team] > budgets[team] * (1 + 1e-9) for team in spent):
        raise RuntimeError("the plan spends more than a budget")


def _building(name: str) -> list[Figure]:
    """Time a column of listing runs with their rows, and of handing a program over."""
    case = make_case(SIZES[name], 0)
    used = time.process_time()
    options = enumerate_options(case)
    bands = bands_of(case, options)
    listed = time.process_time() - used
    figures = [
        Figure(f"{name}: columns", bands.columns, ""),
        Figure(f"{name}: runs and rows in numpy, a column", 1e6 * listed / bands.columns,
               "µs", "at most 3"),
    ]  # fmt: skip
    for size in BUILT[:1] if name == MIDDLE else BUILT:
        figures += _written(size)
    return figures


def _written(size: Size) -> list[Figure]:
    """Time a column from the runs to HiGHS ready to run, and to PuLP's own objects."""
    case = make_case(size, 0)
    options = enumerate_options(case)
    used = time.process_time()
    program, register = build_program(case, options)
    wide, _ = with_places(program, register)
    built = time.process_time()
    task = Task(wide, -wide.columns.value)
    loaded(task, matrix_of(wide, task.minimise))
    ready = time.process_time()
    to_pulp(wide, task.minimise)
    written = time.process_time()
    many = len(wide.columns.names)
    return [
        Figure(f"{many:,} columns: program in numpy, a column", 1e6 * (built - used) / many, "µs"),
        Figure(f"{many:,} columns: from runs to HiGHS ready to run, a column",
               1e6 * (ready - used) / many, "µs", "at most 3"),
        Figure(f"{many:,} columns: as objects of PuLP for CBC and LP files, a column",
               1e6 * (written - ready) / many, "µs"),
    ]  # fmt: skip


def _begun(name: str, gap: float) -> list[Figure]:
    """Time to a gap after five jobs were withdrawn: anew, and from the earlier plan."""
    case = make_case(SIZES[name], 0)
    limits = Limits(time_limit_s=60.0, gap_frac=gap)
    before = plan_case(case, limits=replace(limits, gap_frac=0.9 * gap))
    fewer = replace(case, pair_reason=np.where(case.pair_job < 5, 1, case.pair_reason))
    figures = []
    for words, start in (("anew", None), ("from the earlier plan", before)):
        used = cpu_s()
        plan = plan_case(fewer, limits=limits, start=start)
        title = f"{name}, 5 withdrawn, {words}, until {gap:.1%}"
        figures.append(Figure(f"{title}: CPU", cpu_s() - used, "s"))
        figures.append(Figure(f"{title}: proved gap", 100 * (plan.verdict.gap_frac or 0.0), "%"))
    return figures


def _compared(size: Size, limit: float) -> list[Figure]:
    """Value reached as a part of our proved bound: ours, and the compact program's."""
    case = make_case(size, 0)
    began = time.perf_counter()
    answered = solve_case(case, limits=Limits(time_limit_s=limit, gap_frac=1e-3))
    took = time.perf_counter() - began
    mine = answered.solution
    if mine.objective is None or mine.bound is None or answered.certificate is None:
        raise RuntimeError("no plan of whole runs was found")
    proved = certified_bound(case, answered.certificate.prices)
    title = f"{size.jobs} jobs, {size.devices} pools, {size.periods} periods"
    figures = [
        Figure(f"{title}: whole runs, value over bound", mine.objective / mine.bound, ""),
        Figure(f"{title}: whole runs, bound by prices over bound", (proved or 0) / mine.bound, ""),
        Figure(f"{title}: whole runs, time", took, "s"),
    ]
    for solver in engines_found():
        found = solve_compact(case, solver, limit)
        figures += [
            Figure(f"{title}: compact ({found.columns} columns) in {solver}, value over bound",
                   found.value / mine.bound, ""),
            Figure(f"{title}: compact in {solver}, time", found.seconds, "s"),
        ]  # fmt: skip
        if found.bound:
            gap = 100 * (1 - found.value / found.bound)
            figures.append(Figure(f"{title}: compact in {solver}, proved gap", gap, "%"))
    return figures


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_planned(*json.loads(sys.argv[1]))) + "\n")
