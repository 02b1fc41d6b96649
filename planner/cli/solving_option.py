"""The options of commands that ask a solver, the same for one policy and for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from planner.cli.allocation_option import allocation_option
from planner.cli.output import option
from planner.cli.unit import DURATION, FRAC

__all__ = ["POLICY_NAMES", "solving_options"]

# Written out, since importing the room of policies would cost every command its start-up time.
POLICY_NAMES = ("weighted-work", "max-min", "proportional", "min-cost", "min-energy",
                "min-makespan", "finish-time")  # fmt: skip


def solving_options(*, time_limit: str, gap: str) -> Callable[[Any], Any]:
    """Decorator with the options in the order of the help; two of them in the command's words."""
    options = (
        option("--least-work", type=FRAC, default="100%", show_default=True, metavar="PART",
               help="For min-…: part of the most weighted work that must be done."),
        allocation_option,
        option("--solver", type=click.Choice(["highs", "cbc"]), help="Solver; HiGHS by default."),
        option("--time-limit", type=DURATION, default="60s", show_default=True, metavar="TIME",
               help=time_limit),
        option("--gap", type=FRAC, default="0.01%", show_default=True, metavar="PART", help=gap),
        option("--threads", type=click.IntRange(min=0), default=0, show_default=True,
               help="Threads of the solver; 0 is one. Bounds on changing jobs: 0 is up to 4."),
        option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
               help="Seed of the solver."),
    )  # fmt: skip

    def decorated(command: Any) -> Any:
        for one in reversed(options):
            command = one(command)
        return command

    return decorated
