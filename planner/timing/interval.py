"""How far a prediction may be off: the 80 % interval, learnt from sources left out of the fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hardware.column import Floats, Ints
from hardware.table import DeviceTable
from planner.architecture import ModelTable
from planner.stack import FamilyTable, StackTable, family_row

__all__ = ["NORMAL_80", "factor_80"]

NORMAL_80 = 1.2816
"""Half width of the central 80 % of a normal distribution, in standard deviations."""


def factor_80(
    models: ModelTable, devices: DeviceTable, stacks: StackTable, families: FamilyTable
) -> Callable[[Ints, Ints, Ints, Ints], Floats]:
    """
    The factor between a prediction and either end of its 80 % interval, as a function of the row.

    Parameters
    ----------
    models, devices, stacks, families
        The tables of a prediction.

    Returns
    -------
    callable
        Of row numbers of model, device and stack, and of the compute type; gives factors above 1.

    Notes
    -----
    Spreads of stack and family add as independent errors do.

    References
    ----------
    .. [1] R. J. Tibshirani et al., "Conformal prediction under covariate
       shift," NeurIPS 2019: intervals from residuals of data left out.
    """
    family = np.array([family_row(families, name) for name in devices.family], dtype=np.int64)
    of_device = np.square(families.residual_spread[family])
    of_stack = np.square(stacks.residual_spread)

    def factor(model: Ints, device: Ints, stack: Ints, precision: Ints) -> Floats:
        spread = np.sqrt(of_device[device] + of_stack[stack])
        return np.asarray(np.exp(NORMAL_80 * spread), dtype=np.float64)

    return factor
