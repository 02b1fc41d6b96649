"""What all tests share: Ctrl-C means what it does at a terminal, whatever started the tests."""

from __future__ import annotations

import signal

# A shell starts what runs in the background with interrupts ignored, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
