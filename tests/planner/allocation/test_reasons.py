"""Why not: jobs that are left out, and scenarios that have no plan."""

from __future__ import annotations

import pytest

from hardware.errors import Infeasible, Unproven
from planner.allocation.conflict.repair import Repair
from planner.allocation.conflict.smallest import Conflict, conflict
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.solver.engine import ENGINES
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from tests.planner.allocation.conftest import J, P, Spec, T, build

WIDE = [P([(0, 28, 4)])]


@pytest.mark.parametrize(
    ("reason", "words", "spec"),
    [
        ("nodes-taken", "needs 4 nodes of `pool-0`",
         Spec(WIDE, [J(tokens=97, nodes=(4,)), J(tokens=97, nodes=(4,), value=9)])),
        ("over-budget", "is left in the budget of `team-0`",
         Spec(WIDE, [J(tokens=9)], [T(budget=5)])),
        ("over-cap", "over the cap of `team-0`",
         Spec(WIDE, [J(tokens=20, nodes=(1,)), J(tokens=20, nodes=(1,), value=2)], [T(cap=1)])),
        ("over-share", "share limit", Spec(WIDE, [J(tokens=20, nodes=(1,))], share=0.1)),
        ("same-workload", "funded as `job-1`",
         Spec(WIDE, [J(identity=1), J(identity=1, value=2)])),
        ("predecessor-late", "waits for `job-0`",
         Spec(WIDE, [J(tokens=15, nodes=(1,)), J(after=(0,), tokens=14, nodes=(1,), value=0.5)])),
        ("window-too-short", "takes 30 days on 1 nodes of `pool-0`",
         Spec(WIDE, [J(tokens=30, nodes=(1,))])),
        ("nodes-leave", "stay available", Spec([P([(0, 4, 1), (9, 12, 1)])], [J(tokens=6)])),
        ("no-usable-pool", "the job does not allow the pool", Spec(WIDE, [J(pools=())])),
        ("worth-nothing", "weight of its consortium is 0", Spec(WIDE, [J()], [T(weight=0)])),
        ("worth-nothing", "value is 0", Spec(WIDE, [J(value=0)])),
        ("worth-nothing", "so late", Spec(WIDE, [J(tokens=20, nodes=(1,), soft=(3, 0.5))])),
    ],
)  # fmt: skip
def test_a_job_left_out_is_told_why(reason: str, words: str, spec: Spec) -> None:
    plan = plan_case(build(spec), limits=Limits(gap_frac=0.0))
    at = plan.jobs.reason.index(reason)
    assert words in plan.jobs.sentence[at]
    assert not plan.jobs.placed[at]
    assert plan.jobs.sentence[at] in plan.why(plan.jobs.job[at])


def test_the_rival_is_named_with_what_it_is_worth() -> None:
    spec = Spec(WIDE, [J(tokens=97, nodes=(4,)), J(tokens=97, nodes=(4,), value=9)])
    plan = plan_case(build(spec))
    assert plan.jobs.hint[0] == (
        "in the way, among others: `job-1`, worth 9 against 1 (weight times value)"
    )


def _conflict(spec: Spec):
    case = build(spec)
    program, _ = build_program(case, enumerate_options(case))
    return conflict(program, ENGINES["highs"])


def test_a_floor_against_a_budget() -> None:
    spec = Spec(
        [P([(0, 28, 4)], price=10.0)],
        [J(tokens=t, nodes=(2,)) for t in (30, 30)] + [J(team=1)],
        [T(floor=1.0, budget=200.0), T()],
    )
    found = _conflict(spec)
    assert set(found.groups) == {"the floor of `team-0`", "the budget of `team-0`"}
    assert found.is_smallest
    assert len(found.repair) == 1
    assert any(
        found.repair[0].endswith(words)
        for words in (" USD more in the budget of `team-0`", " less in the floor of `team-0`")
    )
    plan = plan_case(build(spec))
    assert plan.verdict.status == "infeasible"
    assert len(plan.rows) == 0
    assert "the floor of `team-0`" in plan.verdict.sentence
    with pytest.raises(Infeasible, match="the floor of `team-0`"):
        plan.require()


