"""Software stacks and device families: the few constants of the model, read from one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints, seal
from hardware.errors import Diagnostic, InputError, near_match
from hardware.sheet import Document, read_document, where_is

__all__ = [
    "CONSTANTS",
    "PRIORS",
    "FamilyTable",
    "StackTable",
    "family_row",
    "load_constants",
    "load_priors",
    "stack_row",
    "tables",
]

CONSTANTS = Path(__file__).with_name("catalog") / "constants.yaml"
PRIORS = Path(__file__).with_name("catalog") / "priors.yaml"


@dataclass(frozen=True)
class StackTable:
    """
    What a training program adds to the silicon, one row a software stack. [stack]

    Row 0 is ``default``: what a stack that nobody measured inherits. `zero`,
    `recompute` and `sequence_parallel` say what the stack does when a row
    leaves the choice open.
    """

    names: tuple[str, ...]  # [stack]
    matmul_frac: Floats  # [stack] part of the family's sustained product rate that is reached
    attention_materialised: Bools  # [stack] scores go through memory (no flash attention)
    traffic_passes: Floats  # [stack] element-wise traffic over that of fully fused kernels
    launch_s: Floats  # [stack] host time of one kernel launch
    step_overhead_s: Floats  # [stack] fixed cost of a step: data, clipping, logging
    tp_overlap_frac: Floats  # [stack] part of tensor-parallel traffic hidden behind products
    cp_overlap_frac: Floats  # [stack]
    ep_overlap_frac: Floats  # [stack]
    pp_overlap_frac: Floats  # [stack]
    dp_overlap_frac: Floats  # [stack]
    network_frac: Floats  # [stack] part of the family's scale-out bandwidth that is reached
    latency_factor: Floats  # [stack] latency a hop over the family's
    attention_rate_frac: Floats  # [stack] part of the family's attention rate that is reached
    crowding_s: Floats  # [stack] host time a block and tensor rank beside pipeline transfers
    stall_s: Floats  # [stack] lost a micro-batch on 64 nodes; with the fourth power of nodes
    grouped_frac: Floats  # [stack] rate of grouped products of experts over plain ones
    permute_passes: Floats  # [stack] traffic of routing tokens to experts, over one copy and back
    imbalance: Floats  # [stack] busiest expert rank over the mean
    straggler_frac: Floats  # [stack] step time lost a doubling of nodes
    gradient_bytes: Floats  # [stack] bytes of a gradient element in memory
    reduce_bytes: Floats  # [stack] bytes of a gradient element on the wire
    gathers_each_micro_batch: Bools  # [stack] ZeRO-3 gathers and reduces every micro-batch
    allocator_frac: Floats  # [stack] memory reserved beyond what tensors need
    runtime_bytes: Floats  # [stack] context, communication buffers and libraries
    gradient_spare_bytes: Floats  # [stack] 16-bit gradients kept beside the accumulator
    logit_bytes: Floats  # [stack] alive a logit at the loss: 16-bit logits, wide copy, gradient
    unfused_frac: Floats  # [stack] element-wise intermediates saved for backward; 0 = all fused
    stages_by_cost: Bools  # [stack] pipeline split counts the output head as layers of its cost
    zero: Ints  # [stack] ZeRO stage when a row does not say
    recompute: Ints  # [stack] recompute mode when a row does not say
    sequence_parallel: Ints  # [stack] with tp > 1, when a row does not say
    chunk_layers: Ints  # [stack] layers of a chunk it interleaves at most; 0 = it does not
    residual_spread: Floats  # [stack] log spread of unseen rows: dense models in 16 bits
    residual_spread_narrow: Floats  # [stack] the same in 8 bits or fewer
    residual_spread_experts: Floats  # [stack] the same of models with experts
    measured: Bools  # [stack] fitted on published rows; else the interval widens

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class FamilyTable:
    """
    What a generation of devices reaches of its data sheet, one row a family. [family]

    Row 0 is ``default``. The fractions of products are for devices whose own
    attainable fraction nobody measured.
    """

    names: tuple[str, ...]  # [family]
    matmul_frac: Floats  # [family] attainable part of the 16-bit peak
    fp8_frac: Floats  # [family] the same of the fp8 peak
    fp4_frac: Floats  # [family] the same of the fp4 peak
    sustained_frac: Floats  # [family] rate of very large products in a run, over the benchmark's
    narrow_frac: Floats  # [family] the same ratio in 8 bits and fewer, over that in 16
    fill_elements: Floats  # [family] output elements lost to a partly filled last wave
    ramp_depth: Floats  # [family] inner-dimension steps that a tile spends filling its pipeline
    attention_frac: Floats  # [family] flash attention forward, over attainable products
    attention_backward_frac: Floats  # [family]
    memory_frac: Floats  # [family] attainable part of memory bandwidth
    scale_up_frac: Floats  # [family] attainable part of the scale-up link
    scale_out_frac: Floats  # [family]
    scale_up_latency_s: Floats  # [family] a hop
    scale_out_latency_s: Floats  # [family] a hop
    ramp_bytes: Floats  # [family] message at which half of the bandwidth is reached
    residual_spread: Floats  # [family] what an unmeasured family adds to it; 0 = measured
    measured: Bools  # [family]

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return len(self.names)


# Names under which one stack goes in publications.
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "deepspeed": "megatron-deepspeed",
        "habana": "gaudi-deepspeed",
        "levanter": "maxtext",
        "llm-foundry": "fsdp",
        "megatron-bridge": "megatron-core",
        "megatron-lm": "megatron-core",
        "modellink": "mindspeed",
        "mindspeed-llm": "mindspeed",
        "nemo": "megatron-core",
        "neuronx-distributed": "neuron",
        "optimum-habana": "gaudi-deepspeed",
        "optimum-neuron": "neuron",
        "pytorch-fsdp": "fsdp",
        "torchtitan": "fsdp",
    }
)


def stack_row(stacks: StackTable, name: str) -> int:
    """Row of a stack, under any of its names; 0, the default profile, for one not in the table."""
    known = name.strip().lower().replace("_", "-").replace(" ", "-")
    for candidate in (name, known, _ALIASES.get(known, "")):
        if candidate in stacks.names:
            return stacks.names.index(candidate)
    return 0


def family_row(families: FamilyTable, name: str) -> int:
    """Row of a family; 0, the default, for one that the table does not have."""
    return families.names.index(name) if name in families.names else 0


def load_constants(path: str | Path = CONSTANTS) -> tuple[StackTable, FamilyTable]:
    """
    Read a table of constants.

    Parameters
    ----------
    path : str or Path
        A document with the mappings ``stacks`` and ``families``, each with a
        ``default`` entry that fills what the others leave out.

    Returns
    -------
    (StackTable, FamilyTable)
        Row 0 of each is the default.

    Raises
    ------
    InputError
        A section or the default is missing, a constant is unknown or no number.
    """
    if Path(path) != CONSTANTS:
        document = read_document(path)
        return tables(document.data, document)
    return _shipped(CONSTANTS.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _shipped(written_ns: int) -> tuple[StackTable, FamilyTable]:
    """The shipped tables as of their last change: a plan reads them once for each of its parts."""
    document = read_document(CONSTANTS)
    return tables(document.data, document)


def load_priors(
    priors: str | Path = PRIORS, constants: str | Path = CONSTANTS
) -> tuple[StackTable, FamilyTable]:
    """
    The tables before the fit: priors, and the constants that are not fitted.

    Parameters
    ----------
    priors : str or Path
        Values of the fitted constants before any measurement.
    constants : str or Path
        The table whose other constants stay.

    Raises
    ------
    InputError
        As `load_constants`.
    """
    base, start = read_document(constants), read_document(priors)
    merged: dict[str, Any] = {}
    for section in ("stacks", "families"):
        fixed, moved = dict(base.data.get(section, {})), dict(start.data.get(section, {}))
        fitted = set(moved.get("default", {}))
        merged[section] = {
            name: {
                **{key: cell for key, cell in fixed.get(name, {}).items() if key not in fitted},
                **(moved.get(name) or {}),
            }
            for name in {**fixed, **moved}
        }
    return tables(merged, base)


def tables(data: Mapping[str, Any], document: Document) -> tuple[StackTable, FamilyTable]:
    """The two tables from plain data; `document` says where faults stand."""
    return (
        StackTable(**_columns(data, "stacks", StackTable, document)),
        FamilyTable(**_columns(data, "families", FamilyTable, document)),
    )


def _columns(
    data: Mapping[str, Any], section: str, table: type[Any], document: Document
) -> dict[str, Any]:
    profiles = data.get(section) if isinstance(data, Mapping) else None
    if not isinstance(profiles, Mapping) or not isinstance(profiles.get("default"), Mapping):
        raise InputError(
            Diagnostic(
                "missing-field",
                f"`{section}` with a `default` profile is missing",
                where_is(document, (section,)),
            )
        )
    kinds = {field.name: str(field.type) for field in fields(table) if field.name != "names"}
    _check(profiles, section, kinds, document)
    names = ("default", *sorted(name for name in profiles if name != "default"))
    columns: dict[str, Any] = {"names": names}
    for key, kind in kinds.items():
        dtype: type[Any] = {"Floats": np.float64, "Ints": np.int64, "Bools": np.bool_}[kind]
        default = profiles["default"][key]
        columns[key] = np.array([profiles[name].get(key, default) for name in names], dtype=dtype)
    return columns


def _check(
    profiles: Mapping[str, Any], section: str, kinds: Mapping[str, str], document: Document
) -> None:
    faults = []
    for name, profile in profiles.items():
        for key, value in (profile or {}).items():
            where = where_is(document, (section, name, key))
            if key not in kinds:
                hint = near_match(str(key), kinds)
                faults.append(Diagnostic("unknown-field", f"unknown constant `{key}`", where,
                                         hint=hint))  # fmt: skip
            elif isinstance(value, bool) or not isinstance(value, int | float):
                faults.append(Diagnostic("wrong-type", f"`{key}` is no number", where,
                                         found=repr(value)))  # fmt: skip
    for key in kinds:
        if key not in profiles["default"]:
            where = where_is(document, (section, "default"))
            faults.append(Diagnostic("missing-field", f"the default lacks `{key}`", where))
    if faults:
        raise InputError(faults)
