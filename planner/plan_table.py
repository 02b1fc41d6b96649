"""The tables of a plan: its verdict, rows, jobs and consortiums, to and from plain records."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hardware.column import Bools, Floats, Ints, row_count, seal

__all__ = [
    "PlanJobTable",
    "PlanRowTable",
    "PlanShareTable",
    "Verdict",
    "read_tables",
    "records",
    "table_of",
    "written_tables",
]


@dataclass(frozen=True)
class Verdict:
    """What was found and what is proved about it; None where nothing is known."""

    status: str  # optimal, feasible, infeasible, unsolved or failed
    objective: float | None
    bound: float | None
    gap_frac: float | None
    cost: float | None
    policy: str
    solver: str
    solver_version: str
    seconds: float
    sentence: str
    allocation: str = "fixed"  # or flexible: what the scenario, or who asked, said


@dataclass(frozen=True)
class PlanRowTable:
    """Who holds what: one row a run, sorted by job and first day."""

    job: tuple[str, ...]  # [row]
    consortium: tuple[str, ...]  # [row]
    pool: tuple[str, ...]  # [row]
    device: tuple[str, ...]  # [row]
    nodes: Ints  # [row]
    node_ids: tuple[str, ...]  # [row] such as "0-63,70"
    first: tuple[datetime.date, ...]  # [row] first day held
    last: tuple[datetime.date, ...]  # [row] last day held, included
    days: Ints  # [row]
    layout: tuple[str, ...]  # [row]
    tokens: Floats  # [row]
    tokens_per_s: Floats  # [row] on the wall clock
    mfu_frac: Floats  # [row] 0 = the rate was given, not predicted
    cost: Floats  # [row] in the plan's currency
    energy_j: Floats  # [row] at the wall, facility included
    value: Floats  # [row]
    marks: tuple[tuple[str, ...], ...]  # [row]

    def __post_init__(self) -> None:
        seal(self)

    def __len__(self) -> int:
        return row_count(self)


@dataclass(frozen=True)
class PlanJobTable:
    """What became of each job, in the order of the scenario; reason empty when placed."""

    job: tuple[str, ...]  # [job]
    consortium: tuple[str, ...]  # [job]
    placed: Bools  # [job]
    done_frac: Floats  # [job]
    value: Floats  # [job]
    reason: tuple[str, ...]  # [job] code
    sentence: tuple[str, ...]  # [job]
    hint: tuple[str, ...]  # [job]

    def __post_init__(self) -> None:
        seal(self)


@dataclass(frozen=True)
class PlanShareTable:
    """What each consortium gets, in the order of the scenario."""

    consortium: tuple[str, ...]  # [consortium]
    name: tuple[str, ...]  # [consortium]
    node_months: Floats  # [consortium] months of 365.25/12 days
    equivalent_device_months: Floats  # [consortium]
    cost: Floats  # [consortium]
    budget: Floats  # [consortium] negative = none
    jobs_done: Ints  # [consortium]
    jobs_asked: Ints  # [consortium]
    value: Floats  # [consortium]

    def __post_init__(self) -> None:
        seal(self)


_KINDS: dict[str, type[Any]] = {"Ints": np.int64, "Floats": np.float64, "Bools": np.bool_}


def table_of(kind: type[Any], rows: list[dict[str, Any]]) -> Any:
    """A table from records, each with at least the table's columns."""
    columns: dict[str, Any] = {}
    for field in fields(kind):
        column = [row[field.name] for row in rows]
        dtype = _KINDS.get(str(field.type))
        columns[field.name] = tuple(column) if dtype is None else np.array(column, dtype=dtype)
    return kind(**columns)


def records(table: Any) -> list[dict[str, Any]]:
    """Rows of a table as dicts of plain types."""
    names = [field.name for field in fields(table)]
    columns = [getattr(table, name) for name in names]
    plain = [column if isinstance(column, tuple) else column.tolist() for column in columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*plain, strict=True)]


def written_tables(
    rows: PlanRowTable, jobs: PlanJobTable, shares: PlanShareTable
) -> dict[str, list[dict[str, Any]]]:
    """Rows, jobs and consortiums as the file has them: dates as text, None for unknown."""
    return {
        "rows": [_written_row(row) for row in records(rows)],
        "jobs": [
            {key: (value if value != "" else None) for key, value in row.items()}
            for row in records(jobs)
        ],
        "consortiums": [
            {**row, "budget": None if row["budget"] < 0 else row["budget"]}
            for row in records(shares)
        ],
    }


def read_tables(data: dict[str, Any]) -> tuple[PlanRowTable, PlanJobTable, PlanShareTable]:
    """The tables that a file's plain data describe; KeyError or ValueError where they do not."""
    rows = [
        {
            **row,
            "first": datetime.date.fromisoformat(row["from"]),
            "last": datetime.date.fromisoformat(row["to"]),
            "mfu_frac": row["mfu_frac"] or 0.0,
            "energy_j": row["energy_j"] or 0.0,
            "marks": tuple(row["marks"]),
        }
        for row in data["rows"]
    ]
    jobs = [{k: "" if v is None else v for k, v in row.items()} for row in data["jobs"]]
    shares = [
        {**row, "budget": -1.0 if row["budget"] is None else row["budget"]}
        for row in data["consortiums"]
    ]
    return (
        table_of(PlanRowTable, rows),
        table_of(PlanJobTable, jobs),
        table_of(PlanShareTable, shares),
    )


def _written_row(row: dict[str, Any]) -> dict[str, Any]:
    """One row as the file has it."""
    names = {"first": "from", "last": "to"}
    written = {names.get(key, key): value for key, value in row.items()}
    written["from"], written["to"] = row["first"].isoformat(), row["last"].isoformat()
    written["mfu_frac"] = row["mfu_frac"] or None
    written["marks"] = list(row["marks"])
    return written
