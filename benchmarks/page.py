"""The page on allocation: figures measured beside those asked, and K-AI under every policy."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import planner
from benchmarks.figure import Figure

EXAMPLES = ("kai-replay", "kai-plan")
POLICIES_S = 120.0


def page(groups: Sequence[tuple[str, Sequence[Figure]]], command: str) -> str:
    """
    The page as Markdown.

    Parameters
    ----------
    groups : sequence of (str, sequence of Figure)
        Name of each benchmark, and what it measured.
    command : str
        The command that writes the page.

    Returns
    -------
    str
        Tables of the figures, then a table of policies for each example of K-AI.
    """
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("numpy", "PuLP", "highspy")
    )
    lines = [
        "# Allocation",
        "",
        f"Written by `{command}` with Python {platform.python_version()}, {versions} on "
        f"{platform.machine()}, {os.cpu_count()} cores. Times are of one run on a shared machine; "
        "a gap is proved by a bound that holds for every plan.",
    ]
    for name, figures in groups:
        lines += ["", f"## {name.replace('_', ' ').capitalize()}", "", *_table(figures)]
    for name in EXAMPLES:
        lines += ["", *_policies(name)]
    return "\n".join(lines) + "\n"


def _table(figures: Sequence[Figure]) -> Iterator[str]:
    """Figures as rows: what, measured, asked."""
    yield "| what | measured | asked |"
    yield "|---|---:|---|"
    for figure in figures:
        yield f"| {figure.name} | {figure.value:,.4g} {figure.unit} | {figure.asked} |"


def _policies(name: str) -> Iterator[str]:
    """One example under every policy."""
    path = Path(planner.__file__).parent / "examples" / f"{name}.yaml"
    found = planner.policies(path, time_limit_s=POLICIES_S)
    yield f"## {found.name} under every policy"
    yield ""
    yield (
        f"`planner policies` on the example `{name}` of `planner new`. Part: the consortium's "
        "work over what it could have alone. Gap: of the policy's own aim, as proved. Equal part: "
        "consortiums that get at least what an equal part of the pools would give them."
    )
    yield ""
    titles = ("policy", "work", "lost", "worst-off", "part", "slowest", "finish-time",
              f"cost (bn {found.currency})", "idle", "equal part", "envy", "gap")  # fmt: skip
    yield f"| {' | '.join(titles)} |"
    yield "|---|---:|---:|---|---:|---|---:|---:|---:|---:|---:|---:|"
    for row in found.rows:
        worst, slow = row.worst, row.slowest
        cells = (
            row.policy,
            _number(row.work),
            _percent(row.lost_frac),
            "" if worst is None else worst.consortium,
            _percent(None if worst is None else worst.satisfaction_frac),
            "" if slow is None else slow.consortium,
            _number(None if slow is None else slow.finish_ratio),
            _number(None if row.cost is None else row.cost / 1e9),
            _percent(row.idle_frac),
            "?" if row.with_equal_part is None
            else f"{row.with_equal_part} of {len(row.consortiums)}",
            "?" if row.envy is None else str(row.envy),
            _percent(row.gap_frac),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield from _shares(found)


def _shares(found: planner.Policies) -> Iterator[str]:
    """Part of what each consortium could have alone, by policy."""
    yield f"| policy | {' | '.join(found.consortiums)} |"
    yield f"|---|{'---:|' * len(found.consortiums)}"
    for row in found.rows:
        parts = [_percent(one.satisfaction_frac) for one in row.consortiums]
        yield f"| {row.policy} | {' | '.join(parts)} |"


def _number(amount: float | None) -> str:
    return "?" if amount is None else f"{amount:,.4g}"


def _percent(frac: float | None) -> str:
    return "?" if frac is None else f"{100 * frac:.3g} %"
