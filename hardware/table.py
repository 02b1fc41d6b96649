"""DeviceTable: what the models know of accelerators, as frozen columns over the device axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hardware.column import Bools, Floats, Ints, row_count, seal, to_columns

__all__ = ["CLAIMED", "INFERENCE_ONLY", "PRECISIONS", "TRAINING", "TRAINS", "DeviceTable"]

PRECISIONS = ("fp32", "tf32", "bf16", "fp16", "fp8", "int8", "fp4")

INFERENCE_ONLY, CLAIMED, TRAINS = 0, 1, 2

TRAINING: Mapping[str, int] = MappingProxyType(
    {"no": INFERENCE_ONLY, "claimed": CLAIMED, "yes": TRAINS}
)


@dataclass(frozen=True, repr=False)
class DeviceTable:
    """
    Accelerators as columns, one row a device type as it sits in its node.

    A device is one package with its own peak: a GPU, a TPU chip, a Trainium
    chip, an OAM module. Peaks are dense. Rates of links are one direction a
    device. A zero means what the comment of its column says, never "unknown
    but probably small".

    Examples
    --------
    >>> import hardware
    >>> table = hardware.load("h100_sxm5_80gb", "mi300x")
    >>> table.names
    ('h100_sxm5_80gb', 'mi300x')
    >>> float(table.memory_bytes[0])
    80000000000.0
    """

    names: tuple[str, ...]  # [device]
    vendor: tuple[str, ...]  # [device]
    family: tuple[str, ...]  # [device] such as nvidia-hopper, amd-cdna3, google-tpu
    kind: tuple[str, ...]  # [device] gpu, npu or tpu
    memory_bytes: Floats  # [device] nameplate
    usable_memory_bytes: Floats  # [device] 0.94 of the nameplate where nobody published it
    memory_bytes_per_s: Floats  # [device]
    peak_flop_per_s: Floats  # [device, precision] dense; 0 = type not offered
    matmul_frac: Floats  # [device, precision] attainable part of the peak; 0 = not measured
    memory_frac: Floats  # [device] attainable part of memory bandwidth; 0 = not measured
    cores: Ints  # [device] SM, CU or tensor cores; 0 = unknown
    clock_hz: Floats  # [device] 0 = unknown
    tdp_w: Floats  # [device] 0 = unpublished
    scale_up_bytes_per_s: Floats  # [device] one direction
    scale_up_size: Ints  # [device] devices in a switch or torus domain, at least 1
    scale_up_is_torus: Bools  # [device]
    scale_out_bytes_per_s: Floats  # [device] one direction; 0 = no network beyond the domain
    devices_per_node: Ints  # [device]
    node_power_w: Floats  # [device] whole node at the wall, maximum
    training: Ints  # [device] INFERENCE_ONLY, CLAIMED or TRAINS

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)

    def __repr__(self) -> str:
        """One line a device, rates in the units that data sheets use."""
        bf16, fp16 = PRECISIONS.index("bf16"), PRECISIONS.index("fp16")
        lines = [
            f"DeviceTable [device: {len(self)}], dense peaks, links one direction a device",
            f"{'device':<26} {'memory':>8} {'HBM':>10} {'16 bit':>12} {'scale-up':>15} "
            f"{'scale-out':>10} {'node':>4} {'kW':>6}",
            f"{'':<26} {'GB':>8} {'GB/s':>10} {'TFLOP/s':>12} {'GB/s x size':>15} "
            f"{'GB/s':>10} {'':>4} {'':>6}",
        ]
        for row, name in enumerate(self.names[:40]):
            peak = self.peak_flop_per_s[row, bf16] or self.peak_flop_per_s[row, fp16]
            domain = f"{self.scale_up_bytes_per_s[row] / 1e9:.4g} x {self.scale_up_size[row]}"
            lines.append(
                f"{name:<26} {self.memory_bytes[row] / 1e9:>8.4g} "
                f"{self.memory_bytes_per_s[row] / 1e9:>10.5g} {peak / 1e12:>12.5g} {domain:>15} "
                f"{self.scale_out_bytes_per_s[row] / 1e9:>10.4g} {self.devices_per_node[row]:>4} "
                f"{self.node_power_w[row] / 1e3:>6.3g}"
            )
        if len(self) > 40:
            lines.append(f"and {len(self) - 40} more")
        return "\n".join(lines)

    def row(self, name: str) -> int:
        """Row number of a device of this table; ValueError when it holds no such device."""
        try:
            return self.names.index(name)
        except ValueError:
            raise ValueError(f"no device `{name}` in this table of {self.names}") from None

    def to_columns(self) -> dict[str, Any]:
        """The columns by name; the two peak tables as one column a precision."""
        columns: dict[str, Any] = {}
        for name, column in to_columns(self).items():
            if name == "peak_flop_per_s":
                for at, precision in enumerate(PRECISIONS):
                    columns[f"{precision}_peak_flop_per_s"] = column[:, at]
            elif name == "matmul_frac":
                for at, precision in enumerate(PRECISIONS):
                    columns[f"{precision}_matmul_frac"] = column[:, at]
            else:
                columns[name] = column
        return columns

    def to_frame(self) -> Any:
        """The table as a pandas frame, one row a device, names and families as categories."""
        import pandas

        frame = pandas.DataFrame(self.to_columns())
        for name in ("vendor", "family", "kind"):
            frame[name] = frame[name].astype("category")
        return frame
