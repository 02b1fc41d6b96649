"""Random plans that are valid by construction pass; a change of any figure that matters is told."""

from __future__ import annotations

import copy
import datetime
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hardware

Data = dict[str, Any]
FIRST = datetime.date(2026, 3, 3)
DEVICES = {"b200_sxm_180gb": 8, "h100_sxm5_80gb": 8, "trainium2": 16}
NODE_W = dict(zip(DEVICES, hardware.load(*DEVICES).node_power_w.tolist(), strict=True))
PUE = 1.3  # where a scenario states none
EQUIVALENT = {"b200_sxm_180gb": 1.0, "h100_sxm5_80gb": 0.5, "trainium2": 0.25}
MONTH_DAYS = 365.25 / 12


def text_of(day: int) -> str:
    return (FIRST + datetime.timedelta(day)).isoformat()


def ranges_of(ids: list[int]) -> str:
    """Ids as text, in ranges where they follow one another."""
    pieces: list[list[int]] = []
    for node in sorted(ids):
        if pieces and pieces[-1][1] == node - 1:
            pieces[-1][1] = node
        else:
            pieces.append([node, node])
    return ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in pieces)


class Maker:
    """Makes a scenario and a plan for it by giving free nodes of a daily ledger away."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.days = self.rng.randint(40, 150)
        self.pools: Data = {}
        self.free: dict[str, np.ndarray[Any, Any]] = {}  # [day, node]
        self.jobs: Data = {}
        self.rows: list[Data] = []
        self.told: list[Data] = []
        self.teams = [f"team-{n}" for n in range(self.rng.randint(1, 3))]
        self.weights = {team: self.rng.choice([0.5, 1, 2]) for team in self.teams}
        for number in range(self.rng.randint(1, 3)):
            self.add_pool(f"pool-{number}")
        for number in range(self.rng.randint(1, 6)):
            self.add_job(f"job-{number}")

    def add_pool(self, name: str) -> None:
        rng = self.rng
        first, later = rng.randint(2, 8), rng.randint(1, 6)
        cut = rng.randint(1, self.days - 1)
        free = np.ones((self.days, first), dtype=bool)
        windows: list[Data] = []
        shape = rng.choice(["whole", "growing", "gap"])
        if shape == "growing":
            windows = [{"nodes": first}, {"from": text_of(cut), "nodes": later}]
            free = np.pad(free, ((0, 0), (0, later)))
            free[cut:, first:] = True
        elif shape == "gap":
            windows = [{"to": text_of(cut - 1)}, {"from": text_of(cut + 1)}]
            free[cut] = False
        self.pools[name] = {
            "device": rng.choice(list(DEVICES)), "nodes": free.shape[1], "windows": windows,
            "price": f"{rng.choice([0, 10, 250])} {rng.choice(['KRW', 'USD'])} / "
                     f"{rng.choice(['device', 'node'])}-day",
        }  # fmt: skip
        self.free[name] = free

    def cost(self, pool: str, nodes: int, days: int) -> float:
        amount, currency, _, per = self.pools[pool]["price"].split()
        price = float(amount) * (1000 if currency == "USD" else 1)
        many = DEVICES[self.pools[pool]["device"]] if per == "device-day" else 1
        return price * many * nodes * days

    def take(self, pool: str, nodes: int, start: int, end: int) -> list[int]:
        """Free nodes for all the days, taken; none where there are too few."""
        free = np.flatnonzero(self.free[pool][start:end].all(axis=0)).tolist()
        if len(free) < nodes:
            return []
        ids = sorted(self.rng.sample(free, nodes))
        self.free[pool][start:end, ids] = False
        return ids

    def add_job(self, name: str) -> None:
        rng = self.rng
        team, pool = rng.choice(self.teams), rng.choice(list(self.pools))
        nodes, start = rng.randint(1, 4), rng.randint(0, self.days - 2)
        end = rng.randint(start + 1, self.days)
        device = self.pools[pool]["device"]
        rate = rng.choice([100.0, 1500.0])
        job: Data = {
            "consortium": team, "model": "llama3-8b", "data": name, "tokens": 1e12,
            "value": rng.randint(1, 99), "rates": {device: f"{rate} tokens/s"},
        }  # fmt: skip
        parts = [(start, end)]
        if end - start > 4 and rng.random() < 0.4:
            job["preemptible"] = True
            parts = [(start, start + 2), (end - 2, end)]
        wanted = [(a, b, self.take(pool, nodes, a, b)) for a, b in parts]
        self.jobs[name] = job
        if not all(ids for _, _, ids in wanted):
            for a, b, ids in wanted:
                self.free[pool][a:b, ids] = True
            self.told.append({"job": name, "consortium": team, "placed": False, "done_frac": 0.0,
                              "value": 0.0, "reason": "no-room"})  # fmt: skip
            return
        per_s = rate * nodes * DEVICES[device]
        tokens = [per_s * 86400 * (b - a) for a, b, _ in wanted]
        tokens[-1] -= per_s * 86400 * rng.random() * 0.9
        job["tokens"] = sum(tokens)
        if rng.random() < 0.3:
            job["partial"], job["tokens"] = True, sum(tokens) * 1.5
        job["window"] = {"from": text_of(max(start - rng.randint(0, 3), 0))}
        late_days = 0
        if rng.random() < 0.5:
            soft = rng.random() < 0.5
            late_days = rng.randint(0, min(10, end - 1)) if soft else 0
            job["deadline"] = {
                "day": text_of(end - 1 - late_days), "kind": "soft" if soft else "hard",
                "loss_per_week": 0.2,
            }  # fmt: skip
        done = sum(tokens) / job["tokens"]
        worth = job["value"] * done * max(0.0, 1 - 0.2 * late_days / 7)
        self.told.append({"job": name, "consortium": team, "placed": True, "done_frac": done,
                          "value": worth, "reason": None})  # fmt: skip
        for (a, b, ids), part in zip(wanted, tokens, strict=True):
            self.rows.append({
                "job": name, "consortium": team, "pool": pool, "device": device, "nodes": nodes,
                "node_ids": ranges_of(ids), "from": text_of(a), "to": text_of(b - 1),
                "days": b - a, "layout": "rate stated", "tokens": part, "tokens_per_s": per_s,
                "mfu_frac": None, "cost": self.cost(pool, nodes, b - a),
                "energy_j": nodes * NODE_W[device] * PUE * (b - a) * 86400,
                "value": worth * part / sum(tokens), "marks": [],
            })  # fmt: skip

    def worth(self, row: Data) -> float:
        """Device-equivalents of a row."""
        device = self.pools[row["pool"]]["device"]
        return float(row["nodes"] * DEVICES[device] * EQUIVALENT[device])

    def scenario(self) -> Data:
        consortiums: Data = {}
        for team in self.teams:
            mine = [row for row in self.rows if row["consortium"] == team]
            held = [
                sum(self.worth(r) for r in mine if r["from"] <= text_of(day) <= r["to"])
                for day in range(self.days)
            ]
            consortiums[team] = {
                "members": [f"firm of {team}"], "weight": self.weights[team],
                "budget": f"{sum(row['cost'] for row in mine):.6f} KRW",
                "floor": sum(held) / self.days, "cap": max(*held, 1.0),
            }  # fmt: skip
        return {
            "name": "random", "currency": "KRW", "exchange": {"USD": "1000 KRW"},
            "horizon": {"from": text_of(0), "to": text_of(self.days - 1)},
            "pools": self.pools, "consortiums": consortiums, "jobs": self.jobs,
            "rules": {"equivalence": EQUIVALENT},
        }  # fmt: skip

    def plan(self) -> Data:
        shares = []
        for team in self.teams:
            rows = [row for row in self.rows if row["consortium"] == team]
            jobs = [told for told in self.told if told["consortium"] == team]
            shares.append({
                "consortium": team, "name": team,
                "node_months": sum(r["nodes"] * r["days"] for r in rows) / MONTH_DAYS,
                "equivalent_device_months": sum(self.worth(r) * r["days"] for r in rows)
                / MONTH_DAYS,
                "cost": sum(r["cost"] for r in rows),
                "budget": round(sum(r["cost"] for r in rows), 6),
                "jobs_done": sum(told["done_frac"] >= 1 for told in jobs),
                "jobs_asked": len(jobs), "value": sum(told["value"] for told in jobs),
            })  # fmt: skip
        objective = sum(self.weights[told["consortium"]] * told["value"] for told in self.told)
        return {
            "schema": "planner/plan/1", "tool": {"name": "planner"}, "inputs": [],
            "currency": "KRW", "rows": self.rows, "jobs": self.told, "consortiums": shares,
            "verdict": {"status": "optimal", "objective": objective, "bound": objective,
                        "gap_frac": 0.0, "cost": sum(row["cost"] for row in self.rows),
                        "policy": "weighted-work"},
            "assumed": [], "warnings": [],
        }  # fmt: skip


def scaled(value: float, rng: random.Random) -> float:
    """Another figure, by a part in a thousand at least; a zero becomes one."""
    return value * rng.choice([0.5, 0.99, 0.999, 1.001, 1.01, 2.0]) if value else 1.0


def stepped(value: int, rng: random.Random) -> int:
    return value + rng.choice([1, 2, 7]) * (1 if value < 8 or rng.random() < 0.5 else -1)


def day_moved(value: str, rng: random.Random) -> str:
    date = datetime.date.fromisoformat(value)
    return (date + datetime.timedelta(rng.choice([-30, -7, -1, 1, 7, 30]))).isoformat()


def renamed(value: str, rng: random.Random) -> str:
    return value + rng.choice(["x", "-2", "0"])


def ids_moved(value: str, rng: random.Random) -> str:
    """The first id replaced by another, which may be free."""
    head = value.replace("-", ",").split(",")[0]
    return f"{int(head) + rng.choice([1, 2, 3])}" + value[len(head) :].replace("-", "-", 1)


Change = Callable[[Any, random.Random], Any]
# A change of any of these alone is always told.
MATTERS: list[tuple[str, str, Change]] = [
    ("rows", "job", renamed), ("rows", "consortium", renamed), ("rows", "pool", renamed),
    ("rows", "device", renamed), ("rows", "nodes", stepped), ("rows", "from", day_moved),
    ("rows", "to", day_moved), ("rows", "days", stepped), ("rows", "tokens", scaled),
    ("rows", "cost", scaled), ("rows", "value", scaled), ("rows", "energy_j", scaled),
    ("rows", "mfu_frac", lambda value, rng: 0.5),
    ("jobs", "job", renamed), ("jobs", "consortium", renamed),
    ("jobs", "placed", lambda value, rng: not value), ("jobs", "done_frac", scaled),
    ("jobs", "value", scaled),
    ("consortiums", "consortium", renamed), ("consortiums", "node_months", scaled),
    ("consortiums", "equivalent_device_months", scaled), ("consortiums", "cost", scaled),
    ("consortiums", "budget", scaled), ("consortiums", "jobs_done", stepped),
    ("consortiums", "jobs_asked", stepped), ("consortiums", "value", scaled),
    ("verdict", "status", renamed), ("verdict", "objective", scaled), ("verdict", "cost", scaled),
    ("verdict", "bound", scaled), ("verdict", "gap_frac", scaled), ("", "currency", renamed),
]  # fmt: skip
# These may be changed to something that is as true, or that the file cannot contradict.
MAY_PASS: list[tuple[str, str, Change]] = [
    ("rows", "node_ids", ids_moved),  # another free node is as good
    ("rows", "tokens_per_s", scaled),  # lower is only a warning while the tokens still fit
    ("rows", "layout", renamed),  # free text
    ("rows", "marks", lambda value, rng: [*value, "x"]),  # free text
    ("jobs", "reason", lambda value, rng: "x"),  # free text
    ("consortiums", "name", renamed),  # free text
    ("verdict", "policy", renamed),  # there is one policy
]


def mutated(plan: Data, place: tuple[str, str, Change], rng: random.Random) -> Data | None:
    """The plan with one field changed; None where it has none or the change changes nothing."""
    section, field, change = place
    plan = copy.deepcopy(plan)
    target: Any = plan[section] if section else plan
    if isinstance(target, list):
        if not target:
            return None
        target = rng.choice(target)
    before = target[field]
    target[field] = change(before, rng)
    return None if target[field] == before else plan


def told(hand: Any, scenario: Data, plan: Data) -> bool:
    """Whether the audit refuses the plan, or its file."""
    from hardware.errors import InputError

    try:
        return not hand.audited(scenario, plan).ok
    except InputError:
        return True


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_plan_that_is_valid_by_construction_holds(hand: Any, seed: int) -> None:
    maker = Maker(seed)
    report = hand.audited(maker.scenario(), maker.plan())
    assert report.violations == ()
    assert report.warnings == ()


@pytest.mark.parametrize("place", MATTERS, ids=[f"{s}.{f}" for s, f, _ in MATTERS])
def test_any_change_of_a_figure_that_matters_is_told(
    hand: Any, place: tuple[str, str, Change]
) -> None:
    rng = random.Random(5)
    changed = 0
    for seed in range(12):
        maker = Maker(seed)
        plan = mutated(maker.plan(), place, rng)
        if plan is not None:
            changed += 1
            assert told(hand, maker.scenario(), plan), seed
    assert changed >= 6


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_limits_hold_to_the_last_figure(hand: Any, seed: int) -> None:
    """Floor, cap and budget are what the rows come to; a hundredth tighter, each is told."""
    maker = Maker(seed)
    plan = maker.plan()
    if not maker.rows:
        return
    team = maker.rows[0]["consortium"]
    tighter: dict[str, Callable[[Data], None]] = {
        "floor-missed": lambda c: c.update(floor=c["floor"] * 1.01, cap=1e9),
        "cap-exceeded": lambda c: c.update(cap=c["cap"] * 0.99, floor=0),
    }
    if sum(row["cost"] for row in maker.rows if row["consortium"] == team):
        amount = float(maker.scenario()["consortiums"][team]["budget"].split()[0])
        tighter["budget-exceeded"] = lambda c: c.update(budget=f"{amount * 0.99:.6f} KRW")
    for code, change in tighter.items():
        scenario = maker.scenario()
        change(scenario["consortiums"][team])
        found = {v.code for v in hand.audited(scenario, plan).violations}
        assert code in found
        assert found <= {code, "totals-misstated"}  # the budget is stated in the plan, too


def catch_rates(hand: Any, rounds: int) -> dict[str, tuple[int, int]]:
    """Field -> (changes told, changes made), over every field of a plan file."""
    rng, caught, made = random.Random(1), Counter[str](), Counter[str]()
    for seed in range(rounds):
        maker = Maker(seed)
        scenario, plan = maker.scenario(), maker.plan()
        for place in (*MATTERS, *MAY_PASS):
            name = ".".join(part for part in place[:2] if part)
            change = mutated(plan, place, rng)
            if change is not None:
                made[name] += 1
                caught[name] += told(hand, scenario, change)
    return {name: (caught[name], made[name]) for name in made}


@given(st.integers(0, 2**32), st.integers(1, 40), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_run_moved_as_a_whole_is_told_unless_the_ledger_has_room(
    hand: Any, seed: int, by: int, back: bool
) -> None:
    """Oracle: the maker's own ledger of free nodes, day by day and node by node."""
    maker = Maker(seed)
    plan = copy.deepcopy(maker.plan())
    single = [r for r in plan["rows"] if sum(o["job"] == r["job"] for o in plan["rows"]) == 1]
    if not single:
        return
    row = single[0]
    job = maker.jobs[row["job"]]
    start = (datetime.date.fromisoformat(row["from"]) - FIRST).days
    move = -by if back else by
    row["from"], row["to"] = text_of(start + move), text_of(start + move + row["days"] - 1)
    ids = [
        n
        for piece in row["node_ids"].split(",")
        for n in range(int(piece.split("-")[0]), int(piece.split("-")[-1]) + 1)
    ]
    free = maker.free[row["pool"]].copy()
    free[start : start + row["days"], ids] = True
    inside = start + move >= 0 and start + move + row["days"] <= maker.days
    room = inside and bool(free[start + move : start + move + row["days"], ids].all())
    deadline = job.get("deadline")
    in_time = row["from"] >= job["window"]["from"] and (
        deadline is None or deadline["kind"] == "soft" or row["to"] <= deadline["day"]
    )
    codes = {v.code for v in hand.audited(maker.scenario(), plan).violations}
    # Value with a soft deadline, and the cap of the day, change with the days; the rest must not.
    assert bool(codes - {"value-misstated", "objective-misstated", "totals-misstated",
                         "bound-contradicted", "gap-misstated", "status-unsupported",
                         "cap-exceeded"}) == (not (room and in_time))  # fmt: skip
