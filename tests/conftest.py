"""
What all tests share: Ctrl-C means what it does at a terminal, and how many cases are drawn.

Tests that draw cases at random draw a few dozen in a plain run. `THOROUGH_TESTS=1` before
the command draws hundreds in place of them, and takes that much longer.
"""

from __future__ import annotations

import os
import signal

import pytest

# A shell starts what runs in the background with interrupts ignored, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def examples(few: int, many: int) -> int:
    """How many cases a test draws: a few in a plain run, many with `THOROUGH_TESTS=1`."""
    return many if os.environ.get("THOROUGH_TESTS") == "1" else few


@pytest.fixture
def solvers_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solvers answer in this process, which is sooner: for tests that ask about plans alone."""
    monkeypatch.setattr("planner.allocation.solver.engine.apart", lambda ask: ask)
