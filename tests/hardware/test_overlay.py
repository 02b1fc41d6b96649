"""Sheets of a user add and override figures, and every fault of one is told in its place."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hardware
from hardware.errors import InputError
from hardware.inherit import inherit, merge
from hardware.spec import Accelerator, HardwareSheet
from hardware.table import PRECISIONS

Write = Callable[..., Path]

HEAD = """
source: our test bench
as_of: 2026-11-01
basis: {dense: true, per: device, direction: one_way}
"""
NEW_DEVICE = """
accelerators:
  house_npu:
    title: House NPU
    vendor: House
    family: house
    kind: npu
    training: claimed
    node: house_box
    aliases: [hnpu]
    memory: 100 GB
    memory_bandwidth: 2 TB/s
    peaks: {bf16: 500 TFLOP/s}
    tdp: 400 W
    link: 100 GB/s
nodes:
  house_box:
    title: House box
    devices: 4
    fabric: house_net
    nics: 2
    host_power: {value: 1 kW, per: node}
fabrics:
  house_net: {title: House network, port: 40 GB/s}
prices:
  - {device: hnpu, provider: House, term: owned, price: 5580 KRW / node-hour, region: KR}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a sheet and hand back its path."""

    def to_file(text: str, name: str = "own.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def faults(path: Path) -> list[tuple[str, str, int]]:
    """Code, field and line of each fault."""
    with pytest.raises(InputError) as caught:
        hardware.open_catalogue([path])
    return [(one.code, one.where.field, one.where.line) for one in caught.value.diagnostics]


def test_a_new_device_its_node_and_its_price(write: Write) -> None:
    path = write(HEAD + NEW_DEVICE)
    table = hardware.load("HNPU", "h100", files=[path])
    assert table.names == ("house_npu", "h100_sxm5_80gb")
    assert table.usable_memory_bytes[0] == pytest.approx(94e9)
    assert table.scale_up_size[0] == 4
    assert table.scale_out_bytes_per_s[0] == 20e9
    assert table.node_power_w[0] == 2600
    quote = hardware.quote("hnpu", term="owned", files=[path])
    assert quote.median_usd_per_device_s == pytest.approx(1 / 3600)
    assert quote.rows.provider == ("House",)


def test_an_override_keeps_everything_else_and_says_what_it_replaces(write: Write) -> None:
    path = write(HEAD + "accelerators:\n  h100:\n    peaks: {fp8: 1.9 PFLOP/s}\n    tdp: 650 W\n")
    own, shipped = hardware.load("h100", files=[path]), hardware.load("h100")
    fp8 = PRECISIONS.index("fp8")
    assert own.peak_flop_per_s[0, fp8] == 1.9e15
    assert own.tdp_w[0] == 650
    kept = [i for i in range(len(PRECISIONS)) if i != fp8]
    assert own.peak_flop_per_s[0, kept].tolist() == shipped.peak_flop_per_s[0, kept].tolist()
    assert own.usable_memory_bytes[0] == shipped.usable_memory_bytes[0]
    rows = {row.figure: row for row in hardware.describe("h100", files=[path])}
    assert rows["peaks.fp8"].replaces.startswith("1979 TFLOP/s (stas00/ml-engineering")
    assert (rows["tdp"].source, rows["tdp"].as_of) == ("our test bench", "2026-11-01")
    assert rows["peaks.bf16"].replaces == ""


def test_the_shipped_catalogue_is_untouched_by_an_override(write: Write) -> None:
    before = hardware.load("h100").memory_bytes[0]
    hardware.load("h100", files=[write(HEAD + "accelerators:\n  h100: {memory: 96 GB}\n")])
    assert hardware.load("h100").memory_bytes[0] == before == 80e9


def test_another_capacity_drops_what_was_measured_on_the_old_one(write: Write) -> None:
    path = write(HEAD + "accelerators:\n  h100: {memory: 96 GB}\n")
    assert hardware.load("h100", files=[path]).usable_memory_bytes[0] == pytest.approx(0.94 * 96e9)


def test_a_later_file_wins(write: Write) -> None:
    first = write(HEAD + "accelerators:\n  h100: {tdp: 650 W, memory: 96 GB}\n", "a.yaml")
    second = write(HEAD + "accelerators:\n  h100: {tdp: 600 W}\n", "b.yaml")
    table = hardware.load("h100", files=[first, second])
    assert (table.tdp_w[0], table.memory_bytes[0]) == (600, 96e9)


def test_a_node_is_overridden(write: Write) -> None:
    path = write(HEAD + "nodes:\n  hgx_h100: {nics: 4, power: {value: 9 kW, per: node}}\n")
    table = hardware.load("h100", files=[path])
    assert (table.scale_out_bytes_per_s[0], table.node_power_w[0]) == (25e9, 9000)


def test_money_of_an_own_sheet_wins(write: Write) -> None:
    path = write(
        HEAD + "exchange: {KRW: 1400}\nelectricity: {mine: 140 KRW / kWh}\npue: {mine: 1.2}\n"
    )
    assert hardware.usd(1400, "KRW", files=[path]) == 1
    assert hardware.tariff_usd_per_j("mine", files=[path]) == pytest.approx(0.1 / 3.6e6)
    assert hardware.pue("mine", files=[path]).value == 1.2


def test_a_figure_without_origin_does_not_load(write: Write) -> None:
    found = faults(write("accelerators:\n  h100:\n    peaks:\n      bf16: 900 TFLOP/s\n"))
    wanted = ("source", "as_of", "dense", "per")
    place = "accelerators.h100.peaks.bf16"
    assert sorted(found) == sorted(("missing-field", f"{place}.{name}", 4) for name in wanted)


def test_a_sparse_peak_or_a_sum_of_both_directions_does_not_load(write: Write) -> None:
    path = write("""
