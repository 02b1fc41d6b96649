"""The scenario as the audit reads it: days, money, organisations and equivalents, afresh."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from hardware.quantity import Figure, Price
from hardware.units import DAY_S
from planner.delivery import DeliveryTable, delivery_blocks
from planner.scenario import Consortium, Evaluation, Job, Pool, Scenario

__all__ = [
    "Facts",
    "Machine",
    "PoolFacts",
    "equivalent",
    "facts_of",
    "folded",
    "in_currency",
    "must_leave_day",
]


@dataclass(frozen=True)
class Machine:
    """What the audit needs to know of a pool's node."""

    device: str  # the catalogue's name
    devices_per_node: int
    can_train: bool  # shown, not only claimed
    node_power_w: float  # at the wall, at most


@dataclass(frozen=True)
class PoolFacts:
    """One pool: what a node is worth and costs, and when which ids can be used."""

    pool: Pool
    machine: Machine
    equivalents_per_node: float
    cost_per_node_day: float | None  # None: no exchange rate
    lent_per_node_day: float | None  # what it costs those that borrow it
    deliveries: DeliveryTable


@dataclass(frozen=True)
class Facts:
    """Everything that the checks compare a plan with."""

    scenario: Scenario
    first: datetime.date
    days: int
    handback_days: float
    pools: Mapping[str, PoolFacts]
    support: Mapping[str, tuple[int, int]]  # consortium -> days of support, without handback
    must_leave: Mapping[str, tuple[float, str]]  # consortium -> last end_day, and the code why
    job_value: Mapping[str, float]
    lessors: frozenset[str]  # folded names of those who lease nodes to the programme
    device_names: Mapping[str, str]  # device as written -> its one name
    move_days: Mapping[str, int]  # flexible job -> days without work after a change

    def device(self, written: str) -> str:
        """The spelling in which two names of devices are compared."""
        return folded(self.device_names.get(written, written))

    def day(self, date: datetime.date) -> int:
        """Days from the horizon's first day."""
        return (date - self.first).days

    def date(self, day: float) -> datetime.date:
        """The date of a day number."""
        return self.first + datetime.timedelta(days=int(day))


def folded(name: str) -> str:
    """A name in the spelling in which two are compared: case, width, dashes and spaces aside."""
    return re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()


def in_currency(scenario: Scenario, amount: Figure, currency: str) -> float | None:
    """An amount in the currency of the plan; None where no exchange rate leads there."""
    value = float(amount.value)
    passed: set[str] = set()
    while currency != scenario.currency:
        rate = scenario.exchange.get(currency)
        if rate is None or currency in passed:
            return None
        passed.add(currency)
        value *= rate.value
        currency = rate.currency
    return value


def equivalent(scenario: Scenario, device: str, device_names: Mapping[str, str]) -> float:
    """Device-equivalents of one device of the catalogue; 1 where the rules do not say. [1]"""
    for name, figure in scenario.rules.equivalence.items():
        if folded(device_names.get(name, name)) == folded(device):
            return float(figure.value)
    return 1.0


def _cost_per_node_day(scenario: Scenario, price: Price, machine: Machine) -> float | None:
    per_second = in_currency(scenario, price, price.currency)
    if per_second is None:
        return 0.0 if price.value == 0 else None
    many = machine.devices_per_node if price.per == "device" else 1
    return per_second * many * DAY_S


def _support(consortium: Consortium, first: datetime.date, days: int) -> tuple[int, int]:
    joined = 0 if consortium.joined is None else (consortium.joined - first).days
    end = days if consortium.left is None else (consortium.left - first).days + 1
    return max(joined, 0), min(max(end, 0), days)


def _evaluated(scenario: Scenario, evaluation: Evaluation) -> list[str]:
    """Who may be removed by an evaluation that is undecided."""
    if evaluation.candidates is not None:
        return list(evaluation.candidates)
    gone = {
        name
        for other in scenario.evaluations
        if other.day < evaluation.day
        for name in other.removed or ()
    }
    return [
        name
        for name, consortium in scenario.consortiums.items()
        if name not in gone
        and (consortium.joined is None or consortium.joined <= evaluation.day)
        and (consortium.left is None or consortium.left >= evaluation.day)
    ]


