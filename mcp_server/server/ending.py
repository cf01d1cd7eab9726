"""How the server's process ends: soon, whatever its threads are doing.

The end of the input, SIGTERM and Ctrl-C begin the end. Calls that run have a moment to be
answered; then the process goes, and with it threads that wait for a verification, a lock or a
disk. Whatever they were at, a session is as it was before the action or after it: that is what the
journal is for. A verification runs on in its own process.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ANSWERED_WITHIN = 0.5
"""Seconds in which calls that run when the end begins may still be answered."""

_GONE_WITHIN = 0.8
"""Seconds after which the process goes, whatever it waits for."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def be_gone_soon() -> None:
    """Have the process be gone within a second; its exit code says that all is well."""
    last = threading.Timer(_GONE_WITHIN, os._exit, args=(0,))
    last.daemon = True
    last.start()


@contextmanager
def told_by_signals(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` in the running loop on SIGTERM or Ctrl-C; a second of either ends the process."""
    loop = asyncio.get_running_loop()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(tell)

    # Only the main thread may say what signals do.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
