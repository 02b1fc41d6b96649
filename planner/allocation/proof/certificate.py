"""A bound on every plan that anyone can recompute: prices of rows, checked without a solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Floats
from planner.allocation.large.band import Bands, bands_of, can_price
from planner.allocation.large.knapsack import bound_within_budgets, can_keep_budgets
from planner.allocation.large.pausing import can_pause, paused_bound
from planner.allocation.offer.option import Options, enumerate_options

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["Certificate", "bound_from", "certified_bound"]


@dataclass(frozen=True)
class Certificate:
    """
    Prices by name of row, and the bound that they prove.

    `is_recomputed` tells that the bound is what `witness.proved_bound` gives for the prices,
    by the same functions, so that whoever states it need not compute it once more.
    """

    prices: Mapping[str, float]  # value per unit of the row, not negative; rows of 0 left out
    bound: float
    is_recomputed: bool = False

    @property
    def recomputed(self) -> float | None:
        """The bound, where it is what `witness.proved_bound` gives."""
        return self.bound if self.is_recomputed else None

    @classmethod
    def of(cls, bands: Bands, scaled: Floats) -> Certificate:
        """The certificate of scaled prices."""
        used = np.flatnonzero(scaled > 0)
        own = scaled * np.abs(bands.factor)
        prices = {bands.names[row]: float(own[row]) for row in used.tolist()}
        return cls(prices, bound_from(bands, prices))


def bound_from(bands: Bands, prices: Mapping[str, float]) -> float:
    """The most value that any plan has, by prices of rows; those below zero count as zero."""
    return bands.bound_at(_scaled(bands, prices))


def _scaled(bands: Bands, prices: Mapping[str, float]) -> Floats:
    """Prices by name of row as scaled ones; those below zero count as zero. [row]"""
    own = np.array([max(float(prices.get(name, 0.0)), 0.0) for name in bands.names])
    return own / np.abs(bands.factor)


def certified_bound(
    case: Case, prices: Mapping[str, float], options: Options | None = None
) -> float | None:
    """
    The bound that prices prove for a case, recomputed from the case alone.

    sum_i price_i bound_i + sum_j max(0, max_{o in runs(j)} value_o - sum_i price_i a_io)

    Parameters
    ----------
    case : Case
        The scenario as columns.
    prices : mapping of str to float
        By name of row, such as ``pool_0_30`` (pool 0 on day 30) or ``budget_2``; a name
        that is no row of the case counts for nothing. [value per unit of the row]

    Returns
    -------
    float or None
        A bound on the value of every plan, by weak duality, whatever the prices are; None
        for cases with jobs that change pools, or that pause where support must be equal.

    Notes
    -----
    Where there are budgets, the better of this and of the same without their prices, in
    which each is spent whole (`knapsack.bound_within_budgets`).
    """
    options = enumerate_options(case) if options is None else options
    if can_pause(case, options):
        return paused_bound(case, options, prices)
    if not can_price(options):
        return None
    bands = bands_of(case, options)
    bound = bound_from(bands, prices)
    if not can_keep_budgets(case, bands):
        return bound
    return min(bound, bound_within_budgets(case, options.runs, bands, _scaled(bands, prices)))
