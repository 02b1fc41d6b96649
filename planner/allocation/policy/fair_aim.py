"""What insertion is after: the worst-off, the product of shares, the least for some work."""

from __future__ import annotations

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.large.board import Board
from planner.allocation.policy.fair_bands import Terms
from planner.allocation.policy.proportions import LEAST_SHARE, log_worth

__all__ = ["LeastFor", "Logarithms", "WorstOff"]

FALL = 0.5  # weight of each consortium over that of the one just worse off
WORK_PART = 1e-3  # weight of all work together beside the worst-off


class _Shared:
    """What consortiums have, from the columns of a board."""

    def __init__(self, terms: Terms, columns: Ints) -> None:
        self.terms, self.columns = terms, columns
        self.heat = 1.0

    def begin(self, board: Board) -> None:
        """Shares and consortiums in the order of the board."""
        runs = self.columns[board.order]
        self.share, self.team = self.terms.share[runs], self.terms.team[runs]
        lead = np.array(board.first[:-1])
        self.of_group, self.most = self.team[lead], np.maximum.reduceat(self.share, lead)

    def have(self, board: Board) -> Floats:
        """What each consortium has. [team]"""
        at = board.chosen[board.chosen >= 0]
        at = at[self.team[at] >= 0]
        many = len(self.terms.teams)
        got = np.bincount(self.team[at], self.share[at], minlength=many)
        return np.asarray(self.terms.offset + got, dtype=np.float64)

    def has_enough(self, board: Board) -> bool:
        """Never."""
        return False

    def _by_team(self, weight: Floats) -> Floats:
        """Weights of consortiums as those of jobs; small where they do not count. [group]"""
        least = 1e-3 * float(weight.max(initial=0.0))
        return np.where(self.of_group >= 0, np.maximum(weight[self.of_group], least), least)


class WorstOff(_Shared):
    """The worst-off first, then the next, by weights that fall; a little for all together."""

    def begin(self, board: Board) -> None:
        """The scale is what one job adds."""
        super().begin(board)
        self.heat = max(float(self.most.mean()), 1e-9)

    def worth(self, board: Board) -> float:
        """Falling weights times what there is, the worst-off first."""
        have = np.sort(self.have(board))
        weight = FALL ** np.arange(len(have))
        return float(weight @ have) + WORK_PART * float(have.mean() if len(have) else 0.0)

    def keen(self, board: Board) -> Floats | None:
        """The worse off, the sooner."""
        have = self.have(board)
        weight = np.empty(len(have))
        weight[np.argsort(have, kind="stable")] = FALL ** np.arange(len(have))
        return self._by_team(weight)


class Logarithms(_Shared):
    """The weighted sum of logarithms of shares."""

    def __init__(self, terms: Terms, columns: Ints, weight: Floats) -> None:
        super().__init__(terms, columns)
        self.weight = weight  # [team]
        self.none = float(log_worth(np.array(0.0)))

    def begin(self, board: Board) -> None:
        """The scale is what one job adds at a share of a half."""
        super().begin(board)
        self.heat = max(float(self.most.mean() * self.weight.mean()) / 0.5, 1e-9)

    def worth(self, board: Board) -> float:
        """Above that of nothing; see `proportions.Proportions.worth`."""
        return float(self.weight @ (log_worth(self.have(board)) - self.none))

    def keen(self, board: Board) -> Floats | None:
        """By what a unit of the share is worth."""
        return self._by_team(self.weight / np.maximum(self.have(board), LEAST_SHARE))


class LeastFor:
    """The least of an amount a column for at least some weighted work."""

    def __init__(self, amount: Floats, work: float, columns: Ints) -> None:
        self.amount, self.work, self.columns = amount, work, columns
        self.heat = 1.0

    def begin(self, board: Board) -> None:
        """The scale is the mean amount of a job, and a unit of work is dearer than any."""
        self.mine = self.amount[self.columns[board.order]]
        lead = self.mine[np.array(board.first[:-1])]
        self.heat = max(float(lead.mean()), 1e-12)
        self.unit = 20.0 * float(lead.sum()) / max(float(board.worth.sum()), 1e-12)

    def worth(self, board: Board) -> float:
        """Less of the amount is better; missing work is worse than all of it."""
        used = float(self.mine[board.chosen[board.chosen >= 0]].sum())
        return -used - self.unit * max(self.work - board.total, 0.0)

    def keen(self, board: Board) -> Floats | None:
        """All alike."""
        return None

    def has_enough(self, board: Board) -> bool:
        """When the work is done."""
        return board.total >= self.work
