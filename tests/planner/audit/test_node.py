"""The sweep over node ids against a daily ledger that counts every node of every day."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.audit.node import overlapping_pairs

SPANS = st.tuples(st.integers(0, 12), st.integers(1, 6), st.integers(0, 12), st.integers(1, 6))


def _columns(spans: list[tuple[int, int, int, int]]) -> list[np.ndarray[Any, Any]]:
    table = np.array(spans, dtype=np.int64).reshape(len(spans), 4)
    return [table[:, 0], table[:, 0] + table[:, 1], table[:, 2], table[:, 2] + table[:, 3]]


def _swept(columns: list[np.ndarray[Any, Any]]) -> list[tuple[int, int]]:
    return sorted(tuple(pair) for pairs in overlapping_pairs(*columns) for pair in pairs.tolist())


def _ledger(columns: list[np.ndarray[Any, Any]]) -> list[tuple[int, int]]:
    """Who holds node n on day d, node by node and day by day."""
    holders: dict[tuple[int, int], list[int]] = {}
    for row, (first, end, low, high) in enumerate(zip(*columns, strict=True)):
        for day in range(first, end):
            for node in range(low, high):
                holders.setdefault((day, node), []).append(row)
    pairs = {(one, two) for rows in holders.values() for one in rows for two in rows if one < two}
    return sorted(pairs)


@given(st.lists(SPANS, max_size=14))
@settings(max_examples=400, deadline=None)
def test_sweep_finds_what_a_daily_ledger_finds_and_each_pair_once(
    spans: list[tuple[int, int, int, int]],
) -> None:
    columns = _columns(spans)
    assert _swept(columns) == _ledger(columns)


@given(st.lists(SPANS, max_size=14))
@settings(max_examples=100, deadline=None)
def test_chunks_do_not_matter(spans: list[tuple[int, int, int, int]]) -> None:
    import planner.audit.node as node

    columns = _columns(spans)
    whole, node._CHUNK = _swept(columns), 1
    try:
        assert _swept(columns) == whole
    finally:
        node._CHUNK = 2_000_000


def test_million_nodes_and_twenty_thousand_ranges_take_a_moment() -> None:
    """A full pool: 200 blocks of 5,000 nodes, each given anew 100 times."""
    block, turn = np.divmod(np.arange(20_000), 100)
    columns = [turn * 7, turn * 7 + 7, block * 5_000, block * 5_000 + 5_000]
    begun = time.perf_counter()
    assert _swept(columns) == []
    columns[1] = columns[1] + (np.arange(20_000) == 777)  # one run a day too long
    assert _swept(columns) == [(777, 778)]
    assert time.perf_counter() - begun < 10  # 0.1 s measured; a loop over nodes takes minutes


def test_many_double_uses_are_counted_without_listing_all(hand: Any) -> None:
    scenario, plan = hand.scenario(), hand.plan()
    plan["rows"] = [plan["rows"][0]] * 40
    report = hand.audited(scenario, plan)
    told = [v for v in report.violations if v.code == "node-counted-twice"]
    assert len(told) == 51
    assert "730 more" in told[-1].message  # 40 * 39 / 2 - 50
