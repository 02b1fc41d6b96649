"""Time of collective operations from latency a hop and bandwidth of the slowest link."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.column import Floats

__all__ = ["all_reduce_s", "all_to_all_s", "gather_s", "point_to_point_s"]

Array = Any  # scalar or array; whatever broadcasts


def gather_s(moved_bytes: Array, group: Array, *, bytes_per_s: Array, latency_s: Array) -> Floats:
    """
    Time of an all-gather or a reduce-scatter round a ring.

    Parameters
    ----------
    moved_bytes : array_like
        The whole gathered, or not yet scattered, array. [byte]
    group : array_like
        Ranks.
    bytes_per_s : array_like
        Bandwidth round the ring. [byte/s]
    latency_s : array_like
        A hop. [s]

    Returns
    -------
    ndarray
        0 for a group of one. [s]

    Notes
    -----
    ``group - 1`` hops, each of a ``1 / group`` part: a small array on many
    ranks is bound by latency, which makes the ramp with message size.

    References
    ----------
    .. [1] R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective
       communication operations in MPICH," Int. J. High Perform. Comput.
       Appl., vol. 19, no. 1, 2005.

    Examples
    --------
    >>> float(gather_s(8e9, 8, bytes_per_s=1e9, latency_s=0.0))
    7.0
    """
    hops = np.asarray(group) - 1.0
    result: Floats = hops * (latency_s + np.divide(moved_bytes, np.multiply(group, bytes_per_s)))
    return result


def all_reduce_s(
    moved_bytes: Array,
    group: Array,
    *,
    bytes_per_s: Array,
    latency_s: Array,
    tree_latency_s: Array,
) -> Floats:
    """
    Time of an all-reduce: the faster of a ring and a tree.

    Parameters
    ----------
    moved_bytes : array_like
        The array to be summed. [byte]
    group : array_like
        Ranks.
    bytes_per_s, latency_s : array_like
        As in `gather_s`.
    tree_latency_s : array_like
        All hops of a tree, up and down. [s]

    Returns
    -------
    ndarray
        0 for a group of one. [s]

    Notes
    -----
    A ring costs a reduce-scatter and an all-gather; a double binary tree
    moves every byte twice with few hops.

    References
    ----------
    .. [1] P. Sanders, J. Speck, J. L. Träff, "Two-tree algorithms for full
       bandwidth broadcast, reduction and scan," Parallel Comput., vol. 35,
       no. 12, 2009.
    """
    ring = 2.0 * gather_s(moved_bytes, group, bytes_per_s=bytes_per_s, latency_s=latency_s)
    tree = tree_latency_s + 2.0 * np.divide(moved_bytes, bytes_per_s)
    result: Floats = np.where(np.asarray(group) > 1, np.minimum(ring, tree), 0.0)
    return result


def all_to_all_s(
    inside_bytes: Array,
    outside_bytes: Array,
    *,
    scale_up_bytes_per_s: Array,
    scale_out_bytes_per_s: Array,
    latency_s: Array,
) -> Floats:
    """
    Time of an all-to-all whose traffic splits over the two levels.

    Parameters
    ----------
    inside_bytes, outside_bytes : array_like
        What a rank sends within its scale-up domain and beyond it. [byte]
    scale_up_bytes_per_s, scale_out_bytes_per_s : array_like
        Attainable bandwidth of a device on each level. [byte/s]
    latency_s : array_like
        Once. [s]

    Returns
    -------
    ndarray
        The slower level, as both move at once, and the latency. [s]

    References
    ----------
    .. [1] DeepSeek-AI, "DeepSeek-V3 technical report," arXiv 2412.19437,
       section 3.2.2, 2024.
    """
    inside = np.divide(inside_bytes, scale_up_bytes_per_s)
    outside = np.divide(outside_bytes, scale_out_bytes_per_s)
    result: Floats = np.maximum(inside, outside) + latency_s
    return result


def point_to_point_s(moved_bytes: Array, *, bytes_per_s: Array, latency_s: Array) -> Floats:
    """
    Time to send an array to one neighbour.

    Parameters
    ----------
    moved_bytes : array_like
        [byte]
    bytes_per_s : array_like
        [byte/s]
    latency_s : array_like
        [s]

    Returns
    -------
    ndarray
        [s]

    References
    ----------
    .. [1] R. W. Hockney, "The communication challenge for MPP," Parallel
       Comput., vol. 20, no. 3, 1994.
    """
    result: Floats = latency_s + np.divide(moved_bytes, bytes_per_s)
    return result
