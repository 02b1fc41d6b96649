"""Bounds by parts: plans that serve a job and plans that do not, each with prices of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from planner.allocation.flexible.knapsack import earned_most
from planner.allocation.flexible.model import ChainModel
from planner.allocation.flexible.value import NEVER, chain_values
from planner.allocation.flexible.ways import Ways, costs_of
from planner.allocation.program.dual import safely

__all__ = [
    "EVERY",
    "FINENESS",
    "WHOLE",
    "Part",
    "dearest",
    "leaf_bound",
    "parts_bound",
    "parts_of",
    "written",
]

WHOLE = 1  # number of the part that is all plans
MOST_PARTS = 2000  # that a plan file may have
FINENESS = "parts of work"  # entry of how finely work is divided, where not as is usual


@dataclass(frozen=True)
class Part:
    """
    Plans that serve some jobs and do not serve others.

    Part n is divided into 2 n, which serves one job more, and 2 n + 1, which does not.
    """

    number: int
    served: frozenset[int]
    refused: frozenset[int]


EVERY = Part(WHOLE, frozenset(), frozenset())
"""All plans."""


def leaf_bound(model: ChainModel, part: Part, prices: Floats, buckets: int) -> float:
    """
    The most value of a plan of a part, at prices of rows.

    Parameters
    ----------
    model : ChainModel
        The case.
    part : Part
        Which jobs are served, and which are not.
    prices : ndarray [row]
        Not negative. [value per unit of the row]
    buckets : int
        As for `chain_value.chain_values`.

    Returns
    -------
    float
        `NEVER` where a budget has no room for the jobs that are served.
    """
    if not all(one.holds(part.served) for one in model.knapsacks):
        return NEVER
    rows = model.rows
    ways = [one for one in model.ways if one.job not in part.refused]

    def earned(one: Ways) -> float:
        with np.errstate(over="ignore", invalid="ignore"):  # each thread has its own
            costs = costs_of(rows.case, one, tariff, may_earn=earns)
            return chain_values(one, costs, buckets, is_bound=True).best

    with np.errstate(over="ignore", invalid="ignore"):
        tariff, earns = rows.tariff(prices), rows.earns(prices)
        size = float(prices @ rows.reach) * (len(model.ways) + 1)
        size += float(sum(one.worth.max(initial=0.0) for one in ways))
        total = float(prices @ rows.bound)
        total += earned_most(model.knapsacks, [one.job for one in ways], model.each(earned, ways),
                             part.served, part.refused)  # fmt: skip
    return safely(total, size, len(prices))


def written(
    names: Sequence[str],
    leaves: Sequence[tuple[int, Floats]],
    divided: Mapping[int, int],
    fineness: Mapping[int, int] | None = None,
) -> dict[str, float]:
    """
    Parts as entries of a certificate.

    Parameters
    ----------
    names : sequence of str
        Names of the rows.
    leaves : sequence of (part, prices)
        Of parts that are not divided. [value per unit of the row]
    divided : mapping of int to int
        The job, by row, that decides between the halves of each part that is.
    fineness : mapping of int to int, optional
        How finely the work is divided for parts for which it is not as is usual.
    """
    found = {f"part {part}: job": float(job) for part, job in sorted(divided.items())}
    for part, prices in sorted(leaves, key=lambda leaf: leaf[0]):
        for row in np.flatnonzero(prices > 0).tolist():
            found[f"part {part}: {names[row]}"] = float(prices[row])
        if fineness and part in fineness:
            found[f"part {part}: {FINENESS}"] = float(fineness[part])
    return found


def parts_of(prices: Mapping[str, float]) -> dict[int, dict[str, float]]:
    """Entries of a certificate by part, without those of the whole."""
    found: dict[int, dict[str, float]] = {}
    for name, price in prices.items():
        head, _, row = name.partition(": ")
        word, _, number = head.partition(" ")
        if word == "part" and row and number.isdigit() and len(number) < 16:
            found.setdefault(int(number), {})[row] = float(price)
    return found


def dearest(prices: Mapping[str, float]) -> Mapping[str, float]:
    """
    The highest price of each row over all parts that are not divided.

    One more of a row adds at most that to the bound of the parts together.

    Parameters
    ----------
    prices : mapping of str to float
        Of a certificate. [value per unit of the row]
    """
    parts = parts_of(prices)
    if "job" not in parts.get(WHOLE, {}):
        return {name: price for name, price in prices.items() if name != FINENESS}
    found: dict[str, float] = {}
    for part in parts.values():
        if "job" not in part:
            for name, price in part.items():
                found[name] = max(found.get(name, 0.0), price)
    found.pop(FINENESS, None)
    return found


def parts_bound(
    model: ChainModel, prices: Mapping[str, float], buckets: int, finest: int
) -> float | None:
    """
    The most value of any plan, by the prices of the parts of a certificate.

    Parameters
    ----------
    model : ChainModel
        The case.
    prices : mapping of str to float
        Of a certificate. [value per unit of the row]
    buckets, finest : int
        How finely work is divided where a part does not ask for another fineness, and the
        most that it may ask for.

    Returns
    -------
    float or None
        The largest over the parts, which together hold every plan; None where a certificate
        has none.
    """
    parts = parts_of(prices)
    if "job" not in parts.get(WHOLE, {}) or len(parts) > MOST_PARTS:
        return None
    known = {one.job for one in model.ways}
    bound, open_parts = -np.inf, [EVERY]
    while open_parts:
        part = open_parts.pop()
        entries = parts.get(part.number, {})
        job = int(entries.get("job", -1.0))
        if job in known - part.served - part.refused:
            open_parts.append(Part(2 * part.number, part.served | {job}, part.refused))
            open_parts.append(Part(2 * part.number + 1, part.served, part.refused | {job}))
            continue
        own = np.array([max(entries.get(name, 0.0), 0.0) for name in model.rows.names])
        asked = max(int(min(entries.get(FINENESS, buckets), finest)), 1)
        bound = max(bound, leaf_bound(model, part, own, asked))
    return bound
