"""Sessions as they are read from a store: one at a time, and damage stops nothing."""

from datetime import datetime, timedelta

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.core.models import Damage
from mcp_server.errors import DiskRefusedError, NotFoundError
from mcp_server.statistics.reading import sessions_since
from tests.builders import NOON
from tests.core.session_builders import ID, OTHER_ID
from tests.memory_store import MemoryStore
from tests.statistics.story_builders import TODAY, Story


@pytest.fixture(params=["memory", "files"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "state")


def read(store, first=TODAY, workflow_type=None, day_of=datetime.date):
    damaged: list[Damage] = []
    found = sessions_since(store, first, day_of, workflow_type, damaged.append)
    return {session.session_id: steps for session, steps in found}, damaged


def test_live_and_finished_sessions_are_read_with_all_that_happened(store):
    live = Story().refused(1, "tests: too few", missing=["report"]).retried(2).paused(3)
    done = Story().passed(1).passed(2)
    ids = live.keep(store), done.keep(store, OTHER_ID)
    assert read(store) == (dict(zip(ids, (live.steps, done.steps), strict=True)), [])


def test_only_sessions_of_the_days_and_of_the_workflow_are_read(store):
    Story(now=NOON - timedelta(days=1)).keep(store)
    Story(workflow_type="other_v1").keep(store, OTHER_ID)
    assert list(read(store)[0]) == [OTHER_ID]
    assert list(read(store, workflow_type="small_v1")[0]) == []
    found, _ = read(store, TODAY - timedelta(days=1), "small_v1")
    assert list(found) == [ID]


class Reading(MemoryStore):
    """A store that notes whose journal is read, and whose journals may be in the way."""

    def __init__(self, **failing):
        super().__init__()
        self.was_read = []
        self._failing = failing

    def lines(self, session_id):
        self.was_read.append(session_id)
        if session_id in self._failing:
            raise self._failing[session_id]
        return super().lines(session_id)


def test_a_session_is_read_when_its_turn_comes_and_not_before():
    store = Reading()
    for session_id in (ID, OTHER_ID):
        Story().keep(store, session_id)
    store.was_read.clear()
    sessions = sessions_since(store, TODAY, datetime.date, None, [].append)
    next(sessions)
    assert store.was_read == [ID]


def test_a_session_that_is_deleted_meanwhile_is_left_out():
    store = Reading(**{ID: NotFoundError("gone", remediation="None.")})
    Story().keep(store)
    assert read(store) == ({}, [])


def test_a_journal_that_the_disk_refuses_is_told_and_stops_nothing():
    store = Reading(**{ID: DiskRefusedError("the disk refuses", remediation="None.")})
    Story().keep(store)
    Story().keep(store, OTHER_ID)
    found, damaged = read(store)
    assert (list(found), damaged) == (
        [OTHER_ID],
        [Damage(session_id=ID, reason="the disk refuses")],
    )


def test_a_journal_that_is_damaged_at_its_end_or_before_is_told_and_stops_nothing(tmp_path):
    store = FileStore(tmp_path)
    sound = "small_v1_c_py_20260314_120000_0000cc"
    for session_id in (ID, OTHER_ID, sound):
        Story().passed(1).keep(store, session_id)
    journal, other = (tmp_path / f"{session_id}.jsonl" for session_id in (ID, OTHER_ID))
    first, last = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + last.replace(b"a.py", b"b.py"))
    other.write_bytes(b"{}\n" + other.read_bytes().splitlines(keepends=True)[1])

    found, damaged = read(store)
    assert list(found) == [sound]
    assert sorted((damage.session_id, damage.reason) for damage in damaged) == [
        (ID, f"session {ID} cannot be read: line 2 is not what its hash says"),
        (OTHER_ID, "a line is not a record"),
    ]


def test_a_start_on_no_day_of_the_calendar_is_damage():
    store = MemoryStore()
    Story().keep(store)

    def no_day(_time):
        raise OverflowError("date value out of range")

    found, damaged = read(store, day_of=no_day)
    reason = "its start is on no day of the calendar"
    assert (found, damaged) == ({}, [Damage(session_id=ID, reason=reason)])
