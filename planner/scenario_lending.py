"""Checks of lending: own pools alone, to others than the owner, on days of the horizon."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.errors import Diagnostic
from hardware.sheet import Path_
from planner.eligibility import same_name
from planner.scenario import Lend, Pool
from planner.scenario_fault import Written, unknown_name

__all__ = ["check_lending"]


def check_lending(written: Written) -> Iterator[Diagnostic]:
    """Lending of pools that are nobody's own, to the owner, to nobody, or never."""
    for name, pool in written.scenario.pools.items():
        if pool.lend is None:
            continue
        path: Path_ = ("pools", name, "lend")
        if pool.basis != "own":
            yield written.fault(
                path, "lend-not-own", f"the pool is {pool.basis}, so nobody lends it",
                found=f"basis: {pool.basis}", expected="basis: own",
                hint="`open_to` says who may use a pool of the programme", key=True,
            )  # fmt: skip
        yield from _check_borrowers(written, path, pool, pool.lend)
        yield from _check_terms(written, path, pool.lend)


def _check_borrowers(written: Written, path: Path_, pool: Pool, lend: Lend) -> Iterator[Diagnostic]:
    """Borrowers that are not there, that own the pool, or of another programme than pays."""
    consortiums = written.scenario.consortiums
    for at, name in enumerate(lend.to):
        place = (*path, "to", at)
        entry = consortiums.get(name)
        if entry is None:
            yield unknown_name(written, place, "consortium", name, consortiums)
            continue
        owns = same_name(pool.owner) in {same_name(member) for member in entry.members}
        if owns if pool.open_to is None else name in pool.open_to:
            yield written.fault(
                place, "contradiction", f"`{name}` uses the pool as its own and borrows it",
                found=f"`{name}` in `to`", expected="another consortium than the owner's",
            )  # fmt: skip
        elif pool.programme is not None and entry.programme != pool.programme:
            yield written.fault(
                place, "other-programme",
                f"`{name}` is not in the programme that pays for the pool",
                found=f"`{name}`", expected=f"a consortium of `{pool.programme}`",
            )  # fmt: skip


def _check_terms(written: Written, path: Path_, lend: Lend) -> Iterator[Diagnostic]:
    """Days outside the horizon, and prices below nothing or of another currency."""
    scenario = written.scenario
    horizon, window, price = scenario.horizon, lend.window, lend.price
    late = window.first is not None and window.first > horizon.last
    early = window.last is not None and window.last < horizon.first
    if late or early:
        yield written.fault(
            (*path, "window", "from" if late else "to"), "outside-horizon",
            "the pool is lent on no day of the horizon",
            found=f"{window.first or 'the start'} to {window.last or 'the end'}",
            expected=f"days of {horizon.first} to {horizon.last}",
        )  # fmt: skip
    if price is None:
        return
    if price.value < 0:
        yield written.fault(
            (*path, "price"), "out-of-range", "the amount is too small",
            found=f"`{written.text((*path, 'price'))}`", expected="at least 0",
        )  # fmt: skip
    if price.value and price.currency not in (scenario.currency, *scenario.exchange):
        yield written.fault(
            (*path, "price"), "no-exchange-rate",
            "the currency is not the plan's, and has no rate",
            found=price.currency, expected=scenario.currency,
            hint=f"write `exchange: {{{price.currency}: … {scenario.currency}}}`",
        )  # fmt: skip
