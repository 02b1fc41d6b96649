"""A plan as its file states it: plain records, claims that the audit checks."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from hardware.column import Ints

__all__ = [
    "InputRecord",
    "JobRecord",
    "PlanRecord",
    "RowRecord",
    "ShareRecord",
    "StretchRecord",
    "VerdictRecord",
]


@dataclass(frozen=True, eq=False)
class RowRecord:
    """One run on one pool: who holds which nodes from when to when."""

    job: str
    consortium: str
    pool: str
    device: str
    nodes: int
    ids: Ints  # [range, 2] half-open ranges of node ids
    first: datetime.date
    last: datetime.date  # included
    days: int
    tokens: float
    tokens_per_s: float
    cost: float
    layout: str | None = None
    mfu_frac: float | None = None
    energy_j: float | None = None
    value: float | None = None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobRecord:
    """What became of one job."""

    job: str
    consortium: str
    placed: bool
    done_frac: float
    value: float
    reason: str | None = None


@dataclass(frozen=True)
class ShareRecord:
    """What one consortium gets."""

    consortium: str
    node_months: float
    equivalent_device_months: float
    cost: float
    jobs_done: int
    jobs_asked: int
    value: float
    budget: float | None = None


@dataclass(frozen=True)
class VerdictRecord:
    """How good the plan claims to be; None is unknown."""

    status: str
    objective: float | None
    cost: float | None
    bound: float | None = None
    gap_frac: float | None = None
    policy: str | None = None
    allocation: str | None = None  # None: fixed


@dataclass(frozen=True)
class InputRecord:
    """A file that the plan was made from."""

    path: str
    sha256: str


@dataclass(frozen=True)
class StretchRecord:
    """A part of the horizon whose periods have one length."""

    until: datetime.date  # included
    every: str


@dataclass(frozen=True)
class PlanRecord:
    """A whole plan file."""

    path: str
    sha256: str
    currency: str
    verdict: VerdictRecord
    rows: tuple[RowRecord, ...]
    jobs: tuple[JobRecord, ...]
    consortiums: tuple[ShareRecord, ...]
    inputs: tuple[InputRecord, ...]
    tool_version: str = ""  # of the program that made it
    stretches: tuple[StretchRecord, ...] = ()  # what the plan was made with, by date
