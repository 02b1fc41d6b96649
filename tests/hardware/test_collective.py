"""Collectives: nothing for a group of one, bandwidth for large arrays, latency for small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.collective import all_reduce_s, all_to_all_s, gather_s, point_to_point_s
from hardware.topology import group_bytes_per_s, members_inside, spans_domains

groups = st.integers(min_value=1, max_value=4096)
sizes = st.floats(min_value=0.0, max_value=1e12)
rates = st.floats(min_value=1e9, max_value=1e12)
RING = {"bytes_per_s": 1e11, "latency_s": 1e-5}


def test_group_of_one_exchanges_nothing() -> None:
    assert float(gather_s(1e9, 1, **RING)) == 0.0
    assert float(all_reduce_s(1e9, 1, tree_latency_s=1e-3, **RING)) == 0.0


def test_ring_moves_all_but_its_own_part() -> None:
    assert float(gather_s(8e11, 8, bytes_per_s=1e11, latency_s=0.0)) == pytest.approx(7.0)


def test_all_reduce_of_a_large_array_is_two_gathers() -> None:
    two = 2.0 * float(gather_s(1e11, 8, **RING))
    assert float(all_reduce_s(1e11, 8, tree_latency_s=1e-4, **RING)) == pytest.approx(two)


def test_small_array_on_many_ranks_takes_the_tree() -> None:
    ring = 2.0 * float(gather_s(1e3, 1024, **RING))
    tree = float(all_reduce_s(1e3, 1024, tree_latency_s=2e-4, **RING))
    assert tree < ring / 10


@given(sizes, groups, rates, rates)
def test_more_bandwidth_is_never_slower(moved: float, group: int, slow: float, fast: float) -> None:
    slow, fast = min(slow, fast), max(slow, fast)
    for collective in (
        lambda rate: gather_s(moved, group, bytes_per_s=rate, latency_s=1e-6),
        lambda rate: all_reduce_s(
            moved, group, bytes_per_s=rate, latency_s=1e-6, tree_latency_s=1e-5
        ),
        lambda rate: point_to_point_s(moved, bytes_per_s=rate, latency_s=1e-6),
        lambda rate: all_to_all_s(
            moved, moved, scale_up_bytes_per_s=1e12, scale_out_bytes_per_s=rate, latency_s=0.0
        ),
    ):
        assert float(collective(fast)) <= float(collective(slow))


def test_all_to_all_waits_for_the_slower_level() -> None:
    time = all_to_all_s(
        9e9, 1e9, scale_up_bytes_per_s=3e11, scale_out_bytes_per_s=2e10, latency_s=1e-5
    )
    assert float(time) == pytest.approx(0.05 + 1e-5)


@given(groups, groups, st.integers(min_value=1, max_value=9216))
def test_members_inside_are_within_group_and_domain(group: int, stride: int, domain: int) -> None:
    inside = float(members_inside(group, stride, domain))
    assert 1.0 <= inside <= group
    assert inside == 1.0 or inside * stride <= domain
    assert float(spans_domains(group, inside)) >= 1.0


def test_ring_across_nodes_is_bound_by_their_joint_interfaces() -> None:
    rate = {"scale_up_bytes_per_s": 4.5e11, "scale_out_bytes_per_s": 5e10}
    got = group_bytes_per_s(np.array([8.0, 8.0, 1.0]), np.array([1.0, 4.0, 4.0]), **rate)
    assert got.tolist() == [4.5e11, 4e11, 5e10]
