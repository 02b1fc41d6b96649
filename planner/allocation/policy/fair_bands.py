"""Goals of policies over bands: shares of columns, and prices of consortiums that bound them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.allocation.large.band import Bands
from planner.allocation.large.line import Layer
from planner.allocation.offer.option import Options
from planner.allocation.policy.finish_time import FinishTerms
from planner.allocation.policy.proportions import LEAST_SHARE, log_worth

if TYPE_CHECKING:
    from planner.case import Case

__all__ = [
    "Terms",
    "finish_shares",
    "logarithms",
    "shared_worst",
    "work_held",
    "work_shares",
    "worst_off_bands",
]

RATIO = 1.05  # between the ends of neighbouring pieces of the logarithm


@dataclass(frozen=True)
class Terms:
    """What each consortium that counts gets from each run, and what it has without any."""

    teams: Ints  # [team] row of the consortium
    team: Ints  # [run] row of `teams`, -1 where it does not count
    share: Floats  # [run] what a run adds
    offset: Floats  # [team] what there is without any; not negative
    top: float  # no sum is above it

    def reached(self, runs: Ints) -> Floats:
        """What some runs give. [team]"""
        runs = runs[self.team[runs] >= 0]
        got = np.bincount(self.team[runs], self.share[runs], minlength=len(self.teams))
        return np.asarray(self.offset + got, dtype=np.float64)


def work_shares(case: Case, options: Options, *, over_weight: bool) -> Terms:
    """
    Parts of the weighted work asked for; see `goal.shares`.

    Parameters
    ----------
    case, options : Case, Options
        What there is.
    over_weight : bool
        Whether each is divided by its consortium's weight.
    """
    runs, weight = options.runs, case.consortium_weight
    best = np.zeros(len(case.job_names))
    np.maximum.at(best, runs.job, runs.value)
    asked = np.bincount(case.job_consortium, best, minlength=len(weight))  # without the weight
    able = (asked > 0) & (weight > 0)
    per = np.divide(1.0, asked, out=np.zeros(len(asked)), where=able)
    top = 1.0
    if over_weight:
        per = np.divide(per, weight, out=np.zeros(len(per)), where=able)
        top = float((1.0 / weight[able]).max(initial=0.0)) or 1.0
    return _terms(case, options, able, runs.value * per[case.job_consortium[runs.job]],
                  np.zeros(len(weight)), top)  # fmt: skip


def finish_shares(case: Case, options: Options, terms: FinishTerms, alone_days: Floats) -> Terms:
    """
    Days saved below those of nothing done, over those alone and weighed, from the worst there is.

    What is least in the largest weighted ratio of days to those alone is most in the least of
    these: ``top`` less the ratio.
    """
    runs, weight = options.runs, case.consortium_weight
    able = terms.counts & (alone_days > 0)
    per = np.divide(weight, alone_days, out=np.zeros(len(weight)), where=able)
    nothing = terms.unserved_days(case) * per
    top = float(nothing[able].max(initial=0.0)) or 1.0
    done = np.where(case.job_partial[runs.job], runs.done_frac, 1.0)
    saved = terms.unserved[runs.job] - (runs.end_day - terms.release[runs.job])
    share = done * terms.part[runs.job] * saved * per[case.job_consortium[runs.job]]
    return _terms(case, options, able, share, np.maximum(top - nothing, 0.0), top)


def _terms(
    case: Case, options: Options, able: Bools, share: Floats, offset: Floats, top: float
) -> Terms:
    """Terms of the consortiums that count."""
    teams = np.flatnonzero(able)
    place = np.full(len(able), -1, dtype=np.int64)
    place[teams] = np.arange(len(teams))
    return Terms(teams, place[case.job_consortium[options.runs.job]], share, offset[teams], top)


def worst_off_bands(bands: Bands, terms: Terms) -> Bands:
    """
    Bands of which the most is a bound on what the worst-off can have.

    max t    with    t <= offset_c + sum share_o x_o    for every consortium c

    t is one more level. The price of a consortium's row is its weight in the weighted sum
    that proves the bound.
    """
    many = len(terms.teams)
    amount = np.zeros(bands.columns)
    amount[: len(terms.share)] = -terms.share
    row = np.full(bands.columns, 0)
    row[: len(terms.team)] = terms.team
    used = amount != 0
    used[: len(terms.team)] &= terms.team >= 0
    names = [f"level_0_{place}" for place in range(many)]
    return _wider(
        bands, names, terms.offset, row, np.where(used, amount, 0.0),
        low=np.array([0]), high=np.array([many]), gain=np.array([terms.top]),
        value=np.array([terms.top]),
    )  # fmt: skip


def logarithms(bands: Bands, terms: Terms, weight: Floats) -> Bands:
    """
    Bands of which the most is near a bound on the weighted sum of logarithms.

    Each consortium's share is made of pieces, each a level and worth its part of the chords
    of the curve; the tangents at what the prices of ``share_of_0`` and so on ask for bound it.
    """
    many = len(terms.teams)
    count = int(np.ceil(np.log(1.0 / LEAST_SHARE) / np.log(RATIO)))
    ends = np.concatenate([[0.0], np.geomspace(LEAST_SHARE, 1.0, count + 1)])
    worth, size = np.diff(log_worth(ends)), np.diff(ends)
    amount = np.zeros(bands.columns)
    amount[: len(terms.share)] = np.where(terms.team >= 0, -terms.share, 0.0)
    row = np.zeros(bands.columns, dtype=np.int64)
    row[: len(terms.team)] = np.maximum(terms.team, 0)
    place = np.repeat(np.arange(many), len(size))
    return _wider(
        bands, [f"share_of_{at}" for at in range(many)], np.zeros(many), row, amount,
        low=place, high=place + 1, gain=np.tile(size, many),
        value=(weight[:, None] * worth).ravel(),
    )  # fmt: skip


def work_held(bands: Bands, amount: Floats, work: float) -> Bands:
    """
    Bands of which the most is minus a bound on the least amount for some weighted work.

    Parameters
    ----------
    bands : Bands
        Of weighted work.
    amount : ndarray [run]
        What is made small.
    work : float
        What has to be done at least.
    """
    none = np.zeros(0, dtype=np.int64)
    made = _wider(
        bands, ["hold_0"], np.array([-work]), np.zeros(bands.columns, dtype=np.int64), -bands.value,
        low=none, high=none, gain=np.zeros(0), value=np.zeros(0),
    )  # fmt: skip
    value = np.append(-amount, np.zeros(bands.columns - len(amount)))
    return replace(made, value=value)


def _wider(
    bands: Bands,
    names: list[str],
    bounds: Floats,
    row: Ints,
    amount: Floats,
    *,
    low: Ints,
    high: Ints,
    gain: Floats,
    value: Floats,
) -> Bands:
    """Bands with one more line, in which columns take part, and levels, which alone have value."""
    first, more = len(bands.bound), len(low)
    scale = 1.0 / max(float(np.abs(amount).max(initial=0.0)), 1e-12)
    scale = min(scale, 1.0 / max(float(np.abs(bounds).max(initial=0.0)), 1e-12))
    none = np.zeros(more, dtype=np.int32)
    layers = [
        Layer(np.append(one.low, none), np.append(one.high, none),
              np.append(one.amount, np.zeros(more)))
        for one in bands.layers
    ]  # fmt: skip
    used = amount != 0
    start = np.where(used, first + row, 0)
    starts = np.concatenate([start, first + low]).astype(np.int32)
    ends = np.concatenate([np.where(used, start + 1, 0), first + high]).astype(np.int32)
    layers.append(Layer(starts, ends, np.append(amount, gain) * scale))
    last = bands.columns + 1 + np.arange(more)
    return replace(
        bands,
        names=(*bands.names, *names),
        bound=np.append(bands.bound, bounds * scale),
        factor=np.append(bands.factor, np.full(len(names), scale)),
        line_first=np.append(bands.line_first, first + len(names)),
        layers=tuple(layers),
        value=np.append(np.zeros(bands.columns), value),
        first=np.append(bands.first, last),
        job=np.append(bands.job, np.full(more, -1)),
        levels=bands.levels + more,
    )


def shared_worst(terms: Terms, prices: Mapping[str, float]) -> tuple[Floats, float]:
    """
    Value of a run by the prices of consortiums, and what is added, for the worst-off. [run]

    The most of this value in any plan and the number together are no less than what the
    worst-off can have.
    """
    weight = np.array(
        [max(prices.get(f"level_0_{at}", 0.0), 0.0) for at in range(len(terms.teams))]
    )
    value = np.where(terms.team >= 0, terms.share * weight[terms.team], 0.0)
    return value, float(weight @ terms.offset) + terms.top * max(1.0 - float(weight.sum()), 0.0)
