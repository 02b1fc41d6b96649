"""Plans that the program makes of the shipped examples hold, and break when tampered with."""

from __future__ import annotations

import copy
import datetime
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import planner
from planner.scenario import Scenario
from planner.scenario_check import load_scenario

Data = dict[str, Any]
EXAMPLES = Path(planner.__file__).parent / "examples"
NAMES = ("first-minute", "flexible", "kai-replay", "kai-plan")


class Case:
    """One example: its scenario, and what `allocate` made of it."""

    def __init__(self, name: str) -> None:
        self.path = EXAMPLES / f"{name}.yaml"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", planner.PlanningWarning)
            self.scenario: Scenario = load_scenario(self.path)[0]
            made = planner.allocate(self.path, time_limit_s=30)
        self.plan: Data = json.loads(made.to_json())

    def codes(self, plan: Data) -> set[str]:
        report = planner.verify(self.scenario, plan, base_path=self.path.parent)
        return {violation.code for violation in report.violations}


@pytest.fixture(scope="module", params=NAMES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def moved(row: Data, days: int) -> None:
    for end in ("from", "to"):
        row[end] = (datetime.date.fromisoformat(row[end]) + datetime.timedelta(days)).isoformat()


def node_given_twice(case: Case, plan: Data) -> str | None:
    first = plan["rows"][0]
    other = copy.deepcopy(plan["rows"][-1])
    other.update(
        {key: first[key] for key in ("pool", "device", "node_ids", "nodes", "from", "to", "days")}
    )
    plan["rows"][-1] = other
    return "node-counted-twice"


def job_outside_its_window(case: Case, plan: Data) -> str | None:
    row = plan["rows"][0]
    last = case.scenario.jobs[row["job"]].window.last or case.scenario.horizon.last
    moved(row, (last - datetime.date.fromisoformat(row["to"])).days + 1)
    return "outside-window"


def lessor_on_a_leased_pool(case: Case, plan: Data) -> str | None:
    """A row of a lessor's consortium goes to a pool that is leased."""
    pools = case.scenario.pools
    leased = [name for name, pool in pools.items() if pool.basis == "leased"]
    owners = {pools[name].owner for name in leased}
    if not case.scenario.rules.lessor_excluded:
        return None
    for row in plan["rows"]:
        if owners & set(case.scenario.consortiums[row["consortium"]].members):
            row.update(pool=leased[0], device=pools[leased[0]].device)
            return "lessor-uses-leased-pool"
    return None


def tokens_inflated(case: Case, plan: Data) -> str | None:
    row = plan["rows"][0]
    row["tokens"] = row["tokens_per_s"] * row["days"] * 86400 * 1.01
    return "tokens-inflated"


def budget_exceeded(case: Case, plan: Data) -> str | None:
    """A paid row grows until the budget is spent, its cost told as it is."""
    for row in plan["rows"]:
        budget = case.scenario.consortiums[row["consortium"]].budget
        if budget is not None and row["cost"] > 0:
            factor = int(budget.value / row["cost"]) + 2
            row.update(nodes=row["nodes"] * factor, cost=row["cost"] * factor)
            row["node_ids"] = f"0-{row['nodes'] - 1}"
            return "budget-exceeded"
    return None


def job_duplicated_under_a_second_consortium(case: Case, plan: Data) -> str | None:
    row = copy.deepcopy(plan["rows"][0])
    row["consortium"] = next(c for c in case.scenario.consortiums if c != row["consortium"])
    plan["rows"].append(row)
    return "workload-funded-twice"


WAYS: list[Callable[[Case, Data], str | None]] = [
    node_given_twice, job_outside_its_window, lessor_on_a_leased_pool, tokens_inflated,
    budget_exceeded, job_duplicated_under_a_second_consortium,
]  # fmt: skip


def test_what_the_program_makes_holds(case: Case) -> None:
    report = planner.verify(case.scenario, case.plan, base_path=case.path.parent)
    assert report.violations == ()
    looked = dict(report.checks)
    assert all(looked[name] for name in ("no node twice", "throughput", "costs", "workloads"))


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_tampering_is_told(case: Case, way: Callable[[Case, Data], str | None]) -> None:
    plan = copy.deepcopy(case.plan)
    code = way(case, plan)
    if code is None:
        assert case.path.stem != "kai-replay", "the replay has lessors and budgets"
        pytest.skip("the example has no such rule")
    assert code in case.codes(plan)
