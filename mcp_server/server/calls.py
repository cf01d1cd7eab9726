"""A call of the tool, as whoever works for it in another thread sees it.

The event loop tells a call that it ends early, and whether its client takes it back; work that
waits on its behalf listens. Knows no protocol, so that verifications need none. Safe for threads.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[], None]


class Call:
    """One call while it is being answered."""

    def __init__(self) -> None:
        """Be in progress."""
        self._guard = threading.Lock()
        self._has_left = False
        self._is_cancelled = False
        self._on_leave: list[Listener] = []
        self._on_cancel: list[Listener] = []

    @property
    def has_left(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._has_left

    def listen(self, *, left: Listener, cancelled: Listener) -> None:
        """Call `left` once nobody waits, and `cancelled` once the client takes the call back."""
        with self._guard:
            self._on_leave.append(left)
            self._on_cancel.append(cancelled)
            due = [left] * self._has_left + [cancelled] * self._is_cancelled
        _tell(due)

    def leave(self) -> None:
        """Say that nobody waits for the answer any more."""
        with self._guard:
            due = [] if self._has_left else list(self._on_leave)
            self._has_left = True
        _tell(due)

    def cancel(self) -> None:
        """Say that the client takes the call back."""
        with self._guard:
            due = [] if self._is_cancelled else list(self._on_cancel)
            self._is_cancelled = True
        _tell(due)


_current: ContextVar[Call | None] = ContextVar("call", default=None)


def current_call() -> Call:
    """Return the running call; outside of one, a call that nothing ends."""
    return _current.get() or Call()


@contextmanager
def running(call: Call) -> Iterator[None]:
    """Make `call` the running one for what happens inside."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def _tell(listeners: list[Listener]) -> None:
    for listener in listeners:
        listener()
