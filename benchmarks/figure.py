"""One measured figure, and a process measured from outside."""

from __future__ import annotations

import contextlib
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """What was measured, its value and unit, and what is asked of it."""

    name: str
    value: float
    unit: str
    asked: str = ""


def process_s(arguments: Sequence[str], repeat: int) -> float:
    """Median wall time of a Python process with these arguments. [s]"""
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def process_time_and_memory(arguments: Sequence[str]) -> tuple[float, float, int]:
    """Wall time [s], peak resident memory [byte] and exit code of one Python process."""
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - began, peak_bytes(usage), child.returncode


def own_peak_bytes() -> float:
    """
    Peak resident memory of this process in bytes.

    Where Linux tells it, that of the program that runs now: `getrusage` counts the process
    that started it too, as it was at the time.
    """
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) * 1024.0
    return peak_bytes(resource.getrusage(resource.RUSAGE_SELF))


def peak_bytes(usage: resource.struct_rusage) -> float:
    """Peak resident memory in bytes; the system counts in KiB, but macOS in bytes."""
    return usage.ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)
