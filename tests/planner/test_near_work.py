"""Near workloads: what counts as alike, at its edges, and in time that does not square."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

import planner
from planner.near_work import alike_jobs, near_words
from planner.scenario import Scenario

Data = dict[str, Any]
SHAPES = {"llama3-8b": (1, 2), "twin": (1, 2), "other": (1, 3)}


def job(**changes: Any) -> Data:
    return {"consortium": "a", "model": "llama3-8b", "tokens": "100 B", "data": "korean web",
            "value": 1, "rates": {"b200": "1000 tokens/s"}, **changes}  # fmt: skip


def scenario(*jobs: Data, **teams: list[str]) -> Scenario:
    members = {"a": ["Alpha"], "b": ["Beta"], **teams}
    return Scenario.model_validate({
        "name": "near", "currency": "KRW",
        "horizon": {"from": "2026-01-05", "to": "2026-12-31"},
        "pools": {"p": {"device": "b200", "nodes": 8, "price": "1 KRW / node-day"}},
        "consortiums": {name: {"members": list(who)} for name, who in members.items()},
        "jobs": {f"j{at}": each for at, each in enumerate(jobs)},
    })  # fmt: skip


def told(written: Scenario) -> list[tuple[str, str]]:
    identities = {
        name: (each.model, each.data.casefold(), each.objective or each.kind)
        for name, each in written.jobs.items()
    }
    return [(each.job, each.others[0][0]) for each in alike_jobs(written, identities, SHAPES)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),  # equal identity: the hard rule's
        ({"data": "Web (Korean), v2"}, [("j1", "j0")]),
        ({"model": "twin"}, [("j1", "j0")]),
        ({"objective": "safety"}, [("j1", "j0")]),
        ({"model": "other"}, []),
        ({"kind": "serving"}, []),
        ({"data": "korean law"}, []),  # half of the words is not enough
        ({"data": "korean web text A of B"}, [("j1", "j0")]),
        ({"data": "law books, korean web"}, [("j1", "j0")]),  # all of the shorter name's
        ({"data": "web 2024"}, [("j1", "j0")]),
        ({"data": "web 1"}, []),
        ({"data": "code"}, []),
        ({"model": "twin", "tokens": "95 B"}, [("j1", "j0")]),
        ({"model": "twin", "tokens": "94.9 B"}, []),
        ({"model": "twin", "tokens": "105.26 B"}, [("j1", "j0")]),
        ({"model": "twin", "tokens": "105.3 B"}, []),
        ({"data": "code", "consortium": "b"}, []),
        ({"data": "", "model": "twin"}, []),
    ],
)
def test_what_is_alike(changes: Data, expected: list[tuple[str, str]]) -> None:
    assert told(scenario(job(), job(**changes))) == expected


def test_members_count_between_consortiums_alone() -> None:
    pair = (job(), job(data="code", consortium="b"))
    assert told(scenario(*pair, b=["Beta", " ALPHA"])) == [("j1", "j0")]
    assert told(scenario(job(), job(data="code"))) == []


def test_words_of_no_meaning_are_none() -> None:
    assert near_words("the data of v3 2024") == frozenset()
    assert near_words("run A, part 2") == {"run", "a", "part", "2"}
    assert near_words("웹 말뭉치_2024") == {"웹", "말뭉치"}


def test_pairs_are_those_of_trying_all() -> None:
    names, sizes = ("korean web", "web", "law", "korean law text", ""), (90, 94, 97, 100, 104)
    jobs = [
        job(data=data, tokens=f"{size} B", consortium=team, model=model)
        for (data, size), (team, model) in itertools.product(
            itertools.product(names, sizes), (("a", "llama3-8b"), ("b", "twin"))
        )
    ]
    for members in (["Beta"], ["Beta", "Alpha"]):
        written = scenario(*jobs, b=members)
        every = list(written.jobs.items())
        expected = set()
        for (low, one), (high, two) in itertools.combinations(every, 2):
            small, large = sorted((one.tokens.value, two.tokens.value))
            words = near_words(one.data), near_words(two.data)
            both = len(words[0] & words[1])
            alike = both > 0 and 4 * both >= 3 * min(map(len, words))
            related = one.consortium != two.consortium and len(members) == 2
            same = (one.model, one.data) == (two.model, two.data)
            if small >= 0.95 * large and (alike or related) and not same:
                expected.add((low, high))
        identities = {name: (each.model, each.data, each.kind) for name, each in every}
        found = {
            (other, each.job)
            for each in alike_jobs(written, identities, SHAPES)
            for other, _ in each.others
        }
        assert found == expected


def test_a_thousand_jobs_that_are_all_alike_take_no_square_of_time() -> None:
    def seconds(many: int) -> float:
        written = scenario(*(job(objective=f"run {at}") for at in range(many)))
        identities = {name: ("m", "d", each.objective) for name, each in written.jobs.items()}
        began = time.perf_counter()
        found = alike_jobs(written, identities, SHAPES)
        spent = time.perf_counter() - began
        assert len(found) == many - 1
        return spent

    small = min(seconds(1000) for _ in range(2))
    assert small < 5.0
    assert seconds(4000) < 10 * small  # a square would be 16 times


def test_plan_and_audit_warn_of_what_is_funded() -> None:
    written = scenario(
        job(tokens="1 B"), job(tokens="1 B", data="Korean web pages", consortium="b"),
        job(tokens="1 B", data="code"),
    )  # fmt: skip
    plan = planner.allocate(written, time_limit_s=10)
    (said,) = [each for each in plan.warnings if "look like one workload" in each]
    assert "`j0` and `j1`" in said
    assert "both are funded" in said
    report = planner.verify(written, plan)
    assert report.ok
    (warning,) = [each for each in report.warnings if each.code == "near-workload"]
    assert "`j0`" in warning.message
    assert "`j1`" in warning.message
