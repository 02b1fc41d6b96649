"""Errors of rows whose source, or device, the fit has not seen, and the spread that they have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints
from planner.calibration import Evidence, Tables, fit, log_error
from planner.stack import FamilyTable, StackTable
from planner.timing.interval import CLASSES, NORMAL_80, class_of

__all__ = ["by_group", "classes_of", "marked_measured", "scored", "with_spreads"]

LEAST_SPREAD = 0.03
"""Spread below which no interval goes: repeated measurements differ by as much."""

UNSEEN_ROWS = 12
"""Rows that a class needs before its spread is its own."""


def by_group(
    known: Evidence,
    priors: Tables,
    groups: Sequence[str],
    *,
    near: Tables | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Floats:
    """
    Error of each row when the constants are fitted without its group.

    Parameters
    ----------
    known : Evidence
        [row]
    priors : (StackTable, FamilyTable)
        Where each fit starts.
    groups : sequence of str
        Group of each row: its source, or its device. [row]
    near : (StackTable, FamilyTable), optional
        The fit to all rows, near which each of these begins its search.
    note : callable
        Told the name of each group before it is left out.

    Returns
    -------
    ndarray
        Logarithm of predicted over measured. [row]

    Notes
    -----
    A group that is left out whole may be the only one of its stack or family;
    those then stay at their priors, as for a stack that nobody measured.
    """
    result = np.zeros(len(known))
    names = np.array(groups)
    for name in sorted(set(groups)):
        note(name)
        out = names == name
        learnt = ~out & (~known.is_sweep | np.isin(known.stack, known.stack[out & known.is_sweep]))
        tables = fit(known, priors, learnt, near=near)
        result[out] = log_error(known, tables, np.flatnonzero(out))
    return result


def scored(known: Evidence) -> Bools:
    """Rows on which the model is judged: layout stated, sweeps apart. [row]"""
    complete = np.array(known.measurements.measured.complete)[known.line]
    result: Bools = np.isin(complete, ("yes", "layout")) & ~known.is_sweep
    return result


def classes_of(known: Evidence) -> Ints:
    """Class of each row for its interval, an index into `interval.CLASSES`. [row]"""
    rows = known.measurements.rows
    return class_of(known.measurements.models.experts[rows.model] > 0, rows.precision)


def with_spreads(tables: Tables, known: Evidence, error: Floats, of_family: Floats) -> Tables:
    """
    The constants with the spread of unseen rows beside them.

    Parameters
    ----------
    tables : (StackTable, FamilyTable)
        Fitted constants.
    known : Evidence
        [row]
    error : ndarray
        Errors with each row's source left out. [row]
    of_family : ndarray
        Errors with each row's family of devices left out. [row]

    Returns
    -------
    (StackTable, FamilyTable)
        A measured stack gets the spread of its class over all sources whose
        stack others had measured; one that is not gets that of sources whose
        stack nobody else had; a sweep's stack the spread of the sweep.
    """
    stacks, families = tables
    alone = _only_source(known)
    kind, fair = classes_of(known), scored(known)
    spreads: dict[str, Any] = {}
    pooled = _spread(error[fair & alone], 0.0)
    for at, name in enumerate(CLASSES):
        mine = fair & (kind == at)
        seen = _spread(error[mine & ~alone], _spread(error[fair & ~alone], 0.0))
        unseen = max(_spread(error[mine & alone], pooled), seen)
        spreads[name] = np.where(stacks.measured, seen, unseen)
        for stack in sorted(set(known.stack[known.is_sweep].tolist())):
            fitted = log_error(
                known, tables, np.flatnonzero(known.is_sweep & (known.stack == stack))
            )
            spreads[name][stack] = _spread(fitted, seen)
    base = _spread(error[fair], 0.0)
    extra = max(_spread(of_family[fair], base) ** 2 - base**2, 0.0) ** 0.5
    return (
        dataclasses.replace(stacks, **spreads),
        dataclasses.replace(
            families, residual_spread=np.where(families.measured, 0.0, round(extra, 3))
        ),
    )


def _only_source(known: Evidence) -> Bools:
    """Whether no other source has the stack of a row. [row]"""
    sources: dict[int, set[str]] = {}
    for stack, source in zip(known.stack.tolist(), known.sources, strict=True):
        sources.setdefault(stack, set()).add(source)
    return np.array([len(sources[stack]) == 1 for stack in known.stack.tolist()], dtype=np.bool_)


def _spread(error: Floats, otherwise: float) -> float:
    """Standard deviation of a normal distribution with the same central 80 %."""
    if len(error) < UNSEEN_ROWS:
        return otherwise
    return round(max(float(np.quantile(np.abs(error), 0.8)) / NORMAL_80, LEAST_SPREAD), 3)


def marked_measured(tables: Tables, known: Evidence) -> tuple[StackTable, FamilyTable]:
    """The constants with a mark on each stack and family that has rows."""
    stacks, families = tables
    of_stack = np.isin(np.arange(len(stacks)), known.stack) & (np.arange(len(stacks)) > 0)
    of_family = np.isin(np.arange(len(families)), known.family) & (np.arange(len(families)) > 0)
    return (
        dataclasses.replace(stacks, measured=of_stack),
        dataclasses.replace(families, measured=of_family),
    )
