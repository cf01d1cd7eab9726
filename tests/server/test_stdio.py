"""The transport's room: what is taken from a client, and what has to wait."""

import asyncio
import os

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCResponse

from mcp_server.server.stdio import LISTEN, MAX_REQUESTS, Inbox, Outbox, Unanswered, connected
from tests.wire import GUARD, call, line, request

LIMIT = 4_096


class Pace:
    """A reader that notes whether it is held back."""

    paused = False

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False

    def close(self):
        """Nothing is open."""


class Paper:
    """A writer that keeps what is written, or fails as one does that nobody reads."""

    def __init__(self, gone=False):
        self.lines = []
        self.gone = gone

    async def write(self, written):
        if self.gone:
            raise BrokenPipeError
        self.lines.append(written)

    def close(self):
        """Nothing is open."""


class Slow(Paper):
    """A writer whose reader takes its time."""

    def __init__(self):
        super().__init__()
        self.read = asyncio.Event()

    async def write(self, written):
        await self.read.wait()
        await super().write(written)


def opened(room=LIMIT, paper=None):
    """An inbox and an outbox between a client's two ends."""
    unanswered = Unanswered(room)
    outbox = Outbox(unanswered)
    inbox = Inbox(LIMIT, outbox, unanswered)
    pace = Pace()
    outbox.open(paper or Paper())
    inbox.open(pace)
    return inbox, outbox, pace


def answer(request_id):
    return SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=request_id, result={}))


async def waits(inbox):
    """A receive that has to wait, as far as the loop can tell."""
    receiving = asyncio.create_task(inbox.receive())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not receiving.done()
    return receiving


async def test_messages_come_in_their_order():
    inbox, _, _ = opened()
    inbox.take(line(request(1, "ping")) + line(request(2, "ping")))
    assert [(await inbox.receive()).message.id for _ in range(2)] == [1, 2]


async def test_what_is_no_message_is_answered_and_the_next_one_received():
    paper = Paper()
    inbox, _, _ = opened(paper=paper)
    inbox.take(b"garbage\n" + b"x" * (LIMIT + 1) + b"\n\n" + line(request(1, "ping")))
    assert (await inbox.receive()).message.id == 1
    assert [b"not JSON" in paper.lines[0], b"too large" in paper.lines[1]] == [True, True]
    assert len(paper.lines) == 2


async def test_no_more_requests_are_taken_than_may_be_unanswered():
    inbox, outbox, _ = opened(room=10**9)
    inbox.take(b"".join(line(request(n, "ping")) for n in range(MAX_REQUESTS + 1)))
    for _ in range(MAX_REQUESTS):
        await inbox.receive()
    receiving = await waits(inbox)
    await outbox.send(answer(0))
    assert (await receiving).message.id == MAX_REQUESTS


async def test_no_more_bytes_are_taken_than_may_be_unanswered():
    inbox, outbox, _ = opened(room=1_000)
    inbox.take(line(request(1, "ping", text="x" * 1_000)) + line(request(2, "ping")))
    await inbox.receive()
    receiving = await waits(inbox)
    await outbox.send(answer(1))
    assert (await receiving).message.id == 2


async def test_a_request_that_is_cancelled_makes_room():
    inbox, _, _ = opened(room=10)
    inbox.take(line(request(1, "ping")) + line(request(2, "ping")))
    cancelled = await inbox.receive()
    receiving = await waits(inbox)
    await cancelled.metadata.on_request_unanswered()
    assert (await asyncio.wait_for(receiving, GUARD)).message.id == 2


async def test_an_answer_that_nobody_reads_makes_room():
    inbox, outbox, _ = opened(room=10, paper=Paper(gone=True))
    inbox.take(line(request(1, "ping")) + line(request(2, "ping")))
    await inbox.receive()
    with pytest.raises(anyio.BrokenResourceError):
        await outbox.send(answer(1))
    assert (await asyncio.wait_for(inbox.receive(), GUARD)).message.id == 2


async def test_an_answer_takes_room_until_the_client_takes_it():
    inbox, outbox, _ = opened(room=10, paper=(slow := Slow()))
    inbox.take(line(request(1, "ping")) + line(request(2, "ping")))
    await inbox.receive()
    sending = asyncio.create_task(outbox.send(answer(1)))
    receiving = await waits(inbox)
    slow.read.set()
    await sending
    assert (await receiving).message.id == 2


async def test_two_requests_of_one_id_take_room_for_two():
    inbox, outbox, _ = opened(room=100)
    sent = line(request(1, "ping"))
    assert len(sent) * 2 > 100 > len(sent)
    inbox.take(sent * 3)
    await inbox.receive()
    await inbox.receive()
    receiving = await waits(inbox)
    await outbox.send(answer(1))
    assert (await receiving).message.id == 1


async def test_the_pipe_is_held_back_while_whole_lines_wait():
    inbox, _, pace = opened(room=10**9)
    sent = line(request(1, "ping", text="x" * 3_000))
    inbox.take(sent * 50)
    assert not pace.paused
    inbox.take(sent * 50)
    assert pace.paused
    for _ in range(50):
        await inbox.receive()
    assert not pace.paused


