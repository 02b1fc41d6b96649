"""An earlier plan as a start: never worse than what of it still holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases import Size, make_case
from hardware.errors import InputError
from planner.allocation.earlier.plan import nearest, no_worse, taken_over
from planner.allocation.large.band import bands_of
from planner.allocation.large.insertion import improve
from planner.allocation.large.relaxation import relax
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.settle import is_feasible
from planner.allocation.solver.engine import ENGINES, Answer, Task
from planner.allocation.solver.solve import Limits, solve
from planner.division import allocate, plan_case
from planner.plan import Plan
from tests.planner.allocation.conftest import J, P, Spec, T, build

SPEC = Spec([P([(0, 28, 4)])], [J(tokens=20, value=1 + at, nodes=(1, 2)) for at in range(4)])


def test_a_plan_is_a_point_of_its_own_program() -> None:
    case = build(SPEC)
    plan = plan_case(case)
    program, register = build_program(case, enumerate_options(case))
    taken = taken_over(register, program, plan.rows)
    assert float(program.columns.value @ taken.point) == pytest.approx(plan.verdict.objective)
    assert float(program.columns.cost @ taken.point) == pytest.approx(plan.verdict.cost)
    assert taken.jobs == taken.asked == plan.jobs.placed.sum()
    assert "all can still be served" in taken.words


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
    assert any("none can still be served just so" in one for one in tight.warnings)


def test_rows_that_are_gone_are_left_out() -> None:
    best = plan_case(build(SPEC))
    fewer = build(replace(SPEC, jobs=SPEC.jobs[:3]))
    again = plan_case(fewer, start=best)
    assert again.verdict.objective == pytest.approx(plan_case(fewer).verdict.objective)


def test_the_most_valuable_part_that_keeps_the_rules_is_taken_over() -> None:
    priced = replace(SPEC, pools=[P([(0, 28, 4)], price=1.0)])
    best = plan_case(build(priced))
    assert best.verdict.cost > 50.0
    tight = build(replace(priced, teams=[T(budget=50.0)]))
    program, register = build_program(tight, enumerate_options(tight))
    taken = taken_over(register, program, best.rows)
    assert is_feasible(program, taken.point)
    assert 0 < taken.jobs < taken.asked
    served = [program.columns.value[at] for at in np.flatnonzero(taken.point)]
    assert max(served) == 4.0
    again = plan_case(tight, start=best)
    assert again.verdict.objective >= float(program.columns.value @ taken.point)
    assert any(f"{taken.jobs} can still be served just so" in one for one in again.warnings)


def test_runs_near_an_earlier_plan_are_tried_in_order() -> None:
    case = build(SPEC)
    best = plan_case(case)
    later = build(replace(SPEC, days=35, pools=[P([(3, 35, 4)])]))
    runs = enumerate_options(later).runs
    order = nearest(later, runs, best.rows)
    held = {job: at for at, job in enumerate(best.rows.job)}
    names = [later.job_names[job] for job in runs.job[order].tolist()]
    assert set(names) == set(held)
    far = [
        abs(runs.start_day[run] - (best.rows.first[held[name]] - case.first_day).days)
        + abs(runs.end_day[run] - (best.rows.last[held[name]] - case.first_day).days - 1)
        + abs(runs.nodes[run] / best.rows.nodes[held[name]] - 1) * best.rows.days[held[name]]
        for run, name in zip(order.tolist(), names, strict=True)
    ]
    assert far == sorted(far)
    assert len(nearest(case, enumerate_options(case).runs, best.rows)) >= len(best.rows)


def test_the_search_begins_with_what_still_fits() -> None:
    case = make_case(Size(40, 5, 5, 10, 4), 1)
    options = enumerate_options(case)
    bands = bands_of(case, options)
    best = plan_case(case, limits=Limits(time_limit_s=10.0, gap_frac=0.05))
    none = np.zeros(len(bands.bound))
    cold = improve(bands, none, rounds=0)
    begun = improve(bands, none, rounds=0, start=nearest(case, options.runs, best.rows))
    assert cold.value < best.verdict.objective
    assert begun.value == pytest.approx(best.verdict.objective)
    fewer = replace(case, pool_nodes=case.pool_nodes * 9 // 10,
                    delivery_nodes=case.delivery_nodes * 9 // 10)  # fmt: skip
    options = enumerate_options(fewer)
    bands = bands_of(fewer, options)
    begun = improve(bands, none, rounds=0, start=nearest(fewer, options.runs, best.rows))
    assert improve(bands, none, rounds=0).value < begun.value < best.verdict.objective


@pytest.mark.parametrize("seed", range(6))
def test_a_poor_start_is_left_again(seed: int) -> None:
    case = make_case(Size(40, 5, 5, 10, 4), seed)
    bands = bands_of(case, enumerate_options(case))
    priced = relax(bands, rounds=200).prices
    cold = improve(bands, priced, rounds=0)
    poor = np.sort(np.random.default_rng(seed).permutation(bands.columns)[:200])
    begun = improve(bands, priced, rounds=0, start=poor)
    assert begun.value >= cold.value
    on = improve(bands, priced, rounds=200, start=poor)
    assert on.value >= begun.value
    point = np.zeros(bands.columns)
    point[on.chosen] = 1.0
    program, _ = build_program(case, enumerate_options(case))
    assert is_feasible(program, point)


def test_a_job_is_put_in_after_the_one_that_it_waits_for() -> None:
    spec = Spec([P([(0, 28, 2)])], [J(tokens=10, nodes=(1,), after=(1,)), J(tokens=10, nodes=(1,))])
    case = build(spec)
    options = enumerate_options(case)
    best = plan_case(case)
    begun = improve(bands_of(case, options), np.zeros(len(bands_of(case, options).bound)), rounds=0,
                    start=nearest(case, options.runs, best.rows))  # fmt: skip
    assert begun.value == pytest.approx(best.verdict.objective)


def test_a_solver_that_sees_the_whole_case_gets_the_earlier_plan() -> None:
    jobs = [J(tokens=9, nodes=(1,), preemptible=True), J(tokens=10, nodes=(1, 2), value=3.0)]
    case = build(replace(SPEC, jobs=jobs))
    best = plan_case(case)
    seen = []

    def watched(task: Task) -> Answer:
        seen.append(task.start)
        return ENGINES["highs"](task)

    plan_case(case, solver=watched, start=best)
    assert seen[0] is not None
    assert float(seen[0].sum()) == 1.0  # the run without a pause


def test_a_file_that_is_no_plan_is_refused(tmp_path) -> None:
    from importlib import resources

    scenario = resources.files("planner") / "examples" / "first-minute.yaml"
    none, bad = tmp_path / "none.json", tmp_path / "bad.json"
    with pytest.raises(InputError, match="no-such-file") as refused:
        allocate(str(scenario), start=none)
    assert str(none) in str(refused.value)
    assert "Errno" not in str(refused.value)
    bad.write_text("{}")
    with pytest.raises(InputError, match="unknown-schema") as refused:
        allocate(str(scenario), start=bad)
    assert refused.value.diagnostics[0].where.path == str(bad)
    bad.write_text('{"schema":\n  oops}')
    with pytest.raises(InputError, match="json-syntax") as refused:
        allocate(str(scenario), start=bad)
    assert f"{bad}:2:3" in str(refused.value)
    bad.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="unreadable-file"):
        allocate(str(scenario), start=bad)


def test_a_start_by_file_gives_the_same_plan(tmp_path) -> None:
    case = build(SPEC)
    plan = plan_case(case)
    again = plan_case(case, start=Plan.from_json(plan.to_json()))
    assert again.rows.first == plan.rows.first
    assert again.verdict.objective == plan.verdict.objective
