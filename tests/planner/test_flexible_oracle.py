"""Plans of two flexible jobs are the best of all plans, which are tried one after the other."""

from __future__ import annotations

import datetime
import functools
import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import planner
from planner.allocation import portfolio
from planner.allocation.offer.option import enumerate_options
from planner.allocation.proof import witness
from planner.scenario import Scenario
from tests.conftest import examples

Data = dict[str, Any]
FIRST = datetime.date(2026, 1, 5)
DAYS = 56
BORDERS = (0, 14, 28, 42)  # of fortnights
RATES = {"h100": 400, "b200": 1000}
DEVICES = 8


def day(number: int) -> str:
    return (FIRST + datetime.timedelta(number)).isoformat()


@dataclass(frozen=True)
class Job:
    """A job with nothing but what the enumeration needs."""

    tokens: float
    value: float
    nodes: tuple[int, ...]
    due: int  # first day on which it may hold nothing
    move_days: int | None  # None: fixed
    partial: bool
    soft: int | None  # last day without loss

    def worth(self, done: float, end: int) -> float:
        late = 0 if self.soft is None else max(end - self.soft - 1, 0)
        part = 1.0 if done >= self.tokens * (1 - 1e-9) else done / self.tokens
        if part < 1 and not self.partial:
            return 0.0
        return self.value * part * max(1 - 0.1 * late / 7, 0.0)


def every_plan(job: Job, pools: list[tuple[str, list[int]]]) -> tuple[list[float], list[Any]]:
    """Worth and nodes held, by pool and day, of every plan of a job; the first holds nothing."""
    worths, helds = [0.0], [np.zeros((len(pools), DAYS), dtype=np.int64)]

    def keep(done: float, end: int, held: Any) -> None:
        worths.append(job.worth(done, end))
        helds.append(held)

    def grow(start: int, last: tuple[int, int] | None, done: float, held: Any) -> None:
        for pool, (device, free) in enumerate(pools):
            release = next(day for day, nodes in enumerate(free) if nodes)
            if start not in BORDERS and (last is not None or start != release):
                continue
            for nodes in job.nodes:
                if (pool, nodes) == last:
                    continue
                rate = RATES[device] * DEVICES * nodes * 86400.0
                lost = 0 if last is None else job.move_days or 0
                need = max(math.ceil((job.tokens - done) / rate - 1e-9), 1)
                for end in sorted({*BORDERS, job.due}):
                    if end <= start or end > job.due:
                        continue
                    stop = min(start + lost + need, end)
                    if min(free[start:stop]) < nodes:
                        break
                    mine = held.copy()
                    mine[pool, start:stop] += nodes
                    if start + lost + need <= end:
                        keep(job.tokens, stop, mine)
                        break
                    if end - start <= lost:
                        continue
                    work = done + rate * (end - start - lost)
                    if job.partial:
                        keep(work, end, mine)
                    if job.move_days is not None and end in BORDERS:
                        grow(end, (pool, nodes), work, mine)

    for start in range(DAYS):
        grow(start, None, 0.0, helds[0])
    return worths, helds


def most_work(jobs: list[Job], pools: list[tuple[str, list[int]]]) -> float:
    """The most that two jobs can do side by side."""
    (worth_a, held_a), (worth_b, held_b) = (every_plan(job, pools) for job in jobs)
    free = np.array([nodes for _, nodes in pools])
    others, worths = np.array(held_b), np.array(worth_b)
    best = 0.0
    for worth, held in zip(worth_a, held_a, strict=True):
        fits = (others + held <= free).all(axis=(1, 2))
        best = max(best, worth + float(worths[fits].max()))
    return best


