"""What the program plans for random scenarios of every rule passes the audit."""

from __future__ import annotations

import datetime
import random
from typing import Any

import pytest

import planner
from planner.scenario import Scenario

Data = dict[str, Any]
FIRST = datetime.date(2026, 1, 5)
DEVICES = ("b200", "h100", "rngd")


def day(number: int) -> str:
    return (FIRST + datetime.timedelta(number)).isoformat()


def some_pool(rng: random.Random, days: int) -> Data:
    """A pool whose nodes come, go, pause, or stay."""
    nodes, more = rng.randint(1, 12), rng.randint(1, 6)
    early = rng.randint(1, days - 2)
    late = rng.randint(early + 1, days - 1)
    windows: list[Data] = rng.choice([
        [],
        [],
        [{"nodes": nodes}, {"from": day(early), "nodes": more}],
        [{"nodes": nodes}, {"to": day(early), "nodes": more}],
        [{"to": day(early - 1)}, {"from": day(late)}],
        [{"to": day(early), "nodes": min(nodes, more)}, {"from": day(early + 1), "nodes": nodes}],
        [{"to": day(late), "nodes": nodes}, {"from": day(early), "nodes": more}],
    ])  # fmt: skip
    pool: Data = {
        "device": rng.choice(DEVICES), "nodes": nodes + more, "windows": windows,
        "price": f"{rng.choice([0, 5, 100])} {rng.choice(['KRW', 'USD'])} / "
                 f"{rng.choice(['device', 'node'])}-day",
    }  # fmt: skip
    if rng.random() < 0.3:
        pool.update(basis="leased", owner=rng.choice(["firm 0", "lessor"]))
    elif rng.random() < 0.2:
        pool.update(basis="own", owner=rng.choice(["firm 0", "firm 1"]))
    if rng.random() < 0.2:
        pool["programme"] = rng.choice(["x", "y"])
    if rng.random() < 0.2:
        pool["kinds"] = rng.sample(["pretraining", "evaluation", "post-training"], 2)
    return pool


def some_consortium(rng: random.Random, days: int, number: int) -> Data:
    team: Data = {"members": [f"firm {number}"], "weight": rng.choice([1, 2, 0.5])}
    for chance, field, value in (
        (0.5, "programme", rng.choice(["x", "x", "y"])),
        (0.2, "joined", day(rng.randint(0, days // 2))),
        (0.2, "left", day(rng.randint(days // 2 + 1, days - 1))),
        (0.3, "budget", f"{rng.choice([1e3, 1e4, 1e6]):.0f} {rng.choice(['KRW', 'USD'])}"),
        (0.2, "cap", rng.choice([8, 20, 40])),
        (0.1, "floor", rng.choice([1, 4])),
    ):
        if rng.random() < chance:
            team[field] = value
    return team


def some_job(rng: random.Random, days: int, number: int, teams: Data, pools: Data) -> Data:
    opens = rng.randint(0, days - 10)
    job: Data = {
        "consortium": rng.choice(list(teams)), "model": "llama3-8b",
        "kind": rng.choice(["pretraining", "pretraining", "post-training", "evaluation"]),
        "data": f"data {rng.randint(0, 5)}", "value": rng.choice([1, 5, 10, 50]),
        "tokens": rng.choice([1, 5, 20, 60]) * 1e9 * rng.random() + 1e8,
        "rates": {name: f"{rng.choice([100, 300, 1000])} tokens/s" for name in DEVICES},
    }  # fmt: skip
    due = {"day": day(rng.randint(days // 3, days - 1)), "kind": rng.choice(["hard", "soft"]),
           "loss_per_week": rng.choice([0.05, 0.3])}  # fmt: skip
    limits = rng.choice([{"min": 2}, {"max": 3}, {"choices": [1, 2, 4]}, 2])
    for chance, field, value in (
        (0.3, "partial", True),
        (0.3, "preemptible", True),
        (0.3, "window", {"from": day(opens), "to": day(rng.randint(opens + 5, days - 1))}),
        (0.4, "deadline", due),
        (0.25 if number else 0, "after", [f"job {rng.randint(0, max(number - 1, 0))}"]),
        (0.3, "nodes", limits),
        (0.2, "pools", rng.sample(list(pools), 1)),
        (0.1, "what_if_training", True),
    ):
        if rng.random() < chance:
            job[field] = value
    return job


def some_scenario(seed: int) -> Data:
    rng = random.Random(seed)
    days = rng.choice([42, 60, 98, 120])
    pools = {f"pool {n}": some_pool(rng, days) for n in range(rng.randint(1, 4))}
    teams = {f"team {n}": some_consortium(rng, days, n) for n in range(rng.randint(1, 4))}
    jobs = {f"job {n}": some_job(rng, days, n, teams, pools) for n in range(rng.randint(1, 7))}
    rules: Data = {
        "equivalence": {"b200": 1, "h100": 0.5, "rngd": 0.125},
        "handback": f"{rng.choice([0, 0, 7, 10])} days",
        "lessor_excluded": rng.random() < 0.3,
    }
    if rng.random() < 0.2:
        rules["share_limit"] = rng.choice([0.3, 0.6])
    evaluation: Data = {"day": day(rng.randint(10, days - 5))}
    if rng.random() < 0.4:
        evaluation["removed"] = [rng.choice(list(teams))]
    return {
        "name": f"random {seed}", "currency": "KRW", "exchange": {"USD": "1000 KRW"},
        "horizon": {"from": day(0), "to": day(days - 1),
                    "resolution": rng.choice(["week", "two-weeks", "month"])},
        "programmes": {"x": {}, "y": {}}, "pools": pools, "consortiums": teams, "jobs": jobs,
        "rules": rules, "evaluations": [evaluation] if rng.random() < 0.3 else [],
    }  # fmt: skip


@pytest.mark.parametrize("block", range(4))
def test_program_and_audit_agree(block: int) -> None:
    """`allocate` raises SolverFailure where the audit refuses; warnings are seen here."""
    placed = 0
    for seed in range(20 * block, 20 * block + 20):
        scenario = Scenario.model_validate(some_scenario(seed))
        try:
            plan = planner.allocate(scenario, time_limit_s=10)
        except planner.InputError:
            continue  # a job without a day or a device, for one: no question to answer
        report = planner.verify(scenario, plan)
        assert report.ok, seed
        assert {w.code for w in report.warnings} <= {"nothing-to-verify", "held-idle"}, seed
        placed += len(plan.rows)
    assert placed >= 6