def test_floors_that_ask_for_more_nodes_than_there_are() -> None:
    spec = Spec(
        [P([(0, 28, 2)])],
        [J(team=t, tokens=40, nodes=(2,)) for t in (0, 1)],
        [T(floor=1.0), T(floor=1.0)],
    )
    found = _conflict(spec)
    assert {"the floor of `team-0`", "the floor of `team-1`", "the nodes of `pool-0`"} == set(
        found.groups
    )


def test_a_floor_above_the_work_asked() -> None:
    found = _conflict(Spec(WIDE, [J(tokens=5, nodes=(1,))], [T(floor=3.0)]))
    assert found.groups == ("the floor of `team-0`",)
    assert "with any choice of the work that is asked" in found.sentences[0]
    once = _conflict(Spec(WIDE, [J(tokens=9, nodes=(1,))], [T(floor=0.4)]))
    assert set(once.groups) == {"the floor of `team-0`", "the work that `team-0` asks for"}
    assert found.repair
    assert "device-equivalents less in the floor" in found.repair[0]


def test_a_floor_of_a_team_that_may_use_nothing() -> None:
    plan = plan_case(build(Spec(WIDE, [J(pools=()), J(team=1)], [T(floor=1.0), T()])))
    assert plan.verdict.status == "infeasible"
    assert "the floor of `team-0`" in plan.verdict.sentence


@pytest.mark.parametrize("floor", [0.5, 1.0, 1.5, 2.5])
def test_the_repair_makes_it_possible(floor: float) -> None:
    spec = Spec(WIDE, [J(tokens=20, nodes=(1,))], [T(floor=floor)])
    plan = plan_case(build(spec))
    if plan.verdict.status == "optimal":
        return
    found = _conflict(spec)
    less = float(found.repair[0].split()[0])
    spec.teams[0].floor = floor - less
    assert plan_case(build(spec)).verdict.status == "optimal"


def test_unsolved_is_not_infeasible() -> None:
    from dataclasses import replace

    def silent(task):
        return replace(ENGINES["highs"](task), point=None)

    plan = plan_case(build(Spec(WIDE, [J(preemptible=True)])), solver=silent)
    assert plan.verdict.status == "unsolved"
    with pytest.raises(Unproven):
        plan.require()


def test_a_job_that_is_placed_names_its_runner_up() -> None:
    pools = [P([(0, 28, 1)], price=1.0), P([(0, 28, 1)], price=1.2), P([(0, 28, 1)], price=9.0)]
    plan = plan_case(build(Spec(pools, [J(tokens=20, nodes=(1,))])))
    assert plan.rows.pool == ("pool-0",)
    assert plan.why("job-0") == "finished; runner-up: 1 nodes of `pool-1` for 20 days, cost +20 %"
    full = [J(tokens=20, nodes=(1,)), J(tokens=28, nodes=(1,), pools=(1,), value=9)]
    plan = plan_case(build(Spec(pools[:2], full)))
    assert "no other pool could take it" in plan.why("job-0")
    assert "no other pool can serve it" in plan.why("job-1")


def test_a_runner_up_that_does_less_says_so() -> None:
    pools = [P([(0, 28, 1)]), P([(0, 14, 1)])]
    plan = plan_case(build(Spec(pools, [J(tokens=28, nodes=(1,), partial=True)])))
    assert "value -50 % and cost -50 %" in plan.why("job-0")


def test_large_amounts_of_a_repair_are_words_and_enough() -> None:
    gifts = (("KRW more in the budget of `team-0`", 4_798_100.0), ("more nodes in `pool-0`", 11.0))
    words = Repair(gifts, 0.0, None).words
    assert words == ("4.799 M KRW more in the budget of `team-0`", "11 more nodes in `pool-0`")
    said = Conflict(("the floor of `team-0`",), True, words).sentences[1]
    assert said.endswith(f": {words[0]} and {words[1]}")
    assert len(Conflict(("the floor of `team-0`",), True, ()).sentences) == 1
