"""What the program plans under equal support and days of use passes the audit."""

from __future__ import annotations

import random

import planner
from planner.scenario import Scenario
from tests.planner.audit.test_program_agrees import day, some_scenario


def test_program_and_audit_agree_on_support() -> None:
    placed = infeasible = 0
    for seed in range(1000, 1040):
        rng = random.Random(seed)
        written = some_scenario(seed)
        if rng.random() < 0.5:
            written["rules"]["equal_support"] = rng.choice([0.5, 0.9, 0.97])
        for team in written["consortiums"].values():
            if rng.random() < 0.3:
                team["floor"] = rng.choice([0.1, 0.5])
        if any(team.get("floor") for team in written["consortiums"].values()):
            written["rules"]["use_by"] = [
                {"day": day(rng.randint(7, 40)), "least": rng.choice([0.05, 0.2, 0.5])}
            ]
        try:
            scenario = Scenario.model_validate(written)
            plan = planner.allocate(scenario, time_limit_s=10)
        except planner.InputError:
            continue  # nobody to compare, or a floor without jobs
        report = planner.verify(scenario, plan)
        assert report.ok, seed
        placed += len(plan.rows)
        infeasible += plan.verdict.status == "infeasible"
    assert placed >= 6
    assert infeasible >= 3
