"""The transport's room on real descriptors, and a client that sends what nobody could answer."""

import asyncio
import os
import time

import anyio
import pytest

from mcp_server.server import ending, stdio
from mcp_server.server.stdio import connected
from tests.server.test_stdio import LIMIT, Paper, answer, opened, waits
from tests.wire import GUARD, call, line, request


@pytest.fixture
def client():
    """What a client sends into and reads from, and the server's ends of the same pipes."""
    sent, read = os.pipe(), os.pipe()
    yield sent[1], read[0], sent[0], read[1]
    for descriptor in (*sent, *read):
        os.close(descriptor)


async def test_a_few_of_the_longest_lines_may_be_unanswered_and_no_more(client):
    into, _, source, sink = client
    longest = line(call(1, "get_state", reason="x" * LIMIT))
    longest = line(call(1, "get_state", reason="x" * (2 * LIMIT + 1 - len(longest))))
    assert len(longest) == LIMIT + 1
    os.write(into, longest * 5)
    async with connected(source, sink, LIMIT) as (inbox, outbox):
        assert [(await inbox.receive()).message.id for _ in range(4)] == [1] * 4
        receiving = await waits(inbox)
        await outbox.send(answer(1))
        assert (await asyncio.wait_for(receiving, GUARD)).message.id == 1


async def test_a_flood_of_what_is_no_message_lets_others_have_their_turn():
    paper = Paper()
    inbox, _, _ = opened(paper=paper)
    inbox.take(b"garbage\n" * 1_000)
    receiving = await waits(inbox)
    assert 0 < len(paper.lines) < 100
    inbox.end()
    with pytest.raises(anyio.EndOfStream):
        await asyncio.wait_for(receiving, GUARD)
    assert len(paper.lines) == 1_000


async def test_a_client_that_does_not_read_its_refusals_is_heard_on():
    inbox, _, _ = opened(paper=Paper(gone=True))
    inbox.take(b"garbage\n" + line(request(1, "ping")))
    assert (await inbox.receive()).message.id == 1


async def test_a_call_that_is_never_answered_does_not_keep_the_end_from_coming():
    inbox, _, _ = opened()
    inbox.take(line(request(1, "ping")))
    await inbox.receive()
    inbox.end()
    began = time.monotonic()
    with pytest.raises(anyio.EndOfStream):
        await asyncio.wait_for(inbox.receive(), GUARD)
    assert time.monotonic() - began >= ending.ANSWERED_WITHIN


def test_calls_have_their_moment_before_the_process_is_gone_and_that_is_within_a_second():
    assert 0 < stdio.ANSWERED_WITHIN < ending._GONE_WITHIN < 1
