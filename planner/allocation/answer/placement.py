"""From a point of the program to who holds how many nodes from when to when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints, row_count, seal
from planner.allocation.offer.block import nests
from planner.allocation.program.register import Register, kept_frac

__all__ = ["PlacementTable", "job_results", "placements"]

DAY_S = 86400.0


@dataclass(frozen=True)
class PlacementTable:
    """Nodes held by a job without a break, by job name and start day."""

    job: Ints  # [placement]
    point: Ints  # [placement] row of the case's point table
    pool: Ints  # [placement]
    nodes: Ints  # [placement]
    start_day: Ints  # [placement]
    end_day: Ints  # [placement]
    tokens: Floats  # [placement]
    cost: Floats  # [placement]

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


def placements(register: Register, point: Floats) -> PlacementTable:
    """
    What a point of the program lets every job hold.

    Parameters
    ----------
    register : Register
        Which columns stand for what.
    point : ndarray [column]
        A settled point.

    Returns
    -------
    PlacementTable
        One row a run, and one a link of a chain, without work on the days that its move
        takes; of a preemptible job one row a stretch of pieces, the last one cut on the day
        on which the work is done. Days half-open from the horizon's first. [day]
    """
    runs, chains, links = register.options.runs, register.options.chains, register.options.links
    spans = [
        (int(runs.job[row]), int(runs.point[row]), int(runs.start_day[row]),
         int(runs.end_day[row]), 0)
        for row in np.flatnonzero(point[: len(runs)] > 0.5)
    ]  # fmt: skip
    chosen = point[register.offsets["chain"] : register.offsets["mode"]] > 0.5
    spans += [
        (int(chains.job[links.chain[row]]), int(links.point[row]), int(links.start_day[row]),
         int(links.end_day[row]), int(links.lost_days[row]))
        for row in np.flatnonzero(chosen[links.chain])
    ]  # fmt: skip
    first = register.offsets["mode"]
    chosen = point[first : first + len(register.options.modes)] > 0.5
    for mode in np.flatnonzero(chosen):
        spans += [(*stretch, 0) for stretch in _stretches(register, point, int(mode))]
    names = register.case.job_names
    spans.sort(key=lambda span: (names[span[0]], span[2]))
    return _table(register, spans)


def _stretches(register: Register, point: Floats, mode: int) -> list[tuple[int, int, int, int]]:
    """Spans of one chosen mode, joined where nothing lies between, cut when the work is done."""
    options, at = register.options, register.offsets
    pieces, modes = options.pieces, options.modes
    rows = np.flatnonzero(pieces.mode == mode)
    rows = rows[point[at["piece"] + rows] > 0.5]
    rows = rows[np.argsort(pieces.start_day[rows])]
    left = int(modes.need_days[mode])
    part = np.flatnonzero(register.part_modes == mode)
    if len(part):
        left = round(float(point[at["days"] + part[0]]))
    joins = nests(options.blocks[int(modes.pool[mode])])
    found: list[tuple[int, int, int, int]] = []
    for start, end in zip(
        pieces.start_day[rows].tolist(), pieces.end_day[rows].tolist(), strict=True
    ):
        days = min(end - start, left)
        if days <= 0:
            break
        left -= days
        begin = found.pop()[2] if joins and found and found[-1][3] == start else start
        found.append((int(modes.job[mode]), int(modes.point[mode]), begin, start + days))
    return found


def _table(register: Register, spans: list[tuple[int, int, int, int, int]]) -> PlacementTable:
    """Spans with their tokens, which add up to no more than a job asks, and their cost."""
    case = register.case
    job, point, start, end, lost = np.array(spans, dtype=np.int64).reshape(-1, 5).T.copy()
    days = (end - start).astype(np.float64)
    tokens = case.point_tokens_per_s[point] * DAY_S * (days - lost)
    left = dict(enumerate(case.job_tokens.tolist()))
    for row, owner in enumerate(job.tolist()):
        tokens[row] = min(tokens[row], left[owner])
        left[owner] = max(left[owner] - float(tokens[row]), 0.0)
    return PlacementTable(
        job=job,
        point=point,
        pool=case.point_pool[point],
        nodes=case.point_nodes[point],
        start_day=start,
        end_day=end,
        tokens=tokens,
        cost=case.point_cost_per_day[point] * days,
    )


def job_results(register: Register, placed: PlacementTable) -> tuple[Floats, Floats]:
    """
    Part done and worth of every job, from what it holds. [1], no unit

    Returns
    -------
    (ndarray [job], ndarray [job])
        Part of the tokens done, 1 when finished; value with lateness, without weight.
    """
    case = register.case
    count = len(case.job_names)
    tokens = np.bincount(placed.job, weights=placed.tokens, minlength=count)
    done = np.where(tokens >= case.job_tokens * (1 - 1e-9), 1.0, tokens / case.job_tokens)
    end = np.zeros(count, dtype=np.int64)
    np.maximum.at(end, placed.job, placed.end_day)
    kept = np.array([float(kept_frac(case, job, int(end[job]))) for job in range(count)])
    counts = np.where(case.job_partial | (done >= 1.0), done, 0.0)
    return done, counts * kept * case.job_value
