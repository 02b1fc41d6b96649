"""Check of topology: runs that must stay inside one block of a fabric do."""

from __future__ import annotations

from hardware.errors import Diagnostic
from planner.audit.ledger import Ledger
from planner.audit.report import Checked, checked, violation

__all__ = ["inside_blocks"]


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
