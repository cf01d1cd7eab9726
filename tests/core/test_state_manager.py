"""Sessions as the rest of the server sees them: one door in, one door to change, honest lists."""

import json
import re
from datetime import timedelta

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.core.lifecycle import pass_phase, pause, prepare, refuse_phase
from mcp_server.core.state_manager import StateManager, random_suffix, utc_now
from mcp_server.core.transitions import Status
from mcp_server.errors import (
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    StateError,
)
from tests.builders import NOON, Clock, definition, tree
from tests.core.session_builders import ERROR, noted
from tests.memory_store import MemoryStore


class Suffixes:
    """Suffixes that count."""

    def __init__(self):
        self.number = 0

    def __call__(self):
        self.number += 1
        return f"{self.number:06x}"


def manager(store, max_active=100):
    return StateManager(store, max_active=max_active, clock=Clock(), new_suffix=Suffixes())


@pytest.fixture
def sessions():
    return manager(MemoryStore())


def create(sessions, target="src/a.py", **options):
    return sessions.create(definition(), target, options).session_id


def put(sessions, session_id, status):
    """Bring a session that was just created to `status`."""
    makers = {
        Status.PAUSED: [lambda state: pause(state, None, NOON)],
        Status.FAILED: [lambda state: refuse_phase(state, prepare({"a": 1}), ERROR, NOON)],
        Status.COMPLETED: [lambda state: pass_phase(state, prepare({"a": 1}), NOON)] * 2,
    }
    for make in makers.get(status, []):
        with sessions.edit(session_id) as draft:
            draft.record(make(draft.state))
    return session_id


def test_a_session_is_created_at_its_first_phase_with_its_definition_pinned(sessions):
    made = definition()
    state = sessions.create(made, "src/a.py", {"depth": 2})
    assert state.session_id == "small_v1_a_py_20260314_120001_000001"
    assert (state.workflow_type, state.target_file, state.phases) == (
        "small_v1",
        "src/a.py",
        (1, 2),
    )
    assert (state.options, state.created_at) == ({"depth": 2}, NOON + timedelta(seconds=1))
    assert (state.definition.version, state.definition.digest) == ("1.0.0", made.digest)
    assert sessions.load(state.session_id) == state
    assert sessions.store.pinned(made.digest) == made.snapshot


def test_real_ids_and_times_need_nothing_from_a_test():
    sessions = StateManager(MemoryStore(), max_active=2)
    first, second = (sessions.create(definition(), "a.py", {}) for _ in range(2))
    assert first.session_id != second.session_id
    assert re.fullmatch(r"small_v1_a_py_\d{8}_\d{6}_[0-9a-f]{6}", first.session_id)
    assert first.created_at <= second.created_at <= utc_now()
    assert re.fullmatch("[0-9a-f]{6}", random_suffix())


def test_an_edit_stores_what_its_draft_records(sessions):
    session_id = create(sessions)
    with sessions.edit(session_id) as draft:
        before = draft.state
        after = draft.record(noted(before, "new"))
        assert sessions.load(session_id) == before
    assert sessions.load(session_id) == after
    assert sessions.store.read(session_id).seq == 2


def test_an_edit_that_records_nothing_stores_nothing(sessions):
    session_id = create(sessions)
    with sessions.edit(session_id) as draft:
        assert draft.change is None
    assert sessions.store.read(session_id).seq == 1


def record_and_fail(draft):
    draft.record(noted(draft.state, "lost"))
    raise LookupError


def test_an_exception_inside_an_edit_stores_nothing(tmp_path):
    sessions = manager(FileStore(tmp_path / "state"))
    session_id = create(sessions)
    before = tree(tmp_path / "state")
    with pytest.raises(LookupError), sessions.edit(session_id) as draft:
        record_and_fail(draft)
    assert tree(tmp_path / "state") == before
    with sessions.edit(session_id) as draft:
        assert draft.state.checkpoint_note is None


