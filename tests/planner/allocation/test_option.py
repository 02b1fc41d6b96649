"""Options: starts, ends, windows, parts; and that dropping dominated points changes no answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from planner.allocation.offer import option as room
from planner.allocation.offer.option import days_needed, enumerate_options
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.test_oracle import specs


def spans(spec: Spec) -> set[tuple[int, int, int]]:
    runs = enumerate_options(build(spec)).runs
    return set(
        zip(runs.nodes.tolist(), runs.start_day.tolist(), runs.end_day.tolist(), strict=True)
    )


def test_days_round_up_and_forgive_float_noise() -> None:
    tokens = np.array([86400.0, 86400.1, 1e-3, 0.1 * 3 * 86400])
    assert days_needed(tokens, np.array([1.0, 1.0, 1.0, 0.3])).tolist() == [1, 2, 1, 1]


def test_runs_start_at_their_release_and_at_borders() -> None:
    found = spans(Spec([P([(0, 28, 1)])], [J(tokens=9, nodes=(1,), window=(3, 27))]))
    assert found == {(1, 3, 12), (1, 7, 16), (1, 14, 23)}


def test_runs_end_inside_the_horizon_the_window_and_the_nodes() -> None:
    assert spans(Spec([P([(0, 28, 1)])], [J(tokens=29, nodes=(1,))])) == set()
    assert spans(Spec([P([(0, 28, 1)])], [J(tokens=28, nodes=(1,))])) == {(1, 0, 28)}
    # Ten days fit only where the nodes stay; two that follow each other are the same node.
    gone = Spec([P([(0, 9, 1), (12, 20, 1)])], [J(tokens=10, nodes=(1,))])
    assert spans(gone) == set()
    stays = Spec([P([(0, 9, 1), (9, 20, 1)])], [J(tokens=10, nodes=(1,))])
    assert spans(stays) == {(1, 0, 10), (1, 7, 17)}


def test_parts_end_at_borders_and_count_in_proportion() -> None:
    case = build(Spec([P([(0, 28, 1)])], [J(tokens=20, value=4, nodes=(1,), partial=True)]))
    runs = enumerate_options(case).runs
    found = dict(zip(zip(runs.start_day.tolist(), runs.end_day.tolist(), strict=True),
                     runs.value.tolist(), strict=True))  # fmt: skip
    assert found[0, 7] == pytest.approx(4 * 7 / 20)
    assert found[0, 20] == 4
    assert found[14, 28] == pytest.approx(4 * 14 / 20)
    assert (0, 28) not in found
    assert (0, 21) not in found


def test_lateness_takes_value_by_the_day() -> None:
    case = build(Spec([P([(0, 28, 1)])], [J(tokens=9, value=2, nodes=(1,), soft=(10, 0.05))]))
    runs = enumerate_options(case).runs
    found = dict(zip(runs.start_day.tolist(), runs.value.tolist(), strict=True))
    assert found == {0: 2.0, 7: pytest.approx(2 * 0.7), 14: pytest.approx(2 * 0.35)}


def test_a_larger_point_that_is_no_faster_is_dropped_unless_a_floor_may_want_it() -> None:
    job = J(tokens=1, nodes=(1, 2))
    assert {n for n, _, _ in spans(Spec([P([(0, 28, 4)])], [job]))} == {1}
    held = spans(Spec([P([(0, 28, 4)])], [job], [T(floor=0.01)]))
    assert {n for n, _, _ in held} == {1, 2}


def test_order_of_the_file_changes_nothing() -> None:
    jobs = [J(tokens=5 + at, value=1 + at) for at in range(4)]
    pools = [P([(0, 28, 2)]), P([(0, 28, 3)], rate=1.3)]
    one = Spec(pools, jobs, job_names=("d", "b", "c", "a"))
    two = Spec(pools, jobs[::-1], job_names=("a", "c", "b", "d"))
    first, second = (enumerate_options(build(spec)).runs for spec in (one, two))
    assert first.start_day.tolist() == second.start_day.tolist()
    assert first.nodes.tolist() == second.nodes.tolist()
    assert first.value.tolist() == second.value.tolist()


@settings(
    deadline=None, max_examples=examples(30, 300), suppress_health_check=[HealthCheck.too_slow]
)
@given(specs())
def test_dropping_dominated_points_keeps_value_and_cost(spec: Spec) -> None:
    case = build(spec)
    limits = Limits(gap_frac=0.0)
    short = plan_case(case, limits=limits).verdict
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            room, "dominated", lambda case, job, points: np.zeros(len(points), dtype=np.bool_)
        )
        full = plan_case(case, limits=limits).verdict
    assert short.status == full.status
    if short.objective is not None:
        assert short.objective == pytest.approx(full.objective, rel=1e-6, abs=1e-9)
        assert short.cost == pytest.approx(full.cost, rel=1e-6, abs=1e-6)
