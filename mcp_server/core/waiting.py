"""Whether the running call may be kept waiting: in a thread of its own it may, elsewhere not.

What might wait for others, or take long, says so by `wait_here` before it does, and before anything
is changed, so that the call can be made again where it may wait. Pure.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_waits: ContextVar[bool] = ContextVar("waits", default=True)


class WouldWaitError(Exception):
    """A call came to where it might wait, and may not; it has changed nothing."""


@contextmanager
def without_waiting() -> Iterator[None]:
    """Let nothing inside wait: it raises WouldWaitError instead."""
    token = _waits.set(False)
    try:
        yield
    finally:
        _waits.reset(token)


def wait_here() -> None:
    """Go on where the call may be kept waiting; raises WouldWaitError where it may not."""
    if not _waits.get():
        raise WouldWaitError
