"""Plans of large cases by a policy: insertion for the policy's own score, and a bound by prices."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from hardware.column import Floats, Ints, take
from planner.allocation.large.aim import SearchAim
from planner.allocation.large.band import Bands, bands_of, can_band
from planner.allocation.large.insertion import Insertion
from planner.allocation.large.pack import Parts
from planner.allocation.large.relaxation import Relaxation, relax
from planner.allocation.large.sought import sought
from planner.allocation.offer.option import Options, OptionTable
from planner.allocation.policy.fair_aim import LeastFor, Logarithms, WorstOff
from planner.allocation.policy.fair_bands import Terms, logarithms, work_held, worst_off_bands
from planner.allocation.policy.fair_bound import amounts, band_bound, terms_of
from planner.allocation.policy.otherwise import alone
from planner.allocation.policy.proportions import LEAST_SHARE
from planner.allocation.portfolio import solve_case
from planner.allocation.proof.aim import Aim
from planner.allocation.proof.certificate import Certificate
from planner.allocation.solver.engine import Engine
from planner.allocation.solver.solve import Limits
from planner.case import Case

__all__ = ["Found", "fair_plan", "most_profit"]

SEARCHED_COLUMNS = 150_000  # that insertion sees
ROUNDS_A_S = 600  # rounds of insertion that a second is taken to hold
PRICE_ROUNDS, FAIR_ROUNDS = 400, 1200
WORST_ALONE, ALONE_PART = 3, 0.05  # worst-off that are looked at alone, and the time for each
MOST_WORK = 0.3  # of the time, for the most work
STEPS, PROOFS = 5, 4  # halvings of the days on which the last run may end, and of those proved


@dataclass(frozen=True)
class Found:
    """Runs that a policy chooses, and what is proved of its first goals."""

    chosen: Ints | None
    parts: tuple[Parts, ...] = ()
    bounds: tuple[float | None, ...] = ()  # as minimised
    proved: tuple[float | None, ...] = ()  # the same as far as prices prove it
    prices: tuple[Mapping[str, float], ...] = ()  # that do, goal by goal
    touch: Mapping[str, float] = field(default_factory=dict)
    work: float | None = None  # the most found, where the least for a part of it is sought
    was_interrupted: bool = False


@dataclass(frozen=True)
class _Search:
    """A case, its runs and their rows, with the time that there is."""

    case: Case
    options: Options
    bands: Bands
    limits: Limits
    ends: float  # when all of the time is over, by the clock of `time.monotonic`

    def seconds(self, part: float) -> float:
        """A part of the time, as far as there is so much left; a little always."""
        whole = self.limits.time_limit_s
        return max(min(part * whole, self.ends - time.monotonic()), 0.02 * whole)

    def plan(
        self,
        profit: Floats,
        part: float,
        aim: Callable[[Ints], SearchAim] | None,
        *,
        start: Ints | None = None,
        goal: float = np.inf,
    ) -> Insertion | None:
        """A plan by insertion in a part of the time, columns in the order of a profit."""
        seconds, rounds = self.seconds(part), int(ROUNDS_A_S * part * self.limits.time_limit_s)
        each = max(SEARCHED_COLUMNS // max(len(self.bands.job), 1), 20)
        columns = most_profit(self.bands, profit, each)
        if start is not None:
            columns = np.union1d(columns, start)
        return sought(self.case, self.options, self.bands, np.zeros(len(self.bands.bound)),
                      columns, rounds=rounds, time_limit_s=seconds, goal=goal,
                      seed=self.limits.seed, aim=aim, profit=profit, start=start)  # fmt: skip

    def prices(self, bands: Bands, rounds: int, part: float, incumbent: float = 0.0) -> Relaxation:
        """Prices of rows in a part of the time."""
        return relax(bands, rounds=rounds, time_limit_s=self.seconds(part), incumbent=incumbent)


def most_profit(bands: Bands, profit: Floats, each: int) -> Ints:
    """The columns of each job of the largest profit, ascending; all levels."""
    kept: list[Ints] = []
    for low, high in zip(bands.first[:-1].tolist(), bands.first[1:].tolist(), strict=True):
        if high - low <= each:
            kept.append(np.arange(low, high))
            continue
        least = high - low - each
        kept.append(np.sort(low + np.argpartition(profit[low:high], least)[least:]))
    return np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)


def fair_plan(
    aim: Aim,
    options: Options,
    bands: Bands,
    *,
    solver: str | Engine | None = None,
    work_frac: float,
    limits: Limits,
) -> Found:
    """
    The plan of a policy by insertion, and a bound on its first goals by dual ascent.

    Parameters
    ----------
    aim : Aim
        The goals, over any part of the runs.
    options, bands : Options, Bands
        All runs, and their rows.
    solver : str or Engine, optional
        For the most work, which policies of the least begin with.
    work_frac : float
        Part of the most work found that policies of the least have to do. [1]
    limits : Limits
        The time is for all. [s]

    Returns
    -------
    Found
        No runs where none were found that keep every row. Each bound holds for every plan of
        the case; where the work of a plan is held, for every plan with as much.

    Notes
    -----
    For the worst-off the score is a sum of all shares, each weighed half as much as that of
    the consortium just worse off, and the bound a weighted sum of shares, by weights that
    dual ascent finds together with the prices. Logarithms are made of chords for the prices,
    and touched by tangents for the bound.
    """
    search = _Search(aim.case, options, bands, limits, time.monotonic() + limits.time_limit_s)
    terms = terms_of(aim, options)
    if terms is not None:
        return _shared(search, aim, terms, solver)
    work = _most_work(search, solver)
    if work.chosen is None or work.was_interrupted:
        return work
    if aim.policy == "min-makespan":
        return _soonest(search, work, (work.work or 0.0) * work_frac)
    return _cheapest(search, aim, work, (work.work or 0.0) * work_frac)


def _most_work(search: _Search, solver: str | Engine | None) -> Found:
    """The plan of the most weighted work, by the way that fits the size of the case."""
    bands, limits = search.bands, search.limits
    brief = replace(limits, time_limit_s=MOST_WORK * limits.time_limit_s, on_progress=None)
    if can_band(search.options):
        answered = solve_case(search.case, solver=solver, limits=brief, ties_by_cost=False)
        point, certificate = answered.solution.point, answered.certificate
        if point is not None and certificate is not None:
            mine = answered.register.options.runs
            chosen = _same_runs(search.options, mine, np.flatnonzero(point[: len(mine)] > 0.5))
            bound = answered.solution.bound or certificate.bound
            return Found(chosen, ((),) * len(chosen), (-bound,), (-certificate.bound,),
                         (certificate.prices,), {}, float(bands.value[chosen].sum()),
                         answered.solution.was_interrupted)  # fmt: skip
    first = search.prices(bands, PRICE_ROUNDS, 0.1)
    certificate = Certificate.of(bands, first.prices)
    found = search.plan(bands.profit(first.prices), 0.2, None, goal=first.bound)
    if found is None:
        return Found(None)
    return Found(found.chosen, found.parts, (-certificate.bound,), (-certificate.bound,),
                 (certificate.prices,), {}, found.value, found.was_interrupted)  # fmt: skip


def _same_runs(options: Options, runs: OptionTable, chosen: Ints) -> Ints:
    """Rows of all options of some runs of a part of them, ascending."""
    every, found = options.runs, []
    for run in chosen.tolist():
        same = np.flatnonzero(every.point == runs.point[run])
        same = same[every.start_day[same] == runs.start_day[run]]
        found.append(int(same[every.end_day[same] == runs.end_day[run]][0]))
    return np.sort(np.array(found, dtype=np.int64))


def _shared(search: _Search, aim: Aim, terms: Terms, solver: str | Engine | None) -> Found:
    """Fair shares: of the worst-off, or the product of all."""
    weight = search.case.consortium_weight[terms.teams]
    is_product = aim.policy == "proportional"
    wide = (
        logarithms(search.bands, terms, weight) if is_product
        else worst_off_bands(search.bands, terms)
    )  # fmt: skip
    priced = search.prices(wide, FAIR_ROUNDS, 0.25)
    prices = dict(Certificate.of(wide, priced.prices).prices)
    touch: dict[str, float] = {}
    if is_product:
        paid = np.array([prices.pop(f"share_of_{at}", 0.0) for at in range(len(weight))])
        share = np.clip(weight / np.maximum(paid, 1e-12), LEAST_SHARE, 1.0)
        names = search.case.consortium_names
        touch = {names[team]: float(share[at]) for at, team in enumerate(terms.teams.tolist())}
    else:
        total = sum(prices.get(f"level_0_{at}", 0.0) for at in range(len(weight)))
        prices = {name: price / total for name, price in prices.items()} if total > 0 else {}
    profit = wide.profit(priced.prices)[: search.bands.columns]
    found = search.plan(
        profit,
        0.5,
        lambda runs: Logarithms(terms, runs, weight) if is_product else WorstOff(terms, runs),
    )
    bound = band_bound(aim, search.options, 0, (), prices, touch=touch, bands=search.bands)
    if found is None:
        return Found(None, (), (bound,), (bound,), (prices,), touch)
    said = bound
    if aim.policy == "max-min" and bound is not None and not found.was_interrupted:
        said = max(bound, -_worst_alone(search, terms, found.chosen, solver))
    return Found(found.chosen, found.parts, (said,), (bound,), (prices,), touch,
                 was_interrupted=found.was_interrupted)  # fmt: skip


def _worst_alone(search: _Search, terms: Terms, chosen: Ints, solver: str | Engine | None) -> float:
    """
    A share that the worst-off cannot be above: what the solver proves of the worst-off alone.

    Without the others none of a consortium's plans is lost. Its jobs are few and its budget
    is its own, so that lumps count, which prices do not see.
    """
    least, runs = np.inf, search.options.runs
    order = np.argsort(terms.reached(chosen), kind="stable")[:WORST_ALONE]
    brief = replace(search.limits, on_progress=None,
                    time_limit_s=search.seconds(ALONE_PART))  # fmt: skip
    for place in order.tolist():
        team = int(terms.teams[place])
        found = solve_case(alone(search.case, team), solver=solver, limits=brief,
                           ties_by_cost=False)  # fmt: skip
        mine = np.flatnonzero((terms.team == place) & (runs.value > 0))
        if found.solution.bound is not None and len(mine):
            a_unit = float(terms.share[mine[0]] / runs.value[mine[0]])
            least = min(least, found.solution.bound * a_unit)
    return float(least)


def _cheapest(search: _Search, aim: Aim, work: Found, least: float) -> Found:
    """The least cost or energy for some work, from the plan of the most."""
    amount = amounts(search.case, search.options, aim.policy)
    chosen, value = _chosen(work), search.bands.value
    wide = work_held(search.bands, amount, least)
    priced = search.prices(wide, FAIR_ROUNDS, 0.25, -float(amount[chosen].sum()))
    profit = wide.profit(priced.prices)
    found = search.plan(profit, 0.3, lambda runs: LeastFor(amount, least, runs), start=chosen)
    best, parts, was_interrupted = chosen, work.parts, False
    if found is not None:
        was_interrupted = found.was_interrupted
        if float(value[found.chosen].sum()) >= least * (1 - 1e-9):
            best, parts = found.chosen, found.parts
    most = max(work.work or 0.0, float(value[best].sum()))
    held = dict(Certificate.of(wide, priced.prices).prices)
    bound = band_bound(aim, search.options, 1, (-most,), held, bands=search.bands)
    return Found(best, parts, (work.bounds[0], bound), (work.proved[0], bound),
                 (work.prices[0], held), {}, most, was_interrupted)  # fmt: skip


def _chosen(found: Found) -> Ints:
    """Runs of a plan that was found."""
    return np.zeros(0, dtype=np.int64) if found.chosen is None else found.chosen


def _soonest(search: _Search, work: Found, least: float) -> Found:
    """The earliest last day for some work: days are halved while a plan or a proof is found."""
    ends = search.options.runs.end_day
    best, parts, was_interrupted = _chosen(work), work.parts, False
    tried = proved = 0  # no plan was found, and none there is, that ends by this day
    for step in range(STEPS + PROOFS):
        last = int(ends[best].max(initial=0))
        low = max(tried, proved) if step < STEPS else proved
        high = last if step < STEPS else max(tried, proved + 1)
        if was_interrupted or high - low <= 1 or time.monotonic() > search.ends:
            continue
        day = (low + high) // 2
        found, is_proved = _by_day(search, day, least, seeks_plan=step < STEPS)
        if found is not None:
            best, parts, was_interrupted = found.chosen, found.parts, found.was_interrupted
        elif is_proved:
            proved = day
        else:
            tried = day
    return Found(best, parts, (work.bounds[0], float(proved + 1)), work.proved, work.prices, {},
                 work.work, was_interrupted)  # fmt: skip


def _by_day(
    search: _Search, day: int, least: float, *, seeks_plan: bool
) -> tuple[Insertion | None, bool]:
    """A plan of runs that end by a day with at least some work, or whether there is proved none."""
    runs = search.options.runs
    mine = np.flatnonzero(runs.end_day <= day)
    options = replace(search.options, runs=take(runs, mine))
    bands = bands_of(search.case, options)
    few = replace(search, options=options, bands=bands)
    priced = few.prices(bands, PRICE_ROUNDS, 0.04, least)
    if priced.bound < least * (1 - 1e-9) - 1e-12:
        return None, True
    if not seeks_plan:
        return None, False
    found = few.plan(bands.profit(priced.prices), 0.06, None, goal=least)
    if found is None or found.value < least * (1 - 1e-12):
        return None, False
    return replace(found, chosen=mine[found.chosen]), False
