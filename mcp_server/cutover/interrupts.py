"""Ctrl-C and `kill` as one exception, so that whatever is under way is taken back.

The first signal raises in the main thread; later ones are ignored, since what it began then is the
way back. Not for threads.
"""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class InterruptedCutover(KeyboardInterrupt):
    """A signal asked to stop."""


class Interrupts:
    """Turns signals into `InterruptedCutover` while it is entered and armed."""

    def __init__(self) -> None:
        """Be armed."""
        self._armed = True
        self._before: dict[signal.Signals, Any] = {}

    def disarm(self) -> None:
        """Ignore signals from now on: what is under way must come to its end."""
        self._armed = False

    def __enter__(self) -> Self:
        """Take the signals over."""
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is not None:
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            raise InterruptedCutover(signal.Signals(number).name)
