"""Sessions that come whole from another store: the same bytes, all of it or nothing."""

from contextlib import closing

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.core.lifecycle import roll_back
from mcp_server.core.restoring import Relation, named_in, relation
from mcp_server.core.selection import Selection
from mcp_server.core.transitions import Status
from mcp_server.core.verification import verify
from mcp_server.errors import ConflictError, DamagedStateError, NotFoundError
from tests.builders import NOON
from tests.core.session_builders import (
    ID,
    LARGE,
    OTHER_ID,
    complete,
    digest_of,
    follow,
    noted,
    passed,
    stored,
)
from tests.memory_store import MemoryStore
from tests.postgres_server import open_new


@pytest.fixture(params=["memory", "files", "postgres"])
def store(request, tmp_path):
    if request.param == "postgres":
        with closing(open_new()) as opened:
            yield opened
    else:
        yield MemoryStore() if request.param == "memory" else FileStore(tmp_path / "state")


@pytest.fixture
def origin():
    return MemoryStore()


def copy_of(origin, session_id=ID):
    """What `restore` takes: the id, the lines, and the large evidence that they name."""
    lines = origin.lines(session_id)
    digests = named_in(session_id, lines).evidence
    return session_id, lines, {digest: origin.blob(session_id, digest) for digest in digests}


def restore(store, copy):
    with store.exclusive():
        return store.restore(*copy)


def extend(store, copy):
    with store.exclusive(), store.locked(copy[0]):
        return store.restore(*copy)


def is_absent(store):
    with pytest.raises(NotFoundError):
        store.lines(ID)
    return list(store.summaries()) == []


def test_a_session_arrives_byte_for_byte_with_its_evidence(store, origin):
    first = stored(origin)
    last = follow(origin, passed(first.state, LARGE), first)
    assert restore(store, copy_of(origin)) == last
    assert store.lines(ID) == origin.lines(ID)
    assert store.read(ID) == last
    assert verify(ID, store.lines(ID), lambda key: store.blob(ID, key), last.hash).holds


def test_a_session_that_arrived_is_in_lists_and_goes_on(store, origin):
    stored(origin)
    restore(store, copy_of(origin))
    last = store.read(ID)
    assert store.page(Selection(), 10).sessions == list(origin.summaries())
    assert follow(store, passed(last.state), last).seq == 2


def test_a_completed_session_arrives_completed(store, origin):
    complete(origin, stored(origin))
    restore(store, copy_of(origin))
    assert list(store.summaries(live_only=True)) == []
    assert store.page(Selection(statuses=frozenset({Status.COMPLETED})), 10).count == 1


def test_only_the_lines_that_are_not_there_are_added(store, origin):
    first = stored(origin)
    restore(store, copy_of(origin))
    last = complete(origin, first, LARGE)
    assert extend(store, copy_of(origin)) == last
    assert store.lines(ID) == origin.lines(ID)
    assert store.blob(ID, digest_of(last)) == origin.blob(ID, digest_of(last))
    assert list(store.summaries()) == list(origin.summaries())
    assert list(store.summaries(live_only=True)) == []


def test_a_completed_session_that_was_opened_again_is_live_again(store, origin):
    done = complete(origin, stored(origin))
    restore(store, copy_of(origin))
    again = follow(origin, roll_back(done.state, 1, NOON), done)
    assert extend(store, copy_of(origin)) == again
    assert list(store.summaries(live_only=True)) == list(origin.summaries())
    assert follow(store, passed(again.state), again).seq == again.seq + 1


def test_arriving_twice_changes_nothing(store, origin):
    complete(origin, stored(origin), LARGE)
    restore(store, copy_of(origin))
    before = store.lines(ID)
    extend(store, copy_of(origin))
    assert store.lines(ID) == before


def test_what_went_another_way_is_left_as_it_is(store, origin):
    first = stored(origin)
    restore(store, copy_of(origin))
    follow(origin, noted(first.state, "there"), first)
    follow(store, noted(first.state, "here"), first)
    before = store.lines(ID)
    with pytest.raises(ConflictError, match="is there already, and another one"):
        extend(store, copy_of(origin))
    assert store.lines(ID) == before


def test_what_has_gone_on_is_left_as_it_is(store, origin):
    first = stored(origin)
    restore(store, copy_of(origin))
    last = follow(store, passed(first.state), first)
    with pytest.raises(ConflictError):
        extend(store, copy_of(origin))
    assert store.read(ID) == last


def test_a_line_that_was_altered_is_refused_and_nothing_is_stored(store, origin):
    complete(origin, stored(origin))
    session_id, lines, blobs = copy_of(origin)
    lines[1] = lines[1].replace(b"src/a.py", b"src/b.py")
    with pytest.raises(DamagedStateError, match="line 2 is not what its hash says at line 2"):
        restore(store, (session_id, lines, blobs))
    assert is_absent(store)


def test_a_missing_line_is_refused(store, origin):
    complete(origin, stored(origin))
    session_id, lines, blobs = copy_of(origin)
    with pytest.raises(DamagedStateError):
        restore(store, (session_id, [lines[0], lines[2]], blobs))
    assert is_absent(store)


def test_no_lines_are_refused(store):
    with pytest.raises(DamagedStateError, match="the journal holds no whole line"):
        restore(store, (ID, [], {}))
    assert is_absent(store)


@pytest.mark.parametrize("content", [None, b"something else"])
def test_evidence_that_is_missing_or_altered_is_refused(store, origin, content):
    first = stored(origin)
    last = follow(origin, passed(first.state, LARGE), first)
    blobs = {} if content is None else {digest_of(last): content}
    with pytest.raises(DamagedStateError, match="evidence log of phase 1 is missing or altered"):
        restore(store, (ID, origin.lines(ID), blobs))
    assert is_absent(store)


def test_the_lines_of_another_session_are_refused(store, origin):
    stored(origin)
    with pytest.raises(DamagedStateError, match=f"it belongs to session {ID}"):
        restore(store, (OTHER_ID, origin.lines(ID), {}))
    assert is_absent(store)


def test_evidence_that_no_line_names_is_not_kept(store, origin):
    stored(origin)
    restore(store, (ID, origin.lines(ID), {"../../outside": b"x", "e" * 64: b"y"}))
    with pytest.raises(DamagedStateError):
        store.blob(ID, "e" * 64)


def test_a_line_with_a_line_break_in_it_is_refused(store, origin):
    stored(origin)
    (line,) = origin.lines(ID)
    with pytest.raises(DamagedStateError, match="a line of it is two"):
        restore(store, (ID, [line.replace(b'"seq":', b'"seq":\n')], {}))
    assert is_absent(store)


@pytest.mark.parametrize(
    ("there", "is_"),
    [
        ([], Relation.BEGINNING),
        ([b"a"], Relation.BEGINNING),
        ([b"a", b"b"], Relation.SAME),
        ([b"a", b"b", b"c"], Relation.AHEAD),
        ([b"b"], Relation.DIFFERENT),
        ([b"a", b"c", b"d"], Relation.DIFFERENT),
    ],
)
def test_how_lines_compare(there, is_):
    assert relation(there, [b"a", b"b"]) is is_


def test_a_line_that_is_no_record_names_nothing():
    with pytest.raises(DamagedStateError, match=f"session {ID} is damaged"):
        named_in(ID, [b"{}"])