def must_leave_day(
    scenario: Scenario, first: datetime.date, handback_days: float
) -> dict[str, tuple[float, str]]:
    """
    By when each consortium has handed back its nodes, and the code of the reason. [day]

    Returns
    -------
    dict of str to (float, str)
        Day number that no run may end after (half-open), from the horizon's first day;
        consortiums that stay are absent.
    """
    latest: dict[str, tuple[float, str]] = {}

    def tighten(name: str, date: datetime.date, code: str) -> None:
        day = (date - first).days + 1 + handback_days
        if name not in latest or day < latest[name][0]:
            latest[name] = (day, code)

    for name, consortium in scenario.consortiums.items():
        if consortium.left is not None:
            tighten(name, consortium.left, "after-leaving")
    for evaluation in scenario.evaluations:
        undecided = evaluation.removed is None
        names = evaluation.removed or ()
        if undecided and evaluation.removes:
            names = tuple(_evaluated(scenario, evaluation))
        for name in names:
            tighten(name, evaluation.day, "evaluation-undecided" if undecided else "after-removal")
    return latest


def facts_of(
    scenario: Scenario,
    machines: Mapping[str, Machine],
    model_flop: Mapping[str, float],
    device_names: Mapping[str, str],
) -> Facts:
    """
    Read the scenario afresh for an audit.

    Parameters
    ----------
    scenario : Scenario
        As written.
    machines : mapping of str to Machine
        What stands in each pool.
    model_flop : mapping of str to float
        Work of each job, used where no job states a value. [FLOP]
    device_names : mapping of str to str
        The catalogue's name of each device that the scenario writes.
    """
    first = scenario.horizon.first
    days = (scenario.horizon.last - first).days + 1
    handback_days = scenario.rules.handback.value / DAY_S
    pools = {}
    for name, pool in scenario.pools.items():
        machine = machines[name]
        worth = equivalent(scenario, machine.device, device_names) * machine.devices_per_node
        price = _cost_per_node_day(scenario, pool.price, machine)
        lent = price
        if pool.lend is not None and pool.lend.price is not None:
            lent = _cost_per_node_day(scenario, pool.lend.price, machine)
        pools[name] = PoolFacts(
            pool, machine, worth, price, lent, delivery_blocks(pool, scenario.horizon)
        )
    lessors = {folded(p.owner) for p in scenario.pools.values() if p.basis == "leased" and p.owner}
    leave = must_leave_day(scenario, first, handback_days)
    support = {}
    for name, consortium in scenario.consortiums.items():
        begin, end = _support(consortium, first, days)
        if name in leave:
            end = min(end, round(leave[name][0] - handback_days))
        support[name] = (begin, max(end, begin))
    return Facts(
        scenario, first, days, handback_days, pools, support, leave,
        _values(scenario.jobs, model_flop), frozenset(lessors), device_names,
        _move_days(scenario),
    )  # fmt: skip


def _values(jobs: Mapping[str, Job], model_flop: Mapping[str, float]) -> dict[str, float]:
    if all(job.value is None for job in jobs.values()):
        return {name: model_flop[name] / 1e21 for name in jobs}
    return {name: 0.0 if job.value is None else job.value.value for name, job in jobs.items()}


def _move_days(scenario: Scenario) -> dict[str, int]:
    """Jobs that may change pool or nodes, and what each loses by it; a day where not stated."""
    found = {}
    for name, job in scenario.jobs.items():
        word = job.allocation or ("fixed" if job.preemptible else scenario.policy.allocation)
        stated = job.migration if job.migration is not None else scenario.policy.migration
        if word == "flexible":
            found[name] = 1 if stated is None else ceil(stated.value / DAY_S)
    return found
