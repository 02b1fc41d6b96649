"""An earlier plan whose jobs changed on the way is taken over where all chains are not listed."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest

from planner.allocation.earlier.chain import begun_from, with_prior
from planner.allocation.offer.option import Options, enumerate_options, plan_keys, some_plans
from planner.allocation.program.families import build_program
from planner.allocation.solver.solve import solve
from planner.case import Case
from planner.division import plan_case
from planner.plan import Plan
from tests.planner.allocation.conftest import J, P, Spec, build
from tests.planner.allocation.drawn import EXACT

POOLS = [P([(0, 28, 2)]), P([(7, 28, 2)], rate=4.0, price=2.0)]


def changing(**job: object) -> Case:
    """A job that is best begun in a slow pool and ended in a fast one."""
    words = {"tokens": 21.0, "nodes": (1,), "soft": (11, 0.1), "flexible": True}
    return build(Spec(POOLS, [J(**{**words, **job})]))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def earlier() -> Plan:
    plan = plan_case(changing(), limits=EXACT)
    assert plan.rows.pool == ("pool-0", "pool-1")
    return plan


def runs_alone(case: Case) -> Options:
    return enumerate_options(case, chain_limit=0)


def test_the_earlier_chain_is_offered_again(earlier: Plan) -> None:
    case = changing()
    options = runs_alone(case)
    assert len(options.chains) == 0
    wider = with_prior(case, options, earlier.rows)
    assert len(wider.chains) == 1
    assert plan_keys(wider)[-1] in plan_keys(enumerate_options(case))
    assert with_prior(case, wider, earlier.rows) is wider  # it is there by now
    every = enumerate_options(case)
    assert with_prior(case, every, earlier.rows) is every


def test_no_answer_is_behind_the_earlier_plan(earlier: Plan) -> None:
    case = changing()
    program, register = build_program(case, runs_alone(case))
    found = solve(program, limits=EXACT)
    part = dataclasses.replace(found, bound=None)
    _, wide, kept = begun_from(register, program, part, earlier.rows)
    assert found.objective is not None
    assert kept.objective == pytest.approx(earlier.verdict.objective)
    assert kept.objective > found.objective
    assert len(wide.columns.names) == len(program.columns.names) + 1
    assert (kept.bound, kept.status) == (None, "feasible")
    better = dataclasses.replace(found, objective=99.0)
    assert begun_from(register, program, better, earlier.rows)[1] is program


@pytest.mark.parametrize(
    "job",
    [
        {"tokens": 30.0},  # more work
        {"move": 2},  # moving takes longer
        {"window": (1, 28)},  # it may start later
        {"window": (0, 11)},  # it must end sooner
        {"nodes": (2,)},
        {"pools": (0,)},
        {"flexible": False},
    ],
)
def test_a_chain_that_may_not_be_any_more_is_left_out(
    earlier: Plan, job: dict[str, object]
) -> None:
    case = changing(**job)
    options = runs_alone(case)
    assert with_prior(case, options, earlier.rows) is options


def test_a_change_between_borders_is_left_out(earlier: Plan) -> None:
    week = datetime.timedelta(days=1)
    rows = dataclasses.replace(
        earlier.rows,
        last=(earlier.rows.last[0] + week, earlier.rows.last[1]),
        first=(earlier.rows.first[0], earlier.rows.first[1] + week),
        days=np.array([8, 4]),
    )
    case = changing()
    options = runs_alone(case)
    assert with_prior(case, options, rows) is options


def test_a_run_that_the_search_left_out_is_offered_again() -> None:
    case = changing(flexible=False)
    before = plan_case(case, limits=EXACT)
    assert len(before.rows) == 1
    case = changing()
    none = some_plans(runs_alone(case), np.zeros(0, dtype=np.int64))
    wider = with_prior(case, none, before.rows)
    assert (len(wider.runs), len(wider.chains)) == (1, 0)
    program, register = build_program(case, none)
    found = dataclasses.replace(solve(program, limits=EXACT), bound=None)
    kept = begun_from(register, program, found, before.rows)[2]
    assert kept.objective == pytest.approx(before.verdict.objective)
