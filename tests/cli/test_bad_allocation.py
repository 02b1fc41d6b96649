"""Whatever a scenario asks for, it is planned rightly or answered by a diagnostic, in limits."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import pytest

SECONDS, BYTES = 60.0, 2e9
H100 = "h100_sxm5_80gb"

Changes = dict[str, Any]


def scenario(**changes: Any) -> dict[str, Any]:
    """A scenario of two pools and two jobs with some fields changed, `__` between the steps."""
    pool = {"device": H100, "price": "2 USD / device-hour"}
    job = {"model": "llama-3.1-8b", "tokens": "100 B"}
    data: dict[str, Any] = {
        "name": "two pools, two jobs",
        "currency": "USD",
        "horizon": {"from": "2026-09-01", "to": "2027-02-28", "resolution": "month"},
        "pools": {"p": {**pool, "nodes": 16}, "q": {**pool, "nodes": 8}},
        "consortiums": {"a": {}, "b": {}},
        "jobs": {"j": {**job, "consortium": "a", "data": "x", "tokens": "200 B"},
                 "k": {**job, "consortium": "b", "data": "y"}},
    }  # fmt: skip
    for path, value in changes.items():
        *above, last = path.split("__")
        record = data
        for step in above:
            record = record.setdefault(step, {})
        record[last] = value
    return data


# name -> (what is changed, exit code of `allocate`, words of its answer)
PLANNED: dict[str, tuple[Changes, int, str]] = {
    "nothing": ({}, 0, "2 of 2 jobs placed"),
    "floor above the pools": ({"consortiums__a__floor": 5000}, 1, "the floor of `a`"),
    "floors above the pools together": (
        {"consortiums__a__floor": 150, "consortiums__b__floor": 150}, 1, "no plan exists"),
    "floor and no budget": (
        {"consortiums__a__floor": 5, "consortiums__a__budget": "0 USD"}, 1, "the floor of `a`"),
    "job longer than the horizon": ({"jobs__j__tokens": "1e16"}, 0, "1 of 2 jobs placed"),
    "1e30 tokens": ({"jobs__j__tokens": 1e30}, 0, "1 of 2 jobs placed"),
    "one token": ({"jobs__j__tokens": 1}, 0, "2 of 2 jobs placed"),
    "a billionth of a token": ({"jobs__j__tokens": 1e-9}, 0, "2 of 2 jobs placed"),
    "a horizon of one day": ({"horizon__to": "2026-09-01"}, 0, "jobs placed"),
    "twenty years by weeks": (
        {"horizon__to": "2046-08-31", "horizon__resolution": "week"}, 0, "2 of 2 jobs placed"),
    "twenty years as chosen": (
        {"horizon__to": "2046-08-31", "horizon__resolution": "auto"}, 0, "2 of 2 jobs placed"),
    "the first year": (
        {"horizon": {"from": "0001-01-01", "to": "0001-06-30"}}, 0, "2 of 2 jobs placed"),
    "the last year": (
        {"horizon": {"from": "9999-06-01", "to": "9999-12-31"}}, 0, "2 of 2 jobs placed"),
    "a window of one day": (
        {"jobs__j__window": {"from": "2026-10-01", "to": "2026-10-01"}}, 0, "1 of 2 jobs placed"),
    "deadline on the first day of the window": (
        {"jobs__j__window": {"from": "2026-11-01"}, "jobs__j__deadline": "2026-11-01"}, 0,
        "1 of 2 jobs placed"),
    "a week late is worth nothing": (
        {"jobs__j__deadline": {"day": "2026-09-02", "kind": "soft", "loss_per_week": "100%"}}, 0,
        "2 of 2 jobs placed"),
    "joined on the day of leaving": (
        {"consortiums__a__joined": "2026-10-01", "consortiums__a__left": "2026-10-01"}, 0,
        "1 of 2 jobs placed"),
    "evaluation on the day of the deadline": (
        {"jobs__j__deadline": "2026-12-31",
         "evaluations": [{"day": "2026-12-31", "removed": ["b"]}]}, 0, "2 of 2 jobs placed"),
    "two evaluations on a day": (
        {"evaluations": [{"day": "2026-10-31", "removed": ["a"]},
                         {"day": "2026-10-31", "removed": ["b"]}]}, 0, "2 of 2 jobs placed"),
    "evaluation on the first day": (
        {"evaluations": [{"day": "2026-09-01", "removed": ["a"]}]}, 0, "1 of 2 jobs placed"),
    "everybody is removed": (
        {"evaluations": [{"day": "2026-10-31", "removed": ["a", "b"], "removes": 2}]}, 0,
        "2 of 2 jobs placed"),
    "an evaluation whose result is open": (
        {"evaluations": [{"day": "2026-10-31"}]}, 0, "2 of 2 jobs placed"),
    "handback longer than the horizon": (
        {"rules__handback": "100 years", "evaluations": [{"day": "2026-10-31", "removed": ["a"]}]},
        0, "2 of 2 jobs placed"),
    "a million nodes": ({"pools__p__nodes": 1_000_000}, 0, "2 of 2 jobs placed"),
    "1e30 nodes": ({"pools__p__nodes": 10**30}, 0, "2 of 2 jobs placed"),
    "no budget": ({"consortiums__a__budget": "0 USD"}, 0, "1 of 2 jobs placed"),
    "a tiny budget": ({"consortiums__a__budget": "1e-12 USD"}, 0, "1 of 2 jobs placed"),
    "no weight": ({"consortiums__a__weight": 0}, 0, "1 of 2 jobs placed"),
    "no weight at all": (
        {"consortiums__a__weight": 0, "consortiums__b__weight": 0}, 0, "0 of 2 jobs placed"),
    "a tiny weight": ({"consortiums__a__weight": 1e-200}, 0, "2 of 2 jobs placed"),
    "values of zero": ({"jobs__j__value": 0, "jobs__k__value": 0}, 0, "0 of 2 jobs placed"),
    "equal values": ({"jobs__j__value": 1, "jobs__k__value": 1}, 0, "2 of 2 jobs placed"),
    "values far apart": ({"jobs__j__value": 1e18, "jobs__k__value": 1e-18}, 0, "jobs placed"),
    "a predecessor of another consortium": ({"jobs__j__after": ["k"]}, 0, "2 of 2 jobs placed"),
    "a predecessor that is never finished": (
        {"jobs__j__after": ["k"], "jobs__k__tokens": "1e18"}, 0, "0 of 2 jobs placed"),
    "pools that go before the work is done": (
        {"pools__p__windows": [{"from": "2026-09-01", "to": "2026-09-02"}],
         "pools__q__windows": [{"from": "2026-10-01", "to": "2026-10-02"}]}, 0,
        "jobs placed"),
    "a pool that shrinks in the middle of a run": (
        {"pools__p__windows": [{"from": "2026-09-01", "to": "2026-09-03", "nodes": 15},
                               {"from": "2026-09-01", "to": "2027-02-28", "nodes": 1}]}, 0,
        "2 of 2 jobs placed"),
    "a pool that pauses": (
        {"pools__p__windows": [{"from": "2026-09-01", "to": "2026-09-05"},
                               {"from": "2026-09-08", "to": "2026-12-31"}]}, 0,
        "2 of 2 jobs placed"),
    "no price": ({"pools__p__price": "0 USD / device-hour"}, 0, "2 of 2 jobs placed"),
    "a cap below a node": ({"consortiums__a__cap": 0.001}, 0, "1 of 2 jobs placed"),
    "a tiny share": ({"rules__share_limit": 1e-9}, 0, "0 of 2 jobs placed"),
    "support that must be equal": ({"rules__equal_support": 0}, 0, "jobs placed"),
    "equal support and a floor": (
        {"rules__equal_support": 0.1, "consortiums__a__floor": 20}, 1, "cannot all be kept"),
    "a tiny rate": ({"jobs__j__rates": {H100: "1e-200 tokens/s"}}, 0, "1 of 2 jobs placed"),
    "a choice twice": ({"jobs__j__nodes": {"choices": [4, 4, 4]}}, 0, "2 of 2 jobs placed"),
    "partial and preemptible": (
        {"jobs__j__partial": True, "jobs__j__preemptible": True}, 0, "2 of 2 jobs placed"),
    "a change longer than the horizon": (
        {"policy__allocation": "flexible", "policy__migration": "10 years"}, 0,
        "2 of 2 jobs placed"),
    "a block larger than the pool": (
        {"pools__p__fabric": {"block_nodes": 1000}, "jobs__j__topology": "one-block"}, 0,
        "2 of 2 jobs placed"),
    "equivalents of zero and a floor": (
        {"rules__equivalence": {H100: 0}, "consortiums__a__floor": 1}, 1, "the floor of `a`"),
    "one work asked for twice": ({"jobs__k__data": "x"}, 0, "1 of 2 jobs placed"),
}  # fmt: skip

# name -> (what is changed, code of the diagnostic)
REFUSED: dict[str, tuple[Changes, str]] = {
    "floor above the cap": (
        {"consortiums__a__floor": 50, "consortiums__a__cap": 10}, "contradiction"),
    "a pool without nodes": ({"pools__q__nodes": 0}, "empty-pool"),
    "fewer than no nodes": ({"pools__q__nodes": -4}, "bad-value"),
    "half a node": ({"pools__q__nodes": 1.5}, "bad-value"),
    "no tokens": ({"jobs__j__tokens": 0}, "out-of-range"),
    "1e300 tokens": ({"jobs__j__tokens": 1e300}, "out-of-range"),
    "1e400 tokens": ({"jobs__j__tokens": "1e400"}, "bad-value"),
    "a horizon that ends before it begins": ({"horizon__to": "2026-08-31"}, "bad-value"),
    "more than twenty years": ({"horizon__to": "2047-10-31"}, "bad-value"),
    "a window that ends before it begins": (
        {"jobs__j__window": {"from": "2026-10-02", "to": "2026-10-01"}}, "bad-value"),
    "deadline before release": (
        {"jobs__j__window": {"from": "2026-11-01"}, "jobs__j__deadline": "2026-10-01"},
        "no-common-days"),
    "left before joined": (
        {"consortiums__a__joined": "2026-10-02", "consortiums__a__left": "2026-10-01"},
        "dates-out-of-order"),
    "a day that is none": ({"horizon__from": "2026-02-30"}, "bad-value"),
    "a negative budget": ({"consortiums__a__budget": "-1 USD"}, "out-of-range"),
    "a budget beyond all": ({"consortiums__a__budget": "1e300 USD"}, "out-of-range"),
    "a price beyond all": ({"pools__p__price": "1e300 USD / device-hour"}, "out-of-range"),
    "a negative weight": ({"consortiums__a__weight": -1}, "out-of-range"),
    "a weight beyond all": ({"consortiums__a__weight": 1e200}, "out-of-range"),
    "a value beyond all": ({"jobs__j__value": 1e300, "jobs__k__value": 1}, "out-of-range"),
    "a value that is no number": (
        {"jobs__j__value": float("nan"), "jobs__k__value": 1}, "bad-value"),
    "an infinite value": ({"jobs__j__value": float("inf"), "jobs__k__value": 1}, "bad-value"),
    "a floor beyond all": ({"consortiums__a__floor": 1e300}, "out-of-range"),
    "an equivalent beyond all": (
        {"rules__equivalence": {H100: 1e200}, "consortiums__a__floor": 1}, "out-of-range"),
    "a rate beyond all": ({"jobs__j__rates": {H100: "1e200 tokens/s"}}, "out-of-range"),
    "a value for some": ({"jobs__j__value": 1}, "missing-value"),
    "an unknown consortium": ({"jobs__j__consortium": "aa"}, "unknown-consortium"),
    "an unknown device": ({"pools__p__device": "h1000"}, "unknown-device"),
    "an unknown model": ({"jobs__j__model": "lama-3.1-8b"}, "unknown-model"),
    "an unknown pool": ({"jobs__j__pools": ["pp"]}, "unknown-pool"),
    "an unknown predecessor": ({"jobs__j__after": ["z"]}, "unknown-job"),
    "a job that waits for itself": ({"jobs__j__after": ["j"]}, "waits-for-itself"),
    "jobs that wait for each other": (
        {"jobs__j__after": ["k"], "jobs__k__after": ["j"]}, "cycle"),
    "a pool window outside the horizon": (
        {"pools__p__windows": [{"from": "2030-01-01", "to": "2030-01-02"}]}, "outside-horizon"),
    "no jobs": ({"jobs": {}}, "too-few"),
    "no pools": ({"pools": {}}, "too-few"),
    "a cap of zero": ({"consortiums__a__cap": 0}, "out-of-range"),
    "a share above all": ({"rules__share_limit": 1.5}, "bad-value"),
    "more nodes than any pool has": ({"jobs__j__nodes": {"min": 64}}, "too-few-nodes"),
    "fewer nodes at most than at least": ({"jobs__j__nodes": {"min": 8, "max": 4}}, "bad-value"),
    "flexible and preemptible": (
        {"jobs__j__allocation": "flexible", "jobs__j__preemptible": True},
        "flexible-and-preemptible"),
    "an organisation of two programmes": (
        {"programmes": {"x": {}, "y": {}}, "consortiums__a": {"programme": "x", "members": ["M"]},
         "consortiums__b": {"programme": "y", "members": ["m"]}}, "two-programmes"),
    "stretches out of order": (
        {"horizon__resolution": [{"until": "2026-12-31", "every": "week"},
                                 {"until": "2026-10-31", "every": "month"}, {"every": "month"}]},
        "dates-out-of-order"),
    "a stretch beyond the horizon": (
        {"horizon__resolution": [{"until": "2028-12-31", "every": "week"}]}, "outside-horizon"),
    "days without a stretch": (
        {"horizon__resolution": [{"until": "2026-12-31", "every": "week"}]}, "contradiction"),
    "a stretch without an end": (
        {"horizon__resolution": [{"every": "week"}, {"every": "month"}]}, "missing-field"),
    "no stretches": ({"horizon__resolution": []}, "too-few"),
    "a length that is none": ({"horizon__resolution": "fortnight"}, "unknown-choice"),
    "an empty name": (
        {"jobs__": {"consortium": "a", "model": "llama-3.1-8b", "tokens": "1 B", "data": "z"}},
        "bad-value"),
}  # fmt: skip


def write(folder: Path, data: dict[str, Any]) -> Path:
    place = folder / "scenario.json"
    place.write_text(json.dumps({"schema": "planner/scenario/1", **data}, ensure_ascii=False))
    return place


def planned(cli, place: Path, data: dict[str, Any]) -> dict[str, Any]:
    """The plan of a scenario, with every job in it, and a reason where it gets nothing."""
    began = time.process_time()
    answer = cli("allocate", place, "--time-limit", "5s", "--format", "json")
    assert answer.code in (0, 1), answer.err
    assert "Traceback" not in answer.out + answer.err
    plan = json.loads(answer.out)
    assert [job["job"] for job in plan["jobs"]] == list(data["jobs"]), "no job is dropped"
    assert all(job["placed"] or job["sentence"] for job in plan["jobs"])
    assert time.process_time() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < BYTES
    return plan


@pytest.mark.parametrize("name", PLANNED)
def test_what_can_be_planned_is_planned(name: str, cli, tmp_path: Path) -> None:
    changes, code, words = PLANNED[name]
    data = scenario(**changes)
    place = write(tmp_path, data)
    assert cli("check", place).code == 0
    plan = planned(cli, place, data)
    said = " ".join([plan["verdict"]["sentence"], *plan["warnings"]])
    assert words in said
    if code:
        assert plan["verdict"]["status"] == "infeasible"
        assert "change that allows a plan" in said
    else:
        assert plan["verdict"]["gap_frac"] <= 1e-4


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_told_at_its_place(name: str, cli, tmp_path: Path) -> None:
    changes, code = REFUSED[name]
    place = write(tmp_path, scenario(**changes))
    for verb in ("check", "allocate"):
        answer = cli(verb, place)
        told = answer.out + answer.err
        assert answer.code == 2
        assert f"error[{code}]" in told
        assert f"--> {place}:1:" in told
        assert "Traceback" not in told


def named(jobs: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The scenario with other jobs."""
    data = scenario(**more)
    plain = {key: data["jobs"]["j"][key] for key in ("model", "tokens")}
    data["jobs"] = {
        name: {**plain, "data": str(at), **job} for at, (name, job) in enumerate(jobs.items())
    }
    return data


