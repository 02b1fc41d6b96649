"""Predictions against published measurements: every row, a summary, and the summary by class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import Bools, Floats
from planner.measured import (
    READ_REASONS,
    MeasuredTable,
    Measurements,
    read_csv,
    read_measurements,
    tokens_per_s_per_device,
)
from planner.stack import CONSTANTS, FamilyTable, StackTable, load_constants
from planner.step import StepTable, step

__all__ = ["NOT_MEASURED", "backtest", "classes", "predicted", "summary"]

NOT_MEASURED = "no metric of the row can be turned into tokens a second"
BASELINE_UTILISATION = 0.5
"""The constant that every model has to beat: half of the dense peak, for every row."""

_SIZES = (8, 64, 512, 4096)


def backtest(
    path: str | Path,
    *,
    memory: bool = False,
    constants: str | Path = CONSTANTS,
    stack: str = "",
) -> dict[str, Any]:
    """
    Predict each row of a file and compare.

    Parameters
    ----------
    path : str or Path
        Rows in the columns of ``measurements.csv``, or of ``memory.csv``.
    memory : bool
        Compare peak memory and whether a row fits, not speed.
    constants : str or Path
        Table of constants.
    stack : str
        Software stack of rows that name none.

    Returns
    -------
    dict
        ``rows``, ``summary`` and ``by`` in plain types; unknown is None.

    Raises
    ------
    InputError
        The file cannot be read, or lacks columns.

    Notes
    -----
    `id`, `source` and `other` are never read for a prediction; a row that
    cannot be predicted says why and counts in the summary.
    """
    stacks, families = load_constants(constants)
    lines = [{**line, "stack": line.get("stack") or stack} for line in read_csv(path)]
    read = read_measurements(lines, stacks)
    if memory:
        from planner.trial_memory import memory_rows

        return memory_rows(read, stacks)
    return _speed(read, stacks, families)


def predicted(read: Measurements, stacks: StackTable, families: FamilyTable) -> StepTable:
    """Step time of every layout that was read. [row of the layouts]"""
    return step(read.models, read.devices, stacks, families, read.rows)


def _speed(read: Measurements, stacks: StackTable, families: FamilyTable) -> dict[str, Any]:
    priced = predicted(read, stacks, families)
    known = read.measured
    measured = tokens_per_s_per_device(known, read.rows)
    at = np.maximum(known.row, 0)
    can = (known.row >= 0) & (measured > 0)
    own = priced.tokens_per_s / read.rows.size
    constant = own * BASELINE_UTILISATION / priced.mfu_frac
    guess, base, factor = (
        (column[at] if len(column) else np.zeros(len(known)))
        for column in (own, constant, priced.factor_80)
    )
    rows = [
        _row(known, i, float(measured[i]), float(guess[i]), float(factor[i]))
        for i in range(len(known))
    ]
    error = np.log(np.where(can, guess, 1.0) / np.where(can, measured, 1.0))
    of_constant = np.log(np.where(can, base, 1.0) / np.where(can, measured, 1.0))
    inside = np.abs(error) <= np.log(np.maximum(factor, 1.0))

    def about(chosen: Bools) -> dict[str, Any]:
        mine = chosen & can
        record = summary(error[mine], inside[mine], count=int(chosen.sum()))
        record["constant"] = summary(of_constant[mine], None, count=int(chosen.sum()))
        return record

    every = np.ones(len(known), dtype=np.bool_)
    return {
        "schema": "planner/backtest/1",
        "rows": rows,
        "summary": about(every),
        "by": _by(classes(read), about),
    }


def _row(
    known: MeasuredTable, at: int, measured: float, guess: float, factor: float
) -> dict[str, Any]:
    reason = READ_REASONS[int(known.reason[at])]
    if not reason and measured <= 0:
        reason = NOT_MEASURED
    can = not reason
    return {
        "id": known.ids[at],
        "measured_tokens_per_s_per_device": measured if measured > 0 else None,
        "predicted_tokens_per_s_per_device": guess if known.reason[at] == 0 else None,
        "error_frac": guess / measured - 1.0 if can else None,
        "low80": guess / factor if known.reason[at] == 0 else None,
        "high80": guess * factor if known.reason[at] == 0 else None,
        "reason": reason or None,
    }


def summary(error: Floats, inside: Bools | None, *, count: int) -> dict[str, Any]:
    """
    Error statistics of predictions.

    Parameters
    ----------
    error : ndarray
        Logarithm of predicted over measured. [row]
    inside : ndarray of bool, optional
        Whether the 80 % interval holds the measurement. [row]
    count : int
        Rows asked for, those that could not be predicted included.

    Returns
    -------
    dict
        `n` and how many of them were predicted; median and 90th percentile of
        the absolute error, mean absolute error, median signed error, as
        fractions of the measurement; coverage. None where nothing was predicted.
    """
    off = np.abs(np.expm1(error))
    some = len(error) > 0
    record = {
        "n": count,
        "n_predicted": len(error),
        "mdape_frac": float(np.median(off)) if some else None,
        "p90_frac": float(np.quantile(off, 0.9)) if some else None,
        "mape_frac": float(np.mean(off)) if some else None,
        "bias_frac": float(np.expm1(np.median(error))) if some else None,
    }
    if inside is not None:
        record["coverage80_frac"] = float(np.mean(inside)) if some else None
    return record


def classes(read: Measurements) -> dict[str, Sequence[str]]:
    """The class of each row of the file, by the name of the classification."""
    known = read.measured
    at = np.maximum(known.row, 0)
    sparse = read.models.experts[read.rows.model] > 0 if len(read.rows.model) else np.zeros(1)
    kinds = np.where(known.row < 0, "not read", np.where(sparse[at], "experts", "dense"))
    return {
        "stack": tuple(name or "not stated" for name in known.stacks),
        "device": known.accelerators,
        "precision": known.precisions,
        "kind": tuple(str(kind) for kind in kinds),
        "devices": tuple(_size_class(int(count)) for count in known.devices),
        "complete": tuple(name or "not stated" for name in known.complete),
    }


def _size_class(count: int) -> str:
    below = 0
    for limit in _SIZES:
        if count <= limit:
            return f"{below + 1}-{limit}"
        below = limit
    return f"above {_SIZES[-1]}"


def _by(
    kinds: Mapping[str, Sequence[str]], about: Callable[[Bools], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    return {
        name: {value: about(np.array(values) == value) for value in _distinct(values)}
        for name, values in kinds.items()
    }


def _distinct(values: Iterable[str]) -> list[str]:
    return sorted(set(values))
