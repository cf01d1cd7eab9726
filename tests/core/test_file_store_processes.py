"""Sessions under contention: who holds a lock, and what processes at the same time may do."""

import errno
import json
import multiprocessing
import os

import pytest

from mcp_server.core import file_locks
from mcp_server.core.file_store import FileStore
from mcp_server.core.lifecycle import pause, resume
from mcp_server.core.state_manager import StateManager
from mcp_server.errors import ConflictError, DiskRefusedError, LimitError
from tests.builders import NOON
from tests.core.session_builders import (
    ID,
    OTHER_ID,
    add_notes,
    chain_is_unbroken,
    follow,
    hold,
    lines_of,
    noted,
    now,
    refusing,
    start_one,
    stored,
)

SPAWN = multiprocessing.get_context("spawn")


def start_together(target, arguments):
    """Run `target` in one process for each of `arguments`, at the same time."""
    together = SPAWN.Barrier(len(arguments))
    workers = [SPAWN.Process(target=target, args=(*given, together)) for given in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * len(workers)


def test_a_lock_that_cannot_be_written_is_a_refusal(store, folder, monkeypatch):
    stored(store)
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def refuse(*_args, **_options):
        raise denied

    with monkeypatch.context() as patch:
        patch.setattr(file_locks.os, "open", refuse)
        patch.setattr(file_locks.FileLock, "acquire", refuse)
        with pytest.raises(DiskRefusedError, match="Permission denied"), store.locked(ID):
            pytest.fail("locked")


def test_a_lock_holds_without_its_note(store, folder, monkeypatch):
    first = stored(store)
    with monkeypatch.context() as patch:
        patch.setattr(file_locks.os, "write", refusing(errno.ENOSPC))
        with store.locked(ID), pytest.raises(ConflictError), other_lock(folder):
            pytest.fail("two held it")
    assert store.read(ID) == first


def other_lock(folder):
    return FileStore(folder, lock_timeout=0.02).locked(ID)


@pytest.mark.parametrize("note", [b"", b"not json", b"[]", b'{"pid": "x", "since": 1}', b"{}"])
def test_a_holder_that_left_no_note_is_another_process(store, folder, note):
    stored(store)
    with store.locked(ID):
        (folder / f"{ID}.lock").write_bytes(note)
        with pytest.raises(ConflictError) as refusal, other_lock(folder):
            pytest.fail("two held it")
    assert refusal.value.message == (
        f"Session modified by another operation: session {ID} is locked by another process"
    )


def test_a_lock_that_another_process_holds_names_it(store, folder):
    first = stored(store)
    held, enough = SPAWN.Queue(), SPAWN.Event()
    began = now().isoformat(timespec="seconds")
    holder = SPAWN.Process(target=hold, args=(folder, ID, held, enough))
    holder.start()
    try:
        pid = held.get(timeout=60)
        with pytest.raises(ConflictError) as refusal, other_lock(folder):
            pytest.fail("two processes held one session")
        since = json.loads((folder / f"{ID}.lock").read_bytes())["since"]
        assert began <= since <= now().isoformat(timespec="seconds")
        assert refusal.value.message == (
            f"Session modified by another operation: session {ID} is locked by process"
            f" {pid} since {since}"
        )
        assert refusal.value.remediation == "Wait a moment and send the same call again."

        holder.kill()
        holder.join(60)
        assert follow(store, noted(first.state, "after the kill"), first).seq == 2
    finally:
        holder.kill()
        holder.join(60)


def test_processes_that_edit_one_session_lose_nothing(store, folder, journal):
    stored(store)
    start_together(add_notes, [(folder, ID, 25)] * 4)
    lines = lines_of(journal)
    assert len(lines) == 101
    assert chain_is_unbroken(lines)
    written = [entry.split(":") for entry in store.read(ID).state.checkpoint_note.split()]
    workers = {pid for pid, _ in written}
    assert len(workers) == 4
    for worker in workers:
        assert [number for pid, number in written if pid == worker] == [str(n) for n in range(25)]


def test_of_processes_that_start_at_the_limit_exactly_one_succeeds(store, folder):
    stored(store)
    results = SPAWN.Queue()
    together = SPAWN.Barrier(4)
    workers = [
        SPAWN.Process(target=start_one, args=(folder, 2, f"00000{n}", together, results))
        for n in range(4)
    ]
    for worker in workers:
        worker.start()
    answers = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert sorted(answers)[:3] == ["LimitError"] * 3
    live = {found.session_id for found in store.summaries(live_only=True)}
    assert live == {ID, sorted(answers)[3]}


def test_a_session_that_is_paused_makes_room_and_counts_again_when_resumed(store):
    sessions = StateManager(store, max_active=1)
    first = stored(store)
    paused = follow(store, pause(first.state, None, NOON), first)
    stored(store, OTHER_ID)
    with pytest.raises(LimitError), sessions.edit(ID, activates=True) as draft:
        draft.record(resume(draft.state, NOON))
    assert store.read(ID) == paused
