"""Each figure of a device or node tells where it comes from."""

from __future__ import annotations

import pytest

import hardware
from hardware.catalog import device_names
from hardware.errors import UnknownName
from hardware.provenance import describe


@pytest.mark.parametrize("name", device_names())
def test_every_row_has_an_origin(name: str) -> None:
    rows = describe(name)
    figures = [row.figure for row in rows]
    assert len(figures) == len(set(figures))
    assert {"memory", "usable_memory", "memory_bandwidth", "node_power", "scale_out"} <= set(
        figures
    )
    for row in rows:
        assert row.source, row
        assert row.as_of, row
        assert row.mark in ("published", "derived", "assumed", "measured", "stated")
        assert row.replaces == ""


@pytest.mark.parametrize(
    ("name", "figure", "words"),
    [
        ("b300", "usable_memory", "262 to 270"),
        ("b300", "peaks.fp4", "12.6 to 15"),
        ("mi355x", "peaks.bf16", "2.3 PFLOP/s"),
        ("gaudi3", "peaks.bf16", "1835"),
        ("gb300", "tdp", "1100 W"),
        ("trainium3", "link", "704 GB/s"),
        ("ascend_910b", "peaks.bf16", "280 to 400"),
        ("ascend_910b", "memory_bandwidth", "1.6"),
        ("rngd", "tdp", "180 W"),
        ("rebel-quad", "tdp", "300 to 350"),
        ("x330", "memory", "16 or 32"),
    ],
)
def test_disputed_figures_say_so(name: str, figure: str, words: str) -> None:
    rows = {row.figure: row for row in describe(name)}
    assert words in rows[figure].disputed


def test_a_published_node_power_keeps_its_mark_and_a_sum_says_what_it_is() -> None:
    h100 = {row.figure: row for row in describe("h100")}["node_power"]
    assert (h100.value, h100.mark) == (10.2e3, "published")
    mi300x = {row.figure: row for row in describe("mi300x")}["node_power"]
    assert (mi300x.value, mi300x.mark) == (8 * 750 + 4600, "assumed")
    assert "TDP" in mi300x.source


def test_usable_memory_that_nobody_published_is_assumed() -> None:
    row = {row.figure: row for row in describe("gh200")}["usable_memory"]
    assert (row.value, row.mark) == (pytest.approx(0.94 * 141e9), "assumed")


def test_values_agree_with_the_table() -> None:
    table = hardware.load("gb200")
    rows = {row.figure: row.value for row in describe("gb200")}
    assert rows["memory"] == table.memory_bytes[0]
    assert rows["scale_up_size"] == table.scale_up_size[0]
    assert rows["scale_out"] == table.scale_out_bytes_per_s[0]
    assert rows["node_power"] == table.node_power_w[0]


def test_a_node_is_described_too() -> None:
    rows = {row.figure: row for row in describe("hgx_b200")}
    assert rows["hgx_b200.power"].value == 14.3e3
    assert rows["hgx_b200.typical_power"].value == pytest.approx(0.7)


def test_unknown_and_unusable_names() -> None:
    with pytest.raises(UnknownName, match="hgx_b200"):
        describe("hgx_b20")
    with pytest.raises(UnknownName, match="no public specification"):
        describe("rngd-s")
    with pytest.raises(UnknownName, match="planner catalog"):
        describe("qqqq")
