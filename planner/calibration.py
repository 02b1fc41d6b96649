"""Fit of the constants of stacks and device families to published rows, round physical priors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from hardware.column import Bools, Floats, Ints, take
from planner.measured import Measurements, tokens_per_s_per_device
from planner.stack import FamilyTable, StackTable, family_row
from planner.step import step

__all__ = [
    "FAMILY_FREEDOM",
    "STACK_FREEDOM",
    "Evidence",
    "evidence",
    "fit",
    "log_error",
]

# How far a constant may move from its prior: one standard deviation of its logarithm, or of its
# logit where it is a fraction that cannot exceed one.
STACK_FREEDOM: Mapping[str, float] = MappingProxyType(
    {
        "matmul_frac": 0.5,
        "traffic_passes": 0.4,
        "launch_s": 0.4,
        "tp_overlap_frac": 0.8,
        "ep_overlap_frac": 0.8,
        "pp_overlap_frac": 0.8,
        "dp_overlap_frac": 0.8,
        "network_frac": 0.6,
        "latency_factor": 0.7,
        "attention_rate_frac": 0.15,
        "imbalance": 0.03,
        "permute_passes": 0.35,
        "grouped_frac": 0.5,
        "straggler_frac": 0.7,
        "step_overhead_s": 0.5,
        "crowding_s": 0.5,
        "stall_s": 0.5,
    }
)
FAMILY_FREEDOM: Mapping[str, float] = MappingProxyType(
    {
        "sustained_frac": 0.12,
        "narrow_frac": 0.06,
        "matmul_frac": 0.2,
        "fp8_frac": 0.2,
        "fp4_frac": 0.5,
        "fill_elements": 0.3,
        "ramp_depth": 0.3,
        "attention_frac": 0.25,
        "attention_backward_frac": 0.25,
        "scale_up_frac": 0.3,
        "scale_out_frac": 0.4,
        "scale_up_latency_s": 0.5,
        "scale_out_latency_s": 0.5,
    }
)
_FRACTIONS = frozenset(
    name for name in (*STACK_FREEDOM, *FAMILY_FREEDOM) if name.endswith("_frac")
) - {"straggler_frac", "attention_rate_frac", "sustained_frac", "narrow_frac"}  # fmt: skip

ROW_SPREAD = 0.06
"""Error of a row, as a logarithm, at which the loss turns from squares to absolute values."""

LOSS_POWER = 0.5
"""Twice the power of the error with which the loss grows beyond `ROW_SPREAD`."""

SOURCE_WEIGHT = 1.0
SOURCE_POWER = 0.25
INCOMPLETE_WEIGHT = 0.8
SWEEP_ROWS = 500
"""A source with more rows than this is a layout sweep, whose rows count less."""

Tables = tuple[StackTable, FamilyTable]


@dataclass(frozen=True)
class Evidence:
    """Rows that can be priced and were measured, beside the tables that price them. [row]"""

    measurements: Measurements  # rows of the layouts in the order of the evidence
    whole: Measurements  # as read, every line of the file
    measured: Floats  # [row] tokens/s a device
    sources: tuple[str, ...]  # [row]
    weight: Floats  # [row]
    stack: Ints  # [row]
    family: Ints  # [row] row in the FamilyTable
    line: Ints  # [row] line of the file
    is_sweep: Bools  # [row] of a source that varies the layout alone, over hundreds of rows

    def __len__(self) -> int:
        return len(self.sources)


def evidence(measurements: Measurements, families: FamilyTable) -> Evidence:
    """
    The rows of a file that a fit or a test can use.

    Parameters
    ----------
    measurements : Measurements
        As read.
    families : FamilyTable
        For the family of each device.

    Returns
    -------
    Evidence
        A source of n rows weighs as the square root of n; incomplete rows and
        sweeps of layouts count less.
    """
    known = measurements.measured
    value = tokens_per_s_per_device(known, measurements.rows)
    line = np.flatnonzero((known.row >= 0) & (value > 0))
    rows = take(measurements.rows, known.row[line])
    sources = tuple(known.sources[int(i)] for i in line)
    counts = {name: sources.count(name) for name in set(sources)}
    weight = np.array(
        [
            SOURCE_WEIGHT
            * counts[name] ** -SOURCE_POWER
            * (INCOMPLETE_WEIGHT if known.complete[int(i)] == "no" else 1.0)
            for name, i in zip(sources, line, strict=True)
        ]
    )
    family = np.array(
        [family_row(families, name) for name in measurements.devices.family], dtype=np.int64
    )
    return Evidence(
        measurements=dataclasses.replace(measurements, rows=rows),
        whole=measurements,
        measured=value[line],
        sources=sources,
        weight=weight,
        stack=rows.stack,
        family=family[rows.device],
        line=line,
        is_sweep=np.array([counts[name] > SWEEP_ROWS for name in sources], dtype=np.bool_),
    )


def log_error(known: Evidence, tables: Tables, rows: Any = None) -> Floats:
    """
    Logarithm of predicted over measured tokens a second. [row]

    Parameters
    ----------
    known : Evidence
        [row]
    tables : (StackTable, FamilyTable)
        The constants.
    rows : index array or mask, optional
        Which rows of the evidence; all when left out.
    """
    layouts = known.measurements.rows
    measured = known.measured
    if rows is not None:
        layouts, measured = take(layouts, rows), measured[rows]
    priced = step(known.measurements.models, known.measurements.devices, *tables, layouts)
    result: Floats = np.log(priced.tokens_per_s / layouts.size / measured)
    return result


class _Chart:
    """The constants as one vector of logarithms and logits, round their priors."""

    def __init__(self, priors: Tables, used: Sequence[Bools]) -> None:
        self.priors = priors
        self.fields: list[tuple[int, str]] = []
        self.free: list[tuple[int, str, int]] = []
        spread = []
        for side, freedom in enumerate((STACK_FREEDOM, FAMILY_FREEDOM)):
            for name, sd in freedom.items():
                column = getattr(priors[side], name)
                entries = [
                    entry
                    for entry in range(len(column))
                    if used[side][entry]
                    and column[entry] > 0.0
                    and self._inside(name, column[entry])
                ]
                if entries:
                    self.fields.append((side, name))
                self.free += [(side, name, entry) for entry in entries]
                spread += [sd] * len(entries)
        self.spread = np.array(spread)

    @staticmethod
    def _inside(name: str, value: float) -> bool:
        return name not in _FRACTIONS or value < 1.0

    def tables(self, offset: Floats) -> Tables:
        """The constants at an offset from the priors."""
        moved: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        for (side, name, entry), shift in zip(self.free, offset, strict=True):
            column = moved[side].setdefault(name, getattr(self.priors[side], name).copy())
            column[entry] = _shifted(name, float(column[entry]), float(shift))
        return (
            dataclasses.replace(self.priors[0], **moved[0]),
            dataclasses.replace(self.priors[1], **moved[1]),
        )

    def offset(self, tables: Tables) -> Floats:
        """The offset at which `tables` lies."""
        return np.array(
            [
                _shift(
                    name,
                    float(getattr(self.priors[side], name)[entry]),
                    float(getattr(tables[side], name)[entry]),
                )
                for side, name, entry in self.free
            ]
        )


def _shift(name: str, prior: float, value: float) -> float:
    if name in _FRACTIONS:
        return float(np.log(value / (1.0 - value)) - np.log(prior / (1.0 - prior)))
    return float(np.log(value / prior))


def _shifted(name: str, value: float, shift: float) -> float:
    if name in _FRACTIONS:
        odds = value / (1.0 - value) * np.exp(shift)
        return float(odds / (1.0 + odds))
    return float(value * np.exp(shift))


def fit(
    known: Evidence,
    priors: Tables,
    rows: Bools | None = None,
    *,
    with_families: bool = True,
    near: Tables | None = None,
) -> Tables:
    """
    Constants that bring predictions nearest to measurements.

    Parameters
    ----------
    known : Evidence
        Published rows. [row]
    priors : (StackTable, FamilyTable)
        Physical values, from which constants move only as far as rows pull them.
    rows : ndarray of bool, optional
        Rows to learn from; all when left out.
    with_families : bool
        Move the constants of device families too.
    near : (StackTable, FamilyTable), optional
        Where to begin the search, when a neighbouring fit is known.

    Returns
    -------
    (StackTable, FamilyTable)
        Constants of stacks and families without rows stay at their priors.

    Notes
    -----
    Weighted least squares of the logarithm of predicted over measured, with
    a loss that turns from squares to absolute values at `ROW_SPREAD`, and of
    the distance from the priors [1]_. A row has one
    stack and one family, so that one evaluation gives the derivative by a
    constant of all stacks, or of all families. A sweep of layouts does not
    move families: its stack is fitted last, with them held.

    References
    ----------
    .. [1] W. Triggs et al., "Bundle adjustment: a modern synthesis," 2000:
       robust losses in least squares.
    """
    chosen = np.ones(len(known), dtype=np.bool_) if rows is None else rows
    single = chosen & ~known.is_sweep
    sweep = chosen & known.is_sweep
    found = _fit(known, priors, np.flatnonzero(single), near, with_families=with_families)
    if sweep.any():
        alone = sweep & ~np.isin(known.stack, known.stack[single])
        found = _fit(known, found, np.flatnonzero(alone), near, with_families=False)
    return found


def _fit(
    known: Evidence,
    priors: Tables,
    chosen: Ints,
    near: Tables | None,
    *,
    with_families: bool,
) -> Tables:
    """One least-squares problem; families stay where they are when they are not asked for."""
    if not len(chosen):
        return priors
    stack, family = known.stack[chosen], known.family[chosen]
    used = (
        _used(stack, len(priors[0])),
        _used(family, len(priors[1])) & with_families,
    )
    chart = _Chart(priors, used)
    weight = np.concatenate([known.weight[chosen], np.ones(len(chart.free))])
    is_row = np.arange(len(weight)) < len(chosen)

    def residual(offset: Floats) -> Floats:
        error = log_error(known, chart.tables(offset), chosen) / ROW_SPREAD
        return np.concatenate([error, offset / chart.spread])

    def jacobian(offset: Floats) -> Floats:
        base = log_error(known, chart.tables(offset), chosen)
        result = np.zeros((len(chosen) + len(offset), len(offset)))
        small = 1e-4
        for side, name in chart.fields:
            mine = [i for i, free in enumerate(chart.free) if free[:2] == (side, name)]
            moved = offset.copy()
            moved[mine] += small
            slope = (log_error(known, chart.tables(moved), chosen) - base) / small / ROW_SPREAD
            entry = (stack, family)[side]
            for i in mine:
                result[: len(chosen), i] = np.where(entry == chart.free[i][2], slope, 0.0)
        result[len(chosen) :] = np.diag(1.0 / chart.spread)
        return result

    at = np.zeros(len(chart.free)) if near is None else chart.offset(near)
    found = least_squares(
        residual,
        at,
        jac=jacobian,
        loss=_loss(weight, is_row),
        max_nfev=60,
        xtol=1e-5,
        ftol=1e-6,
        x_scale=chart.spread,
    )
    return chart.tables(found.x)


def _loss(weight: Floats, is_row: Bools) -> Callable[[Floats], Floats]:
    """Robust loss of rows, by their weight; squares of distances from the priors."""

    def loss(square: Floats) -> Floats:
        near = 1.0 + square
        slope = near ** (LOSS_POWER - 1.0)
        robust = np.stack(
            [(near * slope - 1.0) / LOSS_POWER, slope, (LOSS_POWER - 1.0) * slope / near]
        )
        plain = np.stack([square, np.ones_like(square), np.zeros_like(square)])
        result: Floats = weight * np.where(is_row, robust, plain)
        return result

    return loss


def _used(index: Ints, count: int) -> Bools:
    """Which entries have rows; the default stays what nobody has measured."""
    result: Bools = np.bincount(index, minlength=count) > 0
    result[0] = False
    return result
