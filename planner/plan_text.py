"""A plan for readers: text that fits a screen, and a small HTML card."""

from __future__ import annotations

import html
from collections.abc import Sequence

from hardware.units import format_si
from planner.plan_path import paths
from planner.plan_table import PlanJobTable, PlanRowTable, PlanShareTable, Verdict

__all__ = ["money_text", "plan_html", "plan_text"]

_SCREEN_ROWS = 24
_STEPS = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))


def money_text(amount: float, currency: str, digits: int = 3) -> str:
    """
    An amount of money, to three digits where no other number is asked.

    Examples
    --------
    >>> money_text(12_400_000, "USD")
    '12.4 M USD'
    """
    for step, word in _STEPS:
        if abs(amount) >= step * 0.9995:
            return f"{float(f'{amount / step:.{digits}g}'):.{digits}g} {word} {currency}"
    return f"{float(f'{amount:.{digits}g}'):.{digits}g} {currency}"


def plan_text(
    verdict: Verdict,
    rows: PlanRowTable,
    jobs: PlanJobTable,
    shares: PlanShareTable,
    warnings: tuple[str, ...],
) -> str:
    """Verdict, rows, what each consortium gets, what is not placed, on about one screen."""
    parts = [verdict.sentence]
    if len(rows):
        parts.append(_grid(_ROW_HEADS, _row_cells(rows)))
        moves = [f"{job:<14} {words}" for job, words in _paths(rows).items()]
        parts += ["\n".join(_cut(moves))] if moves else []
    if shares.consortium:
        parts.append(_grid(_SHARE_HEADS, _share_cells(shares)))
    missing = [
        f"{job:<14} {sentence}" + (f"\n{'':<14} hint: {hint}" if hint else "")
        for job, placed, sentence, hint in zip(
            jobs.job, jobs.placed, jobs.sentence, jobs.hint, strict=True
        )
        if not placed
    ]
    if missing:
        parts.append("\n".join(["not placed", *_cut(missing)]))
    if warnings:
        parts.append("\n".join(_cut(list(warnings))))
    return "\n\n".join(parts)


_ROW_HEADS = ("job", "pool", "nodes", "from", "to", "days", "tokens", "MFU %", "cost")
_SHARE_HEADS = ("consortium", "node-months", "device-eq.-months", "jobs", "cost", "budget")


def _row_cells(rows: PlanRowTable) -> list[tuple[str, ...]]:
    return [
        (
            rows.job[at],
            rows.pool[at],
            str(rows.nodes[at]),
            rows.first[at].isoformat(),
            rows.last[at].isoformat(),
            str(rows.days[at]),
            format_si(float(rows.tokens[at]), "").replace("G", "B"),
            f"{100 * rows.mfu_frac[at]:.1f}" if rows.mfu_frac[at] else "—",
            money_text(float(rows.cost[at]), ""),
        )
        for at in range(len(rows))
    ]


def _paths(rows: PlanRowTable) -> dict[str, str]:
    """Where jobs of several rows move and pause."""
    columns = zip(rows.job, rows.pool, rows.nodes.tolist(), rows.first, rows.last, strict=True)
    names = ("job", "pool", "nodes", "from", "to")
    return paths(dict(zip(names, row, strict=True)) for row in columns)


def _share_cells(table: PlanShareTable) -> list[tuple[str, ...]]:
    return [
        (
            table.consortium[at],
            f"{table.node_months[at]:.4g}",
            f"{table.equivalent_device_months[at]:.4g}",
            f"{table.jobs_done[at]} of {table.jobs_asked[at]}",
            money_text(float(table.cost[at]), ""),
            "—" if table.budget[at] < 0 else money_text(float(table.budget[at]), ""),
        )
        for at in range(len(table.consortium))
    ]


def _cut(lines: list[str]) -> list[str]:
    """At most a screen of lines."""
    if len(lines) <= _SCREEN_ROWS:
        return lines
    return [*lines[:_SCREEN_ROWS], f"and {len(lines) - _SCREEN_ROWS} more"]


def _grid(heads: Sequence[str], cells: list[tuple[str, ...]]) -> str:
    """Columns in line: the first two to the left, numbers to the right."""
    shown = [tuple(text[:24] for text in row) for row in cells[:_SCREEN_ROWS]]
    widths = [max(len(head), *(len(row[at]) for row in shown)) for at, head in enumerate(heads)]
    lines = [
        "  ".join(
            text.ljust(width) if at < 2 and heads[at] in ("job", "pool", "consortium")
            else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (tuple(heads), *shown)
    ]  # fmt: skip
    if len(cells) > len(shown):
        lines.append(f"and {len(cells) - len(shown)} more")
    return "\n".join(lines)


def plan_html(verdict: Verdict, rows: PlanRowTable, jobs: PlanJobTable) -> str:
    """A card without script or outside style: verdict, rows, what is not placed."""
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in _row_cells(rows)[:_SCREEN_ROWS]
    )
    head = "".join(f"<th>{html.escape(name)}</th>" for name in _ROW_HEADS)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    missing = "".join(
        f"<li><b>{html.escape(job)}</b> {html.escape(sentence)}</li>"
        for job, placed, sentence in list(zip(jobs.job, jobs.placed, jobs.sentence, strict=True))
        if not placed
    )
    moves = "".join(
        f"<li><b>{html.escape(job)}</b> {html.escape(words)}</li>"
        for job, words in _paths(rows).items()
    )
    table += f"<ul>{moves}</ul>" if moves else ""
    rest = f"<p>not placed</p><ul>{missing}</ul>" if missing else ""
    return f"<div><p><b>{html.escape(verdict.sentence)}</b></p>{table}{rest}</div>"
