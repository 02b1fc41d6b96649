"""Checks of amounts and rules: signs, currencies, equivalence, programmes, double workloads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardware.errors import Diagnostic
from hardware.quantity import Figure, Money, Price
from hardware.sheet import Path_
from planner.eligibility import same_name
from planner.scenario import Job
from planner.scenario_fault import Written

__all__ = [
    "check_amounts",
    "check_currencies",
    "check_equivalence",
    "check_programmes",
    "check_values",
    "check_workloads",
    "workload_identity",
]


def _figures(written: Written) -> Iterator[tuple[Path_, Figure | None, float, bool]]:
    """Each bounded figure with its lower bound, and whether the bound itself is allowed."""
    scenario = written.scenario
    for name, pool in scenario.pools.items():
        yield ("pools", name, "price"), pool.price, 0, True
        if pool.fabric is not None:
            yield ("pools", name, "fabric", "scale_out"), pool.fabric.scale_out, 0, False
    for name, consortium in scenario.consortiums.items():
        path: Path_ = ("consortiums", name)
        yield (*path, "floor"), consortium.floor, 0, True
        yield (*path, "cap"), consortium.cap, 0, False
        yield (*path, "weight"), consortium.weight, 0, True
        yield (*path, "budget"), consortium.budget, 0, True
    for name, job in scenario.jobs.items():
        path = ("jobs", name)
        yield (*path, "tokens"), job.tokens, 0, False
        yield (*path, "value"), job.value, 0, True
        yield (*path, "global_batch"), job.global_batch, 0, False
        yield (*path, "migration"), job.migration, 0, True
        for device, rate in job.rates.items():
            yield (*path, "rates", device), rate, 0, False
    for device, figure in scenario.rules.equivalence.items():
        yield ("rules", "equivalence", device), figure, 0, True
    for currency, amount in scenario.exchange.items():
        yield ("exchange", currency), amount, 0, False
    yield ("rules", "handback"), scenario.rules.handback, 0, True
    yield ("rules", "share_limit"), scenario.rules.share_limit, 0, False
    yield ("power", "tariff"), scenario.power.tariff, 0, True
    yield ("power", "pue"), scenario.power.pue, 1, True
    yield ("policy", "migration"), scenario.policy.migration, 0, True


def check_amounts(written: Written) -> Iterator[Diagnostic]:
    """Amounts below what they can be, and bounds that exclude each other."""
    for path, figure, least, included in _figures(written):
        if figure is None or figure.value > least or (included and figure.value == least):
            continue
        yield written.fault(
            path, "out-of-range", "the amount is too small", found=f"`{written.text(path)}`",
            expected=f"{'at least' if included else 'more than'} {least:g}",
        )  # fmt: skip
    for name, consortium in written.scenario.consortiums.items():
        floor, cap = consortium.floor, consortium.cap
        if floor and cap and floor.value > cap.value:
            yield written.fault(
                ("consortiums", name, "floor"), "contradiction", "the floor is above the cap",
                found=f"floor {floor.value:g}, cap {cap.value:g}", expected="a floor up to the cap",
            )  # fmt: skip
    for name, job in written.scenario.jobs.items():
        yield from _check_choices(written, name, job)


def _check_choices(written: Written, name: str, job: Job) -> Iterator[Diagnostic]:
    least, most = job.nodes.least, job.nodes.most
    for at, count in enumerate(job.nodes.choices):
        if count < least or (most is not None and count > most):
            yield written.fault(
                ("jobs", name, "nodes", "choices", at), "out-of-range",
                "the choice is outside `min` to `max`",
                found=str(count), expected=f"{least} to {most or 'the most'}",
            )  # fmt: skip


def check_currencies(written: Written) -> Iterator[Diagnostic]:
    """Currencies that are none, and money that nothing converts to the plan's currency."""
    scenario = written.scenario
    if not re.fullmatch("[A-Z]{3}", scenario.currency):
        yield written.fault(
            ("currency",), "unknown-currency", "this is no code of a currency",
            found=f"`{scenario.currency}`", expected="three capital letters, such as `KRW`",
        )  # fmt: skip
        return
    money: list[tuple[Path_, Money | Price | None]] = [
        *((("pools", name, "price"), pool.price) for name, pool in scenario.pools.items()),
        *((("consortiums", name, "budget"), c.budget) for name, c in scenario.consortiums.items()),
        (("power", "tariff"), scenario.power.tariff),
    ]
    for path, amount in money:
        if (
            amount
            and amount.value
            and amount.currency not in (scenario.currency, *scenario.exchange)
        ):
            yield written.fault(
                path, "no-exchange-rate", "the currency is not the plan's, and has no rate",
                found=amount.currency, expected=scenario.currency,
                hint=f"write `exchange: {{{amount.currency}: … {scenario.currency}}}`",
            )  # fmt: skip
    for currency, worth in scenario.exchange.items():
        if worth.currency != scenario.currency or currency == scenario.currency:
            yield written.fault(
                ("exchange", currency), "wrong-exchange-rate",
                "a rate is the worth of one unit of another currency in the plan's",
                found=f"{currency} in {worth.currency}",
                expected=f"an amount of {scenario.currency} for another currency",
            )  # fmt: skip


