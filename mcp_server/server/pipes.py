"""Standard input and output as bytes: taken from the process, read and written by the event loop.

While the server runs, descriptor 0 is the null device and descriptor 1 is standard error, so that
a child or a stray print cannot touch the protocol. Pipes and sockets are left to the event loop
where it can wait for them; files, terminals and Windows are read and written by threads.
"""

import asyncio
import os
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

_CHUNK = 256 * 1024


class Reader(Protocol):
    """Where bytes come from."""

    def pause_reading(self) -> None:
        """Deliver nothing for now."""

    def resume_reading(self) -> None:
        """Deliver again."""

    def close(self) -> None:
        """Deliver nothing more."""


class Receiver(asyncio.Protocol):
    """Hands what arrives to `on_bytes`, and tells `on_end` once when nothing more will come."""

    def __init__(self, on_bytes: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        """Deliver to these two."""
        self._on_bytes = on_bytes
        self._on_end = on_end

    def data_received(self, data: bytes) -> None:
        """Hand bytes on."""
        self._on_bytes(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell of the end."""
        self._on_end()


class Writer(Protocol):
    """Writes lines to a descriptor, at the pace of whoever reads there."""

    async def write(self, line: bytes) -> None:
        """Return when the system has the line, whole; raises OSError when nobody reads."""

    def close(self) -> None:
        """Write nothing more."""


class PipeWriter(asyncio.BaseProtocol):
    """Writes through the event loop."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        """Tell `on_end` when nobody reads any more."""
        self._on_end = on_end
        self._room = asyncio.Event()
        self._room.set()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write here, and hold nothing back that could be written."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.set_write_buffer_limits(high=0)
            self._transport = transport

    def pause_writing(self) -> None:
        """Have writers wait."""
        self._room.clear()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._room.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Let writers go on, to find that nobody reads."""
        self._transport = None
        self._room.set()
        self._on_end()

    async def write(self, line: bytes) -> None:
        """Write after the lines before, and wait until all of it is taken."""
        (await self._when_there_is_room()).write(line)
        await self._when_there_is_room()

    def close(self) -> None:
        """Write nothing more."""
        if self._transport is not None:
            self._transport.abort()

    async def _when_there_is_room(self) -> asyncio.WriteTransport:
        while not self._room.is_set():
            await self._room.wait()
        if self._transport is None:
            raise BrokenPipeError
        return self._transport


class ThreadWriter:
    """Writes in a thread, one line after the other."""

    def __init__(self, descriptor: int) -> None:
        """Write to `descriptor`."""
        self._descriptor = descriptor
        self._turn = asyncio.Lock()

    async def write(self, line: bytes) -> None:
        """Write the line, whole."""
        async with self._turn:
            await asyncio.to_thread(self._write_all, line)

    def close(self) -> None:
        """Leave a write that waits to the end of the process."""

    def _write_all(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(self._descriptor, view) :]


class ThreadReader:
    """Reads in a thread; each chunk waits until the one before it was taken."""

    def __init__(self, descriptor: int, receiver: Receiver) -> None:
        """Deliver to `receiver` in the running loop."""
        self._descriptor = descriptor
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._wanted = threading.Event()
        self._paused = False
        # A daemon: nothing can end a read that waits for a terminal.
        threading.Thread(target=self._read, name="standard input", daemon=True).start()

    def pause_reading(self) -> None:
        """Read nothing for now."""
        self._paused = True

    def resume_reading(self) -> None:
        """Read again."""
        self._paused = False
        self._wanted.set()

    def close(self) -> None:
        """Leave a read that waits to the end of the process."""

    def _read(self) -> None:
        # The loop may end while this thread reads.
        with suppress(RuntimeError):
            while chunk := self._chunk():
                self._wanted.clear()
                self._loop.call_soon_threadsafe(self._deliver, chunk)
                self._wanted.wait()
            self._loop.call_soon_threadsafe(self._receiver.connection_lost, None)

    def _chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK)
        except OSError:
            return b""

    def _deliver(self, chunk: bytes) -> None:
        self._receiver.data_received(chunk)
        if not self._paused:
            self._wanted.set()


def take_standard_streams() -> tuple[int, int]:
    """Return descriptors of standard input and output that nothing else in the process has."""
    sys.stdout.flush()
    taken_input, taken_output = os.dup(0), os.dup(1)
    # Without a diversion the protocol works all the same, only less guarded.
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
    with suppress(OSError):
        os.dup2(2, 1)
    return taken_input, taken_output


async def read_from(descriptor: int, receiver: Receiver) -> Reader:
    """Deliver what comes from `descriptor`."""
    if not _is_pipe(descriptor):
        return ThreadReader(descriptor, receiver)
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(descriptor, "rb", buffering=0, closefd=False)
    transport, _ = await loop.connect_read_pipe(lambda: receiver, pipe)
    return transport


async def write_to(descriptor: int, on_end: Callable[[], None]) -> Writer:
    """Return a writer to `descriptor`; `on_end` is told when nobody reads there any more."""
    if not _is_pipe(descriptor):
        return ThreadWriter(descriptor)
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(descriptor, "wb", buffering=0, closefd=False)
    _, writer = await loop.connect_write_pipe(lambda: PipeWriter(on_end), pipe)
    return writer


def _is_pipe(descriptor: int) -> bool:
    # The loop of Windows waits for pipes only that were opened for it.
    if sys.platform == "win32":
        return False
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
