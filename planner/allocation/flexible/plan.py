"""Plans of cases in which jobs may change pool or nodes, and which are too large to list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, take
from planner.allocation.flexible.board import ChainBoard
from planner.allocation.flexible.bound import leaf_buckets
from planner.allocation.flexible.clock import Clock
from planner.allocation.flexible.dive import dive
from planner.allocation.flexible.divided import Division
from planner.allocation.flexible.made import run_paths
from planner.allocation.flexible.master import Master, path_terms
from planner.allocation.flexible.model import chain_model
from planner.allocation.flexible.parts import EVERY, FINENESS, Part
from planner.allocation.flexible.path import Path
from planner.allocation.flexible.prices import STAGES, Priced, chain_prices
from planner.allocation.flexible.search import Searched, search
from planner.allocation.flexible.split import Split
from planner.allocation.flexible.whole import WholeRuns, solve_runs, wide_program
from planner.allocation.large.band import bands_of, can_price
from planner.allocation.large.insertion import improve
from planner.allocation.large.relaxation import best_columns, relax
from planner.allocation.offer.option import Options
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.proof.certificate import Certificate
from planner.allocation.solver.engine import Engine, Progress, engines_found
from planner.allocation.solver.solve import PROVED, Limits, Solution, solve
from planner.version import version

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["FlexiblePlan", "plan_flexible"]

FIXED_PRICE_ROUNDS = 200
FIXED_A_JOB = 40  # runs a job that the search begins with
KNOWN_A_JOB = 120  # plans a job that it goes on with
KEPT_A_JOB = 12  # plans a job that the program has, beside those chosen
SEARCH_BUCKETS = 64
SEED_STEP = 7919  # between the seeds of one search and the next
QUICK_ROUNDS_A_JOB = 4  # of the first plan, before prices are good
DIVIDED_JOBS = 60  # up to here, bounds by parts are worth their time
TAUGHT_LEAVES = 20  # parts of which the search learns the best plans
FINE_JOBS = 200  # up to here, prices are sought finely too
FIXED_COLUMNS, FIXED_ROUNDS_A_S = 100_000, 600
FIXED_FRAC, FIXED_FRAC_LARGE = 0.1, 0.3  # part of the time for a plan of whole runs
FIXED_ROUNDS_A_JOB = 60
ROUNDS_A_S = 500  # rounds of the search that a second is taken to hold at 25 jobs
PRICES_FRAC, QUICK_FRAC = 0.3, 0.05  # parts of the time for prices and for the first plan
ALL_RUNS, ALONE_FRAC = 15_000, 0.15  # runs that a solver is asked about, part of the time for it
MORE_FRAC = 0.1  # part of the time for each further search
MOST_IDLE = 3  # turns that bring nothing, before the solver has what is left of the time
ROUNDED_FRAC = 0.01  # of a bound, that a finer division of work may take off it
DIVE_ROUNDS = 500  # of the search from a plan that a mixture gave
DIVIDED_FRAC = 0.4  # part of what is left for bounds by parts, before a further search
LEAST_S = 0.5  # below, a solver is not asked for a better plan


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
    give prices, those of whole runs stand. Up to `ALL_RUNS` runs a solver plans them alone
    first, and what it finds in its share of the time is the least that is returned; in the time
    that is left it improves the best plan over all runs and the chains found. Where the
    search does not know a rule, it is not asked further, and the time is the solver's.
    """
    limits = limits or Limits()
    return _Flexible(case, options, solver, limits).plan()


