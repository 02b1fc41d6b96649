"""The program's optimum against trying every plan of small cases, with every rule at work."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from planner.allocation.solver.engine import engines_found
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.oracle import best, id_days, ways

EXACT = Limits(gap_frac=0.0, time_limit_s=30.0)


@st.composite
def pools(draw: st.DrawFn, days: int) -> list[P]:
    found = []
    for _ in range(draw(st.integers(1, 2))):
        spans = draw(
            st.sampled_from(
                [
                    [(0, days, 3)],
                    [(0, days, 4)],
                    [(0, days, 2), (7, days, 2)],
                    [(0, days, 2), (0, 14, 2)],
                    [(0, 12, 2), (5, days, 2)],
                    [(0, 10, 2), (10, days, 3)],
                    [(3, 9, 4)],
                    [(0, 7, 1), (3, days, 2), (3, 14, 1)],
                ]
            )
        )
        found.append(
            P(
                deliveries=spans,
                price=draw(st.sampled_from([0.0, 1.0, 1.5, 3.0])),
                equivalent=draw(st.sampled_from([0.5, 1.0, 2.0])),
                shared=draw(st.booleans()),
                rate=draw(st.sampled_from([0.7, 1.0, 1.6])),
            )
        )
    return found


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    days = draw(st.sampled_from([14, 19, 21]))
    period = draw(st.sampled_from([7, 10]))
    teams = [
        T(
            weight=draw(st.sampled_from([0.0, 1.0, 1.0, 1.0, 2.5])),
            budget=draw(st.sampled_from([-1.0, -1.0, -1.0, 0.0, 20.0, 45.0])),
            floor=draw(st.sampled_from([0.0] * 8 + [0.4, 1.1])),
            cap=draw(st.sampled_from([0.0, 0.0, 2.0, 3.5])),
        )
        for _ in range(draw(st.integers(1, 2)))
    ]
    jobs = []
    for at in range(draw(st.integers(1, 4))):
        preemptible = draw(st.sampled_from([False, False, False, True]))
        flexible = not preemptible and draw(st.sampled_from([False, True]))
        jobs.append(
            J(
                team=draw(st.integers(0, len(teams) - 1)),
                tokens=draw(st.sampled_from([3.0, 8.0, 11.0, 17.0, 26.0, 90.0])),
                value=draw(st.sampled_from([0.0, 1.0, 2.0, 2.0, 2.0, 3.7])),
                nodes=draw(st.sampled_from([(1,), (2,), (1, 2), (2, 3), (4,)])),
                pools=draw(st.sampled_from([None, None, (0,)])),
                window=draw(st.sampled_from([None, None, None, (4, days), (0, 13), (2, 12)])),
                soft=draw(st.sampled_from([None, None, (6, 0.05), (8, 0.2)])),
                partial=draw(st.sampled_from([False, False, True])),
                preemptible=preemptible,
                flexible=flexible,
                move=draw(st.sampled_from([0, 1, 1, 2])) if flexible else 1,
                identity=draw(st.sampled_from([None, None, 7])),
                after=tuple(b for b in range(at) if draw(st.integers(0, 5)) == 0),
            )
        )
    return Spec(
        draw(pools(days)), jobs, teams, days, period, draw(st.sampled_from([0.0, 0.0, 0.4]))
    )


def _check(spec: Spec, solver: str) -> None:
    case = build(spec)
    sizes = [len(ways(case, job)) + 1 for job in range(len(case.job_names))]
    assume(np.prod(sizes) < 30_000)
    expected = best(case)
    plan = plan_case(case, solver=solver, limits=EXACT)
    if expected is None:
        assert plan.verdict.status == "infeasible"
        return
    value, cost = expected
    _check_ids(case, plan)
    assert plan.verdict.objective == pytest.approx(value, rel=1e-6, abs=1e-9)
    assert plan.verdict.cost == pytest.approx(cost, rel=1e-6, abs=1e-6)
    assert plan.verdict.bound >= value - 1e-6 * max(value, 1)
    if solver == "highs":
        assert plan.verdict.status == "optimal"


def _check_ids(case, plan) -> None:
    """No id twice on a day, and each id there on every day of its row."""
    held: set[tuple[str, int, int]] = set()
    for at in range(len(plan.rows)):
        pool = plan.rows.pool[at]
        there = id_days(case, case.pool_names.index(pool))
        first = (plan.rows.first[at] - case.first_day) // datetime.timedelta(days=1)
        ids = []
        for part in plan.rows.node_ids[at].split(","):
            low, _, high = part.partition("-")
            ids += range(int(low), int(high or low) + 1)
        assert len(ids) == plan.rows.nodes[at]
        for i in ids:
            for day in range(first, first + int(plan.rows.days[at])):
                assert day in there[i]
                assert (pool, i, day) not in held
                held.add((pool, i, day))


OPTIONS = settings(
    deadline=None,
    max_examples=examples(50, 600),
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@OPTIONS
@given(specs())
def test_highs_finds_the_best_plan_of_all(spec: Spec) -> None:
    _check(spec, "highs")


@pytest.mark.skipif("cbc" not in engines_found(), reason="CBC is not installed")
@settings(OPTIONS, max_examples=examples(30, 200))
@given(specs())
def test_cbc_finds_the_best_plan_of_all(spec: Spec) -> None:
    _check(spec, "cbc")
