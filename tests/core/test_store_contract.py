"""What every SessionStore promises, run on each of them."""

import threading
from contextlib import closing

import pytest

from mcp_server.core.encoding import digest
from mcp_server.core.file_store import FileStore
from mcp_server.core.journal import decode_line
from mcp_server.core.lifecycle import roll_back
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import Status
from mcp_server.core.verification import verify
from mcp_server.errors import ConflictError, DamagedStateError, NotFoundError
from tests.builders import NOON
from tests.core.session_builders import (
    ID,
    LARGE,
    OTHER_ID,
    birth,
    complete,
    digest_of,
    follow,
    noted,
    passed,
    stored,
)
from tests.memory_store import MemoryStore
from tests.postgres_server import open_new

MODIFIED = r"\ASession modified by another operation"


@pytest.fixture(params=["memory", "files", "postgres"])
def store(request, tmp_path):
    if request.param == "postgres":
        with closing(open_new()) as opened:
            yield opened
    else:
        yield MemoryStore() if request.param == "memory" else FileStore(tmp_path / "state")


def ids(store, **options):
    return sorted(found.session_id for found in store.summaries(**options))


def test_a_session_is_read_as_it_was_stored(store):
    record = stored(store)
    assert (record.seq, record.state) == (1, birth().state)
    assert store.read(ID) == record


def test_what_is_read_a_moment_later_is_what_the_bytes_say(store):
    first = stored(store, options={"pair": (1, {2: None})})
    last = follow(store, passed(first.state, {"of": (1.5, {"a": (True,)})}), first)
    assert store.read(ID) == last == decode_line(store.lines(ID)[-1])
    assert last.state.options == {"pair": [1, {"2": None}]}
    assert last.state.evidence[1]["of"].value == [1.5, {"a": [True]}]


def test_each_change_follows_the_one_before(store):
    first = stored(store)
    second = follow(store, passed(first.state), first)
    third = follow(store, noted(second.state, "note"), second)
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert len({first.hash, second.hash, third.hash}) == 3
    assert store.read(ID) == third


def test_a_change_that_does_not_follow_the_last_one_is_refused(store):
    first = stored(store)
    second = follow(store, noted(first.state, "winner"), first)
    with pytest.raises(ConflictError, match=MODIFIED):
        follow(store, noted(first.state, "loser"), first)
    assert store.read(ID) == second


def test_a_change_after_one_that_never_was_is_refused(store):
    first = stored(store)
    other = first.model_copy(update={"seq": 7, "hash": "f" * 64})
    with pytest.raises(ConflictError, match=MODIFIED):
        follow(store, noted(first.state, "x"), other)
    assert store.read(ID) == first


def test_a_change_after_another_line_of_the_same_number_is_refused(store):
    first = stored(store)
    other = first.model_copy(update={"hash": "f" * 64})
    with pytest.raises(ConflictError, match=MODIFIED):
        follow(store, noted(first.state, "x"), other)
    assert store.read(ID) == first


def test_the_id_of_a_session_is_taken_while_it_exists(store):
    first = stored(store)
    with pytest.raises(ConflictError, match=MODIFIED):
        store.create([birth(target_file="other.py")])
    assert store.read(ID) == first
    done = complete(store, first)
    with pytest.raises(ConflictError, match=MODIFIED):
        store.create([birth(target_file="other.py")])
    assert store.read(ID) == done
    assert ids(store) == [ID]


def test_an_unknown_session_is_not_found(store):
    stored(store)
    with pytest.raises(NotFoundError, match=f"no session {OTHER_ID}"):
        store.read(OTHER_ID)
    with pytest.raises(NotFoundError, match=f"no session {OTHER_ID}"), store.locked(OTHER_ID):
        pytest.fail("a session that is not there was locked")


def test_an_empty_store_lists_nothing(store):
    assert (ids(store), ids(store, live_only=True)) == ([], [])


def test_every_session_is_listed_once(store):
    complete(store, stored(store))
    stored(store, OTHER_ID)
    assert ids(store) == [ID, OTHER_ID]


def test_the_live_ones_are_listed_whatever_became_of_them(store):
    done = complete(store, stored(store))
    follow(store, roll_back(done.state, 1, NOON), done)
    stored(store, OTHER_ID)
    assert ids(store, live_only=True) == [ID, OTHER_ID]


