"""Constraint family of the fabric: runs that stay inside one of its blocks."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import numpy as np

from planner.allocation.offer.block import nests
from planner.allocation.program.register import Register
from planner.allocation.program.row import EQUAL, Row, row_of

__all__ = ["inside_one_block"]


def inside_one_block(register: Register) -> Iterator[Row]:
    """
    A job of topology one-block has all its nodes in one block of the fabric.

    sum_{b: nodes_b >= n} w_{k,b} = sum_{s in k} x_s
    for every class k of spans of such jobs with the same pool, days and nodes n

    w counts runs; `within_blocks` lets them take n nodes each of block b. A block here is a
    block of the fabric, or, where nodes of one come with several deliveries, the part of it
    that comes and goes together. Only in pools that state the size of their fabric's blocks.
    """
    spans, classes, case = register.spans, register.classes, register.case
    first = register.offsets["block"]
    tied = np.flatnonzero(register.span_tied > 0)
    tied = tied[[not nests(register.options.blocks[pool]) for pool in spans.pool[tied].tolist()]]
    keys = np.stack(
        [spans.pool[tied], spans.start_day[tied], spans.end_day[tied], spans.nodes[tied]], axis=1
    ).reshape(-1, 4)
    of_class = np.stack(
        [classes.pool, classes.start_day, classes.end_day, classes.tied], axis=1
    ).reshape(-1, 4)
    for number, key in enumerate(np.unique(keys, axis=0).tolist()):
        mine = tied[(keys == key).all(axis=1)]
        parts = np.flatnonzero((of_class == key).all(axis=1))
        name = case.pool_names[key[0]]
        start = (case.first_day + datetime.timedelta(days=key[1])).isoformat()
        yield row_of(
            f"inside_{number}",
            np.concatenate([spans.column[mine], parts + first]),
            np.concatenate([np.ones(len(mine)), -np.ones(len(parts))]),
            family="inside_one_block",
            group=f"the blocks of the fabric of `{name}`",
            sentence=f"runs on {key[3]} nodes of `{name}` from {start} lie each in one block "
            "of the fabric",
            sense=EQUAL,
            bound=0.0,
            repair=f"runs across blocks of the fabric of `{name}`",
        )
