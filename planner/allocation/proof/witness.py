"""A bound on every plan, recomputed from a scenario and the prices that a plan file carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from hardware.errors import Diagnostic, Where
from planner.allocation.flexible.bound import chain_bound
from planner.allocation.offer.option import Options, enumerate_options
from planner.allocation.program.dual import bound_of
from planner.allocation.program.families import build_program
from planner.allocation.proof.certificate import certified_bound

if TYPE_CHECKING:
    from planner.case import Case

__all__ = ["TOLERANCE", "proved_bound", "witness_faults"]

TOLERANCE = 1e-6
"""Part by which a stated bound may differ from the recomputed one: float sums in another order."""

OF_THE_PROGRAM = ("ids_", "block_", "inside_", "equal_", "lend_", "mode_", "work_")
"""Beginnings of names of rows that are written otherwise, or not at all, as lines of rows."""


def proved_bound(
    case: Case, prices: Mapping[str, float], *, options: Options | None = None
) -> float:
    """
    The most weighted work of any plan of a case, by prices of rows. [1]

    Parameters
    ----------
    case : Case
        The scenario as columns.
    prices : mapping of str to float
        By name of row, such as ``pool_0_30`` (pool 0 on day 30) or ``budget_2``; any
        numbers do, since those with the wrong sign count as zero, and names that are no row
        for nothing. [value per unit of the row]
    options : Options, optional
        What `enumerate_options` gives for the case, where it is in hand.

    Returns
    -------
    float
        Valid whatever the prices are, by weak duality; no solver takes part.
    """
    options = enumerate_options(case) if options is None else options
    if not options.is_whole:  # more chains than can be listed
        return chain_bound(case, options.blocks, prices)
    if not any(name.startswith(OF_THE_PROGRAM) for name in prices):
        quick = certified_bound(case, prices, options)
        if quick is not None:
            return quick
    program, _ = build_program(case, options)
    own = np.array([float(prices.get(row.name, 0.0)) for row in program.rows])
    return bound_of(program, own)


def witness_faults(case: Case, data: Mapping[str, object]) -> tuple[int, tuple[Diagnostic, ...]]:
    """
    Check the certificate of a plan file.

    Parameters
    ----------
    case : Case
        The scenario as columns.
    data : mapping
        The plan as plain types.

    Returns
    -------
    (int, tuple of Diagnostic)
        Number of prices looked at, and faults: prices that cannot be read, a stated bound
        that they do not prove, a plan above the bound.
    """
    certificate, verdict = data.get("certificate"), data.get("verdict")
    if not isinstance(certificate, Mapping) or not isinstance(verdict, Mapping):
        return 0, ()
    place = Where(field="certificate")
    try:
        prices = {str(name): float(price) for name, price in certificate["prices"].items()}
        stated = float(certificate["bound"])
    except (KeyError, TypeError, ValueError, AttributeError):
        fault = Diagnostic("bad-value", "the certificate cannot be read", place,
                           expected="`bound` and `prices` by name of row")  # fmt: skip
        return 0, (fault,)
    if not np.isfinite([stated, *prices.values()]).all():
        return 0, (Diagnostic("bad-value", "the certificate holds no finite numbers", place),)
    with np.errstate(over="ignore", invalid="ignore"):  # prices too high to prove anything
        bound = proved_bound(case, prices)
    found: list[Diagnostic] = []
    if not np.isfinite(bound) or abs(bound - stated) > TOLERANCE * max(abs(bound), 1e-9):
        found.append(
            Diagnostic("certificate-mismatch", "the prices prove another bound than is stated",
                       Where(field="certificate.bound"), f"{stated:.9g}", f"{bound:.9g}")
        )  # fmt: skip
    objective = verdict.get("objective")
    if isinstance(objective, (int, float)) and objective > bound * (1 + TOLERANCE) + 1e-9:
        found.append(
            Diagnostic("bound-contradicted", "the plan is better than the prices allow",
                       Where(field="verdict.objective"), f"{objective:.9g}",
                       f"at most {bound:.9g}")
        )  # fmt: skip
    return len(prices), tuple(found)
