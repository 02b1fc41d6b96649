"""Columns of models, devices and stacks gathered for the layouts of a chunk."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from hardware.column import Floats, Ints
from hardware.table import PRECISIONS, DeviceTable
from planner.architecture import ModelTable
from planner.flop import encoder_flop, matrix_parameters
from planner.repeats import Matrix
from planner.stack import FamilyTable, StackTable
from planner.strategy import MUON, PRECISION_NAMES
from planner.timing.columns import device_columns, model_columns, stack_columns
from planner.timing.interval import factor_80

__all__ = ["BLOCK", "KEPT", "ROW", "SHARE", "Sources"]

BLOCK = (
    "model", "device", "stack", "seq_len", "micro_batch", "tp", "cp", "ep", "expert_tp",
    "sequence_parallel", "recompute", "precision",
)  # fmt: skip
"""Columns of a layout from which the time of a micro-batch follows, with `is_pipelined`."""

SHARE = (
    "model", "device", "stack", "tp", "pp", "cp", "ep", "expert_tp", "dp", "zero", "shard",
    "optimizer",
)  # fmt: skip
"""Columns of a layout from which the exchange of gradients and the update follow."""

ROW = ("global_batch", "micro_batch", "seq_len", "tp", "pp", "cp", "dp", "interleave", "schedule")
"""Columns of a layout that join the two."""

KEPT = (
    "tokens", "hidden", "body_layers", "encoder_flop", "domain", "devices_per_node", "up_rate",
    "out_rate", "up_latency_s", "out_latency_s", "pp_overlap_frac", "dp_overlap_frac",
    "stages_by_cost", "step_overhead_s", "stall_s", "straggler_frac", "peak", "factor_80",
)  # fmt: skip
"""Columns of models, devices and stacks that are read once more for every row."""

OPTIMIZER_BYTES = np.array([30.0, 22.0, 22.0, 18.0])
"""Traffic of the update an element, by optimizer: gradient, states and weights read and written."""

_KINDS = {
    "any_gate": "attention_gate",
    "any_mla": "kv_lora",
    "any_experts": "experts",
    "any_window": "window_layers",
    "any_linear": "linear_layers",
    "any_encoder": "encoder_layers",
}


class Sources:
    """The tables as float matrices [column, entry], from which a chunk of rows is gathered."""

    def __init__(
        self, models: ModelTable, devices: DeviceTable, stacks: StackTable, families: FamilyTable
    ) -> None:
        shapes = model_columns(models)
        shapes["matrix_parameters"] = matrix_parameters(models)
        shapes["encoder_flop"] = encoder_flop(models)
        rates = device_columns(devices, families)
        self.products = np.stack([rates.pop(f"product_{name}") for name in PRECISION_NAMES])
        self.peaks = _peaks(devices)
        self.shapes, self.rates = Matrix(shapes), Matrix(rates)
        habits = stack_columns(stacks)
        self.habits = Matrix({name.removeprefix("stack_"): habits[name] for name in habits})
        self.factor = factor_80(models, devices, stacks, families)

    def blocks(self, cells: dict[str, Ints]) -> SimpleNamespace:
        """All that the time of a micro-batch depends on; `cells` are `BLOCK` and a mask."""
        c = self._gather(cells)
        kind, device = cells["precision"], cells["device"]
        c.product_rate = self.products[kind, device] * c.matmul_frac
        c.peak = self.peaks[kind, device]
        c.factor_80 = self.factor(cells["model"], device, cells["stack"], kind)
        c.tokens = c.micro_batch * c.seq_len / c.cp
        c.is_fp8 = c.precision > 1.0
        c.is_block = c.precision > 2.0
        c.any_fp8 = bool(c.is_fp8.any())
        c.cast_bytes = np.where(c.is_block, 4.0, 3.0)
        c.any_materialised = bool((c.attention_materialised > 0).any())
        c.body_share = c.dense_parameters / c.tp + c.expert_parameters / (c.ep * c.expert_tp)
        return c

    def shares(self, cells: dict[str, Ints]) -> SimpleNamespace:
        """All that the exchange of gradients and the update depend on; `cells` are `SHARE`."""
        c = self._gather(cells)
        c.is_muon = cells["optimizer"] == MUON
        c.optimizer_bytes = OPTIMIZER_BYTES[cells["optimizer"]]
        c.any_zero3 = bool((c.zero > 2).any())
        c.dense_share = (
            c.dense_parameters / (c.pp * c.tp)
            + c.vocab_parameters
            * np.minimum(c.embeddings, np.where(c.pp > 1.0, 1.0, c.embeddings))
            / c.tp
        )
        c.expert_share = c.expert_parameters / (c.pp * c.ep * c.expert_tp)
        return c

    def _gather(self, cells: dict[str, Ints]) -> SimpleNamespace:
        """Columns of the three tables at each row, and those of the layout as floats."""
        c = SimpleNamespace()
        for matrix, index in (
            (self.shapes, cells["model"]),
            (self.rates, cells["device"]),
            (self.habits, cells["stack"]),
        ):
            vars(c).update(matrix.gather(index))
        # A search sorts its layouts by model: most chunks have no use for most kinds of block.
        for flag, name in _KINDS.items():
            setattr(c, flag, bool(getattr(c, name).any()))
        for name, column in cells.items():
            if name not in ("model", "device", "stack"):
                setattr(c, name, column.astype(np.float64))
        c.product_16 = c.product_16 * c.matmul_frac
        c.out_rate = c.out_rate * c.network_frac
        c.out_latency_s = c.out_latency_s * c.latency_factor
        return c


def _peaks(devices: DeviceTable) -> Floats:
    """Dense peak [precision, device] over which utilisation counts."""
    kinds = {"bf16": ("bf16", "fp16"), "fp16": ("fp16", "bf16"), "fp4": ("fp4", "fp8", "bf16")}
    peaks = np.ones((len(PRECISION_NAMES), len(devices.names)))
    for at, name in enumerate(PRECISION_NAMES):
        for kind in reversed(kinds.get(name, ("fp8", "int8", "bf16", "fp16"))):
            peak = devices.peak_flop_per_s[:, PRECISIONS.index(kind)]
            peaks[at] = np.where(peak > 0, peak, peaks[at])
    return peaks
