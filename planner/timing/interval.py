"""How far a prediction may be off: the 80 % interval, learnt from sources left out of the fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hardware.column import Bools, Floats, Ints
from hardware.table import DeviceTable
from planner.architecture import ModelTable
from planner.stack import FamilyTable, StackTable, family_row
from planner.strategy import FP8

__all__ = ["CLASSES", "NORMAL_80", "class_of", "factor_80"]

NORMAL_80 = 1.2816
"""Half width of the central 80 % of a normal distribution, in standard deviations."""

CLASSES = ("residual_spread", "residual_spread_narrow", "residual_spread_experts")
"""Column of the stack that holds the spread of a class: dense 16-bit, narrow types, experts."""


def class_of(has_experts: Bools, precision: Ints) -> Ints:
    """
    Class of a row, an index into `CLASSES`.

    Parameters
    ----------
    has_experts : ndarray of bool
        Whether the model has routed experts. [row]
    precision : ndarray of int
        Compute type. [row]

    Returns
    -------
    ndarray of int
        [row]
    """
    result: Ints = np.where(has_experts, 2, np.where(precision >= FP8, 1, 0))
    return result


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
    The spread of a stack and class, and what a family that nobody measured
    adds, combine as independent errors do.

    References
    ----------
    .. [1] R. J. Tibshirani et al., "Conformal prediction under covariate
       shift," NeurIPS 2019: intervals from residuals of data left out.
    """
    family = np.array([family_row(families, name) for name in devices.family], dtype=np.int64)
    of_device = families.residual_spread[family]
    of_stack = np.stack([getattr(stacks, name) for name in CLASSES])
    table = np.exp(
        NORMAL_80 * np.sqrt(np.square(of_device) + np.square(of_stack)[:, :, None])
    )  # [class, stack, device]
    has_experts = models.experts > 0

    def factor(model: Ints, device: Ints, stack: Ints, precision: Ints) -> Floats:
        result: Floats = table[class_of(has_experts[model], precision), stack, device]
        return result

    return factor
