"""A scenario and a plan for it, both made by hand, that every check of the audit looks at."""

from __future__ import annotations

import copy
import datetime
from pathlib import Path
from typing import Any

import pytest

import hardware
from planner.audit import AuditReport, audit, plan_record
from planner.scenario import Scenario

# 100 days; two deliveries in `north`, which is leased; rates are given, so that the
# figures below can be recomputed with pencil and paper.
SCENARIO: dict[str, Any] = {
    "name": "by hand",
    "currency": "KRW",
    "exchange": {"USD": "1400 KRW"},
    "horizon": {"from": "2026-01-01", "to": "2026-04-10", "resolution": "week"},
    "programmes": {"main": {}, "other": {}},
    "pools": {
        "north": {
            "device": "b200_sxm_180gb",
            "nodes": 24,
            "price": "2400 KRW / device-day",
            "basis": "leased",
            "owner": "Lessor Co",
            "fabric": {"block_nodes": 8},
            "windows": [
                {"from": "2026-01-01", "to": "2026-03-31", "nodes": 16},
                {"from": "2026-02-05", "to": "2026-04-10", "nodes": 8},
            ],
        },
        "south": {
            "device": "h100_sxm5_80gb",
            "nodes": 16,
            "price": "24 USD / node-day",
            "programme": "main",
            "contiguous": True,
            "kinds": ["pretraining", "post-training"],
        },
        "cards": {
            "device": "rngd",
            "nodes": 4,
            "price": "0 KRW / device-day",
            "kinds": ["evaluation", "pretraining"],
        },
        "home": {
            "device": "h100_sxm5_80gb",
            "nodes": 4,
            "price": "0 KRW / device-day",
            "basis": "own",
            "owner": "Beta Lab",
        },
    },
    "consortiums": {
        "alpha": {
            "members": ["Alpha Inc", "Alpha University"],
            "programme": "main",
            "floor": 38,
            "cap": 200,
            "budget": "60 M KRW",
        },
        "beta": {
            "members": ["Beta-Lab"],
            "programme": "main",
            "weight": 2,
            "left": "2026-03-20",
            "budget": "100 k USD",
        },
        "gamma": {
            "members": ["Lessor  co"],
            "programme": "main",
            "joined": "2026-01-15",
        },
        "delta": {"members": ["Delta"], "programme": "other"},
    },
    "jobs": {
        "aurora": {
            "consortium": "alpha", "model": "llama3-8b", "tokens": "276.48 B", "data": "web",
            "value": 100, "nodes": {"min": 4, "max": 16}, "deadline": "2026-03-01",
            "devices": ["b200", "h100"], "rates": {"b200": "1000 tokens/s"},
            "topology": "one-block",
        },
        "borealis": {
            "consortium": "alpha", "model": "llama3-8b", "tokens": "55.296 B", "data": "chat",
            "kind": "post-training", "value": 20, "after": ["aurora"], "pools": ["south"],
            "rates": {"h100_sxm5_80gb": "500 tokens/s"},
        },
        "cedar": {
            "consortium": "beta", "model": "llama3-8b", "tokens": "200 B", "data": "code",
            "value": 50, "preemptible": True, "window": {"from": "2026-01-08", "to": "2026-03-31"},
            "rates": {"b200": "1000 tokens/s"},
            "deadline": {"day": "2026-02-28", "kind": "soft", "loss_per_week": "10%"},
        },
        "dune": {
            "consortium": "gamma", "model": "llama3-8b", "tokens": "100 B", "data": "books",
            "value": 10, "partial": True, "pools": ["south", "north"],
            "rates": {"h100": "250 tokens/s", "b200": "1000 tokens/s"},
        },
        "ember": {
            "consortium": "delta", "model": "Llama-3.1-8B", "tokens": "276.48 B", "data": "Web",
            "value": 90, "rates": {"b200": "1000 tokens/s", "h100": "500 tokens/s"},
        },
        "score": {
            "consortium": "beta", "model": "llama3-8b", "tokens": "1 B", "data": "exam",
            "kind": "evaluation", "value": 1, "rates": {"rngd": "100 tokens/s"},
        },
    },
    "rules": {
        "equivalence": {"b200": 1, "h100": 0.5, "rngd": 0.1},
        "lessor_excluded": True,
        "share_limit": "60%",
        "equal_support": "55%",  # 3840 / 100, 2380 / 79 and 1264 / 72 equivalents on average
        "use_by": [{"day": "2026-02-15", "least": "77%"}],  # 2944 of alpha's 3800
        "handback": "7 days",
    },
    "evaluations": [{"day": "2026-03-27", "candidates": ["gamma"]}],
    "power": {"pue": 1.5},
}  # fmt: skip

NODE_W = dict(
    zip(
        ("north", "south", "cards"),
        hardware.load("b200", "h100", "rngd").node_power_w.tolist(),
        strict=True,
    )
)
_MONTH_DAYS = 365.25 / 12


def _row(job: str, consortium: str, pool: str, ids: str, first: str, last: str, **more: Any) -> Any:
    days = (datetime.date.fromisoformat(last) - datetime.date.fromisoformat(first)).days + 1
    return {
        "job": job, "consortium": consortium, "pool": pool, "node_ids": ids, "from": first,
        "to": last, "days": days, "layout": "tp=1 pp=1 dp=8 mb=1", "mfu_frac": None,
        "energy_j": more["nodes"] * NODE_W[pool] * 1.5 * days * 86400, "marks": [], **more,
    }  # fmt: skip


