"""A look at a state folder says what is wrong with it, and leaves every byte."""

import os
import threading
from pathlib import Path

import pytest

from mcp_server.core.file_inspection import StateFolder
from mcp_server.core.file_locks import Holder, holder_of
from mcp_server.core.file_store import FileStore
from tests.core.session_builders import ID, LARGE, follow, passed, stored

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """A store with one session that has large evidence."""
    store = FileStore(tmp_path / "state", lock_timeout=0.05)
    record = stored(store)
    follow(store, passed(record.state, LARGE), record)
    return store


@pytest.fixture
def folder(tmp_path: Path, store: FileStore) -> Path:
    return tmp_path / "state"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_sound_folder_gives_no_cause_for_complaint(folder, store):
    (folder / f"{ID}.lock").write_bytes(b"the note of its last holder")
    before = bytes_of(folder)
    looked = StateFolder(folder)
    assert looked.open_to_others() == []
    assert looked.held_locks() == []
    assert looked.leftovers() == []
    assert looked.missing_evidence(store.read(ID).state) == []
    assert bytes_of(folder) == before


def test_a_folder_that_is_not_there_gives_none_either(tmp_path):
    looked = StateFolder(tmp_path / "none")
    assert (looked.open_to_others(), looked.held_locks(), looked.leftovers()) == ([], [], [])


@posix_only
@pytest.mark.parametrize(
    ("name", "mode"),
    [("", 0o750), ("finished", 0o701), (f"{ID}.jsonl", 0o640), (f"{ID}.evidence", 0o770)],
)
def test_what_others_may_read_is_named(folder, name, mode):
    (folder / name).chmod(mode)
    assert StateFolder(folder).open_to_others() == [folder / name]


def test_a_lock_is_seen_only_while_it_is_held_and_keeps_its_note(folder, store):
    looked = StateFolder(folder)
    with store.locked(ID):
        note = (folder / f"{ID}.lock").read_bytes()
        (held,) = looked.held_locks()
        assert (held.subject, held.is_lease, held.holder.pid) == (ID, False, os.getpid())
        assert (folder / f"{ID}.lock").read_bytes() == note
    assert looked.held_locks() == []


def test_a_lease_is_told_from_a_lock(folder, store):
    with store.verifying(ID):
        (held,) = StateFolder(folder).held_locks()
    assert (held.subject, held.is_lease) == (ID, True)


def test_a_holder_that_left_no_name_is_still_one(folder, store):
    with store.locked(ID):
        (folder / f"{ID}.lock").write_bytes(b"no note")
        assert holder_of(folder / f"{ID}.lock") == Holder()


def test_looking_takes_no_lock_away_from_others(folder, store):
    looking = threading.Thread(target=lambda: StateFolder(folder).held_locks())
    looking.start()
    looking.join()
    with store.locked(ID):
        pass


@pytest.mark.parametrize(
    "name",
    [
        "gone_v1_a_py_20260314_120000_0000cc.lock",
        "gone_v1_a_py_20260314_120000_0000cc.evidence",
        f"{ID}.jsonl.123.abcd.new",
        "verifying/gone_v1_a_py_20260314_120000_0000cc.lock",
    ],
)
def test_what_crashes_left_is_named(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).touch()
    assert StateFolder(folder).leftovers() == [folder / name]


def test_evidence_that_is_not_where_it_should_be_is_named(folder, store):
    (blob,) = (folder / f"{ID}.evidence").iterdir()
    blob.unlink()
    state = store.read(ID).state
    assert StateFolder(folder).missing_evidence(state) == ["phase 1, log"]
