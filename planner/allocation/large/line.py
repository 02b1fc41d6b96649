"""Lines of rows as they are collected, and the stretches of them in which columns take part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.column import Bools, Floats, Ints

Ints32 = npt.NDArray[np.int32]

__all__ = ["Layer", "Lines", "single"]


@dataclass(frozen=True)
class Layer:
    """For each column one stretch of rows of a line, and one amount in all of them."""

    low: Ints32  # [column] first row
    high: Ints32  # [column] row after the last; equal to `low` where the column takes no part
    amount: Floats  # [column] scaled as the rows are

    def part(self, columns: Ints) -> Layer:
        """The same for some of the columns."""
        return Layer(self.low[columns], self.high[columns], self.amount[columns])


class Lines:
    """Rows and layers as they are collected, in their own units."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.names: list[str] = []
        self.bounds: list[Floats] = []
        self.first: list[int] = [0]
        self.sign: list[float] = []
        self.layers: list[Layer] = []

    def line(self, names: list[str], bounds: Floats, sign: float = 1.0) -> int:
        """A line of rows; its first row."""
        self.names += names
        self.bounds.append(np.asarray(bounds, dtype=np.float64))
        self.sign.append(sign)
        self.first.append(len(self.names))
        return self.first[-2]

    def layer(self) -> Layer:
        """A layer in which no column takes part yet."""
        none = np.zeros(self.columns, dtype=np.int32)
        made = Layer(none, none.copy(), np.zeros(self.columns))
        self.layers.append(made)
        return made

    def scale(self) -> Floats:
        """One over the largest bound of each line, or its largest amount where that is 0. [line]"""
        size = np.array([float(np.abs(bound).max(initial=0.0)) for bound in self.bounds])
        largest = np.zeros(len(size))
        for layer in self.layers:
            used = np.flatnonzero(layer.high > layer.low)
            line = np.searchsorted(self.first, layer.low[used], side="right") - 1
            np.maximum.at(largest, line, np.abs(layer.amount[used]))
        return 1.0 / np.where(size > 0, size, np.where(largest > 0, largest, 1.0))


def single(layer: Layer, mine: Ints | Bools, row: int | Ints, amounts: Floats) -> None:
    """Let the columns `mine` take part in one row each; `amounts` is by column. [column]"""
    mine = np.flatnonzero(mine) if mine.dtype == np.bool_ else mine
    layer.low[mine], layer.high[mine] = row, np.asarray(row) + 1
    layer.amount[mine] = amounts[mine]