def some_case(seed: int) -> tuple[Scenario, list[Job], list[tuple[str, list[int]]]]:
    """A scenario, and the same for the enumeration."""
    rng = random.Random(seed)
    late = rng.choice([14, 20, 28])
    north = rng.choice([2, 3, 4])
    south = rng.choice([0, 0, 1])
    free = {"north": [north] * DAYS, "south": [south] * late + [3] * (DAYS - late)}
    windows = [{"nodes": south}, {"from": day(late), "nodes": 3 - south}]
    if not south:
        windows = [{"from": day(late), "nodes": 3}]
    pools: Data = {
        "north": {"device": "h100", "nodes": north, "price": "1 KRW / node-day"},
        "south": {"device": "b200", "nodes": 3, "price": "3 KRW / node-day", "windows": windows},
    }
    jobs, written = [], {}
    for number in range(2):
        nodes = rng.choice([(1,), (1, 2), (2,), (1, 3)])
        work = RATES["h100"] * DEVICES * nodes[-1] * 86400.0 * DAYS
        due = rng.choice([DAYS, DAYS, 40])
        move = rng.choice([0, 1, 3, 9, None])
        partial = rng.random() < 0.3
        soft = None if partial or rng.random() < 0.6 else rng.choice([20, 35])
        one = Job(work * rng.uniform(0.3, 1.4), rng.choice([5.0, 8.0, 10.0]), nodes, due, move,
                  partial, soft)  # fmt: skip
        jobs.append(one)
        name = f"job {number}"
        written[name] = {
            "consortium": "one", "model": "llama3-8b", "data": name, "tokens": one.tokens,
            "value": one.value, "nodes": {"choices": list(nodes)}, "partial": partial,
            "rates": {device: f"{rate} tokens/s" for device, rate in RATES.items()},
            "window": {"to": day(due - 1)},
            "allocation": "fixed" if move is None else "flexible",
        }  # fmt: skip
        if move is not None:
            written[name]["migration"] = f"{move} days"
        if soft is not None:
            written[name]["deadline"] = {"day": day(soft), "kind": "soft", "loss_per_week": 0.1}
    data = {
        "name": f"random {seed}", "currency": "KRW", "pools": pools, "consortiums": {"one": {}},
        "horizon": {"from": day(0), "to": day(DAYS - 1), "resolution": "two-weeks"},
        "jobs": written,
    }  # fmt: skip
    devices = {"north": "h100", "south": "b200"}
    return Scenario.model_validate(data), jobs, [(devices[name], free[name]) for name in pools]


@pytest.mark.parametrize("block", range(examples(2, 20)))
def test_no_plan_does_more_work(block: int) -> None:
    gains = 0
    for seed in range(40 * block, 40 * block + 40):
        scenario, jobs, pools = some_case(seed)
        plan = planner.allocate(scenario, time_limit_s=20, gap_frac=0.0)
        assert planner.verify(scenario, plan).ok, seed
        best = most_work(jobs, pools)
        assert plan.verdict.objective == pytest.approx(best, rel=1e-6, abs=1e-9), seed
        assert plan.verdict.status == "optimal", seed
        fixed = [Job(**{**vars(job), "move_days": None}) for job in jobs]
        gains += best > most_work(fixed, pools) * (1 + 1e-6)
    assert gains >= 8


def test_a_search_is_bounded_by_no_less_than_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found where plans cannot be listed, for cases of which they can."""
    listless = functools.partial(enumerate_options, chain_limit=0)
    monkeypatch.setattr(portfolio, "enumerate_options", listless)
    monkeypatch.setattr(witness, "enumerate_options", listless)  # `verify` has to see it so too
    missed = 0
    seeds = examples(40, 240)
    for seed in range(200, 200 + seeds):
        scenario, jobs, pools = some_case(seed)
        plan = planner.allocate(scenario, time_limit_s=5, gap_frac=0.0)
        assert planner.verify(scenario, plan).ok, seed
        best = most_work(jobs, pools)
        assert plan.verdict.objective is not None, seed
        assert plan.verdict.bound is not None, seed
        assert plan.verdict.bound >= best * (1 - 1e-6), seed
        assert plan.certified_bound is None or plan.certified_bound >= best * (1 - 1e-6), seed
        assert plan.verdict.objective <= best * (1 + 1e-6), seed
        missed += plan.verdict.objective < best * (1 - 1e-6)
    assert missed <= seeds / 10
