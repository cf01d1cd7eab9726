"""Locks between real processes: held by one, freed however it ends."""

import json
import multiprocessing
import os
import stat
import sys
import threading
from contextlib import contextmanager

import pytest

from mcp_server.core import file_locks
from mcp_server.core.file_store import FileStore
from mcp_server.core.waiting import WouldWaitError, without_waiting
from mcp_server.errors import ConflictError
from tests.core.lock_holders import competing, counting, holding, leasing, verifying
from tests.core.session_builders import ID, stored

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thing.lock"


@contextmanager
def process(target, *arguments):
    """A process that says through a pipe what it got, and waits to be told to go on."""
    here, there = SPAWN.Pipe()
    worker = SPAWN.Process(target=target, args=(*arguments, there))
    worker.start()
    # Only the child may keep this end open: its death must be noticed here.
    there.close()
    try:
        yield worker, here
    finally:
        worker.kill()
        worker.join(60)
        here.close()


def heard(pipe):
    assert pipe.poll(60), "the other process says nothing"
    return pipe.recv()


def together(target, count, *arguments, after=()):
    """Run `target` in several processes that begin at the same moment."""
    barrier = SPAWN.Barrier(count)
    workers = [
        SPAWN.Process(target=target, args=(*arguments, barrier, *after)) for _ in range(count)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * count


def free(path):
    """Tell whether the lock can be had at once."""
    with file_locks.hold(path, "the thing", 10):
        return True


def test_a_lock_that_another_process_holds_is_refused_with_its_name(path):
    with process(holding, path) as (worker, pipe):
        assert heard(pipe) == "held"
        with pytest.raises(ConflictError) as refusal, file_locks.hold(path, "the thing", 0.02):
            pytest.fail("two held it")
        since = json.loads(path.read_bytes())["since"]
        assert refusal.value.message == (
            "Session modified by another operation: the thing is locked by process"
            f" {worker.pid} since {since}"
        )
        assert refusal.value.remediation == "Wait a moment and send the same call again."


def test_a_lock_that_is_taken_at_once_and_one_that_is_waited_for_exclude_each_other(path):
    with file_locks.hold(path, "the thing", 0.02):
        assert file_locks.is_held(path)
        with file_locks.lease(path) as leased:
            assert not leased
    with (
        file_locks.lease(path),
        pytest.raises(ConflictError),
        file_locks.hold(path, "the thing", 0.02),
    ):
        pytest.fail("two held it")
    assert free(path)


def test_whoever_may_not_wait_gets_a_free_lock_and_is_told_of_one_that_is_held(path):
    with (
        without_waiting(),
        file_locks.hold(path, "the thing", 10),
        pytest.raises(WouldWaitError),
        file_locks.hold(path, "the thing", 10),
    ):
        pytest.fail("held twice")
    with file_locks.hold(path, "the thing", 0.02):
        pass


def test_a_note_leaves_nothing_of_a_longer_one_before_it(path):
    path.write_bytes(b'{"pid": 1234567890123456789, "since": "2026-11-27T09:00:00+00:00"}')
    with file_locks.hold(path, "the thing", 0.02):
        assert json.loads(path.read_bytes()).keys() == {"pid", "since"}


@pytest.mark.skipif(sys.platform == "win32", reason="locks in another way there")
@pytest.mark.parametrize("odd", ["linked", "gone", "somebody's"])
def test_a_lock_file_that_is_odd_is_not_taken_at_once(path, tmp_path, monkeypatch, odd):
    path.touch()
    if odd == "linked":
        (tmp_path / "other").hardlink_to(path)
    if odd == "somebody's":
        monkeypatch.setattr(file_locks.os, "geteuid", lambda: os.getuid() + 1)
    if odd == "gone":
        locked = file_locks.fcntl.flock

        def lock_and_lose(descriptor, how):
            locked(descriptor, how)
            path.unlink(missing_ok=True)

        monkeypatch.setattr(file_locks.fcntl, "flock", lock_and_lose)
    assert file_locks._taken_at_once(path) is None


def test_a_lock_is_had_as_soon_as_the_other_process_lets_it_go(path):
    with process(holding, path) as (_worker, pipe):
        assert heard(pipe) == "held"
        pipe.send("let go")
        with file_locks.hold(path, "the thing", 30):
            assert json.loads(path.read_bytes())["pid"] == os.getpid()
        assert heard(pipe) == "released"


@pytest.mark.parametrize("target", [holding, leasing])
def test_a_lock_is_freed_when_its_holder_is_killed(path, target):
    with process(target, path) as (worker, pipe):
        assert heard(pipe) in {"held", True}
        assert file_locks.is_held(path) is True
        worker.kill()
        worker.join(60)
        assert file_locks.is_held(path) is False
        assert free(path)
        with file_locks.lease(path) as mine:
            assert mine is True


def test_a_lock_is_freed_by_an_exception(path):
    with pytest.raises(LookupError), file_locks.hold(path, "the thing", 1):
        raise LookupError
    with pytest.raises(LookupError), file_locks.lease(path):
        raise LookupError
    assert free(path)


def test_the_threads_of_a_process_wait_for_each_other_too(path):
    told = []

    def second():
        try:
            with file_locks.hold(path, "the thing", 0.02):
                told.append("held twice")
        except ConflictError:
            told.append("refused")
        with file_locks.lease(path) as mine:
            told.append(mine)

    with file_locks.hold(path, "the thing", 1):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert told == ["refused", False]


def test_of_processes_that_hold_one_lock_in_turn_none_loses_anything(tmp_path, path):
    number = tmp_path / "number"
    number.write_text("0", encoding="utf-8")
    together(counting, 3, path, number, 40)
    assert number.read_text(encoding="utf-8") == "120"


def test_of_processes_that_want_a_lease_at_once_exactly_one_gets_it(path):
    results = SPAWN.Queue()
    together(competing, 4, path, after=(results,))
    assert sorted(results.get(timeout=60) for _ in range(4)) == [False, False, False, True]


def test_a_lease_that_is_held_elsewhere_is_not_had_and_not_taken_away(path):
    with process(leasing, path) as (_worker, pipe):
        assert heard(pipe) is True
        with file_locks.lease(path) as mine:
            assert mine is False
        assert file_locks.is_held(path) is True
        pipe.send("let go")
        assert heard(pipe) == "released"
        with file_locks.lease(path) as mine:
            assert mine is True


def test_whoever_only_looks_does_not_cost_anybody_the_lease(path, monkeypatch):
    assert 0.1 < file_locks._GRACE < 1
    # However slow this machine is just now.
    monkeypatch.setattr(file_locks, "_GRACE", 60)
    looking, seen = threading.Event(), threading.Event()

    def look():
        with file_locks.hold(path, "the thing", 1):
            looking.set()
            seen.wait(0.05)

    thread = threading.Thread(target=look)
    thread.start()
    assert looking.wait(60)
    with file_locks.lease(path) as mine:
        assert mine is True
    thread.join()


def test_looking_whether_a_lock_is_held_leaves_nothing_behind(path):
    assert file_locks.is_held(path) is False
    assert not path.exists()
    with file_locks.lease(path):
        assert file_locks.is_held(path) is True
    assert file_locks.is_held(path) is False
    assert path.exists()
    assert free(path)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of Unix")
def test_the_file_of_a_lock_is_its_owners(path):
    with file_locks.lease(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_verification_in_another_process_is_known_here_until_it_is_killed(tmp_path):
    folder = tmp_path / "state"
    store = FileStore(folder)
    stored(store)
    with process(verifying, folder, ID) as (worker, pipe):
        assert heard(pipe) is True
        assert store.is_verifying(ID) is True
        with store.verifying(ID) as mine:
            assert mine is False
        worker.kill()
        worker.join(60)
        assert store.is_verifying(ID) is False
        with store.verifying(ID) as mine:
            assert mine is True
