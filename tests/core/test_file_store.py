"""Sessions as files: what is written and with which modes, what deleting leaves, a full disk."""

import errno
import os
import stat

import pytest

from mcp_server.core import durable
from mcp_server.core.encoding import digest
from mcp_server.core.file_store import FileStore
from mcp_server.errors import DiskRefusedError, NotFoundError
from tests.builders import NOON, tree
from tests.core.session_builders import (
    ID,
    LARGE,
    OTHER_ID,
    chain_is_unbroken,
    complete,
    digest_of,
    disk,
    follow,
    lines_of,
    noted,
    passed,
    refusing,
    stored,
)
from tests.core.test_durable import failing_write


def test_reading_an_empty_project_makes_no_folder(store, folder):
    assert list(store.summaries()) == []
    with pytest.raises(NotFoundError), store.locked(ID):
        pytest.fail("locked a session that is not there")
    assert not folder.parent.parent.exists()


def test_a_session_is_a_journal_of_one_line_a_change(store, folder, journal):
    first = stored(store)
    second = follow(store, passed(first.state), first)
    lines = lines_of(journal)
    assert [line["hash"] for line in lines] == [first.hash, second.hash]
    assert chain_is_unbroken(lines)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert names == {"definitions", "finished", f"{ID}.jsonl", f"{ID}.lock", "sessions.lock"}


def test_state_keeps_itself_out_of_commits(store, folder):
    stored(store)
    assert (folder.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_files_are_private_whatever_the_umask_says(store, folder):
    before = os.umask(0)
    try:
        first = stored(store)
        store.pin(digest(b"{}"), b"{}")
        last = follow(store, passed(first.state, LARGE), first)
        store.delete(stored(store, OTHER_ID), None, NOON)
        complete(store, last)
    finally:
        os.umask(before)
    modes = {
        path.relative_to(folder.parent).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (folder.parent, *folder.parent.rglob("*"))
    }
    folders = {".", "workflows", "workflows/finished", "workflows/definitions",
               f"workflows/finished/{ID}.evidence"}  # fmt: skip
    assert {name for name, mode in modes.items() if mode == 0o700} == folders
    assert {mode for name, mode in modes.items() if name not in folders} == {0o600}
    assert len(modes) == len(folders) + 7


def test_evidence_is_durable_before_the_line_that_names_it(store, folder, journal, monkeypatch):
    first = stored(store)
    synced: list[tuple[int, int]] = []

    def sync(descriptor):
        os.fsync(descriptor)
        evidence = len(list((folder / f"{ID}.evidence").iterdir()))
        synced.append((evidence, journal.read_bytes().count(b"\n")))

    monkeypatch.setattr(durable, "_sync", sync)
    follow(store, passed(first.state, LARGE), first)
    assert synced == [(1, 1), (1, 2)]


def test_deleting_leaves_nothing_but_a_line_in_the_log(store, folder):
    first = stored(store)
    last = follow(store, passed(first.state, LARGE), first)
    with store.locked(ID):
        store.delete(last, "a \u201creason\u201d\nof two lines", NOON)
    assert lines_of(folder / "deletions.log") == [
        {
            "session_id": ID,
            "time": "2026-03-14T12:00:00+00:00",
            "reason": "a \u201creason\u201d\nof two lines",
            "last_hash": last.hash,
        }
    ]
    assert {path.name for path in folder.iterdir()} == {
        "definitions", "finished", "deletions.log", "sessions.lock",
    }  # fmt: skip


def test_a_deletion_that_cannot_be_logged_does_not_happen(store, folder, monkeypatch):
    first = stored(store)
    last = follow(store, passed(first.state, LARGE), first)
    with disk(monkeypatch, write=failing_write(0)), pytest.raises(DiskRefusedError):
        store.delete(last, None, NOON)
    assert store.read(ID) == last
    assert digest(store.blob(ID, digest_of(last))) == digest_of(last)


def test_deleting_removes_evidence_from_both_places(store, folder):
    done = complete(store, stored(store), LARGE)
    (folder / f"{ID}.evidence").mkdir()
    (folder / f"{ID}.evidence" / ("0" * 64)).write_bytes(b"left by a crash")
    store.delete(done, None, NOON)
    assert list(folder.rglob("*.evidence")) == []


@pytest.mark.parametrize("room", [0, 1, 100, 2_100])
def test_a_full_disk_leaves_the_state_as_it_was(store, folder, monkeypatch, room):
    first = stored(store)
    before = tree(folder)[f"{ID}.jsonl"]
    with disk(monkeypatch, write=failing_write(room)), pytest.raises(DiskRefusedError) as refusal:
        follow(store, passed(first.state, LARGE), first)
    assert refusal.value.message == "the state folder refused: No space left on device"
    assert refusal.value.remediation == (
        "Make .praxis-os/state writable, with free space, then send the same call again; nothing"
        " was changed."
    )
    assert tree(folder)[f"{ID}.jsonl"] == before
    assert store.read(ID) == first
    assert follow(store, passed(first.state, LARGE), first).seq == 2


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS], ids=["denied", "read-only"])
def test_a_folder_that_cannot_be_written_is_a_refusal(store, folder, monkeypatch, number):
    first = stored(store)
    before = tree(folder)

    def read_only(path, flags, *mode):
        if flags & (os.O_WRONLY | os.O_RDWR):
            refusing(number)()
        return os.open(path, flags, *mode)

    with disk(monkeypatch, open=read_only):
        for touch in (
            lambda: follow(store, noted(first.state, "x"), first),
            lambda: stored(store, OTHER_ID),
            lambda: store.pin("0" * 64, b""),
            lambda: store.delete(first, None, NOON),
        ):
            with pytest.raises(DiskRefusedError) as refusal:
                touch()
            assert refusal.value.message == f"the state folder refused: {os.strerror(number)}"
        assert store.read(ID) == first
    assert tree(folder) == before


def test_a_state_folder_that_is_a_file_is_a_refusal(folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("", encoding="utf-8")
    store = FileStore(folder)
    with pytest.raises(DiskRefusedError, match="File exists"):
        stored(store)
    with pytest.raises(DiskRefusedError, match="Not a directory"):
        list(store.summaries())


def test_unknown_fields_of_a_stored_session_survive_the_next_change(store, journal):
    first = stored(store)
    state = first.state.model_copy(update={"later": {"kept": [1]}})
    second = follow(store, noted(state, "newer"), first)
    follow(store, noted(store.read(ID).state, "older"), second)
    assert [line["state"].get("later") for line in lines_of(journal)] == [
        None, {"kept": [1]}, {"kept": [1]},
    ]  # fmt: skip
