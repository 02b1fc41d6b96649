"""What binds a plan, for a reader: worth of more nodes, days and budget, and prices by period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.cli.output import Section
from planner.cli.table import Column, Table

__all__ = ["binding_blocks"]

MOST = 12  # periods shown


def binding_blocks(plan: Mapping[str, Any]) -> tuple[Table | Section, ...]:
    """Two tables, of what is scarce and when; nothing where no price is above zero."""
    binds = plan.get("binds") or []
    if not binds:
        return ()
    currency = plan["currency"]
    scarce = [one for one in binds if one["kind"] != "period"]
    periods = [one for one in binds if one["kind"] == "period"]
    blocks: list[Table | Section] = [
        Table(
            (Column("name", "what binds"), Column("unit", "one more"),
             Column("value", "worth", kind="number"), Column("money", "in money", currency, "big")),
            tuple((one["name"], one["unit"], one["value"], one["money"]) for one in scarce),
        ),
    ]  # fmt: skip
    if periods:
        left = len(periods) - MOST
        columns = (Column("name", "pool"), Column("from", "from"), Column("to", "to"),
                   Column("value", "worth of a node", kind="number"),
                   Column("money", "in money", currency, "big"))  # fmt: skip
        rows = tuple(
            (one["name"], one["from"], one["to"], one["value"], one["money"])
            for one in periods[:MOST]
        )
        blocks.append(Table(columns, rows, title="when nodes are scarce, the most worth first"))
        if left > 0:
            blocks.append(Section("", (f"{left} more periods in the plan file",)))
    said = "worth: weighted work that one more allows at most, at the prices of the certificate."
    blocks.append(Section("", (said, "In money: at what a unit of value costs in this plan.")))
    return tuple(blocks)
