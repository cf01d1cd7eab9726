"""Which session a call works on, for whoever watches calls from above.

The state manager says every state that it hands out or stores. Where nobody watches, that costs one
look at a context variable. A call's worker threads inherit its context, and so its watcher; the
states that they see one after the other are the call's. Pure.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from mcp_server.core.models import SessionState


@dataclass(slots=True)
class Watched:
    """The session of a call as it was found, and as the call saw it last."""

    found: SessionState | None = None
    last: SessionState | None = None


_watched: ContextVar[Watched | None] = ContextVar("watched", default=None)


@contextmanager
def watching() -> Iterator[Watched]:
    """Watch what is done inside."""
    watched = Watched()
    token = _watched.set(watched)
    try:
        yield watched
    finally:
        _watched.reset(token)


def saw(state: SessionState) -> SessionState:
    """Tell the watcher of this call, if there is one, of a state; return it."""
    watched = _watched.get()
    if watched is not None:
        watched.found = watched.found or state
        watched.last = state
    return state
