"""Devices side by side on one model: rooflines, tokens a second, money and energy a token."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from hardware.column import Floats, Ints, row_count, seal, to_columns
from hardware.errors import Diagnostic, InputError
from hardware.table import DeviceTable
from planner.architecture import ModelTable
from planner.energy import PUE
from planner.estimation import estimate
from planner.forecast import CONVENTION, Estimate
from planner.layout import peak_column
from planner.layout_words import layout_text
from planner.strategy import FITS, PRECISION_NAMES, REASONS

__all__ = ["Comparison", "compare"]

_TOKENS = 1e12
"""Tokens of the run compared; ratios do not depend on it."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """
    One row a device, in the order asked. [device]

    A device without a layout keeps its roofline, zeros, and a `reason`;
    `usd_per_million_tokens` is 0 where no price is known.
    """

    device: tuple[str, ...]
    precision: tuple[str, ...]
    layout: tuple[str, ...]
    price: tuple[str, ...]
    reason: Ints  # index into planner.strategy.REASONS
    is_what_if: Ints
    size: Ints  # devices held
    peak_flop_per_s: Floats  # dense, of the compute type
    memory_bytes: Floats
    memory_bytes_per_s: Floats
    knee_flop_per_byte: Floats  # peak over memory bandwidth
    tokens_per_s: Floats  # all devices, while running
    tokens_per_s_per_device: Floats
    mfu_frac: Floats
    goodput_frac: Floats
    peak_bytes: Floats  # a device
    usd_per_million_tokens: Floats  # wall time at the price of hire
    energy_j_per_token: Floats  # facility
    low80_frac: Floats  # of tokens a second
    high80_frac: Floats
    title: tuple[str, ...]  # what is compared, the same in every row

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)

    @property
    def verdict(self) -> str:
        """Fastest and cheapest device in one sentence."""
        good = np.flatnonzero(self.reason == FITS)
        if not len(good):
            return f"{self.title[0]}: no device has a layout" if len(self) else "nothing compared"
        fastest = good[np.argmax(self.tokens_per_s_per_device[good])]
        text = f"{self.title[0]}: {self.device[fastest]} is fastest a device"
        priced = good[self.usd_per_million_tokens[good] > 0]
        if len(priced):
            cheapest = priced[np.argmin(self.usd_per_million_tokens[priced])]
            text += (
                f", {self.device[cheapest]} cheapest at "
                f"{self.usd_per_million_tokens[cheapest]:.3g} USD a million tokens"
            )
        return text

    def __repr__(self) -> str:
        head = (
            f"{'device':<22} {'type':<9} {'TFLOP/s':>8} {'GB/s':>6} {'FLOP/B':>6} "
            f"{'tok/s/dev':>9} {'MFU %':>6} {'USD/M tok':>9} {'mJ/tok':>7}"
        )
        lines = [self.verdict, "", head]
        lines += [self._line(at) for at in range(len(self))]
        return "\n".join([*lines, "", CONVENTION])

    def _line(self, at: int) -> str:
        head = (
            f"{self.device[at]:<22} {self.precision[at]:<9} "
            f"{self.peak_flop_per_s[at] / 1e12:>8.4g} "
            f"{self.memory_bytes_per_s[at] / 1e9:>6.0f} {self.knee_flop_per_byte[at]:>6.0f} "
        )
        if self.reason[at] != FITS:
            return head + f"{'—':>9}  {REASONS[self.reason[at]]}"
        money = self.usd_per_million_tokens[at]
        return (
            head + f"{self.tokens_per_s_per_device[at]:>9,.0f} {100 * self.mfu_frac[at]:>6.1f} "
            f"{f'{money:.3g}' if money else '—':>9} {1e3 * self.energy_j_per_token[at]:>7.3g}"
            + ("  WHAT IF" if self.is_what_if[at] else "")
        )

    def to_columns(self) -> dict[str, Any]:
        """The columns by name; words as arrays of text."""
        return {
            name: np.array(column, dtype=str) if isinstance(column, tuple) else column
            for name, column in to_columns(self).items()
        }

    def to_frame(self) -> Any:
        """The comparison as a pandas frame, one row a device."""
        import pandas

        return pandas.DataFrame(self.to_columns())

    def to_document(self) -> dict[str, Any]:
        """Plain types for JSON: raw SI, None for unknown."""
        columns = {name: column.tolist() for name, column in self.to_columns().items()}
        rows = [
            dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
        ]
        for row in rows:
            row["reason"] = None if row["reason"] == FITS else REASONS[row["reason"]]
            row["usd_per_million_tokens"] = row["usd_per_million_tokens"] or None
        return {"schema": "planner/comparison/1", "verdict": self.verdict, "rows": rows}

    def to_json(self) -> str:
        """`to_document` as text."""
        return json.dumps(self.to_document(), indent=1, allow_nan=False)

    def _repr_html_(self) -> str:
        """A small card: verdict and table; no script and no outside style."""
        heads = ("device", "tokens/s a device", "MFU %", "USD a million tokens", "mJ a token")
        head = "".join(f"<th>{word}</th>" for word in heads)
        body = "".join(
            f"<tr><td>{escape(self.device[at])}</td>"
            f"<td>{self.tokens_per_s_per_device[at]:,.0f}</td>"
            f"<td>{100 * self.mfu_frac[at]:.1f}</td>"
            f"<td>{self.usd_per_million_tokens[at]:.3g}</td>"
            f"<td>{1e3 * self.energy_j_per_token[at]:.3g}</td></tr>"
            if self.reason[at] == FITS
            else f"<tr><td>{escape(self.device[at])}</td><td colspan=4>"
            f"{escape(REASONS[self.reason[at]])}</td></tr>"
            for at in range(len(self))
        )
        return (
            f"<div><p><b>{escape(self.verdict)}</b></p><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>"
        )


def compare(
    devices: str | Sequence[str],
    *,
    model: str | Path | ModelTable,
    size: int = 64,
    work: str = "training",
    precision: str | None = None,
    global_batch_tokens: float | None = None,
    seq_len: int | None = None,
    what_if_training: bool = False,
    provider: str | None = None,
    term: str = "on_demand",
    region: str | None = None,
    date: str | None = None,
    pue: float = PUE,
    files: Iterable[str | Path] = (),
    model_files: Iterable[str | Path] = (),
) -> Comparison:
    """
    Devices side by side, as many of each, each with its best layout.

    Parameters
    ----------
    devices : str or sequence of str
        Names of the catalogue.
    model : str, path or ModelTable
        What is trained or run.
    size : int
        Devices of each.
    work, precision, global_batch_tokens, seq_len, what_if_training
        As in `planner.estimate`. [token]
    provider, term, region, date : str, optional
        Which of the catalogue's prices.
    pue : float
        Facility power over IT power.
    files, model_files : iterable of path
        Own sheets of devices and prices, and of models.

    Returns
    -------
    Comparison
        [device], in the order asked: peak [FLOP/s], knee [FLOP/byte], rate
        [token/s], money [USD], energy [J].

    Raises
    ------
    UnknownName
        A device or the model is not known; all faults at once.
    InputError
        An argument is out of range.

    Notes
    -----
    Prices and energy a token count wall time, so failures are in them.

    References
    ----------
    .. [1] S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful
       visual performance model for multicore architectures," Commun. ACM,
       vol. 52, no. 4, 2009.
    """
    import hardware

    devices = (devices,) if isinstance(devices, str) else devices
    if not devices:
        raise InputError(Diagnostic("missing-value", "no device is named", expected="one or more"))
    table = hardware.load(*devices, files=files)
    answers = [
        estimate(
            model, name, devices=size, tokens=_TOKENS, work=work, precision=precision,
            global_batch_tokens=global_batch_tokens, seq_len=seq_len, keep=1,
            what_if_training=what_if_training, provider=provider, term=term, region=region,
            date=date, pue=pue, files=files, model_files=model_files,
        )
        for name in table.names
    ]  # fmt: skip
    return _side_by_side(answers, table, size)


def _side_by_side(answers: Sequence[Estimate], table: DeviceTable, size: int) -> Comparison:
    """The best layout of each answer as a row."""
    codes = np.array([PRECISION_NAMES.index(answer.precision) for answer in answers])
    peak = table.peak_flop_per_s[np.arange(len(answers)), peak_column(codes)]

    def best(of: str, name: str) -> Floats:
        return np.array(
            [getattr(getattr(answer, of), name)[0] if len(answer) else 0.0 for answer in answers]
        )

    rate = best("steps", "tokens_per_s")
    spread = np.maximum(best("steps", "factor_80"), 1.0)
    return Comparison(
        device=table.names,
        precision=tuple(answer.precision for answer in answers),
        layout=tuple(
            layout_text(answer.strategies, 0) if len(answer) else "" for answer in answers
        ),
        price=tuple(answer.price for answer in answers),
        reason=np.array([answer.reason for answer in answers]),
        is_what_if=np.array([int(answer.is_what_if) for answer in answers]),
        size=np.full(len(answers), size),
        peak_flop_per_s=peak,
        memory_bytes=table.memory_bytes.copy(),
        memory_bytes_per_s=table.memory_bytes_per_s.copy(),
        knee_flop_per_byte=peak / np.maximum(table.memory_bytes_per_s, 1.0),
        tokens_per_s=rate,
        tokens_per_s_per_device=rate / size,
        mfu_frac=best("steps", "mfu_frac"),
        goodput_frac=best("goodput", "goodput_frac"),
        peak_bytes=best("memories", "peak_bytes"),
        usd_per_million_tokens=_each(answers, "cost_usd") * 1e6,
        energy_j_per_token=_each(answers, "energy_j"),
        low80_frac=np.where(rate > 0, 1.0 / spread, 0.0),
        high80_frac=np.where(rate > 0, spread, 0.0),
        title=tuple(f"{answer.model}, {answer.work}, {size} devices" for answer in answers),
    )


def _each(answers: Sequence[Estimate], name: str) -> Floats:
    """An amount of the best layout a token, 0 where there is none."""
    return np.array(
        [getattr(answer, name)[0] / answer.tokens if len(answer) else 0.0 for answer in answers]
    )
