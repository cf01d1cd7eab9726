"""Standard input and output: kept from everything else, and at the pace of the other end."""

import asyncio
import os
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from mcp_server.server import pipes
from tests.core.test_durable import System
from tests.wire import GUARD

LINE = b"x" * 100_000 + b"\n"
"""More than a pipe holds, and less than it and the loop's own buffer would."""

TAKING = """
import os, subprocess, sys
from mcp_server.server.pipes import take_standard_streams

source, sink = take_standard_streams()
print("stray", flush=True)
reading = "import sys; print(repr(sys.stdin.read()), flush=True)"
subprocess.run([sys.executable, "-c", reading], check=True)
os.write(sink, os.read(source, 100))
"""


def test_neither_a_stray_print_nor_a_child_touches_the_protocol():
    done = subprocess.run(
        [sys.executable, "-c", TAKING],
        input=b"asked",
        capture_output=True,
        timeout=GUARD,
        check=True,
    )
    assert (done.stdout, done.stderr.splitlines()) == (b"asked", [b"stray", b"''"])


@pytest.fixture
def pipe():
    """A pipe: where its reader reads, and where its writer writes."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def taken(reader, size):
    """As many bytes as that, once they are there."""
    parts = []
    while size:
        parts.append(os.read(reader, min(size, 65_536)))
        size -= len(parts[-1])
    return b"".join(parts)


async def still_waiting(*tasks):
    """Whether none of the tasks is done, as far as the loop can tell."""
    for _ in range(10):
        await asyncio.sleep(0)
    return not any(task.done() for task in tasks)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are written by threads there")
async def test_a_line_is_written_when_the_other_end_has_room_for_all_of_it(pipe):
    reader, sink = pipe
    writer = await pipes.write_to(sink, lambda: None)
    first, second = (asyncio.create_task(writer.write(LINE)) for _ in range(2))
    assert await still_waiting(first, second)
    assert await asyncio.to_thread(taken, reader, len(LINE)) == LINE
    # What comes after it is not waited for.
    await asyncio.wait_for(first, GUARD)
    assert await still_waiting(second)
    assert await asyncio.to_thread(taken, reader, len(LINE)) == LINE
    await asyncio.wait_for(second, GUARD)
    writer.close()


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are written by threads there")
async def test_writers_that_wait_are_told_when_nobody_reads_any_more(pipe):
    reader, sink = pipe
    ended = asyncio.Event()
    writer = await pipes.write_to(sink, ended.set)
    waiting = [asyncio.create_task(writer.write(LINE)) for _ in range(2)]
    assert await still_waiting(*waiting)
    os.close(reader)
    told = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), GUARD)
    assert [type(error) for error in told] == [BrokenPipeError] * 2
    await asyncio.wait_for(ended.wait(), GUARD)
    with pytest.raises(BrokenPipeError):
        await writer.write(LINE)


async def test_lines_that_threads_write_are_not_mixed(pipe):
    reader, sink = pipe
    writer = pipes.ThreadWriter(sink)
    lines = [letter * 1_000_000 + b"\n" for letter in (b"a", b"b", b"c")]
    writing = [asyncio.create_task(writer.write(line)) for line in lines]
    got = await asyncio.to_thread(taken, reader, sum(map(len, lines)))
    await asyncio.gather(*writing)
    assert sorted(got.splitlines(keepends=True)) == lines


class Taking:
    """Notes what a thread reads, and pauses it after each chunk."""

    def __init__(self):
        self.chunks = []
        self.arrived = asyncio.Event()
        self.reader = None

    def on_bytes(self, chunk):
        self.chunks.append(chunk)
        self.reader.pause_reading()
        self.arrived.set()

    def on_end(self):
        self.chunks.append(None)
        self.arrived.set()

    async def next(self):
        await asyncio.wait_for(self.arrived.wait(), GUARD)
        self.arrived.clear()
        return self.chunks[-1]


async def test_a_thread_that_is_held_back_reads_nothing_more(pipe, monkeypatch):
    source, client = pipe
    reads, read = threading.Semaphore(0), os.read

    def counted(descriptor, size):
        reads.release()
        return read(descriptor, min(size, 3))

    os.write(client, b"onetwo")
    os.close(client)
    monkeypatch.setattr(pipes, "os", System(read=counted))
    taking = Taking()
    taking.reader = pipes.ThreadReader(source, pipes.Receiver(taking.on_bytes, taking.on_end))
    for expected in (b"one", b"two", None):
        assert reads.acquire(timeout=GUARD)
        assert await taking.next() == expected
        # Long enough for a thread that does not wait.
        assert not await asyncio.to_thread(reads.acquire, timeout=0.1)
        taking.reader.resume_reading()
