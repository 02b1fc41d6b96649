"""The resolution chosen where a scenario leaves it open: as fine as plans are proved in time."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.column import Bools, Floats, Ints, seal
from hardware.units import DAY_S
from planner.period import GRADES, Periods, border_days, stretches_of
from planner.scenario_horizon import Horizon, Stretch

__all__ = [
    "MOST_PLANS",
    "PlaceTable",
    "chosen_periods",
    "days_of_work",
    "stated_periods",
    "whole_plans",
]

MOST_PLANS = 8_000  # up to here the solver is at its proof soon; see `SMALL_COLUMNS` of portfolio
_SWITCH = {"two-weeks": "month", "month": "month", "quarter": "quarter", "half-year": "half-year"}
LEAST_PERIODS = 8  # a grade chosen leaves so many periods; see `chosen_periods`


@dataclass(frozen=True)
class PlaceTable:
    """
    Ways to serve a job, one row a number of nodes of a pool: how long, and between which days.
    """

    release_day: Ints  # [place] earliest start
    due_day: Ints  # [place] latest end, half-open
    need_days: Ints  # [place] days that the whole work takes
    is_partial: Bools  # [place] may stop unfinished, at a border or on the due day
    is_preemptible: Bools  # [place] may pause at borders

    def __post_init__(self) -> None:
        seal(self)


def days_of_work(tokens: Floats, tokens_per_s: Floats) -> Ints:
    """
    Whole days that work takes at a rate [token/s], one at least. [day]

    Examples
    --------
    >>> days_of_work(np.array([864000.0, 864001.0]), np.array([1.0, 1.0])).tolist()
    [10, 11]
    """
    days = np.ceil(np.minimum(tokens / (tokens_per_s * DAY_S) * (1 - 1e-9), 1e9))
    return np.maximum(days, 1.0).astype(np.int64)


def whole_plans(places: PlaceTable, border_day: Ints) -> int:
    """
    How many whole plans of single jobs a resolution allows at most.

    Parameters
    ----------
    places : PlaceTable
        Ways to serve the jobs. [day]
    border_day : Ints [period + 1]
        Borders of the periods, the horizon's end last. [day]

    Returns
    -------
    int
        Runs by pool, nodes and start; for work that counts in part by end too; for work that
        may pause, pieces. Runs that lack nodes at some time, or that another makes needless,
        are counted, so this is an upper bound.

    Examples
    --------
    One way that takes 10 days, between day 3 and day 28, with weekly borders: it may start
    on day 3, 7 or 14.

    >>> one = PlaceTable(np.array([3]), np.array([28]), np.array([10]),
    ...                  np.array([False]), np.array([False]))
    >>> whole_plans(one, np.array([0, 7, 14, 21, 28]))
    3
    """
    starts = border_day[:-1]
    release, due, need = places.release_day, places.due_day, places.need_days
    after = np.searchsorted(starts, release, side="right")
    to_finish = np.searchsorted(starts, due - need, side="right") - after
    finished = np.maximum(to_finish, 0) + (release + need <= due)
    to_begin = np.searchsorted(starts, due - 1, side="right") - after
    begun = np.maximum(to_begin, 0) + (release < due)
    many = np.where(places.is_preemptible, begun + 1, finished)
    partial = np.flatnonzero(places.is_partial & ~places.is_preemptible)
    many[partial] += _stops(places, border_day, partial)
    return int(many.sum())


def _stops(places: PlaceTable, border_day: Ints, rows: Ints) -> Ints:
    """Ways to stop unfinished, at a border or on the due day, summed over starts. [row]"""
    release, due = places.release_day[rows], places.due_day[rows]
    need = places.need_days[rows]

    def stops(start: Ints, counts: Bools) -> Ints:
        """Stops after `start` and before the work is finished. [row]"""
        end = np.minimum(start + need, due)
        inside = np.searchsorted(border_day, end, side="left")
        inside = inside - np.searchsorted(border_day, start, side="right")
        return np.where(counts, np.maximum(inside, 0) + (due < start + need), 0)

    found = stops(release, release < due)
    for border in border_day[:-1].tolist():
        start = np.full_like(release, border)
        found = found + stops(start, (release < start) & (start < due))
    return found


def stated_periods(horizon: Horizon) -> Periods:
    """The resolution that a scenario states; weeks, the finest, where it leaves the choice."""
    return _periods(horizon, stretches_of(horizon))


def chosen_periods(horizon: Horizon, places: PlaceTable, most: int = MOST_PLANS) -> Periods:
    """
    The finest resolution with few enough whole plans for the solver to prove the best of them.

    Parameters
    ----------
    horizon : Horizon
        The days planned.
    places : PlaceTable
        Ways to serve the jobs. [day]
    most : int
        Whole plans that the resolution may allow.

    Returns
    -------
    Periods
        Of one grade, or of one to some month, quarter or half-year and of the next coarser
        one after it.

    Notes
    -----
    The first grade that fits is taken, with as long a part of the finer one before it as
    still fits. Grades that leave fewer than eight periods are passed over, since then most
    runs would start on the same few days; where no other fits, the coarsest of the rest is
    taken and the plan is searched for. Measured on 100 made-up jobs over 24 months in 30 s:
    a plan within 3.2 % of the bound over quarters, 4.3 % over months and over weeks, and the
    plan over quarters was the best of them. With one to five
    times `MOST_PLANS`, plans over weeks ended 0.1 to 0.4 % from the bound. Nothing but the
    scenario goes into the choice.
    """

    def count(stretches: tuple[Stretch, ...]) -> int:
        return whole_plans(places, border_days(horizon, stretches))

    grades = [_uniform(every) for every in GRADES]
    kept = [one for one in grades if len(border_days(horizon, one)) > LEAST_PERIODS]
    kept = kept or grades[:1]
    at = next((at for at, one in enumerate(kept) if count(one) <= most), len(kept))
    if at == len(kept):
        best = kept[-1]
    elif at == 0:
        best = kept[0]
    else:
        finer, every = kept[at - 1][0].every, kept[at][0].every
        best = _with_finer_start(horizon, finer, every, lambda it: count(it) <= most)
    return _periods(horizon, best, plans=count(best))


def _uniform(every: str) -> tuple[Stretch, ...]:
    """One grade throughout."""
    return (Stretch.model_validate({"every": every}),)


def _with_finer_start(
    horizon: Horizon, finer: str, every: str, fits: Callable[[tuple[Stretch, ...]], bool]
) -> tuple[Stretch, ...]:
    """The grade with as long a finer part before it as fits; the grade alone where none does."""
    ends = border_days(horizon, _uniform(_SWITCH[every]))[1:-1].tolist()

    def mixed(parts: int) -> tuple[Stretch, ...]:
        if parts == 0:
            return _uniform(every)
        until = horizon.first + datetime.timedelta(ends[parts - 1] - 1)
        first = Stretch.model_validate({"until": until, "every": finer})
        return first, Stretch.model_validate({"every": every})

    low, high = 0, len(ends)  # `low` fits; more than `high` there is none
    while low < high:
        middle = (low + high + 1) // 2
        if fits(mixed(middle)):
            low = middle
        else:
            high = middle - 1
    return mixed(low)


def _periods(horizon: Horizon, stretches: tuple[Stretch, ...], *, plans: int = -1) -> Periods:
    """Stretches as columns, the last one to the horizon's end."""
    until = tuple(stretch.until or horizon.last for stretch in stretches)
    every = tuple(stretch.every for stretch in stretches)
    return Periods(until, every, plans >= 0, plans)
