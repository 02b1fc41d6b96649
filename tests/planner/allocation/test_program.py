"""Every constraint family as an LP file that a reviewer can read; see `golden/`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import FAMILIES, build_program
from planner.allocation.program.problem import to_pulp
from planner.allocation.program.row import Program
from tests.planner.allocation.conftest import J, P, Spec, T, build

GOLDEN = Path(__file__).parent / "golden"
REGENERATE = "UPDATE_GOLDEN"  # set this variable to write the files anew

WIDE = [(0, 14, 2)]
SPECS = {
    "one_plan_a_job": Spec([P(WIDE)], [J(tokens=2), J(tokens=12, nodes=(2,))], days=14),
    "no_workload_twice": Spec([P(WIDE)], [J(tokens=5, nodes=(1,), identity=7)] * 2, days=14),
    "within_pool": Spec([P([(0, 14, 2), (7, 14, 1)])], [J(tokens=8, nodes=(2,))] * 2, days=14),
    "within_blocks": Spec([P([(0, 10, 1), (5, 14, 1)])], [J(tokens=5, nodes=(1,))] * 3, days=14),
    "inside_one_block": Spec(
        [P([(0, 14, 4)], block=2)],
        [J(tokens=5, nodes=(2,), one_block=True), J(tokens=9, nodes=(3,))],
        days=14,
    ),
    "within_budget": Spec([P(WIDE, price=2e9)], [J(tokens=5, nodes=(1,))], [T(budget=9e9)], 14),
    "above_floor": Spec([P(WIDE, equivalent=4)], [J(tokens=9, nodes=(2,))], [T(floor=3)], 14),
    "below_cap": Spec([P(WIDE, equivalent=4)], [J(tokens=5, nodes=(1,))] * 2, [T(cap=6)], 14),
    "within_share": Spec([P(WIDE)], [J(tokens=9, nodes=(1, 2))], days=14, share=0.25),
    "owner_first": Spec(
        [P(WIDE), P(WIDE)],
        [
            J(tokens=5, nodes=(1,), pools=(0,), borrows=(0,)),
            J(tokens=5, nodes=(2,), goes_first=(0,)),
            J(tokens=9, nodes=(2,), preemptible=True, goes_first=(0,)),
        ],
        days=14,
    ),
    "equal_support": Spec(
        [P(WIDE, equivalent=4)],
        [J(tokens=5, nodes=(1,)), J(tokens=5, nodes=(2,), team=1)],
        [T(), T(days=(7, 14))],
        14,
        equal=0.25,
    ),
    "used_by_day": Spec(
        [P(WIDE, equivalent=4)],
        [J(tokens=5, nodes=(1,)), J(tokens=9, nodes=(1,), preemptible=True)],
        [T(uses=((10, 12.0),))],
        14,
    ),
    "days_in_time": Spec(
        [P(WIDE)],
        [
            J(tokens=9, nodes=(1,), preemptible=True),
            J(tokens=9, nodes=(2,), preemptible=True, partial=True),
        ],
        [T(uses=((10, 3.0),))],
        14,
    ),
    "after_predecessors": Spec(
        [P(WIDE)], [J(tokens=5, nodes=(1,)), J(tokens=5, nodes=(1,), after=(0,))], days=14
    ),
    "pieces_in_mode": Spec([P(WIDE)], [J(tokens=9, nodes=(1,), preemptible=True)], days=14),
    "work_covered": Spec([P(WIDE)], [J(tokens=9, nodes=(1, 2), preemptible=True)], days=14),
    "last_piece": Spec(
        [P(WIDE)], [J(tokens=5, nodes=(1,), preemptible=True, soft=(7, 0.1))], days=14
    ),
    "work_in_proportion": Spec(
        [P(WIDE)],
        [
            J(tokens=9, nodes=(1,), preemptible=True, partial=True),
            J(tokens=3, nodes=(1,), after=(0,)),
        ],
        days=14,
    ),
}


def _meaning(text: str) -> dict[str, tuple[object, ...]]:
    """Rows of an LP file as sets of terms: order and wrapping differ between PuLP's majors."""
    lines = [line for line in text.splitlines() if not line.startswith("\\")]
    body, *rest = re.split(r"^(?=Bounds|Generals|Binaries)", "\n".join(lines), flags=re.M)
    found: dict[str, tuple[object, ...]] = {"rest": tuple(sorted(" ".join(rest).split()))}
    for name, row in re.findall(r"(\w+):((?:.(?!\w+:))*)", " ".join(body.split())):
        left, sense, right = re.fullmatch(r"(.*?)(?:(<=|>=|=)(.*))?", row).groups()
        terms = re.findall(r"([+-]?) ?(?:(\d[\d.e+-]*) )?([a-z]+\d+)", left)
        bound = re.match(r"\s*[-\d.e+]+", right or "")
        found[name] = (
            tuple(sorted((v, float(f"{sign}{amount or 1}")) for sign, amount, v in terms)),
            sense,
            float(bound.group()) if bound else None,
        )
    return found


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_family_is_the_golden_lp(family, tmp_path: Path) -> None:
    name = family.__name__
    case = build(SPECS[name])
    program, register = build_program(case, enumerate_options(case))
    rows = tuple(family(register))
    assert rows
    assert {row.family for row in rows} == {name}
    assert all(row.sentence and row.group for row in rows)
    minimise = -program.columns.value
    problem, _ = to_pulp(Program(program.columns, rows), minimise, name=name)
    path = tmp_path / "family.lp"
    problem.writeLP(str(path))
    golden = GOLDEN / f"{name}.lp"
    if os.environ.get(REGENERATE):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(path.read_text())
    assert _meaning(path.read_text()) == _meaning(golden.read_text())


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_family_states_its_inequality(family) -> None:
    assert re.search(r"<=|>=|=", family.__doc__ or "")
    assert "for every" in family.__doc__ or "where" in family.__doc__


def test_names_are_told_apart_and_survive_pulp() -> None:
    case = build(Spec([P(WIDE)], [J(tokens=5)] * 3, days=14, job_names=("a b", "a_b", "a[b]")))
    program, _ = build_program(case, enumerate_options(case))
    problem, variables = to_pulp(program, program.columns.value)
    assert tuple(v.name for v in variables) == program.columns.names
    names = [row.name for row in program.rows]
    assert len(set(names)) == len(names)
    stored = problem.constraints() if callable(problem.constraints) else []
    assert [c.name for c in stored] == names


def test_scaling_of_money_keeps_the_row() -> None:
    spec = SPECS["within_budget"]
    case = build(spec)
    program, _ = build_program(case, enumerate_options(case))
    row = next(row for row in program.rows if row.family == "within_budget")
    assert row.bound == spec.teams[0].budget
    assert np.allclose(row.coefficients, 2e9 * 5)
