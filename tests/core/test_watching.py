"""A call's session, as whoever watches the call sees it."""

import asyncio
import threading

import pytest

from mcp_server.core.state_manager import StateManager
from mcp_server.core.watching import watching
from mcp_server.errors import StateError
from tests.builders import Clock, definition
from tests.memory_store import MemoryStore


@pytest.fixture
def sessions():
    return StateManager(MemoryStore(), max_active=9, clock=Clock())


def started(sessions):
    return sessions.create(definition(), "src/a.py", {})


def test_a_call_that_works_on_no_session_shows_none(sessions):
    started(sessions)
    with watching() as watched:
        sessions.list_sessions()
    assert (watched.found, watched.last) == (None, None)


def test_a_session_that_is_started_or_read_is_seen(sessions):
    with watching() as watched:
        state = started(sessions)
    assert (watched.found, watched.last) == (state, state)
    with watching() as watched:
        sessions.get_session(state.session_id)
    assert (watched.found, watched.last) == (state, state)


def test_a_change_is_seen_before_and_after(sessions):
    before = started(sessions)
    with watching() as watched:
        sessions.pause(before.session_id)
    assert (watched.found, watched.last) == (before, sessions.load(before.session_id))
    assert watched.last != before


def test_a_change_that_is_refused_is_seen_as_it_was_found(sessions):
    before = started(sessions)
    sessions.pause(before.session_id)
    with watching() as watched, pytest.raises(StateError):
        sessions.pause(before.session_id)
    assert watched.last == sessions.load(before.session_id)


def test_a_session_is_seen_once_more_when_it_is_deleted(sessions):
    state = started(sessions)
    with watching() as watched:
        sessions.delete_session(state.session_id)
    assert watched.last == state


async def test_a_thread_of_the_call_is_watched_and_others_are_not(sessions):
    with watching() as watched:
        state = await asyncio.to_thread(started, sessions)
        other = threading.Thread(target=started, args=(sessions,))
        other.start()
        other.join()
    started(sessions)
    assert (watched.found, watched.last) == (state, state)
