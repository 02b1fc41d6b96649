"""Shares of the work asked for and the worth of their product, and a bound by touching it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats
from planner.allocation.policy.goal import shares
from planner.allocation.program.register import Register
from planner.allocation.program.row import Program

__all__ = ["LEAST_SHARE", "Proportions", "log_worth", "proportions", "touching"]

LEAST_SHARE = 1e-3
"""Below this share the logarithm goes on as its tangent, so that nothing is worth minus infinity
and a consortium that no plan can serve does not decide the rest."""


def log_worth(share: Floats) -> Floats:
    """
    Logarithm of a share from `LEAST_SHARE` on, below it the tangent there; concave.

    Examples
    --------
    >>> float(log_worth(np.array(1.0))), round(float(log_worth(np.array(0.0))), 3)
    (0.0, -7.908)
    """
    share = np.asarray(share, dtype=np.float64)
    held = np.maximum(share, LEAST_SHARE)
    return np.asarray(np.log(held) + np.minimum(share - LEAST_SHARE, 0.0) / LEAST_SHARE)


@dataclass(frozen=True)
class Proportions:
    """Shares of the consortiums that can get any, and their weights."""

    matrix: Floats  # [consortium, column] share a unit of the column
    weight: Floats  # [consortium]
    names: tuple[str, ...]

    def worth(self, point: Floats) -> float:
        """Weighted sum of `log_worth` above that of nothing; not negative."""
        return self.worth_of(self.matrix @ point)

    def worth_of(self, share: Floats) -> float:
        """The same from shares. [consortium]"""
        return float(self.weight @ (log_worth(share) - log_worth(np.array(0.0))))


def proportions(register: Register, program: Program) -> Proportions:
    """Shares of the weighted work asked for, without the weights, and the weights."""
    matrix, able = shares(register, program)
    weight = register.case.consortium_weight[list(able)]
    names = tuple(register.case.consortium_names[at] for at in able)
    return Proportions(matrix[list(able)] * weight[:, None], weight, names)


def touching(mine: Proportions, share: Floats) -> tuple[Floats, float]:
    """
    The tangent of the weighted sum of logarithms at some shares, which lies above it.

    Returns
    -------
    (ndarray [consortium], float)
        Worth of a unit of each share there, w_c / s_c, and what is added to their sum.
    """
    slope = mine.weight / np.maximum(share, LEAST_SHARE)
    return slope, mine.worth_of(share) - float(slope @ share)
