"""The pools of a scenario as columns: devices in their nodes, prices, deliveries."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hardware.column import Bools, Floats, Ints
from hardware.placement import Placement, device_table, placed
from hardware.quantity import Money, Price
from hardware.table import DeviceTable
from hardware.units import DAY_S
from planner.delivery import available_nodes, delivery_blocks
from planner.library import Library
from planner.scenario import Pool, Scenario

__all__ = ["PoolColumns", "in_plan_currency", "pool_columns"]


@dataclass(frozen=True)
class PoolColumns:
    """Columns of `planner.case.Case` that pools give; `kind` numbers the distinct devices."""

    device: DeviceTable  # [pool]
    kind: Ints  # [pool] equal where device, node and fabric are the same
    equivalent: Floats  # [pool] device-equivalents of a node
    cost_per_node_day: Floats  # [pool]
    shared: Bools  # [pool]
    nodes: Ints  # [pool, period]
    most_nodes: Ints  # [pool]
    delivery_pool: Ints  # [delivery]
    delivery_first_day: Ints  # [delivery]
    delivery_end_day: Ints  # [delivery]
    delivery_nodes: Ints  # [delivery]


def in_plan_currency(scenario: Scenario, amount: Money | Price) -> float:
    """
    An amount in the scenario's currency.

    Raises
    ------
    KeyError
        No exchange rate; `planner.scenario_check` finds that before.
    """
    if amount.currency == scenario.currency or amount.value == 0:
        return amount.value
    return amount.value * scenario.exchange[amount.currency].value


def pool_columns(scenario: Scenario, library: Library, border_day: Ints) -> PoolColumns:
    """
    Pools as columns, in file order.

    Parameters
    ----------
    scenario : Scenario
        A scenario without faults.
    library : Library
        Devices behind its names.
    border_day : Ints [period + 1]
        Borders of the periods. [day]

    Returns
    -------
    PoolColumns
        Money in the scenario's currency a node and day; days from the horizon's first.
    """
    pools = list(scenario.pools.values())
    placements = [_placement(pool, library) for pool in pools]
    device = device_table(placements)
    rates = {
        library.devices[name]: figure.value for name, figure in scenario.rules.equivalence.items()
    }
    deliveries = [delivery_blocks(pool, scenario.horizon) for pool in pools]
    per_day = []
    for at, pool in enumerate(pools):
        many = int(device.devices_per_node[at]) if pool.price.per == "device" else 1
        per_day.append(in_plan_currency(scenario, pool.price) * many * DAY_S)
    nodes = [available_nodes(table, border_day[:-1], border_day[1:]) for table in deliveries]
    return PoolColumns(
        device=device,
        kind=_kinds(pools, placements),
        equivalent=np.array([rates.get(name, 1.0) for name in device.names])
        * device.devices_per_node,
        cost_per_node_day=np.array(per_day),
        shared=np.array([pool.basis != "own" for pool in pools]),
        nodes=np.array(nodes, dtype=np.int64).reshape(len(pools), len(border_day) - 1),
        most_nodes=np.array([int(table.end_id.max(initial=0)) for table in deliveries]),
        delivery_pool=np.repeat(np.arange(len(pools)), [len(table) for table in deliveries]),
        delivery_first_day=np.concatenate([table.first_day for table in deliveries]),
        delivery_end_day=np.concatenate([table.end_day for table in deliveries]),
        delivery_nodes=np.concatenate([table.end_id - table.first_id for table in deliveries]),
    )


def _placement(pool: Pool, library: Library) -> Placement:
    """A pool's device in its node, with what its fabric changes."""
    found = placed(library.devices[pool.device], library.hardware, pool.node)
    if pool.fabric is None:
        return found
    changes: dict[str, float] = {}
    if pool.fabric.scale_out is not None:
        changes["scale_out_bytes_per_s"] = pool.fabric.scale_out.value
    if pool.fabric.scale_up_size is not None:
        changes["scale_up_size"] = pool.fabric.scale_up_size
    return replace(found, **changes)  # type: ignore[arg-type]


def _kinds(pools: list[Pool], placements: list[Placement]) -> Ints:
    """One number for each distinct device as it sits in its node, in order of appearance."""
    numbers: dict[tuple[object, ...], int] = {}
    kinds = []
    for found in placements:
        key = (found.name, found.node_name, found.scale_up_size, found.scale_out_bytes_per_s)
        kinds.append(numbers.setdefault(key, len(numbers)))
    return np.array(kinds, dtype=np.int64)
