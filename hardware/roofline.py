"""Time of single kernels: matrix products whose rate depends on their shape, traffic, launches."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.column import Floats

__all__ = ["exposed_s", "host_bound_s", "kernel_s", "linear_s", "product_s", "traffic_s"]

Array = Any  # scalar or array; whatever broadcasts


def kernel_s(flop: Array, moved_bytes: Array, *, flop_per_s: Array, bytes_per_s: Array) -> Floats:
    """
    Time of one kernel under the two-ceiling roofline.

    Parameters
    ----------
    flop : array_like
        Work of the kernel. [FLOP]
    moved_bytes : array_like
        Traffic to device memory, reads plus writes. [byte]
    flop_per_s : array_like
        Attainable rate of the data type. [FLOP/s]
    bytes_per_s : array_like
        Attainable memory bandwidth. [byte/s]

    Returns
    -------
    ndarray
        The slower of computing and moving. [s]

    Notes
    -----
    Assumes that a kernel overlaps its own compute and traffic fully.

    References
    ----------
    .. [1] S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful
       visual performance model for multicore architectures," Commun. ACM,
       vol. 52, no. 4, 2009.

    Examples
    --------
    >>> float(kernel_s(2e12, 1e9, flop_per_s=1e15, bytes_per_s=2e12))
    0.002
    """
    result: Floats = np.maximum(np.divide(flop, flop_per_s), np.divide(moved_bytes, bytes_per_s))
    return result


def product_s(
    m: Array,
    n: Array,
    k: Array,
    *,
    flop_per_s: Array,
    bytes_per_s: Array,
    fill_elements: Array,
    ramp_depth: Array,
    element_bytes: Array = 2.0,
    groups: Array = 1.0,
) -> Floats:
    """
    Time of a matrix product, of which each group has its own ``[m, k] x [k, n]``.

    Parameters
    ----------
    m, n, k : array_like
        Rows, columns and inner dimension of one group.
    flop_per_s, bytes_per_s : array_like
        Attainable rate of large products and of memory. [FLOP/s], [byte/s]
    fill_elements : array_like
        Output elements lost to a partly filled last wave of tiles.
    ramp_depth : array_like
        Steps along k that a tile loses while it fills its pipeline.
    element_bytes : array_like
        Size of an element that is read or written. [byte]
    groups : array_like
        Number of groups computed by one grouped kernel.

    Returns
    -------
    ndarray
        [s]

    Notes
    -----
    A device works on a fixed number of output tiles at once. A product of
    `w` waves of tiles takes on average half a wave more, of which
    `fill_elements` is the size, and each tile takes ``k + ramp_depth``
    steps [1]_. Closed in m, n and k, so a longer product never takes less
    time, at the price of the saw-tooth of single sizes (about 5 %).

    References
    ----------
    .. [1] NVIDIA, "Matrix multiplication background user's guide," 2023:
       tile and wave quantisation.

    Examples
    --------
    >>> round(float(product_s(4096, 4096, 4096, flop_per_s=8e14, bytes_per_s=2.5e12,
    ...                       fill_elements=1.3e6, ramp_depth=128)) * 1e6)
    191
    """
    m, n, k = np.asarray(m), np.asarray(n), np.asarray(k)
    outputs = groups * m * n
    compute = 2.0 * (outputs + fill_elements) * (k + ramp_depth) / flop_per_s
    moved = (groups * k * (m + n) + outputs) * element_bytes / bytes_per_s
    result: Floats = np.maximum(compute, moved)
    return result


def linear_s(
    tokens: Array,
    inputs: Array,
    outputs: Array,
    *,
    flop_per_s: Array,
    bytes_per_s: Array,
    fill_elements: Array,
    ramp_depth: Array,
    groups: Array = 1.0,
) -> tuple[Floats, Floats]:
    """
    Time of a linear layer, forward and backward.

    Parameters
    ----------
    tokens, inputs, outputs : array_like
        Rows of the activation, columns of it, and columns of the result; of one group.
    flop_per_s, bytes_per_s, fill_elements, ramp_depth, groups
        As in `product_s`.

    Returns
    -------
    (ndarray, ndarray)
        Forward; backward, which is the product for the activation and the one
        for the weight. [s]

    Notes
    -----
    The weight's gradient has the tokens as its inner dimension, which is
    short for an expert that sees few of them.

    References
    ----------
    .. [1] NVIDIA, "Matrix multiplication background user's guide," 2023.
    """
    rate = 2.0 / np.asarray(flop_per_s)
    move = 2.0 / np.asarray(bytes_per_s)
    results, activations = groups * tokens * outputs, groups * tokens * inputs
    weights = groups * inputs * outputs
    moved = (results + activations + weights) * move
    forward = np.maximum((results + fill_elements) * (inputs + ramp_depth) * rate, moved)
    data = np.maximum((activations + fill_elements) * (outputs + ramp_depth) * rate, moved)
    weight = np.maximum((weights + fill_elements) * (tokens + ramp_depth) * rate, moved)
    return forward, data + weight


def traffic_s(moved_bytes: Array, bytes_per_s: Array) -> Floats:
    """
    Time of element-wise work, which is bound by memory.

    Parameters
    ----------
    moved_bytes : array_like
        Reads plus writes. [byte]
    bytes_per_s : array_like
        Attainable memory bandwidth. [byte/s]

    Returns
    -------
    ndarray
        [s]

    References
    ----------
    .. [1] S. Williams et al., "Roofline," Commun. ACM, vol. 52, no. 4, 2009.
    """
    result: Floats = np.divide(moved_bytes, bytes_per_s)
    return result


def exposed_s(communication_s: Array, window_s: Array, overlap_frac: Array) -> Floats:
    """
    Part of a transfer that the step waits for.

    Parameters
    ----------
    communication_s : array_like
        The transfer alone. [s]
    window_s : array_like
        Independent work that it may run beside. [s]
    overlap_frac : array_like
        Part of the overlapped time that is really won; the rest is contention. [0-1]

    Returns
    -------
    ndarray
        Between 0 and the whole transfer. [s]

    Notes
    -----
    What exceeds the window is exposed whole.

    References
    ----------
    .. [1] S. Rajbhandari et al., "ZeRO: memory optimizations toward training
       trillion parameter models," SC 2020.

    Examples
    --------
    >>> float(exposed_s(3.0, 2.0, 0.5))
    2.0
    """
    result: Floats = np.asarray(
        communication_s - overlap_frac * np.minimum(communication_s, window_s)
    )
    return result


def host_bound_s(device_s: Array, host_s: Array) -> Floats:
    """
    Time lost because the host launches kernels more slowly than the device runs them.

    Parameters
    ----------
    device_s : array_like
        Time of the kernels back to back. [s]
    host_s : array_like
        Time to launch them. [s]

    Returns
    -------
    ndarray
        What comes on top of `device_s`: nothing while the host is well ahead,
        the difference when it is well behind. [s]

    Notes
    -----
    The two are joined by a fourth-power mean, as kernels of a step are long
    and short by turns and the queue between them is finite.

    References
    ----------
    .. [1] NVIDIA, "CUDA C++ best practices guide," 2024: asynchronous launches.

    Examples
    --------
    >>> round(float(host_bound_s(1.0, 0.1)), 4), round(float(host_bound_s(0.1, 1.0)), 4)
    (0.0, 0.9)
    """
    device, host = np.square(np.square(device_s)), np.square(np.square(host_s))
    result: Floats = np.sqrt(np.sqrt(device + host)) - device_s
    return result
