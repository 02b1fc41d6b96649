"""Plans of cases in which jobs may change pool or nodes, and which are too large to list."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, take
from planner.allocation.flexible.board import ChainBoard
from planner.allocation.flexible.bound import bound_at, fine_buckets, leaf_buckets
from planner.allocation.flexible.master import Master, path_terms
from planner.allocation.flexible.parts import leaf_bound, written
from planner.allocation.flexible.path import Path
from planner.allocation.flexible.prices import STAGES, Priced, chain_prices
from planner.allocation.flexible.rows import link_rows
from planner.allocation.flexible.search import Searched, search
from planner.allocation.flexible.split import split
from planner.allocation.flexible.ways import all_ways
from planner.allocation.large.band import bands_of, can_price
from planner.allocation.large.insertion import improve
from planner.allocation.large.relaxation import best_columns, relax
from planner.allocation.offer.chain import chains_of
from planner.allocation.offer.option import Options, OptionTable
from planner.allocation.program.families import build_program
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.program.settle import is_feasible
from planner.allocation.proof.certificate import Certificate
from planner.allocation.solver.engine import Engine, Progress, engines_found
from planner.allocation.solver.solve import PROVED, Limits, Solution, solve
from planner.version import version

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["FlexiblePlan", "options_of", "plan_flexible"]

FIXED_PRICE_ROUNDS = 200
FIXED_A_JOB = 40  # runs a job that the search begins with
KNOWN_A_JOB = 120  # plans a job that it goes on with
KEPT_A_JOB = 12  # plans a job that the program has, beside those chosen
SEARCH_BUCKETS = 64
SEED_STEP = 7919  # between the seeds of one search and the next
QUICK_ROUNDS_A_JOB = 4  # of the first plan, before prices are good
DIVIDED_JOBS = 60  # up to here, bounds by parts are worth their time
MOST_LEAVES, CHECK_FRAC = 400, 0.15  # parts, and part of the time to recompute their bounds
CELLS_A_S = 1e8  # cells of the recursion that a second is taken to fill
SPLIT_BUCKETS, SPLIT_FRAC = 250, 0.75
HIDDEN_FRAC = 0.6  # of the gap sought, since rounding hides some of what parts prove
TAUGHT_LEAVES = 20  # parts of which the search learns the best plans
FINE_JOBS = 200  # up to here, prices are sought finely too
FIXED_COLUMNS, FIXED_ROUNDS_A_S = 100_000, 600
FIXED_FRAC, FIXED_FRAC_LARGE = 0.1, 0.3  # part of the time for a plan of whole runs
FIXED_ROUNDS_A_JOB = 60
ROUNDS_A_S = 250  # rounds of the search that a second is taken to hold at 25 jobs
PRICES_FRAC, QUICK_FRAC = 0.3, 0.05  # parts of the time for prices and for the first plan


@dataclass(frozen=True)
class FlexiblePlan:
    """What is found for a case: the program over some plans, its point and the witness."""

    program: Program
    register: Register
    solution: Solution
    certificate: Certificate


def plan_flexible(
    case: Case,
    options: Options,
    *,
    solver: str | Engine | None = None,
    limits: Limits | None = None,
) -> FlexiblePlan:
    """
    The best plan of a case with changes at borders, and a bound on all of them.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    options : Options
        Its whole runs, and its blocks; no job that pauses.
    solver : str or Engine, optional
        For cases with rules that the search does not know, as `solve.solve` takes it.
    limits : Limits, optional
        Time, gap and seed. [s], [1]

    Returns
    -------
    FlexiblePlan
        The program has the plan's own chains and runs, and the best of the others; the
        certificate's bound holds for every plan of the case.

    Notes
    -----
    Prices by column generation, each job's chains by a recursion in numpy; a plan by
    insertion of the best chain in what is left, with ruin-and-recreate. Where no solver can
    give prices, those of whole runs stand.
    """
    limits = limits or Limits()
    return _Flexible(case, options, solver, limits).plan()


class _Flexible:
    """One case while it is planned."""

    def __init__(
        self, case: Case, options: Options, solver: str | Engine | None, limits: Limits
    ) -> None:
        self.case, self.options, self.solver, self.limits = case, options, solver, limits
        self.began = time.monotonic()
        self.rows = link_rows(case, options.blocks)
        self.ways = all_ways(case, options.blocks)
        self.board = ChainBoard(self.rows, self.ways, SEARCH_BUCKETS)
        self.best: Searched | None = None
        self.bound = np.inf
        self.searches = 0

    def left(self) -> float:
        """Time that is left. [s]"""
        return self.limits.time_limit_s - (time.monotonic() - self.began)

    def plan(self) -> FlexiblePlan:
        """Prices, plans, and what both prove."""
        total, many = self.limits.time_limit_s, len(self.ways)
        is_small = many <= DIVIDED_JOBS
        prices = self._fixed()
        self._search(prices, QUICK_ROUNDS_A_JOB * many, QUICK_FRAC * total)
        master, priced = self._priced(prices, PRICES_FRAC * total)
        buckets = fine_buckets(self.ways)
        self.bound = bound_at(self.rows, self.ways, priced.prices, buckets)
        used = np.flatnonzero(priced.prices > 0)
        named = {self.rows.names[row]: float(priced.prices[row]) for row in used.tolist()}
        self.board.learn(self._worthiest(priced.paths, priced.prices, KNOWN_A_JOB))
        for spend in (0.3, 0.9) if is_small else (0.9,):
            rounds = int(ROUNDS_A_S * 25 / max(many, 25) * spend * max(self.left(), 0.0))
            self._search(priced.prices, rounds, spend * self.left())
            if is_small and spend < 0.5 and master is not None:
                named |= self._divided(master, priced.prices)
        return self._answer(priced, Certificate(named, self.bound))

    def _divided(self, master: Master, prices: Floats) -> dict[str, float]:
        """Entries of a certificate by parts, where they prove more than the whole does."""
        value = self.best.value if self.best else 0.0
        if value >= self.bound * (1 - self.limits.gap_frac):
            return {}
        buckets = leaf_buckets(self.ways)
        cells = sum(len(one.point) * len(one.border_day) for one in self.ways) * buckets
        most = int(CHECK_FRAC * self.limits.time_limit_s * CELLS_A_S / max(cells, 1))
        paths = self._worthiest(tuple(master.paths), prices, KNOWN_A_JOB // 2)
        trimmed = self._master(paths)
        trimmed.add_absences(sum(float(one.worth.max()) for one in self.ways))
        found = split(trimmed, self.ways, prices, value=value, gap_frac=self.limits.gap_frac,
                      buckets=SPLIT_BUCKETS, most=min(max(most, 2), MOST_LEAVES),
                      time_limit_s=SPLIT_FRAC * self.left())  # fmt: skip
        for leaf in sorted(found.leaves, key=lambda leaf: -leaf.estimate)[:TAUGHT_LEAVES]:
            self.board.learn(self._worthiest(tuple(trimmed.paths), leaf.prices, KNOWN_A_JOB // 8))
        leaves = [(leaf.part.number, leaf.prices) for leaf in found.leaves]
        bounds = [leaf_bound(self.rows, self.ways, leaf.part, leaf.prices, buckets)
                  for leaf in found.leaves]  # fmt: skip
        if not found.divided or max(bounds) >= self.bound:
            return {}
        self.bound = max(bounds)
        return written(self.rows.names, leaves, found.divided)

    def _fixed(self) -> Floats:
        """Prices of the case without changes, with its best runs and a plan of them kept."""
        case, options = self.case, replace(self.options, is_whole=True)
        if len(options.runs) == 0 or not can_price(options):
            return np.zeros(len(self.rows.names))
        total, many = self.limits.time_limit_s, max(len(self.ways), 1)
        bands = bands_of(case, options)
        found = relax(bands, rounds=FIXED_PRICE_ROUNDS, time_limit_s=0.1 * total)
        named = Certificate.of(bands, found.prices).prices
        prices = np.array([max(named.get(name, 0.0), 0.0) for name in self.rows.names])
        columns = best_columns(bands, found.prices, max(FIXED_COLUMNS // many, 20))
        spend = total * (FIXED_FRAC if many <= FINE_JOBS else FIXED_FRAC_LARGE)
        rounds = min(int(FIXED_ROUNDS_A_S * spend), FIXED_ROUNDS_A_JOB * many)
        plan = improve(bands.part(columns), found.prices, rounds=rounds,
                       time_limit_s=spend, seed=self.limits.seed,
                       on_better=self._told)  # fmt: skip
        if plan is not None:
            chosen = columns[plan.chosen]
            chosen = chosen[chosen < len(options.runs)]
            paths = _run_paths(case, take(options.runs, chosen))
            self.board.learn(paths)
            if self._put(paths):
                self.best = Searched(tuple(paths), self.board.total, plan.rounds)
        columns = best_columns(bands, found.prices, FIXED_A_JOB)
        columns = columns[columns < len(options.runs)]
        self.board.learn(_run_paths(case, take(options.runs, columns)))
        return prices

    def _put(self, paths: Sequence[Path]) -> bool:
        """Lay a plan on the board; whether every row is kept."""
        self.board.clear()
        for path in paths:
            row, _, amount = path_terms(self.rows, [path])
            self.board.put((path, row, amount))
        return self.board.holds()

    def _search(self, prices: Floats, rounds: int, time_limit_s: float) -> None:
        """Look for a better plan from the best so far."""
        board, limits = self.board, self.limits
        self._put(self.best.paths if self.best else ())
        self.searches += 1
        goal = self.bound * (1 - limits.gap_frac)
        found = search(board, prices, rounds=rounds, time_limit_s=time_limit_s,
                       seed=limits.seed + SEED_STEP * self.searches, goal=goal,
                       on_better=self._told)  # fmt: skip
        if found is not None and (self.best is None or found.value > self.best.value):
            self.best = found

    def _told(self, value: float) -> None:
        """Tell progress in the minimisation's sign, as solvers report it."""
        if self.limits.on_progress is not None and (not self.best or value > self.best.value):
            bound = -self.bound if np.isfinite(self.bound) else None
            seconds = time.monotonic() - self.began
            self.limits.on_progress(Progress(seconds, -value, bound))

    def _priced(self, prices: Floats, time_limit_s: float) -> tuple[Master | None, Priced]:
        """Prices by column generation, or those given where HiGHS is not there."""
        if "highs" not in engines_found():
            return None, Priced(prices, np.inf, 0.0, (), 0)
        master = self._master(list(self.best.paths) if self.best else [])
        stages = STAGES if len(self.ways) <= FINE_JOBS else STAGES[:1]
        return master, chain_prices(master, self.ways, prices, stages=stages,
                                    time_limit_s=time_limit_s)  # fmt: skip

    def _master(self, paths: list[Path]) -> Master:
        """The relaxed program over some plans."""
        master = Master(self.rows, len(self.case.job_names))
        master.add_shortfalls(sum(float(one.worth.max()) for one in self.ways))
        master.add(paths)
        return master

    def _worthiest(self, found: Sequence[Path], prices: Floats, each: int) -> list[Path]:
        """The plans of each job that earn most at the prices."""
        if not found:
            return []
        paths = list(found)
        row, plan, amount = path_terms(self.rows, paths)
        profit = np.array([path.value for path in paths])
        np.subtract.at(profit, plan, prices[row] * amount)
        job = np.array([path.job for path in paths])
        order = np.lexsort((-profit, job))
        first = np.searchsorted(job[order], job[order])
        kept = np.sort(order[np.arange(len(order)) - first < each])
        return [paths[at] for at in kept.tolist()]

    def _answer(self, priced: Priced, certificate: Certificate) -> FlexiblePlan:
        """The plan as a point of a program over its chains and some others."""
        mine = list(self.best.paths) if self.best else []
        best = self._worthiest(priced.paths, priced.prices, KEPT_A_JOB)
        paths = list({path.key: path for path in (*mine, *best)}.values())
        options = options_of(self.case, self.options, paths)
        program, register = build_program(self.case, options)
        start = _point(register, mine)
        seconds = time.monotonic() - self.began
        if self.best is not None and is_feasible(program, start):
            value, cost = float(program.columns.value @ start), float(program.columns.cost @ start)
            found = Solution("feasible", start, value, None, cost, None, seconds, "insertion",
                             version(), self.best.was_interrupted)  # fmt: skip
        else:  # a rule that the search does not know
            rest = replace(self.limits, time_limit_s=max(self.left(), 0.1))
            found = solve(program, solver=self.solver, limits=rest, ties_by_cost=False)
            status = "unsolved" if found.status == "infeasible" else found.status
            found = replace(found, status=status, bound=None)
        return FlexiblePlan(program, register, _bounded(found, self.bound, seconds), certificate)


def _bounded(found: Solution, bound: float, seconds: float) -> Solution:
    """The solution judged by the bound that holds for all plans."""
    if found.objective is None:
        return replace(found, seconds=seconds)
    bound = max(bound, found.objective)
    proved = bound - found.objective <= PROVED * max(abs(bound), 1e-12)
    status = "optimal" if proved else "feasible"
    return replace(found, bound=bound, status=status, seconds=seconds)


def _run_paths(case: Case, runs: OptionTable) -> list[Path]:
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


def _point(register: Register, paths: Sequence[Path]) -> Floats:
    """The point of a program at which some of its plans are chosen."""
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
    point = np.zeros(len(register.columns().names))
    for path in paths:
        point[known[path.key]] = 1.0
    return point
