"""The `estimate` command: best layouts of one run, with time, memory, money and energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.complete import device_names, model_names
from planner.cli.output import Output, Report, Section, option, output_options
from planner.cli.run_options import run_options, split_files
from planner.cli.unit import PRICE, TOKENS

if TYPE_CHECKING:
    from planner.cli.table import Table
    from planner.forecast import Estimate

__all__ = ["command"]


@click.command("estimate")
@option("--model", required=True, metavar="MODEL", shell_complete=model_names,
        help="Name of the catalogue, model sheet, or config.json.")  # fmt: skip
@option(
    "--device",
    required=True,
    metavar="DEVICE",
    shell_complete=device_names,
    help="Name of the catalogue.",
)
@option("--devices", required=True, type=click.IntRange(min=1), help="How many of them.")
@option("--tokens", required=True, type=TOKENS, metavar="TOKENS",
        help="Tokens to be processed, such as '8.2 T'.")  # fmt: skip
@option("--layout", metavar="tp=8,pp=4,…", help="What the layout must have; free where left out.")
@option("--stack", metavar="STACK", help="Software stack; the device's usual one by default.")
@option("--optimizer", help="Optimizer; adam_fp32 by default.")
@option("--price", type=PRICE, metavar="PRICE",
        help="Such as '2.95 USD / device-hour'; the catalogue's median by default.")  # fmt: skip
@option("--tariff", metavar="NAME", help="Electricity tariff of the catalogue.")
@option("--keep", type=click.IntRange(min=1), default=5, show_default=True, help="Layouts shown.")
@option("--pareto", is_flag=True, help="All layouts that no other beats in speed and memory.")
@run_options
@output_options
def command(
    model: str, device: str, price: tuple[float, str, str] | None, output: Output, **given: Any
) -> int:
    """
    Predict time, memory, money and energy of a run.

    \b
    Examples:
      planner estimate --model llama-3.1-70b --device h100 --devices 512 --tokens '15 T'
      planner estimate --model my-model.yaml --device b200 --devices 64 --tokens '1 T' \\
        --layout tp=2,pp=4 --price '2.95 USD / device-hour'

    Searches every layout that can be told apart and shows the fastest ones. Exit
    code 1 when none fits, with the reasons.
    """
    from planner.estimation import estimate

    arguments = split_files(given)
    if price is not None:
        arguments["usd_per_device_s"] = _usd_per_device_s(price, device, arguments["files"])
    with output.working("searching layouts"):
        found = estimate(model, device, **arguments)
    output.show(estimate_report(found, verbose=output.verbose))
    return 0 if len(found) else 1


def _usd_per_device_s(price: tuple[float, str, str], device: str, files: tuple[str, ...]) -> float:
    import hardware
    from hardware.economy import usd

    amount, currency, per = price
    each = hardware.load(device, files=files).devices_per_node[0] if per == "node" else 1
    return usd(amount, currency, files=files) / float(each)


def estimate_report(found: Estimate, *, verbose: bool = False) -> Report:
    """The estimate for a reader: layouts, what the best one spends its time and memory on."""
    blocks: list[Table | Section] = []
    if len(found):
        blocks += [_layouts(found), *_best(found, verbose)]
    interval = (_KEY,) if len(found) else ()
    blocks += [Section("", found.why), Section("", (*interval, *found.notes))]
    return Report(found.verdict, tuple(blocks), found.to_document(), _sheet(found),
                  bool(len(found)))  # fmt: skip


_SIZES = (("tp", "tp"), ("pp", "pp"), ("cp", "cp"), ("ep", "ep"), ("expert_tp", "etp"),
          ("dp", "dp"), ("interleave", "vp"), ("micro_batch", "mb"), ("zero", "z"))  # fmt: skip


_KEY = (
    "low, high: days at the ends of the 80 % interval; vp: interleave, mb: micro_batch, "
    "etp: expert_tp, z: zero"
)


def _layouts(found: Estimate) -> Table:
    """One row a layout; sizes that are 1 everywhere are left out."""
    from planner.cli.table import Column, Table
    from planner.strategy import RECOMPUTE_NAMES

    sizes = [(name, title) for name, title in _SIZES
             if name in ("dp", "micro_batch", "zero")
             or (getattr(found.strategies, name) != 1).any()]  # fmt: skip
    columns = [
        Column("days", "days", "", "number"),
        Column("low80_days", "low", "", "number"),
        Column("high80_days", "high", "", "number"),
        Column("step_s", "step", "s", "number"),
        Column("tokens_per_s", "rate", "tok/s", "si"),
        Column("mfu_frac", "MFU", kind="percent"),
        Column("hfu_frac", "HFU", kind="percent"),
        Column("peak_bytes", "peak", "B", "si"),
        Column("cost_usd", "cost", "USD", "big"),
        *(Column(name, title, kind="count") for name, title in sizes),
        Column("recompute", "recompute"),
    ]
    day = 86400.0
    rows = []
    for at in range(len(found)):
        steps = found.steps
        rows.append((
            found.duration_s[at] / day, found.low80_duration_s[at] / day,
            found.high80_duration_s[at] / day, steps.step_s[at], steps.tokens_per_s[at],
            steps.mfu_frac[at], steps.hfu_frac[at], found.memories.peak_bytes[at],
            found.cost_usd[at] if found.usd_per_device_s else None,
            *(getattr(found.strategies, name)[at] for name, _ in sizes),
            RECOMPUTE_NAMES[found.strategies.recompute[at]],
        ))  # fmt: skip
    return Table(tuple(columns), tuple(rows))


def _best(found: Estimate, verbose: bool) -> list[Table | Section]:
    """Where time and memory of the best layout go, and what the run takes in all."""
    from hardware.units import format_duration, format_si
    from planner.memory import PARTS as MEMORY_PARTS
    from planner.plan_text import money_text
    from planner.step import PARTS as STEP_PARTS

    step = [(name.removesuffix("_s"), float(getattr(found.steps, name)[0])) for name in STEP_PARTS]
    held = [(name, float(getattr(found.memories, f"{name}_bytes")[0]))
            for name in MEMORY_PARTS if name != "nothing"]  # fmt: skip
    if verbose:
        return [_parts("step of the first layout", "time", "s", step),
                _parts("memory of its fullest device", "memory", "B", held)]  # fmt: skip
    useful, hours = found.goodput, found.nodes * found.duration_s[0] / 3600.0
    energy = f"{format_si(found.energy_j[0] / 3600.0, 'Wh')} for "
    energy += money_text(float(found.energy_usd[0]), "USD")
    saved = f", a checkpoint every {format_duration(useful.checkpoint_interval_s[0])}"
    return [Section("first layout", (
        f"step     {_spoken(step, lambda value: format_duration(value))}",
        f"memory   {_spoken(held, lambda value: format_si(value, 'B'))}",
        f"run      {hours:,.0f} node-hours, energy {energy}, goodput "
        f"{100 * useful.goodput_frac[0]:.3g} %{saved if found.work == 'training' else ''}",
    ))]  # fmt: skip


def _spoken(parts: list[tuple[str, float]], text: Any) -> str:
    """Parts in words, the largest first; those below half a percent are left out."""
    total = sum(value for _, value in parts) or 1.0
    shown = sorted((part for part in parts if part[1] >= 0.005 * total), key=lambda p: -p[1])
    return ", ".join(f"{name} {text(value)}" for name, value in shown)


def _parts(title: str, what: str, unit: str, parts: list[tuple[str, float]]) -> Table:
    from planner.cli.table import Column, Table

    total = sum(value for _, value in parts) or 1.0
    columns = (Column("part", "part"), Column(what, what, unit, "si"),
               Column("part_frac", "share", kind="percent"))  # fmt: skip
    rows = tuple((name, value, value / total) for name, value in parts)
    return Table(columns, rows, title, ("all", total, 1.0))


def _sheet(found: Estimate) -> Table:
    """Every column of the answer in SI units, for CSV."""
    from planner.cli.table import Column, Table

    rows = found.to_document()["rows"]
    names = list(rows[0]) if rows else ["layout"]
    return Table(tuple(Column(name, name) for name in names),
                 tuple(tuple(row[name] for name in names) for row in rows))  # fmt: skip
