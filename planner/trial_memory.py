"""Predicted peak memory against published outcomes: the error where a row ran, and who fits."""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.measured import READ_REASONS, Measurements
from planner.memory import OVERFULL, memory, printed_bytes
from planner.stack import StackTable

__all__ = ["memory_rows"]


def memory_rows(read: Measurements, stacks: StackTable) -> dict[str, Any]:
    """
    Peak memory and fit of every row, beside what was published.

    Parameters
    ----------
    read : Measurements
        Rows in the columns of ``memory.csv``.
    stacks : StackTable
        The constants of stacks.

    Returns
    -------
    dict
        ``rows``, ``summary`` with the confusion matrix of fits, and ``by`` source, device and
        type the same, in plain types.

    Notes
    -----
    What a program prints lacks what the runtime takes outside its allocator;
    see `planner.memory.printed_bytes`.
    """
    known = read.measured
    priced = memory(read.models, read.devices, stacks, read.rows)
    kinds = np.full(len(read.rows.model), "", dtype=object)
    kinds[known.row[known.row >= 0]] = np.array(known.memory_kinds, dtype=object)[known.row >= 0]
    printed = printed_bytes(priced, [str(kind) for kind in kinds])
    first = priced.first_overfull.tolist()
    rows = []
    for at in range(len(known)):
        row, reason = int(known.row[at]), READ_REASONS[int(known.reason[at])]
        peak = float(printed[row]) if row >= 0 else None
        measured = float(known.memory_bytes[at]) or None
        fits = None if row < 0 else bool(priced.fits[row])
        rows.append(
            {
                "id": known.ids[at],
                "measured_peak_bytes": measured,
                "predicted_peak_bytes": peak,
                "error_frac": peak / measured - 1.0 if peak and measured else None,
                "measured_fits": None if known.fits[at] < 0 else bool(known.fits[at]),
                "predicted_fits": fits,
                "predicted_overfull": None if fits or row < 0 else OVERFULL[first[row]],
                "reason": reason or None,
            }
        )
    kinds_of = {"source": known.sources, "device": known.accelerators,
                "precision": known.precisions}  # fmt: skip
    return {
        "schema": "planner/backtest-memory/1",
        "rows": rows,
        "summary": _summary(rows),
        "by": {
            name: {
                value: _summary([row for row, of in zip(rows, values, strict=True) if of == value])
                for value in sorted(set(values))
            }
            for name, values in kinds_of.items()
        },
    }


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    errors = np.array(
        [
            row["error_frac"]
            for row in rows
            if row["error_frac"] is not None and row["measured_fits"]
        ]
    )
    judged = [
        (row["measured_fits"], row["predicted_fits"])
        for row in rows
        if row["measured_fits"] is not None and row["predicted_fits"] is not None
    ]
    cells = {
        "fits_predicted_fits": judged.count((True, True)),
        "fits_predicted_too_large": judged.count((True, False)),
        "too_large_predicted_fits": judged.count((False, True)),
        "too_large_predicted_too_large": judged.count((False, False)),
    }
    some = len(errors) > 0
    return {
        "n": len(rows),
        "n_predicted": sum(row["predicted_peak_bytes"] is not None for row in rows),
        "mdape_frac": float(np.median(np.abs(errors))) if some else None,
        "p90_frac": float(np.quantile(np.abs(errors), 0.9)) if some else None,
        "bias_frac": float(np.median(errors)) if some else None,
        "confusion": cells,
    }
