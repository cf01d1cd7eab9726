"""The file-backed SessionStore, the embedded default; the only module that locks or writes state.

    <id>.jsonl              the journal of a live session: one line per accepted change
    <id>.lock               its sidecar lock
    <id>.evidence/<sha256>  evidence too large for the journal
    finished/               journals and evidence of completed sessions
    definitions/<sha256>    pinned definitions
    deletions.log           one line per deleted session

Promises. A session is born whole (written aside, then renamed). A change is one line, appended
and synced under the session's lock; the evidence that it names is durable before it. A torn last
line is ignored by readers and cut off by the next writer. A completed session is moved after its
line is durable, and one that is opened again before it is, so that a live session always stands
among the live; whoever looks for a session or its evidence looks in both places, so a crash between
the two loses nothing. Names of files come from validated ids and digests only, and links are not
followed. Safe for any number of threads and processes on one folder.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mcp_server.core import durable
from mcp_server.core.encoding import digest as digest_of
from mcp_server.core.encoding import encode
from mcp_server.core.identifiers import is_digest, validate_session_id
from mcp_server.core.journal import LineError, decode_line, encode_line
from mcp_server.core.models import Change, Damage, Record
from mcp_server.core.transitions import Status
from mcp_server.errors import (
    ConflictError,
    DamagedStateError,
    DiskRefusedError,
    InvalidArgumentError,
    NotFoundError,
)

_JOURNAL = ".jsonl"
_POLL_SECONDS = 0.005


class FileStore:
    """Sessions as files under one folder, which is made when the first one is stored."""

    def __init__(self, folder: Path, *, lock_timeout: float = 10.0) -> None:
        """Use `folder`; wait at most `lock_timeout` seconds for a lock."""
        self._folder = folder
        self._finished = folder / "finished"
        self._definitions = folder / "definitions"
        self._lock_timeout = lock_timeout

    @contextmanager
    def locked(self, session_id: str) -> Iterator[None]:
        """Hold the session's sidecar lock; raises ConflictError naming the holder."""
        # Looking first keeps an unknown id from leaving a lock file behind.
        self._journal(session_id)
        with self._lock(self._folder / f"{session_id}.lock", f"session {session_id}"):
            yield

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock that guards the number of active sessions."""
        with _disk_errors():
            self._make_folders()
        with self._lock(self._folder / "sessions.lock", "the list of sessions"):
            yield

    @contextmanager
    def _lock(self, path: Path, what: str) -> Iterator[None]:
        lock = FileLock(
            path,
            timeout=self._lock_timeout,
            mode=durable.PRIVATE_FILE,
            poll_interval=_POLL_SECONDS,
            preserve_lock_file=True,
            on_acquired=_note_holder,
        )
        try:
            with _disk_errors():
                lock.acquire()
        except Timeout as error:
            raise ConflictError(
                f"Session modified by another operation: {what} is locked by {_holder(path)}",
                remediation="Wait a moment and send the same call again.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def append(self, change: Change, last: Record | None) -> Record:
        """Append `change` durably after `last`; the caller holds the session's lock."""
        line, record = encode_line(change, last)
        with _disk_errors():
            if last is None:
                self._give_birth(change, line)
            else:
                self._add_line(change, last, line)
        return record

    def _give_birth(self, change: Change, line: bytes) -> None:
        self._make_folders()
        name = f"{change.state.session_id}{_JOURNAL}"
        if any(os.path.lexists(home / name) for home in (self._folder, self._finished)):
            raise ConflictError(
                "Session modified by another operation: the new session's id is taken",
                remediation="Send the same call again.",
            )
        self._keep_blobs(self._folder, change)
        durable.write_whole(self._folder / name, line)

    def _add_line(self, change: Change, last: Record, line: bytes) -> None:
        path = self._journal(change.state.session_id)
        completed = change.state.status is Status.COMPLETED
        if not completed and path.parent != self._folder:
            _require_last(durable.last_line(path), last)
            path = _move(path, self._folder)
        self._keep_blobs(path.parent, change)
        durable.append_line(path, line, lambda stored: _require_last(stored, last))
        if completed and path.parent != self._finished:
            # The change has happened; what cannot be moved now is found where it is.
            with suppress(OSError):
                _move(path, self._finished)

    def read(self, session_id: str) -> Record:
        """Return the last record of the session."""
        # A session that moves between looking for it and opening it is looked for once more.
        for _ in range(2):
            with suppress(FileNotFoundError), _disk_errors():
                line = durable.last_line(self._journal(session_id))
                return _decode(session_id, line)
        raise _not_found(session_id)

    def records(self, *, live_only: bool = False) -> Iterator[Record | Damage]:
        """Yield the last record of each session, or what is wrong with it."""
        seen: set[str] = set()
        for folder in (self._folder,) if live_only else (self._folder, self._finished):
            for session_id in _session_ids(folder):
                if session_id in seen:
                    continue
                seen.add(session_id)
                try:
                    yield self.read(session_id)
                except (DamagedStateError, DiskRefusedError, InvalidArgumentError) as error:
                    yield Damage(session_id=session_id, reason=error.message)
                except NotFoundError:
                    continue

    def blob(self, session_id: str, digest: str) -> bytes:
        """Return one piece of large evidence."""
        validate_session_id(session_id)
        homes = (self._folder, self._finished, self._folder) if is_digest(digest) else ()
        for home in homes:
            with suppress(FileNotFoundError), _disk_errors():
                content = durable.read_file(_evidence_folder(home, session_id) / digest)
                if digest_of(content) == digest:
                    return content
                break
        raise _damaged(session_id, f"evidence {digest[:12]} is missing or altered")

    def delete(self, last: Record, reason: str | None, time: datetime) -> bool:
        """Log the deletion, then remove journal, evidence and lock of the session."""
        session_id = last.state.session_id
        note = {"session_id": session_id, "time": time.isoformat(), "reason": reason,
                "last_hash": last.hash}  # fmt: skip
        try:
            path = self._journal(session_id)
        except NotFoundError:
            return False
        with _disk_errors():
            durable.append_note(self._folder / "deletions.log", encode(note) + b"\n")
            path.unlink(missing_ok=True)
            for folder in (self._folder, self._finished):
                shutil.rmtree(folder / f"{session_id}.evidence", ignore_errors=True)
            (self._folder / f"{session_id}.lock").unlink(missing_ok=True)
            durable.sync_folder(path.parent)
        return True

    def pin(self, digest: str, content: bytes) -> None:
        """Keep a definition's snapshot."""
        path = self._definitions / f"{digest}.json"
        with _disk_errors():
            self._make_folders()
            if not path.exists():
                durable.write_whole(path, content)

    def pinned(self, digest: str) -> bytes:
        """Return a definition's snapshot."""
        content = b""
        if is_digest(digest):
            with suppress(FileNotFoundError), _disk_errors():
                content = durable.read_file(self._definitions / f"{digest}.json")
        if digest_of(content) != digest:
            raise DamagedStateError(
                f"the pinned definition {digest[:12]} is missing or altered",
                remediation="Restore the state folder from a backup, or delete the session and"
                " start again.",
            )
        return content

    def _journal(self, session_id: str) -> Path:
        validate_session_id(session_id)
        for folder in (self._folder, self._finished, self._folder):
            path = folder / f"{session_id}{_JOURNAL}"
            if os.path.lexists(path):
                return path
        raise _not_found(session_id)

    def _make_folders(self) -> None:
        if self._finished.is_dir() and self._definitions.is_dir():
            return
        state = self._folder.parent
        state.parent.mkdir(parents=True, exist_ok=True)
        for folder in (state, self._folder, self._finished, self._definitions):
            folder.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
        # State is nobody's source: keep it out of commits, and out of what a gate sees as changed.
        with suppress(FileExistsError):
            durable.write_new(state / ".gitignore", b"*\n")

    def _keep_blobs(self, home: Path, change: Change) -> None:
        if not change.blobs:
            return
        folder = _evidence_folder(home, change.state.session_id)
        folder.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
        for digest, content in change.blobs.items():
            path = folder / digest
            if path.is_symlink() or not path.exists():
                durable.write_whole(path, content)
        durable.sync_folder(home)


