"""Prices are dated, never guessed, and the same money in every unit and currency."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hardware
from hardware.catalog import device_names
from hardware.price import TERMS, capital, price_rows, quote

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_every_price_is_of_a_known_device_and_dated() -> None:
    rows = price_rows()
    assert set(rows.device) <= set(device_names())
    assert set(rows.term) == set(TERMS)
    assert set(rows.kind) == {"offer", "survey", "model"}
    assert (rows.usd_per_device_s > 0).all()
    assert (rows.devices >= 1).all()
    assert all(
        as_of[:2] == "20" and source for as_of, source in zip(rows.as_of, rows.source, strict=True)
    )


def test_a_quote_is_the_median_of_each_providers_newest_rows() -> None:
    found = quote("h100", date="2026-06-30")
    hours = sorted((found.rows.usd_per_device_s * 3600).round(4).tolist())
    # AWS of 2026-03, Nebius, Verda and Google of the 2025 catalogue; later prices left out.
    assert hours == [2.29, 2.95, 6.88, 14.099]
    assert found.median_usd_per_device_s == pytest.approx((2.95 + 6.88) / 2 / 3600)
    assert found.low_usd_per_device_s == pytest.approx(2.29 / 3600)
    assert found.high_usd_per_device_s == pytest.approx(14.099 / 3600)
    assert "4 prices of providers" in found.reason
    newer = quote("h100", provider="nebius")
    assert (newer.rows.usd_per_device_s * 3600).round(4).tolist() == [3.85]


def test_a_region_finds_its_own_rows() -> None:
    seoul = quote("h100", region="seoul")
    assert (seoul.rows.usd_per_device_s * 3600).round(3).tolist() == [14.099]
    assert set(quote("a100", region="kr").rows.provider) == {"Samsung Cloud Platform"}


def test_surveys_count_only_where_no_provider_asks() -> None:
    assert set(quote("h100").rows.kind) == {"offer"}
    owned = quote("h100", term="owned")
    assert set(owned.rows.kind) == {"model"}
    assert "no provider's own price" in owned.reason


@pytest.mark.parametrize("device", ["rngd", "atom", "rebel", "x330", "h20"])
def test_an_unknown_price_is_none_with_a_reason(device: str) -> None:
    found = quote(device, region="kr", provider="SKT", date="2026-01-01")
    assert found.median_usd_per_device_s is None
    assert found.low_usd_per_device_s is None
    assert len(found.rows) == 0
    assert found.reason.startswith("no on_demand price of")
    assert "provider SKT, region kr, date up to 2026-01-01" in found.reason


def test_an_unknown_term_or_device_is_refused() -> None:
    with pytest.raises(hardware.UnknownName, match="on_demand"):
        quote("h100", term="ondemand")
    with pytest.raises(hardware.UnknownName, match="h100"):
        quote("h1000")


def test_capital_is_told_a_device_and_in_its_currency() -> None:
    servers = [row for row in capital("b200") if row.per == "server"]
    assert {(row.item, row.typical, row.devices) for row in servers} == {
        ("8-GPU HGX B200 server", 450000.0, 8),
        ("DGX B200", 515000.0, 8),
    }
    won = [row for row in capital() if row.currency == "KRW"]
    assert len(won) == 3
    assert all(row.as_of and row.source for row in capital())
    assert capital("rngd") == ()


@given(hours=st.floats(min_value=0.01, max_value=1e4))
def test_the_same_money_in_every_unit(
    tmp_path_factory: pytest.TempPathFactory, hours: float
) -> None:
    rate = 1395.0
    texts = [
        f"{hours!r} USD / device-hour",
        f"{hours * 8!r} USD / node-hour",
        f"{hours * 24!r} USD / device-day",
        f"{hours * rate!r} KRW / device-hour",
        f"{hours * rate * 8 * 24 * 7 / 1e6!r} M KRW / node-week",
    ]
    lines = [f"  - {{device: h100, provider: P{i}, term: spot, price: {text}}}"
             for i, text in enumerate(texts)]  # fmt: skip
    path = tmp_path_factory.mktemp("own") / "prices.yaml"
    head = "source: a contract\nas_of: 2026-11\nprices:\n"
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    own = price_rows(files=[path]).usd_per_device_s[-len(texts) :]
    np.testing.assert_allclose(own, hours / 3600, rtol=1e-12)


@pytest.mark.skipif(not DATA.is_dir(), reason="the collected data is not beside this checkout")
def test_prices_and_capital_agree_with_the_collected_data() -> None:
    with (DATA / "prices.csv").open(encoding="utf-8", newline="") as stream:
        collected = [
            (row["accelerator_id"], row["provider"], row["pricing"], row["instance_or_term"],
             round(float(row["usd_per_device_hour"]), 6), row["source"])
            for row in csv.DictReader(stream)
        ]  # fmt: skip
    with (DATA / "capital_and_power.csv").open(encoding="utf-8", newline="") as stream:
        bought = list(csv.DictReader(stream))
    owned = [row for row in bought if row["quantity_unit"] == "USD/device-hour"]
    rows = price_rows()
    shipped = [
        (rows.device[i], rows.provider[i], rows.term[i], rows.offer[i],
         round(float(rows.usd_per_device_s[i]) * 3600, 6), rows.source[i])
        for i in range(len(rows))
    ]  # fmt: skip
    assert sorted(row for row in shipped if row[2] != "owned") == sorted(collected)
    assert {(row[0], row[4]) for row in shipped if row[2] == "owned"} == {
        (row["accelerator_id"], float(row["value_typical"])) for row in owned
    }
    items = {row.item: row.typical for row in capital()}
    rest = [row for row in bought if row not in owned and row["item"] not in items]
    for row in bought:
        if row["item"] in items:
            typical = items[row["item"]]
            assert (f"{typical:g}" if typical else "") == (
                f"{float(row['value_typical']):g}" if row["value_typical"] else ""
            )
    # What is neither bought nor hired stands in the economy sheet.
    assert {row["quantity_unit"] for row in rest} == {"KRW/kWh", "ratio", "KRW per USD"}
    tariffs = {round(hardware.tariff(name).value * 3.6e6, 4) for name in (
        "kepco_eul", "kepco_gap", "korea_industrial_survey")}  # fmt: skip
    assert tariffs == {
        float(row["value_typical"])
        for row in rest
        if row["quantity_unit"] == "KRW/kWh" and row["value_typical"]
    }


def test_a_single_price_is_no_median() -> None:
    asked = quote("tpu_v7")
    assert len(asked.rows) == 1
    assert asked.reason == "one price of a provider, dated 2026-07-01"
