"""Prices along averaged violations: where many are equal, single steps get stuck."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from hardware.column import Floats
from planner.allocation.large.band import Bands
from planner.allocation.solver.interrupt import is_stopped

__all__ = ["averaged_ascent"]

STEP, SHARE, PATIENCE = 0.1, 0.1, 20
LONGER, SHORTER = 1.1, 0.66


def averaged_ascent(
    bands: Bands,
    prices: Floats,
    unit: Floats,
    *,
    inner: Callable[[Bands, Floats], tuple[float, Floats]],
    incumbent: float,
    rounds: int,
    end: float,
) -> tuple[Floats, int]:
    """
    The best prices over rounds from given ones, by the volume algorithm.

    Parameters
    ----------
    bands : Bands
        What is maximised, and its rows.
    prices, unit : ndarray [row]
        Where to begin, and the unit in which prices move.
    inner : callable
        The bound at prices, and the activity of the best columns there.
    incumbent : float
        Value of a plan in hand, for the length of steps.
    rounds : int
        Most rounds.
    end : float
        When to stop, by `time.monotonic`. [s]

    Returns
    -------
    (ndarray, int)
        Prices, and the rounds used.

    Notes
    -----
    Where two pools are alike, or two months, the best columns lie all in one of them, and no
    step along their violation lowers the bound. The average over rounds spreads them, as the
    solution of the relaxed program does [1]_. Always from the best prices so far.

    References
    ----------
    .. [1] F. Barahona, R. Anbil, "The volume algorithm: producing primal solutions with a
       subgradient method," Mathematical Programming, vol. 87, 2000.
    """
    bound, average = inner(bands, prices)
    best, step, since, count = (bound, prices), STEP, 0, 0
    for count in range(1, rounds + 1):
        if count % 8 == 0 and (time.monotonic() > end or is_stopped()):
            break
        way = (average - bands.bound) * unit
        way[(best[1] <= 0) & (way < 0)] = 0.0
        size = float(way @ way)
        distance = best[0] - incumbent
        if size <= 1e-14 or distance <= 1e-9 * max(abs(best[0]), 1.0):
            break
        prices = np.maximum(best[1] + step * distance / size * unit * way, 0.0)
        bound, activity = inner(bands, prices)
        average = SHARE * activity + (1 - SHARE) * average
        since += 1
        if bound < best[0] - 1e-7 * abs(best[0]):
            best, since, step = (bound, prices), 0, min(step * LONGER, 1.0)
        elif since >= PATIENCE:
            since, step = 0, step * SHORTER
    return best[1], count