def test_an_edit_of_a_session_that_has_moved_on_is_refused(sessions):
    session_id = create(sessions)
    for expected in (1, 2):
        with sessions.edit(session_id, expected_seq=expected) as draft:
            draft.record(noted(draft.state, f"at {expected}"))
    with pytest.raises(ConflictError) as refusal, sessions.edit(session_id, expected_seq=1):
        pytest.fail("edited what had moved on")
    assert refusal.value.message == (
        "Session modified by another operation: it is at change 3, not 1"
    )
    assert refusal.value.remediation == "Read the session again with get_state, then retry."


@pytest.mark.parametrize(
    "touch",
    [
        lambda sessions, name: sessions.load(name),
        lambda sessions, name: sessions.get_session(name),
        lambda sessions, name: sessions.pause(name),
        lambda sessions, name: sessions.delete_session(name),
        lambda sessions, name: sessions.edit(name).__enter__(),
    ],
    ids=["load", "get_session", "pause", "delete_session", "edit"],
)
def test_every_door_asks_for_a_session_that_exists(sessions, touch):
    with pytest.raises(InvalidArgumentError, match="Invalid session_id format"):
        touch(sessions, "../../etc/passwd")
    with pytest.raises(NotFoundError, match="no session small_v1_none"):
        touch(sessions, "small_v1_none")


def test_open_sessions_of_a_target_are_listed_newest_first(sessions):
    first = create(sessions)
    put(sessions, create(sessions), Status.COMPLETED)
    create(sessions, "src/b.py")
    second = put(sessions, create(sessions), Status.PAUSED)
    third = put(sessions, create(sessions), Status.FAILED)
    assert sessions.open_for("src/a.py") == [third, second, first]
    assert sessions.open_for("src/c.py") == []


def test_a_list_shows_each_session_newest_first(sessions):
    first, second = create(sessions), create(sessions, "src/b.py")
    assert sessions.list_sessions() == {
        "sessions": [
            {
                "session_id": second,
                "workflow_type": "small_v1",
                "target_file": "src/b.py",
                "current_phase": 1,
                "total_phases": 2,
                "status": "active",
                "created_at": "2026-03-14T12:00:02.000Z",
                "last_updated": "2026-03-14T12:00:02.000Z",
            },
            {
                "session_id": first,
                "workflow_type": "small_v1",
                "target_file": "src/a.py",
                "current_phase": 1,
                "total_phases": 2,
                "status": "active",
                "created_at": "2026-03-14T12:00:01.000Z",
                "last_updated": "2026-03-14T12:00:01.000Z",
            },
        ],
        "count": 2,
        "next": f'aos_workflow(action="get_state", session_id="{second}")',
    }


@pytest.mark.parametrize("make", [lambda _: MemoryStore(), FileStore], ids=["memory", "files"])
def test_a_list_can_be_of_one_status(tmp_path, make):
    sessions = manager(make(tmp_path / "state"))
    ids = {status: put(sessions, create(sessions), status) for status in Status}
    for status in Status:
        answer = sessions.list_sessions(status)
        assert [shown["session_id"] for shown in answer["sessions"]] == [ids[status]]
        assert answer["count"] == 1
    assert sessions.list_sessions()["count"] == 4


def test_a_list_is_paged_with_the_count_of_all(sessions):
    made = [create(sessions) for _ in range(5)]
    first = sessions.list_sessions(limit=2)
    second = sessions.list_sessions(limit=2, cursor=first["next_cursor"])
    last = sessions.list_sessions(limit=2, cursor=second["next_cursor"])
    pages = [[one["session_id"] for one in page["sessions"]] for page in (first, second, last)]
    assert pages == [[made[4], made[3]], [made[2], made[1]], [made[0]]]
    assert [page["count"] for page in (first, second, last)] == [5, 5, 5]
    assert "next_cursor" not in last


def test_sessions_of_one_instant_are_all_listed():
    sessions = StateManager(MemoryStore(), max_active=9, clock=lambda: NOON, new_suffix=Suffixes())
    made = [create(sessions) for _ in range(4)]
    first = sessions.list_sessions(limit=3)
    rest = sessions.list_sessions(limit=3, cursor=first["next_cursor"])
    listed = [one["session_id"] for page in (first, rest) for one in page["sessions"]]
    assert listed == made[::-1]


