"""Finish-time fairness: nobody waits much longer than with an equal part of the pools alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.offer.option import Options
from planner.allocation.policy.figures import Figures
from planner.allocation.policy.goal import Goal, level_goals, widened, work_and_cost
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program, Row, row_of

if TYPE_CHECKING:
    from planner.case import Case

__all__ = [
    "FinishTerms",
    "finish_goal",
    "finish_terms",
    "finish_time_goals",
    "mean_days",
    "ratios",
    "servable",
]


@dataclass(frozen=True)
class FinishTerms:
    """How the days of jobs add up to those of a consortium."""

    part: Floats  # [job] of its consortium's value, 0 for jobs that do not count
    release: Ints  # [job] day
    unserved: Floats  # [job] days that count when nothing is done of it
    counts: Bools  # [consortium] with a weight and with work that can be done

    def unserved_days(self, case: Case) -> Floats:
        """Mean days of each consortium when nothing is done. [consortium]"""
        count = len(case.consortium_names)
        days = np.bincount(case.job_consortium, self.part * self.unserved, minlength=count)
        return days.astype(np.float64)


def servable(case: Case, options: Options) -> Bools:
    """Jobs that some whole plan serves. [job]"""
    owners = np.concatenate([options.runs.job, options.chains.job, options.modes.job])
    return np.isin(np.arange(len(case.job_names)), owners)


def finish_terms(case: Case, serves: Bools) -> FinishTerms:
    """
    Which jobs count how much in the mean days of their consortium.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    serves : ndarray [job]
        Jobs that some plan can serve; others are not asked of anyone.

    Returns
    -------
    FinishTerms
        A job is released on the first day on which it may start anywhere. One that is not
        done counts the days to the horizon's end and the whole horizon besides, so that
        doing it on the last day is better than not at all.
    """
    usable = case.pair_reason == 0
    release = np.full(len(case.job_names), case.days, dtype=np.int64)
    np.minimum.at(release, case.pair_job[usable], np.maximum(case.pair_release_day[usable], 0))
    worth = np.where(serves, case.job_value, 0.0)
    total = np.bincount(case.job_consortium, worth, minlength=len(case.consortium_names))
    of_mine = total[case.job_consortium]
    return FinishTerms(
        part=np.divide(worth, of_mine, out=np.zeros(len(worth)), where=of_mine > 0),
        release=release,
        unserved=(case.days - release + case.days).astype(np.float64),
        counts=(total > 0) & (case.consortium_weight > 0),
    )


def mean_days(case: Case, terms: FinishTerms, figures: Figures) -> Floats:
    """
    Days from release to end of each consortium's jobs, in the mean by value. [day]

    Of a job of which a part is done, that part counts with its end and the rest as not done.
    """
    waited = figures.end_day - terms.release
    saved = figures.done * (terms.unserved - waited)
    saved = np.where(figures.end_day > 0, saved, 0.0)
    mine = terms.part * (terms.unserved - saved)
    days = np.bincount(case.job_consortium, mine, minlength=len(case.consortium_names))
    return days.astype(np.float64)


def ratios(case: Case, terms: FinishTerms, figures: Figures, alone_days: Floats) -> Floats:
    """Mean days over those alone with an equal part; 0 for who does not count. [consortium]"""
    days = mean_days(case, terms, figures)
    counts = terms.counts & (alone_days > 0)
    return np.divide(days, alone_days, out=np.zeros(len(days)), where=counts)


def finish_time_goals(
    register: Register, program: Program, terms: FinishTerms, alone_days: Floats
) -> tuple[Program, tuple[Goal, ...]]:
    """
    Nobody waits much longer than alone: the largest ratio first, then the next, and so on.

    For consortium c let t_c be the mean, by value, of the days from a job's release to its
    end (`mean_days`), t0_c the same in its plan of least t_c alone on an equal part of the
    shared pools and its own pools (`standing.equal_part`), w_c its weight. Then

    min lex  sorted, largest first:  w_c t_c / t0_c     for every c

    by the levels of `goal.max_min_goals` on M - w_c t_c / t0_c, then weighted work, then
    cost. Without weights it is the finish-time fairness of [1]_, as a policy over a whole
    plan instead of the next round [2]_; t_c is linear in the columns.

    Parameters
    ----------
    register, program : Register, Program
        What there is to choose from, the dominated runs included, since they may end earlier.
    terms : FinishTerms
        How jobs count.
    alone_days : ndarray [consortium]
        t0_c; those of 0 or without `counts` are left out. [day]

    Returns
    -------
    (Program, tuple of Goal)
        The program with columns and rows behind it. Levels are told as sums of the largest
        weighted ratios.

    References
    ----------
    .. [1] K. Mahajan et al., "Themis: fair and efficient GPU cluster scheduling," NSDI, 2020.
    .. [2] D. Narayanan et al., "Heterogeneity-aware cluster scheduling policies for deep
       learning workloads," OSDI, 2020.
    """
    case = register.case
    wide, saved = _saving(register, program, terms)
    unserved = terms.unserved_days(case)
    teams = np.flatnonzero(terms.counts & (alone_days > 0))
    scale = case.consortium_weight[teams] / alone_days[teams]
    none = scale * unserved[teams]
    top = float(none.max(initial=0.0))
    names = tuple(case.consortium_names[team] for team in teams.tolist())
    matrix = np.stack([saved.of_team(team) for team in teams.tolist()]) if len(teams) else None
    if matrix is None:
        return wide, work_and_cost(wide)
    offset = top - none
    wider, goals = level_goals(wide, names, matrix * scale[:, None], offset, top)

    def measured(level: int) -> Callable[[Floats], float]:
        def value(point: Floats) -> float:
            share = offset + scale * saved.days(point)[teams]
            return -float(np.sort(share)[:level].sum())

        return value

    told = tuple(
        replace(goal, shares=None, sign=1.0, shift=goal.level * top, measure=measured(goal.level))
        for goal in goals
    )
    return wider, (*told, *work_and_cost(wider))


def finish_goal(
    register: Register, program: Program, terms: FinishTerms, team: int
) -> tuple[Program, Goal]:
    """The least mean days of one consortium; told in days."""
    wide, saved = _saving(register, program, terms)
    unserved = float(terms.unserved_days(register.case)[team])
    return wide, Goal(
        "days", -saved.of_team(team), shift=unserved,
        measure=lambda point: -float(saved.days(point)[team]),
    )  # fmt: skip


@dataclass(frozen=True)
class _Saved:
    """Days below those of nothing done that columns save their consortium."""

    register: Register
    terms: FinishTerms
    a_unit: Floats  # [column] of the wider program, of the job's consortium
    owner: Ints  # [column] consortium, -1 for those that save nothing

    def of_team(self, team: int) -> Floats:
        """Days that a unit of each column saves a consortium. [column]"""
        return np.where(self.owner == team, self.a_unit, 0.0)

    def days(self, point: Floats) -> Floats:
        """Days saved at a point of the program, from its whole columns. [consortium]"""
        case, options, at = self.register.case, self.register.options, self.register.offsets
        count = len(case.consortium_names)
        first = at["mode"]
        used = self.a_unit[:first] * point[:first]
        there = self.owner[:first] >= 0
        total = np.bincount(self.owner[:first][there], used[there], minlength=count).astype(float)
        pieces = point[at["piece"] : at["piece"] + len(options.pieces)] > 0.5
        piece_job = options.modes.job[options.pieces.mode]
        for job in np.unique(options.modes.job).tolist():
            held = options.pieces.end_day[pieces & (piece_job == job)]
            if len(held) and case.job_consortium[job] >= 0:
                done = float(point[_done_columns(self.register, job)].sum())
                wait = float(held.max()) - float(self.terms.release[job])
                gain = done * (float(self.terms.unserved[job]) - wait)
                total[case.job_consortium[job]] += float(self.terms.part[job]) * gain
        return np.asarray(total, dtype=np.float64)


def _done_columns(register: Register, job: int) -> Ints:
    """Columns whose sum is the part done of a job that pauses."""
    if register.case.job_partial[job]:
        return np.flatnonzero(register.done[:, 0] == job) + register.offsets["done"]
    return np.flatnonzero(register.options.modes.job == job) + register.offsets["mode"]


def _saving(register: Register, program: Program, terms: FinishTerms) -> tuple[Program, _Saved]:
    """
    The program with columns for the ends of jobs that pause, and what every column saves.

    u [job, end] between 0 and 1 is the part of the work of a job that counts as ended by the
    end of a piece. With h the pieces held and f the part done,

    sum_e u_e <= f,    sum_{e < end_k} u_e + sum_{pieces that end on end_k} h <= 1
    """
    case, options, at = register.case, register.options, register.offsets
    whole = np.zeros(at["end"])
    owner = np.full(at["end"], -1, dtype=np.int64)
    first = at["mode"]
    job, end, done = _whole_plans(register)
    whole[:first] = done * terms.part[job] * (terms.unserved[job] - (end - terms.release[job]))
    owner[:first] = np.where(terms.part[job] > 0, case.job_consortium[job], -1)
    piece_job = options.modes.job[options.pieces.mode]
    rows: list[Row] = list(program.rows)
    more: list[float] = []
    teams: list[int] = []
    for pausing in np.unique(piece_job).tolist():
        if terms.part[pausing] <= 0:
            continue
        mine = np.flatnonzero(piece_job == pausing)
        ends = np.unique(options.pieces.end_day[mine])
        columns = at["end"] + len(more) + np.arange(len(ends))
        rows += _end_rows(register, pausing, mine, ends, columns)
        gain = terms.unserved[pausing] - (ends - terms.release[pausing])
        more += (terms.part[pausing] * gain).tolist()
        teams += [int(case.job_consortium[pausing])] * len(ends)
    wide = Program(widened(program.columns, [1.0] * len(more), "finish"), tuple(rows))
    units = np.concatenate([whole, np.array(more, dtype=np.float64)])
    owners = np.concatenate([owner, np.array(teams, dtype=np.int64)])
    return wide, _Saved(register, terms, units, owners)


def _whole_plans(register: Register) -> tuple[Ints, Ints, Floats]:
    """Job, end day and part done of each column that is a whole plan."""
    runs, chains = register.options.runs, register.options.chains
    job = np.concatenate([runs.job, chains.job])
    end = np.concatenate([runs.end_day, chains.end_day])
    done = np.concatenate([runs.done_frac, chains.done_frac])
    done = np.where(register.case.job_partial[job], done, 1.0)
    first = register.offsets["mode"]  # a register that knows no chains has none of their columns
    return job[:first], end[:first], done[:first]


def _end_rows(register: Register, job: int, pieces: Ints, ends: Ints, columns: Ints) -> list[Row]:
    """Rows that tie the ends of one job that pauses to its pieces."""
    name, options = register.case.job_names[job], register.options
    words = {
        "family": "finish",
        "group": f"the end of `{name}`",
        "sentence": f"`{name}` ends with the last period in which it holds nodes",
    }
    done = _done_columns(register, job)
    terms = np.concatenate([columns, done])
    signs = np.concatenate([np.ones(len(columns)), -np.ones(len(done))])
    rows = [row_of(f"finish_{job}", terms, signs, bound=0.0, **words)]  # type: ignore[arg-type]
    for place, end in enumerate(ends.tolist()):
        held = pieces[options.pieces.end_day[pieces] == end] + register.offsets["piece"]
        rows.append(
            row_of(f"finish_{job}_{end}", np.concatenate([columns[:place], held]), 1.0, **words)  # type: ignore[arg-type]
        )
    return rows
