"""Processes for solvers: forked where that is safe, a fresh interpreter elsewhere."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from planner.allocation.solver.side import HEAD, answer_forked
from planner.allocation.solver.task import Engine, Task

__all__ = ["ENDED", "Running", "can_fork", "forked", "spawned"]

ENDED = "ended"  # what `receive` gives when no message can follow
TELLER = "planner-progress"  # a thread that may be there at a fork: it holds nothing we need

LOG_BYTES = 1 << 16  # of a log, from its end; a stack of all threads fits
KEPT_CHARS = 4000
_STACK = re.compile(r"^(Fatal Python error|Current thread 0x|Thread 0x)", re.MULTILINE)

_START = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from planner.allocation.solver.side import answer_file; answer_file(sys.argv[1])"
)


@dataclass(frozen=True)
class Running:
    """A solver in a process of its own."""

    receive: Callable[[float], Any]  # next message within seconds; None when none came
    stop: Callable[[], None]  # ask for the best so far
    kill: Callable[[], None]
    ended: Callable[[float], int | None]  # exit code, negative a signal; None: still there
    log: Callable[[], tuple[str, ...]]  # last lines that were printed
    close: Callable[[], None]  # nothing is left behind, whatever state it is in


def can_fork() -> bool:
    """Whether a fork of this process is sure to work: Linux, and no other thread of Python."""
    others = [one for one in threading.enumerate() if one is not threading.current_thread()]
    is_alone = all(one.name == TELLER for one in others)
    is_main = threading.current_thread() is threading.main_thread()
    return sys.platform == "linux" and is_main and is_alone


def forked(ask: Engine, task: Task) -> Running:
    """
    A solver in a fork of this process, which costs some milliseconds and no copying.

    Raises
    ------
    OSError
        The system gives no process.
    """
    folder, log = tempfile.mkdtemp(prefix="planner-"), os.memfd_create("solver")
    wire, theirs = os.pipe()
    life, ours = os.pipe()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of threads that may hold a lock; those left by `can_fork` do not.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            os.close(ours)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked | {signal.SIGINT})
            answer_forked(ask, task, wire=theirs, life=life, log=log, folder=folder)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
    except OSError:
        for descriptor in (wire, ours, log):
            os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        os.close(theirs)
        os.close(life)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    gone: list[int] = []

    def ended(wait_s: float) -> int | None:
        until = time.monotonic() + wait_s
        while not gone:
            try:
                seen = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            except ChildProcessError:  # somebody else of this process has waited for it
                gone.append(0)
                break
            if seen is not None:
                is_exit = seen.si_code == os.CLD_EXITED
                gone.append(seen.si_status if is_exit else -seen.si_status)
            elif time.monotonic() >= until:
                return None
            else:
                time.sleep(0.001)
        return gone[0]

    def close() -> None:
        _signal_group(pid, signal.SIGKILL)  # a group lives as long as any of its processes
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        for descriptor in (wire, ours, log):
            os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)

    return Running(
        receive=_messages(wire),
        stop=lambda: _signal_group(pid, signal.SIGINT),
        kill=lambda: _end_group(pid, ended),
        ended=ended,
        log=lambda: _last_lines(log),
        close=close,
    )


def spawned(ask: Engine, task: Task) -> Running:
    """
    A solver in a fresh interpreter: for threads, notebooks and systems without a safe fork.

    Raises
    ------
    OSError, pickle.PicklingError, AttributeError, TypeError
        No process can be had, or the solver is no function that another process can find.
    """
    question = pickle.dumps((ask, replace(task, on_progress=None)))
    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("no interpreter to start")
    folder = tempfile.mkdtemp(prefix="planner-")
    log, _ = tempfile.mkstemp(dir=folder)
    apart: dict[str, Any] = {}
    if os.name == "posix":
        apart["process_group"] = 0
    else:
        apart["creationflags"] = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    try:
        Path(folder, "task").write_bytes(question)
        process = subprocess.Popen(
            [sys.executable, "-c", _START, folder, *sys.path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, **apart,
        )  # fmt: skip
    except BaseException:
        os.close(log)
        shutil.rmtree(folder, ignore_errors=True)
        raise

    def stop() -> None:
        if os.name == "posix":
            _signal_group(process.pid, signal.SIGINT)
        elif process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(b"s")
                process.stdin.flush()

    def ended(wait_s: float) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(wait_s)
        return None

    def kill() -> None:
        if os.name == "posix":
            _end_group(process.pid, ended)
        else:
            process.kill()

    def close() -> None:
        if os.name == "posix":
            _signal_group(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        os.close(log)
        shutil.rmtree(folder, ignore_errors=True)

    return Running(
        receive=_queued(process.stdout),
        stop=stop,
        kill=kill,
        ended=ended,
        log=lambda: _last_lines(log),
        close=close,
    )


def _signal_group(pid: int, number: int) -> None:
    """Signal a process and those it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _end_group(pid: int, ended: Callable[[float], int | None]) -> None:
    """End a process, by force when it does not go at once."""
    _signal_group(pid, signal.SIGTERM)
    if ended(0.5) is None:
        _signal_group(pid, signal.SIGKILL)


def _messages(wire: int) -> Callable[[float], Any]:
    """Messages from a descriptor, waited for without a thread."""
    import select

    held = bytearray()
    poll = select.poll()
    poll.register(wire, select.POLLIN)

    def receive(wait_s: float) -> Any:
        until = time.monotonic() + wait_s
        while True:
            if len(held) >= HEAD.size:
                end = HEAD.size + HEAD.unpack_from(held)[0]
                if len(held) >= end:
                    text = bytes(held[HEAD.size : end])
                    del held[:end]
                    return _message(text)
            left = max(until - time.monotonic(), 0.0)
            if not poll.poll(min(left, 1e6) * 1000):
                return None
            piece = os.read(wire, 1 << 20)
            if not piece:
                return ENDED
            held.extend(piece)

    return receive


def _queued(stream: IO[bytes] | None) -> Callable[[float], Any]:
    """Messages from a stream, read by a thread, as pipes of all systems allow."""
    seen: queue.Queue[Any] = queue.Queue()

    def read() -> None:
        with contextlib.suppress(OSError, ValueError):
            while stream is not None and len(head := stream.read(HEAD.size)) == HEAD.size:
                text = stream.read(HEAD.unpack(head)[0])
                seen.put(_message(text))
        seen.put(ENDED)

    threading.Thread(target=read, daemon=True).start()

    def receive(wait_s: float) -> Any:
        with contextlib.suppress(queue.Empty):
            return seen.get(timeout=max(wait_s, 0.0))
        return None

    return receive


def _message(text: bytes) -> Any:
    """A message; a broken one, of a process that has lost its mind, is the end."""
    try:
        return pickle.loads(text)
    except Exception:
        return ENDED


def _last_lines(log: int) -> tuple[str, ...]:
    """Last lines of a file; where they end with a stack, the last before it and its top."""
    with contextlib.suppress(OSError):
        size = os.fstat(log).st_size
        os.lseek(log, max(size - LOG_BYTES, 0), os.SEEK_SET)
        text = os.read(log, LOG_BYTES).decode("utf-8", "replace")
        stack = _STACK.search(text)
        # A deep stack and a long list of loaded modules would leave no room for what led to it.
        at = len(text) if stack is None else stack.start()
        kept = text[max(at - KEPT_CHARS, 0) : at + KEPT_CHARS]
        return tuple(line.strip() for line in kept.splitlines() if line.strip())
    return ()
