"""Goodput against simulation, published runs and its limits; power and energy beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.energy import energy_j, money_usd, node_power_w, run_power_w
from planner.goodput import checkpoint_interval_s, goodput, spare_nodes, useful_frac

INTERVALS = st.floats(60.0, 1e5)


@given(interval=INTERVALS, write=st.floats(0.0, 600.0), restart=st.floats(0.0, 3600.0),
       mean=st.floats(600.0, 1e8))  # fmt: skip
def test_useful_part_is_a_fraction_and_failures_lower_it(
    interval: float, write: float, restart: float, mean: float
) -> None:
    useful = float(useful_frac(interval, write, restart, mean))
    assert 0.0 <= useful <= 1.0
    assert float(useful_frac(interval, write, restart, 2 * mean)) >= useful - 1e-9
    assert float(useful_frac(interval, write + 1.0, restart, mean)) <= useful + 1e-9


@given(write=st.floats(1.0, 60.0), mean=st.floats(1e4, 1e7))
def test_youngs_interval_is_near_the_best(write: float, mean: float) -> None:
    best = float(checkpoint_interval_s(write, mean))
    here = float(useful_frac(best, write, 600.0, mean))
    for factor in (0.5, 0.8, 1.25, 2.0):
        assert float(useful_frac(factor * best, write, 600.0, mean)) <= here + 2e-3


def test_the_closed_form_agrees_with_a_simulation() -> None:
    random = np.random.default_rng(7)
    interval, write, restart, mean = 3000.0, 120.0, 400.0, 20_000.0
    wall, done = 0.0, 0
    while done < 20_000:
        need = interval + write
        while True:
            failure = random.exponential(mean)
            if failure >= need:
                wall += need
                break
            wall += failure
            while (again := random.exponential(mean)) < restart:
                wall += again
            wall += restart
        done += 1
    assert done * interval / wall == pytest.approx(
        float(useful_frac(interval, write, restart, mean)), rel=0.01
    )


def test_llama_3_405b_had_more_than_nine_tenths() -> None:
    # 16,384 H100, 54 days: effective training time above 90 %, one interruption in 3.1 hours.
    table = goodput([16384], [405e9])
    assert 0.90 < table.goodput_frac[0] < 0.95
    assert 1.0 / table.failures_per_s[0] / 3600 == pytest.approx(3.1, rel=0.01)


def test_more_devices_lower_goodput_and_more_spares_are_needed() -> None:
    table = goodput([64, 512, 4096, 16384], [70e9] * 4)
    assert (np.diff(table.goodput_frac) < 0).all()
    assert (np.diff(table.spare_nodes) >= 0).all()


def test_work_without_state_needs_no_checkpoint() -> None:
    assert goodput([64], [0.0]).goodput_frac[0] == pytest.approx(0.99, abs=0.005)


def test_spares_cover_the_mean_under_repair() -> None:
    assert float(spare_nodes(2048, 8 / (50_700 * 3600))) >= 2048 * 8 / 50_700 * 24


def test_power_lies_between_idle_and_maximum() -> None:
    assert float(run_power_w(10_000, 0.0, 0.0)) == pytest.approx(10_000 * (0.3 + 0.7 * 0.35))
    assert float(run_power_w(10_000, 1.0, 0.0)) == 10_000
    # Most of a dense run multiplies: 82 % of the rated maximum was the largest draw measured.
    assert 7_500 < float(run_power_w(10_200, 0.6, 0.1)) < 8_800


def test_energy_and_its_price() -> None:
    assert float(energy_j(1000.0, 3600.0, pue=1.3)) == pytest.approx(1.3 * 3.6e6)
    assert float(money_usd(3.6e6, 0.131 / 3.6e6)) == pytest.approx(0.131)


def test_a_node_without_published_power_is_derived_from_its_devices() -> None:
    power = node_power_w([10_200, 0.0], [700, 700], [8, 8])
    assert power.tolist() == [10_200, 700 * 8 * 1.45]
