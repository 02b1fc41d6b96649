"""Solvers in a process of their own: a crash, a hang or a want of memory costs that alone."""

from __future__ import annotations

import contextlib
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

from hardware.column import Floats
from hardware.errors import Diagnostic, SolverFailure
from hardware.units import format_si
from planner.allocation.solver.interrupt import Held, is_stopped
from planner.allocation.solver.process import ENDED, Running, can_fork, forked, spawned
from planner.allocation.solver.side import ANSWER, FAILURE, PROGRESS, READY
from planner.allocation.solver.task import Answer, Engine, Task

__all__ = ["apart", "grace_s"]

READY_S = 10.0  # a process that has not begun by then never will
STOP_S = 5.0  # for the best so far, after an interrupt

Way = Callable[[Engine, Task], Running]


def grace_s(time_limit_s: float) -> float:
    """
    Time that a solver may take beyond its limit before it counts as hung. [s]

    Examples
    --------
    >>> grace_s(10.0), grace_s(60.0)
    (5.0, 12.0)
    """
    return max(5.0, 0.2 * time_limit_s)


def apart(ask: Engine) -> Engine:
    """
    An engine that runs another one in a process of its own.

    Parameters
    ----------
    ask : Engine
        The solver. Where the process cannot be forked, a function that another
        interpreter can import.

    Returns
    -------
    Engine
        The same answers. When the process crashes, is killed, breaks its limit of memory
        or does not answer within the time limit and `grace_s`, the last point that it told
        is the answer, with `failure` set; without such a point it raises.

    Raises
    ------
    SolverFailure
        ``solver-crashed``, ``solver-hung``, ``solver-out-of-memory`` or what the solver
        itself raised, and no point is known.

    Notes
    -----
    Linux forks where Python runs one thread; elsewhere a fresh interpreter is started, and
    where none can be had, the solver runs in this process. Ctrl-C asks the process for the
    best it has and is obeyed by force after `STOP_S`; a second one ends it at once, and the
    last point that it told stands. Processes that the solver starts end with it, and it ends
    with us. Memory is limited on Linux alone, beside what the process has at its start.
    """

    def asked_apart(task: Task) -> Answer:
        if is_stopped():
            return Answer(None, None, was_interrupted=True)
        ways: tuple[Way, ...] = (forked, spawned) if can_fork() else (spawned,)
        for way in ways:
            heard = _Heard(time.monotonic())
            with _listening(heard):
                try:
                    heard.running = running = way(ask, task)
                except (OSError, pickle.PicklingError, AttributeError, TypeError):
                    continue
                try:
                    if heard.interrupts:  # while it started
                        running.stop()
                    _hear(running, task, heard)
                    if heard.is_ready or heard.interrupts or way is ways[-1]:
                        return _outcome(running, task, heard)
                finally:
                    running.close()
        return ask(task)

    return asked_apart


