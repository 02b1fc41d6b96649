"""False reports for a reader: under each policy the one that gains most, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.cli.output import Section
from planner.cli.table import Column, Table

if TYPE_CHECKING:
    from planner.false_report import FalseReports

__all__ = ["report_blocks"]


def report_blocks(found: FalseReports | None) -> tuple[Table | Section, ...]:
    """A table with one row a policy; nothing where nothing was asked."""
    if found is None:
        return ()
    columns = (
        Column("policy", "policy"),
        Column("gainers", "who gain"),
        Column("gain_frac", "most gained", kind="percent"),
        Column("consortium", "by"),
        Column("report", "who reports"),
        Column("proved", "plans proved best"),
    )
    rows = []
    for policy in dict.fromkeys(row.policy for row in found.rows):
        mine = [row for row in found.rows if row.policy == policy]
        best = found.worst(policy)
        gain = None if best is None else best.gain_frac
        gainers = {row.consortium for row in mine if (row.gain_frac or 0.0) > 0}
        everyone = {row.consortium for row in mine}
        is_gain = best is not None and (gain or 0.0) > 0
        rows.append(
            (policy, f"{len(gainers)} of {len(everyone)}", None if gain is None else max(gain, 0.0),
             best.consortium if is_gain and best else None,
             f"{best.field} x {best.factor:g}" if is_gain and best else None,
             f"{sum(row.is_proved for row in mine)} of {len(mine)}")
        )  # fmt: skip
    title = "false reports of the values or tokens of all its jobs: what a consortium gains"
    notes = (
        "gained: true value of its work, as a part of what the plan shown above gives it (100 %",
        "where that is nothing). Only these reports were tried; others may gain more. Where plans",
        "are not proved the best, a gain may be the search's.",
    )
    return Table(columns, tuple(rows), title=title), Section("", notes)
