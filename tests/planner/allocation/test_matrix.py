"""Arrays that HiGHS takes in one go: the program as PuLP would hand it over, term for term."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pulp
import pytest

from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.matrix import matrix_of, row_factor, scale_of
from planner.allocation.program.problem import to_pulp
from planner.allocation.program.row import AT_LEAST, EQUAL, ColumnTable, Program, row_of
from planner.allocation.solver.highs import loaded
from planner.allocation.solver.task import Task
from tests.planner.allocation.conftest import J, P, Spec, T, build
from tests.planner.allocation.test_program import SPECS

MIXED = Spec(
    [P([(0, 28, 4)], price=2e9), P([(0, 10, 1), (5, 28, 1)])],
    [
        J(tokens=20, value=1.0, nodes=(1, 2), after=(1,)),
        J(tokens=9, value=2.0, nodes=(1,)),
        J(tokens=9, value=3.0, nodes=(1,), preemptible=True, partial=True),
    ],
    [T(budget=2e11, floor=0.1, cap=9.0)],
)


def handed_over(program: Program, minimise: np.ndarray) -> dict[str, object]:
    """What PuLP's own HiGHS class builds, by name of column and order of rows."""
    problem, _ = to_pulp(program, minimise)
    solver = pulp.HiGHS(msg=False)
    solver.createAndConfigureSolver(problem)
    solver.buildSolverModel(problem)
    exported = getattr(problem, "exported_variables", problem.variables)()
    return seen(problem.solverModel, [variable.name for variable in exported])


def seen(model: object, names: list[str]) -> dict[str, object]:
    """A program as HiGHS holds it."""
    lp = model.getLp()
    whole = list(lp.integrality_) or [0] * len(names)
    sheet = np.zeros((lp.num_row_, lp.num_col_))
    matrix = lp.a_matrix_
    is_by_row = "Row" in str(matrix.format_)
    starts = np.array(matrix.start_)
    for outer in range(lp.num_row_ if is_by_row else lp.num_col_):
        part = slice(starts[outer], starts[outer + 1])
        for inner, amount in zip(matrix.index_[part], matrix.value_[part], strict=True):
            at = (outer, inner) if is_by_row else (inner, outer)
            assert sheet[at] == 0
            sheet[at] = amount
    columns = {
        name: (lp.col_cost_[at], lp.col_lower_[at], lp.col_upper_[at], int(whole[at]),
               tuple(sheet[:, at]))
        for at, name in enumerate(names)
    }  # fmt: skip
    rows = list(zip(lp.row_lower_, lp.row_upper_, strict=True))
    return {"columns": columns, "rows": rows, "sense": int(lp.sense_)}


def ours(program: Program, minimise: np.ndarray, **words: object) -> dict[str, object]:
    task = Task(program, minimise, **words)
    model = loaded(task, matrix_of(program, minimise))
    return seen(model, list(program.columns.names))


@pytest.mark.parametrize("spec", [*SPECS.values(), MIXED], ids=[*SPECS, "mixed"])
def test_the_arrays_are_what_pulp_hands_over(spec: Spec) -> None:
    case = build(spec)
    program, _ = build_program(case, enumerate_options(case))
    for minimise in (-program.columns.value, program.columns.cost + 1.0):
        by_pulp, by_us = handed_over(program, minimise), ours(program, minimise)
        assert by_us["sense"] == by_pulp["sense"]
        assert by_us["rows"] == by_pulp["rows"]
        # PuLP leaves out columns that no row and no objective has.
        missing = set(by_us["columns"]) - set(by_pulp["columns"])
        assert {name: by_us["columns"][name] for name in by_pulp["columns"]} == by_pulp["columns"]
        assert all(not any(by_us["columns"][name][4]) for name in missing)


def drawn(seed: int) -> Program:
    """A program that means nothing: senses, sizes, repeated columns, zeros and empty rows."""
    dice = np.random.default_rng(seed)
    many = int(dice.integers(1, 9))
    columns = ColumnTable(
        tuple(f"run{at:06d}" for at in range(many)),
        dice.integers(1, 4, many).astype(np.float64),
        dice.random(many) < 0.7,
        dice.normal(size=many),
        dice.random(many),
    )
    rows = tuple(
        row_of(
            f"row_{number}",
            dice.integers(0, many, int(dice.integers(0, 7))),
            1.0,
            family="any",
            group="any",
            sentence="any",
            sense=int(dice.integers(-1, 2)),
            bound=float(dice.normal()),
        )
        for number in range(int(dice.integers(0, 6)))
    )
    sizes = [10.0 ** dice.integers(-5, 10) * dice.integers(0, 3, len(row.columns)) for row in rows]
    pairs = zip(rows, sizes, strict=True)
    return Program(columns, tuple(replace(row, coefficients=size) for row, size in pairs))


@pytest.mark.parametrize("seed", range(60))
def test_the_arrays_mean_what_the_rows_mean(seed: int) -> None:
    program = drawn(seed)
    minimise = program.columns.cost * 3e9
    matrix = matrix_of(program, minimise)
    kept = [row for row in program.rows if len(row.columns)]
    assert len(matrix.lower) == len(kept) == len(matrix.first) - 1
    for at, row in enumerate(kept):
        sheet = np.zeros(len(minimise))
        np.add.at(sheet, row.columns, row.coefficients)
        terms = slice(matrix.first[at], matrix.first[at + 1])
        found = np.zeros(len(minimise))
        found[matrix.column[terms]] = matrix.amount[terms]
        assert len(set(matrix.column[terms].tolist())) == terms.stop - terms.start
        assert (found == sheet * row_factor(row)).all()
        bound = row.bound * row_factor(row)
        assert matrix.lower[at] == (bound if row.sense in (AT_LEAST, EQUAL) else -np.inf)
        assert matrix.upper[at] == (np.inf if row.sense == AT_LEAST else bound)
    assert (matrix.cost == minimise * scale_of(minimise)).all()
    assert handed_over(program, minimise)["rows"] == ours(program, minimise)["rows"]


def test_a_relaxed_program_has_no_whole_columns() -> None:
    case = build(MIXED)
    program, _ = build_program(case, enumerate_options(case))
    relaxed = ours(program, -program.columns.value, is_relaxed=True)
    assert {column[3] for column in relaxed["columns"].values()} == {0}
    whole = ours(program, -program.columns.value)
    assert {column[3] for column in whole["columns"].values()} == {0, 1}


def test_a_factor_is_a_power_of_two_that_brings_a_row_near_one() -> None:
    for size, scaled in ((5e9, True), (3e-5, True), (250.0, False), (0.0, False)):
        row = row_of("row", np.array([0, 1]), np.array([size, -size / 3]), family="any",
                     group="any", sentence="any")  # fmt: skip
        factor = row_factor(row)
        assert (factor != 1.0) == scaled
        assert np.log2(factor) == round(np.log2(factor))
        assert not scaled or 1.0 <= size * factor < 2.0
