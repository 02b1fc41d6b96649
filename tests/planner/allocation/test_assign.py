"""Node ids: every count that fits gets ids that stay, in ranges, also from a million nodes."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.allocation.answer.assign import assign_nodes, ranges_text
from planner.allocation.answer.placement import PlacementTable
from planner.allocation.offer.block import blocks, free_nodes, nests, node_rows
from planner.allocation.offer.option import enumerate_options
from planner.allocation.program.register import Register
from planner.division import plan_case
from tests.planner.allocation.conftest import J, P, Spec, build


def test_blocks_follow_the_deliveries() -> None:
    case = build(Spec([P([(0, 28, 64), (14, 28, 32), (0, 14, 8)])], [J()]))
    (here,) = blocks(case)
    assert [(b.first, b.nodes, b.spans) for b in here] == [
        (0, 72, ((0, 28),)),
        (72, 24, ((14, 28),)),
    ]
    assert nests(here)
    assert node_rows(here, np.array([0, 13, 14])).tolist() == [72, 72, 96]


def test_nesting_is_told() -> None:
    def nested(*deliveries: tuple[int, int, int]) -> bool:
        return nests(blocks(build(Spec([P(list(deliveries))], [J()])))[0])

    assert nested((0, 28, 2), (7, 28, 2), (9, 28, 1))
    assert nested((0, 28, 2), (0, 20, 2))
    assert not nested((0, 20, 2), (7, 28, 2))
    assert not nested((0, 28, 1), (7, 14, 1))
    assert not nested((0, 7, 1), (14, 28, 1))
    assert nested()


def _placed(rows: list[tuple[int, int, int]]) -> PlacementTable:
    nodes, start, end = np.array(rows, dtype=np.int64).reshape(-1, 3).T.copy()
    zero = np.zeros(len(rows), dtype=np.int64)
    return PlacementTable(zero, zero, zero, nodes, start, end, zero * 1.0, zero * 1.0)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_whatever_fits_by_count_gets_ids_where_blocks_nest(data: st.DataObject) -> None:
    grows = data.draw(st.booleans())
    edges = data.draw(st.lists(st.integers(0, 27), min_size=1, max_size=4))
    deliveries = [(e, 28, data.draw(st.integers(1, 5))) for e in edges]
    if not grows:
        deliveries = [(0, 28 - first, nodes) for first, _, nodes in deliveries]
    case = build(Spec([P(deliveries)], [J(tokens=1, nodes=(1,))]))
    register = Register(case, enumerate_options(case))
    here = register.options.blocks[0]
    assert nests(here)
    room = node_rows(here, np.arange(28))
    rows: list[tuple[int, int, int]] = []
    for _ in range(data.draw(st.integers(1, 12))):
        start = data.draw(st.integers(0, 27))
        end = data.draw(st.integers(start + 1, 28))
        stay = int(free_nodes(here, np.int64(start), np.int64(end)))
        most = min(stay, int(room[start:end].min()))
        if most > 0:
            nodes = data.draw(st.integers(1, most))
            rows.append((nodes, start, end))
            room[start:end] -= nodes
    placed = _placed(rows)
    held = np.zeros((28, 32), dtype=np.int64)
    for (nodes, start, end), ranges in zip(
        rows, assign_nodes(register, placed, np.zeros(register.offsets["end"])), strict=True
    ):
        assert sum(high - low for low, high in ranges) == nodes
        for low, high in ranges:
            held[start:end, low:high] += 1
            for block in here:
                if low < block.first + block.nodes and high > block.first:
                    assert block.holds(start, end)
    assert held.max(initial=0) <= 1


def test_a_pool_that_counts_fit_but_ids_do_not_is_planned_rightly() -> None:
    # Day by day one node is enough for both, but neither delivery stays for both runs.
    pool = P([(0, 14, 1), (7, 28, 1)])
    jobs = [J(tokens=14, nodes=(1,)), J(tokens=14, nodes=(1,), window=(7, 21))]
    plan = plan_case(build(Spec([pool], jobs)))
    assert plan.jobs.placed.tolist() == [True, True]
    assert sorted(plan.rows.node_ids) == ["0", "1"]
    through = [J(tokens=20, nodes=(1,), window=(0, 21))]
    assert not plan_case(build(Spec([pool], through))).jobs.placed.any()


def test_a_million_nodes_stay_ranges() -> None:
    jobs = [J(tokens=3e6, nodes=(400_000,), value=1 + at) for at in range(5)]
    began = time.monotonic()
    plan = plan_case(build(Spec([P([(0, 28, 1_000_000)])], jobs)))
    assert time.monotonic() - began < 20
    assert plan.jobs.placed.sum() >= 2
    assert all(len(ids) < 40 for ids in plan.rows.node_ids)


@pytest.mark.parametrize(
    ("ranges", "text"),
    [(((0, 64), (70, 71)), "0-63,70"), (((5, 6),), "5"), (((70, 72), (1, 2)), "1,70-71")],
)
def test_ranges_are_written_with_both_ends(ranges: object, text: str) -> None:
    assert ranges_text(ranges) == text  # type: ignore[arg-type]
