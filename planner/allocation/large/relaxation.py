"""Prices of rows and a proved bound by dual ascent, for programs too large to hand over."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.large.band import Bands
from planner.allocation.large.volume import averaged_ascent
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["Relaxation", "best_columns", "relax", "row_unit"]

STEP, KEPT, PATIENCE = 0.3, 0.9, 10
WARM, WARM_ROUNDS = 0.3, 80
TRIAL_ROUNDS, STUCK = 50, 1e-3  # rounds of single steps on trial, and the least part gained
EVEN = (0.2, 0.5)  # parts of the unit that all rows may cost at first
LONGER = 4  # times the rounds for averaged steps
STAGES = 4  # times that columns are chosen anew
WORKING = 100_000  # columns that are priced every round; the rest only now and then


@dataclass(frozen=True)
class Relaxation:
    """Scaled prices, the bound that they prove for all columns, and how it was reached."""

    prices: Floats  # [row] in value per scaled unit of the row
    bound: float
    rounds: int
    seconds: float


def relax(
    bands: Bands,
    *,
    incumbent: float = 0.0,
    rounds: int = 900,
    time_limit_s: float = 20.0,
    working: int = WORKING,
) -> Relaxation:
    """
    Lower the Lagrangean bound of a program by changing the prices of its rows.

    Parameters
    ----------
    bands : Bands
        What is maximised, and its rows.
    incumbent : float
        Value of a plan in hand, for the length of steps.
    rounds : int
        Most rounds, over all working sets.
    time_limit_s : float
        Time after which the best prices so far are returned. [s]
    working : int
        Columns priced every round.

    Returns
    -------
    Relaxation
        The bound is computed over every column, and holds for every plan by weak duality.

    Notes
    -----
    Rows that choose one plan a job stay in the inner problem, which is then a look-up of
    the best column of each job; all others are priced. Averaged plain steps [1]_ give a
    start; from there steps along a fading sum of the violations, as long as the distance
    to the plan in hand suggests [2]_. Prices move in the unit of what a row would cost if
    all value were spread over the rows of its family.
    Where these do not lower the bound, averaged ones do (`volume.averaged_ascent`).
    With more columns than `working`, the best of each job at the prices so far stand for
    all during a part of the rounds; then all are priced and the best added. Only bounds
    over all columns are reported.

    References
    ----------
    .. [1] Y. Nesterov, "Primal-dual subgradient methods for convex problems," Mathematical
       Programming, vol. 120, 2009.
    .. [2] P. M. Camerini, L. Fratta, F. Maffioli, "On improving relaxation methods by
       modified gradient techniques," Mathematical Programming Studies, vol. 3, 1975.
    """
    began = time.monotonic()
    prices = np.zeros(len(bands.bound))
    best = (bands.bound_at(prices), prices)
    if bands.columns == 0 or len(bands.bound) == 0:
        return Relaxation(prices, best[0], 0, time.monotonic() - began)
    each = max(working // max(len(bands.job), 1), 20)
    stages = 1 if bands.columns <= 2 * working else STAGES
    chosen = np.arange(bands.columns) if stages == 1 else _spread(bands, each)
    unit = row_unit(bands)
    for part_of in EVEN:
        even = np.where(bands.bound > 0, part_of * unit, 0.0)
        best = min(best, (bands.bound_at(even), even), key=_first)
    prices = _warm(bands.part(chosen), unit, min(WARM_ROUNDS, rounds // 2))
    best = min(best, (bands.bound_at(prices), prices), key=_first)
    done, is_stuck = 0, False
    for stage in range(stages):
        end = began + time_limit_s * (stage + 1) / stages
        part = bands if stages == 1 else bands.part(chosen)
        if stage == 0 and _is_stuck(part, best[1], unit, incumbent, end):
            is_stuck, rounds = True, rounds * LONGER
        if is_stuck:
            prices, used = averaged_ascent(
                part,
                best[1],
                unit,
                inner=_inner,
                incumbent=incumbent,
                rounds=rounds // stages,
                end=end,
            )
        else:
            prices, used = _ascent(part, best[1], unit, incumbent, rounds // stages, end)
        done += used
        best = min(best, (bands.bound_at(prices), prices), key=_first)
        if time.monotonic() - began > time_limit_s or stage == stages - 1:
            break
        is_chosen = np.zeros(bands.columns, dtype=np.bool_)
        is_chosen[chosen] = True
        is_chosen[best_columns(bands, best[1], each // 2)] = True
        chosen = np.flatnonzero(is_chosen)
    return Relaxation(best[1], best[0], done, time.monotonic() - began)


def _first(pair: tuple[float, Floats]) -> float:
    """The bound of a pair of bound and prices."""
    return pair[0]


def _is_stuck(bands: Bands, prices: Floats, unit: Floats, incumbent: float, end: float) -> bool:
    """Whether some rounds of single steps lower the bound by next to nothing."""
    after, _ = _ascent(bands, prices, unit, incumbent, TRIAL_ROUNDS, end)
    bound = bands.bound_at(prices)
    return bands.bound_at(after) > bound - STUCK * (bound - incumbent)


def _spread(bands: Bands, each: int) -> Ints:
    """Some columns of each job, evenly over all of them."""
    parts = [
        np.unique(np.linspace(low, high - 1, min(each, high - low)).astype(np.int64))
        for low, high in zip(bands.first[:-1].tolist(), bands.first[1:].tolist(), strict=True)
    ]
    return np.concatenate(parts)


def _warm(bands: Bands, unit: Floats, rounds: int) -> Floats:
    """Prices by plain steps of falling length, averaged: rough, but from nothing."""
    prices, total, weight = 0.5 * unit, np.zeros(len(unit)), 0.0
    for count in range(1, rounds + 1):
        _, activity = _inner(bands, prices)
        violation = np.clip(activity - bands.bound, -1.0, 1.0)
        prices = np.maximum(prices + WARM / np.sqrt(count) * unit * violation, 0.0)
        if count > rounds // 2:
            total, weight = total + prices, weight + 1.0
    return total / max(weight, 1.0)


def _ascent(
    bands: Bands, prices: Floats, unit: Floats, incumbent: float, rounds: int, end: float
) -> tuple[Floats, int]:
    """The best prices over rounds from given ones, and the rounds used."""
    bound, activity = _inner(bands, prices)
    best, way = (bound, prices), np.zeros(len(prices))
    step, since, count = STEP, 0, 0
    for count in range(1, rounds + 1):
        if count % 8 == 0 and (time.monotonic() > end or is_stopped()):
            break
        violation = (activity - bands.bound) * unit
        violation[(prices <= 0) & (violation < 0)] = 0.0
        way = violation + KEPT * way
        size = float(way @ way)
        distance = bound - incumbent
        if size <= 1e-14 or distance <= 1e-9 * max(abs(bound), 1.0):
            break
        prices = np.maximum(prices + step * distance / size * unit * way, 0.0)
        bound, activity = _inner(bands, prices)
        since += 1
        if bound < best[0]:
            best, since = (bound, prices), 0
        elif since >= PATIENCE:
            step, since = step * 0.7, 0
            prices, way = best[1], np.zeros(len(prices))
            bound, activity = _inner(bands, prices)
    return best[1], count


def row_unit(bands: Bands) -> Floats:
    """What a row would cost if all value were spread over the rows of its layer. [row]"""
    unit = np.zeros(len(bands.bound))
    value = float(np.abs(bands.value[bands.first[:-1]]).sum())
    for layer in bands.layers:
        touched = np.zeros(len(unit) + 1)
        np.add.at(touched, layer.low, 1.0)
        np.subtract.at(touched, layer.high, 1.0)
        rows = np.cumsum(touched)[:-1] > 0.5
        unit[rows] = value / max(int(rows.sum()), 1)
    return unit


def _inner(bands: Bands, prices: Floats) -> tuple[float, Floats]:
    """The bound at prices, and the activity of the best column of each job."""
    profit = bands.profit(prices)
    most = bands.most(profit)
    least = np.where(most > 0, most, np.inf)
    hits = np.flatnonzero(profit >= np.repeat(least, bands.sizes))
    group = bands.group[hits]
    lead = np.flatnonzero(np.diff(group, prepend=-1))
    return float(prices @ bands.bound + most.sum()), bands.activity(hits[lead])


def best_columns(bands: Bands, prices: Floats, each: int) -> Ints:
    """
    The columns of each job that are worth most at prices, ascending.

    Parameters
    ----------
    bands : Bands
        The columns.
    prices : ndarray [row]
        Scaled prices.
    each : int
        Columns a job.
    """
    profit = bands.profit(prices)
    kept: list[Ints] = []
    for low, high in zip(bands.first[:-1].tolist(), bands.first[1:].tolist(), strict=True):
        if high - low <= each:
            kept.append(np.arange(low, high))
            continue
        least = high - low - each
        kept.append(np.sort(low + np.argpartition(profit[low:high], least)[least:]))
    return np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)
