"""The device table keeps its contract and shows itself on one screen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import hardware
from hardware.column import take
from hardware.table import PRECISIONS, DeviceTable


def test_columns_carry_their_precision() -> None:
    columns = hardware.load("h100", "gaudi3").to_columns()
    assert columns["bf16_peak_flop_per_s"].tolist() == [989e12, 1677e12]
    assert columns["fp8_matmul_frac"][1] == pytest.approx(1289.5 / 1677)
    assert len(columns) == len(dataclasses.fields(DeviceTable)) - 2 + 2 * len(PRECISIONS)
    assert all(len(column) == 2 for column in columns.values())


def test_a_frame_has_a_row_a_device() -> None:
    pytest.importorskip("pandas")
    frame = hardware.load("h100", "gaudi3").to_frame()
    assert frame["names"].tolist() == ["h100_sxm5_80gb", "gaudi3"]
    assert frame["vendor"].dtype == "category"


def test_the_text_fits_a_screen() -> None:
    lines = repr(hardware.load()).splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) <= 45
    assert lines[-1] == f"and {len(hardware.device_names()) - 40} more"
    assert "[device: 2]" in repr(hardware.load("h100", "b200"))


def test_rows_by_name_and_by_number() -> None:
    table = hardware.load("h100", "b200", "mi300x")
    assert table.row("mi300x") == 2
    with pytest.raises(ValueError, match="gaudi3"):
        table.row("gaudi3")
    cut = take(table, np.array([2, 0, 2]))
    assert cut.names == ("mi300x", "h100_sxm5_80gb", "mi300x")
    assert cut.peak_flop_per_s.shape == (3, len(PRECISIONS))


def test_columns_of_unequal_length_are_refused() -> None:
    table = hardware.load("h100", "b200")
    with pytest.raises(ValueError, match="unequal"):
        dataclasses.replace(table, tdp_w=np.array([700.0]))
    with pytest.raises(ValueError, match="non-finite"):
        dataclasses.replace(table, tdp_w=np.array([700.0, np.nan]))
