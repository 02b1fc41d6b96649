"""The answer to one estimate: layouts side by side, with time, memory, money and energy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, row_count, to_columns
from hardware.units import format_si
from planner.goodput import GoodputTable
from planner.layout_words import layout_text
from planner.memory import OVERFULL, MemoryTable
from planner.memory import PARTS as MEMORY_PARTS
from planner.plan_text import money_text
from planner.step import PARTS as STEP_PARTS
from planner.step import StepTable
from planner.strategy import (
    FITS,
    OPTIMIZER_NAMES,
    REASONS,
    RECOMPUTE_NAMES,
    SCHEDULE_NAMES,
    StrategyTable,
)

__all__ = ["CONVENTION", "Estimate"]

_DAY_S, _HOUR_S, _GB = 86400.0, 3600.0, 1e9
CONVENTION = (
    "MFU: model FLOP, recompute not counted, causal attention as half, over the dense peak of "
    "the compute type. Money: node-hours at the price named; storage and staff excluded."
)


def _days(days: float) -> str:
    """Days to three digits, without an exponent."""
    return f"{float(f'{days:.3g}'):,g}"


@dataclass(frozen=True, repr=False)
class Estimate:
    """
    Best layouts of a run, fastest first; columns are [row], one a layout.

    `usd_per_device_s` is 0 where no price is known, and `cost_usd` then is too.
    Without any layout the columns are empty and `reason` says why.
    """

    model: str
    device: str
    stack: str
    precision: str
    work: str  # training, generation, evaluation or serving
    tokens: float
    seq_len: int
    devices: int  # held; a layout may leave a few idle
    nodes: int
    strategies: StrategyTable  # [row]
    steps: StepTable  # [row]
    memories: MemoryTable  # [row]
    goodput: GoodputTable  # [row]
    duration_s: Floats  # [row] wall time, failures included
    low80_duration_s: Floats  # [row]
    high80_duration_s: Floats  # [row]
    power_w: Floats  # [row] IT power of all nodes held
    energy_j: Floats  # [row] facility, PUE included
    energy_usd: Floats  # [row]
    cost_usd: Floats  # [row] hire of all devices held
    usd_per_device_s: float
    price: str  # what the price rests on
    reason: int  # index into REASONS
    counts: tuple[tuple[str, int], ...]  # layouts looked at, by reason
    why: tuple[str, ...]  # sentences on the rejected layouts
    notes: tuple[str, ...]  # assumptions and marks
    is_what_if: bool

    def __len__(self) -> int:
        return row_count(self.strategies)

    @property
    def fits(self) -> Bools:
        """Whether a row's layout fits; rows kept always do. [row]"""
        return self.memories.fits

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        asked = f"{self.model} on {self.devices:,} {self.device}"
        if not len(self):
            return f"no layout of {asked}: {REASONS[self.reason]}"
        days, low, high = (
            float(column[0]) / _DAY_S
            for column in (self.duration_s, self.low80_duration_s, self.high80_duration_s)
        )
        cost = money_text(float(self.cost_usd[0]), "USD")
        money = f", {cost}" if self.usd_per_device_s else ""
        tokens = format_si(self.tokens, "", digits=4).replace("G", "B")
        mark = "WHAT IF: " if self.is_what_if else ""
        return (
            f"{mark}{asked}: {tokens} tokens take {_days(days)} days "
            f"({_days(low)} to {_days(high)}){money}, at {self.steps.tokens_per_s[0]:,.0f} tokens/s"
        )

    def __repr__(self) -> str:
        lines = [self.verdict]
        if len(self):
            lines += ["", f"{'days':>7} {'step s':>8} {'tokens/s':>11} {'MFU %':>6} {'HFU %':>6} "
                      f"{'GB':>6} {'M USD':>7}  layout"]  # fmt: skip
            lines += [self._line(at) for at in range(min(len(self), 10))]
            lines += ["", "step: " + self._parts(self.steps, STEP_PARTS, 1.0, "s")]
            named = [f"{part}_bytes" for part in MEMORY_PARTS[1:]]
            lines += ["memory: " + self._parts(self.memories, tuple(named), _GB, "GB")]
            lines += [
                f"goodput {100 * self.goodput.goodput_frac[0]:.1f} %, {self._checkpoints()}"
                f"{self.goodput.spare_nodes[0]:.0f} spare nodes; "
                f"{self.nodes * self.duration_s[0] / _HOUR_S:,.0f} node-hours, "
                f"{self.energy_j[0] / 3.6e12:,.3g} GWh"
            ]
        if self.why:
            lines += ["", *self.why]
        lines += ["", *self.notes]
        return "\n".join(lines)

    def _checkpoints(self) -> str:
        """How often state is saved; work of inference type has none."""
        if self.work != "training":
            return ""
        return f"checkpoint every {self.goodput.checkpoint_interval_s[0] / 60:.0f} min, "

    def _line(self, at: int) -> str:
        cost = f"{self.cost_usd[at] / 1e6:>7.3g}" if self.usd_per_device_s else f"{'—':>7}"
        return (
            f"{self.duration_s[at] / _DAY_S:>7.3g} {self.steps.step_s[at]:>8.3g} "
            f"{self.steps.tokens_per_s[at]:>11,.0f} {100 * self.steps.mfu_frac[at]:>6.1f} "
            f"{100 * self.steps.hfu_frac[at]:>6.1f} "
            f"{self.memories.peak_bytes[at] / _GB:>6.1f} {cost}  "
            f"{layout_text(self.strategies, at)}"
        )

    @staticmethod
    def _parts(table: Any, names: tuple[str, ...], scale: float, unit: str) -> str:
        """Parts of the first row, largest first, those below half a per cent left out."""
        values = [(float(getattr(table, name)[0]) / scale, name) for name in names]
        total = sum(value for value, _ in values) or 1.0
        shown = sorted((pair for pair in values if pair[0] >= 0.005 * total), reverse=True)
        tail = (name.removesuffix("_s").removesuffix("_bytes") for _, name in shown)
        text = ", ".join(
            f"{word} {value:.3g}" for word, (value, _) in zip(tail, shown, strict=True)
        )
        return f"{text} {unit}"

    def to_columns(self) -> dict[str, Any]:
        """All columns by name, SI units in the names; codes of choices as words."""
        rows = to_columns(self.strategies)
        rows.update(
            recompute=np.array([RECOMPUTE_NAMES[code] for code in rows["recompute"]], dtype=str),
            schedule=np.array([SCHEDULE_NAMES[code] for code in rows["schedule"]], dtype=str),
            optimizer=np.array([OPTIMIZER_NAMES[code] for code in rows["optimizer"]], dtype=str),
        )
        for name in ("model", "device", "stack", "precision"):
            rows[name] = np.array([getattr(self, name)] * len(self), dtype=str)
        derived = ("duration_s", "low80_duration_s", "high80_duration_s", "power_w", "energy_j",
                   "energy_usd", "cost_usd")  # fmt: skip
        return {
            "layout": np.array([layout_text(self.strategies, at) for at in range(len(self))], str),
            **{name: getattr(self, name) for name in derived},
            "node_s": self.nodes * self.duration_s,
            **to_columns(self.steps),
            **to_columns(self.memories),
            **to_columns(self.goodput),
            **rows,
        }

    def to_frame(self) -> Any:
        """The layouts as a pandas frame, fastest first."""
        import pandas

        return pandas.DataFrame(self.to_columns())

    def to_document(self) -> dict[str, Any]:
        """Plain types for JSON: raw SI, None for unknown."""
        columns = {name: column.tolist() for name, column in self.to_columns().items()}
        if not self.usd_per_device_s:
            columns["cost_usd"] = [None] * len(self)
        columns["first_overfull"] = [OVERFULL[code] for code in columns["first_overfull"]]
        rows = [
            dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
        ]
        scalars = ("model", "device", "stack", "precision", "work", "tokens", "seq_len", "devices",
                   "nodes", "price", "is_what_if")  # fmt: skip
        return {
            "schema": "planner/estimate/1",
            "verdict": self.verdict,
            **{name: getattr(self, name) for name in scalars},
            "usd_per_device_s": self.usd_per_device_s or None,
            "reason": None if self.reason == FITS else REASONS[self.reason],
            "counts": [{"reason": text, "layouts": count} for text, count in self.counts],
            "notes": list(self.notes),
            "rows": rows,
        }

    def to_json(self) -> str:
        """`to_document` as text."""
        return json.dumps(self.to_document(), indent=1, allow_nan=False)

    def _repr_html_(self) -> str:
        """A small card: verdict, table, notes; no script and no outside style."""
        cells = [
            (f"{self.duration_s[at] / _DAY_S:.3g}", f"{self.steps.tokens_per_s[at]:,.0f}",
             f"{100 * self.steps.mfu_frac[at]:.1f}",
             f"{self.memories.peak_bytes[at] / _GB:.1f}", layout_text(self.strategies, at))
            for at in range(min(len(self), 10))
        ]  # fmt: skip
        heads = ("days", "tokens/s", "MFU %", "GB", "layout")
        head = "".join(f"<th>{word}</th>" for word in heads)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells
        )
        notes = "".join(f"<li>{escape(note)}</li>" for note in (*self.why, *self.notes))
        return (
            f"<div><p><b>{escape(self.verdict)}</b></p><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table><ul>{notes}</ul></div>"
        )
