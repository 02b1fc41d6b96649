"""Contiguous ids: the search against trying every position, and what a plan says of it."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.allocation.answer.assign import _side_by_side
from planner.allocation.answer.contiguous import Held, contiguous_ids
from planner.allocation.answer.placement import PlacementTable
from planner.allocation.offer.block import Block
from planner.allocation.offer.block import blocks as blocks_of
from planner.division import plan_case
from tests.planner.allocation.conftest import J, P, Spec, build


def _fits(blocks: list[Block], held: list[Held], lows: tuple[int, ...]) -> bool:
    there = {
        (i, day)
        for block in blocks
        for i in range(block.first, block.first + block.nodes)
        for first, end in block.spans
        for day in range(first, end)
    }
    for each, low in zip(held, lows, strict=True):
        for cell in itertools.product(
            range(low, low + each.nodes), range(each.start_day, each.end_day)
        ):
            if cell not in there:
                return False
            there.remove(cell)
    return True


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Block], list[Held]]:
    blocks = draw(
        st.sampled_from(
            [
                [Block(0, 5, ((0, 8),))],
                [Block(0, 3, ((0, 8),)), Block(3, 2, ((3, 8),))],
                [Block(0, 2, ((0, 5),)), Block(2, 3, ((0, 8),))],
                [Block(0, 2, ((0, 8),)), Block(2, 1, ((0, 3), (5, 8))), Block(3, 2, ((0, 8),))],
            ]
        )
    )
    held = []
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, 6))
        held.append(Held(start, draw(st.integers(start + 1, 8)), draw(st.integers(1, 3))))
    return blocks, held


@settings(deadline=None, max_examples=400)
@given(questions())
def test_the_search_finds_what_trying_all_finds(question: tuple[list[Block], list[Held]]) -> None:
    blocks, held = question
    lows, is_proof = contiguous_ids(blocks, held)
    exists = any(
        _fits(blocks, held, tried) for tried in itertools.product(range(5), repeat=len(held))
    )
    if lows is None:
        assert is_proof
        assert not exists
    else:
        assert exists
        assert _fits(blocks, held, lows)


def test_a_search_that_is_cut_proves_nothing() -> None:
    held = [Held(0, 2, 2), Held(1, 3, 2), Held(2, 4, 3)]
    assert contiguous_ids([Block(0, 5, ((0, 4),))], held, steps=1) == (None, False)


def spec(is_asked: bool) -> Spec:
    """Single nodes taken one after the other, of which two ends free two that lie apart."""
    jobs = [
        J(tokens=21, nodes=(1,), window=(0, 21)),
        J(tokens=7, nodes=(1,), window=(0, 7)),
        J(tokens=21, nodes=(1,), window=(0, 21)),
        J(tokens=7, nodes=(1,), window=(0, 7)),
        J(tokens=7 * 2**0.9, nodes=(2,), window=(7, 14)),
    ]
    return Spec([P([(0, 28, 4)], contiguous=is_asked)], jobs)


def test_a_pool_that_asks_gets_ids_side_by_side() -> None:
    plan = plan_case(build(spec(False)))
    assert plan.verdict.objective == 5
    plan = plan_case(build(spec(True)))
    assert plan.verdict.objective == 5
    assert not any("," in ids for ids in plan.rows.node_ids)
    assert not any("contiguous" in said for said in plan.warnings)


def test_the_search_mends_what_taking_in_order_leaves_apart() -> None:
    jobs = spec(False).jobs
    case = build(spec(True))
    given = {0: ((0, 1),), 1: ((1, 2),), 2: ((2, 3),), 3: ((3, 4),), 4: ((1, 2), (3, 4))}
    days = [(0, 21), (0, 7), (0, 21), (0, 7), (7, 14)]
    none = np.zeros(5)
    placed = PlacementTable(
        np.arange(5),
        np.arange(5),
        np.zeros(5, dtype=np.int64),
        np.array([job.nodes[0] for job in jobs]),
        np.array([day[0] for day in days]),
        np.array([day[1] for day in days]),
        none,
        none,
    )
    wanted = {row: job.nodes[0] for row, job in enumerate(jobs)}
    mended = _side_by_side(placed, blocks_of(case)[0], wanted, given)
    assert all(len(ranges) == 1 for ranges in mended.values())
    held = [Held(*day, wanted[row]) for row, day in enumerate(days)]
    assert _fits(list(blocks_of(case)[0]), held, tuple(mended[row][0][0] for row in range(5)))


def test_a_plan_says_where_ids_are_apart() -> None:
    # The middle one of three nodes goes after a week.
    deliveries = [(0, 28, 1), (0, 7, 1), (0, 28, 1)]
    for is_asked in (True, False):
        case = build(Spec([P(deliveries, contiguous=is_asked)], [J(tokens=28, nodes=(2,))]))
        plan = plan_case(case)
        assert plan.rows.node_ids == ("0,2",)
        said = [each for each in plan.warnings if "no contiguous ones were found" in each]
        assert len(said) == is_asked
