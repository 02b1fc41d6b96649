"""Plans that were found, as options of a program, and as points of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats
from planner.allocation.flexible.path import Path
from planner.allocation.offer.chain import chains_of
from planner.allocation.offer.option import Options, OptionTable
from planner.allocation.program.register import Register

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["options_of", "plan_columns", "point_at", "run_paths"]


def run_paths(case: Case, runs: OptionTable) -> list[Path]:
    """Whole runs as plans of one link."""
    weight = case.consortium_weight[case.job_consortium[runs.job]]
    columns = (runs.job, runs.point, runs.start_day, runs.end_day, runs.done_frac,
               runs.value * weight)  # fmt: skip
    return [
        Path(job, (point,), (start,), end, done, value, 0.0)
        for job, point, start, end, done, value in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def options_of(case: Case, options: Options, paths: Sequence[Path]) -> Options:
    """
    Options with some plans alone, in the order in which tables of options are kept.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    options : Options
        Whose blocks and jobs that pause are kept.
    paths : sequence of Path
        Plans of one link become runs, the others chains.
    """
    names, pools = case.job_names, case.pool_names
    single = sorted(
        (path for path in paths if len(path.point) == 1),
        key=lambda path: (
            names[path.job], pools[case.point_pool[path.point[0]]],
            int(case.point_nodes[path.point[0]]), path.start[0], path.end,
        ),
    )  # fmt: skip
    many = sorted(
        (path for path in paths if len(path.point) > 1),
        key=lambda path: (names[path.job], len(path.point), path.point, path.start, path.end),
    )
    job = np.array([path.job for path in many], dtype=np.int64)
    sizes = [len(path.point) for path in many]
    chains, links = options.chains, options.links
    if many:
        chains, links = chains_of(
            case,
            job,
            np.repeat(np.arange(len(many)), sizes),
            np.array([point for path in many for point in path.point], dtype=np.int64),
            np.array([day for path in many for day in path.start], dtype=np.int64),
            stop_day=np.array([path.end for path in many], dtype=np.int64),
        )
    return replace(options, runs=_runs(case, single), chains=chains, links=links, is_whole=False)


def _runs(case: Case, paths: Sequence[Path]) -> OptionTable:
    """Plans of one link as a table of runs."""
    job = np.array([path.job for path in paths], dtype=np.int64)
    point = np.array([path.point[0] for path in paths], dtype=np.int64)
    start = np.array([path.start[0] for path in paths], dtype=np.int64)
    end = np.array([path.end for path in paths], dtype=np.int64)
    done = np.array([path.done for path in paths], dtype=np.float64)
    late = np.maximum(end - case.job_soft_due_day[job], 0)
    kept = np.maximum(1.0 - case.job_loss_per_day[job] * late, 0.0)
    return OptionTable(
        job=job,
        point=point,
        pool=case.point_pool[point],
        nodes=case.point_nodes[point],
        start_day=start,
        end_day=end,
        done_frac=done,
        value=case.job_value[job] * done * kept,
        cost=case.point_cost_per_day[point] * (end - start),
    )


def plan_columns(register: Register) -> dict[tuple[object, ...], int]:
    """Column of each plan of a job, by the key of its path."""
    options = register.options
    runs, chains, links = options.runs, options.chains, options.links
    known: dict[tuple[object, ...], int] = {}
    single = (runs.job, runs.point, runs.start_day, runs.end_day)
    for at, (job, point, start, end) in enumerate(
        zip(*(column.tolist() for column in single), strict=True)
    ):
        known[job, (point,), (start,), end] = at
    first = np.searchsorted(links.chain, np.arange(len(chains) + 1)).tolist()
    for at, (job, end) in enumerate(zip(chains.job.tolist(), chains.end_day.tolist(), strict=True)):
        low, high = first[at], first[at + 1]
        held = tuple(links.point[low:high].tolist()), tuple(links.start_day[low:high].tolist())
        known[(job, *held, end)] = register.offsets["chain"] + at
    return known


def point_at(register: Register, paths: Sequence[Path]) -> Floats:
    """The point of a program at which some of its plans are chosen."""
    known = plan_columns(register)
    point = np.zeros(len(register.columns().names))
    for path in paths:
        point[known[path.key]] = 1.0
    return point
