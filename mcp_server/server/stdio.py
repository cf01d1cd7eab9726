"""The stdio transport: from standard input to the SDK's server, and back to standard output.

The SDK's own transport reads and writes in threads, drops what it cannot read, and holds a line
whatever its length. This one waits on pipes in the event loop, answers what is no message, skips
lines that no call could need, and takes no more from the client than it has room for: while too
many requests, or too many bytes of them, are unanswered, the rest waits in the pipe
(docs/adr/0015-own-stdio-transport.md). One client, one event loop; not safe for threads.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

import anyio
from mcp.server import MCPServer
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp.types import JSONRPCError, JSONRPCRequest, JSONRPCResponse, RequestId

from mcp_server.server import pipes
from mcp_server.server.ending import ANSWERED_WITHIN, be_gone_soon, told_by_signals
from mcp_server.server.framing import Line, LineFramer, TooLong
from mcp_server.server.messages import UnreadableError, read_message, too_long, write_message

MAX_REQUESTS = 512
"""Requests that may be unanswered at once; further ones wait in the pipe."""

_LINES_OF_ROOM = 4
"""How many of the longest lines the unanswered requests may come to."""

_READ_AHEAD = 256 * 1024
"""Bytes of whole lines that are read before there is room for them."""

_LISTED_BY = 0.25
"""Seconds after which a client has what it needs to show the tools."""


LISTEN = "subscriptions/listen"
"""The request that is answered only when nobody listens any more."""


class Unanswered:
    """The requests that were taken from the client and are not answered yet."""

    def __init__(self, room: int) -> None:
        """Have room for `room` bytes of them."""
        self._room = room
        self._bytes = 0
        self._taken: dict[RequestId, list[tuple[int, bool]]] = {}
        self._count = 0
        self._awaited = 0
        self.changed = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether the next one has to wait."""
        return self._count >= MAX_REQUESTS or self._bytes >= self._room

    def __len__(self) -> int:
        """Return how many there are that an answer is awaited for."""
        return self._awaited

    def add(self, request_id: RequestId, size: int, *, is_awaited: bool = True) -> None:
        """Count a request in, and among those that are worth waiting for at the end."""
        self._taken.setdefault(request_id, []).append((size, is_awaited))
        self._bytes += size
        self._count += 1
        self._awaited += is_awaited

    def settle(self, request_id: RequestId | None) -> None:
        """Count one request of that id out."""
        taken = self._taken.get(request_id) if request_id is not None else None
        if request_id is None or not taken:
            return
        size, is_awaited = taken.pop()
        self._bytes -= size
        self._count -= 1
        self._awaited -= is_awaited
        if not taken:
            del self._taken[request_id]
        self.changed.set()


class Outbox:
    """What the server sends: the SDK's write stream."""

    def __init__(self, unanswered: Unanswered) -> None:
        """Settle answered requests of `unanswered`."""
        self._unanswered = unanswered
        self._writer: pipes.Writer | None = None

    def open(self, writer: pipes.Writer) -> None:
        """Send through `writer`."""
        self._writer = writer

    async def send(self, item: SessionMessage, /) -> None:
        """Send one message."""
        message = item.message
        if self._writer is None:
            raise anyio.ClosedResourceError
        try:
            await self._writer.write(write_message(message))
        except OSError as error:
            raise anyio.BrokenResourceError from error
        finally:
            # Only now: a client that sends and never reads must come to a stand.
            if isinstance(message, JSONRPCResponse | JSONRPCError):
                self._unanswered.settle(message.id)

    async def aclose(self) -> None:
        """Leave the output open: the process is about to end."""

    async def __aenter__(self) -> Self:
        """Nothing is to be opened."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is to be closed."""


