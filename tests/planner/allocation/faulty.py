"""Solvers that break in every way: functions that a process of their own can find by name."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from planner.allocation.solver.engine import ENGINES, Answer, Task
from planner.allocation.solver.task import Progress

HIGHS = ENGINES["highs"]


def _tell(task: Task) -> None:
    """The point in which nothing is done, as an incumbent."""
    if task.on_progress is not None:
        zero = np.zeros(len(task.program.columns.names))
        task.on_progress(Progress(0.0, 0.0, None, zero))


def segfaults(task: Task) -> Answer:
    ctypes.string_at(0)
    return Answer(None, None)


def aborts(task: Task) -> Answer:
    os.abort()


def kills_itself(task: Task) -> Answer:
    os.kill(os.getpid(), signal.SIGKILL)
    return Answer(None, None)


def leaves(task: Task) -> Answer:
    os._exit(3)


def is_deaf_and_hangs(task: Task) -> Answer:
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))
    if "LEFT_BEHIND" in os.environ:
        Path(os.environ["LEFT_BEHIND"]).write_text(str(os.getpid()))
    time.sleep(1000)
    return Answer(None, None)


def hangs_in_native_code(task: Task) -> Answer:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which would end the sleep
    ctypes.PyDLL(None).sleep(1000)  # keeps the lock of the interpreter: no Python runs
    return Answer(None, None)


def tells_then_hangs(task: Task) -> Answer:
    _tell(task)
    return hangs_in_native_code(task)


def tells_then_dies(task: Task) -> Answer:
    _tell(task)
    return segfaults(task)


def tells_the_best_then_dies(task: Task) -> Answer:
    answer = HIGHS(replace(task, on_progress=None))
    if task.on_progress is not None and not task.is_relaxed:
        task.on_progress(Progress(0.0, answer.claimed, None, answer.point))
    return segfaults(task)


def takes_all_memory(task: Task) -> Answer:
    held = []
    while True:
        held.append(np.ones(1_000_000))


def takes_all_memory_natively(task: Task) -> Answer:
    # What C++ does when it cannot allocate and nobody catches that.
    take = ctypes.CDLL(None).malloc
    take.restype, take.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    for _ in range(100_000):
        if not take(50_000_000):
            os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
            os.abort()
    return Answer(None, None)


def takes_all_memory_deep_down(task: Task) -> Answer:
    # The stack that is written then, and the list of modules, are longer than a log is kept.
    def deeper(depth: int) -> Answer:
        return deeper(depth - 1) if depth else takes_all_memory_natively(task)

    return deeper(90)


def prints(task: Task) -> Answer:
    sys.stdout.write("a banner\n")
    sys.stdout.flush()
    os.write(1, b"another one\n")
    os.write(2, b"and a warning\n")
    return HIGHS(task)


def raises_oddly(task: Task) -> Answer:
    class Odd(BaseException):
        def __reduce__(self) -> str:
            raise RuntimeError("not to be pickled")

    raise Odd("an odd one")


def exits(task: Task) -> Answer:
    sys.exit("enough")


def says_nothing(task: Task) -> Answer:
    return None  # type: ignore[return-value]


def says_what_cannot_be_sent(task: Task) -> Answer:
    return Answer(lambda: None, None)  # type: ignore[arg-type]


def writes_garbage(task: Task) -> Answer:
    """As a process does whose memory is damaged: a message that is none."""
    pipes = []
    for descriptor in range(3, 256):
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
            if is_pipe and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_WRONLY:
                pipes.append(descriptor)
        except OSError:
            continue
    os.write(pipes[-1], b"\x08\x00\x00\x00\x00\x00\x00\x00garbage!")
    os._exit(0)


def leaves_files_and_children(task: Task) -> Answer:
    import subprocess
    import tempfile

    child = subprocess.Popen(["sleep", "1000"])
    handle, place = tempfile.mkstemp()
    os.write(handle, b"a program of some size")
    Path(os.environ["LEFT_BEHIND"]).write_text(f"{place}\n{child.pid}")
    return segfaults(task)


def honest(task: Task) -> Answer:
    return HIGHS(task)
