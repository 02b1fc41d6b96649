"""Which columns of the program stand for what: runs, chains, modes, pieces, days, work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints, row_count, seal
from planner.allocation.offer.block import nests
from planner.allocation.offer.option import Options
from planner.allocation.program.row import ColumnTable

if TYPE_CHECKING:
    from planner.case import Case

__all__ = [
    "ClassTable",
    "HeldTable",
    "LastTable",
    "Register",
    "SpanTable",
    "WholeTable",
    "kept_frac",
]


@dataclass(frozen=True)
class WholeTable:
    """Plans of a job that one column stands for, in the order of the columns: runs, then chains."""

    job: Ints  # [plan]
    pool: Ints  # [plan] the first one
    nodes: Ints  # [plan] the first number
    links: Ints  # [plan] how many; 1 for a run
    start_day: Ints  # [plan]
    end_day: Ints  # [plan]
    done_frac: Floats  # [plan] part of the tokens done, 1 when finished
    value: Floats  # [plan] without the weight

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


@dataclass(frozen=True)
class LastTable:
    """Days on which a preemptible job may end, and the piece that is its last then."""

    job: Ints  # [last]
    start_day: Ints  # [last] of the piece
    piece_end_day: Ints  # [last] of the whole piece
    end_day: Ints  # [last] on which the nodes are free again, at most `piece_end_day`

    def __post_init__(self) -> None:
        seal(self)


@dataclass(frozen=True)
class SpanTable:
    """Nodes held on days without a break, by one column at one."""

    column: Ints  # [span]
    job: Ints  # [span]
    pool: Ints  # [span]
    nodes: Ints  # [span]
    start_day: Ints  # [span]
    end_day: Ints  # [span]

    def __post_init__(self) -> None:
        seal(self)


@dataclass(frozen=True)
class HeldTable:
    """Days for which one unit of a column holds its nodes: what is paid and counted."""

    column: Ints  # [held]
    job: Ints  # [held]
    pool: Ints  # [held]
    nodes: Ints  # [held]
    days: Floats  # [held]
    cost: Floats  # [held] in the scenario's currency

    def __post_init__(self) -> None:
        seal(self)


@dataclass(frozen=True)
class ClassTable:
    """
    Spans of one pool with the same days, and a block of nodes that they may lie on.

    Spans of jobs that stay inside one block of the fabric are classes of their own, by nodes;
    their columns count runs, those of the others count nodes.
    """

    pool: Ints  # [class]
    block: Ints  # [class] row of the pool's blocks
    start_day: Ints  # [class]
    end_day: Ints  # [class]
    nodes: Ints  # [class] nodes of the block
    tied: Ints  # [class] nodes of each run that stays inside the block, 0 where runs may spread

    @property
    def most(self) -> Ints:
        """Nodes, or runs, of the class that the block has room for."""
        return np.where(self.tied > 0, self.nodes // np.maximum(self.tied, 1), self.nodes)

    def __post_init__(self) -> None:
        seal(self)


def kept_frac(case: Case, job: int, end_day: Ints | int) -> Floats:
    """Part of a job's value that is left when it ends on some day."""
    late = np.maximum(end_day - case.job_soft_due_day[job], 0)
    return np.asarray(np.maximum(1.0 - case.job_loss_per_day[job] * late, 0.0))


