"""Every policy under every rule against trying every plan, and its witnesses against all plans."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import planner.allocation.solver.engine
from planner.allocation.offer.option import enumerate_options
from planner.allocation.policy.figures import Figures
from planner.allocation.policy.finish_time import finish_terms, servable
from planner.allocation.policy.goal import POLICIES
from planner.allocation.program.families import build_program
from planner.allocation.proof.aim import aim_of, keeps_all, reached_by
from planner.allocation.proof.aim_witness import aim_faults
from planner.allocation.proof.stated import alone_days
from planner.allocation.solver.engine import engines_found
from planner.allocation.solver.solve import Limits
from planner.division import plan_case
from planner.plan import Plan
from tests.planner.allocation.aims import Told, Wants, told_of_plan
from tests.planner.allocation.conftest import Spec, build
from tests.planner.allocation.test_oracle import specs
from tests.planner.allocation.test_policy import every_plan, small

EXACT = Limits(gap_frac=0.0, time_limit_s=60.0)
RULES = ("as drawn", "equal support", "days of use", "one block", "lending", "flexible", "floors")
SETTINGS = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(autouse=True, scope="module")
def solver_in_this_process() -> Iterator[None]:
    """Hundreds of small questions: a process for each would take most of the time."""
    before = planner.allocation.solver.engine.apart
    planner.allocation.solver.engine.apart = lambda ask: ask
    yield
    planner.allocation.solver.engine.apart = before


def ruled(spec: Spec, rule: str) -> Spec:
    """A specification with one more rule at work."""
    if rule == "equal support":
        return dataclasses.replace(spec, equal=0.3)
    if rule == "days of use":
        spec.teams[0].uses = ((10, 2.0),)
    elif rule == "floors":
        spec.teams[0].floor = 0.2
    elif rule == "one block":
        # A block of the fabric that comes with several deliveries counts by its parts.
        for pool in spec.pools:
            pool.deliveries = [(0, spec.days, 4)]
        spec.pools[0].block = 2
        spec.jobs[0].one_block = True
    elif rule == "lending" and len(spec.jobs) > 1:
        spec.jobs[0].borrows = (0,)
        spec.jobs[1].goes_first = (0,)
    elif rule == "flexible" and not spec.jobs[0].preemptible:
        spec.jobs[0].flexible = True
    return spec


def drawn(spec: Spec, rule: str, seed: int) -> tuple[Any, list[Any]]:
    """A small case with powers of its own, and all its plans."""
    case = build(ruled(spec, rule))
    power = np.random.default_rng(seed).integers(1, 20, len(case.point_job)) * 1e3
    case = dataclasses.replace(case, point_power_w=power.astype(np.float64))
    assume(small(case))
    return case, every_plan(case)


def figures(case: Any, told: Told) -> Figures:
    """A tried plan as the witnesses look at it."""
    count = len(case.job_names)
    done = [told.done.get(job, 0.0) for job in range(count)]
    counts = [d if d >= 1 or case.job_partial[j] else 0.0 for j, d in enumerate(done)]
    return Figures(
        np.array([told.value.get(job, 0.0) for job in range(count)]),
        np.array(counts),
        np.array([float(told.end.get(job, 0)) for job in range(count)]),
        told.cost,
        told.energy,
    )


def beaten(case: Any, policy: str, plan: Plan, tried: list[Told]) -> str:
    """The first goal whose proved bound one of all plans that hold the goals before beats."""
    if plan.aim is None or policy == "weighted-work":
        return ""
    options = enumerate_options(case, keeps_all=keeps_all(policy))
    program, register = build_program(case, options)
    terms = finish_terms(case, servable(case, options)) if policy == "finish-time" else None
    aim = aim_of(register, program, policy, plan.aim.work_frac, terms=terms,
                 alone_days=alone_days(case, plan.aim))  # fmt: skip
    reached = [reached_by(aim, figures(case, told)) for told in tried]
    mine = [goal.untold(one.reached) for goal, one in zip(aim.goals, plan.aim.goals, strict=False)]
    for at, one in enumerate(plan.aim.goals):
        size = max(abs(mine[at]), abs(aim.goals[at].shift), 1e-6)
        best = min(values[at] for values in reached)
        for name, bound in (("bound", one.bound), ("said", one.said)):
            if bound is not None and best < aim.goals[at].untold(bound) - 1e-5 * size:
                return f"{one.name}: {best} beats {name} {aim.goals[at].untold(bound)}"
        give = aim.goals[at].give_frac * abs(mine[at])
        reached = [values for values in reached if values[at] <= mine[at] + give]
        if not reached:
            break
    return ""


def check(case: Any, plans: list[Any], policy: str, work_frac: float, solver: str) -> None:
    plan = plan_case(case, limits=EXACT, policy=policy, work_frac=work_frac, solver=solver)
    if not plans:
        assert plan.verdict.status == "infeasible"
        return
    wants = Wants(case, policy, plans, work_frac)
    assert wants.fault(wants.of(told_of_plan(case, plan))) == ""
    assert aim_faults(case, plan.to_dict())[1] == ()
    assert beaten(case, policy, plan, wants.all_told) == ""
    assert Plan.from_json(plan.to_json()).aim == plan.aim


@pytest.mark.parametrize("policy", POLICIES)
@SETTINGS
@given(specs(), st.sampled_from(RULES), st.integers(0, 99), st.sampled_from([0.5, 1.0]))
def test_every_policy_is_the_best_of_all_plans(
    policy: str, spec: Spec, rule: str, seed: int, part: float
) -> None:
    case, plans = drawn(spec, rule, seed)
    check(case, plans, policy, part, "highs")


@pytest.mark.skipif("cbc" not in engines_found(), reason="CBC is not installed")
@pytest.mark.parametrize("policy", POLICIES)
@settings(SETTINGS, max_examples=6)
@given(specs(), st.sampled_from(RULES), st.integers(0, 99))
def test_every_policy_with_cbc(policy: str, spec: Spec, rule: str, seed: int) -> None:
    case, plans = drawn(spec, rule, seed)
    check(case, plans, policy, 1.0, "cbc")
