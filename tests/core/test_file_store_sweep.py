"""What a crash leaves over is swept by the next process that writes; nothing else is touched."""

import errno
import os

import pytest

from mcp_server.core.file_store import FileStore
from mcp_server.core.transitions import Status
from mcp_server.core.waiting import WouldWaitError, without_waiting
from tests.builders import tree
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


def next_start(folder):
    """What the next process does first when it starts a session."""
    other = FileStore(folder)
    with other.exclusive():
        pass
    return other


@pytest.mark.parametrize("place", ["", "definitions"])
def test_a_file_that_was_written_aside_is_removed(store, folder, place):
    stored(store)
    aside = folder / place / "small_v1.jsonl.77.0a0b0c0d.new"
    aside.write_bytes(b"half")
    next_start(folder)
    assert not aside.exists()
    assert store.read(ID).seq == 1


def test_evidence_and_lock_of_no_session_are_removed(store, folder):
    kept = follow(store, passed(birth().state, LARGE), stored(store))
    orphan = folder / f"{OTHER_ID}.evidence"
    orphan.mkdir()
    (orphan / ("0" * 64)).write_bytes(b"1")
    (folder / f"{OTHER_ID}.lock").write_bytes(b"")
    next_start(folder)
    left = {path.name for path in folder.iterdir()}
    assert not any(name.startswith(OTHER_ID) for name in left)
    assert store.blob(ID, digest_of(kept))


def test_evidence_that_no_line_names_is_removed_at_the_next_edit(store, folder):
    last = follow(store, passed(birth().state, LARGE), stored(store))
    evidence = folder / f"{ID}.evidence"
    (evidence / ("0" * 64)).write_bytes(b"1")
    (evidence / "half.77.0a0b0c0d.new").write_bytes(b"1")
    follow(FileStore(folder), noted(last.state, "on"), last)
    assert [path.name for path in evidence.iterdir()] == [digest_of(last)]


def test_evidence_of_earlier_lines_stays(store, folder):
    last = follow(store, passed(birth().state, LARGE), stored(store))
    key = digest_of(last)
    cleared = last.state.model_copy(update={"evidence": {}})
    last = follow(store, noted(cleared, "cleared"), last)
    follow(FileStore(folder), noted(last.state, "on"), last)
    assert store.blob(ID, key)


def test_a_completed_session_that_was_not_moved_is_moved(store, folder, journal):
    done = complete(store, stored(store), LARGE)
    finished = folder / "finished" / journal.name
    finished.rename(journal)
    other = next_start(folder)
    assert (finished.exists(), journal.exists()) == (True, False)
    assert other.read(ID) == done
    assert done.state.status is Status.COMPLETED


def test_sweeping_a_sound_store_changes_nothing(store, folder):
    complete(store, stored(store), LARGE)
    follow(store, passed(birth(OTHER_ID).state, LARGE), stored(store, OTHER_ID))
    before = tree(folder)
    next_start(folder)
    assert tree(folder) == before


def test_what_cannot_be_swept_stops_nothing(store, folder, monkeypatch):
    stored(store)

    def refuse(_store):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(FileStore, "_sweep_folders", refuse)
    with FileStore(folder).exclusive():
        assert store.read(ID).seq == 1


def test_sweeping_is_left_to_a_call_that_may_be_kept_waiting(store, folder):
    last = follow(store, passed(birth().state, LARGE), stored(store))
    unnamed = folder / f"{ID}.evidence" / ("0" * 64)
    aside = folder / "small_v1.jsonl.77.0a0b0c0d.new"
    for path in (unnamed, aside):
        path.write_bytes(b"half")
    other = FileStore(folder)
    for hold in (other.exclusive, lambda: other.locked(ID)):
        with without_waiting(), pytest.raises(WouldWaitError), hold():
            pytest.fail("held")
        assert unnamed.exists()
    for hold in (other.exclusive, lambda: other.locked(ID)):
        with hold():
            pass
        with without_waiting(), hold():
            pass
    assert (unnamed.exists(), aside.exists()) == (False, False)
    assert store.read(ID) == last
