"""Units are read exactly, with their dimension checked, and refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import units


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (units.parse_bytes, "80 GB", 80e9),
        (units.parse_bytes, "80GiB", 80 * 2**30),
        (units.parse_bytes_per_s, "3.35 TB/s", 3.35e12),
        (units.parse_bytes_per_s, "400 Gbit/s", 50e9),
        (units.parse_flop_per_s, "989 TFLOP/s", 989e12),
        (units.parse_flop_per_s, "512 TOP/s", 512e12),
        (units.parse_power_w, "10.2 kW", 10200.0),
        (units.parse_hertz, "1.83 GHz", 1.83e9),
        (units.parse_duration_s, "5 us", 5e-6),
        (units.parse_duration_s, "14 days", 14 * 86400.0),
        (units.parse_duration_s, "60s", 60.0),
        (units.parse_duration_s, "1 month", units.MONTH_S),
        (units.parse_frac, "25%", 0.25),
        (units.parse_frac, 0.25, 0.25),
        (units.parse_tokens, "8.2 T", 8.2e12),
        (units.parse_tokens, "8.2T tokens", 8.2e12),
        (units.parse_tokens, "500 bn", 500e9),
        (units.parse_tokens, 1e12, 1e12),
        (units.parse_tokens, "1,000,000", 1e6),
        (units.parse_tokens_per_s, "2.6 ktokens/s", 2600.0),
        (units.parse_money, "40 bn KRW", (40e9, "KRW")),
        (units.parse_money, "2.95 USD", (2.95, "USD")),
        (units.parse_price, "3.6 USD / device-hour", (0.001, "USD", "device")),
        (units.parse_price, "86400 KRW/node-day", (1.0, "KRW", "node")),
        (units.parse_energy_price, "182 KRW / kWh", (182 / 3.6e6, "KRW")),
    ],
)
def test_reads(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "fragment"),
    [
        (units.parse_bytes_per_s, "80 GB", "which is an amount of memory"),
        (units.parse_bytes, "3.35 TB/s", "which is a data rate"),
        (units.parse_flop_per_s, "989", "with its unit"),
        (units.parse_flop_per_s, "989 TFLOPS", "989 TFLOP/s"),
        (units.parse_frac, 25, "0 to 1"),
        (units.parse_frac, "-1%", "0 to 1"),
        (units.parse_tokens, "10 GB", "8.2 T"),
        (units.parse_tokens, True, "8.2 T"),
        (units.parse_tokens, None, "8.2 T"),
        (units.parse_duration_s, "3", "duration"),
        (units.parse_money, "40 bn", "currency"),
        (units.parse_price, "3 KRW", "a price"),
        (units.parse_price, "3 KRW / hour", "a price"),
        (units.parse_energy_price, "182 KRW", "tariff"),
        (units.parse_bytes, "nan GB", "80 GB"),
        (units.parse_bytes, "1e999 GB", "80 GB"),
    ],
)
def test_refuses_with_the_value_and_an_example(parse, text, fragment):
    with pytest.raises(ValueError, match="expected") as caught:
        parse(text)
    assert repr(text) in str(caught.value)
    assert fragment in str(caught.value)


@given(st.floats(min_value=1e-3, max_value=1e6), st.sampled_from(["", "k", "M", "G", "T", "P"]))
def test_a_prefix_scales_exactly_once(number, prefix):
    scale = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}[prefix]
    assert units.parse_bytes(f"{number!r} {prefix}B") == pytest.approx(number * scale, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(3.35e12, "B/s", "3.35 TB/s"), (0, "W", "0 W"), (999.9, "W", "1 kW"), (0.5, "W", "0.5 W")],
)
def test_formats_with_one_prefix(value, unit, text):
    assert units.format_si(value, unit) == text