@dataclass(frozen=True)
class Register:
    """
    The columns of the program of a case, family after family.

    x [run], x [chain] binary: the run or the chain is chosen. z [mode] binary: the
    preemptible job runs in the mode. h [piece] binary: it holds its nodes in the piece.
    f [last] binary: it ends by that day of its last piece. u [mode] whole: days held, where
    part of the work counts. v [done] between 0 and 1: part of the work done, split by last
    piece where that matters. c [last] binary: all of the work is done, where another job
    waits for one that may stay unfinished. g [use, mode] whole: days held by the day of a
    use-by rule, for preemptible jobs that it counts. w [class] whole: nodes of a block held
    by the spans of a class, in pools where counting nodes is not enough for an assignment of
    node ids to exist.
    """

    case: Case
    options: Options

    @cached_property
    def lasts(self) -> LastTable:
        """Days on which the preemptible jobs whose end matters may end, by job name."""
        modes, pieces = self.options.modes, self.options.pieces
        job = modes.job[pieces.mode]
        spans = np.stack([job, pieces.start_day, pieces.end_day], axis=1).reshape(-1, 3)
        spans = np.unique(spans[(self.is_late_costly | self.is_waited_for)[job]], axis=0)
        found = [
            (owner, start, end, day)
            for owner, start, end in spans.tolist()
            for day in self._end_days(owner, start, end)
        ]
        names = self.case.job_names
        found.sort(key=lambda last: (names[last[0]], *last[1:]))
        return LastTable(*np.array(found, dtype=np.int64).reshape(-1, 4).T.copy())

    def _end_days(self, job: int, start: int, end: int) -> list[int]:
        """Days in a piece on which its end matters: each late one, and those that others await."""
        case, options = self.case, self.options
        days = {end}
        if self.is_late_costly[job]:
            due = int(case.job_soft_due_day[job])
            worthless = due + 1.0 / float(case.job_loss_per_day[job])
            days |= set(range(max(start + 1, due), min(end, int(min(worthless, 1e6)) + 1)))
        if self.is_waited_for[job]:
            waiting = np.isin(self.plans.job, case.after_then[case.after_before == job])
            later = np.isin(
                options.modes.job[options.pieces.mode], case.after_then[case.after_before == job]
            )
            days |= set(self.plans.start_day[waiting].tolist())
            days |= set(options.pieces.start_day[later].tolist())
        return sorted(day for day in days if start < day <= end)

    @cached_property
    def is_late_costly(self) -> Bools:
        """Jobs that lose value after a soft deadline. [job]"""
        return np.asarray(
            (self.case.job_loss_per_day > 0) & (self.case.job_soft_due_day < self.case.days)
        )

    @cached_property
    def is_waited_for(self) -> Bools:
        """Jobs that another job waits for. [job]"""
        waited = np.zeros(len(self.case.job_names), dtype=np.bool_)
        waited[self.case.after_before] = True
        return waited

    @cached_property
    def part_modes(self) -> Ints:
        """Modes of jobs that count in proportion; each has a column of days held."""
        return np.flatnonzero(self.case.job_partial[self.options.modes.job])

    @cached_property
    def done(self) -> Ints:
        """Job and last piece (or -1) of each column of work done. [done, 2]"""
        jobs = list(dict.fromkeys(self.options.modes.job[self.part_modes].tolist()))
        found: list[tuple[int, int]] = []
        for job in jobs:
            lasts = np.flatnonzero(self.lasts.job == job).tolist()
            found += [(job, last) for last in lasts or [-1]]
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    @cached_property
    def whole(self) -> Ints:
        """Last pieces that need a column for all work done. [whole]"""
        case = self.case
        return np.flatnonzero(case.job_partial[self.lasts.job] & self.is_waited_for[self.lasts.job])

    @cached_property
    def uses(self) -> Ints:
        """Use-by rule and mode of each column of days held by a day. [by, 2]"""
        case = self.case
        team = case.job_consortium[self.options.modes.job]
        pairs = [
            (row, int(mode))
            for row, one in enumerate(case.use_consortium.tolist())
            for mode in np.flatnonzero(team == one)
        ]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    @cached_property
    def offsets(self) -> dict[str, int]:
        """First column of each family, and under ``end`` the number of columns."""
        counts = {
            "run": len(self.options.runs),
            "chain": len(self.options.chains),
            "mode": len(self.options.modes),
            "piece": len(self.options.pieces),
            "last": len(self.lasts.job),
            "days": len(self.part_modes),
            "done": len(self.done),
            "whole": len(self.whole),
            "by": len(self.uses),
            "block": len(self.classes.pool),
        }
        at, found = 0, {}
        for family, count in counts.items():
            found[family] = at
            at += count
        return {**found, "end": at}

    @cached_property
    def column_job(self) -> Ints:
        """Job that each column belongs to, -1 for those of a whole pool. [column]"""
        modes = self.options.modes
        return np.concatenate(
            [
                self.plans.job,
                modes.job,
                modes.job[self.options.pieces.mode],
                self.lasts.job,
                modes.job[self.part_modes],
                self.done[:, 0],
                self.lasts.job[self.whole],
                modes.job[self.uses[:, 1]],
                np.full(len(self.classes.pool), -1),
            ]
        ).astype(np.int64)

    @cached_property
    def plans(self) -> WholeTable:
        """Runs, then chains, as plans that one column each stands for."""
        runs, chains, links = self.options.runs, self.options.chains, self.options.links
        first = np.searchsorted(links.chain, np.arange(len(chains)))
        many = np.bincount(links.chain, minlength=len(chains)).astype(np.int64)
        return WholeTable(
            job=np.concatenate([runs.job, chains.job]),
            pool=np.concatenate([runs.pool, links.pool[first]]),
            nodes=np.concatenate([runs.nodes, links.nodes[first]]),
            links=np.concatenate([np.ones(len(runs), dtype=np.int64), many]),
            start_day=np.concatenate([runs.start_day, chains.start_day]),
            end_day=np.concatenate([runs.end_day, chains.end_day]),
            done_frac=np.concatenate([runs.done_frac, chains.done_frac]),
            value=np.concatenate([runs.value, chains.value]),
        )

    @cached_property
    def spans(self) -> SpanTable:
        """Runs, then links, then pieces, as spans of held nodes."""
        runs, links = self.options.runs, self.options.links
        modes, pieces = self.options.modes, self.options.pieces
        mode, first = pieces.mode, len(self.plans) + len(modes)
        columns = [np.arange(len(runs)), len(runs) + links.chain]
        return SpanTable(
            column=np.concatenate([*columns, first + np.arange(len(pieces))]),
            job=np.concatenate([runs.job, self.options.chains.job[links.chain], modes.job[mode]]),
            pool=np.concatenate([runs.pool, links.pool, modes.pool[mode]]),
            nodes=np.concatenate([runs.nodes, links.nodes, modes.nodes[mode]]),
            start_day=np.concatenate([runs.start_day, links.start_day, pieces.start_day]),
            end_day=np.concatenate([runs.end_day, links.end_day, pieces.end_day]),
        )

    @cached_property
    def held(self) -> HeldTable:
        """Runs, links, modes of jobs that must finish, and days of the other modes."""
        runs, links, modes = self.options.runs, self.options.links, self.options.modes
        part, at = self.part_modes, self.offsets
        whole = np.flatnonzero(~self.case.job_partial[modes.job])
        mode = np.concatenate([whole, part])
        days = np.concatenate([modes.need_days[whole], np.ones(len(part))])
        link_days = (links.end_day - links.start_day).astype(np.float64)
        run_days = (runs.end_day - runs.start_day).astype(np.float64)
        per_day = self.case.point_cost_per_day[links.point]
        columns = [np.arange(len(runs)), at["chain"] + links.chain, at["mode"] + whole]
        return HeldTable(
            column=np.concatenate([*columns, at["days"] + np.arange(len(part))]),
            job=np.concatenate([runs.job, self.options.chains.job[links.chain], modes.job[mode]]),
            pool=np.concatenate([runs.pool, links.pool, modes.pool[mode]]),
            nodes=np.concatenate([runs.nodes, links.nodes, modes.nodes[mode]]),
            days=np.concatenate([run_days, link_days, days]),
            cost=np.concatenate([runs.cost, per_day * link_days, modes.cost_per_day[mode] * days]),
        )

    @cached_property
    def classes(self) -> ClassTable:
        """Spans by pool, days and block, for pools whose blocks do not nest."""
        spans = self.spans
        found: list[tuple[int, int, int, int, int, int]] = []
        for pool, here in enumerate(self.options.blocks):
            if nests(here):
                continue
            mine = spans.pool == pool
            days = np.unique(
                np.stack(
                    [spans.start_day[mine], spans.end_day[mine], self.span_tied[mine]], axis=1
                ),
                axis=0,
            ).reshape(-1, 3)
            for start, end, tied in days.tolist():
                found += [
                    (pool, at, start, end, block.nodes, tied)
                    for at, block in enumerate(here)
                    if block.nodes >= tied and block.holds(start, end).all()
                ]
        return ClassTable(*np.array(found, dtype=np.int64).reshape(-1, 6).T.copy())

    @cached_property
    def span_tied(self) -> Ints:
        """Nodes of each span whose job stays inside one block of the fabric, else 0. [span]"""
        if not self.case.job_one_block.any():
            return np.zeros(len(self.spans.job), dtype=np.int64)
        return np.where(self.case.job_one_block[self.spans.job], self.spans.nodes, 0)

    def columns(self) -> ColumnTable:
        """All columns with their bounds, worth and cost."""
        at, case, options = self.offsets, self.case, self.options
        count = at["end"]
        weight = case.consortium_weight[case.job_consortium]
        upper = np.ones(count)
        value = np.zeros(count)
        cost = np.zeros(count)
        is_integer = np.ones(count, dtype=np.bool_)
        modes = options.modes
        value[: at["mode"]] = self.plans.value * weight[self.plans.job]
        whole = ~case.job_partial[modes.job] & ~self.is_late_costly[modes.job]
        full = case.job_value * weight
        value[at["mode"] : at["piece"]] = np.where(whole, full[modes.job], 0.0)
        for row, (job, end) in enumerate(
            zip(self.lasts.job.tolist(), self.lasts.end_day.tolist(), strict=True)
        ):
            if self.is_late_costly[job] and not case.job_partial[job]:
                value[at["last"] + row] = full[job] * float(kept_frac(case, job, end))
        upper[at["days"] : at["done"]] = modes.need_days[self.part_modes]
        for row, (job, last) in enumerate(self.done.tolist()):
            kept = 1.0 if last < 0 else float(kept_frac(case, job, int(self.lasts.end_day[last])))
            value[at["done"] + row] = full[job] * kept
        is_integer[at["done"] : at["whole"]] = False
        upper[at["by"] : at["block"]] = modes.need_days[self.uses[:, 1]]
        upper[at["block"] :] = self.classes.most
        np.add.at(cost, self.held.column, self.held.cost)
        names = tuple(
            f"{family}{number:06d}"
            for family, low, high in self._families()
            for number in range(high - low)
        )
        return ColumnTable(names, upper, is_integer, value, cost)

    def _families(self) -> list[tuple[str, int, int]]:
        """Name, first and end column of each family."""
        edges = list(self.offsets.items())
        return [(name, low, edges[at + 1][1]) for at, (name, low) in enumerate(edges[:-1])]
