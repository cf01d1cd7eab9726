"""The number of sessions that may be active at once: who counts, and who needs the lock of it."""

import pytest

from mcp_server.core.lifecycle import resume, roll_back
from mcp_server.core.transitions import Status
from mcp_server.errors import ConflictError, LimitError
from tests.builders import NOON
from tests.core.session_builders import noted
from tests.core.test_state_manager import create, manager, put
from tests.memory_store import MemoryStore


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.FAILED])
def test_active_and_failed_sessions_count_against_the_limit(status):
    sessions = manager(MemoryStore(), max_active=2)
    put(sessions, create(sessions), status)
    create(sessions)
    with pytest.raises(LimitError) as refusal:
        create(sessions)
    assert refusal.value.message == "2 sessions are active or failed; the limit is 2"
    assert refusal.value.remediation == (
        'Finish, pause or delete one first: aos_workflow(action="list_sessions", status="active")'
    )
    assert refusal.value.details == {"active": 2, "limit": 2}
    assert sessions.list_sessions()["count"] == 2


@pytest.mark.parametrize("status", [Status.PAUSED, Status.COMPLETED])
def test_paused_and_completed_sessions_do_not_count(status):
    sessions = manager(MemoryStore(), max_active=1)
    for _ in range(3):
        put(sessions, create(sessions), status)
    assert sessions.list_sessions()["count"] == 3


def test_a_deleted_session_makes_room():
    sessions = manager(MemoryStore(), max_active=1)
    sessions.delete_session(create(sessions))
    assert create(sessions)


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (Status.PAUSED, lambda state: resume(state, NOON)),
        (Status.COMPLETED, lambda state: roll_back(state, 1, NOON)),
    ],
    ids=["resume", "rollback"],
)
def test_a_session_that_becomes_active_again_needs_room(status, change):
    sessions = manager(MemoryStore(), max_active=1)
    waiting = put(sessions, create(sessions), status)
    other = create(sessions)
    with pytest.raises(LimitError), sessions.edit(waiting, activates=True) as draft:
        draft.record(change(draft.state))
    assert sessions.load(waiting).status is status
    sessions.pause(other)
    with sessions.edit(waiting, activates=True) as draft:
        draft.record(change(draft.state))
    assert sessions.load(waiting).status is Status.ACTIVE


def test_a_session_that_counts_already_needs_no_more_room():
    sessions = manager(MemoryStore(), max_active=1)
    session_id = create(sessions)
    with sessions.edit(session_id, activates=True) as draft:
        draft.record(noted(draft.state, "still active"))
    assert sessions.load(session_id).checkpoint_note == "still active"


class Tellers(MemoryStore):
    """A store that counts how often the lock of the limit is taken, and lets others in first."""

    def __init__(self):
        super().__init__()
        self.taken = 0
        self.meanwhile = lambda: None

    def exclusive(self, project=None):
        self.taken += 1
        return super().exclusive(project)

    def locked(self, session_id):
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return super().locked(session_id)


@pytest.mark.parametrize(("status", "taken"), [(Status.FAILED, 0), (Status.PAUSED, 1)])
def test_only_a_session_that_does_not_count_yet_takes_the_lock_of_the_limit(status, taken):
    store = Tellers()
    sessions = manager(store)
    session_id = put(sessions, create(sessions), status)
    store.taken = 0
    with sessions.edit(session_id, activates=True) as draft:
        draft.record(noted(draft.state, "as it is"))
    assert store.taken == taken


def test_a_session_that_stopped_counting_meanwhile_is_not_activated_past_the_limit():
    store = Tellers()
    sessions = manager(store, max_active=1)
    session_id = create(sessions)
    store.meanwhile = lambda: put(sessions, session_id, Status.PAUSED)
    with (
        pytest.raises(ConflictError) as refusal,
        sessions.edit(session_id, activates=True) as draft,
    ):
        draft.record(resume(draft.state, NOON))
    assert refusal.value.message == "Session modified by another operation: it is paused now"
    assert refusal.value.remediation == "Read the session again with get_state, then retry."
    assert sessions.load(session_id).status is Status.PAUSED