def _evidence_folder(home: Path, session_id: str) -> Path:
    folder = home / f"{session_id}.evidence"
    if folder.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return folder


def _move(path: Path, home: Path) -> Path:
    """Move a journal, and before it its evidence, to `home`; return where the journal is then."""
    evidence, moved = path.with_suffix(".evidence"), home / path.name
    if evidence.exists():
        _merge(evidence, home / evidence.name)
    path.rename(moved)
    durable.sync_folder(path.parent)
    durable.sync_folder(home)
    return moved


def _merge(source: Path, target: Path) -> None:
    if not target.exists():
        source.rename(target)
        return
    # An interrupted move left some there; names are digests, so equal names are equal content.
    for path in source.iterdir():
        path.replace(target / path.name)
    durable.sync_folder(target)
    source.rmdir()


def _require_last(stored: bytes, last: Record) -> None:
    if _decode(last.state.session_id, stored).hash != last.hash:
        raise ConflictError(
            "Session modified by another operation",
            remediation="Read the session again with get_state, then retry.",
        )


def _decode(session_id: str, line: bytes) -> Record:
    try:
        record = decode_line(line)
    except LineError as error:
        raise _damaged(session_id, str(error)) from error
    if record.state.session_id != session_id:
        raise _damaged(session_id, f"it holds session {record.state.session_id}")
    return record


def _not_found(session_id: str) -> NotFoundError:
    return NotFoundError(
        f"no session {session_id}",
        remediation='Call aos_workflow(action="list_sessions") for the sessions that exist.',
    )


def _damaged(session_id: str, reason: str) -> DamagedStateError:
    return DamagedStateError(
        f"session {session_id} cannot be read: {reason}",
        remediation="Its files were left as they are. Restore them from a backup, or start a new"
        " session; all other sessions go on working.",
    )


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Turn what the disk refuses into our error; a missing file stays FileNotFoundError."""
    try:
        yield
    except (FileNotFoundError, Timeout):
        raise
    except OSError as error:
        reason = "a link stands in its place" if error.errno == errno.ELOOP else error.strerror
        raise DiskRefusedError(
            f"the state folder refused: {reason}",
            remediation="Make .praxis-os/state writable, with free space, then send the same call"
            " again; nothing was changed.",
        ) from error


def _note_holder(descriptor: int) -> None:
    note = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    # The note is a courtesy: on a full disk the lock holds without it.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, encode(note))


def _holder(path: Path) -> str:
    try:
        note = json.loads(durable.read_file(path))
        return f"process {int(note['pid'])} since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _session_ids(folder: Path) -> list[str]:
    names: list[str] = []
    with suppress(FileNotFoundError), _disk_errors():
        names = [path.name for path in folder.iterdir()]
    return [name.removesuffix(_JOURNAL) for name in names if name.endswith(_JOURNAL)]
