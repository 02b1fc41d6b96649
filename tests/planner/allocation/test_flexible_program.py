"""The program with flexible jobs against living every plan day by day; and what must not matter."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter

import numpy as np
import pytest

from planner.allocation.answer.placement import job_results, placements
from planner.allocation.answer.refusal import refusals
from planner.allocation.choice import solve_by_policy
from planner.allocation.flexible import listed
from planner.allocation.flexible.generated import solve_generated
from planner.allocation.offer.option import enumerate_options, some_plans
from planner.allocation.portfolio import solve_case
from planner.allocation.program.families import FAMILIES, build_program
from planner.allocation.solver.engine import ENGINES
from planner.allocation.solver.solve import Limits, Solution, solve
from planner.division import plan_case
from tests.conftest import examples
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.drawn import EXACT, optimum
from tests.planner.allocation.drawn_flexible import drawn_flexible
from tests.planner.allocation.oracle import best
from tests.planner.allocation.test_metamorphic import by_scipy
from tests.planner.allocation.test_oracle import _check_ids

PREEMPTION = {"pieces_in_mode", "work_covered", "last_piece", "work_in_proportion", "days_in_time"}


def same(found: Solution, expected: tuple[float, float] | None) -> None:
    """The verdict, value and cost of the best plan of all."""
    if expected is None:
        assert found.status == "infeasible"
        return
    assert found.status == "optimal"
    assert found.objective == pytest.approx(expected[0], rel=1e-6, abs=1e-9)
    assert found.cost == pytest.approx(expected[1], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("first", range(0, examples(200, 400), 50))
def test_the_program_finds_the_best_plan_of_all(first: int) -> None:
    families: Counter[str] = Counter()
    changes = 0
    for seed in range(first, first + 50):
        case = build(drawn_flexible(seed))
        program, register = build_program(case, enumerate_options(case))
        found = solve(program, solver=ENGINES["highs"], limits=EXACT)
        same(found, best(case))
        low, high = register.offsets["chain"], register.offsets["mode"]
        changes += int(found.point is not None and found.point[low:high].any())
        families.update(
            row.family for row in program.rows
            if ((row.columns >= low) & (row.columns < high)).any()
        )  # fmt: skip
    assert changes > 0
    assert set(families) <= {family.__name__ for family in FAMILIES} - PREEMPTION


def test_the_random_cases_have_chains_in_every_family_of_rows() -> None:
    found, every = set(), {family.__name__ for family in FAMILIES} - PREEMPTION
    for seed in range(400):
        case = build(drawn_flexible(seed))
        program, register = build_program(case, enumerate_options(case))
        low, high = register.offsets["chain"], register.offsets["mode"]
        found |= {
            row.family for row in program.rows
            if ((row.columns >= low) & (row.columns < high)).any()
        }  # fmt: skip
        if found == every and seed >= examples(0, 399):
            break
    assert found == every


@pytest.mark.parametrize("first", range(0, examples(40, 60), 20))
def test_plans_hold_ids_and_do_the_work_they_say(first: int) -> None:
    """From the program to rows: ids are free, tokens add up, days of moving do none."""
    moved = 0
    for seed in range(first, first + 20):
        case = build(drawn_flexible(seed))
        expected = best(case)
        plan = plan_case(case, solver=ENGINES["highs"], limits=EXACT)
        if expected is None:
            assert plan.verdict.status == "infeasible"
            continue
        assert plan.verdict.objective == pytest.approx(expected[0], rel=1e-6, abs=1e-9)
        assert plan.verdict.cost == pytest.approx(expected[1], rel=1e-6, abs=1e-6)
        _check_ids(case, plan)
        rows = plan.rows
        for job, name in enumerate(case.job_names):
            mine = [at for at in range(len(rows)) if rows.job[at] == name]
            if not case.job_flexible[job] or len(mine) < 2:
                continue
            moved += 1
            for before, after in itertools.pairwise(mine):
                assert (rows.first[after] - rows.last[before]).days == 1
                lost = int(case.job_move_days[job])
                most = rows.tokens_per_s[after] * 86400 * (rows.days[after] - lost)
                assert rows.tokens[after] <= most * (1 + 1e-9)
            done = float(sum(rows.tokens[at] for at in mine))
            assert done == pytest.approx(plan.jobs.done_frac[job] * case.job_tokens[job])
    assert moved > 0


def with_jobs(spec: Spec, **change: object) -> Spec:
    jobs = [
        dataclasses.replace(job, **change) if job.flexible else job  # type: ignore[arg-type]
        for job in spec.jobs
    ]
    return dataclasses.replace(spec, jobs=jobs)


def optimum_of(spec: Spec) -> Solution:
    case = build(spec)
    return optimum(case, enumerate_options(case))


@pytest.mark.parametrize("first", range(0, examples(40, 120), 40))
def test_jobs_that_may_change_do_no_worse_and_no_better_than_for_nothing(first: int) -> None:
    """Unless a rule counts days held: then a day of moving is worth something."""
    gained = 0
    for seed in range(first, first + 40):
        spec = drawn_flexible(seed)
        fixed = optimum_of(with_jobs(spec, flexible=False))
        there = optimum_of(spec)
        free = optimum_of(with_jobs(spec, move=0))
        if fixed.objective is not None:
            assert there.objective is not None
            assert there.objective >= fixed.objective * (1 - 1e-9) - 1e-9
            gained += there.objective > fixed.objective * (1 + 1e-6) + 1e-9
        if there.objective is not None and not build(spec).consortium_must_hold.any():
            assert free.objective is not None
            assert free.objective >= there.objective * (1 - 1e-9) - 1e-9
    assert gained > 0


def test_a_move_longer_than_any_run_leaves_the_fixed_plans() -> None:
    for seed in range(40):
        spec = drawn_flexible(seed)
        never = optimum_of(with_jobs(spec, move=99))
        fixed = optimum_of(with_jobs(spec, flexible=False))
        assert never.status == fixed.status
        assert never.objective == fixed.objective
        assert never.cost == fixed.cost


def medium(seed: int) -> Spec:
    """Some thousands of chains, with every rule at work."""
    dice = np.random.default_rng(seed)
    pools = [
        P([(0, 56, 4), (28, 56, 4)], price=2.0),
        P([(0, 56, 6)], price=3.0, equivalent=2.0, rate=1.8),
    ]
    jobs = [
        J(
            team=int(dice.integers(3)),
            tokens=float(dice.integers(20, 90)),
            value=float(dice.integers(1, 40)),
            nodes=(1, 2, 4),
            window=(0, int(dice.integers(28, 57))),
            soft=(20, 0.02),
            partial=bool(dice.random() < 0.2),
            flexible=bool(dice.random() < 0.8),
            identity=7 if at in (3, 4) else None,
            after=(at - 1,) if at % 5 == 4 else (),
        )
        for at in range(10)
    ]
    teams = [T(budget=150.0, floor=0.5), T(cap=6.0, uses=((40, 20.0),)), T(weight=1.5)]
    return Spec(pools, jobs, teams, days=56, period=14, share=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_scipy_finds_the_same_optimum_on_medium_cases(seed: int) -> None:
    case = build(medium(seed))
    program, register = build_program(case, enumerate_options(case))
    assert len(register.options.chains) > 500
    found = solve(program, limits=Limits(gap_frac=0.0, time_limit_s=60.0), ties_by_cost=False)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(by_scipy(program), rel=1e-6)


@pytest.mark.parametrize("policy", ["max-min", "proportional", "min-cost", "min-energy"])
def test_policies_over_generated_chains_say_so(policy: str) -> None:
    """Where all chains happen to be among those looked at, the plan is as good."""
    for seed in (2, 4, 10):
        case = build(drawn_flexible(seed))
        every = enumerate_options(case, keeps_all=policy == "min-energy")
        cut = enumerate_options(case, keeps_all=policy == "min-energy", chain_limit=0)
        if not len(every.chains):
            continue
        assert not cut.is_whole
        program, register = build_program(case, every)
        one = solve_by_policy(register, program, policy, limits=EXACT)
        two = solve_generated(case, cut, policy, limits=EXACT)
        found = two.solution
        if one.point is None:
            assert found.status in ("unsolved", "feasible")
            continue
        assert found.objective == pytest.approx(one.objective, rel=1e-6, abs=1e-9)
        assert found.status == "feasible"
        assert found.aim is None
        many = len(two.register.plans) + len(two.register.options.modes)
        assert f"among the {many} plans of jobs that were looked at" in found.words


def one_job(**job: object) -> Spec:
    """A slow pool now, a fast one from day 7."""
    pools = [P([(0, 28, 2)]), P([(7, 28, 2)], rate=4.0, price=2.0)]
    words = {"tokens": 21.0, "nodes": (1,), "soft": (12, 0.1), "flexible": True}
    return Spec(pools, [J(**{**words, **job})])  # type: ignore[arg-type]


def test_a_change_is_told_row_by_row_and_against_staying() -> None:
    plan = plan_case(build(one_job(soft=(11, 0.1))), limits=EXACT)
    assert plan.rows.pool == ("pool-0", "pool-1")
    assert plan.rows.days.tolist() == [7, 5]
    assert plan.rows.tokens.tolist() == pytest.approx([7.0, 14.0])
    assert plan.rows.cost.tolist() == pytest.approx([7.0, 10.0])
    assert "runner-up: 1 nodes of `pool-1`" in plan.jobs.sentence[0]


def test_of_equal_plans_the_one_without_a_change_is_taken() -> None:
    spec = Spec([P([(0, 28, 2)], price=0.0), P([(0, 28, 2)], price=0.0)],
                [J(tokens=10.0, nodes=(1,), flexible=True, move=0)])  # fmt: skip
    plan = plan_case(build(spec), limits=EXACT)
    assert len(plan.rows) == 1


def test_a_refused_job_that_may_change_is_told_what_it_lacks() -> None:
    spec = one_job()
    rival = J(tokens=40.0, nodes=(2,), value=50.0, window=(0, 27))
    spec = dataclasses.replace(
        spec,
        pools=[P([(0, 28, 2)])],
        jobs=[rival, J(tokens=26.0, nodes=(1, 2), flexible=True, window=(0, 27))],
    )
    plan = plan_case(build(spec), limits=EXACT)
    assert plan.jobs.placed.tolist() == [True, False]
    assert plan.jobs.reason[1] == "nodes-taken"
    assert "of `pool-0` from" in plan.jobs.sentence[1]


def test_results_of_a_chain_are_those_of_its_table() -> None:
    """Tokens of the rows add up to what the table of chains says is done."""
    for seed in range(30):
        case = build(drawn_flexible(seed))
        program, register = build_program(case, enumerate_options(case))
        low = register.offsets["chain"]
        for chain in range(0, len(register.options.chains), 7):
            point = np.zeros(len(program.columns.names))
            point[low + chain] = 1.0
            placed = placements(register, point)
            done, value = job_results(register, placed)
            job = int(register.options.chains.job[chain])
            assert min(done[job], 1.0) == pytest.approx(register.options.chains.done_frac[chain])
            assert value[job] == pytest.approx(register.options.chains.value[chain])
            assert placed.cost.sum() == pytest.approx(register.options.chains.cost[chain])
            assert program.columns.cost[low + chain] == pytest.approx(placed.cost.sum())


def test_the_plan_without_changes_as_a_start_changes_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listed, "MANY_CHAINS", 1)
    asked = []

    def told(*args: object, **words: object) -> Solution:
        asked.append(words.get("start") is not None)
        return solve(*args, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(listed, "solve", told)
    for seed in range(40):
        case = build(drawn_flexible(seed))
        same(solve_case(case, solver=ENGINES["highs"], limits=EXACT).solution, best(case))
    assert sum(asked) >= 15


def test_a_plan_that_was_not_looked_at_is_not_said_to_be_impossible() -> None:
    """Of a part of all plans nothing is concluded but what holds for each of them."""
    jobs = [J(tokens=20.0, flexible=True), J(tokens=20.0), J(tokens=900.0), J(pools=(), nodes=(1,))]
    case = build(Spec([P([(0, 28, 4)])], jobs))
    for limit, codes in (
        (0, ["not-found", "not-found", "window-too-short", "no-usable-pool"]),
        (10**6, ["nodes-leave", "nodes-leave", "window-too-short", "no-usable-pool"]),
    ):
        options = enumerate_options(case, chain_limit=limit)
        none = some_plans(options, np.zeros(0, dtype=np.int64))
        none = dataclasses.replace(none, is_whole=options.is_whole)
        program, register = build_program(case, none)
        point = np.zeros(len(program.columns.names))
        found = refusals(register, program, point, placements(register, point))
        assert [found[job].code for job in range(4)] == codes