def test_a_damaged_session_is_a_warning_and_takes_no_place(tmp_path):
    sessions = manager(FileStore(tmp_path / "state"), max_active=2)
    broken, whole = create(sessions), create(sessions)
    (tmp_path / "state" / f"{broken}.jsonl").write_bytes(b"not json\n")
    answer = sessions.list_sessions()
    assert [shown["session_id"] for shown in answer["sessions"]] == [whole]
    assert answer["count"] == 1
    assert answer["warnings"] == [f"session {broken} cannot be read: the last line is not a record"]
    assert sessions.open_for("src/a.py") == [whole]
    assert create(sessions)


def test_a_list_counts_the_damaged_sessions_that_it_does_not_name(tmp_path):
    sessions = manager(FileStore(tmp_path / "state"))
    for _ in range(12):
        (tmp_path / "state" / f"{create(sessions)}.jsonl").write_bytes(b"")
    answer = sessions.list_sessions()
    *named, rest = answer["warnings"]
    assert (answer["sessions"], answer["count"]) == ([], 0)
    assert rest == f"... and {12 - len(named)} more"


def test_a_full_page_stays_small(sessions):
    for _ in range(40):
        create(sessions, "x" * 500)
    assert len(json.dumps(sessions.list_sessions(limit=100))) < 8 * 1024


def test_everything_about_a_session_but_its_evidence(sessions):
    session_id = create(sessions, depth=2)
    with sessions.edit(session_id) as draft:
        evidence = prepare({"secret": "s" * 100})
        draft.record(pass_phase(draft.state, evidence, NOON + timedelta(seconds=11)))
    answer = sessions.get_session(session_id)
    assert answer == {
        "session": {
            "session_id": session_id,
            "workflow_type": "small_v1",
            "target_file": "src/a.py",
            "current_phase": 2,
            "total_phases": 2,
            "status": "active",
            "created_at": "2026-03-14T12:00:01.000Z",
            "last_updated": "2026-03-14T12:00:11.000Z",
            "completed_phases": [1],
            "definition": {"version": "1.0.0", "digest": definition().digest[:12]},
            "phase_history": [
                {
                    "phase": 1,
                    "attempt": 1,
                    "status": "passed",
                    "started_at": "2026-03-14T12:00:01.000Z",
                    "completed_at": "2026-03-14T12:00:11.000Z",
                    "duration_seconds": 10.0,
                },
                {
                    "phase": 2,
                    "attempt": 1,
                    "status": "in_progress",
                    "started_at": "2026-03-14T12:00:11.000Z",
                    "completed_at": None,
                    "duration_seconds": None,
                },
            ],
            "options": {"depth": 2},
            "checkpoint_note": None,
            "error_count": 0,
        },
        "next": f'aos_workflow(action="get_phase", session_id="{session_id}")',
    }


@pytest.mark.parametrize("note", [None, "back after lunch"])
def test_a_pause_answers_with_its_checkpoint_and_the_way_back(sessions, note):
    session_id = create(sessions)
    assert sessions.pause(session_id, note) == {
        "session_id": session_id,
        "paused": True,
        "checkpoint": {"phase": 1, "timestamp": "2026-03-14T12:00:02.000Z", "note": note},
        "resume_capable": True,
        "next": f'aos_workflow(action="resume", session_id="{session_id}")',
    }
    assert sessions.load(session_id).checkpoint_note == note


def test_a_pause_that_is_not_legal_stores_nothing(sessions):
    session_id = put(sessions, create(sessions), Status.PAUSED)
    before = sessions.store.read(session_id)
    with pytest.raises(StateError, match="pause is not legal while the session is paused"):
        sessions.pause(session_id, "again")
    assert sessions.store.read(session_id) == before


@pytest.mark.parametrize("status", Status)
def test_a_session_is_deleted_from_any_status_with_its_reason(sessions, status):
    session_id = put(sessions, create(sessions), status)
    assert sessions.delete_session(session_id, "obsolete") == {
        "session_id": session_id,
        "deleted": True,
        "cleanup": {"state_file_removed": True, "artifacts_preserved": False},
        "next": 'aos_workflow(action="list_sessions")',
    }
    assert [deletion[:2] for deletion in sessions.store.deletions] == [(session_id, "obsolete")]
    with pytest.raises(NotFoundError):
        sessions.load(session_id)
