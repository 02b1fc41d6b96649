"""Power that a run draws by what its devices do, and the energy and money that follow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hardware.column import Floats

__all__ = ["PUE", "energy_j", "money_usd", "node_power_w", "run_power_w"]

PUE = 1.3
"""Facility power over IT power when nobody states it; assumed. The industry's weighted mean is
1.54 (Uptime Institute 2025), one large fleet's 1.09."""

_IDLE_FRAC = 0.30
"""Part of a node's maximum drawn with idle devices: fans, hosts, network, leakage; assumed."""
_TRAFFIC_FRAC = 0.75
"""Power over idle while moving memory, as a part of that while multiplying; assumed."""
_WAIT_FRAC = 0.35
"""The same while communicating or waiting; assumed."""
_NODE_OVER_TDP = 1.45
"""Node power over the sum of its devices' TDP where no node figure is published. Air-cooled
boxes of eight devices draw 1.8 times (DGX H100 10.2 kW), liquid-cooled racks about 1.2 times."""


def node_power_w(
    node_power_w: npt.ArrayLike, tdp_w: npt.ArrayLike, devices_per_node: npt.ArrayLike
) -> Floats:
    """
    Maximum power of a node, from its devices where the node's own is unpublished.

    Parameters
    ----------
    node_power_w : array_like
        Published maximum, 0 where there is none. [W]
    tdp_w : array_like
        Power of a device. [W]
    devices_per_node : array_like
        Devices of a node.

    Returns
    -------
    ndarray
        [W]

    Notes
    -----
    Assumes that hosts, fans and network add 45 % to the devices.

    References
    ----------
    .. [1] NVIDIA, "DGX H100 user guide," electrical specifications, 2023.
    """
    derived = np.multiply(tdp_w, devices_per_node) * _NODE_OVER_TDP
    result: Floats = np.where(np.greater(node_power_w, 0), node_power_w, derived)
    return result


def run_power_w(
    maximum_w: npt.ArrayLike,
    multiplying_frac: npt.ArrayLike,
    moving_frac: npt.ArrayLike,
    *,
    goodput_frac: npt.ArrayLike = 1.0,
) -> Floats:
    """
    Mean power of a node at the wall over a run.

    Parameters
    ----------
    maximum_w : array_like
        Maximum power of the node. [W]
    multiplying_frac, moving_frac : array_like
        Parts of the step in which devices multiply matrices, and in which
        they move memory.
    goodput_frac : array_like
        Part of wall time that trains; the rest idles.

    Returns
    -------
    ndarray
        [W], between 30 % and 100 % of the maximum.

    Notes
    -----
    Linear in the time that each kind of work takes. The largest draw measured
    in training on one node of eight H100 was 82 % of its rated maximum [1]_.

    References
    ----------
    .. [1] I. Latif et al., "Empirical measurements of AI training power demand
       on a GPU-accelerated node," arXiv 2412.08602, 2024.

    Examples
    --------
    >>> float(run_power_w(10_000.0, 1.0, 0.0))
    10000.0
    """
    multiplying = np.asarray(multiplying_frac, dtype=np.float64)
    moving = np.asarray(moving_frac, dtype=np.float64)
    waiting = np.maximum(1.0 - multiplying - moving, 0.0)
    active = np.minimum(multiplying + _TRAFFIC_FRAC * moving + _WAIT_FRAC * waiting, 1.0)
    result: Floats = np.multiply(
        maximum_w, _IDLE_FRAC + (1 - _IDLE_FRAC) * active * np.asarray(goodput_frac)
    )
    return result


def energy_j(power_w: npt.ArrayLike, duration_s: npt.ArrayLike, *, pue: npt.ArrayLike) -> Floats:
    """
    Energy that a facility draws for a run.

    Parameters
    ----------
    power_w : array_like
        IT power. [W]
    duration_s : array_like
        Wall time. [s]
    pue : array_like
        Facility power over IT power.

    Returns
    -------
    ndarray
        [J]

    Notes
    -----
    Cooling and losses grow in proportion to IT power.

    References
    ----------
    .. [1] ISO/IEC 30134-2:2016, power usage effectiveness.

    Examples
    --------
    >>> float(energy_j(1000.0, 3600.0, pue=1.0))
    3600000.0
    """
    result: Floats = np.multiply(np.multiply(power_w, duration_s), pue)
    return result


def money_usd(energy_j: npt.ArrayLike, price_usd_per_j: npt.ArrayLike) -> Floats:
    """
    Price of energy.

    Parameters
    ----------
    energy_j : array_like
        [J]
    price_usd_per_j : array_like
        Tariff. [USD/J]

    Returns
    -------
    ndarray
        [USD]

    Notes
    -----
    One tariff for all hours; demand charges are not modelled.

    References
    ----------
    .. [1] KEPCO, industrial service tariff, 2024-10-24.
    """
    result: Floats = np.multiply(energy_j, price_usd_per_j)
    return result