NAMES = {
    "of other scripts": ("팀 하나", "équipe"),
    "that differ by case": ("a", "A"),
    "that differ by the way an accent is written": ("\u00e9", "e\u0301"),
    "of numbers": ("1", "2"),
    "with signs": ("a b[c]{d}=<e>", "x" * 300),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names(kind: str, cli, tmp_path: Path) -> None:
    one, other = NAMES[kind]
    teams = {one: {}, other: {}}
    data = named({one: {"consortium": one}, other: {"consortium": other}}, consortiums=teams)
    plan = planned(cli, write(tmp_path, data), data)
    assert {row["consortium"] for row in plan["rows"]} == {one, other}
    assert "2 of 2 jobs placed" in plan["verdict"]["sentence"]


MANY = {
    "a thousand consortiums": lambda: named(
        {f"j{at}": {"consortium": f"c{at}", "tokens": "2 B"} for at in range(1000)},
        consortiums={f"c{at}": {} for at in range(1000)},
    ),
    "a thousand consortiums, one job": lambda: named(
        {"j": {"consortium": "c0"}}, consortiums={f"c{at}": {} for at in range(1000)}
    ),
    "two thousand jobs": lambda: named(
        {f"j{at}": {"consortium": "a", "tokens": "2 B"} for at in range(2000)}
    ),
    "a chain of a thousand jobs": lambda: named(
        {f"j{at}": {"consortium": "a", "after": [f"j{at - 1}"] if at else []}
         for at in range(1000)}
    ),
    "two hundred pools": lambda: scenario(
        pools={f"p{at}": {"device": H100, "nodes": 4, "price": "1 USD / device-hour"}
               for at in range(200)}
    ),
    "a thousand deliveries": lambda: scenario(
        pools__p__nodes=1000,
        pools__p__windows=[{"from": "2026-09-01", "nodes": 1} for _ in range(1000)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MANY)
def test_many(name: str, cli, tmp_path: Path) -> None:
    data = MANY[name]()
    plan = planned(cli, write(tmp_path, data), data)
    assert plan["verdict"]["status"] in ("optimal", "feasible")
    assert plan["rows"]


def test_amounts_that_nobody_can_have_meant_are_told(cli, tmp_path: Path) -> None:
    data = scenario(jobs__j__tokens="1e16", jobs__k__value=0, jobs__j__value=1)
    told = cli("check", write(tmp_path, data)).out
    for code in ("odd-tokens", "takes-too-long", "worthless-job"):
        assert f"warning[{code}]" in told
    assert "16 nodes of `p`" in told
    few = cli("check", write(tmp_path, scenario(jobs__j__tokens=15))).out
    assert "warning[odd-tokens]" in few
    assert "15 T" in few


def test_the_resolution_is_told(cli, tmp_path: Path) -> None:
    place = write(tmp_path, scenario(horizon__resolution="auto"))
    assert "periods: weeks (chosen: " in cli("check", place).out
    told = json.loads(cli("check", place, "--format", "json").out)["files"][0]["periods"]
    assert told["chosen"] == "auto"
    assert told["stretches"] == [{"until": "2027-02-28", "every": "week"}]
    plan = json.loads(cli("allocate", place, "--format", "json").out)
    assert plan["periods"] == told
    assert "\nPeriods: weeks (chosen: " in cli("allocate", place).out
