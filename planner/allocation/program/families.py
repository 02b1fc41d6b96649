"""The integer program of a case: one function a constraint family, named for its promise."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Ints
from planner.allocation.offer.block import nests, node_rows
from planner.allocation.offer.option import Options
from planner.allocation.program.fabric import inside_one_block
from planner.allocation.program.lending import owner_first
from planner.allocation.program.preemption import FAMILIES as PREEMPTION
from planner.allocation.program.register import Register
from planner.allocation.program.row import AT_LEAST, EQUAL, Program, Row, row_of
from planner.allocation.program.support import FAMILIES as SUPPORT

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["FAMILIES", "build_program"]

Family = Callable[[Register], Iterator[Row]]


def build_program(case: Case, options: Options) -> tuple[Program, Register]:
    """
    The integer program over the options of a case.

    Maximise sum over columns of weight(consortium) x value x part done, then, with that held,
    minimise cost, subject to the families of `FAMILIES`. The register tells which column
    stands for what; every row carries its sentence.
    """
    register = Register(case, options)
    rows = tuple(row for family in FAMILIES for row in family(register))
    return Program(register.columns(), rows), register


def one_plan_a_job(register: Register) -> Iterator[Row]:
    """
    A job is served by one plan at most.

    sum_{o in plans(j)} x_o + sum_{m in modes(j)} z_m <= 1    for every job j with a choice

    plans(j) are the runs and the chains of the job.
    """
    case = register.case
    for job, columns in _choices(register):
        name = case.job_names[job]
        team = case.consortium_names[case.job_consortium[job]]
        yield row_of(
            f"one_plan_{job}",
            columns,
            1.0,
            family="one_plan_a_job",
            group=f"the work that `{team}` asks for",
            sentence=f"`{name}` is served once at most",
        )


def no_workload_twice(register: Register) -> Iterator[Row]:
    """
    A workload is funded once, whoever asks for it.

    sum_{j in J_w} (sum_{o in plans(j)} x_o + sum_{m in modes(j)} z_m) <= 1
    for every workload w asked for by more than one job, J_w those jobs
    """
    case = register.case
    same: dict[int, list[tuple[int, Ints]]] = {}
    for job, columns in _choices(register):
        same.setdefault(int(case.job_identity[job]), []).append((job, columns))
    for identity, members in same.items():
        if len(members) > 1:
            names = ", ".join(f"`{case.job_names[job]}`" for job, _ in members)
            yield row_of(
                f"workload_{identity}",
                np.concatenate([columns for _, columns in members]),
                1.0,
                family="no_workload_twice",
                group="no workload funded twice",
                sentence=f"{names} are the same workload, and one of them is funded at most",
            )


def within_pool(register: Register) -> Iterator[Row]:
    """
    No more nodes are held than a pool has.

    sum_{s in spans(p): start_s <= t < end_s} nodes_s x_s <= nodes available in p on day t
    for every pool p whose blocks nest, and every day t on which a span starts or nodes go

    Runs start on few days, and the most nodes are held on a day on which a run starts, so
    these days stand for all. Rows that cannot be broken are left out.
    """
    spans = register.spans
    for pool, here in enumerate(register.options.blocks):
        if not nests(here) or not here:
            continue
        mine = np.flatnonzero(spans.pool == pool)
        ends = [end for block in here for _, end in block.spans]
        days = np.unique(np.concatenate([spans.start_day[mine], ends])).astype(np.int64)
        room = node_rows(here, days)
        name = register.case.pool_names[pool]
        for day, nodes in zip(days.tolist(), room.tolist(), strict=True):
            held = mine[(spans.start_day[mine] <= day) & (spans.end_day[mine] > day)]
            if _most_held(spans.job[held], spans.nodes[held]) <= nodes:
                continue
            yield row_of(
                f"pool_{pool}_{day}",
                spans.column[held],
                spans.nodes[held].astype(np.float64),
                family="within_pool",
                group=f"the nodes of `{name}`",
                sentence=f"`{name}` has {nodes} nodes on {_day(register.case, day)}",
                bound=nodes,
                repair=f"more nodes in `{name}`",
            )


def within_blocks(register: Register) -> Iterator[Row]:
    """
    Nodes come from blocks that stay for the whole span.

    sum_{b} w_{k,b} = sum_{s in k} nodes_s x_s                 for every class k of spans
    sum_{k: start_k <= t < end_k} w_{k,b} <= nodes_b           for every block b and day t
    in pools whose blocks do not nest; k holds the spans of the pool with the same days.
    Within one block counting is enough, so node ids can always be given. Classes of runs that
    stay inside one block, `inside_one_block`, count with the nodes of each run.
    """
    spans, classes, first = register.spans, register.classes, register.offsets["block"]
    keys = np.stack([classes.pool, classes.start_day, classes.end_day], axis=1).reshape(-1, 3)
    free = classes.tied == 0
    for number, (pool, start, end) in enumerate(np.unique(keys[free], axis=0).tolist()):
        parts = np.flatnonzero((keys == (pool, start, end)).all(axis=1) & free)
        mine = np.flatnonzero(
            (spans.pool == pool)
            & (spans.start_day == start)
            & (spans.end_day == end)
            & (register.span_tied == 0)
        )
        name = register.case.pool_names[pool]
        yield row_of(
            f"ids_{number}",
            np.concatenate([spans.column[mine], parts + first]),
            np.concatenate([spans.nodes[mine].astype(np.float64), -np.ones(len(parts))]),
            family="within_blocks",
            group=f"the nodes of `{name}`",
            sentence=f"nodes of `{name}` held from {_day(register.case, start)} stay until "
            f"{_day(register.case, end - 1)}",
            sense=EQUAL,
            bound=0.0,
        )
    for pool, block in np.unique(np.stack([classes.pool, classes.block], axis=1), axis=0).tolist():
        mine = np.flatnonzero((classes.pool == pool) & (classes.block == block))
        name, size = register.case.pool_names[pool], register.options.blocks[pool][block].nodes
        for day in np.unique(classes.start_day[mine]).tolist():
            held = mine[(classes.start_day[mine] <= day) & (classes.end_day[mine] > day)]
            yield row_of(
                f"block_{pool}_{block}_{day}",
                held + first,
                np.maximum(classes.tied[held], 1).astype(np.float64),
                family="within_blocks",
                group=f"the nodes of `{name}`",
                sentence=f"a delivery of `{name}` has {size} nodes on {_day(register.case, day)}",
                bound=size,
                repair=f"more nodes in `{name}`",
            )


def within_budget(register: Register) -> Iterator[Row]:
    """
    A consortium spends no more than its budget.

    sum_{held h of consortium c} cost_h x_h <= budget_c    for every c with a budget
    """
    case, held = register.case, register.held
    for team in np.flatnonzero(case.consortium_budget >= 0).tolist():
        mine = np.flatnonzero(case.job_consortium[held.job] == team)
        mine = mine[held.cost[mine] > 0]
        name, budget = case.consortium_names[team], float(case.consortium_budget[team])
        if len(mine):
            yield row_of(
                f"budget_{team}",
                held.column[mine],
                held.cost[mine],
                family="within_budget",
                group=f"the budget of `{name}`",
                sentence=f"`{name}` may spend {budget:.6g} {case.currency}",
                bound=budget,
                repair=f"{case.currency} more in the budget of `{name}`",
            )


def above_floor(register: Register) -> Iterator[Row]:
    """
    A consortium with a floor holds that much on average over its days.

    sum_{held h of c} equivalent_h nodes_h days_h x_h >= floor_c days_c    for every c with a floor
    """
    case, held = register.case, register.held
    for team in np.flatnonzero(case.consortium_floor > 0).tolist():
        days = int(case.consortium_end_day[team] - case.consortium_first_day[team])
        if days <= 0:
            continue
        mine = np.flatnonzero(case.job_consortium[held.job] == team)
        name, floor = case.consortium_names[team], float(case.consortium_floor[team])
        yield row_of(
            f"floor_{team}",
            held.column[mine],
            case.pool_equivalent[held.pool[mine]] * held.nodes[mine] * held.days[mine],
            family="above_floor",
            group=f"the floor of `{name}`",
            sentence=f"`{name}` holds {floor:g} device-equivalents on average",
            sense=AT_LEAST,
            bound=floor * days,
            repair=f"device-equivalents less in the floor of `{name}`",
            unit=1.0 / days,
        )


def below_cap(register: Register) -> Iterator[Row]:
    """
    A consortium with a cap never holds more.

    sum_{spans s of c: start_s <= t < end_s} equivalent_s nodes_s x_s <= cap_c
    for every c with a cap, and every day t on which one of its spans starts
    """
    case, spans = register.case, register.spans
    for team in np.flatnonzero(case.consortium_cap > 0).tolist():
        mine = np.flatnonzero(case.job_consortium[spans.job] == team)
        amounts = case.pool_equivalent[spans.pool] * spans.nodes
        name, cap = case.consortium_names[team], float(case.consortium_cap[team])
        for day in np.unique(spans.start_day[mine]).tolist():
            held = mine[(spans.start_day[mine] <= day) & (spans.end_day[mine] > day)]
            if _most_held(spans.job[held], amounts[held]) <= cap:
                continue
            yield row_of(
                f"cap_{team}_{day}",
                spans.column[held],
                amounts[held],
                family="below_cap",
                group=f"the cap of `{name}`",
                sentence=f"`{name}` holds at most {cap:g} device-equivalents on {_day(case, day)}",
                bound=cap,
                repair=f"device-equivalents more in the cap of `{name}`",
            )


def within_share(register: Register) -> Iterator[Row]:
    """
    No consortium gets more than its part of the shared pools' device-equivalent time.

    sum_{held h of c in shared pools} equivalent_h nodes_h days_h x_h
        <= share x sum_{deliveries d of shared pools} equivalent_d nodes_d days_d    for every c
    """
    case, held = register.case, register.held
    if case.share_limit_frac <= 0:
        return
    total = shared_time(case)
    shared = case.pool_shared[held.pool]
    for team, name in enumerate(case.consortium_names):
        mine = np.flatnonzero(shared & (case.job_consortium[held.job] == team))
        if len(mine):
            yield row_of(
                f"share_{team}",
                held.column[mine],
                case.pool_equivalent[held.pool[mine]] * held.nodes[mine] * held.days[mine],
                family="within_share",
                group="the share limit",
                sentence=f"`{name}` gets at most {case.share_limit_frac:.3g} of the shared pools",
                bound=case.share_limit_frac * total,
                repair=f"of the shared pools more (as a part) for `{name}`",
                unit=1.0 / total if total else 1.0,
            )


def shared_time(case: Case) -> float:
    """Device-equivalents times days that the shared pools offer in the horizon."""
    first = np.maximum(case.delivery_first_day, 0)
    days = np.maximum(np.minimum(case.delivery_end_day, case.days) - first, 0)
    time = case.pool_equivalent[case.delivery_pool] * case.delivery_nodes * days
    return float(time[case.pool_shared[case.delivery_pool]].sum())


def after_predecessors(register: Register) -> Iterator[Row]:
    """
    A job starts only after the jobs it waits for are finished.

    sum_{plans of B with start <= t} x  <=  sum_{ways of finishing A by day t} x
    for every pair (A before B) and every day t on which B may start; pieces of a preemptible
    B one day at a time. Of a chain only the first link starts the job. Summing over earlier
    starts makes the relaxation tight.
    """
    case, spans, plans = register.case, register.spans, register.plans
    for number, (before, then) in enumerate(
        zip(case.after_before.tolist(), case.after_then.tolist(), strict=True)
    ):
        finish, finish_day = _finishes(register, before)
        pieces = bool(case.job_preemptible[then])
        mine = np.flatnonzero((spans if pieces else plans).job == then)
        columns = spans.column[mine] if pieces else mine
        start = (spans if pieces else plans).start_day[mine]
        for day in np.unique(start).tolist():
            starts = columns[start == day if pieces else start <= day]
            done = finish[finish_day <= day]
            yield row_of(
                f"after_{number}_{day}",
                np.concatenate([starts, done]),
                np.concatenate([np.ones(len(starts)), -np.ones(len(done))]),
                family="after_predecessors",
                group=f"the order of `{case.job_names[before]}` and `{case.job_names[then]}`",
                sentence=f"`{case.job_names[then]}` starts after `{case.job_names[before]}` "
                "is finished",
                bound=0.0,
            )


def _choices(register: Register) -> Iterator[tuple[int, Ints]]:
    """Jobs that have a choice, by name, each with the columns that choose it."""
    job = np.concatenate([register.plans.job, register.options.modes.job])
    column = np.arange(len(job))  # runs, chains and modes are the first families of columns
    order = np.argsort(job, kind="stable")
    cuts = np.flatnonzero(np.diff(job[order])) + 1
    parts = np.split(order, cuts) if len(order) else []
    for part in sorted(parts, key=lambda part: register.case.job_names[int(job[part[0]])]):
        yield int(job[part[0]]), column[part]


def _finishes(register: Register, job: int) -> tuple[Ints, Ints]:
    """Columns that say a job is finished, and the first day after each."""
    plans, lasts, at = register.plans, register.lasts, register.offsets
    if not register.case.job_preemptible[job]:
        rows = np.flatnonzero((plans.job == job) & (plans.done_frac >= 1.0))
        return rows, plans.end_day[rows]
    if register.case.job_partial[job]:
        rows = np.flatnonzero(lasts.job[register.whole] == job)
        return rows + at["whole"], lasts.end_day[register.whole[rows]]
    rows = np.flatnonzero(lasts.job == job)
    return rows + at["last"], lasts.end_day[rows]


def _most_held(job: Ints, amount: np.ndarray) -> float:
    """The most that spans can hold together, each job by its largest."""
    if len(job) == 0:
        return 0.0
    most = np.zeros(int(job.max()) + 1)
    np.maximum.at(most, job, amount)
    return float(most.sum())


def _day(case: Case, day: int) -> str:
    """A day number as a date."""
    return (case.first_day + datetime.timedelta(days=int(day))).isoformat()


FAMILIES: tuple[Family, ...] = (
    one_plan_a_job,
    no_workload_twice,
    within_pool,
    within_blocks,
    inside_one_block,
    within_budget,
    above_floor,
    below_cap,
    within_share,
    after_predecessors,
    owner_first,
    *SUPPORT,
    *PREEMPTION,
)
