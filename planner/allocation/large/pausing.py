"""Large cases with jobs that pause: planned without pauses, bounded with all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats
from planner.allocation.large.band import Bands, bands_of
from planner.allocation.offer.option import Options, enumerate_options

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["can_pause", "fitting_prices", "is_pausing_large", "paused_bound", "without_pauses"]

WHOLE_COLUMNS = 8_000  # runs, modes and pieces up to which the solver sees such a case whole


def can_pause(case: Case, options: Options) -> bool:
    """Whether jobs pause, and prices of rows bound what they may do."""
    is_other = len(options.chains) > 0 or not options.is_whole or case.equal_support_frac >= 0
    return len(options.modes) > 0 and not is_other


def is_pausing_large(case: Case, options: Options) -> bool:
    """Whether a case has jobs that pause, and is planned without pauses for its size."""
    many = len(options.runs) + len(options.modes) + len(options.pieces)
    return can_pause(case, options) and many > WHOLE_COLUMNS


def without_pauses(case: Case) -> Case:
    """The case with every job in one run; each of its plans is one of the case itself."""
    return replace(case, job_preemptible=np.zeros_like(case.job_preemptible))


def paused_bound(case: Case, options: Options, prices: Mapping[str, float]) -> float:
    """
    The most weighted work of any plan of a case with jobs that pause, by prices of rows.

    Parameters
    ----------
    case, options : Case, Options
        With modes and pieces, and without equal support.
    prices : mapping of str to float
        By name of row, as for the case without pauses; those below zero count as zero.

    Returns
    -------
    float
        Valid whatever the prices are, by weak duality: of a job that pauses, the best mode
        with the cheapest pieces that cover its days, the last of them in part, is worth no
        less than any of its plans. Lateness, caps and waiting for others are left out of its
        price, and what it does for others is counted in full.
    """
    fixed = without_pauses(case)
    runs = enumerate_options(fixed)
    bands = bands_of(fixed, runs)
    own = np.array([max(float(prices.get(name, 0.0)), 0.0) for name in bands.names])
    keeps = np.ones(bands.columns, dtype=np.bool_)
    keeps[: len(runs.runs)] = ~case.job_preemptible[runs.runs.job]
    total = bands.part(np.flatnonzero(keeps)).bound_at(own / np.abs(bands.factor))
    profit = _mode_profit(case, options, dict(zip(bands.names, own.tolist(), strict=True)), bands)
    best = np.zeros(len(case.job_names))
    np.maximum.at(best, options.modes.job, profit)
    return total + float(best.sum())


def fitting_prices(
    case: Case, options: Options, prices: Mapping[str, float]
) -> tuple[Mapping[str, float], float]:
    """
    Prices of the case without pauses, lowered as long as that proves more, and their bound.

    What pauses costs less than a run at the same prices, so that they may be too high.
    """
    best = (prices, paused_bound(case, options, prices))
    for part in (0.8, 0.6, 0.4, 0.2, 0.0):
        lower = {name: part * price for name, price in prices.items()}
        bound = paused_bound(case, options, lower)
        if bound >= best[1]:
            break
        best = (lower, bound)
    return best


def _mode_profit(case: Case, options: Options, prices: Mapping[str, float], bands: Bands) -> Floats:
    """What each mode is worth at most, less the rows that it takes part in. [mode]"""
    modes, need = options.modes, options.modes.need_days.astype(np.float64)
    team = case.job_consortium[modes.job]
    time = case.pool_equivalent[modes.pool] * modes.nodes * need

    def of(kind: str) -> Floats:
        found = [prices.get(f"{kind}_{one}", 0.0) for one in range(len(case.consortium_names))]
        return np.array(found)[team]

    paid = modes.cost_per_day * need * of("budget") - time * of("floor")
    paid += np.where(case.pool_shared[modes.pool], time * of("share"), 0.0)
    for row, one in enumerate(case.use_consortium.tolist()):
        days = np.minimum(need, max(float(case.use_end_day[row]), 0.0))
        days = np.where(case.job_partial[modes.job], need, days)  # any of its days may be early
        part = np.where(team == one, days / need, 0.0)
        paid -= prices.get(f"use_{row}", 0.0) * time * part
    full = case.job_value[modes.job] * case.consortium_weight[team]
    a_day, ends = _piece_prices(case, options, prices, bands)
    gain = _help(case, prices, bands)[modes.job]
    return gain + _covered(options, full - paid, a_day, ends, case.job_partial[modes.job])


def _piece_prices(
    case: Case, options: Options, prices: Mapping[str, float], bands: Bands
) -> tuple[Floats, Floats]:
    """Price of a day of each piece's nodes, and its days. [piece]"""
    pieces, modes = options.pieces, options.modes
    names: dict[int, list[tuple[int, float]]] = {}
    for name in bands.names:
        if name.startswith("pool_"):
            _, there, day = name.split("_")
            names.setdefault(int(there), []).append((int(day), prices[name]))
    days = (pieces.end_day - pieces.start_day).astype(np.float64)
    price = np.zeros(len(pieces))
    pool = modes.pool[pieces.mode]
    for one, rows in names.items():
        at = np.array([day for day, _ in rows])
        total = np.concatenate([[0.0], np.cumsum([amount for _, amount in rows])])
        mine = np.flatnonzero(pool == one)
        low = np.searchsorted(at, pieces.start_day[mine])
        high = np.searchsorted(at, pieces.end_day[mine])
        price[mine] = total[high] - total[low]
    return price * modes.nodes[pieces.mode] / np.maximum(days, 1.0), days


def _covered(
    options: Options, worth: Floats, a_day: Floats, days: Floats, is_part: Bools
) -> Floats:
    """Worth less the cheapest days for the need; of jobs in part the days that pay. [mode]"""
    pieces, need = options.pieces, options.modes.need_days.astype(np.float64)
    order = np.lexsort([a_day, pieces.mode])
    mode, price, length = pieces.mode[order], a_day[order], days[order]
    first = np.searchsorted(mode, np.arange(len(need)))
    before = np.concatenate([[0.0], np.cumsum(length)])
    taken = np.clip(need[mode] - (before[:-1] - before[first[mode]]), 0.0, length)
    rate = np.where(is_part, worth / need, 0.0)[mode]
    cost = np.where(is_part[mode], np.minimum(price - rate, 0.0), price) * taken
    paid = np.bincount(mode, cost, minlength=len(need))
    return np.where(is_part, 0.0, worth) - paid


def _help(case: Case, prices: Mapping[str, float], bands: Bands) -> Floats:
    """What a job may add to rows of others: those that wait for it, or borrow after it. [job]"""
    found = np.zeros(len(case.job_names))
    lent: dict[tuple[int, int], float] = {}
    after: dict[int, float] = {}
    for name in bands.names:
        if name.startswith("after_"):
            number = int(name.split("_")[1])
            after[number] = after.get(number, 0.0) + prices[name]
        elif name.startswith("lent_"):
            _, there, identity = name.split("_")
            lent[int(there), int(identity)] = prices[name]
    for number, before in enumerate(case.after_before.tolist()):
        found[before] += after.get(number, 0.0)
    for (pool, workload), price in lent.items():
        borrowers = len(np.unique(case.borrow_job[case.borrow_pool == pool]))
        found[case.job_identity == workload] += price * borrowers
    return found
