"""Where the `planner` command begins: interrupts are answered while the rest is loaded, too."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Entry point of the `planner` command."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
    from planner.cli.main import main as begin

    try:
        signal.signal(signal.SIGINT, usual)
        begin()
    except KeyboardInterrupt:
        _leave()


def _leave(*_: object) -> NoReturn:
    """End at once: nothing has been done yet."""
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)
