"""Blocks that runs lie on while a plan is built, in pools where counting nodes is not enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hardware.column import Bools, Floats, Ints, take
from planner.allocation.offer.block import Block, nests
from planner.allocation.offer.option import Options, OptionTable

if TYPE_CHECKING:
    from planner.allocation.program.register import Register
    from planner.case import Case

__all__ = ["Packs", "Parts", "block_amounts", "packs_of"]

Parts = tuple[tuple[int, int], ...]  # block of the pool, nodes of it


@dataclass
class _Pool:
    """One pool: what is free of each block from each day on which something starts or goes."""

    free: Floats  # [block, day]
    all: Floats  # [block, day] when nothing is held
    end: Ints  # [block] on which its last span ends


class Packs:
    """
    Which block's nodes each run of a plan holds, decided when it is put in.

    A run that must stay inside one block takes the fullest that has room; any other takes
    what is left of the blocks that go first and are fullest. A plan that is built so can be
    given node ids, since within one block counting by day is enough. That some other
    choice of blocks would have had room is not looked at.
    """

    def __init__(self, runs: OptionTable, tied: Bools, here: tuple[tuple[Block, ...], ...]) -> None:
        self.pool, self.nodes, self.tied = runs.pool.tolist(), runs.nodes.tolist(), tied.tolist()
        self.low, self.high = np.zeros(len(runs), np.int64), np.zeros(len(runs), np.int64)
        self.pools: dict[int, _Pool] = {}
        self.taken: dict[int, Parts] = {}
        for pool, blocks in enumerate(here):
            if nests(blocks):
                continue
            mine = np.flatnonzero(runs.pool == pool)
            edges = [day for block in blocks for span in block.spans for day in span]
            days = np.unique(np.append(runs.start_day[mine], np.array(edges, np.int64)))
            free = np.array([block.nodes * block.holds(days, days + 1) for block in blocks])
            ends = np.array([block.spans[-1][1] for block in blocks])
            self.pools[pool] = _Pool(free.astype(np.float64), free.astype(np.float64), ends)
            self.low[mine] = np.searchsorted(days, runs.start_day[mine])
            self.high[mine] = np.searchsorted(days, runs.end_day[mine])

    def place(self, column: int) -> bool:
        """Give a run its blocks; False when there is no room for it."""
        here = self.pools.get(self.pool[column])
        if here is None:
            return True
        low, high, nodes = int(self.low[column]), int(self.high[column]), self.nodes[column]
        room = here.free[:, low:high].min(axis=1)
        if self.tied[column]:
            fits = np.flatnonzero(room >= nodes)
            if len(fits) == 0:
                return False
            parts: Parts = ((int(fits[room[fits].argmin()]), nodes),)
        else:
            if room.sum() < nodes:
                return False
            parts = _spread(room, here.end, nodes)
        for block, amount in parts:
            here.free[block, low:high] -= amount
        self.taken[column] = parts
        return True

    def remove(self, column: int) -> None:
        """Give the blocks of a run back."""
        here = self.pools.get(self.pool[column])
        if here is not None:
            for block, amount in self.taken.pop(column):
                here.free[block, int(self.low[column]) : int(self.high[column])] += amount

    def clear(self) -> None:
        """Give all blocks back."""
        self.taken.clear()
        for here in self.pools.values():
            here.free = here.all.copy()

    def state(self) -> tuple[dict[int, Parts], dict[int, Floats]]:
        """What a round changes, to be kept."""
        return dict(self.taken), {pool: here.free.copy() for pool, here in self.pools.items()}

    def restore(self, state: tuple[dict[int, Parts], dict[int, Floats]]) -> None:
        """Go back to what was kept."""
        self.taken = state[0]
        for pool, free in state[1].items():
            self.pools[pool].free = free


def _spread(room: Floats, end: Ints, nodes: int) -> Parts:
    """Nodes of several blocks, those first that go first and have least room."""
    found: list[tuple[int, int]] = []
    for block in np.lexsort([room, end]).tolist():
        amount = min(int(room[block]), nodes)
        if amount > 0:
            found.append((block, amount))
            nodes -= amount
        if nodes == 0:
            break
    return tuple(found)


def packs_of(case: Case, options: Options, columns: Ints) -> Packs | None:
    """The blocks for some of the runs; None where in every pool counting is enough."""
    if all(nests(here) for here in options.blocks):
        return None
    runs = take(options.runs, columns)
    tied = np.zeros(len(runs), dtype=np.bool_)
    if case.job_one_block.any():
        tied = case.job_one_block[runs.job]
    return Packs(runs, tied, options.blocks)


def block_amounts(register: Register, chosen: Ints, parts: list[Parts]) -> Floats:
    """
    Columns of block counts for chosen runs and the blocks that they lie on. [class]

    Parameters
    ----------
    register : Register
        Of the program that the columns belong to.
    chosen : ndarray of int
        Runs of the register's options.
    parts : list of Parts
        For each its blocks; none in pools where counting is enough.
    """
    classes, runs = register.classes, register.options.runs
    keys = zip(classes.pool.tolist(), classes.block.tolist(), classes.start_day.tolist(),
               classes.end_day.tolist(), classes.tied.tolist(), strict=True)  # fmt: skip
    at = {key: number for number, key in enumerate(keys)}
    amounts = np.zeros(len(at))
    tied = register.span_tied
    for run, held in zip(chosen.tolist(), parts, strict=True):
        for block, nodes in held:
            key = (int(runs.pool[run]), block, int(runs.start_day[run]), int(runs.end_day[run]),
                   int(tied[run]))  # fmt: skip
            amounts[at[key]] += 1 if tied[run] else nodes
    return amounts