def test_a_listed_record_is_the_last_one(store):
    done = complete(store, stored(store))
    assert list(store.summaries()) == [done.state.summary]
    assert done.state.status is Status.COMPLETED


def test_a_deleted_session_is_gone_with_its_evidence(store):
    first = stored(store)
    last = follow(store, passed(first.state, LARGE), first)
    stored(store, OTHER_ID)
    assert store.delete(last, "no longer needed", NOON) is True
    assert ids(store) == [OTHER_ID]
    with pytest.raises(NotFoundError):
        store.read(ID)
    with pytest.raises(DamagedStateError):
        store.blob(ID, digest_of(last))


def test_a_completed_session_can_be_deleted(store):
    last = complete(store, stored(store), LARGE)
    assert store.delete(last, None, NOON) is True
    assert ids(store) == []
    with pytest.raises(DamagedStateError):
        store.blob(ID, digest_of(last))


def test_deleting_again_says_that_nothing_was_left(store):
    last = stored(store)
    assert [store.delete(last, None, NOON) for _ in range(3)] == [True, False, False]


def test_the_id_of_a_deleted_session_is_free(store):
    store.delete(stored(store), None, NOON)
    assert stored(store) == store.read(ID)


def test_large_evidence_is_kept_byte_for_byte(store):
    first = stored(store)
    change = passed(first.state, {"log": "\u6587" * 2_000, "other": ["y" * 3_000]})
    last = follow(store, change, first)
    assert len(change.blobs) == 2
    for name in ("log", "other"):
        key = digest_of(last, name)
        assert store.blob(ID, key) == change.blobs[key]


def test_evidence_outlives_completion_and_rollback(store):
    done = complete(store, stored(store), LARGE)
    key = digest_of(done)
    content = store.blob(ID, key)
    assert digest(content) == key
    follow(store, roll_back(done.state, 1, NOON), done)
    assert store.blob(ID, key) == content


@pytest.mark.parametrize("key", ["0" * 64, "", "nothing"])
def test_evidence_that_is_not_there_is_damage(store, key):
    stored(store)
    with pytest.raises(DamagedStateError):
        store.blob(ID, key)


def test_evidence_belongs_to_its_session(store):
    first = stored(store)
    last = follow(store, passed(first.state, LARGE), first)
    stored(store, OTHER_ID)
    with pytest.raises(DamagedStateError):
        store.blob(OTHER_ID, digest_of(last))


def test_a_pinned_definition_is_kept_under_its_digest(store):
    key = digest(b"definition")
    store.pin(key, b"definition")
    store.pin(key, b"definition")
    assert store.pinned(key) == b"definition"


@pytest.mark.parametrize("key", ["0" * 64, "", "../secret"])
def test_a_definition_that_is_not_there_is_damage(store, key):
    store.pin(digest(b"definition"), b"definition")
    with pytest.raises(DamagedStateError):
        store.pinned(key)


def test_a_lock_is_released_by_an_exception(store):
    stored(store)
    for door in (lambda: store.locked(ID), store.exclusive):
        with pytest.raises(LookupError), door():
            raise LookupError
        with door():
            assert store.read(ID).seq == 1


def test_one_session_can_be_held_while_another_one_is(store):
    first, second = stored(store), stored(store, OTHER_ID)
    with store.exclusive(), store.locked(ID), store.locked(OTHER_ID):
        store.append(noted(first.state, "one"), first)
        store.append(noted(second.state, "two"), second)
    assert [store.read(name).state.checkpoint_note for name in (ID, OTHER_ID)] == ["one", "two"]