async def test_whether_one_answer_alone_is_awaited_is_known():
    inbox, outbox, _ = opened()
    told = [inbox.awaits_one]
    inbox.take(line(request(1, LISTEN)) + line(call(2, "get_state")) + line(call(3, "get_state")))
    for _ in range(2):
        await inbox.receive()
    told.append(inbox.awaits_one)
    await inbox.receive()
    told.append(inbox.awaits_one)
    await outbox.send(answer(3))
    assert [*told, inbox.awaits_one] == [False, False, False, True]


async def test_a_client_that_listens_is_not_waited_for_at_the_end():
    inbox, outbox, _ = opened()
    inbox.take(line(request("listen:0", LISTEN)) + line(request(1, "ping")))
    assert [(await inbox.receive()).message.id for _ in range(2)] == ["listen:0", 1]
    inbox.end()
    ending = await waits(inbox)
    await outbox.send(answer(1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert ending.done()
    with pytest.raises(anyio.EndOfStream):
        await ending


async def test_those_who_listen_take_room_as_others_do():
    inbox, outbox, _ = opened(room=10**9)
    inbox.take(b"".join(line(request(number, LISTEN)) for number in range(MAX_REQUESTS + 1)))
    for _ in range(MAX_REQUESTS):
        await inbox.receive()
    last = await waits(inbox)
    await outbox.send(answer(0))
    assert (await last).message.id == MAX_REQUESTS


async def test_after_the_end_comes_what_was_sent_and_nothing_more():
    inbox, outbox, _ = opened()
    inbox.take(line(request(1, "ping")) + line(request(2, "ping"))[:-1])
    inbox.end()
    inbox.take(line(request(3, "ping")))
    assert [(await inbox.receive()).message.id for _ in range(2)] == [1, 2]
    ending = await waits(inbox)
    await outbox.send(answer(1))
    await outbox.send(answer(2))
    with pytest.raises(anyio.EndOfStream):
        await ending


async def test_what_waits_for_the_end_is_told_of_it_once():
    inbox, _, _ = opened()
    told = []
    inbox.on_end = lambda: told.append("end")
    inbox.end()
    inbox.end()
    assert told == ["end"]


@pytest.fixture
def ends(tmp_path):
    """A client's two ends: what it sends into, and what it reads from, as descriptors."""
    opened_here = []

    def make(kind):
        if kind == "pipe":
            sent, read = os.pipe(), os.pipe()
            opened_here.extend([*sent, *read])
            return sent[1], sent[0], read[1], read[0]
        path = tmp_path / "answers"
        path.touch()
        source = tmp_path / "requests"
        source.touch()
        found = [
            os.open(source, os.O_WRONLY),
            os.open(source, os.O_RDONLY),
            os.open(path, os.O_WRONLY),
            os.open(path, os.O_RDONLY),
        ]
        opened_here.extend(found)
        return tuple(found)

    yield make
    for descriptor in opened_here:
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["pipe", "file"])
async def test_pipes_are_waited_for_by_the_loop_and_files_read_by_threads(ends, kind):
    client_out, source, sink, client_in = ends(kind)
    long = "x" * 3_000
    os.write(client_out, line(call(1, "get_state", reason=long)) * 20)
    async with connected(source, sink, LIMIT) as (inbox, outbox):
        received = [await inbox.receive() for _ in range(4)]
        assert {item.message.params["arguments"]["reason"] for item in received} == {long}
        await outbox.send(answer(1))
    assert os.read(client_in, LIMIT) == b'{"jsonrpc":"2.0","id":1,"result":{}}\n'


async def test_a_file_ends_the_input_where_it_ends(ends):
    client_out, source, sink, _ = ends("file")
    os.write(client_out, line(request(1, "ping")))
    async with connected(source, sink, LIMIT) as (inbox, outbox):
        assert (await inbox.receive()).message.id == 1
        await outbox.send(answer(1))
        with pytest.raises(anyio.EndOfStream):
            await inbox.receive()


async def test_a_client_that_reads_no_more_ends_the_input():
    sent, read = os.pipe(), os.pipe()
    async with connected(sent[0], read[1], LIMIT) as (inbox, _):
        os.close(read[0])
        with pytest.raises(anyio.EndOfStream):
            await inbox.receive()
    for descriptor in (*sent, read[1]):
        os.close(descriptor)


async def test_an_answer_longer_than_a_pipe_holds_is_written_whole():
    sent, read = os.pipe(), os.pipe()
    long = "x" * 1_000_000
    message = SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=1, result={"text": long}))
    async with connected(sent[0], read[1], LIMIT) as (_, outbox):
        sending = asyncio.create_task(outbox.send(message))
        second = asyncio.create_task(outbox.send(answer(2)))
        got = b""
        while got.count(b"\n") < 2:
            got += await asyncio.to_thread(os.read, read[0], 65_536)
        await sending
        await second
    first, other, _ = got.split(b"\n")
    assert (len(first), other) == (1_000_045, b'{"jsonrpc":"2.0","id":2,"result":{}}')
    for descriptor in (*sent, *read):
        os.close(descriptor)
