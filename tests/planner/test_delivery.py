"""Which node ids of a pool can be used on which days."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.delivery import DeliveryTable, available_nodes, delivery_blocks, layout_blocks
from planner.scenario import Horizon, Pool

HORIZON = Horizon.model_validate({"from": "2026-01-01", "to": "2026-04-10"})
SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 6)), max_size=8)


def pool(nodes: int, *windows: dict[str, Any]) -> Pool:
    return Pool.model_validate(
        {"device": "b200", "nodes": nodes, "price": "0 KRW / device-day", "windows": windows}
    )


def rows(table: DeliveryTable) -> list[tuple[int, ...]]:
    columns = (table.first_day, table.end_day, table.first_id, table.end_id)
    return [tuple(map(int, row)) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize(
    ("given_pool", "expected"),
    [
        pytest.param(pool(4), [(0, 100, 0, 4)], id="no windows: the whole horizon"),
        pytest.param(
            pool(4, {"to": "2026-01-10"}, {"from": "2026-02-01"}),
            [(0, 10, 0, 4), (31, 100, 0, 4)],
            id="windows without nodes: the same nodes at several times",
        ),
        pytest.param(
            pool(4, {"to": "2026-01-20"}, {"from": "2026-01-11"}),
            [(0, 100, 0, 4)],
            id="windows without nodes that overlap are one",
        ),
        pytest.param(
            pool(4, {"to": "2026-01-10"}, {"from": "2026-01-11", "to": "2026-01-20"}),
            [(0, 20, 0, 4)],
            id="windows without nodes that touch are one",
        ),
        pytest.param(
            pool(12, {"nodes": 8}, {"from": "2026-01-11", "nodes": 4}),
            [(0, 100, 0, 8), (10, 100, 8, 12)],
            id="deliveries that overlap are laid one after the other",
        ),
        pytest.param(
            pool(8, {"to": "2026-01-10", "nodes": 4}, {"from": "2026-01-11", "nodes": 8}),
            [(0, 10, 0, 4), (10, 100, 0, 8)],
            id="deliveries that do not overlap are the same nodes",
        ),
        pytest.param(
            pool(4, {"from": "2025-06-01", "to": "2025-12-31"}, {"nodes": 0}),
            [],
            id="no day or no node: no delivery",
        ),
        pytest.param(
            pool(4, {"from": "2025-12-01", "to": "2026-12-01"}),
            [(0, 100, 0, 4)],
            id="cut to the horizon",
        ),
    ],
)
def test_blocks(given_pool: Pool, expected: list[tuple[int, ...]]) -> None:
    assert rows(delivery_blocks(given_pool, HORIZON)) == expected


@given(SPANS)
@settings(max_examples=300, deadline=None)
def test_on_any_day_blocks_are_disjoint_and_add_up(spans: list[tuple[int, int, int]]) -> None:
    table = layout_blocks(spans)
    for day in range(21):
        ids = [
            node
            for first, end, low, high in rows(table)
            if first <= day < end
            for node in range(low, high)
        ]
        assert len(ids) == len(set(ids))
        assert len(ids) == sum(nodes for first, end, nodes in spans if first <= day < end)


@given(SPANS, st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_available_nodes_are_the_fewest_of_any_day(
    spans: list[tuple[int, int, int]], asked: list[tuple[int, int]]
) -> None:
    table = layout_blocks(spans)
    first = np.array([day for day, _ in asked], dtype=np.int64)
    end = first + np.array([days for _, days in asked], dtype=np.int64)
    a_day = [sum(n for f, e, n in spans if f <= day < e) for day in range(40)]
    expected = [min(a_day[a:b]) for a, b in zip(first, end, strict=True)]
    assert available_nodes(table, first, end).tolist() == expected


def test_windows_say_days_of_dates() -> None:
    table = delivery_blocks(pool(2, {"from": "2026-01-31", "to": "2026-02-01"}), HORIZON)
    first = HORIZON.first + datetime.timedelta(int(table.first_day[0]))
    assert first == datetime.date(2026, 1, 31)
    assert int(table.end_day[0] - table.first_day[0]) == 2
