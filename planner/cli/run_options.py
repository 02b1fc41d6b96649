"""Options that `estimate` and `compare` share: what is run, how, and at whose price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from planner.cli.output import option
from planner.cli.unit import TOKENS

__all__ = ["run_options", "split_files"]

Command = TypeVar("Command", bound=Callable[..., Any])

WORKS = ("training", "generation", "evaluation", "serving")
TERMS = ("on_demand", "spot", "reserved_1y", "reserved_3y", "market", "owned")
PRECISIONS = ("bf16", "fp16", "fp8", "fp8-block", "fp4")

_SHARED = (
    option("--work", type=click.Choice(WORKS), default="training", show_default=True,
           help="Kind of work."),
    option("--precision", type=click.Choice(PRECISIONS),
           help="Compute type; bf16 for training unless the device lacks it."),
    option("--sequence", type=click.IntRange(min=1), metavar="TOKENS",
           help="Tokens a sequence; the model's own by default."),
    option("--global-batch", type=TOKENS, metavar="TOKENS",
           help="Tokens a step, such as '8 M'; by the size of the model by default."),
    option("--what-if-training", is_flag=True,
           help="Train on a device that nobody has shown to train; marked in the answer."),
    option("--provider", help="Take only this provider's prices."),
    option("--term", type=click.Choice(TERMS), default="on_demand", show_default=True,
           help="Take prices of this term."),
    option("--region", help="Take only prices of this region."),
    option("--pue", type=click.FloatRange(min=1), help="Facility power over that of the nodes."),
    option("--files", metavar="SHEET", multiple=True,
           help="A sheet of your own, of devices, prices or models; may be given again."),
)  # fmt: skip


def run_options(command: Command) -> Command:
    """Give a command the shared options of a run."""
    wrapped: Any = command
    for add in reversed(_SHARED):
        wrapped = add(wrapped)
    return wrapped  # type: ignore[no-any-return]


def split_files(given: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the library from those of the command line; what was not given is left out."""
    from planner.cli.recognise import sorted_files

    hardware, models = sorted_files(given.pop("files"))
    names = {"sequence": "seq_len", "global_batch": "global_batch_tokens"}
    named = {names.get(key, key): value for key, value in given.items() if value is not None}
    return {**named, "files": tuple(hardware), "model_files": tuple(models)}
