"""An earlier plan as a start: never worse than what of it still holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hardware.errors import InputError
from planner.allocation.engine import ENGINES, Answer, Task
from planner.allocation.option import enumerate_options
from planner.allocation.prior import no_worse, point_of
from planner.allocation.program import build_program
from planner.allocation.solve import Limits, solve
from planner.division import allocate, plan_case
from planner.plan import Plan
from tests.planner.allocation.conftest import J, P, Spec, T, build

SPEC = Spec([P([(0, 28, 4)])], [J(tokens=20, value=1 + at, nodes=(1, 2)) for at in range(4)])


def test_a_plan_is_a_point_of_its_own_program() -> None:
    case = build(SPEC)
    plan = plan_case(case)
    program, register = build_program(case, enumerate_options(case))
    point = point_of(register, program, plan.rows)
    assert point is not None
    assert float(program.columns.value @ point) == pytest.approx(plan.verdict.objective)
    assert float(program.columns.cost @ point) == pytest.approx(plan.verdict.cost)


def test_the_earlier_plan_is_kept_where_the_search_finds_less() -> None:
    case = build(SPEC)
    best = plan_case(case)
    program, register = build_program(case, enumerate_options(case))

    def lazy(task: Task) -> Answer:
        answer = ENGINES["highs"](task)
        return replace(answer, point=answer.point * 0.0, bound=-1e3)

    found = solve(program, solver=lazy, limits=Limits(), ties_by_cost=False)
    assert found.objective == 0.0
    kept = no_worse(register, program, found, best.rows)
    assert kept.objective == pytest.approx(best.verdict.objective)
    assert (kept.status, kept.bound) == ("feasible", 1e3)
    unsolved = replace(found, status="unsolved", point=None, objective=None, bound=None, cost=None)
    kept = no_worse(register, program, unsolved, best.rows)
    assert kept.objective == pytest.approx(best.verdict.objective)
    assert kept.bound >= kept.objective


def test_a_plan_that_no_longer_holds_is_told() -> None:
    best = plan_case(build(SPEC))
    tight = plan_case(build(replace(SPEC, teams=[T(budget=1.0)])), start=best)
    assert tight.jobs.placed.sum() == 0
    assert "no longer keeps the rules" in tight.warnings[-1]


def test_rows_that_are_gone_are_left_out() -> None:
    best = plan_case(build(SPEC))
    fewer = build(replace(SPEC, jobs=SPEC.jobs[:3]))
    again = plan_case(fewer, start=best)
    assert again.verdict.objective == pytest.approx(plan_case(fewer).verdict.objective)


def test_a_file_that_is_no_plan_is_refused(tmp_path) -> None:
    from importlib import resources

    scenario = resources.files("planner") / "examples" / "first-minute.yaml"
    with pytest.raises(InputError, match="cannot be read"):
        allocate(str(scenario), start=tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(InputError):
        allocate(str(scenario), start=tmp_path / "bad.json")


def test_a_start_by_file_gives_the_same_plan(tmp_path) -> None:
    case = build(SPEC)
    plan = plan_case(case)
    again = plan_case(case, start=Plan.from_json(plan.to_json()))
    assert again.rows.first == plan.rows.first
    assert again.verdict.objective == plan.verdict.objective