class Inbox:
    """What the client sent: the SDK's read stream."""

    def __init__(self, limit: int, outbox: Outbox, unanswered: Unanswered) -> None:
        """Refuse lines of more than `limit` bytes through `outbox`."""
        self._limit = limit
        self._outbox = outbox
        self._unanswered = unanswered
        self._framer = LineFramer(limit)
        self._lines: deque[Line] = deque()
        self._bytes = 0
        self._ended = False
        self._reader: pipes.Reader | None = None
        self._paused = False
        self.on_end: Callable[[], None] = lambda: None

    def open(self, reader: pipes.Reader) -> None:
        """Hold `reader` back where there is no room."""
        self._reader = reader
        self._hold_back()

    def take(self, chunk: bytes) -> None:
        """Take bytes in."""
        for line in self._framer.feed(chunk):
            self._queue(line)
        self._hold_back()

    def end(self) -> None:
        """Take nothing more in."""
        if self._ended:
            return
        rest = self._framer.finish()
        if rest is not None:
            self._queue(rest)
        self._ended = True
        self._unanswered.changed.set()
        self.on_end()

    def _queue(self, line: Line) -> None:
        if self._ended or (isinstance(line, bytes) and not line.strip()):
            return
        self._lines.append(line)
        self._bytes += len(line) if isinstance(line, bytes) else 0
        self._unanswered.changed.set()

    def _hold_back(self) -> None:
        if self._reader is None or self._ended:
            return
        full = self._bytes > _READ_AHEAD
        if full and not self._paused:
            self._reader.pause_reading()
        elif self._paused and not full:
            self._reader.resume_reading()
        self._paused = full

    @property
    def awaits_one(self) -> bool:
        """Whether the client waits for one answer alone, as far as it has been heard."""
        return len(self._unanswered) == 1 and not self._lines

    async def receive(self) -> SessionMessage:
        """Return the next message, or wait for it; raises EndOfStream."""
        while True:
            line = await self._next()
            try:
                if isinstance(line, TooLong):
                    raise too_long(line, self._limit)
                return self._accepted(line)
            except UnreadableError as refused:
                with suppress(anyio.BrokenResourceError):
                    await self._outbox.send(SessionMessage(refused.answer))
                # A flood of them should not keep answers and signals waiting.
                await asyncio.sleep(0)

    async def _next(self) -> Line:
        changed = self._unanswered.changed
        while not self._lines or self._unanswered.is_full:
            if self._ended and not self._lines:
                await self._last_answers()
                raise anyio.EndOfStream
            changed.clear()
            await changed.wait()
        line = self._lines.popleft()
        self._bytes -= len(line) if isinstance(line, bytes) else 0
        self._hold_back()
        return line

    def _accepted(self, line: bytes) -> SessionMessage:
        message = read_message(line)
        if not isinstance(message, JSONRPCRequest):
            return SessionMessage(message)
        request_id = message.id
        self._unanswered.add(request_id, len(line), is_awaited=message.method != LISTEN)

        async def unanswered() -> None:
            self._unanswered.settle(request_id)

        return SessionMessage(message, ServerMessageMetadata(on_request_unanswered=unanswered))

    async def _last_answers(self) -> None:
        with anyio.move_on_after(ANSWERED_WITHIN):
            while self._unanswered:
                self._unanswered.changed.clear()
                await self._unanswered.changed.wait()

    async def aclose(self) -> None:
        """Take nothing more in."""
        self._ended = True

    def __aiter__(self) -> Self:
        """Iterate over the messages."""
        return self

    async def __anext__(self) -> SessionMessage:
        """Return the next message."""
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        """Nothing is to be opened."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take nothing more in."""
        await self.aclose()


@asynccontextmanager
async def connected(source: int, sink: int, limit: int) -> AsyncIterator[tuple[Inbox, Outbox]]:
    """Serve a client between two descriptors until it closes them, or a signal ends the process."""
    unanswered = Unanswered(_LINES_OF_ROOM * limit)
    outbox = Outbox(unanswered)
    inbox = Inbox(limit, outbox, unanswered)
    with told_by_signals(inbox.end), ExitStack() as opened:
        writer = await pipes.write_to(sink, inbox.end)
        opened.callback(writer.close)
        reader = await pipes.read_from(source, pipes.Receiver(inbox.take, inbox.end))
        opened.callback(reader.close)
        outbox.open(writer)
        inbox.open(reader)
        yield inbox, outbox


class StdioServer(MCPServer[Any]):
    """The SDK's server on our transport."""

    line_limit: int
    """Bytes that one message may have."""

    warm: Callable[[], Iterator[None]]
    """Gets at hand what calls need, step by step, once the client could list the tools."""

    awaits_one: Callable[[], bool] | None = None
    """Tells whether one answer alone is awaited, while standard input and output are served."""

    async def run_stdio_async(self) -> None:
        """Serve standard input and output until the client closes them."""
        warming = asyncio.create_task(self._warm_up())
        try:
            await self._serve_standard_streams()
        finally:
            warming.cancel()

    async def _warm_up(self) -> None:
        # In the loop's own thread: memory that another one allocates is not used again here.
        await asyncio.sleep(_LISTED_BY)
        for _ in self.warm():
            await asyncio.sleep(0)

    async def _serve_standard_streams(self) -> None:
        source, sink = pipes.take_standard_streams()
        async with connected(source, sink, self.line_limit) as (inbox, outbox):
            inbox.on_end = be_gone_soon
            self.awaits_one = lambda: inbox.awaits_one
            await self._lowlevel_server.run(
                inbox, outbox, self._lowlevel_server.create_initialization_options()
            )
