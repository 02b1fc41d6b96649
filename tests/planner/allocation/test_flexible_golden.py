"""Every constraint family that speaks of chains as an LP file; see `golden/flexible/`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import FAMILIES, build_program
from planner.allocation.program.problem import to_pulp
from planner.allocation.program.row import Program
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.test_flexible_program import PREEMPTION
from tests.planner.allocation.test_program import GOLDEN, REGENERATE, _meaning

WIDE = [(0, 14, 2)]
ONE = J(tokens=12, nodes=(1, 2), flexible=True)  # one node for a week, then two: 7, a day lost, 5
OTHER = J(tokens=12, nodes=(1, 2))
SPECS = {
    "one_plan_a_job": Spec([P(WIDE)], [ONE, OTHER], days=14),
    "no_workload_twice": Spec(
        [P(WIDE)],
        [J(tokens=12, nodes=(1, 2), flexible=True, identity=7), J(tokens=12, identity=7)],
        days=14,
    ),
    "within_pool": Spec([P([(0, 14, 2), (7, 14, 1)])], [ONE, OTHER], days=14),
    "within_blocks": Spec([P([(0, 10, 2), (5, 14, 2)])], [ONE], days=14),
    "inside_one_block": Spec(
        [P([(0, 14, 4)], block=2)],
        [J(tokens=12, nodes=(1, 2), flexible=True, one_block=True)],
        days=14,
    ),
    "within_budget": Spec([P(WIDE, price=2e9)], [ONE], [T(budget=9e9)], 14),
    "above_floor": Spec([P(WIDE, equivalent=4)], [ONE], [T(floor=3)], 14),
    "below_cap": Spec([P(WIDE, equivalent=4)], [ONE, OTHER], [T(cap=6)], 14),
    "within_share": Spec([P(WIDE)], [ONE], days=14, share=0.25),
    "owner_first": Spec(
        [P(WIDE), P(WIDE)],
        [
            J(tokens=12, nodes=(1,), flexible=True, borrows=(1,)),
            J(tokens=12, nodes=(1, 2), pools=(0,), flexible=True, goes_first=(1,)),
        ],
        days=14,
    ),
    "equal_support": Spec(
        [P(WIDE, equivalent=4)],
        [ONE, J(tokens=5, nodes=(2,), team=1)],
        [T(), T(days=(7, 14))],
        14,
        equal=0.25,
    ),
    "used_by_day": Spec([P(WIDE, equivalent=4)], [ONE], [T(uses=((10, 12.0),))], 14),
    "after_predecessors": Spec(
        [P([(0, 21, 2)])],
        [ONE, J(tokens=9, nodes=(1, 2), flexible=True, move=0, after=(0,))],
        days=21,
    ),
}


def test_every_family_that_speaks_of_plans_is_here() -> None:
    assert set(SPECS) == {family.__name__ for family in FAMILIES} - PREEMPTION


@pytest.mark.parametrize(
    "family", [f for f in FAMILIES if f.__name__ in SPECS], ids=lambda family: family.__name__
)
def test_family_is_the_golden_lp(family, tmp_path: Path) -> None:
    name = family.__name__
    program, register = build_program(*_asked(name))
    low, high = register.offsets["chain"], register.offsets["mode"]
    rows = tuple(family(register))
    assert any(((row.columns >= low) & (row.columns < high)).any() for row in rows)
    assert all(len(np.unique(row.columns)) == len(row.columns) for row in rows)
    problem, _ = to_pulp(Program(program.columns, rows), -program.columns.value, name=name)
    path = tmp_path / "family.lp"
    problem.writeLP(str(path))
    golden = GOLDEN / "flexible" / f"{name}.lp"
    if os.environ.get(REGENERATE):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(path.read_text())
    assert _meaning(path.read_text()) == _meaning(golden.read_text())


def _asked(name: str):
    case = build(SPECS[name])
    return case, enumerate_options(case)


def test_the_budget_pays_the_days_of_moving() -> None:
    """By hand: a week of one node, then one day of moving and three of work on two nodes."""
    program, register = build_program(*_asked("within_budget"))
    row = next(row for row in program.rows if row.family == "within_budget")
    links = register.options.links
    held = {
        chain: [
            (int(links.nodes[at]), int(links.end_day[at] - links.start_day[at]))
            for at in np.flatnonzero(links.chain == chain)
        ]
        for chain in range(len(register.options.chains))
    }
    chain = next(chain for chain, spans in held.items() if spans[0] == (1, 7))
    assert held[chain] == [(1, 7), (2, 4)]
    own = row.coefficients[row.columns == register.offsets["chain"] + chain]
    assert own.tolist() == [2e9 * (7 + 2 * 4)]
