"""Kernel times: each ceiling bounds, shapes cost what they should, hiding never helps too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.roofline import (
    exposed_s,
    host_bound_s,
    kernel_s,
    linear_s,
    product_s,
    traffic_s,
)

RATES = {
    "flop_per_s": 8e14,
    "bytes_per_s": 2.5e12,
    "fill_elements": 1.3e6,
    "ramp_depth": 128.0,
}
widths = st.integers(min_value=1, max_value=65536)
times = st.floats(min_value=0.0, max_value=1e6)
lasting = st.floats(min_value=1e-12, max_value=1e6)
shares = st.floats(min_value=0.0, max_value=1.0)


def test_kernel_is_bound_by_the_slower_ceiling() -> None:
    assert float(kernel_s(2e12, 1e9, flop_per_s=1e15, bytes_per_s=2e12)) == 2e-3
    assert float(kernel_s(1e6, 4e12, flop_per_s=1e15, bytes_per_s=2e12)) == 2.0


def test_traffic_is_bytes_over_bandwidth() -> None:
    assert traffic_s(np.array([2e12, 0.0]), 1e12).tolist() == [2.0, 0.0]


@given(widths, widths, widths)
def test_product_is_never_faster_than_its_ceilings(m: int, n: int, k: int) -> None:
    time = float(product_s(m, n, k, **RATES))
    assert time >= 2.0 * m * n * k / RATES["flop_per_s"] * (1 - 1e-12)
    assert time >= 2.0 * (m * n + m * k + n * k) / RATES["bytes_per_s"] * (1 - 1e-12)


@given(widths, widths, widths, st.integers(min_value=0, max_value=4096))
def test_longer_product_never_takes_less(m: int, n: int, k: int, more: int) -> None:
    short = float(product_s(m, n, k, **RATES))
    for longer in ((m + more, n, k), (m, n + more, k), (m, n, k + more)):
        assert float(product_s(*longer, **RATES)) >= short


def test_efficiency_rises_with_size_and_nears_the_attainable_rate() -> None:
    sizes = np.array([256, 1024, 4096, 16384, 65536])
    times = product_s(sizes, sizes, sizes, **RATES)
    reached = 2.0 * sizes.astype(float) ** 3 / times / RATES["flop_per_s"]
    assert (np.diff(reached) > 0).all()
    assert reached[0] < 0.1
    assert 0.99 < reached[-1] < 1.0


def test_thin_product_is_slower_an_operation() -> None:
    """Cutting the columns eightfold, as tensor parallelism does, saves less than eightfold."""
    whole = float(product_s(2048, 8192, 8192, **RATES))
    cut = float(product_s(2048, 1024, 8192, **RATES))
    assert whole / 8 < cut < whole


def test_groups_of_one_are_a_plain_product() -> None:
    assert product_s(512, 512, 512, groups=1.0, **RATES) == product_s(512, 512, 512, **RATES)


def test_many_small_groups_cost_more_than_one_large_product() -> None:
    large = linear_s(4096.0, 4096.0, 1024.0, **RATES)
    small = linear_s(64.0, 4096.0, 1024.0, groups=64.0, **RATES)
    assert small[0] >= large[0]
    assert small[1] > large[1]


def test_backward_of_a_linear_layer_is_two_products() -> None:
    forward, backward = linear_s(4096.0, 4096.0, 4096.0, **RATES)
    assert backward == pytest.approx(2.0 * forward)


@given(times, times, shares)
def test_exposed_lies_between_nothing_and_the_whole(
    transfer: float, window: float, overlap: float
) -> None:
    rest = float(exposed_s(transfer, window, overlap))
    assert rest + 1e-9 * transfer >= 0.0
    assert rest <= transfer
    assert rest >= transfer - window - 1e-9 * transfer


@given(lasting, lasting)
def test_host_never_saves_time(device: float, host: float) -> None:
    lost = float(host_bound_s(device, host))
    assert lost >= -1e-6 * device
    assert device + lost >= max(device, host) * (1 - 1e-6)
