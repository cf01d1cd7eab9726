"""When the names of a session's files are durable, and what is left of a move that stops half-way.

A name that is not synced with its folder may be gone after a crash though the content was synced.
"""

import errno
import os
from pathlib import Path

import pytest

from mcp_server.core.encoding import digest
from mcp_server.core.file_evidence import EvidenceFiles
from mcp_server.core.file_store import FileStore
from mcp_server.core.lifecycle import roll_back
from tests.builders import NOON, tree
from tests.core.session_builders import (
    ID,
    LARGE,
    OTHER_ID,
    birth,
    complete,
    digest_of,
    disk,
    follow,
    passed,
    refusing,
    stored,
)

MADE_ONCE = {"definitions", "finished", "sessions.lock"}


@pytest.fixture
def synced(store, folder, monkeypatch):
    """The folders that are synced: each with the names in it, and how many lines there are."""
    seen: list[tuple[str, list[str], int]] = []
    stored(store)

    def fsync(descriptor):
        os.fsync(descriptor)
        same = os.fstat(descriptor).st_ino
        [found] = [path for path in (folder, *folder.rglob("*")) if path.stat().st_ino == same]
        names = sorted({path.name.removeprefix(ID) for path in found.iterdir()} - MADE_ONCE)
        lines = sum(path.read_bytes().count(b"\n") for path in folder.rglob(f"{ID}.jsonl"))
        seen.append((found.relative_to(folder).as_posix(), names, lines))

    with disk(monkeypatch, fsync=fsync):
        yield seen


def test_the_folders_of_a_store_are_durable_before_its_first_session_is(store, folder, monkeypatch):
    state = folder.parent
    seen: list[tuple[str, list[str]]] = []

    def fsync(descriptor):
        os.fsync(descriptor)
        same = os.fstat(descriptor).st_ino
        [found] = [path for path in (state.parent, state, folder) if path.stat().st_ino == same]
        seen.append((found.name, sorted(path.name for path in found.iterdir())))

    with disk(monkeypatch, fsync=fsync):
        store.create([birth()])
    assert seen == [
        (".praxis-os", ["state"]),
        ("state", ["workflows"]),
        ("workflows", ["definitions", "finished"]),
        ("workflows", ["definitions", "finished", f"{ID}.jsonl"]),
    ]


def test_a_birth_is_durable_under_its_name(store, synced):
    with store.exclusive():
        store.create([birth(OTHER_ID)])
    assert synced == [(".", [".jsonl", f"{OTHER_ID}.jsonl"], 1)]


def test_evidence_is_durable_under_its_name_before_the_line_that_names_it(store, synced):
    first = store.read(ID)
    key = digest_of(follow(store, passed(first.state, LARGE), first))
    assert synced == [
        (f"{ID}.evidence", [key], 1),
        (".", [".evidence", ".jsonl", ".lock"], 1),
    ]


def test_a_move_is_durable_in_the_folder_that_is_left_and_in_the_one_that_is_reached(store, synced):
    done = complete(store, store.read(ID))
    assert synced == [(".", [".lock"], 3), ("finished", [".jsonl"], 3)]
    synced.clear()
    follow(store, roll_back(done.state, 1, NOON), done)
    assert synced == [("finished", [], 3), (".", [".jsonl", ".lock"], 3)]


def test_evidence_that_joins_other_evidence_is_durable_there(folder, synced):
    finished = folder / "finished"
    files = EvidenceFiles(folder, finished)
    one, two = (digest(content) for content in (b"1", b"2"))
    files.keep(folder, ID, {one: b"1"})
    files.keep(finished, ID, {two: b"2"})
    synced.clear()
    files.move(ID, folder, finished)
    assert synced == [(f"finished/{ID}.evidence", sorted([one, two]), 1)]
    assert (files.read(ID, one), files.read(ID, two)) == (b"1", b"2")
    assert not (folder / f"{ID}.evidence").exists()


def test_a_deletion_is_durable(store, synced):
    with store.locked(ID):
        store.delete(store.read(ID), None, NOON)
    assert synced == [(".", ["deletions.log"], 0)]


@pytest.mark.parametrize("moves", [0, 1])
def test_a_move_that_stops_half_way_is_finished_by_the_next_start(
    store, folder, monkeypatch, moves
):
    last = stored(store, phases=(1,))
    change = passed(last.state, LARGE)
    left = moves

    def rename(path, target):
        nonlocal left
        if left <= 0:
            refusing(errno.EIO)()
        left -= 1
        os.rename(path, target)  # noqa: PTH104 - what is replaced here
        return Path(target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        done = follow(store, change, last)
    assert (left, store.read(ID)) == (0, done)

    with FileStore(folder).exclusive():
        assert store.read(ID) == done
    [(key, content)] = change.blobs.items()
    assert set(tree(folder)) == {f"finished/{ID}.jsonl", f"finished/{ID}.evidence/{key}"}
    assert store.blob(ID, key) == content
