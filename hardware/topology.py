"""Which links a group of ranks crosses: how many of its members share a scale-up domain."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware.column import Floats

__all__ = ["group_bytes_per_s", "members_inside", "spans_domains"]

Array = Any  # scalar or array; whatever broadcasts


def members_inside(group: Array, stride: Array, domain: Array) -> Floats:
    """
    Members of a group that lie in one scale-up domain.

    Parameters
    ----------
    group : array_like
        Ranks of the group.
    stride : array_like
        Distance between neighbours of the group in the numbering of ranks:
        the product of the sizes of the groups placed inside it.
    domain : array_like
        Devices of a scale-up domain.

    Returns
    -------
    ndarray
        Between 1 and `group`.

    Notes
    -----
    Stacks number ranks tensor, context (with experts), data, pipeline from
    the inside out, and fill a domain before the next one [1]_.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.

    Examples
    --------
    >>> members_inside(16, [1, 4, 8], 8).tolist()
    [8.0, 2.0, 1.0]
    """
    result: Floats = np.minimum(np.maximum(np.floor(np.divide(domain, stride)), 1.0), group)
    return result


def spans_domains(group: Array, inside: Array) -> Floats:
    """
    Scale-up domains over which a group is spread.

    Parameters
    ----------
    group, inside : array_like
        Ranks of the group; those in one domain.

    Returns
    -------
    ndarray
        At least 1; a part of a domain counts as the part.

    References
    ----------
    .. [1] D. Narayanan et al., SC 2021.

    Examples
    --------
    >>> float(spans_domains(16, 8.0))
    2.0
    """
    result: Floats = np.divide(group, inside)
    return result


def group_bytes_per_s(
    inside: Array, domains: Array, *, scale_up_bytes_per_s: Array, scale_out_bytes_per_s: Array
) -> Floats:
    """
    Bandwidth a rank sees in a ring through its group.

    Parameters
    ----------
    inside, domains : array_like
        Members a domain, and domains, of the group.
    scale_up_bytes_per_s, scale_out_bytes_per_s : array_like
        Attainable bandwidth of a device on each level. [byte/s]

    Returns
    -------
    ndarray
        [byte/s]

    Notes
    -----
    A ring enters and leaves a domain once, over the network interfaces of all
    its members there: their sum bounds it, and so does the link inside.

    References
    ----------
    .. [1] NVIDIA, "NCCL documentation," 2024: rings and channels.

    Examples
    --------
    >>> float(group_bytes_per_s(8, 2, scale_up_bytes_per_s=300e9, scale_out_bytes_per_s=25e9))
    200000000000.0
    """
    beyond = np.multiply(inside, scale_out_bytes_per_s)
    crossing = np.minimum(scale_up_bytes_per_s, beyond)
    result: Floats = np.asarray(
        np.where(np.asarray(domains) > 1.0, crossing, scale_up_bytes_per_s), dtype=np.float64
    )
    return result
