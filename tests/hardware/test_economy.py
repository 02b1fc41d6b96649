"""Exchange, tariffs and PUE carry their date, and electricity follows from them."""

from __future__ import annotations

import numpy as np
import pytest

import hardware
from hardware.economy import electricity_usd_per_device_s, exchange_rate, pue, tariff, usd
from hardware.errors import UnknownName


def test_the_rate_says_when_and_from_where() -> None:
    rate = exchange_rate("KRW")
    assert (rate.value, rate.as_of) == (1395.0, "2026-08")
    assert rate.source
    assert usd(5, "USD") == 5


def test_the_korean_pue_is_said_to_be_assumed() -> None:
    assert pue("korea").mark == "assumed"
    assert pue("industry").mark == "published"


def test_unknown_names_carry_near_matches() -> None:
    with pytest.raises(UnknownName, match="KRW"):
        exchange_rate("KWR")
    with pytest.raises(UnknownName, match="kepco_eul"):
        tariff("kepco_eull")
    with pytest.raises(UnknownName, match="korea") as caught:
        pue("koera")
    assert caught.value.diagnostics[0].code == "unknown-choice"  # a code that has a page


def test_electricity_of_an_h100_hour_by_hand() -> None:
    # 10.2 kW over 8 devices at PUE 1.3 and 182.7 KRW a kWh: 302.8 KRW, as published notes say.
    per_j = hardware.tariff_usd_per_j("kepco_eul")
    cost = electricity_usd_per_device_s(10.2e3, 8, usd_per_j=per_j, pue=1.3)
    assert float(cost) * 3600 * 1395 == pytest.approx(302.8, abs=0.1)


def test_electricity_broadcasts() -> None:
    cost = electricity_usd_per_device_s(
        np.array([[8e3], [16e3]]), 8, usd_per_j=1e-7, pue=np.array([1.0, 1.5])
    )
    np.testing.assert_allclose(cost, [[1e-4, 1.5e-4], [2e-4, 3e-4]])
