"""The page of accuracy: errors of sources and devices that the fit had not seen, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, take
from planner.accuracy_memory import MEMORY_NOTE, memory_text
from planner.calibration import Evidence, Tables, evidence, fit
from planner.leave_out import by_group, scored
from planner.measured import read_csv, read_measurements
from planner.profile import Calibration
from planner.scatter import scatter_svg
from planner.stack import CONSTANTS, PRIORS, load_priors
from planner.step import PARTS, StepTable, step
from planner.trial import BASELINE_UTILISATION, classes, summary

__all__ = ["left_out", "page_text", "with_drawing_apart"]

WORST_ROWS = 25


def left_out(
    path: str | Path,
    *,
    by: str,
    constants: str | Path = CONSTANTS,
    priors: str | Path = PRIORS,
    note: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """
    Errors of rows whose source, or device, the fit had not seen.

    Parameters
    ----------
    path : str or Path
        Rows in the columns of ``measurements.csv``.
    by : str
        ``source`` or ``device``.
    constants, priors : str or Path
        Constants that are not fitted; where each fit starts.
    note : callable
        Told what is being left out, for progress.

    Returns
    -------
    dict
        As `planner.trial.backtest`; the summary is over the rows with a
        stated layout, without sweeps of layouts.
    """
    start = load_priors(priors, constants)
    known = evidence(read_measurements(read_csv(path), start[0]), start[1])
    groups = known.sources if by == "source" else _devices(known)
    near = fit(known, start)
    error = by_group(known, start, groups, near=near, note=note)
    priced = step(known.measurements.models, known.measurements.devices, *near, _rows(known))
    return _document(known, error, priced)


def _rows(known: Evidence) -> Any:
    return known.measurements.rows


def _devices(known: Evidence) -> tuple[str, ...]:
    names = known.measurements.measured.accelerators
    return tuple(names[int(line)] for line in known.line)


def _document(known: Evidence, error: Floats, priced: StepTable) -> dict[str, Any]:
    ids = known.measurements.measured.ids
    factor = priced.factor_80
    inside = np.abs(error) <= np.log(factor)
    constant = _constant_error(known, priced)
    guess = known.measured * np.exp(error)
    rows = [
        {
            "id": ids[int(line)],
            "measured_tokens_per_s_per_device": float(known.measured[at]),
            "predicted_tokens_per_s_per_device": float(guess[at]),
            "error_frac": float(np.expm1(error[at])),
            "low80": float(guess[at] / factor[at]),
            "high80": float(guess[at] * factor[at]),
            "reason": None,
        }
        for at, line in enumerate(known.line)
    ]

    def about(chosen: Bools) -> dict[str, Any]:
        record = summary(error[chosen], inside[chosen], count=int(chosen.sum()))
        record["constant"] = summary(constant[chosen], None, count=int(chosen.sum()))
        return record

    fair = scored(known)
    kinds = _kinds(known)
    return {
        "schema": "planner/backtest/1",
        "rows": rows,
        "summary": about(fair),
        "by": {
            name: {
                value: about(fair & (np.array(values) == value))
                for value in sorted(set(np.array(values)[fair].tolist()))
            }
            for name, values in kinds.items()
        },
    }


def _kinds(known: Evidence) -> dict[str, Sequence[str]]:
    every = classes(known.whole)
    kinds = {
        name: tuple(values[int(line)] for line in known.line) for name, values in every.items()
    }
    return {"source": known.sources, **kinds}


def _constant_error(known: Evidence, priced: StepTable) -> Floats:
    """Log error of the constant: half of the peak for every row."""
    rows = _rows(known)
    own = priced.tokens_per_s / rows.size
    result: Floats = np.log(own * BASELINE_UTILISATION / priced.mfu_frac / known.measured)
    return result


def page_text(
    found: Calibration,
    *,
    memory: dict[str, Any] | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> str:
    """
    The page as Markdown, every figure in it computed here.

    Parameters
    ----------
    found : Calibration
        A fit to all rows with the errors of unseen sources beside it.
    memory : dict, optional
        A backtest of memory outcomes, for the section on memory.
    note : callable
        Told what is being left out, for progress.
    """
    known, error = found.known, found.unseen
    priced = step(
        known.measurements.models, known.measurements.devices, *found.tables, _rows(known)
    )
    by_source = _document(known, error, priced)
    start = load_priors()
    by_device = by_group(known, start, _devices(known), near=found.tables, note=note)
    whole = by_source["summary"]
    parts = [
        "# Accuracy",
        _introduction(found, whole, " --memory memory.csv" if memory else ""),
        "## Sources left out",
        "All constants are fitted again without the source, then its rows are predicted. "
        "`constant` is the median error of half the dense peak for every row.",
        _markdown(by_source),
        "## Predicted against measured",
        scatter_svg(known.measured, known.measured * np.exp(error), scored(known)),
        "## Devices left out",
        _markdown(_document(known, by_device, priced), only=("device",)),
        "## Layout sweeps",
        _sweeps(found),
        "## The worst rows",
        _worst(found, priced),
    ]
    if memory:
        parts += ["## Memory", MEMORY_NOTE, memory_text(memory)]
    return "\n\n".join(parts) + "\n"


def with_drawing_apart(page: str, name: str) -> tuple[str, str]:
    """
    The page with its drawing as a file of its own, since many readers of Markdown drop it.

    Parameters
    ----------
    page : str
        What `page_text` returns.
    name : str
        File name of the drawing, beside the page.

    Returns
    -------
    (str, str)
        The page with an image in place of the drawing, and the drawing.
    """
    first, end = page.index("<svg"), page.index("</svg>") + len("</svg>")
    image = f"![Predicted against measured tokens a second and device, sources unseen]({name})"
    return page[:first] + image + page[end:], page[first:end] + "\n"


def _introduction(found: Calibration, whole: dict[str, Any], more: str = "") -> str:
    facts = found.provenance
    return (
        f"Written by `planner calibrate measurements.csv --everything{more} --page "
        f"docs/accuracy.md` from {facts['rows']} rows of {facts['sources']} sources (SHA-256 "
        f"`{str(facts['sha256'])[:16]}`). Errors are of tokens a second; rows with a stated "
        f"layout, sweeps apart: {whole['n']} rows, median {_percent(whole['mdape_frac'])}, 90th "
        f"percentile {_percent(whole['p90_frac'])}, bias {_percent(whole['bias_frac'])}, "
        f"{_percent(whole['coverage80_frac'])} inside the 80 % interval; the constant has a "
        f"median error of {_percent(whole['constant']['mdape_frac'])}."
    )


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"


def _markdown(document: dict[str, Any], only: Sequence[str] = ()) -> str:
    lines = [
        "| by | class | rows | median | 90th pct | bias | in 80 % | constant |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    records = [("all", "", document["summary"])]
    for name, values in document["by"].items():
        if not only or name in only:
            records += [(name, value, record) for value, record in values.items()]
    for name, value, record in records:
        keys = ("mdape_frac", "p90_frac", "bias_frac", "coverage80_frac")
        cells = [_percent(record[key]) for key in keys]
        cells.append(_percent(record["constant"]["mdape_frac"]))
        lines.append(f"| {name} | {value} | {record['n']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _sweeps(found: Calibration) -> str:
    known = found.known
    if not known.is_sweep.any():
        return "No source varies the layout alone."
    record = sweep_record(known, found.tables)
    return (
        f"{record['rows']} rows of {record['groups']} groups of one model on one number of "
        f"devices, with the constants of their own stack fitted to them: median error "
        f"{_percent(record['mdape_frac'])}; rank correlation within a group, median "
        f"{record['rank_correlation']:.2f}; speed lost by taking the layout predicted best "
        f"in place of the one measured best, median {_percent(record['loss_median_frac'])}, "
        f"mean {_percent(record['loss_mean_frac'])}."
    )


def sweep_record(known: Evidence, tables: Tables) -> dict[str, Any]:
    """Error, rank correlation and loss of choice over the groups of a sweep of layouts."""
    at = np.flatnonzero(known.is_sweep)
    rows = take(_rows(known), at)
    priced = step(known.measurements.models, known.measurements.devices, *tables, rows)
    guess, measured = priced.tokens_per_s / rows.size, known.measured[at]
    groups: dict[tuple[int, int], list[int]] = {}
    for i, key in enumerate(zip(rows.model.tolist(), rows.size.tolist(), strict=True)):
        groups.setdefault(key, []).append(i)
    ranks, losses = [], []
    for members in groups.values():
        if len(members) < 3:
            continue
        mine, theirs = guess[members], measured[members]
        ranks.append(_rank_correlation(mine, theirs))
        losses.append(float(theirs.max() / theirs[int(np.argmax(mine))] - 1.0))
    error = np.log(guess / measured)
    return {
        "rows": len(at),
        "groups": len(ranks),
        "mdape_frac": summary(error, None, count=len(at))["mdape_frac"],
        "rank_correlation": float(np.median(ranks)) if ranks else 0.0,
        "loss_median_frac": float(np.median(losses)) if losses else None,
        "loss_mean_frac": float(np.mean(losses)) if losses else None,
    }


def _rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's correlation; ties are broken by order."""
    ranks = [np.argsort(np.argsort(column)).astype(np.float64) for column in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _worst(found: Calibration, priced: StepTable) -> str:
    known, error = found.known, found.unseen
    fair = np.flatnonzero(scored(known))
    order = fair[np.argsort(-np.abs(error[fair]))][:WORST_ROWS]
    lines = ["| row | stack | device | error | largest parts of the step | likely cause |",
             "|---|---|---|---:|---|---|"]  # fmt: skip
    names = known.measurements.measured
    for at in order.tolist():
        line = int(known.line[at])
        shares = {part: float(getattr(priced, part)[at] / priced.step_s[at]) for part in PARTS}
        largest = sorted(shares, key=lambda part: -shares[part])[:3]
        told = ", ".join(
            f"{part.removesuffix('_s')} {100 * shares[part]:.0f} %" for part in largest
        )
        lines.append(
            f"| {names.ids[line]} | {names.stacks[line] or 'not stated'} | "
            f"{names.accelerators[line]} | {_percent(float(np.expm1(error[at])))} | {told} | "
            f"{_cause(known, at, float(error[at]), largest)} |"
        )
    return "\n".join(lines)


def _cause(known: Evidence, at: int, error: float, largest: Sequence[str]) -> str:
    """A guess at the cause from what the row is, in words."""
    rows = _rows(known)
    others = np.flatnonzero(
        (rows.model == rows.model[at]) & (rows.size == rows.size[at]) & (rows.tp == rows.tp[at])
        & (rows.pp == rows.pp[at]) & (rows.precision == rows.precision[at])
        & (rows.micro_batch == rows.micro_batch[at])
    )  # fmt: skip
    spread = np.ptp(np.log(known.measured[others])) if len(others) > 1 else 0.0
    if spread > 0.25:
        return "the same layout was published at very different speeds"
    if known.measurements.models.experts[rows.model[at]] > 0:
        return "experts: dispatch and grouped products differ between releases"
    if int((known.stack == known.stack[at]).sum()) < 20:
        return "few other rows of the stack"
    if "launch_s" in largest or (rows.micro_batches[at] > 64 and error > 0):
        return "host time of small kernels"
    if {"dp_s", "tp_s", "ep_s", "pp_s"} & set(largest):
        return "network of the site"
    return "not explained"
