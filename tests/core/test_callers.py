"""Whose a session is: for a confined caller nobody else's exists, by any door."""

import json

import pytest

from mcp_server.core.callers import LOCAL, Caller
from mcp_server.core.file_store import FileStore
from mcp_server.core.state_manager import StateManager
from mcp_server.errors import NotFoundError
from tests.builders import Clock, definition
from tests.core.session_builders import noted
from tests.memory_store import MemoryStore

ADA, BOB = Caller("token:ada", confined=True), Caller("token:bob", confined=True)
ADMIN = Caller("token:root")
NEVER_WAS = "small_v1_a_py_20260314_120000_ffffff"


class Desk:
    """A store of sessions, and whoever calls on it now."""

    def __init__(self, store=None, **options):
        self.caller = ADA
        self.sessions = StateManager(
            store or MemoryStore(),
            max_active=10,
            clock=Clock(),
            caller=lambda: self.caller,
            **options,
        )

    def start(self, caller=ADA, target="a.py"):
        self.caller = caller
        return self.sessions.create(definition(), target, {}).session_id


@pytest.fixture
def desk():
    return Desk()


def edit(sessions, session_id):
    with sessions.edit(session_id) as draft:
        draft.record(noted(draft.state, "note"))


DOORS = {
    "load": StateManager.load,
    "edit": edit,
    "get_session": StateManager.get_session,
    "pause": StateManager.pause,
    "delete_session": StateManager.delete_session,
    "verify": StateManager.verify,
}


def test_a_session_belongs_to_whoever_started_it(desk):
    session = desk.start(ADA)
    assert desk.sessions.load(session).owner == "token:ada"
    assert desk.sessions.list_sessions()["count"] == 1


@pytest.mark.parametrize("door", DOORS)
def test_somebody_elses_session_is_told_of_as_one_that_never_was(desk, door):
    session = desk.start(ADA)
    before = desk.sessions.store.lines(session)
    desk.caller = BOB
    with pytest.raises(NotFoundError) as refused:
        DOORS[door](desk.sessions, session)
    with pytest.raises(NotFoundError) as unknown:
        DOORS[door](desk.sessions, NEVER_WAS)
    told = json.dumps(refused.value.as_data()).replace(session, NEVER_WAS)
    assert told == json.dumps(unknown.value.as_data())
    assert desk.sessions.store.lines(session) == before


@pytest.mark.parametrize("door", DOORS)
def test_who_is_not_confined_comes_in_by_every_door(desk, door):
    session = desk.start(ADA)
    desk.caller = ADMIN
    DOORS[door](desk.sessions, session)


def test_the_lock_of_somebody_elses_session_is_not_waited_for(desk):
    session = desk.start(ADA)
    desk.caller = BOB
    with desk.sessions.store.locked(session), pytest.raises(NotFoundError):
        desk.sessions.pause(session)


def test_lists_show_ones_own(desk):
    own, _others = desk.start(ADA), desk.start(BOB)
    desk.caller = ADA
    assert [shown["session_id"] for shown in desk.sessions.list_sessions()["sessions"]] == [own]
    assert desk.sessions.open_for("a.py") == [own]
    desk.caller = ADMIN
    assert desk.sessions.list_sessions()["count"] == 2
    assert len(desk.sessions.open_for("a.py")) == 2


def test_the_limit_counts_everybodys(desk):
    for number in range(10):
        desk.start(BOB, f"{number}.py")
    with pytest.raises(Exception, match="10 sessions are active"):
        desk.start(ADA)


def test_a_damaged_session_is_hidden_from_who_might_not_own_it(tmp_path):
    desk = Desk(FileStore(tmp_path))
    session = desk.start(ADA)
    (tmp_path / f"{session}.jsonl").write_bytes(b"not a record\n")
    desk.caller = BOB
    assert "warnings" not in desk.sessions.list_sessions()
    with pytest.raises(NotFoundError):
        desk.sessions.load(session)
    desk.caller = ADMIN
    assert desk.sessions.list_sessions()["warnings"]


def test_every_line_bears_who_made_the_change(desk):
    session = desk.start(ADA)
    desk.caller = ADMIN
    desk.sessions.pause(session)
    lines = [json.loads(line) for line in desk.sessions.store.lines(session)]
    assert [line["principal"] for line in lines] == ["token:ada", "token:root"]
    assert desk.sessions.store.read(session).principal == "token:root"
    assert desk.sessions.verify(session).holds


def test_a_line_of_before_there_were_principals_can_be_read_and_followed(desk):
    desk.caller = LOCAL
    session = desk.start(LOCAL)
    line = json.loads(desk.sessions.store.lines(session)[0])
    assert line["principal"] == "local"


def test_a_shared_store_lists_the_sessions_of_the_repository_that_is_served():
    store = MemoryStore()
    here = Desk(store, shared=True, project=lambda: "here")
    there = Desk(store, shared=True, project=lambda: "there")
    one, other = here.start(), there.start()
    assert [shown["session_id"] for shown in here.sessions.list_sessions()["sessions"]] == [one]
    assert here.sessions.open_for("a.py") == [one]
    assert here.sessions.load(other).project == "there"


def test_a_store_of_one_project_lists_all_that_is_in_it():
    store = MemoryStore()
    before, after = Desk(store), Desk(store, project=lambda: "first commit")
    before.start()
    after.start()
    assert after.sessions.list_sessions()["count"] == 2
