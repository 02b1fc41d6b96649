"""Layouts of a training run: the table of strategies, its codes, and why a row is rejected."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.column import Ints, seal

__all__ = [
    "ADAM_8BIT",
    "ADAM_BF16_STATES",
    "ADAM_FP32",
    "BATCH_INDIVISIBLE",
    "BF16",
    "CROSSES_SCALE_UP",
    "EXCEEDS_MEMORY",
    "FITS",
    "FP4",
    "FP8",
    "FP8_BLOCK",
    "FP16",
    "FULL",
    "INDIVISIBLE_EXPERTS",
    "INDIVISIBLE_HEADS",
    "INDIVISIBLE_LAYERS",
    "INDIVISIBLE_SEQUENCE",
    "INFERENCE_ONLY",
    "INTERLEAVED",
    "MUON",
    "NONE",
    "ONE_F_ONE_B",
    "OPTIMIZER_NAMES",
    "PRECISION_NAMES",
    "REASONS",
    "RECOMPUTE_NAMES",
    "SCHEDULE_NAMES",
    "SELECTIVE",
    "TOO_FEW_DEVICES",
    "TYPE_NOT_OFFERED",
    "ZERO_BUBBLE",
    "StrategyTable",
]

# Compute type of the matrix products; FP8 scales a tensor, FP8_BLOCK a block or a row of 32 values.
BF16, FP16, FP8, FP8_BLOCK, FP4 = range(5)
PRECISION_NAMES = ("bf16", "fp16", "fp8", "fp8_block", "fp4")

NONE, SELECTIVE, FULL = range(3)
RECOMPUTE_NAMES = ("none", "selective", "full")

ONE_F_ONE_B, INTERLEAVED, ZERO_BUBBLE = range(3)
SCHEDULE_NAMES = ("1f1b", "interleaved", "zero_bubble")

ADAM_FP32, ADAM_BF16_STATES, MUON, ADAM_8BIT = range(4)
OPTIMIZER_NAMES = ("adam_fp32", "adam_bf16_states", "muon", "adam_8bit")

# Why a row does not qualify; FITS is zero.
(
    FITS,
    INDIVISIBLE_LAYERS,
    INDIVISIBLE_HEADS,
    INDIVISIBLE_EXPERTS,
    INDIVISIBLE_SEQUENCE,
    BATCH_INDIVISIBLE,
    CROSSES_SCALE_UP,
    EXCEEDS_MEMORY,
    INFERENCE_ONLY,
    TYPE_NOT_OFFERED,
    TOO_FEW_DEVICES,
) = range(11)

REASONS = (
    "fits",
    "pipeline stages (with their interleaving) outnumber the layers or do not divide them",
    "tensor parallel size does not divide heads, hidden or expert width",
    "expert parallel size does not divide the experts, or the ranks that hold them",
    "context parallel size does not cut the sequence into equal pairs of chunks",
    "no multiple of dp * micro_batch lies within the allowed distance of the global batch",
    "tensor or context parallel group would leave the scale-up domain",
    "peak memory exceeds what a program can allocate on the device",
    "no training on the device has been shown: it runs inference only, or training is but claimed",
    "the device does not offer the compute type",
    "no layout on this number of devices has the parts asked for",
)


@dataclass(frozen=True)
class StrategyTable:
    """
    One way to lay a training run on devices, a row each; all columns int64, axis [row].

    `model`, `device` and `stack` are row numbers in the tables that hold the
    names. ``size == tp * pp * cp * dp``. Expert groups lie inside: the experts
    of a stage are cut over `ep` of its ``tp * cp * dp`` ranks and each expert
    over `expert_tp` more, so ``ep * expert_tp`` divides ``tp * cp * dp``.
    `shard` is the number of ranks over which ZeRO or FSDP shards the dense
    part: ``dp * cp`` unless hybrid sharding keeps it smaller.
    """

    model: Ints
    device: Ints
    stack: Ints
    seq_len: Ints
    global_batch: Ints
    micro_batch: Ints
    tp: Ints
    pp: Ints
    cp: Ints
    ep: Ints
    expert_tp: Ints
    dp: Ints
    interleave: Ints
    zero: Ints
    shard: Ints
    sequence_parallel: Ints
    recompute: Ints
    precision: Ints
    schedule: Ints
    optimizer: Ints

    def __post_init__(self) -> None:
        seal(self)

    @property
    def size(self) -> Ints:
        """Devices that a row occupies. [row]"""
        return self.tp * self.pp * self.cp * self.dp

    @property
    def micro_batches(self) -> Ints:
        """Accumulation count: micro-batches that a pipeline runs a step. [row]"""
        return self.global_batch // (self.micro_batch * self.dp)
