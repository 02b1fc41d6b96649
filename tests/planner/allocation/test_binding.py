"""What binds: prices bound what one more node, or more of a budget, can add."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given

from planner.allocation.answer.binding import binding_faults, bindings, node_prices
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.dual import bound_of
from planner.allocation.program.families import build_program
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from planner.plan import Plan
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.test_oracle import specs
from tests.planner.allocation.test_policies import FEW, small

EXACT = Limits(gap_frac=0.0, time_limit_s=60.0)


def worth(plan, kind, name):
    return sum(one.value for one in plan.binds if (one.kind, one.name) == (kind, name))


@FEW
@given(specs())
def test_no_plan_gains_more_from_a_node_than_it_is_worth(spec):
    case = build(spec)
    assume(small(case))
    plan = plan_case(case, limits=EXACT)
    assume(plan.verdict.status == "optimal" and plan.certified_bound is not None)
    for pool, name in enumerate(case.pool_names):
        mine = case.delivery_pool == pool
        if mine.sum() != 1 or spec.pools[pool].block:
            continue
        most = int(case.delivery_nodes[mine].max())
        if (case.point_nodes[case.point_pool == pool] > most).any():
            continue  # a larger run would come to the choice
        assume(case.share_limit_frac == 0)  # the limit is a part of what there is
        more = dataclasses.replace(case, delivery_nodes=case.delivery_nodes + mine)
        better = plan_case(more, limits=EXACT)
        assert better.verdict.objective <= plan.certified_bound + worth(plan, "pool", name) + 1e-6


@FEW
@given(specs())
def test_no_plan_gains_more_from_a_budget_than_it_is_worth(spec):
    case = build(spec)
    assume(small(case) and (case.consortium_budget > 0).any())
    plan = plan_case(case, limits=EXACT)
    assume(plan.verdict.status == "optimal" and plan.certified_bound is not None)
    program, _ = build_program(case, enumerate_options(case))
    prices = dict(plan.certificate)
    own = np.array([prices.get(row.name, 0.0) for row in program.rows])
    plain = max(bound_of(program, own), plan.certified_bound)  # budgets may be kept whole in it
    for team in np.flatnonzero(case.consortium_budget > 0).tolist():
        budget = case.consortium_budget.copy()
        budget[team] *= 1.5
        better = plan_case(dataclasses.replace(case, consortium_budget=budget), limits=EXACT)
        gain = 50 * worth(plan, "budget", case.consortium_names[team])
        assert better.verdict.objective <= plain + gain + 1e-6


def contested():
    """Two jobs that each want the one node all the time."""
    jobs = [J(tokens=28, value=value, nodes=(1,)) for value in (3, 2)]
    return build(Spec([P([(0, 28, 1)], price=5.0)], jobs, [T()], days=28))


def test_a_contested_node_is_worth_the_job_that_is_left_out():
    plan = plan_case(contested(), limits=EXACT)
    assert plan.verdict.objective == pytest.approx(3)
    assert 2 - 1e-6 <= worth(plan, "pool", "pool-0") <= 3 + 1e-6
    (pool,) = [one for one in plan.binds if one.kind == "pool"]
    # The plan does 3 of value for 28 days at 5.
    assert pool.money == pytest.approx(pool.value * 140 / 3)
    assert worth(plan, "day", "pool-0") == pytest.approx(pool.value / 28)
    assert worth(plan, "period", "pool-0") == pytest.approx(pool.value)


def test_nothing_binds_where_there_is_enough():
    case = build(Spec([P([(0, 28, 9)])], [J(tokens=7, nodes=(1,))], days=28))
    assert plan_case(case, limits=EXACT).binds == ()


def test_prices_fall_into_the_period_of_their_day():
    prices = {"pool_0_0": 1.0, "pool_0_8": 2.0, "pool_0_13": 3.0}
    none = {"budget_0": 9.0, "pool_7_0": 4.0, "pool_0_99": 5.0}
    found = node_prices(contested(), {**prices, **none})
    assert found.tolist() == [[1.0, 5.0, 0.0, 0.0]]


def test_floors_and_caps_have_a_worth():
    case = build(Spec([P([(0, 28, 4)])], [J()], [T(floor=1.0, cap=2.0)], days=28))
    found = {(o.kind, o.name): o for o in bindings(case, {"floor_0": -0.5, "cap_0_0": 0.25})}
    assert found["floor", "team-0"].value == pytest.approx(14.0)
    assert found["cap", "team-0"].value == pytest.approx(0.25)
    assert found["cap", "team-0"].money is None


def test_the_plan_file_keeps_what_binds():
    plan = plan_case(contested(), limits=EXACT)
    assert plan.binds
    assert Plan.from_json(plan.to_json()).binds == plan.binds


def test_a_changed_worth_is_detected():
    case = contested()
    plan = plan_case(case, limits=EXACT)
    assert binding_faults(case, plan.to_dict()) == (len(plan.binds), ())
    for at in range(len(plan.binds)):
        for key, wrong in (("value", 1.001 * plan.binds[at].value), ("money", None),
                           ("name", "elsewhere"), ("value", "much")):  # fmt: skip
            data = plan.to_dict()
            data["binds"][at][key] = wrong
            _, faults = binding_faults(case, data)
            assert [(f.code, f.where.field) for f in faults] == [
                ("binding-misstated", f"binds[{at}]")
            ]