def _plan() -> dict[str, Any]:
    """The plan; every figure is arithmetic on the scenario above."""
    rows = [
        # 8 nodes x 8 devices x 1000 tokens/s x 50 days x 86400 s = 276.48e9
        _row("aurora", "alpha", "north", "0-7", "2026-01-01", "2026-02-19", device="b200_sxm_180gb",
             nodes=8, tokens=276.48e9, tokens_per_s=64e3, cost=8 * 50 * 8 * 2400.0, value=100.0),
        # 4 nodes x 8 x 500 x 40 days x 86400 = 55.296e9
        _row("borealis", "alpha", "south", "4-7", "2026-02-26", "2026-04-06",
             device="h100_sxm5_80gb", nodes=4, tokens=55.296e9, tokens_per_s=16e3,
             cost=4 * 40 * 24 * 1400.0, value=20.0),
        # paused from 01-29 to 02-11; 8 x 8 x 1000 x 86400 = 5.5296e9 a day
        _row("cedar", "beta", "north", "8-15", "2026-01-08", "2026-01-28", device="b200_sxm_180gb",
             nodes=8, tokens=116.1216e9, tokens_per_s=64e3, cost=8 * 21 * 8 * 2400.0,
             value=50.0 * 116.1216 / 200),
        _row("cedar", "beta", "north", "8-11,16-19", "2026-02-12", "2026-02-27",
             device="b200_sxm_180gb", nodes=8, tokens=83.8784e9, tokens_per_s=64e3,
             cost=8 * 16 * 8 * 2400.0, value=50.0 * 83.8784 / 200),
        # 4 x 8 x 250 x 79 days x 86400 = 54.6048e9 of 100e9, ends on the day of the evaluation + 7
        _row("dune", "gamma", "south", "0-3", "2026-01-15", "2026-04-03", device="h100_sxm5_80gb",
             nodes=4, tokens=54.6048e9, tokens_per_s=8e3, cost=4 * 79 * 24 * 1400.0,
             value=5.46048),
        _row("score", "beta", "cards", "1", "2026-01-01", "2026-01-15", device="furiosa_rngd",
             nodes=1, tokens=1e9, tokens_per_s=800.0, cost=0.0, value=1.0, layout="tp=4 dp=2"),
    ]  # fmt: skip
    jobs = [
        ("aurora", "alpha", True, 1.0, 100.0, None),
        ("borealis", "alpha", True, 1.0, 20.0, None),
        ("cedar", "beta", True, 1.0, 50.0, None),
        ("dune", "gamma", True, 0.546048, 5.46048, None),
        ("ember", "delta", False, 0.0, 0.0, "same-workload"),
        ("score", "beta", True, 1.0, 1.0, None),
    ]
    equivalent_days = {"alpha": 8 * 8 * 50 + 4 * 4 * 40, "beta": 8 * 8 * 37 + 0.8 * 15,
                       "gamma": 4 * 4 * 79, "delta": 0}  # fmt: skip
    node_days = {"alpha": 8 * 50 + 4 * 40, "beta": 8 * 37 + 15, "gamma": 4 * 79, "delta": 0}
    counts = {"alpha": (2, 2), "beta": (2, 2), "gamma": (0, 1), "delta": (0, 1)}
    budgets = {"alpha": 60e6, "beta": 140e6}
    consortiums = [
        {
            "consortium": name, "name": name, "node_months": node_days[name] / _MONTH_DAYS,
            "equivalent_device_months": equivalent_days[name] / _MONTH_DAYS,
            "cost": sum(row["cost"] for row in rows if row["consortium"] == name),
            "budget": budgets.get(name), "jobs_done": done, "jobs_asked": asked,
            "value": sum(row["value"] for row in rows if row["consortium"] == name),
        }
        for name, (done, asked) in counts.items()
    ]  # fmt: skip
    objective = 100 + 20 + 2 * 50 + 5.46048 + 2 * 1
    return {
        "schema": "planner/plan/1",
        "tool": {"name": "planner", "version": "unknown"},
        "inputs": [],
        "currency": "KRW",
        "verdict": {
            "status": "feasible", "objective": objective, "bound": 250.0,
            "gap_frac": (250 - objective) / objective, "cost": sum(row["cost"] for row in rows),
            "policy": "weighted-work", "sentence": "",
        },
        "rows": rows,
        "jobs": [
            dict(zip(("job", "consortium", "placed", "done_frac", "value", "reason"), job,
                     strict=True))
            for job in jobs
        ],
        "consortiums": consortiums,
        "assumed": [],
        "warnings": [],
    }  # fmt: skip


PLAN = _plan()


class Hand:
    """The pair made by hand: fresh copies to change, and the audit of what became of them."""

    def scenario(self) -> dict[str, Any]:
        """The scenario as plain data."""
        return copy.deepcopy(SCENARIO)

    def plan(self) -> dict[str, Any]:
        """The plan as plain data."""
        return copy.deepcopy(PLAN)

    def record(self, scenario: dict[str, Any]) -> Scenario:
        """The scenario as a record."""
        return Scenario.model_validate(scenario)

    def audited(self, scenario: dict[str, Any], plan: dict[str, Any]) -> AuditReport:
        """The audit of plain data."""
        return audit(self.record(scenario), plan_record(plan), base_path=Path())


@pytest.fixture(scope="session")
def hand() -> Hand:
    """A scenario and a plan for it that every check looks at."""
    return Hand()
