"""What the program lends passes the audit, at the borrower's price."""

from __future__ import annotations

import random

import planner
from planner.scenario import Scenario
from tests.planner.audit.test_program_agrees import day, some_scenario


def test_program_and_audit_agree_on_lending() -> None:
    borrowed = 0
    for seed in range(2000, 2040):
        rng = random.Random(seed)
        written = some_scenario(seed)
        teams = list(written["consortiums"])
        if len(teams) < 2:
            continue
        for pool in written["pools"].values():
            pool.pop("programme", None)
            pool.update(basis="own", owner="firm 0", lend={"to": teams[1:]})
            if rng.random() < 0.5:
                pool["lend"]["price"] = "7 KRW / node-day"
            if rng.random() < 0.5:
                pool["lend"]["window"] = {"from": day(rng.randint(0, 20))}
        try:
            scenario = Scenario.model_validate(written)
            plan = planner.allocate(scenario, time_limit_s=10)
        except planner.InputError:
            continue
        report = planner.verify(scenario, plan)
        assert report.ok, seed
        borrowed += dict(report.checks).get("lending", 0)
    assert borrowed >= 3
