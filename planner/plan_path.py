"""How a job goes on from row to row of a plan: where it moves, and where it pauses, in words."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

__all__ = ["paths"]

_DAY = datetime.timedelta(days=1)


def paths(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """
    What happens between the rows of each job that has several, in words.

    Parameters
    ----------
    rows : iterable of mapping
        Rows as a plan file holds them: `job`, `pool`, `nodes`, `from`, `to`.

    Returns
    -------
    dict of str to str
        By job, in the order of the rows.

    Examples
    --------
    >>> row = {"job": "aurora", "pool": "north", "nodes": 64,
    ...        "from": "2026-01-01", "to": "2026-06-30"}
    >>> paths([row, {**row, "nodes": 128, "from": "2026-07-01", "to": "2026-07-31"}])
    {'aurora': 'moves once: 64 -> 128 nodes on 2026-07-01'}
    """
    by_job: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_job.setdefault(str(row["job"]), []).append(row)
    return {
        job: _words(sorted(mine, key=lambda row: str(row["from"])))
        for job, mine in by_job.items()
        if len(mine) > 1
    }


def _words(rows: list[Mapping[str, Any]]) -> str:
    """The moves and pauses of one job, each with its day."""
    moves: list[str] = []
    pauses: list[str] = []
    for before, after in pairwise(rows):
        change = _change(before, after)
        first, goes_on = _date(before["to"]) + _DAY, _date(after["from"])
        if change:
            moves.append(f"{change} on {after['from']}")
        if goes_on > first:
            pauses.append(f"from {first} to {goes_on - _DAY}")
    parts = []
    if moves:
        parts.append(f"moves {_times(len(moves))}: {', '.join(moves)}")
    if pauses:
        parts.append(f"pauses {_times(len(pauses))}: {', '.join(pauses)}")
    return "; ".join(parts) or f"goes on in {len(rows)} rows with other node ids"


def _date(day: Any) -> datetime.date:
    return datetime.date.fromisoformat(str(day))


def _change(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What is another pool or number of nodes than before; empty where nothing is."""
    was, now = before["nodes"], after["nodes"]
    if before["pool"] != after["pool"]:
        return f"{was} nodes of {before['pool']} -> {now} of {after['pool']}"
    return f"{was} -> {now} nodes" if was != now else ""


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"
