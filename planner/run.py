"""What a job asks of the performance model, and the choices made for it where it names none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware.column import Floats, Ints, seal
from hardware.table import DeviceTable
from planner.architecture import ModelTable, parameters
from planner.layout import peak_column
from planner.stack import StackTable, stack_row
from planner.strategy import BF16, FP16

__all__ = [
    "UNSTATED",
    "RunTable",
    "default_batch_tokens",
    "default_stacks",
    "sizes_within",
    "training_precision",
]

UNSTATED = -1

# Which software people train with on a family of devices, by the family's first word.
_STACK_OF_VENDOR = {
    "nvidia": "megatron-core",
    "amd": "primus",
    "intel": "gaudi-deepspeed",
    "google": "maxtext",
    "aws": "neuron",
    "huawei": "mindspeed",
}

_BATCH_STEPS = ((3e9, 2**20), (3e10, 2**22), (1.5e11, 2**23), (np.inf, 2**24))
"""Parameters up to which a batch of so many tokens is usual. Llama 3 405B trained on 16 Mi, 70B
class on 4 to 8 Mi (arXiv 2407.21783); VAETKI 112B on 8 to 46 M."""

_IDLE_FRAC = 0.125
"""Part of the devices held that may stay idle for a better layout of the rest."""


@dataclass(frozen=True)
class RunTable:
    """
    Jobs as the performance model reads them; UNSTATED where the default rule is to choose. [job]

    `work` is TRAINING, GENERATION, EVALUATION or SERVING of `planner.inference`.
    """

    model: Ints  # row in ModelTable
    work: Ints
    seq_len: Ints  # tokens
    global_batch_tokens: Floats  # tokens a step; 0 = by `default_batch_tokens`
    precision: Ints  # code of planner.strategy or UNSTATED
    optimizer: Ints  # code of planner.strategy
    stack: Ints  # row in StackTable or UNSTATED

    def __post_init__(self) -> None:
        seal(self)


def default_stacks(devices: DeviceTable, stacks: StackTable) -> Ints:
    """Row of the software stack that is usual on each device; row 0 where none is. [device]"""
    names = [_STACK_OF_VENDOR.get(family.split("-")[0], "") for family in devices.family]
    return np.array([stack_row(stacks, name) for name in names], dtype=np.int64)


def default_batch_tokens(models: ModelTable) -> Floats:
    """
    Tokens a step that are usual for a model of that size.

    Parameters
    ----------
    models : ModelTable
        [model]

    Returns
    -------
    ndarray
        1 Mi up to 3e9 parameters, 4 Mi up to 3e10, 8 Mi up to 1.5e11, else
        16 Mi. [token], [model]

    Notes
    -----
    A rule of thumb from published runs, not a law: larger batches scale to
    more devices and cost sample efficiency, which is not modelled.

    References
    ----------
    .. [1] Llama Team, "The Llama 3 herd of models," arXiv 2407.21783, 2024.
    """
    total = parameters(models)
    limits = np.array([limit for limit, _ in _BATCH_STEPS])
    tokens = np.array([size for _, size in _BATCH_STEPS], dtype=np.float64)
    result: Floats = tokens[np.searchsorted(limits, total)]
    return result


def training_precision(devices: DeviceTable) -> Ints:
    """
    Compute type of training when a job names none: bf16, or fp16 where there is no bf16. [device]

    Notes
    -----
    Peaks [FLOP/s] decide what is offered. Narrower types are faster but are a
    choice about the model's quality, so a job has to ask for them.

    References
    ----------
    .. [1] D. Kalamkar et al., "A study of bfloat16 for deep learning training,"
       arXiv 1905.12322, 2019.
    """
    column = peak_column(np.array([BF16]))[0]
    result: Ints = np.where(devices.peak_flop_per_s[:, column] > 0, BF16, FP16)
    return result


def sizes_within(size: Ints, devices_per_node: Ints) -> tuple[Ints, Ints]:
    """
    Numbers of devices to lay a run out on when it holds `size`: all, or a few nodes left idle.

    Parameters
    ----------
    size, devices_per_node : ndarray of int
        Devices held, and devices of one of their nodes. [point]

    Returns
    -------
    (ndarray, ndarray)
        The point that each choice belongs to, and the devices it uses. [choice]

    Notes
    -----
    Besides all devices, the largest multiples of 4 and of 16 nodes, as long as
    at most an eighth stays idle: 127 nodes cut badly, 124 and 112 cut well.

    References
    ----------
    .. [1] D. Narayanan et al., "Efficient large-scale language model training
       on GPU clusters using Megatron-LM," SC 2021.

    Examples
    --------
    >>> point, used = sizes_within(np.array([1016]), np.array([8]))
    >>> used.tolist()
    [1016, 992, 896]
    """
    steps = devices_per_node[:, None] * np.array([[1, 4, 16]])
    used = np.column_stack([size, (size[:, None] // steps) * steps])
    fresh = np.ones(used.shape, dtype=bool)
    fresh[:, 1:] = (used[:, 1:] < used[:, :-1]) & (
        used[:, 1:] >= (1.0 - _IDLE_FRAC) * size[:, None]
    )
    point, column = np.nonzero(fresh)
    return point, used[point, column]
