"""Checks of size: figures beyond any that a plan can hold, and work that nobody can have meant."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.errors import Diagnostic
from hardware.quantity import Figure
from hardware.sheet import Path_
from planner.scenario import TRAINING_KINDS, Scenario
from planner.scenario_fault import Written

__all__ = ["check_sizes", "check_worth"]

# Above these, products of figures leave the numbers that a plan file may hold, 1e30.
_MOST_WEIGHT = 1e6
_MOST_VALUE = 1e18
_MOST_MONEY = 1e24  # also of a price a second and device
_MOST_PRICE = 1e9
_MOST_EQUIVALENT = 1e6
_MOST_RATE = 1e15  # tokens a second of one device
_MOST_TOKENS = 1e30

MANY_TOKENS = 1e15  # some twenty times the largest training known
FEW_TOKENS = 1e6  # a minute of one device


def _bounded(scenario: Scenario) -> Iterator[tuple[Path_, Figure | None, float, str]]:
    """Each figure that has a largest value, with it and its unit."""
    for name, pool in scenario.pools.items():
        yield ("pools", name, "price"), pool.price, _MOST_PRICE, "a second"
    for name, consortium in scenario.consortiums.items():
        path: Path_ = ("consortiums", name)
        yield (*path, "floor"), consortium.floor, _MOST_MONEY, "device-equivalents"
        yield (*path, "cap"), consortium.cap, _MOST_MONEY, "device-equivalents"
        yield (*path, "weight"), consortium.weight, _MOST_WEIGHT, ""
        yield (*path, "budget"), consortium.budget, _MOST_MONEY, ""
    for name, job in scenario.jobs.items():
        path = ("jobs", name)
        yield (*path, "tokens"), job.tokens, _MOST_TOKENS, "tokens"
        yield (*path, "value"), job.value, _MOST_VALUE, ""
        for device, rate in job.rates.items():
            yield (*path, "rates", device), rate, _MOST_RATE, "tokens/s"
    for device, figure in scenario.rules.equivalence.items():
        yield ("rules", "equivalence", device), figure, _MOST_EQUIVALENT, ""
    for currency, amount in scenario.exchange.items():
        yield ("exchange", currency), amount, _MOST_PRICE, ""


def check_sizes(written: Written) -> Iterator[Diagnostic]:
    """Figures larger than a plan can hold: errors. Tokens that nobody can have meant: warnings."""
    for path, figure, most, unit in _bounded(written.scenario):
        if figure is not None and figure.value > most:
            yield written.fault(
                path, "out-of-range", "the amount is too large", found=f"`{written.text(path)}`",
                expected=f"at most {most:g} {unit}".rstrip(),
            )  # fmt: skip
    for name, job in written.scenario.jobs.items():
        tokens = job.tokens.value
        if MANY_TOKENS < tokens <= _MOST_TOKENS:
            yield written.warning(
                ("jobs", name, "tokens"), "odd-tokens",
                f"`{name}` asks for more tokens than any work known",
                found=f"{tokens:.4g} tokens", hint="look at the unit: `15 T` is 15 trillion",
            )  # fmt: skip
        elif 0 < tokens < FEW_TOKENS and job.kind in TRAINING_KINDS:
            yield written.warning(
                ("jobs", name, "tokens"), "odd-tokens",
                f"`{name}` asks for fewer tokens than any training",
                found=f"{tokens:.4g} tokens", hint="look at the unit: `15 T` is 15 trillion",
            )  # fmt: skip


def check_worth(written: Written) -> Iterator[Diagnostic]:
    """Jobs that add nothing to the objective, since their value or their weight is zero."""
    scenario = written.scenario
    for name, job in scenario.jobs.items():
        consortium = scenario.consortiums.get(job.consortium)
        no_value = job.value is not None and job.value.value == 0
        if no_value or (consortium is not None and consortium.weight.value == 0):
            what = "its value" if no_value else f"the weight of `{job.consortium}`"
            yield written.warning(
                ("jobs", name), "worthless-job",
                f"`{name}` adds nothing to the objective: {what} is 0",
                hint="such a job gets nodes only where a floor asks for them",
            )  # fmt: skip
