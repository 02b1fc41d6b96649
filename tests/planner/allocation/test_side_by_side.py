"""Policies side by side on cases whose fair shares can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

import planner
from planner import side_by_side
from planner.allocation.answer.tidy import tidied
from planner.allocation.policy.sequence import POLICIES
from planner.allocation.policy.standing import alone, best_value, equal_part
from planner.allocation.solver.engine import ENGINES, Answer
from planner.allocation.solver.solve import Limits
from planner.cli.solving_option import POLICY_NAMES
from planner.side_by_side import policies_of_case
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.oracle import ways
from tests.planner.allocation.test_oracle import specs
from tests.planner.allocation.test_policies import FEW, every_plan, small

EXACT = Limits(gap_frac=0.0, time_limit_s=60.0)


def by_policy(found):
    return {row.policy: row for row in found.rows}


def divisible(values, nodes=1, days=28):
    part = [J(team=t, tokens=28, value=v, nodes=(1,), partial=True) for t, v in enumerate(values)]
    return build(Spec([P([(0, days, nodes)])], part, [T() for _ in values], days=28))


def test_the_command_offers_every_policy():
    assert POLICY_NAMES == POLICIES


def test_price_of_fairness_worst_off_and_equal_part_of_a_divisible_node():
    # One node, two who ask for all of it, one's work worth ten times the other's.
    found = by_policy(policies_of_case(divisible((10, 1)), limits=EXACT))
    most, fair = found["weighted-work"], found["max-min"]
    assert most.work == pytest.approx(10)
    assert (most.worst.consortium, most.worst.satisfaction_frac) == ("team-1", 0.0)
    assert fair.lost_frac == pytest.approx(0.45)
    assert fair.worst.satisfaction_frac == pytest.approx(0.5)
    # An equal part of one node is no node, so everybody has it; the poor one envies the other.
    assert most.with_equal_part == 2
    assert (most.envy, fair.envy) == (1, 0)
    assert [one.envies for one in most.consortiums] == [(), ("team-0",)]
    assert found["proportional"].lost_frac == pytest.approx(0.45)


def test_equal_part_of_two_nodes_is_one_node_each():
    found = policies_of_case(divisible((10, 1), nodes=2), limits=EXACT)
    assert found.equal_value == pytest.approx((10, 1))
    assert found.alone_value == pytest.approx((10, 1))
    assert [row.with_equal_part for row in found.rows] == [2] * len(POLICIES)
    assert [row.lost_frac for row in found.rows] == pytest.approx([0] * len(POLICIES), abs=1e-6)
    assert [row.idle_frac for row in found.rows] == pytest.approx([0] * len(POLICIES))


def test_idle_time_is_what_nobody_holds():
    case = build(Spec([P([(0, 28, 2)])], [J(tokens=7, nodes=(1,))], days=28))
    found = policies_of_case(case, limits=EXACT, names=("weighted-work",))
    assert found.rows[0].idle_frac == pytest.approx(1 - 7 / 56)


def test_no_plan_is_told_and_kept_out_of_the_sums():
    case = build(Spec([P([(0, 28, 1)])], [J()], [T(floor=50.0)]))
    found = policies_of_case(case, limits=EXACT)
    assert {row.status for row in found.rows} == {"infeasible"}
    assert found.sentence == "no plan under any of 7 policies"
    json.dumps(found.to_dict(), allow_nan=False)


def test_out_of_time_leaves_unknown_and_never_a_false_no():
    found = policies_of_case(divisible((10, 1)), limits=Limits(time_limit_s=1e-3))
    row = found.rows[0]
    assert row.envy is None or row.envy == 1
    json.dumps(found.to_dict(), allow_nan=False)


@FEW
@given(specs())
def test_alone_is_the_best_of_every_plan_with_its_jobs_only(spec):
    case = build(spec)
    if not small(case):
        return
    for team in range(len(case.consortium_names)):
        mine = alone(case, team)
        best = max((sum(w.value for w in chosen) for chosen in every_plan(mine)), default=0.0)
        assert best_value(mine, solver=None, limits=EXACT)[0] == pytest.approx(best, abs=1e-6)
        part = best_value(equal_part(case, team), solver=None, limits=EXACT)
        assert part[0] <= sum(
            max((w.value for w in ways(case, job)), default=0.0)
            for job in range(len(case.job_names))
            if case.job_consortium[job] == team
        ) + 1e-6  # fmt: skip


def test_finish_times_are_compared_with_an_equal_part_alone():
    # Two nodes, a job of 8 node-days each; alone on one node it takes 8 days.
    jobs = [J(team=team, tokens=8, nodes=(1, 2)) for team in (0, 1)]
    case = build(Spec([P([(0, 28, 2)])], jobs, [T(), T()], days=28))
    row = policies_of_case(case, limits=EXACT, names=("finish-time",)).rows[0]
    # 2 nodes do 2 ** 0.9 node-days a day: one after the other would end on days 5 and 12.
    assert [one.finish_ratio for one in row.consortiums] == pytest.approx([1.0, 1.0])
    assert row.slowest.consortium == "team-0"


def test_frame_has_one_row_a_policy_and_consortium():
    found = policies_of_case(divisible((10, 1)), limits=EXACT)
    frame = found.to_frame()
    assert len(frame) == 2 * len(POLICIES)
    assert list(frame["policy"].cat.categories) == sorted(POLICIES)
    fair = frame[frame["policy"] == "max-min"]
    assert fair["worst_off_frac"].tolist() == pytest.approx([0.5, 0.5])
    assert fair["lost_frac"].tolist() == pytest.approx([0.45, 0.45])
    none = build(Spec([P([(0, 28, 1)])], [J()], [T(floor=50.0)]))
    assert len(policies_of_case(none, limits=EXACT).to_frame()) == len(POLICIES)


def test_policies_without_a_plan_of_their_own_in_time_have_that_of_the_most_work():
    def slow(task):
        if any(name.startswith("level") for name in task.program.columns.names):
            return Answer(None, None)
        return ENGINES["highs"](task)

    jobs = [J(team=team, tokens=8, nodes=(1, 2)) for team in (0, 0, 1)]
    case = build(Spec([P([(0, 28, 2)])], jobs, [T(), T()], days=28))
    found = by_policy(policies_of_case(case, solver=slow, limits=EXACT))
    assert found["max-min"].work == pytest.approx(found["weighted-work"].work)
    assert found["max-min"].gap_frac is None


@pytest.mark.parametrize("policy", ["weighted-work", "min-cost"])
def test_work_and_cost_are_those_of_the_plan_that_allocate_makes(policy):
    example = Path(planner.__file__).parent / "examples" / "first-minute.yaml"
    (row,) = planner.policies(example, names=[policy], time_limit_s=20.0).rows
    verdict = planner.allocate(example, policy=policy, time_limit_s=20.0).verdict
    assert row.work == pytest.approx(verdict.objective, rel=1e-12)
    assert row.cost == pytest.approx(verdict.cost, rel=1e-12)


@pytest.mark.parametrize(("policy", "is_tidied"), [("min-cost", True), ("max-min", False)])
def test_policies_shows_each_plan_as_allocate_moves_it(monkeypatch, policy, is_tidied):
    # Each point is moved by the one rule of both commands, or left as its policy weighs it.
    seen = []

    def watched(register, program, solution):
        moved = tidied(register, program, solution)
        seen.append(moved is not solution)
        if moved.point is not None:
            assert moved.cost == pytest.approx(program.columns.cost @ moved.point)
        return moved

    monkeypatch.setattr(side_by_side, "tidied", watched)
    side_by_side.policies_of_case(divisible((10, 1)), limits=EXACT, names=[policy])
    assert seen == [is_tidied]
