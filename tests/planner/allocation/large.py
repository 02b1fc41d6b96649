"""Scenarios of hundreds of jobs with the rules of programmes, as a person would write them."""

from __future__ import annotations

import datetime
import random
from typing import Any

from planner.scenario import Scenario

__all__ = ["RULES", "large_scenario"]

RULES = ("none", "equal", "use", "lend", "block", "delivery", "pause")
DEVICES, DAYS = 8, 730
POOLS = {"north": ("h100", 128), "south": ("b200", 96), "east": ("h100", 256), "west": ("b200", 64)}
RATES = {"h100": 1000.0, "b200": 2000.0}


def large_scenario(jobs: int, rule: str, *, teams: int = 10, seed: int = 0) -> Scenario:
    """
    Four pools over two years, and jobs that ask for more than there is.

    Parameters
    ----------
    jobs : int
        How many.
    rule : str
        One of `RULES`.
    teams : int
        Consortiums.
    seed : int
        Of sizes, values and windows.
    """
    dice = random.Random(seed)
    first = datetime.date(2026, 1, 1)
    consortiums: dict[str, Any] = {
        f"team {at:02d}": {"members": [f"org {at:02d}"]} for at in range(teams)
    }
    others = [name for name in consortiums if name != "team 00"]
    pools: dict[str, Any] = {
        name: {"device": device, "nodes": nodes, "price": "1000 KRW / node-day"}
        for name, (device, nodes) in POOLS.items()
    }
    rules: dict[str, Any] = {"equivalence": {"h100": 1, "b200": 2}}
    written = {}
    offered = sum(nodes * RATES[device] for device, nodes in POOLS.values()) * DEVICES * DAYS
    sizes = [dice.lognormvariate(0.0, 0.7) for _ in range(jobs)]
    for number, size in enumerate(sizes):
        name = f"job {number:04d}"
        start = dice.choice([0, 0, 90, 180])
        written[name] = {
            "consortium": f"team {number % teams:02d}", "model": "llama3-8b", "data": name,
            "tokens": 1.5 * offered * 86400.0 * size / sum(sizes),
            "value": size * dice.lognormvariate(0.0, 0.3),
            "nodes": {"choices": [4, 8, 16, 32]},
            "rates": {device: f"{rate} tokens/s" for device, rate in RATES.items()},
            "window": {"from": (first + datetime.timedelta(start)).isoformat()},
        }  # fmt: skip
        if rule == "block" and number % 2:
            written[name]["topology"] = "one-block"
        if rule == "pause" and number % 3 == 0:
            written[name]["preemptible"] = True
    if rule == "equal":
        rules["equal_support"] = 0.2
    if rule == "use":
        share = sum(nodes for _, nodes in POOLS.values()) * DEVICES / teams
        for team in consortiums.values():
            team["floor"] = 0.4 * share
        rules["use_by"] = [{"day": (first + datetime.timedelta(365)).isoformat(), "least": 0.5}]
    if rule == "block":
        for pool in pools.values():
            pool["fabric"] = {"block_nodes": 32}
    if rule == "lend":
        pools["west"] |= {"basis": "own", "owner": "org 00", "lend": {"to": others}}
    if rule == "delivery":
        half = POOLS["east"][1] // 2
        pools["east"]["windows"] = [
            {"nodes": half, "to": (first + datetime.timedelta(500)).isoformat()},
            {"nodes": half, "from": (first + datetime.timedelta(100)).isoformat()},
        ]
    return Scenario.model_validate({
        "name": f"{jobs} jobs, {rule}", "currency": "KRW", "pools": pools, "rules": rules,
        "horizon": {"from": first.isoformat(), "resolution": "month",
                    "to": (first + datetime.timedelta(DAYS - 1)).isoformat()},
        "consortiums": consortiums, "jobs": written, "policy": {"ties": "none"},
    })  # fmt: skip
