"""What failures, checkpoints, restarts and maintenance leave of the wall-clock time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardware.column import Floats, seal

__all__ = [
    "CHECKPOINT_BYTES_PER_PARAMETER",
    "DEVICE_S_PER_FAILURE",
    "MAINTENANCE_FRAC",
    "RESTART_S",
    "STORAGE_BYTES_PER_S",
    "GoodputTable",
    "checkpoint_interval_s",
    "checkpoint_write_s",
    "goodput",
    "spare_nodes",
    "useful_frac",
]

DEVICE_S_PER_FAILURE = 50_700 * 3600.0
"""Device-seconds between unexpected interruptions: Llama 3 405B, 16,384 H100, 54 days, 419
interruptions (arXiv 2407.21783, section 3.3.4). Meta's research clusters on A100 saw 8,100
device-hours at 1,024 GPUs (arXiv 2410.21680); new batches fail more often."""

RESTART_S = 600.0
"""Detection, rescheduling, loading and warm-up after an interruption; assumed."""

CHECKPOINT_BYTES_PER_PARAMETER = 14.0
"""Weights in 16 bit, 32-bit main weights and two Adam states."""

STORAGE_BYTES_PER_S = 2e9
"""Sustained write a node to the checkpoint store; assumed."""

MAINTENANCE_FRAC = 0.01
"""Wall time of planned maintenance; assumed."""

_REPAIR_S = 24 * 3600.0
"""Time until a failed node is back; assumed. Spares cover the nodes under repair."""

_DEFAULT_NODE = 8

_SHORTEST_INTERVAL_S = 60.0
"""Nobody writes checkpoints more often, and work without state needs none; assumed."""


@dataclass(frozen=True)
class GoodputTable:
    """Useful part of wall time and what it rests on. [row]"""

    goodput_frac: Floats  # [row] useful training time over wall time
    failures_per_s: Floats  # [row] interruptions of the whole job
    checkpoint_write_s: Floats  # [row] training stands still while one is written
    checkpoint_interval_s: Floats  # [row] between checkpoints
    spare_nodes: Floats  # [row] spares that cover the nodes under repair 95 times of 100

    def __post_init__(self) -> None:
        seal(self)


def checkpoint_write_s(
    parameters: npt.ArrayLike,
    nodes: npt.ArrayLike,
    *,
    storage_bytes_per_s: npt.ArrayLike = STORAGE_BYTES_PER_S,
    bytes_per_parameter: npt.ArrayLike = CHECKPOINT_BYTES_PER_PARAMETER,
) -> Floats:
    """
    Time to write a checkpoint that all nodes write together.

    Parameters
    ----------
    parameters : array_like
        Parameters of the model, experts included.
    nodes : array_like
        Nodes that write.
    storage_bytes_per_s : array_like
        Sustained write of a node. [byte/s]
    bytes_per_parameter : array_like
        State saved for each parameter. [byte]

    Returns
    -------
    ndarray
        [s]

    Notes
    -----
    Training stands still for all of it; asynchronous checkpoints stall less,
    so this is the careful side.

    References
    ----------
    .. [1] J. T. Daly, "A higher order estimate of the optimum checkpoint
       interval for restart dumps," Future Gener. Comput. Syst., vol. 22, 2006.

    Examples
    --------
    >>> round(float(checkpoint_write_s(405e9, 2048)), 2)
    1.38
    """
    size = np.multiply(parameters, bytes_per_parameter)
    result: Floats = np.divide(size, np.multiply(nodes, storage_bytes_per_s))
    return result


def checkpoint_interval_s(write_s: npt.ArrayLike, failure_interval_s: npt.ArrayLike) -> Floats:
    """
    Best time between checkpoints.

    Parameters
    ----------
    write_s : array_like
        Time that training stands still for a checkpoint. [s]
    failure_interval_s : array_like
        Mean time between interruptions of the job. [s]

    Returns
    -------
    ndarray
        Young's optimum, at most the failure interval itself. [s]

    Notes
    -----
    First-order optimum; holds while a write is much shorter than the time
    between failures.

    References
    ----------
    .. [1] J. W. Young, "A first order approximation to the optimum checkpoint
       interval," Commun. ACM, vol. 17, no. 9, 1974.

    Examples
    --------
    >>> round(float(checkpoint_interval_s(10.0, 20_000.0)), 1)
    632.5
    """
    best = np.sqrt(2.0 * np.multiply(write_s, failure_interval_s))
    result: Floats = np.minimum(best, failure_interval_s)
    return result


def useful_frac(
    interval_s: npt.ArrayLike,
    write_s: npt.ArrayLike,
    restart_s: npt.ArrayLike,
    failure_interval_s: npt.ArrayLike,
) -> Floats:
    """
    Part of wall time that advances training, under failures at a constant rate.

    Parameters
    ----------
    interval_s, write_s, restart_s : array_like
        Work between checkpoints, time of a write, time of a restart. [s]
    failure_interval_s : array_like
        Mean time between interruptions of the job. [s]

    Returns
    -------
    ndarray
        ``T / (M exp(R/M) (exp((T + w)/M) - 1))``, between 0 and 1.

    Notes
    -----
    Daly's complete expression for exponentially distributed failures [1]_;
    work since the last checkpoint is lost, and failures can strike a restart.

    References
    ----------
    .. [1] J. T. Daly, "A higher order estimate of the optimum checkpoint
       interval for restart dumps," Future Gener. Comput. Syst., vol. 22, 2006.

    Examples
    --------
    >>> round(float(useful_frac(600.0, 0.0, 0.0, 1e9)), 6)
    1.0
    """
    mean = np.asarray(failure_interval_s, dtype=np.float64)
    span = np.minimum(np.add(interval_s, write_s) / mean, 700.0)
    restart = np.minimum(np.divide(restart_s, mean), 700.0)
    with np.errstate(over="ignore"):
        wall = mean * np.exp(restart) * np.expm1(span)
    result: Floats = np.divide(interval_s, np.maximum(wall, interval_s))
    return result


def spare_nodes(nodes: npt.ArrayLike, node_failures_per_s: npt.ArrayLike) -> Floats:
    """
    Spares that cover the nodes under repair about 95 times of 100.

    Parameters
    ----------
    nodes : array_like
        Nodes of the job.
    node_failures_per_s : array_like
        Failures of one node. [1/s]

    Returns
    -------
    ndarray
        Whole nodes: the mean number under repair plus 1.65 of its deviations.

    Notes
    -----
    The number under repair is Poisson; the normal approximation rounds up.

    References
    ----------
    .. [1] Llama Team, "The Llama 3 herd of models," arXiv 2407.21783, 2024.
    """
    mean = np.multiply(nodes, node_failures_per_s) * _REPAIR_S
    result: Floats = np.ceil(mean + 1.65 * np.sqrt(mean))
    return result


def goodput(
    size: npt.ArrayLike,
    parameters: npt.ArrayLike,
    *,
    devices_per_node: npt.ArrayLike = _DEFAULT_NODE,
    device_s_per_failure: npt.ArrayLike = DEVICE_S_PER_FAILURE,
    restart_s: npt.ArrayLike = RESTART_S,
    storage_bytes_per_s: npt.ArrayLike = STORAGE_BYTES_PER_S,
    maintenance_frac: npt.ArrayLike = MAINTENANCE_FRAC,
) -> GoodputTable:
    """
    Useful part of the wall time of training runs.

    Parameters
    ----------
    size : array_like
        Devices of the job. [row]
    parameters : array_like
        Parameters of the model. [row]
    devices_per_node : array_like
        Devices that fail, and write, together.
    device_s_per_failure : array_like
        Device-seconds between interruptions. [s]
    restart_s : array_like
        From an interruption to training again. [s]
    storage_bytes_per_s : array_like
        Checkpoint write of a node. [byte/s]
    maintenance_frac : array_like
        Wall time that planned maintenance takes.

    Returns
    -------
    GoodputTable
        One row an element of the broadcast of `size` and `parameters`.

    Notes
    -----
    Wall time is step time over goodput. Failures come at a constant rate a
    device, and any failure stops the job; checkpoints follow Young's optimum.

    References
    ----------
    .. [1] A. Kokolis et al., "Revisiting reliability in large-scale machine
       learning research clusters," arXiv 2410.21680, 2024.

    Examples
    --------
    >>> round(float(goodput([16384], [405e9]).goodput_frac[0]), 3)
    0.923
    """
    size_, parameters_, each = np.broadcast_arrays(
        np.atleast_1d(np.asarray(size, dtype=np.float64)),
        np.asarray(parameters, dtype=np.float64),
        np.asarray(devices_per_node, dtype=np.float64),
    )
    nodes = np.ceil(size_ / each)
    mean_s = np.asarray(device_s_per_failure, dtype=np.float64) / size_
    write_s = checkpoint_write_s(parameters_, nodes, storage_bytes_per_s=storage_bytes_per_s)
    interval_s = np.maximum(checkpoint_interval_s(write_s, mean_s), _SHORTEST_INTERVAL_S)
    useful = useful_frac(interval_s, write_s, restart_s, mean_s)
    return GoodputTable(
        goodput_frac=useful * (1.0 - np.asarray(maintenance_frac, dtype=np.float64)),
        failures_per_s=1.0 / mean_s,
        checkpoint_write_s=write_s,
        checkpoint_interval_s=interval_s,
        spare_nodes=spare_nodes(nodes, each / np.asarray(device_s_per_failure, dtype=np.float64)),
    )
