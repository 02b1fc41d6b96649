"""What insertion builds a plan for: the most work, or whatever else a policy is after."""

from __future__ import annotations

from typing import Protocol

from hardware.column import Floats
from planner.allocation.large.board import Board

__all__ = ["MostWork", "SearchAim"]


class SearchAim(Protocol):
    """How good a plan on a board is, and which jobs would make it better."""

    heat: float
    """By how much a plan may be worse at first; the scale of the search."""

    def begin(self, board: Board) -> None:
        """Look at a board before it is filled; its columns lie in the order of `board.order`."""

    def worth(self, board: Board) -> float:
        """What is to be made large; rows that are short do not count in it."""

    def keen(self, board: Board) -> Floats | None:
        """By how much sooner each job is tried; None for all alike. [group]"""

    def has_enough(self, board: Board) -> bool:
        """Whether nothing more need be put in."""


class MostWork:
    """The most weighted work."""

    heat = 1.0

    def begin(self, board: Board) -> None:
        """The mean value of the first columns is the scale."""
        self.heat = float(board.value[board.first[:-1]].mean())

    def worth(self, board: Board) -> float:
        """The value of what is placed."""
        return board.total

    def keen(self, board: Board) -> Floats | None:
        """All alike."""
        return None

    def has_enough(self, board: Board) -> bool:
        """Never."""
        return False
