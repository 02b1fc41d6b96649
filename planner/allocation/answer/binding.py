"""From the prices of rows to what one more node, day or part of a budget would be worth."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.column import Floats
from hardware.errors import Diagnostic, Where
from planner.allocation.flexible.parts import dearest
from planner.plan_bind import Binding, written_bindings

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["binding_faults", "bindings", "node_prices"]

NOTHING = 1e-9  # of the largest
TOLERANCE = 1e-6  # part by which a stated worth may differ: float sums in another order


def node_prices(case: Case, prices: Mapping[str, float]) -> Floats:
    """
    Value of one more node of each pool through each period. [value a node]

    Parameters
    ----------
    case : Case
        The scenario as columns.
    prices : mapping of str to float
        Of rows by name, as in a certificate; a pool has one, ``pool_0_30``, for each day on
        which its nodes may run short.

    Returns
    -------
    ndarray [pool, period]
        Sum of the prices of the days within the period. Pools whose nodes are counted by
        block have none here.
    """
    found = np.zeros((len(case.pool_names), len(case.border_day) - 1))
    for name, price in prices.items():
        parts = name.split("_")
        if parts[0] != "pool" or len(parts) != 3:
            continue
        pool, day = int(parts[1]), int(parts[2])
        period = int(np.searchsorted(case.border_day, day, side="right")) - 1
        if 0 <= pool < found.shape[0] and 0 <= period < found.shape[1]:
            found[pool, period] += max(float(price), 0.0)
    return found


def bindings(
    case: Case, prices: Mapping[str, float], *, money_per_value: float | None = None
) -> tuple[Binding, ...]:
    """
    What more of each scarce thing is worth, the most worth first within a kind.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    prices : mapping of str to float
        Of rows by name. [value per unit of the row]
    money_per_value : float, optional
        Money for which the plan does one unit of value; the worth in money follows. [currency]

    Returns
    -------
    tuple of Binding
        ``pool``: one more node on all days; ``day``: all nodes for a day more, at the mean
        price of the days there are; ``budget``: a hundredth more; ``floor``: one
        device-equivalent less; ``cap``: one more; ``period``: one more node in one period.

    Notes
    -----
    By weak duality no plan made of the same runs does more weighted work than the certified
    bound and the worth together. Runs that need more nodes than the pool has are not among
    them. Where the bound is above the plan, the worth is of the bound and may overstate; that
    of a budget is of the bound that counts prices for budgets, where the certified one, with
    each budget whole, is nearer.
    """
    prices = dearest(prices)
    of_node = node_prices(case, prices)
    days = float(case.border_day[-1] - case.border_day[0])
    most = np.array([_nodes(case, pool) for pool in range(len(case.pool_names))])
    found: list[tuple[str, str, int | None, str, float]] = []
    for pool, name in enumerate(case.pool_names):
        total = float(of_node[pool].sum())
        found.append(("pool", name, None, "node", total))
        found.append(("day", name, None, "day of all nodes", total * float(most[pool]) / days))
        for period, price in enumerate(of_node[pool].tolist()):
            found.append(("period", name, period, "node", price))
    for team, name in enumerate(case.consortium_names):
        found += [(kind, name, None, unit, worth) for kind, unit, worth in _of(case, team, prices)]
    largest = max((worth for *_, worth in found), default=0.0)
    order = {kind: at for at, kind in enumerate(("pool", "day", "budget", "floor", "cap"))}
    kept = [one for one in found if one[4] > NOTHING * max(largest, 1e-12)]
    kept.sort(key=lambda one: (order.get(one[0], len(order)), -one[4], one[1], one[2] or 0))
    return tuple(
        Binding(kind, name, *_dates(case, period), unit, worth,
                None if not money_per_value else worth * money_per_value)
        for kind, name, period, unit, worth in kept
    )  # fmt: skip


def binding_faults(case: Case, data: Mapping[str, Any]) -> tuple[int, tuple[Diagnostic, ...]]:
    """
    Check what a plan file says binds against the prices of its certificate.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    data : mapping
        The plan as plain types, with a certificate that can be read.

    Returns
    -------
    (int, tuple of Diagnostic)
        Number of entries looked at, and each that the prices do not give.
    """
    if not data.get("binds"):
        return 0, ()
    cost, work = data["verdict"].get("cost"), data["verdict"].get("objective")
    rate = cost / work if cost and work else None
    expected = written_bindings(bindings(case, data["certificate"]["prices"], money_per_value=rate))
    right = {_key(one): one for one in expected}
    found = []
    for at, one in enumerate(data["binds"]):
        known = right.get(_key(one)) if isinstance(one, Mapping) else None
        if known is None or not all(_is_near(one.get(key), known[key]) for key in _AMOUNTS):
            found.append(
                Diagnostic("binding-misstated", "the prices give another worth than is stated",
                           Where(field=f"binds[{at}]"), str(one),
                           "nothing" if known is None else str(known))
            )  # fmt: skip
    return len(data["binds"]), tuple(found)


_AMOUNTS = ("value", "money")


def _key(one: Mapping[str, Any]) -> tuple[str, ...]:
    """What an entry speaks of."""
    return tuple(str(one.get(name)) for name in ("kind", "name", "from", "to", "unit"))


def _is_near(stated: Any, amount: float | None) -> bool:
    """Whether a stated amount is the right one, or rightly unknown."""
    if amount is None or stated is None:
        return amount is None and stated is None
    if isinstance(stated, bool) or not isinstance(stated, (int, float)):
        return False
    return abs(stated - amount) <= TOLERANCE * max(abs(amount), 1e-12)


def _of(case: Case, team: int, prices: Mapping[str, float]) -> list[tuple[str, str, float]]:
    """Worth of a hundredth more budget, of a lower floor and of a higher cap."""
    days = float(case.consortium_end_day[team] - case.consortium_first_day[team])
    caps = [abs(price) for name, price in prices.items() if name.startswith(f"cap_{team}_")]
    budget = max(float(case.consortium_budget[team]), 0.0)
    return [
        ("budget", "1 % of the budget", abs(prices.get(f"budget_{team}", 0.0)) * budget / 100),
        ("floor", "device-equivalent less", abs(prices.get(f"floor_{team}", 0.0)) * days),
        ("cap", "device-equivalent", float(sum(caps))),
    ]


def _nodes(case: Case, pool: int) -> int:
    """Most nodes that a pool has in a period."""
    return int(case.pool_nodes[pool].max(initial=0))


def _dates(case: Case, period: int | None) -> tuple[datetime.date | None, datetime.date | None]:
    """First and last day of a period."""
    if period is None:
        return None, None
    first, end = int(case.border_day[period]), int(case.border_day[period + 1])
    day = datetime.timedelta(days=1)
    return case.first_day + first * day, case.first_day + (end - 1) * day