def check_equivalence(written: Written) -> Iterator[Diagnostic]:
    """Devices without a rate where floors, caps or a share limit count device-equivalents."""
    scenario = written.scenario
    rules = scenario.rules
    counted = rules.share_limit is not None or rules.equal_support is not None
    counted = counted or any(
        c.floor is not None or c.cap is not None for c in scenario.consortiums.values()
    )
    known = {written.devices.get(device, device) for device in scenario.rules.equivalence}
    used: dict[str, str] = {}
    for name, pool in scenario.pools.items():
        if pool.device in written.devices:
            used.setdefault(written.devices[pool.device], name)
    if not counted or (len(used) == 1 and not known):
        return
    place: Path_ = ("rules", "equivalence") if known else ("rules",)
    for device in used:
        if device not in known:
            yield written.fault(
                place, "missing-equivalence", f"`{device}` has no device-equivalent",
                found=", ".join(sorted(known)) or "no equivalence",
                expected="a number for the device of every pool, since floors, caps and "
                "share limits count device-equivalents",
                hint=f"write `{device}: 1` under `rules.equivalence`", key=True,
            )  # fmt: skip


def check_programmes(written: Written) -> Iterator[Diagnostic]:
    """Organisations that two programmes support."""
    scenario = written.scenario
    if not scenario.rules.one_programme_per_organisation:
        return
    first: dict[str, tuple[str, str]] = {}
    for name, consortium in scenario.consortiums.items():
        if consortium.programme is None:
            continue
        for at, member in enumerate(consortium.members):
            seen = first.setdefault(same_name(member), (consortium.programme, name))
            if seen[0] != consortium.programme:
                yield written.fault(
                    ("consortiums", name, "members", at), "two-programmes",
                    f"`{member}` is supported by two programmes",
                    found=f"`{consortium.programme}` here, `{seen[0]}` through `{seen[1]}`",
                    expected="one programme an organisation",
                    hint="drop the member, or set `rules.one_programme_per_organisation: false`",
                )  # fmt: skip


def check_values(written: Written) -> Iterator[Diagnostic]:
    """Jobs without a value beside jobs with one: the two scales cannot be compared."""
    jobs = written.scenario.jobs
    stated = [name for name, job in jobs.items() if job.value is not None]
    if not stated or len(stated) == len(jobs):
        return
    for name, job in jobs.items():
        if job.value is None:
            yield written.fault(
                ("jobs", name), "missing-value", "the job states no value, and others do",
                found=f"{len(stated)} of {len(jobs)} jobs state one, `{stated[0]}` first",
                expected="a value for every job, or for none",
                hint="without any, a job is worth its FLOP in 1e21", key=True,
            )  # fmt: skip


def workload_identity(job: Job, model: str) -> tuple[str, str, str]:
    """What makes two jobs the same workload: model, data, and objective or else kind."""
    return same_name(model), same_name(job.data), same_name(job.objective or job.kind)


def check_workloads(written: Written) -> Iterator[Diagnostic]:
    """Jobs of which only one may be funded, since they ask for the same work."""
    scenario = written.scenario
    first: dict[tuple[str, str, str], str] = {}
    for name, job in scenario.jobs.items():
        identity = workload_identity(job, written.models.get(job.model, job.model))
        other = first.setdefault(identity, name)
        if other != name:
            model, data, objective = identity
            yield written.warning(
                ("jobs", name), "same-workload",
                f"only one of `{other}` and `{name}` may be funded: they are the same work",
                found=f"model {model}, data {data or 'unnamed'}, objective {objective}; "
                + _relation(written, scenario.jobs[other].consortium, job.consortium),
                hint="name `data` or `objective` if the two runs differ",
            )  # fmt: skip


def _relation(written: Written, one: str, other: str) -> str:
    """How two consortiums are related, in words."""
    if one == other:
        return f"both of `{one}`"
    entries = [written.scenario.consortiums.get(name) for name in (one, other)]
    members = [{same_name(m): m for m in entry.members} if entry else {} for entry in entries]
    shared = [members[1][key] for key in members[0] if key in members[1]]
    if shared:
        return f"`{one}` and `{other}` share {shared[0]}"
    return f"`{one}` and `{other}` share no member"
