"""Ctrl-C while there is a plan in hand, or a solver that can be asked for one: held, then told."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Held", "held", "is_stopped"]

MOST = 2  # interrupts that are held back
NEVER = 0  # for `stop_at`: there is nothing yet to hold them for


@dataclass
class Held:
    """
    A handler of Ctrl-C that counts, and lets it through only when it is pressed on and on.

    Searches and solvers are asked to stop at the interrupt `stop_at`, which is the first
    until `finish`, and solvers are ended by any after it. What comes after `MOST` of them
    goes on to the handler that was there before.
    """

    before: Callable[..., Any]
    stop_at: int = 1
    times: int = 0
    was_interrupted: bool = False

    def __call__(self, number: int, frame: Any) -> None:
        """Note one more interrupt."""
        if self.stop_at == NEVER:
            self.before(number, frame)
            return
        self.times += 1
        self.was_interrupted = True
        if self.times > MOST:
            self.before(number, frame)

    @property
    def is_stopped(self) -> bool:
        """Whether nothing should look for a better plan any more."""
        return self.stop_at != NEVER and self.times >= self.stop_at

    def finish(self) -> None:
        """From here on solvers only finish what is known of a plan, and the first is let be."""
        self.times, self.stop_at = 0, 2


@contextlib.contextmanager
def held(*, is_last: bool = True, is_early: bool = False) -> Iterator[Held]:
    """
    Hold Ctrl-C back within a block.

    Parameters
    ----------
    is_last : bool
        Whether the block asks itself if there was one. If not, it is raised at the end.
    is_early : bool
        Whether interrupts go through until a block inside this one holds them.

    Yields
    ------
    Held
        The one in force already, where there is one. Never asked in threads but the main
        one, which Ctrl-C does not reach, or where Ctrl-C is not ours to handle.
    """
    before = _handler()
    if isinstance(before, Held):
        if not is_early:
            before.stop_at = max(before.stop_at, 1)
        yield before
        return
    if not callable(before):
        yield Held(_nobody)
        return
    handler = Held(before, NEVER if is_early else 1)
    signal.signal(signal.SIGINT, handler)
    try:
        yield handler
    finally:
        signal.signal(signal.SIGINT, before)
    if handler.was_interrupted and not is_last:
        raise KeyboardInterrupt


def is_stopped() -> bool:
    """Whether an interrupt that is held asks to look no further, and to end with the best."""
    handler = _handler()
    return isinstance(handler, Held) and handler.is_stopped


def _handler() -> Any:
    """The handler of Ctrl-C where it would come to this thread."""
    is_main = threading.current_thread() is threading.main_thread()
    return signal.getsignal(signal.SIGINT) if is_main else None


def _nobody(*_: object) -> None:
    """Handler of interrupts that do not come."""
