"""The option of `allocate`, `policies` and `verify` on whether jobs may change on the way."""

from __future__ import annotations

from planner.cli.output import option

__all__ = ["allocation_option", "allocation_word"]

allocation_option = option(
    "--flexible/--fixed", "flexible", default=None,
    help="Whether jobs may change pool or number of nodes at borders of periods; as the "
         "scenario says by default. A job's own word stays.",
)  # fmt: skip


def allocation_word(flexible: bool | None) -> str | None:
    """The word that the option puts in place of the policy's; None where it was not given."""
    if flexible is None:
        return None
    return "flexible" if flexible else "fixed"
