"""The part of the accuracy page on memory: errors and fits by source, as text."""

from __future__ import annotations

from typing import Any

__all__ = ["MEMORY_NOTE", "memory_text"]

MEMORY_NOTE = (
    "Peak memory against published outcomes. These are no errors of unseen sources: the constants "
    "of memory are not fitted by the command, and those of the `default` profile were set on the "
    "one large sweep, which makes up most rows."
)

_HEAD = (
    "| source | rows | median error | 90 % within | bias | ran: predicted to fit | "
    "out of memory or crashed: predicted not to |"
)


def memory_text(found: dict[str, Any]) -> str:
    """
    Peak memory against published outcomes, as a table a source.

    Parameters
    ----------
    found : dict
        What `planner.trial_memory.memory_rows` returns.

    Returns
    -------
    str
        Markdown.

    Notes
    -----
    What the figures do not show is said in `MEMORY_NOTE`.
    """
    lines = [_HEAD, "|---|---:|---:|---:|---:|---:|---:|"]
    lines += [_line(source, record) for source, record in found["by"]["source"].items()]
    lines.append(_line("all", found["summary"]))
    return "\n".join(lines)


def _line(name: str, record: dict[str, Any]) -> str:
    cells = record["confusion"]
    ran = cells["fits_predicted_fits"], cells["fits_predicted_too_large"]
    failed = cells["too_large_predicted_too_large"], cells["too_large_predicted_fits"]
    return (
        f"| {name} | {record['n']:,} | {_percent(record['mdape_frac'])} | "
        f"{_percent(record['p90_frac'])} | {_percent(record['bias_frac'])} | "
        f"{_share(*ran)} | {_share(*failed)} |"
    )


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"


def _share(right: int, wrong: int) -> str:
    return f"{right:,} of {right + wrong:,}" if right + wrong else "—"