source: a brochure
as_of: 2026
basis: {per: device}
accelerators:
  h100:
    peaks: {bf16: {value: 1979 TFLOP/s, dense: false}}
    link: {value: 900 GB/s, direction: both}
""")
    assert faults(path) == [
        ("unknown-choice", "accelerators.h100.peaks.bf16.dense", 7),
        ("unknown-choice", "accelerators.h100.link.direction", 8),
    ]


def test_all_faults_of_a_sheet_at_once(write: Write) -> None:
    path = write(HEAD + """
accelerators:
  h100:
    memory_bandwidth: 80 GB
    memry: 80 GB
  h100_sxm5_80g:
    tdp: 700 W
  a100: {node: hgx_a10}
nodes:
  hgx_h100: {fabric: ib_ndr40, power: {value: 10 GB, per: node}}
""")  # fmt: skip
    with pytest.raises(InputError) as caught:
        hardware.open_catalogue([path])
    found = {one.where.field: one for one in caught.value.diagnostics}
    assert found["accelerators.h100.memory_bandwidth"].code == "unit-mismatch"
    assert found["accelerators.h100.memory_bandwidth"].where.line == 8
    assert "`memory`" in found["accelerators.h100.memry"].hint
    assert "`h100_sxm5_80gb`" in found["accelerators.h100_sxm5_80g"].hint
    assert found["nodes.hgx_h100.power"].code == "unit-mismatch"


def test_names_that_nothing_answers_to_are_told_in_place(write: Write) -> None:
    path = write(HEAD + """
accelerators:
  a100: {node: hgx_a10}
nodes:
  hgx_h100: {fabric: ib_ndr40, holds: [h100, h20000]}
prices:
  - {device: h10, provider: A, term: spot, price: 1 USD / device-hour}
  - {device: h100, provider: A, term: spot, price: 1 XYZ / device-hour}
