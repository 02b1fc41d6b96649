"""How a case is solved: prices and insertion first, then the solver as far as it helps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats, Ints, take
from planner.allocation.earlier.plan import nearest, taken_over
from planner.allocation.flexible.listed import solve_listed
from planner.allocation.flexible.plan import plan_flexible
from planner.allocation.large.band import Bands, bands_of, can_band, can_price
from planner.allocation.large.insertion import Insertion
from planner.allocation.large.knapsack import can_keep_budgets, within_budgets
from planner.allocation.large.packing import solve_packed
from planner.allocation.large.pausing import fitting_prices, is_pausing_large, without_pauses
from planner.allocation.large.relaxation import Relaxation, best_columns, relax
from planner.allocation.large.sought import point_of, sought
from planner.allocation.offer.option import Options, enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.place import with_places
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program
from planner.allocation.program.settle import is_feasible
from planner.allocation.proof.certificate import Certificate, bound_from
from planner.allocation.solver.engine import Engine, Progress
from planner.allocation.solver.solve import PROVED, Limits, Solution, solve
from planner.plan_table import PlanRowTable
from planner.version import version

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["EXACT_COLUMNS", "Answered", "solve_case"]

SMALL_COLUMNS = 8_000  # up to here the solver is quicker than a long search
EXACT_COLUMNS = 40_000  # up to here the solver sees every column
WRITE_S = 2e-4  # a column, to write the program for the solver and to look at it first
WHOLE_COLUMNS = 100_000  # up to here it is asked for a plan where insertion finds none
KEPT_COLUMNS = 15_000  # beyond, it sees the best at prices
KEPT_IN_BLOCKS = 2_000  # where each has a column for each block that it may lie on
SEARCHED_COLUMNS = 150_000  # and insertion sees these
PRICE_ROUNDS, LEVEL_ROUNDS = 400, 1600  # the more where levels tie many rows together
BUDGET_ROUNDS = 100  # changes of prices for a bound that keeps budgets whole
NEAR_GAP = 0.1  # a gap asked for from which on they are not worth their time
QUICK_ROUNDS = 110  # of prices for such a gap, where levels do not tie rows together
ROUNDS_A_S = 600  # rounds of insertion that a second is taken to hold
ROUNDS_A_JOB = 60  # rounds that a small case is worth before the solver is asked


@dataclass(frozen=True)
class Answered:
    """
    A judged point, the program that it is a point of, and prices that bound all plans.

    `kept_prices` are by name of row, those at which keeping budgets whole proves more than
    the certificate's plain bound, with the certificate's own for budgets; None where it does
    not.
    """

    program: Program
    register: Register
    solution: Solution
    certificate: Certificate | None
    kept_prices: Mapping[str, float] | None = None
    options: Options | None = None  # all that there was to choose from, where `register` has less

    @property
    def prices(self) -> Mapping[str, float] | None:
        """The prices by name of row that prove most; None where there are none."""
        if self.kept_prices is not None:
            return self.kept_prices
        return None if self.certificate is None else self.certificate.prices


def solve_case(
    case: Case,
    *,
    solver: str | Engine | None = None,
    limits: Limits | None = None,
    ties_by_cost: bool = True,
    prior: PlanRowTable | None = None,
) -> Answered:
    """
    The best plan of a case within limits, by the way that fits its size.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    solver : str or Engine, optional
        As `solve.solve` takes it.
    limits : Limits, optional
        Time, gap, threads and seed. [s], [1]
    ties_by_cost : bool
        Whether to look for the cheapest of the best points; only where every column is
        in the program.
    prior : PlanRowTable, optional
        Rows of an earlier plan, where the search begins: what of it still fits, or nearly
        does, with the rest by insertion.

    Returns
    -------
    Answered
        With a bound that holds for every plan of the case, whatever part of the columns
        the program has.

    Raises
    ------
    SolverFailure
        Every solver broke, and no plan is in hand.

    Notes
    -----
    Up to `EXACT_COLUMNS` columns the solver sees them all, with a plan by insertion to
    start from. Beyond, dual ascent gives prices and the bound, insertion with
    ruin-and-recreate the plan, and the solver improves it over the `KEPT_COLUMNS` columns
    that are worth most at the prices. Small cases with jobs that pause go to the solver
    whole, larger ones are planned without pauses and bounded with them. Small cases with
    pools in which counting nodes by day is not enough go to the solver whole too; larger
    ones get their blocks while the plan is built, and a bound that counts nodes alone.
    Cases with more chains of flexible jobs than can be listed are `plan_flexible`'s.
    """
    limits = limits or Limits()
    began = time.monotonic()
    options = enumerate_options(case)
    if not options.is_whole:
        return _flexible(case, options, solver, limits)
    if is_pausing_large(case, options):
        return _paused(case, options, solver, limits, prior)
    if _goes_whole(options):
        program, register = build_program(case, options)
        if case.job_one_block.any():
            found = solve_packed(case, options, program, register, solver=solver, limits=limits,
                                 ties_by_cost=ties_by_cost)  # fmt: skip
        else:
            known = None if prior is None else taken_over(register, program, prior).point
            found = solve_listed(case, options, program, register, solver=solver, limits=limits,
                                 known=known, ties_by_cost=ties_by_cost)  # fmt: skip
        return Answered(program, register, found, None)
    return _by_prices(case, options, solver=solver, limits=limits, ties_by_cost=ties_by_cost,
                      prior=prior, began=began)  # fmt: skip


def _by_prices(
    case: Case,
    options: Options,
    *,
    solver: str | Engine | None,
    limits: Limits,
    ties_by_cost: bool,
    prior: PlanRowTable | None,
    began: float,
) -> Answered:
    """A plan by insertion at prices, handed to the solver with all columns or the best of them."""
    bands = bands_of(case, options)
    nested = can_band(options)
    is_exact = nested and len(options.runs) <= EXACT_COLUMNS
    priced, kept = _priced(case, options, bands, limits)
    plan = _inserted(case, options, bands, priced, limits, began, prior)
    left = limits.time_limit_s - (time.monotonic() - began)
    is_done = (
        plan is not None
        and bands.columns > SMALL_COLUMNS
        and (
            (is_exact and left < WRITE_S * bands.columns)
            or plan.value >= priced.bound * (1 - limits.gap_frac)
        )
    )
    no_plan = plan is None and nested and bands.columns <= WHOLE_COLUMNS
    if no_plan or (is_exact and plan is not None and not (is_done or plan.was_interrupted)):
        program, register = build_program(case, options)
        start = None if plan is None else point_of(register, plan.chosen, plan.parts)
        rest = replace(_rest(limits, began), is_start_good=bands.columns <= SMALL_COLUMNS)
        found = _exact(program, register, solver, rest, start, ties_by_cost)
    else:
        columns = _kept(bands, priced.prices, KEPT_COLUMNS if nested else KEPT_IN_BLOCKS)
        chosen: Ints = np.zeros(0, dtype=np.int64) if plan is None else plan.chosen
        columns = np.union1d(columns, chosen)
        program, register = build_program(case, _only(options, columns))
        start = point_of(register, np.searchsorted(columns, chosen), plan.parts if plan else ())
        rest = _rest(limits, began)
        if plan is None or not is_feasible(program, start):  # a rule that the lines do not know
            found = _partly(program, register, solver, rest)
        else:
            found = _in_hand(program, start, priced.bound, plan.was_interrupted)
            if not plan.was_interrupted and not is_done:
                found = _polished(program, register, solver, rest, start, found)
    found = _bounded(found, priced, time.monotonic() - began)
    return Answered(program, register, found, Certificate.of(bands, priced.prices), kept, options)


def _flexible(
    case: Case, options: Options, solver: str | Engine | None, limits: Limits
) -> Answered:
    """The answer where jobs may change while they run, in more ways than can be listed."""
    if len(options.modes) == 0:
        made = plan_flexible(case, options, solver=solver, limits=limits)
        return Answered(made.program, made.register, made.solution, made.certificate)
    # Beside jobs that pause, the flexible ones get whole runs alone, and nothing is proved.
    program, register = build_program(case, options)
    found = solve(program, solver=solver, limits=limits, ties_by_cost=False)
    status = "feasible" if found.status == "optimal" else found.status
    status = "unsolved" if status == "infeasible" else status
    return Answered(program, register, replace(found, status=status, bound=None), None)


def _paused(
    case: Case,
    options: Options,
    solver: str | Engine | None,
    limits: Limits,
    prior: PlanRowTable | None,
) -> Answered:
    """The plan without pauses, with a bound on those that have them."""
    found = solve_case(without_pauses(case), solver=solver, limits=limits, ties_by_cost=False,
                       prior=prior)  # fmt: skip
    if found.certificate is None or found.solution.point is None:
        status = "unsolved" if found.solution.status == "infeasible" else found.solution.status
        return replace(found, solution=replace(found.solution, status=status, bound=None),
                       certificate=None, kept_prices=None, options=None)  # fmt: skip
    prices, bound = fitting_prices(case, options, found.certificate.prices)
    solution = replace(found.solution, status="feasible",
                       bound=max(bound, found.solution.objective or 0.0))  # fmt: skip
    # The options of the case without pauses are not all that this one may choose from.
    return replace(found, solution=solution, certificate=Certificate(prices, bound),
                   kept_prices=None, options=None)  # fmt: skip


def _goes_whole(options: Options) -> bool:
    """Whether the solver sees the case whole, without a plan by insertion."""
    many = len(options.runs)
    if many == 0 or not can_price(options):
        return True
    return many <= SMALL_COLUMNS and not can_band(options)


def _priced(
    case: Case, options: Options, bands: Bands, limits: Limits
) -> tuple[Relaxation, dict[str, float] | None]:
    """Prices for the search with the best bound, and other prices that alone prove it."""
    total = limits.time_limit_s
    most = QUICK_ROUNDS if limits.gap_frac >= NEAR_GAP else PRICE_ROUNDS
    most = LEVEL_ROUNDS if bands.levels else most
    rounds = min(most, 50 + bands.columns // 2)
    priced = relax(bands, rounds=rounds, time_limit_s=0.25 * total)
    if not can_keep_budgets(case, bands):
        return priced, None
    is_quick = bands.columns <= SMALL_COLUMNS or limits.gap_frac >= NEAR_GAP
    bound, prices = within_budgets(
        case,
        options.runs,
        bands,
        priced.prices,
        incumbent=0.95 * priced.bound,
        rounds=0 if is_quick else BUDGET_ROUNDS,
        time_limit_s=0.05 * total,
    )
    if bound >= priced.bound:
        return priced, None
    budgets = {
        name: price
        for name, price in Certificate.of(bands, priced.prices).prices.items()
        if name.startswith("budget_")
    }
    kept = {**Certificate.of(bands, prices).prices, **budgets}
    return replace(priced, bound=min(bound, bound_from(bands, kept))), kept


def _inserted(
    case: Case,
    options: Options,
    bands: Bands,
    priced: Relaxation,
    limits: Limits,
    began: float,
    prior: PlanRowTable | None,
) -> Insertion | None:
    """A plan by insertion, guided by prices."""
    total, many = limits.time_limit_s, max(len(bands.job), 1)
    is_small = bands.columns <= SMALL_COLUMNS
    columns = best_columns(bands, priced.prices, max(SEARCHED_COLUMNS // many, 20))
    near = None if prior is None else nearest(case, options.runs, prior)
    if near is not None:
        columns = np.union1d(columns, near)
    spend = 0.2 * total if is_small else 0.5 * total  # a small case's rounds end long before
    rounds = ROUNDS_A_JOB * many if is_small else int(ROUNDS_A_S * spend)
    told = _told(limits.on_progress, priced.bound, began)
    return sought(
        case,
        options,
        bands,
        priced.prices,
        columns,
        rounds=rounds,
        time_limit_s=spend,
        seed=limits.seed,
        goal=priced.bound * (1 - limits.gap_frac),
        on_better=told,
        start=near,
    )


def _told(
    on_progress: Callable[[Progress], None] | None, bound: float, began: float
) -> Callable[[float], None] | None:
    """Progress in the minimisation's sign, as solvers report it."""
    if on_progress is None:
        return None
    return lambda value: on_progress(Progress(time.monotonic() - began, -value, -bound))


