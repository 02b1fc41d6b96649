"""What the program plans where jobs may change on the way passes the audit, and is no worse."""

from __future__ import annotations

import random
from typing import Any

import planner
from planner.scenario import Scenario
from tests.conftest import examples
from tests.planner.audit.test_program_agrees import day

Data = dict[str, Any]
RATES = {"b200": 1000, "h100": 400}


def some_scenario(seed: int) -> Data:
    """A random scenario with more work than fits, in which most jobs may change."""
    rng = random.Random(seed)
    days = rng.choice([56, 84, 120])
    late = rng.randint(7, days // 2)
    pools: Data = {
        "north": {"device": "h100", "nodes": 8, "price": "10 KRW / node-day",
                  "windows": rng.choice([[], [{"to": day(days - late)}]])},
        "south": {"device": "b200", "nodes": 6, "price": "30 KRW / node-day",
                  "windows": rng.choice([[], [{"from": day(late)}],
                                         [{"nodes": 2}, {"from": day(late), "nodes": 4}]])},
    }  # fmt: skip
    teams: Data = {"one": {"weight": rng.choice([1, 2])}, "two": {}}
    for chance, field, value in ((0.2, "budget", f"{rng.randint(1, 20)} k KRW"), (0.2, "cap", 40)):
        if rng.random() < chance:
            teams["one"][field] = value
    if rng.random() < 0.2:
        teams["two"]["joined"] = day(rng.randint(1, days // 3))
    jobs = {f"job {n}": some_job(rng, days, n) for n in range(rng.randint(2, 4))}
    policy: Data = {"allocation": rng.choice(["flexible", "flexible", "fixed"])}
    if rng.random() < 0.7:
        policy["migration"] = rng.choice(["0 s", "12 h", "2 days", "1 week"])
    return {
        "name": f"random {seed}", "currency": "KRW", "pools": pools, "consortiums": teams,
        "horizon": {"from": day(0), "to": day(days - 1),
                    "resolution": "two-weeks" if days == 56 else "month"},
        "jobs": jobs, "policy": policy, "rules": {"equivalence": {"b200": 1, "h100": 0.5}},
    }  # fmt: skip


def some_job(rng: random.Random, days: int, number: int) -> Data:
    choices = rng.choice([[1, 4], [2, 6], [2, 4, 8], [3]])
    work = choices[-1] * 8 * rng.choice([400, 700, 1000]) * 86400 * days  # tokens of all days
    job: Data = {
        "consortium": rng.choice(["one", "two"]), "model": "llama3-8b", "data": f"data {number}",
        "tokens": work * rng.uniform(0.3, 0.8), "value": rng.choice([5, 10, 20]),
        "rates": {name: f"{rate} tokens/s" for name, rate in RATES.items()},
        "nodes": {"choices": choices},
    }  # fmt: skip
    due = {"day": day(rng.randint(days // 2, days - 1)), "kind": rng.choice(["hard", "soft"]),
           "loss_per_week": 0.1}  # fmt: skip
    for chance, field, value in (
        (0.3, "partial", True),
        (0.2, "preemptible", True),
        (0.3, "deadline", due),
        (0.2, "migration", rng.choice(["0 s", "1 day", "3 days"])),
        (0.2, "window", {"from": day(rng.randint(0, days // 3))}),
        (0.2 if number else 0, "after", ["job 0"]),
    ):
        if rng.random() < chance:
            job[field] = value
    if not job.get("preemptible") and rng.random() < 0.4:
        job["allocation"] = rng.choice(["flexible", "flexible", "fixed"])
    return job


def without_changes(scenario: Scenario) -> Scenario:
    """The scenario with every job fixed."""
    jobs = {
        name: job.model_copy(update={"allocation": "fixed"}) for name, job in scenario.jobs.items()
    }
    return scenario.model_copy(update={"jobs": jobs})


def test_program_and_audit_agree_on_changes() -> None:
    """`allocate` raises SolverFailure where the audit refuses its plan."""
    changes = gains = 0
    seeds = examples(40, 400)
    for seed in range(seeds):
        scenario = Scenario.model_validate(some_scenario(seed))
        plan = planner.allocate(scenario, time_limit_s=10)
        report = planner.verify(scenario, plan)
        assert report.ok, (seed, report)
        assert {w.code for w in report.warnings} <= {"nothing-to-verify", "held-idle"}, seed
        changes += dict(report.checks).get("changes", 0)
        fixed = planner.allocate(without_changes(scenario), time_limit_s=10)
        most, least = plan.verdict.objective, fixed.verdict.objective
        assert most is not None, seed
        assert least is not None, seed
        assert most >= least * (1 - 1e-4) - 1e-9, seed
        gains += most > least * (1 + 1e-3)
    assert changes >= seeds / 3
    assert gains >= seeds / 6
