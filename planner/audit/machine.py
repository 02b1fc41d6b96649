"""What stands in each pool and what each job trains, looked up in the catalogues."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hardware.errors import InputError
from hardware.placement import device_table, placed
from hardware.table import TRAINS, DeviceTable
from planner.architecture import ModelTable, active_parameters
from planner.audit.facts import Machine
from planner.library import Library, read_library
from planner.scenario import TRAINING_KINDS, Pool, Scenario
from planner.workload import seq_len_of, table_of

__all__ = ["Lookup", "look_up"]


@dataclass(frozen=True)
class Lookup:
    """The scenario's pools and models as tables, and the one name of everything written."""

    devices: DeviceTable  # one row a pool, in file order
    models: ModelTable
    model_row: dict[str, int]  # model as written -> row
    seq_len: dict[str, int]  # model as written -> tokens a sequence
    model_names: dict[str, str]  # model as written -> its one name
    device_names: dict[str, str]  # device as written -> its one name
    machines: dict[str, Machine]  # by pool
    model_flop: dict[str, float]  # by job; 6 or 2 operations a token and active parameter

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Layers, widths, heads and experts of each model as written."""
        models = self.models
        columns = (
            models.layers, models.hidden, models.ffn_hidden, models.heads, models.kv_heads,
            models.head_dim, models.kv_lora, models.experts, models.top_k, models.moe_ffn_hidden,
            models.shared_experts,
        )  # fmt: skip
        return {
            name: tuple(int(column[at]) for column in columns)
            for name, at in self.model_row.items()
        }


def _device(pool: Pool, library: Library) -> DeviceTable:
    """The pool's device in its node, with the network figures that the scenario gives."""
    row = device_table([placed(pool.device, library.hardware, pool.node)])
    if pool.fabric is None:
        return row
    if pool.fabric.scale_out is not None:
        row = replace(row, scale_out_bytes_per_s=np.array([pool.fabric.scale_out.value]))
    if pool.fabric.scale_up_size is not None:
        size = np.array([pool.fabric.scale_up_size], dtype=np.int64)
        row = replace(row, scale_up_size=size)
    return row


def _stacked(tables: list[DeviceTable]) -> DeviceTable:
    columns: dict[str, Any] = {}
    for name, first in tables[0].__dict__.items():
        parts = [getattr(table, name) for table in tables]
        columns[name] = (
            np.concatenate(parts) if isinstance(first, np.ndarray) else sum(parts, start=())
        )
    return DeviceTable(**columns)


def look_up(scenario: Scenario, base_path: Path) -> Lookup:
    """
    Look up what the scenario names.

    Raises
    ------
    InputError
        A device, node or model that is not known.
    """
    library, faults = read_library(scenario, base_path)
    if faults:
        raise InputError(faults)
    devices = _stacked([_device(pool, library) for pool in scenario.pools.values()])
    machines = {
        name: Machine(
            devices.names[at],
            int(devices.devices_per_node[at]),
            bool(devices.training[at] == TRAINS),
            float(devices.node_power_w[at]),
        )
        for at, name in enumerate(scenario.pools)
    }
    written = list(library.models)
    models = table_of([library.models[name] for name in written])
    row = {name: at for at, name in enumerate(written)}
    active = active_parameters(models)
    flop = {
        name: (6 if job.kind in TRAINING_KINDS else 2)
        * float(active[row[job.model]])
        * job.tokens.value
        for name, job in scenario.jobs.items()
    }
    seq_len = {name: int(seq_len_of(library.models[name]).value) for name in written}
    return Lookup(
        devices, models, row, seq_len, library.model_names, dict(library.devices), machines, flop
    )
