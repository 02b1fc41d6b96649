"""Whole plans of one job: every run that the program may choose, with its days, value and cost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.column import Bools, Floats, Ints, row_count, seal, take
from planner.allocation.offer.block import Block, blocks, free_nodes
from planner.allocation.offer.chain import ChainTable, LinkTable, no_chains, take_chains
from planner.allocation.offer.enumeration import every_chain
from planner.allocation.offer.run import days_needed, ordinary_runs, points_of_pairs, start_days

if TYPE_CHECKING:
    from planner.case import Case

__all__ = [
    "CHAIN_LIMIT",
    "ModeTable",
    "OptionTable",
    "Options",
    "PieceTable",
    "days_needed",
    "enumerate_options",
    "plan_keys",
    "some_plans",
]

DAY_S = 86400.0
CHAIN_LIMIT = 40_000
"""Chains up to which all of them are listed: as many columns as the solver may see."""


@dataclass(frozen=True)
class OptionTable:
    """
    Whole contiguous runs, one row a run; the program chooses at most one a job.

    Rows are ordered by job name, pool name, nodes, start day and end day, whatever the order
    of the scenario, so that the same question always builds the same program.
    """

    job: Ints  # [option]
    point: Ints  # [option] row of the case's point table
    pool: Ints  # [option]
    nodes: Ints  # [option]
    start_day: Ints  # [option]
    end_day: Ints  # [option] first day after the run
    done_frac: Floats  # [option] part of the tokens done, 1 when finished
    value: Floats  # [option] worth of what is done, lateness included, without the weight
    cost: Floats  # [option] in the scenario's currency

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


@dataclass(frozen=True)
class ModeTable:
    """Ways to run a preemptible job: a pool and a node count, kept through all its pieces."""

    job: Ints  # [mode]
    point: Ints  # [mode]
    pool: Ints  # [mode]
    nodes: Ints  # [mode]
    need_days: Ints  # [mode] days that the whole work takes
    day_frac: Floats  # [mode] part of the tokens done a day
    cost_per_day: Floats  # [mode]

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


@dataclass(frozen=True)
class PieceTable:
    """Spans, one a mode and period, in which a preemptible job may hold its nodes."""

    mode: Ints  # [piece]
    start_day: Ints  # [piece]
    end_day: Ints  # [piece]

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


@dataclass(frozen=True)
class Options:
    """Everything the program may choose from, and the blocks of nodes it is chosen on."""

    runs: OptionTable
    modes: ModeTable
    pieces: PieceTable
    blocks: tuple[tuple[Block, ...], ...]  # [pool]
    is_whole: bool = True  # whether no plan of a job is left out that the best may need
    chains: ChainTable = field(default_factory=lambda: no_chains()[0])
    links: LinkTable = field(default_factory=lambda: no_chains()[1])


def some_plans(options: Options, columns: Ints) -> Options:
    """Options with some of the runs and chains, given as columns of the program, ascending."""
    runs = columns[columns < len(options.runs)]
    chains, links = take_chains(
        options.chains, options.links, columns[len(runs) :] - len(options.runs)
    )
    return replace(
        options, runs=take(options.runs, runs), chains=chains, links=links, is_whole=False
    )


def plan_keys(options: Options) -> list[tuple[tuple[int, int], ...]]:
    """What tells plans apart, runs and then chains: point and first day of each link; the end."""
    runs, links = options.runs, options.links
    ends = [*runs.end_day.tolist(), *options.chains.end_day.tolist()]
    held = [[one] for one in zip(runs.point.tolist(), runs.start_day.tolist(), strict=True)]
    held += [[] for _ in range(len(options.chains))]
    chain = (links.chain + len(runs)).tolist()
    for at, point, day in zip(chain, links.point.tolist(), links.start_day.tolist(), strict=True):
        held[at].append((point, day))
    return [(*one, (-1, end)) for one, end in zip(held, ends, strict=True)]


def enumerate_options(
    case: Case, *, keeps_all: bool = False, chain_limit: int = CHAIN_LIMIT
) -> Options:
    """
    Every choice worth offering for every job of a case.

    Parameters
    ----------
    case : Case
        The scenario as columns; throughputs in token/s, costs in its currency a day.
    keeps_all : bool
        Whether to offer the dominated ones too: they may need less energy, or end earlier.
    chain_limit : int
        Most plans with changes of pool or nodes, all flexible jobs together.

    Returns
    -------
    Options
        Runs of ordinary jobs; modes and pieces of preemptible ones; chains of flexible ones
        beside their runs. Empty tables when no pair of job and pool can be used. Where there
        would be more chains than the limit there are none, and `is_whole` is false.

    Notes
    -----
    A point B of (job, pool) is dropped for a point A of the same pair when A has no more
    nodes, takes no more days for the whole work, costs no more in all, and, where part of
    the work counts, is no slower and no dearer a day (`dominated`). This keeps the optimum,
    ties by cost included. Proof: take a plan that uses a run of B from day s to e. The run
    of A from s ends at e' <= e, so it lies in the same windows, on a subset of the same
    nodes and days: capacity, caps, share limits and node ids still hold. Its cost is no
    higher, so budgets hold and the tie is no worse. It ends no later, so deadlines and
    whatever waits for it still hold, and the value is no lower; it starts on the same day,
    so whatever it waits for is done. One plan a job and one job a workload are untouched.
    Only a floor, a day of use or equal support asks for more of something that A has less
    of, so nothing is dropped for jobs of a consortium that one of these binds. Of points
    equal in all respects the first stays. For jobs that count only when finished the same
    is done run by run (`run.ordinary_runs`). All this holds for the runs of flexible jobs
    too, since links of chains start on days on which runs may start; what a link of a chain
    makes of a point is another matter (`enumeration.chain_points`).
    """
    pool_blocks = blocks(case)
    order = _pair_order(case)
    by_pair = points_of_pairs(case)
    ordinary: list[int] = []
    ordinary_points: list[Ints] = []
    ranks: list[Ints] = []
    runs: list[tuple[Ints | Floats, ...]] = []
    modes: list[tuple[Ints | Floats, ...]] = []
    pieces: list[tuple[Ints, Ints, Ints]] = []
    mode_count = 0
    for rank, pair in enumerate(order):
        job, pool = int(case.pair_job[pair]), int(case.pair_pool[pair])
        points = by_pair.get((job, pool))
        if points is None or case.pair_reason[pair] != 0:
            continue
        points = points[np.argsort(case.point_nodes[points], kind="stable")]
        if not case.job_preemptible[job] and not case.job_partial[job]:
            ordinary.append(rank)
            ordinary_points.append(points)
            continue
        points = points if keeps_all else points[~dominated(case, job, points)]
        starts = start_days(case, pair)
        due = min(int(case.pair_due_day[pair]), case.days)
        if not case.job_preemptible[job]:
            runs.append(_runs(case, job, points, starts, due, pool_blocks[pool]))
            ranks.append(np.full(len(runs[-1][0]), rank))
            continue
        for point in points:
            spans = _pieces(case, starts, due, pool_blocks[pool], int(case.point_nodes[point]))
            mode = _mode(case, job, int(point))
            usable = int((spans[1] - spans[0]).sum())
            if usable == 0 or (not case.job_partial[job] and usable < mode[4][0]):
                continue
            modes.append(mode)
            pieces.append((np.full(len(spans[0]), mode_count, dtype=np.int64), *spans))
            mode_count += 1
    at = np.array(ordinary, dtype=np.int64)
    position, columns = ordinary_runs(
        case, np.array(order, dtype=np.int64)[at], ordinary_points, pool_blocks,
        keeps_all=keeps_all,
    )  # fmt: skip
    if columns:
        runs.append(columns)
        ranks.append(at[position])
    found = every_chain(case, pool_blocks, chain_limit, keeps_all=keeps_all)
    chains, links = found or no_chains()
    return Options(
        runs=OptionTable(*_in_order(ranks, _joined(runs, "iiiiiifff"))),
        modes=ModeTable(*_joined(modes, "iiiiiff")),
        pieces=PieceTable(*_joined(pieces, "iii")),
        blocks=pool_blocks,
        is_whole=found is not None,
        chains=chains,
        links=links,
    )


def _in_order(ranks: list[Ints], columns: list[Any]) -> list[Any]:
    """Columns of runs by the rank of their pair, those of one pair as they came."""
    if len(ranks) < 2:
        return columns
    order = np.argsort(np.concatenate(ranks), kind="stable")
    return [column[order] for column in columns]


def dominated(case: Case, job: int, points: Ints) -> Bools:
    """Which points of one job and pool another point makes needless; see `enumerate_options`."""
    if len(points) < 2 or case.consortium_must_hold[case.job_consortium[job]]:
        return np.zeros(len(points), dtype=np.bool_)
    tokens_per_s = case.point_tokens_per_s[points]
    days = days_needed(case.job_tokens[job], tokens_per_s)
    per_day = case.point_cost_per_day[points]
    loads = [case.point_nodes[points], days, days * per_day]
    if case.job_partial[job]:
        loads += [-tokens_per_s, per_day]
    no_worse = np.ones((len(points), len(points)), dtype=np.bool_)
    better = np.zeros_like(no_worse)
    for load in loads:
        no_worse &= load[:, None] <= load[None, :]
        better |= load[:, None] < load[None, :]
    earlier = np.arange(len(points))[:, None] < np.arange(len(points))[None, :]
    return np.asarray((no_worse & (better | earlier)).any(axis=0))


def _pair_order(case: Case) -> list[int]:
    """Rows of the pair table by job name, then pool name."""
    return sorted(
        range(len(case.pair_job)),
        key=lambda row: (
            case.job_names[case.pair_job[row]],
            case.pool_names[case.pair_pool[row]],
        ),
    )


def _runs(
    case: Case, job: int, points: Ints, starts: Ints, due: int, here: tuple[Block, ...]
) -> tuple[Ints | Floats, ...]:
    """Columns of the runs of one job in one pool."""
    need = days_needed(case.job_tokens[job], case.point_tokens_per_s[points])
    point_at, start_at = np.divmod(np.arange(len(points) * len(starts)), max(len(starts), 1))
    start = starts[start_at]
    end = start + need[point_at]
    if case.job_partial[job]:
        point_at, start, end = _partial_ends(case, point_at, start, end, due)
    point = points[point_at]
    nodes = case.point_nodes[point]
    keep = (end <= due) & (free_nodes(here, start, end) >= nodes)
    point, start, end, nodes = point[keep], start[keep], end[keep], nodes[keep]
    done = np.minimum(
        case.point_tokens_per_s[point] * DAY_S * (end - start) / case.job_tokens[job], 1.0
    )
    done = np.where(end - start >= need[point_at[keep]], 1.0, done)
    late = np.maximum(end - case.job_soft_due_day[job], 0)
    kept = np.maximum(1.0 - case.job_loss_per_day[job] * late, 0.0)
    value = case.job_value[job] * done * kept
    cost = case.point_cost_per_day[point] * (end - start)
    return (
        np.full(len(point), job, dtype=np.int64),
        point,
        case.point_pool[point],
        nodes,
        start,
        end,
        done,
        value,
        cost,
    )


def _partial_ends(
    case: Case, point_at: Ints, start: Ints, end: Ints, due: int
) -> tuple[Ints, Ints, Ints]:
    """Runs that stop unfinished at a border of a period or at the due day, and finished ones."""
    stops = np.unique(np.append(case.border_day[1:], due))
    stops = stops[stops <= due]
    many = len(start)
    every = np.concatenate([np.tile(stops, (many, 1)), end[:, None]], axis=1).ravel()
    point_at = np.repeat(point_at, len(stops) + 1)
    first = np.repeat(start, len(stops) + 1)
    whole = np.repeat(end, len(stops) + 1)
    finished = np.tile(np.arange(len(stops) + 1) == len(stops), many)
    keep = (every > first) & (finished | (every < whole))
    return point_at[keep], first[keep], every[keep]


def _mode(case: Case, job: int, point: int) -> tuple[Ints | Floats, ...]:
    """Columns of one mode of a preemptible job."""
    rate = case.point_tokens_per_s[point]
    return (
        np.array([job], dtype=np.int64),
        np.array([point], dtype=np.int64),
        np.array([case.point_pool[point]], dtype=np.int64),
        np.array([case.point_nodes[point]], dtype=np.int64),
        days_needed(case.job_tokens[[job]], case.point_tokens_per_s[[point]]),
        np.array([rate * DAY_S / case.job_tokens[job]]),
        np.array([case.point_cost_per_day[point]]),
    )


def _pieces(
    case: Case, starts: Ints, due: int, here: tuple[Block, ...], nodes: int
) -> tuple[Ints, Ints]:
    """Spans of one mode in which enough nodes stay available."""
    at = np.searchsorted(case.border_day, starts, side="right")
    end = np.minimum(case.border_day[np.minimum(at, len(case.border_day) - 1)], due)
    keep = (end > starts) & (free_nodes(here, starts, end) >= nodes)
    return starts[keep], np.asarray(end[keep], dtype=np.int64)


def _joined(parts: list[tuple[Ints | Floats, ...]] | list[tuple[Ints, Ints, Ints]], kinds: str):  # type: ignore[no-untyped-def]
    """Columns of many small tables, one below the other."""
    dtypes = [np.int64 if kind == "i" else np.float64 for kind in kinds]
    if not parts:
        return [np.zeros(0, dtype=dtype) for dtype in dtypes]
    return [
        np.concatenate([part[at] for part in parts]).astype(dtype, copy=False)
        for at, dtype in enumerate(dtypes)
    ]
