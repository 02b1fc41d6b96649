"""`planner.allocate` on scenario files: audited plans, and limits that mean nothing."""

from __future__ import annotations

import warnings
from importlib import resources
from pathlib import Path

import pytest

import planner
from hardware.errors import InputError, SolverFailure
from planner import division
from planner.allocation.policy.goal import POLICIES
from planner.allocation.solver import engine as room
from planner.allocation.solver.engine import Answer, Task, engines_found
from planner.allocation.solver.solve import Limits
from planner.version import model_version, version
from tests.planner.allocation.conftest import J, P, Spec, T, build

EXAMPLES = Path(str(resources.files("planner") / "examples"))
FIRST = EXAMPLES / "first-minute.yaml"


@pytest.fixture(autouse=True)
def _quiet() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", planner.PlanningWarning)
        yield


@pytest.mark.parametrize(
    "name", ["first-minute.yaml", "flexible.yaml", "kai-plan.yaml", "kai-replay.yaml"]
)
def test_examples_have_an_audited_plan_near_the_best(name: str) -> None:
    plan = planner.allocate(EXAMPLES / name, time_limit_s=120)
    assert plan.verdict.status in ("optimal", "feasible")
    assert plan.verdict.gap_frac is not None
    assert plan.verdict.gap_frac <= 1e-3
    assert plan.inputs[0][0] == name
    assert len(plan.inputs[0][1]) == 64
    report = planner.verify(EXAMPLES / name, plan)
    assert report.ok, str(report)


@pytest.mark.parametrize("solver", engines_found())
def test_solvers_agree_on_the_first_example(solver: str) -> None:
    plan = planner.allocate(FIRST, solver=solver, gap_frac=0.0)
    assert plan.verdict.objective == pytest.approx(planner.allocate(FIRST).verdict.objective)


def test_a_plan_that_fails_the_audit_is_our_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    real = division.plan_case

    def inflated(*args: object, **words: object) -> object:
        plan = real(*args, **words)  # type: ignore[arg-type]
        data = plan.to_dict()
        data["rows"][0]["tokens"] *= 3
        monkeypatch.setattr(type(plan), "to_dict", lambda self: data)
        return plan

    monkeypatch.setattr(division, "plan_case", inflated)
    with pytest.raises(SolverFailure, match="tokens"):
        planner.allocate(FIRST)


def test_limits_that_mean_nothing_are_told_all_at_once() -> None:
    with pytest.raises(InputError) as error:
        planner.allocate(FIRST, time_limit_s=0, gap_frac=1.5, threads=-1, seed=-1)
    assert len(error.value.diagnostics) == 4
    with pytest.raises(InputError):
        planner.allocate(FIRST, time_limit_s=float("nan"))


def test_an_unknown_solver_is_named() -> None:
    with pytest.raises(planner.UnknownName, match="gurobi"):
        planner.allocate(FIRST, solver="gurobi")


def test_the_solver_prints_nothing_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    planner.allocate(FIRST)
    assert capfd.readouterr().out == ""


def test_a_plan_names_every_file_and_the_constants_it_rests_on() -> None:
    plan = planner.allocate(EXAMPLES / "kai-plan.yaml").to_dict()
    named = {item["path"] for item in plan["inputs"]}
    assert {"kai-plan.yaml", "models/lg-1t.yaml"} <= named
    assert plan["tool"]["version"] == model_version() != version()


def test_other_constants_are_told_and_not_taken_for_tampering_alone() -> None:
    plan = planner.allocate(FIRST).to_dict()
    plan["tool"]["version"] = f"{version()}+00000000"
    report = planner.verify(FIRST, plan)
    assert [warning.code for warning in report.warnings] == ["tool-changed"]


def test_limits_of_another_kind_are_named() -> None:
    with pytest.raises(InputError, match="time_limit_s") as caught:
        planner.allocate(FIRST, time_limit_s="20s", seed=True)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.diagnostics] == ["wrong-type", "wrong-type"]


def test_a_plan_without_prices_says_that_it_has_no_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = build(Spec([P([(0, 28, 4)])], [J(tokens=20)]))
    assert division.UNPRICED not in division.plan_case(case, policy="min-cost").warnings
    monkeypatch.setattr(division, "row_prices", lambda program, **_: None)
    plan = division.plan_case(case, policy="min-cost")
    assert plan.certificate == ()
    assert plan.certified_bound is None
    assert plan.warnings[-1] == division.UNPRICED


@pytest.mark.parametrize("floor", [0.0, 99.0])
@pytest.mark.parametrize("policy", POLICIES)
def test_every_question_to_a_solver_has_the_memory_limit(
    policy: str, floor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[bool, int]] = []

    def here(ask: room.Engine) -> room.Engine:
        def recorded(task: Task) -> Answer:
            asked.append((task.is_relaxed, task.memory_limit_bytes))
            return ask(task)

        return recorded

    monkeypatch.setattr(room, "apart", here)
    jobs = [J(tokens=20, value=1 + at, nodes=(1, 2)) for at in range(4)]
    case = build(Spec([P([(0, 28, 4)])], jobs, [T(floor=floor)]))
    first = division.plan_case(case, policy=policy, limits=Limits(memory_limit_bytes=10**9))
    if not floor:
        division.plan_case(
            case, policy=policy, start=first, limits=Limits(memory_limit_bytes=10**9)
        )
    assert first.verdict.status == ("infeasible" if floor else "optimal")
    assert {limit for _, limit in asked} == {10**9}
    is_priced = floor or policy != "weighted-work"  # by a relaxed program
    assert (True in {is_relaxed for is_relaxed, _ in asked}) == bool(is_priced)