class _Flexible:
    """One case while it is planned."""

    def __init__(
        self, case: Case, options: Options, solver: str | Engine | None, limits: Limits
    ) -> None:
        self.case, self.options, self.solver, self.limits = case, options, solver, limits
        self.clock = Clock(limits.time_limit_s)
        self.model = chain_model(case, options.blocks, threads=limits.threads)
        self.rows, self.ways = self.model.rows, self.model.ways
        self.board = ChainBoard(self.rows, self.ways, SEARCH_BUCKETS)
        self.best: Searched | None = None
        self.alone: WholeRuns | None = None
        self.runs: list[Path] = []  # those of each job that pay best
        self.bound = np.inf
        self.searches = 0

    def plan(self) -> FlexiblePlan:
        """Prices, plans, and what both prove."""
        total, many = self.limits.time_limit_s, len(self.ways)
        is_small = many <= DIVIDED_JOBS
        prices = self._fixed()
        self._alone()
        self._search(prices, QUICK_ROUNDS_A_JOB * many, min(QUICK_FRAC * total, self.clock.left()))
        master, priced = self._priced(prices, min(PRICES_FRAC * total, self.clock.left() / 2))
        is_known = self._knows_all()
        in_turns = is_known and is_small and master is not None
        brief = leaf_buckets(self.ways) if in_turns else None
        self.bound = self.clock.whole_bound(self.model, priced.prices, brief)
        used = np.flatnonzero(priced.prices > 0)
        named = {self.rows.names[row]: float(priced.prices[row]) for row in used.tolist()}
        self.board.learn(self._worthiest(priced.paths, priced.prices, KNOWN_A_JOB))
        if master is None or not in_turns:
            is_better = is_known
            while is_better and not self._is_near() and self.clock.left() > LEAST_S:
                spend = 0.75 * self.clock.left()
                rounds = int(ROUNDS_A_S * 25 / max(many, 25) * spend)
                is_better = self._search(priced.prices, rounds, spend)
        else:
            named |= self._in_turns(master, priced)
        if self.clock.is_coarse:
            named[FINENESS] = float(self.clock.buckets)
        return self._answer(priced, Certificate(named, self.bound, is_recomputed=True))

    def _in_turns(self, master: Master, priced: Priced) -> dict[str, float]:
        """Plans and bounds by turns, until they are near; entries of a certificate by parts."""
        total, prices = self.limits.time_limit_s, priced.prices
        rounds = int(ROUNDS_A_S * MORE_FRAC * total)
        self._search(prices, rounds, 2 * MORE_FRAC * total)
        if not self._is_near() and self._is_near(ROUNDED_FRAC):
            self._bound_finely(prices)
        paths = self._worthiest(tuple(master.paths), prices, KNOWN_A_JOB // 2)
        trimmed, diver = self._served(paths), self._served(paths)
        division, part = Division(trimmed, (prices, priced.estimate), self.clock), EVERY
        idle = 0
        while not self._is_near() and self.clock.left() > 0 and idle < MOST_IDLE:
            has_more = self._dive(diver, part, prices)
            value = self.best.value if self.best else 0.0
            goal = value / (1 - min(self.limits.gap_frac, 0.99))
            has_more |= division.go_on(goal, DIVIDED_FRAC * self.clock.left())
            if division.found is not None:
                self._learn(division.found, trimmed.paths)
                part = max(division.found.leaves, key=division.reach).part
            self.bound = min(self.bound, division.bound)
            if self._is_near():
                break
            has_more |= self._search(prices, rounds, min(MORE_FRAC * total, self.clock.left()))
            idle = 0 if has_more else idle + 1
        return division.entries if division.bound <= self.bound else {}

    def _bound_finely(self, prices: Floats) -> None:
        """Take the bound on all plans again with a finer division of work, where it is less."""
        clock = self.clock
        before = clock.buckets, clock.is_coarse
        bound = clock.whole_bound(self.model, prices)
        if bound < self.bound:
            self.bound = bound
        else:
            clock.buckets, clock.is_coarse = before

    def _dive(self, master: Master, part: Part, prices: Floats) -> bool:
        """Make a plan of a mixture and look for better ones from there; whether there is one."""
        most = MORE_FRAC * self.limits.time_limit_s
        found = dive(master, self.board, part, time_limit_s=min(2 * most, self.clock.left()))
        self.board.learn(found)
        return self._sought(prices, DIVE_ROUNDS, min(most, self.clock.left()))

    def _learn(self, found: Split, paths: Sequence[Path]) -> None:
        """Keep the best plans of the parts with the largest bounds for the search."""
        for leaf in sorted(found.leaves, key=lambda leaf: -leaf.estimate)[:TAUGHT_LEAVES]:
            self.board.learn(self._worthiest(paths, leaf.prices, KNOWN_A_JOB // 8))

    def _is_near(self, spare: float = 0.0) -> bool:
        """Whether the best plan is within the gap that is asked for, and some part more."""
        value = self.best.value if self.best else 0.0
        return value >= self.bound * (1 - self.limits.gap_frac - spare)

    def _alone(self) -> None:
        """A solver's plan of whole runs, from which the search goes on where it knows all rules."""
        if not 0 < len(self.options.runs) <= ALL_RUNS:
            return
        limits = replace(self.limits, time_limit_s=ALONE_FRAC * self.limits.time_limit_s)
        paths = self.best.paths if self.best else ()
        self.alone = solve_runs(self.case, self.options, solver=self.solver, limits=limits,
                                paths=paths)  # fmt: skip
        if self.alone is None:
            return
        if self.alone.found.was_interrupted:
            self.clock.stop()
        is_better = self.best is None or self.alone.value > self.best.value
        if is_better and self._put(self.alone.paths):
            self.board.learn(list(self.alone.paths))
            self.best = Searched(self.alone.paths, self.board.total, 0)

    def _knows_all(self) -> bool:
        """Whether what the search found keeps every row of a program, rules of nodes too."""
        if self.best is None:
            return True
        mine = self.best.paths
        wide = wide_program(self.case, self.options, mine, mine, None)
        return wide.start is not None

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
            paths = run_paths(case, take(options.runs, chosen))
            self.board.learn(paths)
            if self._put(paths):
                self.best = Searched(tuple(paths), self.board.total, plan.rounds)
        columns = best_columns(bands, found.prices, FIXED_A_JOB)
        columns = columns[columns < len(options.runs)]
        self.runs = run_paths(case, take(options.runs, columns))
        self.board.learn(self.runs)
        return prices

    def _put(self, paths: Sequence[Path]) -> bool:
        """Lay a plan on the board; whether every row is kept."""
        self.board.clear()
        for path in paths:
            row, _, amount = path_terms(self.rows, [path])
            self.board.put((path, row, amount))
        return self.board.holds()

    def _search(self, prices: Floats, rounds: int, time_limit_s: float) -> bool:
        """Look for a better plan from the best so far; whether there is one."""
        self._put(self.best.paths if self.best else ())
        return self._sought(prices, rounds, time_limit_s)

    def _sought(self, prices: Floats, rounds: int, time_limit_s: float) -> bool:
        """Look for a better plan from what is on the board; whether there is one."""
        board, limits = self.board, self.limits
        self.searches += 1
        goal = self.bound * (1 - limits.gap_frac)
        found = search(board, prices, rounds=rounds, time_limit_s=time_limit_s,
                       seed=limits.seed + SEED_STEP * self.searches, goal=goal,
                       on_better=self._told)  # fmt: skip
        is_better = found is not None and (self.best is None or found.value > self.best.value)
        self.best = found if is_better else self.best
        return is_better

    def _told(self, value: float) -> None:
        """Tell progress in the minimisation's sign, as solvers report it."""
        if self.limits.on_progress is not None and (not self.best or value > self.best.value):
            bound = -self.bound if np.isfinite(self.bound) else None
            seconds = self.clock.used()
            self.limits.on_progress(Progress(seconds, -value, bound))

    def _priced(self, prices: Floats, time_limit_s: float) -> tuple[Master | None, Priced]:
        """Prices by column generation, or those given where HiGHS is not there."""
        if "highs" not in engines_found():
            return None, Priced(prices, np.inf, 0.0, (), 0)
        master = self._master(list(self.best.paths) if self.best else [])
        stages = STAGES if len(self.ways) <= FINE_JOBS else STAGES[:1]
        return master, chain_prices(master, prices, stages=stages,
                                    time_limit_s=time_limit_s)  # fmt: skip

    def _master(self, paths: list[Path]) -> Master:
        """The relaxed program over some plans."""
        master = Master(self.model, len(self.case.job_names))
        master.add_shortfalls(sum(float(one.worth.max()) for one in self.ways))
        master.add(paths)
        return master

    def _served(self, paths: list[Path]) -> Master:
        """The same, for parts that ask for jobs to be served."""
        master = self._master(paths)
        master.add_absences(sum(float(one.worth.max()) for one in self.ways))
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
        """The plan as a point of a program over its chains, some others and all runs."""
        mine = list(self.best.paths) if self.best else []
        best = self._worthiest(priced.paths, priced.prices, KEPT_A_JOB)
        few = self.runs if self.alone is None else []
        wide = wide_program(self.case, self.options, [*few, *mine, *best], mine, self.alone)
        program, start = wide.program, wide.start
        found, left = None, self.clock.left()
        if start is not None and (self.best is not None or self.alone is not None):
            value, cost = float(program.columns.value @ start), float(program.columns.cost @ start)
            was_cut = self.clock.is_stopped or (self.best is not None and self.best.was_interrupted)
            found = Solution("feasible", start, value, None, cost, None, self.clock.used(),
                             "insertion", version(), was_cut)  # fmt: skip
            is_near = value >= self.bound * (1 - self.limits.gap_frac)
            if self.alone is None or was_cut or is_near or left < LEAST_S:
                left = 0.0
        if found is None or left > 0:
            rest = replace(self.limits, time_limit_s=max(left, 0.1))
            asked = solve(program, solver=self.solver, limits=rest, start=start,
                          ties_by_cost=False)  # fmt: skip
            status = "unsolved" if asked.status == "infeasible" else asked.status
            found = _better(found, replace(asked, status=status, bound=None))
        seconds = self.clock.used()
        return FlexiblePlan(program, wide.register, _bounded(found, self.bound, seconds),
                            certificate)  # fmt: skip


def _better(mine: Solution | None, asked: Solution) -> Solution:
    """What the solver found, or what was in hand where that is as good."""
    if mine is None or mine.objective is None:
        return asked
    if asked.objective is not None and asked.objective > mine.objective:
        return asked
    return replace(mine, was_interrupted=mine.was_interrupted or asked.was_interrupted)


def _bounded(found: Solution, bound: float, seconds: float) -> Solution:
    """The solution judged by the bound that holds for all plans."""
    if found.objective is None:
        return replace(found, seconds=seconds)
    bound = max(bound, found.objective)
    proved = bound - found.objective <= PROVED * max(abs(bound), 1e-12)
    status = "optimal" if proved else "feasible"
    return replace(found, bound=bound, status=status, seconds=seconds)
