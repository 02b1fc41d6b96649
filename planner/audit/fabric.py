"""Checks of topology: runs inside one block of a fabric, and ids side by side."""

from __future__ import annotations

from hardware.errors import Diagnostic
from planner.audit.ledger import Ledger
from planner.audit.report import Checked, checked, violation

__all__ = ["ids_side_by_side", "inside_blocks"]


def inside_blocks(ledger: Ledger) -> Checked:
    """All node ids of a row of topology one-block lie in one block of the pool's fabric."""
    found: list[Diagnostic] = []
    looked = 0
    for entry in ledger.entries:
        fabric = entry.pool.pool.fabric
        if entry.job.topology == "any" or fabric is None or fabric.block_nodes is None:
            continue
        looked += 1
        size = int(fabric.block_nodes)
        ids = entry.row.ids
        if len(ids) == 0:
            continue
        first, last = int(ids[:, 0].min()) // size, (int(ids[:, 1].max()) - 1) // size
        if first != last:
            found.append(violation(
                "spans-blocks", f"`{entry.row.job}` must stay inside one block of the fabric",
                entry.where("node_ids"), found=f"blocks {first} to {last} of {size} nodes",
                expected="ids of one block",
            ))  # fmt: skip
    return checked("one block of the fabric", looked, found)


def ids_side_by_side(ledger: Ledger) -> Checked:
    """Ids of each row lie side by side in pools that ask for it; a warning where not."""
    found: list[Diagnostic] = []
    looked = 0
    for entry in ledger.entries:
        if not entry.pool.pool.contiguous:
            continue
        looked += 1
        ids = entry.row.ids
        places = 1 + sum(
            int(low) > int(high)
            for low, high in zip(sorted(ids[:, 0])[1:], sorted(ids[:, 1]), strict=False)
        )
        if places > 1:
            found.append(violation(
                "ids-apart", f"the node ids of `{entry.row.job}` do not lie side by side",
                entry.where("node_ids"), found=f"{places} places",
                expected="contiguous ids where they can be had", warning=True,
            ))  # fmt: skip
    return checked("contiguous ids", looked, found)
