"""What runs in a solver's own process: the question in, progress and the answer out."""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import gc
import io
import os
import pickle
import signal
import struct
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from hardware.errors import Diagnostic, SolverFailure
from planner.allocation.solver.task import Answer, Engine, Progress, Task

__all__ = ["ANSWER", "FAILURE", "HEAD", "PROGRESS", "READY", "answer_file", "answer_forked"]

READY, PROGRESS, ANSWER, FAILURE = range(4)  # kinds of messages
NO_MEMORY = Diagnostic("solver-out-of-memory", "the solver ran out of memory")
HEAD = struct.Struct("<Q")  # bytes of the message that follows

Tell = Callable[[int, Any], None]


def answer_forked(ask: Engine, task: Task, *, wire: int, life: int, log: int, folder: str) -> None:
    """
    Answer in a process that was just forked, and end it.

    Parameters
    ----------
    ask, task : Engine, Task
        The solver and its question.
    wire : int
        Descriptor that messages are written to.
    life : int
        Descriptor of a pipe that nobody writes to: at its end this process has no parent.
    log : int
        Descriptor that takes whatever is printed.
    folder : str
        Where the solver may put its own files.
    """
    code = 70
    try:
        for number in (signal.SIGTERM, signal.SIGIO, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)  # the parent's, which would wake it up for our signals
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)  # Ctrl-C of the terminal is the parent's to pass on
        _end_with_parent(life)
        silence = os.open(os.devnull, os.O_RDONLY)
        for descriptor, target in ((0, silence), (1, log), (2, log)):
            os.dup2(target, descriptor)
        # New streams: another thread of the parent may have held a lock of the old ones.
        sys.stdout = sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8")
        gc.freeze()  # or collecting writes to every page that is shared with the parent
        _answer(ask, task, _told(wire), folder)
        code = 0
    finally:
        os._exit(code)


def answer_file(folder: str) -> NoReturn:
    """Answer the question in a folder's `task` on standard output; a fresh interpreter's work."""
    wire = os.dup(1)
    os.dup2(2, 1)
    _watch_parent()
    ask, task = pickle.loads(Path(folder, "task").read_bytes())
    _answer(ask, task, _told(wire), folder)
    os._exit(0)


def _answer(ask: Engine, task: Task, tell: Tell, folder: str) -> None:
    """Ask the solver, and tell whatever comes of it."""
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    with contextlib.suppress(OSError):  # where memory runs out, this process goes first
        Path("/proc/self/oom_score_adj").write_text("500")
    faulthandler.enable(2)
    if hasattr(faulthandler, "register"):  # a hung solver is ended by it: where did it hang?
        faulthandler.register(signal.SIGTERM, 2, chain=True)
    limited = None
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        _reset_threads()
        limited = _limit_memory(task.memory_limit_bytes)
        tell(READY, None)
        answer = ask(replace(task, on_progress=lambda at: tell(PROGRESS, at), is_apart=True))
        _free_memory(limited)
        tell(ANSWER, answer)
    except KeyboardInterrupt:
        tell(ANSWER, Answer(None, None, was_interrupted=True))
    except MemoryError:
        _free_memory(limited)
        tell(FAILURE, (NO_MEMORY,))
    except SolverFailure as failure:
        tell(FAILURE, failure.diagnostics)
    except BaseException as error:
        _free_memory(limited)
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            tell(FAILURE, (NO_MEMORY,))
            return
        text = f"the solver broke with {type(error).__name__}: {error}"
        tell(FAILURE, (Diagnostic("solver-failure", text, expected="an answer"),))


def _told(wire: int) -> Tell:
    """A way to write messages to a descriptor."""

    def tell(kind: int, what: Any) -> None:
        if isinstance(what, Progress) and what.point is not None:
            what = replace(what, point=what.point.copy())
        text = pickle.dumps((kind, what), protocol=pickle.HIGHEST_PROTOCOL)
        rest = memoryview(HEAD.pack(len(text)) + text)
        while rest:
            rest = rest[os.write(wire, rest) :]

    return tell


def _end_with_parent(life: int) -> None:
    """Have the kernel end this group of processes when the parent is gone, hung or not."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(life, fcntl.F_SETOWN, -os.getpgid(0))
        flags = fcntl.fcntl(life, fcntl.F_GETFL)
        fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)  # in place of SIGIO, which can be blocked
        fcntl.fcntl(life, fcntl.F_SETFL, flags | os.O_ASYNC)


def _watch_parent() -> None:
    """End with the parent, and stop when it says so, in a fresh interpreter."""

    def watch() -> None:
        import _thread

        while os.read(0, 64):
            _thread.interrupt_main()
        if hasattr(os, "killpg"):
            os.killpg(os.getpgid(0), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _reset_threads() -> None:
    """Drop what HiGHS kept of threads of the parent, which do not run here."""
    known = sys.modules.get("highspy")
    if known is not None:
        known.Highs.resetGlobalScheduler(True)


def _limit_memory(limit_bytes: int) -> tuple[int, int] | None:
    """Allow so much memory beside what the process has; gives the limits before, if changed."""
    held = _data_bytes()
    if limit_bytes <= 0 or held is None:
        return None
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    most = held + limit_bytes
    if before[1] != resource.RLIM_INFINITY:
        most = min(most, before[1])
    resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    return before


def _free_memory(limits: tuple[int, int] | None) -> None:
    """Take the limit off again, so that the answer can be told."""
    if limits is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, limits)


def _data_bytes() -> int | None:
    """Writable memory of this process; None where the system does not tell. [byte]"""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    held = [line.split()[1] for line in lines if line.startswith("VmData:")]
    return int(held[0]) * 1024 if held else None
