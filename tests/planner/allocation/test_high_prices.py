"""Prices too high to be added up prove nothing: no bound is below a plan, and no file says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from planner.allocation.flexible.bound import chain_bound
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.dual import bound_of
from planner.allocation.program.families import build_program
from planner.allocation.proof.aim_witness import aim_faults
from planner.allocation.proof.certificate import certified_bound
from planner.allocation.proof.witness import witness_faults
from planner.case import Case
from planner.division import plan_case
from tests.planner.allocation.conftest import J, P, Spec, T, build

HIGH = [1e6, 1e12, 1e16, 1e17, 1e20, 1e100, 1e200, 1e300, 1e307, 1e308]
VALUE = 3.0


def tight_case() -> Case:
    """A job that holds one node on all days, as much as its consortium has to hold."""
    return build(Spec([P([(0, 28, 1)])], [J(tokens=28.0, value=VALUE, nodes=(1,))], [T(floor=1.0)]))


def below(bound: float) -> bool:
    """Whether a bound is below the plan; one that is no number counts."""
    return not bound >= VALUE * (1 - 1e-9)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("price", HIGH)
def test_high_prices_of_a_floor_that_is_just_kept_prove_nothing_false(price: float) -> None:
    case = tight_case()
    options = enumerate_options(case)
    bound = certified_bound(case, {"floor_0": price}, options)
    assert bound is not None
    assert not below(bound)
    assert not below(chain_bound(case, options.blocks, {"floor_0": price}))
    program, _ = build_program(case, options)
    prices = np.array([-price if row.name == "floor_0" else 0.0 for row in program.rows])
    assert not below(bound_of(program, prices))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("price", HIGH)
def test_high_prices_of_one_part_of_all_plans_prove_nothing_false(price: float) -> None:
    case = tight_case()
    blocks = enumerate_options(case).blocks
    for rows in (["pool_0_0"], [f"pool_0_{day}" for day in (0, 7, 14, 21)], ["floor_0"]):
        leaf = {f"part 2: {row}": price for row in rows}
        prices = {"part 1: job": 0.0, "part 3: pool_0_0": 0.0, **leaf}
        assert not below(chain_bound(case, blocks, prices))


@pytest.mark.parametrize("price", HIGH)
@pytest.mark.parametrize("stated", [0.0, 2.9, 5.0, 1e300])
def test_a_file_with_high_prices_states_no_bound(price: float, stated: float) -> None:
    case = tight_case()
    data: dict[str, Any] = plan_case(case).to_dict()
    assert witness_faults(case, data)[1] == ()
    data["certificate"] = {"bound": stated, "prices": {"floor_0": price, "pool_0_0": price}}
    codes = {fault.code for fault in witness_faults(case, data)[1]}
    assert "certificate-mismatch" in codes


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("bound", 1.0), ("prices", {"pool_0_0": 1.0})],
)
def test_the_aim_of_the_most_work_carries_no_bound_that_nothing_checks(
    field: str, wrong: object
) -> None:
    case = tight_case()
    data: dict[str, Any] = plan_case(case).to_dict()
    assert aim_faults(case, data)[1] == ()
    data["aim"]["goals"][0][field] = wrong
    assert [fault.code for fault in aim_faults(case, data)[1]] == ["aim-misstated"]


@pytest.mark.parametrize("part", [-2.0, 0.0, 1.5])
def test_a_part_of_the_work_that_is_none_is_told(part: float) -> None:
    case = tight_case()
    data: dict[str, Any] = plan_case(case).to_dict()
    data["aim"]["work_frac"] = part
    assert [fault.code for fault in aim_faults(case, data)[1]] == ["aim-misstated"]


def test_a_verdict_without_its_time_is_told() -> None:
    case = tight_case()
    data: dict[str, Any] = plan_case(case).to_dict()
    data["verdict"]["seconds"] = None
    assert [fault.code for fault in aim_faults(case, data)[1]] == ["aim-misstated"]


@pytest.mark.parametrize("stated", [0.0, 99.0, -99.0])
def test_a_bound_of_a_goal_that_has_no_prices_on_large_cases_is_told(
    stated: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.allocation.policy.fair_bound.FAIR_COLUMNS", 0)
    case = tight_case()
    data: dict[str, Any] = plan_case(case, policy="max-min").to_dict()
    goals = data["aim"]["goals"]
    goals[-1] |= {"bound": stated, "prices": {"pool_0_0": 1.0}}
    codes = [fault.code for fault in aim_faults(case, data)[1]]
    assert "certificate-mismatch" in codes
