"""Tables are frozen columns of one length without NaN."""

from dataclasses import dataclass

import numpy as np
import pytest

from hardware.column import Floats, row_count, seal, take, to_columns


@dataclass(frozen=True)
class Table:
    names: tuple[str, ...]
    speed: Floats

    def __post_init__(self) -> None:
        seal(self)


def test_columns_are_read_only_and_of_one_length():
    table = Table(("a", "b"), np.array([1.0, 2.0]))
    assert row_count(table) == 2
    with pytest.raises(ValueError, match="read-only"):
        table.speed[0] = 3.0
    with pytest.raises(ValueError, match="unequal length"):
        Table(("a",), np.array([1.0, 2.0]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_number_that_is_none(bad):
    with pytest.raises(ValueError, match="non-finite"):
        Table(("a",), np.array([bad]))


def test_take_cuts_every_column_alike():
    table = take(Table(("a", "b", "c"), np.array([1.0, 2.0, 3.0])), [2, 0])
    assert table.names == ("c", "a")
    assert table.speed.tolist() == [3.0, 1.0]
    assert to_columns(table)["names"] == ("c", "a")
