"""What a solver is asked and what it says: the records that every engine takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hardware.column import Floats
from hardware.errors import Diagnostic
from planner.allocation.program.row import Program, Row

__all__ = ["Answer", "Engine", "Progress", "Task"]


@dataclass(frozen=True)
class Progress:
    """State of a solver at work; None where nothing is known yet, or nothing new."""

    seconds: float
    objective: float | None
    bound: float | None
    point: Floats | None = None  # [column] a plan better than those before, as the solver says


@dataclass(frozen=True)
class Task:
    """What a solver is asked: minimise `minimise` over a program, within limits."""

    program: Program
    minimise: Floats
    extra: tuple[Row, ...] = ()
    is_relaxed: bool = False
    time_limit_s: float = 60.0
    gap_frac: float = 0.0
    threads: int = 0  # 0: one
    seed: int = 0
    start: Floats | None = None
    on_progress: Callable[[Progress], None] | None = None
    is_start_good: bool = False  # the time is better spent on the proof than on other plans
    memory_limit_bytes: int = 0  # for a solver in a process of its own; 0: none
    presolve: str = "choose"  # ``off`` for programs that a solver would simplify for too long
    is_apart: bool = False  # this is that process: interrupts come to all that it has started


@dataclass(frozen=True)
class Answer:
    """What a solver says; nothing in it is believed before it is checked."""

    point: Floats | None  # [column]
    bound: float | None  # of the minimisation, in the task's own unit
    claimed: float | None = None  # objective that the solver states for its point
    says_infeasible: bool = False
    was_interrupted: bool = False
    seconds: float = 0.0
    prices: Floats | None = None  # [row with terms] of a relaxed task, extra rows last
    log: tuple[str, ...] = field(default=())
    failure: Diagnostic | None = None  # the solver broke; the point is its last before that


Engine = Callable[[Task], Answer]
