"""Keys as they are pressed, without Enter, for as long as a screen is up.

Where there is no keyboard (input is no terminal), waiting is all that is done. The terminal gets
its settings back however the screen ends.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Protocol

_STEP = 0.05
_ENDED_BY_SIGNAL = 128


class Keyboard(Protocol):
    """What waits for a key."""

    def pressed(self, seconds: float) -> str:
        """Return the keys pressed within `seconds`; empty if there were none."""


class _NoKeyboard:
    def pressed(self, seconds: float) -> str:
        """Wait."""
        time.sleep(seconds)
        return ""


@contextlib.contextmanager
def open_keyboard() -> Iterator[Keyboard]:
    """Read keys singly meanwhile; a polite kill ends by an exception, so that all is undone."""
    with contextlib.ExitStack() as undone:
        before = signal.signal(signal.SIGTERM, _end)
        undone.callback(signal.signal, signal.SIGTERM, before)
        if not sys.stdin.isatty():
            yield _NoKeyboard()
        elif sys.platform == "win32":
            yield _WindowsKeyboard()
        else:
            yield undone.enter_context(_unix_keyboard())


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(_ENDED_BY_SIGNAL + number)


if sys.platform == "win32":
    import msvcrt  # pylint: disable=import-error

    class _WindowsKeyboard:
        def pressed(self, seconds: float) -> str:
            """Look for a key until the time is up."""
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                if msvcrt.kbhit():
                    return msvcrt.getwch()
                time.sleep(_STEP)
            return ""

else:
    import select
    import termios
    import tty

    class _UnixKeyboard:
        def __init__(self, descriptor: int) -> None:
            self._descriptor = descriptor

        def pressed(self, seconds: float) -> str:
            """Wait for a key."""
            ready, _, _ = select.select([self._descriptor], [], [], seconds)
            if not ready:
                return ""
            # A terminal that is gone reads as empty: nobody is left to watch.
            return os.read(self._descriptor, 64).decode("ascii", "replace") or "q"

    @contextlib.contextmanager
    def _unix_keyboard() -> Iterator[Keyboard]:
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)
        try:
            yield _UnixKeyboard(descriptor)
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