""")  # fmt: skip
    with pytest.raises(InputError) as caught:
        hardware.open_catalogue([path])
    found = {one.where.field: (one.code, one.where.line) for one in caught.value.diagnostics}
    assert found == {
        "accelerators.a100.node": ("unknown-node", 7),
        "nodes.hgx_h100.fabric": ("unknown-fabric", 9),
        "nodes.hgx_h100.holds[1]": ("unknown-device", 9),
        "prices[0].device": ("unknown-device", 11),
        "prices[1].price": ("unknown-currency", 12),
    }


def test_one_device_named_twice_in_a_sheet(write: Write) -> None:
    text = "accelerators:\n  h100: {tdp: 1 W}\n  h100_sxm5_80gb: {tdp: 2 W}\n"
    assert faults(write(HEAD + text)) == [("named-twice", "accelerators.h100_sxm5_80gb", 7)]


@pytest.mark.parametrize(
    "text", ["[]", "accelerators: 3", "accelerators: {h100: 3}", "accelerators: {h100: {peaks: 3}}",
             "prices: {a: 1}", "accelerators: {h100: {memory: [1, 2]}}", "sources: 5",
             "accelerators: {h100: {memory: null}}", "accelerators: {h100: {memory: {}}}",
             "nodes: {hgx_h100: {nics: 1.5}}", "nodes: {hgx_h100: {nics: 0}}", "pue: {a: 0.5}",
             "exchange: {KRW: -1}", "accelerators: {h100: {tdp: -5 W}}", "sources: {a: 3}",
             "accelerators: {3: {memory: 4 GB}}", "basis: 3"],
)  # fmt: skip
def test_misshapen_sheets_are_refused_in_words(write: Write, text: str) -> None:
    head = "" if text[0] == "[" or text.startswith("basis") else HEAD
    with pytest.raises(InputError) as caught:
        hardware.open_catalogue([write(head + text)])
    assert all(one.where.line > 0 for one in caught.value.diagnostics)


def test_a_measurement_above_an_overridden_peak_is_refused(write: Write) -> None:
    path = write(HEAD + "accelerators:\n  h100:\n    peaks: {bf16: 700 TFLOP/s}\n")
    with pytest.raises(InputError, match=r"matmul\.bf16"):
        hardware.load("h100", files=[path])
    path = write(HEAD + "accelerators:\n  h100:\n    peaks: {bf16: 700 TFLOP/s}\n"
                 "    matmul: {bf16: 600 TFLOP/s}\n")  # fmt: skip
    table = hardware.load("h100", files=[path])
    assert table.matmul_frac[0, PRECISIONS.index("bf16")] == pytest.approx(600 / 700)


def test_an_unusable_device_becomes_usable_with_figures(write: Write) -> None:
    text = NEW_DEVICE.replace("house_npu", "furiosa_rngd_max")
    table = hardware.load("rngd-max", files=[write(HEAD + text)])
    assert table.names == ("furiosa_rngd_max",)


def test_a_figure_with_its_own_source_does_not_take_the_date_of_another() -> None:
    data = {
        "sources": {
            "a": {"title": "Paper A", "as_of": "2024-01"},
            "b": {"title": "B", "as_of": "2025"},
        },
        "source": "a",
        "pue": {
            "one": 1.2,
            "two": {"value": 1.3, "source": "b"},
            "three": {"value": 1.4, "source": "a letter"},
            "four": {"value": 1.5, "source": ["a", "b"], "as_of": "2026"},
        },
    }  # fmt: skip
    read = inherit(data, HardwareSheet)["pue"]
    assert read["one"] == {"value": 1.2, "source": "Paper A", "as_of": "2024-01"}
    assert read["two"] == {"value": 1.3, "source": "B", "as_of": "2025"}
    assert read["three"] == {"value": 1.4, "source": "a letter"}
    assert read["four"] == {"value": 1.5, "source": "Paper A; B", "as_of": "2026"}


def test_merge_leaves_the_shipped_data_alone() -> None:
    shipped = {"memory": {"value": "80 GB", "source": "s", "as_of": "2024"}, "peaks": {}}
    merged = merge(shipped, {"memory": {"value": "96 GB", "source": "t"}}, Accelerator)
    assert merged["memory"]["replaces"] == "80 GB (s, 2024)"
    assert shipped["memory"]["value"] == "80 GB"


FIGURES = {
    "memory": ("B", "GB", "MB", 1000),
    "memory_bandwidth": ("B/s", "TB/s", "GB/s", 1000),
    "link": ("B/s", "GB/s", "Gbit/s", 8),
    "tdp": ("W", "kW", "W", 1000),
}


@given(
    name=st.sampled_from(sorted(FIGURES)),
    amount=st.decimals(min_value="0.001", max_value="9999", places=3),
)
def test_scaling_a_unit_changes_nothing(name: str, amount: Decimal) -> None:
    _, large, small, factor = FIGURES[name]
    read = []
    for text in (f"{amount} {large}", f"{amount * factor} {small}"):
        own = {"accelerators": {"x": {name: text}}, "source": "s", "as_of": "2026",
               "basis": {"per": "device", "direction": "one_way"}}  # fmt: skip
        shipped = {key: value for key, value in _H100.items() if key != name}
        entry = merge(shipped, inherit(own, HardwareSheet)["accelerators"]["x"], Accelerator)
        read.append(getattr(Accelerator.model_validate(entry), name).value)
    assert read[0] == read[1]


def _shipped_h100() -> dict[str, object]:
    from hardware.shipped import shipped_data

    return dict(shipped_data("nvidia_hopper.yaml")["accelerators"]["h100_sxm5_80gb"])


_H100 = _shipped_h100()


def test_the_schema_for_editors_allows_what_loading_allows() -> None:
    schema = HardwareSheet.model_json_schema()
    parts = schema["$defs"]
    assert all("required" not in parts[name] for name in ("Accelerator", "Node", "Fabric"))
    assert set(parts["PriceEntry"]["required"]) == {"device", "price", "provider", "term"}
    peak = parts["Peaks"]["properties"]["bf16"]["anyOf"][0]["anyOf"]
    assert peak[0] == {"type": "string"}
    assert {"dense", "source", "as_of", "disputed"} <= set(peak[1]["properties"])
