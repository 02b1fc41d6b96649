"""The sentence of a verdict, from figures that the plan file holds, so that it can be checked."""

from __future__ import annotations

import numpy as np

from planner.plan_text import money_text

__all__ = ["PROVED", "cheap_words", "near_words", "verdict_sentence"]

PROVED = 1e-6  # relative distance of bound and amount that counts as none


def near_words(gap_frac: float | None) -> str:
    """
    How near the most weighted work a plan is proved to be.

    Examples
    --------
    >>> near_words(0.0123), near_words(0.0)
    ('within 1.3 % of the best possible', 'the best possible')
    """
    if gap_frac is None:
        return "with no bound proved"
    if gap_frac <= PROVED:
        return "the best possible"
    return f"within {_percent(gap_frac)} of the best possible"


def cheap_words(cost: float, bound: float | None) -> str:
    """
    How near the least cost of its work a plan is; nothing where that is not known.

    Examples
    --------
    >>> cheap_words(100.0, 98.0), cheap_words(100.0, None)
    (', cost within 2 % of the least', '')
    """
    if bound is None or cost <= 0:
        return ""
    over = max(cost - bound, 0.0) / cost
    if over <= PROVED:
        return ", at the least cost"
    if over > 0.5:
        return ", perhaps not at the least cost"
    return f", cost within {_percent(over)} of the least"


def verdict_sentence(
    placed: int,
    asked: int,
    *,
    partly: int,
    cost: float,
    currency: str,
    words: str,
    solver: str,
    seconds: float,
    was_interrupted: bool,
) -> str:
    """
    The first line of an answer: jobs, money, how near the best, by whom and how soon.

    Examples
    --------
    >>> verdict_sentence(5, 6, partly=0, cost=12.4e6, currency="USD", words="the best possible",
    ...                  solver="HiGHS", seconds=3.2, was_interrupted=False)
    '5 of 6 jobs placed for 12.4 M USD, the best possible (HiGHS, 3.2 s)'
    """
    count = f"{placed} of {asked} jobs placed"
    if partly:
        count += f" ({partly} in part)"
    cut = ", interrupted" if was_interrupted else ""
    return f"{count} for {money_text(cost, currency)}, {words} ({solver}, {seconds:.2g} s{cut})"


def _percent(frac: float) -> str:
    """A part as percent to two digits, rounded up, so that it holds."""
    amount = 100.0 * frac
    if amount <= 0:
        return "0 %"
    step = 10.0 ** (np.floor(np.log10(amount)) - 1)
    return f"{float(np.ceil(amount / step - 1e-9)) * step:.6g} %"