@dataclass
class _Heard:
    """What a process has told so far, and what was done to it."""

    began: float
    running: Running | None = None
    is_ready: bool = False
    point: Floats | None = None
    bound: float | None = None
    answers: list[Any] = field(default_factory=list)  # one at most
    faults: tuple[Diagnostic, ...] = ()
    is_hung: bool = False
    interrupts: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Time since the start. [s]"""
        return time.monotonic() - self.began


def _hear(running: Running, task: Task, heard: _Heard) -> None:
    """Listen until an answer, a failure, the end of the process or of our patience."""
    ends = heard.began + READY_S
    while not heard.answers and not heard.faults:
        if heard.interrupts:
            ends = min(ends, heard.interrupts[0] + STOP_S)
        # Short waits, since a signal does not end one.
        message = running.receive(min(ends - time.monotonic(), 0.25))
        if message is None:
            if time.monotonic() < ends:
                continue
            heard.is_hung = True
            running.kill()
            return
        if message == ENDED:
            return
        kind, what = message
        if kind == READY:
            heard.is_ready = True
            ends = time.monotonic() + task.time_limit_s + grace_s(task.time_limit_s)
        elif kind == PROGRESS:
            if what.point is not None:
                heard.point = what.point
            heard.bound = heard.bound if what.bound is None else what.bound
            if task.on_progress is not None:
                task.on_progress(what)
        elif kind == ANSWER:
            heard.answers.append(what)
        elif kind == FAILURE:
            heard.faults = what


def _outcome(running: Running, task: Task, heard: _Heard) -> Answer:
    """What the task's answer is, after all that was heard."""
    answer = heard.answers[0] if heard.answers else None
    if isinstance(answer, Answer) and answer.was_interrupted and not heard.interrupts:
        what = "the solver was interrupted by somebody else"
        heard.faults = (Diagnostic("solver-crashed", what, expected="an answer"),)
    elif isinstance(answer, Answer):
        if answer.point is None and answer.was_interrupted:
            answer = replace(answer, point=heard.point, bound=heard.bound)
        return replace(answer, was_interrupted=bool(heard.interrupts))
    elif heard.interrupts:
        return Answer(heard.point, heard.bound, was_interrupted=True, seconds=heard.seconds)
    fault = _fault(running, task, heard)
    if heard.point is None:
        raise SolverFailure(fault)
    return Answer(heard.point, None, seconds=heard.seconds, log=running.log(), failure=fault)


def _fault(running: Running, task: Task, heard: _Heard) -> Diagnostic:
    """Why there is no answer."""
    log = running.log()
    found = " | ".join(_telling(log))
    limit = task.memory_limit_bytes
    allowed = f"at most {format_si(limit, 'B')}" if limit else ""
    if heard.faults:
        fault = heard.faults[0]
        is_memory = fault.code == "solver-out-of-memory"
        return replace(fault, found=fault.found or found, expected=allowed if is_memory else
                       fault.expected)  # fmt: skip
    if heard.answers:
        what = type(heard.answers[0]).__name__
        return Diagnostic("solver-failure", f"the solver returned a {what}", expected="an Answer")
    if heard.is_hung:
        what = "gave no answer" if heard.is_ready else "did not begin"
        return Diagnostic(
            "solver-hung",
            f"the solver {what} and was ended",
            found=found,
            expected=f"one within {task.time_limit_s:.3g} s and a grace of "
            f"{grace_s(task.time_limit_s):.3g} s",
        )
    code = running.ended(5.0)
    if any("bad_alloc" in line or "MemoryError" in line for line in log):
        return Diagnostic("solver-out-of-memory", "the solver ran out of memory", found=found,
                          expected=allowed)  # fmt: skip
    is_killed = code == -getattr(signal, "SIGKILL", 9)
    hint = "the system may have ended it for want of memory" if is_killed else ""
    hint = f"its memory is limited, {allowed}" if allowed else hint
    return Diagnostic("solver-crashed", f"the solver's process {_end_words(code)}", found=found,
                      expected="an answer", hint=hint)  # fmt: skip


def _telling(log: tuple[str, ...]) -> tuple[str, ...]:
    """The lines of a log that matter: the last before a stack, or else the top of the stack."""
    stack = [at for at, line in enumerate(log) if line.startswith(("Current thread", "Thread 0x"))]
    if stack and stack[0] == 0:
        mine = next((at for at in stack if log[at].startswith("Current thread")), 0)
        return log[mine + 1 : mine + 3]
    return log[: stack[0]][-3:] if stack else log[-3:]


def _end_words(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "no longer talks"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


@contextlib.contextmanager
def _listening(heard: _Heard) -> Iterator[None]:
    """Pass Ctrl-C on to the process: once to be asked for its best, twice to be ended."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if is_main else None
    if not callable(before):  # nobody here minds it, or it is another thread's
        yield
        return

    def asked(number: int, frame: FrameType | None) -> None:
        if isinstance(before, Held):
            before(number, frame)
            if not before.is_stopped:
                return
        heard.interrupts.append(time.monotonic())
        if heard.running is None:
            return
        if len(heard.interrupts) == 1:
            heard.running.stop()
        else:
            heard.running.kill()

    signal.signal(signal.SIGINT, asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
