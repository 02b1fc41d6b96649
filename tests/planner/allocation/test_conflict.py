"""Conflicts are as small as any, and repairs are enough: against every subset of the promises."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from planner.allocation.conflict.hitting import hitting_set
from planner.allocation.conflict.repair import cheapest_repair
from planner.allocation.conflict.smallest import conflict
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.families import build_program
from planner.allocation.program.row import AT_LEAST, AT_MOST, Program, violation
from planner.allocation.solver.engine import ENGINES
from tests.planner.allocation.conftest import J, P, Spec, T, build

ASK = ENGINES["highs"]


def can_keep(program: Program, groups: tuple[str, ...]) -> bool:
    """Whether some choice keeps the rows of some groups, by another front end."""
    rows = [row for row in program.rows if row.group in groups]
    many = len(program.columns.names)
    if any(len(row.columns) == 0 and violation(row, np.zeros(many)) > 0 for row in rows):
        return False
    if many == 0 or not rows:
        return True
    matrix = np.zeros((len(rows), many))
    low, high = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
    for at, row in enumerate(rows):
        np.add.at(matrix[at], row.columns, row.coefficients)
        if row.sense != AT_MOST:
            low[at] = row.bound
        if row.sense != AT_LEAST:
            high[at] = row.bound
    answer = milp(
        np.zeros(many),
        constraints=LinearConstraint(matrix, low, high),
        bounds=Bounds(np.zeros(many), program.columns.upper),
        integrality=program.columns.is_integer.astype(int),
    )
    assert answer.status in (0, 2), answer.message
    return bool(answer.status == 0)


def asking_too_much(seed: int) -> Program:
    """A small program with floors, budgets, caps and pools that often cannot all be kept."""
    dice = np.random.default_rng(seed)
    teams = [
        T(
            floor=float(dice.choice([0.0, 0.3, 0.8, 1.4])),
            budget=float(dice.choice([-1.0, 15.0, 40.0])),
            cap=float(dice.choice([0.0, 1.0, 2.0])),
        )
        for _ in range(int(dice.integers(1, 4)))
    ]
    jobs = [
        J(
            team=int(dice.integers(0, len(teams))),
            tokens=float(dice.uniform(3, 30)),
            nodes=tuple(sorted(dice.choice([1, 2, 3], 2, replace=False).tolist())),
            identity=int(dice.integers(0, 4)) if dice.random() < 0.3 else None,
            preemptible=bool(dice.random() < 0.2),
        )
        for _ in range(int(dice.integers(2, 6)))
    ]
    pools = [P([(0, 28, int(dice.integers(1, 4)))]) for _ in range(int(dice.integers(1, 3)))]
    case = build(Spec(pools, jobs, teams, share=float(dice.choice([0.0, 0.4]))))
    return build_program(case, enumerate_options(case))[0]


@pytest.fixture(scope="module")
def hopeless() -> list[Program]:
    programs = [asking_too_much(seed) for seed in range(120)]
    found = [p for p in programs if not can_keep(p, tuple({row.group for row in p.rows}))]
    assert len(found) >= 40
    return found


def test_no_conflict_is_smaller(hopeless: list[Program]) -> None:
    sizes = set()
    for program in hopeless:
        found = conflict(program, ASK)
        groups = tuple(dict.fromkeys(row.group for row in program.rows))
        assert found.is_smallest
        assert not can_keep(program, found.groups)
        sizes.add(len(found.groups))
        for fewer in range(1, len(found.groups)):
            assert all(can_keep(program, some) for some in combinations(groups, fewer))
    assert len(sizes) >= 3, "conflicts of several sizes are tried"


def test_what_a_repair_gives_is_enough(hopeless: list[Program]) -> None:
    for program in hopeless:
        repair = cheapest_repair(program, ASK, time_limit_s=10.0)
        assert repair.words
        given = dict(repair.amounts)
        rows = tuple(
            replace(row, bound=row.bound - row.sense * given.get(row.repair, 0.0) / row.unit)
            for row in program.rows
        )
        every = tuple({row.group for row in rows})
        eased = replace(program, rows=rows)
        assert repair.point is not None
        assert all(violation(row, repair.point) <= 1e-6 * max(abs(row.bound), 1) for row in rows)
        assert can_keep(eased, every)


def test_without_time_an_honest_answer_and_a_repair(hopeless: list[Program]) -> None:
    for program in hopeless[:10]:
        found = conflict(program, lambda task: replace(ASK(task), point=None), time_limit_s=5.0)
        assert found.repair, "giving up the floors always helps"
        assert not can_keep(program, found.groups)
        silent = conflict(program, _broken, time_limit_s=0.5)
        assert not silent.is_smallest or len(silent.groups) == 1
        assert silent.repair
        assert not can_keep(program, silent.groups)
        if not silent.is_smallest:
            assert "perhaps not the smallest" in silent.sentences[0]
            assert "may be 100 % smaller" in silent.sentences[1], "nothing is known of the least"


def _broken(task):
    raise RuntimeError("no solver")


def test_few_numbers_that_meet_every_set() -> None:
    dice = np.random.default_rng(0)
    for _ in range(200):
        sets = [
            frozenset(dice.choice(8, int(dice.integers(1, 5)), replace=False).tolist())
            for _ in range(int(dice.integers(1, 9)))
        ]
        found = hitting_set(sets)
        assert found is not None
        assert all(one.intersection(found) for one in sets)
        for fewer in combinations(range(8), len(found) - 1):
            assert not all(one.intersection(fewer) for one in sets)
    assert hitting_set([frozenset({2 * at, 2 * at + 1}) for at in range(40)], steps=20) is None


def test_a_conflict_beside_the_named_one_is_told() -> None:
    def asked(*floors: float) -> Program:
        pools = [P([(0, 28, 1)]) for _ in floors]
        teams = [T(floor=floor, budget=10.0) for floor in floors]
        jobs = [J(team=at, tokens=28, nodes=(1,)) for at in range(len(floors))]
        case = build(Spec(pools, jobs, teams))
        return build_program(case, enumerate_options(case))[0]

    told = "other promises cannot all be kept either, even with these mended"
    one, two = conflict(asked(0.9, 0.0), ASK), conflict(asked(0.9, 0.9), ASK)
    assert one.is_alone
    assert told not in one.sentences
    assert not two.is_alone
    assert two.sentences[1] == told


def test_others_are_told_only_where_no_choice_keeps_them(hopeless: list[Program]) -> None:
    told = 0
    for program in hopeless:
        found = conflict(program, ASK)
        if not found.is_alone:
            told += 1
            repaired = cheapest_repair(program, ASK, time_limit_s=20.0)
            given = {gift for gift, _ in repaired.amounts}
            mended = {
                r.group for r in program.rows if r.group in found.groups and r.repair in given
            }
            gifts = {r.repair for r in program.rows if r.group in mended}
            rest = tuple(
                dict.fromkeys(
                    r.group for r in program.rows
                    if r.group not in mended and r.repair not in gifts
                )
            )  # fmt: skip
            assert not can_keep(program, rest)
    assert told