def _exact(
    program: Program,
    register: Register,
    solver: str | Engine | None,
    limits: Limits,
    start: Floats | None,
    ties_by_cost: bool,
) -> Solution:
    """The solver's answer over all columns, with columns that say where a job runs."""
    wider, widen = with_places(program, register)
    found = solve(
        wider,
        solver=solver,
        limits=limits,
        start=None if start is None else widen(start),
        ties_by_cost=ties_by_cost,
    )
    if found.point is None:
        return found
    return replace(found, point=found.point[: len(program.columns.names)])


def _in_hand(program: Program, point: Floats, bound: float, was_interrupted: bool) -> Solution:
    """A plan by insertion, as a solution."""
    value, cost = float(program.columns.value @ point), float(program.columns.cost @ point)
    return Solution("feasible", point, value, bound, cost, None, 0.0, "insertion", version(),
                    was_interrupted)  # fmt: skip


def _partly(
    program: Program, register: Register, solver: str | Engine | None, limits: Limits
) -> Solution:
    """The solver's answer over some of the columns, which says nothing about the others."""
    found = _exact(program, register, solver, limits, None, False)
    status = "unsolved" if found.status == "infeasible" else found.status
    return replace(found, status=status, bound=None)


def _polished(
    program: Program,
    register: Register,
    solver: str | Engine | None,
    limits: Limits,
    start: Floats,
    mine: Solution,
) -> Solution:
    """The plan in hand, or a better one that the solver finds over some of the columns."""
    near = mine.gap_frac is not None and mine.gap_frac <= limits.gap_frac
    if near or limits.time_limit_s < 1.0:
        return mine
    found = _exact(program, register, solver, limits, start, False)
    if found.objective is None or mine.objective is None or found.objective < mine.objective:
        return replace(mine, was_interrupted=found.was_interrupted)
    return replace(found, bound=mine.bound)


def _bounded(found: Solution, priced: Relaxation, seconds: float) -> Solution:
    """The solution with the better of both bounds, judged by it."""
    if found.objective is None:
        return replace(found, seconds=seconds)
    bound = min(priced.bound, np.inf if found.bound is None else found.bound)
    bound = max(bound, found.objective)
    proved = bound - found.objective <= PROVED * max(abs(bound), 1e-12)
    status = "optimal" if proved else "feasible"
    return replace(found, bound=bound, status=status, seconds=seconds)


def _kept(bands: Bands, prices: Floats, many: int) -> Ints:
    """The columns that the solver sees, without levels."""
    columns = best_columns(bands, prices, max(many // max(len(bands.job), 1), 4))
    return columns[: len(columns) - bands.levels]


def _only(options: Options, columns: Ints) -> Options:
    """Options with some of the runs."""
    return replace(options, runs=take(options.runs, columns))


def _rest(limits: Limits, began: float) -> Limits:
    """What is left of the time, a tenth at least."""
    left = limits.time_limit_s - (time.monotonic() - began)
    return replace(limits, time_limit_s=max(left, 0.1 * limits.time_limit_s))
