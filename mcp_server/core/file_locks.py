"""Locks of the file store: sidecar files that work across processes and threads, on Windows too.

A lock's file is left behind when it is released, so that nobody waits on one that is gone; who
holds it stands in it, as a courtesy to who waits. The system frees the locks of a process that
dies, however it dies.

A lock that nobody holds is taken by the system call itself, where there is one, which is twenty
times faster than all that `filelock` takes care of. It sees to everything else: waiting, files that
are odd, and systems that lock in another way. On one file the two exclude each other.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mcp_server.core import durable
from mcp_server.core.encoding import encode
from mcp_server.core.waiting import wait_here
from mcp_server.errors import ConflictError

if sys.platform != "win32":
    import fcntl

_POLL_SECONDS = 0.005
_GRACE = 0.25
"""Seconds in which whoever only looks whether a lock is held has let it go again."""

_TAKEN = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)

_NOTE = 80
"""Bytes of a note: more than any has, so that nothing of the one before is left."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as far as it is known."""

    pid: int | None = None
    since: datetime | None = None


@contextmanager
def hold(path: Path, what: str, timeout: float) -> Iterator[None]:
    """Hold the lock at `path`; raises ConflictError naming the holder after `timeout` seconds."""
    descriptor = _taken_at_once(path)
    if descriptor is not None:
        try:
            _note_holder(descriptor)
            yield
        finally:
            # Closing frees the lock, for nobody else has this descriptor.
            os.close(descriptor)
        return
    wait_here()
    lock = _lock(path, timeout)
    if not _acquired(lock):
        raise ConflictError(
            f"Session modified by another operation: {what} is locked by {_holder(path)}",
            remediation="Wait a moment and send the same call again.",
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def lease(path: Path) -> Iterator[bool]:
    """Hold the lock at `path` if nobody else does; yield whether it is held."""
    lock = _lock(path, _GRACE)
    if not _acquired(lock):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Tell whether anybody holds the lock at `path`."""
    if not path.exists():
        return False
    lock = _lock(path, 0, noted=False)
    if not _acquired(lock):
        return True
    lock.release()
    return False


def holder_of(path: Path) -> Holder | None:
    """Return who holds the lock at `path`, None if nobody does; the file stays as it is."""
    if not path.exists():
        return None
    lock = FileLock(path, timeout=0, mode=durable.PRIVATE_FILE, preserve_lock_file=True)
    if _acquired(lock):
        lock.release()
        return None
    try:
        note = json.loads(durable.read_file(path))
        return Holder(int(note["pid"]), datetime.fromisoformat(note["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Holder()


def _taken_at_once(path: Path) -> int | None:
    """Return the descriptor of a lock that could be had at once, None where that is not so sure."""
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(path, _TAKEN, durable.PRIVATE_FILE)
    except OSError:
        return None
    is_ours = False
    try:
        # pylint: disable-next=possibly-used-before-assignment
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.fstat(descriptor)
        # Deleted while it was opened, or somebody's own: whoever comes next would lock another one.
        is_ours = status.st_nlink == 1 and status.st_uid == os.geteuid()
    except OSError:
        # Held, or a file system that has no such locks.
        pass
    finally:
        if not is_ours:
            os.close(descriptor)
    return descriptor if is_ours else None


def _acquired(lock: FileLock) -> bool:
    with durable.disk_errors():
        try:
            lock.acquire()
        except Timeout:
            return False
    return True


def _lock(path: Path, timeout: float, *, noted: bool = True) -> FileLock:
    return FileLock(
        path,
        timeout=timeout,
        mode=durable.PRIVATE_FILE,
        poll_interval=_POLL_SECONDS,
        preserve_lock_file=True,
        on_acquired=_note_holder if noted else None,
    )


def _note_holder(descriptor: int) -> None:
    note = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    # The note is a courtesy: on a full disk the lock holds without it. It is written over the one
    # before, for ext4 sends a file that was cut to nothing to the disk as soon as it is closed.
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, encode(note).ljust(_NOTE))


def _holder(path: Path) -> str:
    try:
        note = json.loads(durable.read_file(path))
        return f"process {int(note['pid'])} since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