def test_threads_that_edit_one_session_lose_nothing(store):
    stored(store)
    sessions = StateManager(store, max_active=1)
    together = threading.Barrier(6)
    failures: list[BaseException] = []

    def add(name: int) -> None:
        together.wait()
        try:
            for number in range(10):
                with sessions.edit(ID) as draft:
                    note = f"{draft.state.checkpoint_note or ''}{name}:{number}\n"
                    draft.record(noted(draft.state, note))
        except Exception as error:  # noqa: BLE001 - told to the test below
            failures.append(error)

    threads = [threading.Thread(target=add, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    last = store.read(ID)
    assert last.seq == 61
    assert sorted((last.state.checkpoint_note or "").split()) == sorted(
        f"{name}:{number}" for name in range(6) for number in range(10)
    )


@pytest.mark.parametrize("door", ["locked", "exclusive"])
def test_only_one_thread_is_inside_at_a_time(store, door):
    stored(store)
    together = threading.Barrier(4)
    inside: list[int] = []
    met: list[tuple[int, ...]] = []

    def enter(name: int) -> None:
        together.wait()
        for _ in range(20):
            with store.locked(ID) if door == "locked" else store.exclusive():
                inside.append(name)
                for _ in range(20):
                    store.read(ID)
                met.append(tuple(inside))
                inside.remove(name)

    threads = [threading.Thread(target=enter, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(met) == 80
    assert {len(company) for company in met} == {1}


def test_a_session_may_be_born_with_its_history(store):
    first = birth()
    second = passed(first.state, LARGE)
    third = passed(second.state)
    record = store.create([first, second, third])
    assert (record.seq, record.state.status) == (3, Status.COMPLETED)
    assert store.read(ID) == record
    assert ids(store, live_only=True) == []
    assert digest(store.blob(ID, digest_of(record))) == digest_of(record)
    assert verify(ID, store.lines(ID), lambda key: store.blob(ID, key)).lines == 3


def test_a_session_needs_a_first_change(store):
    with pytest.raises((ValueError, IndexError)):
        store.create([])
    assert ids(store) == []


def test_lines_are_the_records_as_they_were_stored_oldest_first(store):
    first = stored(store)
    second = follow(store, noted(first.state, "on"), first)
    assert [decode_line(line) for line in store.lines(ID)] == [first, second]
    with pytest.raises(NotFoundError):
        store.lines(OTHER_ID)


def test_a_summary_says_what_the_state_says(store):
    record = stored(store)
    assert list(store.summaries()) == [record.state.summary]
    after = follow(store, passed(record.state), record)
    assert list(store.summaries(live_only=True)) == [after.state.summary]


def test_every_change_of_a_session_holds_in_the_audit(store):
    last = complete(store, stored(store), LARGE)
    last = follow(store, roll_back(last.state, 1, NOON), last)
    audit = verify(ID, store.lines(ID), lambda key: store.blob(ID, key), last.hash)
    assert (audit.holds, audit.lines, audit.last_hash) == (True, last.seq, last.hash)


def test_a_session_is_being_verified_by_one_at_a_time(store):
    stored(store)
    assert store.is_verifying(ID) is False
    with store.verifying(ID) as first:
        with store.verifying(ID) as second:
            assert (first, second, store.is_verifying(ID)) == (True, False, True)
        # Who did not get it has not taken it away either.
        assert store.is_verifying(ID) is True
    assert store.is_verifying(ID) is False
    with store.verifying(ID) as again:
        assert again is True


def test_of_threads_that_verify_at_once_exactly_one_does(store):
    stored(store)
    together = threading.Barrier(3)
    told: list[bool] = []

    def verify_it() -> None:
        together.wait()
        with store.verifying(ID) as mine:
            told.append(mine)
            together.wait()

    threads = [threading.Thread(target=verify_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False, False, True]
    assert store.is_verifying(ID) is False


def test_a_verification_that_breaks_off_leaves_nothing_stuck(store):
    stored(store)
    with pytest.raises(LookupError), store.verifying(ID):
        raise LookupError
    with store.verifying(ID) as mine:
        assert mine is True


def test_each_session_is_verified_for_itself(store):
    stored(store)
    stored(store, OTHER_ID)
    with store.verifying(ID) as first, store.verifying(OTHER_ID) as second:
        assert (first, second) == (True, True)
    with store.verifying(ID):
        assert store.is_verifying(OTHER_ID) is False


def test_a_session_that_is_being_verified_can_be_changed_and_deleted(store):
    first = stored(store)
    with store.verifying(ID):
        last = follow(store, noted(first.state, "meanwhile"), first)
        assert store.read(ID) == last
        assert store.delete(last, None, NOON) is True
    assert ids(store) == []


def test_a_completed_session_can_be_verified(store):
    complete(store, stored(store))
    with store.verifying(ID) as mine:
        assert (mine, store.is_verifying(ID)) == (True, True)


def test_an_unknown_session_is_not_verified(store):
    stored(store)
    assert store.is_verifying(OTHER_ID) is False
    with pytest.raises(NotFoundError, match=f"no session {OTHER_ID}"), store.verifying(OTHER_ID):
        pytest.fail("a session that is not there was verified")
    assert store.is_verifying(OTHER_ID) is False
