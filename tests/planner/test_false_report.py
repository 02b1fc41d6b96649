"""False reports on a node that two want whole: who gains what can be worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

import planner
from planner.allocation.policy.goal import POLICIES
from planner.allocation.solver.solve import Limits
from planner.false_report import REPORTS, FalseReports, reports_of_case
from planner.side_by_side import policies_of_case
from tests.planner.allocation.conftest import J, P, Spec, T, build

pytestmark = pytest.mark.usefixtures("solvers_here")

EXACT = Limits(gap_frac=0.0, time_limit_s=120.0)


def one_node(*, partial: bool):
    jobs = [
        J(team=team, tokens=28, value=value, nodes=(1,), partial=partial)
        for team, value in ((0, 10.0), (1, 9.0))
    ]
    return build(Spec([P([(0, 28, 1)])], jobs, [T(), T()], days=28))


@pytest.fixture(scope="module")
def alone() -> Callable[[str], FalseReports]:
    """Reports of the one node by one policy, looked for once."""
    known: dict[str, FalseReports] = {}

    def of(policy: str) -> FalseReports:
        if policy not in known:
            case = one_node(partial=True)
            known[policy] = reports_of_case(case, limits=EXACT, names=(policy,))
        return known[policy]

    return of


def gains(found: FalseReports, policy: str) -> dict[tuple[str, str, float], float | None]:
    return {
        (row.consortium, row.field, row.factor): row.gain_frac
        for row in found.rows
        if row.policy == policy
    }


def test_who_overstates_its_value_takes_the_node_where_work_counts(alone):
    found = alone("weighted-work")
    gained = gains(found, "weighted-work")
    assert gained["team-1", "value", 2.0] == 1.0  # from nothing to all
    assert gained["team-0", "value", 0.5] == -1.0
    assert gained["team-0", "value", 2.0] == 0.0
    # Four fifths of the tokens look like more value a day; the node is then given for as long.
    assert gained["team-0", "tokens", 0.8] == pytest.approx(-0.25)
    assert gained["team-1", "tokens", 0.8] == 1.0
    worst = found.worst("weighted-work")
    assert worst is not None
    assert (worst.consortium, worst.value) == ("team-1", 9.0)
    assert all(row.is_proved for row in found.rows)


def test_the_worst_off_cannot_lie_about_value(alone):
    found = alone("max-min")
    assert all(row.gain_frac == 0.0 for row in found.rows if row.field == "value")
    assert len(found.rows) == 2 * len(REPORTS)


def test_an_understated_job_that_counts_only_when_finished_is_worth_nothing():
    found = reports_of_case(one_node(partial=False), limits=EXACT, names=("weighted-work",))
    gained = gains(found, "weighted-work")
    assert gained["team-0", "tokens", 0.8] == -1.0
    assert gained["team-0", "tokens", 1.25] == -1.0  # no longer fits
    json.dumps(found.to_dict(), allow_nan=False)


def test_no_plan_is_unknown_and_not_nothing():
    case = build(Spec([P([(0, 28, 1)])], [J()], [T(floor=50.0)]))
    found = reports_of_case(case, limits=EXACT, names=("weighted-work", "max-min"))
    assert [row.gain_frac for row in found.rows] == [None] * len(found.rows)
    assert found.worst("max-min") is None


@pytest.mark.parametrize("policy", ["weighted-work", "max-min", "finish-time"])
def test_gains_are_over_the_plans_found_side_by_side(policy: str, alone):
    case = one_node(partial=True)
    shown = policies_of_case(case, limits=EXACT, names=(policy,))
    found = reports_of_case(case, limits=EXACT, names=(policy,), honest=shown)
    gets = {one.consortium: one.value for one in shown.rows[0].consortiums}
    assert {row.consortium: row.honest_value for row in found.rows} == gets
    again = alone(policy)
    assert gains(found, policy) == pytest.approx(gains(again, policy), abs=1e-6)
    assert [row.is_proved for row in found.rows] == [row.is_proved for row in again.rows]


def test_a_plan_shown_that_gives_more_leaves_less_to_gain():
    case = one_node(partial=True)
    shown = policies_of_case(case, limits=EXACT, names=("weighted-work",))
    row = shown.rows[0]
    richer = tuple(replace(one, value=9.0) for one in row.consortiums)
    shown = replace(shown, rows=(replace(row, consortiums=richer, gap_frac=None),))
    found = reports_of_case(case, limits=EXACT, names=("weighted-work",), honest=shown)
    assert gains(found, "weighted-work")["team-1", "value", 2.0] == 0.0
    assert not any(one.is_proved for one in found.rows)


def test_the_verb_is_handed_on_with_every_policy():
    assert planner.false_reports.__defaults__ is None
    assert planner.false_reports.__kwdefaults__["names"] == POLICIES
