"""One connection: how long a client may take over a request, and over taking the answer.

uvicorn waits for a request's first byte and its last one for ever, and for a client that reads
nothing. Here a request must be there whole, and an answer be taken on, in time; a connection that
is too slow is closed. On shutdown, streams that only tell news end at once, so that what remains
to wait for are calls.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LISTEN = b"subscriptions/listen"

_AWAITED = (h11.IDLE, h11.SEND_BODY)
"""What a client's side is in while its request is not there yet."""


class LimitedConnection(H11Protocol):
    """A connection with limits; `limited` makes the class for given ones."""

    read_timeout = 30.0
    write_timeout = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin without a limit running."""
        super().__init__(*args, **kwargs)
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        """Take part of a request, whose time began with its first byte."""
        super().data_received(data)
        if self.conn.their_state in _AWAITED:
            self._expect_request()
        else:
            self._stop_reading()

    def on_response_complete(self) -> None:
        """Leave the time until the next request to uvicorn, and to what of it came already."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY or self.conn.trailing_data[0]:
            self._expect_request()
        else:
            self._stop_reading()

    def pause_writing(self) -> None:
        """Give a client that takes nothing some time."""
        super().pause_writing()
        if self._writing is None:
            self._writing = self.loop.call_later(self.write_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client takes the answer."""
        super().resume_writing()
        self._stop_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop what runs."""
        self._stop_reading()
        self._stop_writing()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End at once if idle or only telling news, else after the answer."""
        idle = self.cycle is None or self.cycle.response_complete
        if not idle and (b"mcp-method", LISTEN) in self.headers:
            self.transport.close()
        else:
            super().shutdown()

    def _expect_request(self) -> None:
        if self._reading is None:
            self._reading = self.loop.call_later(self.read_timeout, self.transport.abort)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = None

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
        self._writing = None


def limited(*, read_timeout: float, write_timeout: float) -> type[LimitedConnection]:
    """Return the class of connections with these limits, in seconds."""
    limits = {"read_timeout": read_timeout, "write_timeout": write_timeout}
    return type("LimitedConnection", (LimitedConnection,), limits)
