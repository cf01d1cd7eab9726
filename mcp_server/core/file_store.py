"""The file-backed SessionStore, the embedded default; the only way in which state is written.

    <id>.jsonl              the journal of a live session: one line per accepted change
    <id>.lock               its sidecar lock
    <id>.evidence/<sha256>  evidence too large for the journal
    finished/               journals and evidence of completed sessions; nothing is written here,
                            only moved here and away
    definitions/<sha256>    pinned definitions
    verifying/<id>.lock     held by whoever verifies the session's current phase
    deletions.log           one line per deleted session

Promises. A session is born whole (written aside, then renamed). A change is one line, appended
and synced under the session's lock; the evidence that it names is durable before it. A torn last
line is ignored by readers and cut off by the next writer. A completed session is moved after its
line is durable, and one that is opened again before it is, so that a live session always stands
among the live; whoever looks for a session or its evidence looks in both places, so a crash between
the two loses nothing. Names of files come from validated ids and digests only, and links are not
followed. Safe for any number of threads and processes on one folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from mcp_server.core import durable, file_locks
from mcp_server.core.encoding import digest as digest_of
from mcp_server.core.encoding import encode
from mcp_server.core.file_evidence import EvidenceFiles
from mcp_server.core.file_places import LOCK, FilePlaces, is_folder
from mcp_server.core.file_summaries import FileSummaries
from mcp_server.core.identifiers import is_digest, validate_session_id
from mcp_server.core.journal import LineError, decode_summary, encode_line
from mcp_server.core.line_reader import LineReader
from mcp_server.core.models import Change, Damage, Record, SessionSummary
from mcp_server.core.restoring import sound
from mcp_server.core.selection import Listed, Order, Place, Selection
from mcp_server.core.store import damaged, no_session
from mcp_server.core.transitions import Status
from mcp_server.core.waiting import wait_here
from mcp_server.errors import (
    ConflictError,
    DamagedStateError,
    DiskRefusedError,
    InvalidArgumentError,
    NotFoundError,
)

_LIMIT_LOCK = f"sessions{LOCK}"
_ALL = ""


class FileStore:
    """Sessions as files under one folder, which is made when the first one is stored."""

    def __init__(self, folder: Path, *, lock_timeout: float = 10.0) -> None:
        """Use `folder`; wait at most `lock_timeout` seconds for a lock."""
        self._places = places = FilePlaces(folder)
        self._folder, self._finished = places.folder, places.finished
        self._definitions, self._leases = places.definitions, places.leases
        self._lock_timeout = lock_timeout
        self._evidence = EvidenceFiles(self._folder, self._finished)
        self._summaries = FileSummaries(self._folder, self._finished, self._summary)
        self._swept: set[str] = set()
        self._reader = LineReader("files")

    @contextmanager
    def locked(self, session_id: str) -> Iterator[None]:
        """Hold the session's sidecar lock; raises ConflictError naming the holder."""
        # Looking first keeps an unknown id from leaving a lock file behind.
        self._places.journal(session_id)
        lock = self._places.of(session_id).lock
        with file_locks.hold(lock, f"session {session_id}", self._lock_timeout):
            if session_id not in self._swept:
                # Sweeping tidies up; what is in its way is for the action itself to judge.
                with suppress(OSError, DamagedStateError, DiskRefusedError, NotFoundError):
                    self._evidence.sweep(session_id, lambda: self._named_evidence(session_id))
                self._swept.add(session_id)
            yield

    @contextmanager
    def exclusive(self, project: str | None = None) -> Iterator[None]:  # noqa: ARG002
        """Hold the lock that guards the number of active sessions, one for the whole folder."""
        with durable.disk_errors():
            self._make_folders()
        path = self._folder / _LIMIT_LOCK
        with file_locks.hold(path, "the list of sessions", self._lock_timeout):
            if _ALL not in self._swept:
                wait_here()
                self._swept.add(_ALL)
                with suppress(OSError, DiskRefusedError):
                    self._sweep_folders()
            yield

    @contextmanager
    def verifying(self, session_id: str) -> Iterator[bool]:
        """Say to all servers that the session is being verified; yield False if it is already."""
        self._places.journal(session_id)
        with durable.disk_errors():
            if not is_folder(self._leases):
                self._leases.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
        with file_locks.lease(self._places.of(session_id).lease) as held:
            yield held

    def is_verifying(self, session_id: str) -> bool:
        """Tell whether any server is verifying the session."""
        lease = self._places.of(session_id).lease
        with durable.disk_errors():
            return is_folder(self._leases) and file_locks.is_held(lease)

    def create(self, changes: Sequence[Change]) -> Record:
        """Store a new session with its history so far, whole or not at all."""
        lines: list[bytes] = []
        record: Record | None = None
        for change in changes:
            line, record = encode_line(change, record)
            lines.append(line)
        if record is None:
            raise ValueError("a session needs a first change")
        session_id = record.state.session_id
        path = self._places.of(session_id).live
        with durable.disk_errors():
            self._make_folders()
            if self._places.is_taken(session_id):
                raise ConflictError(
                    "Session modified by another operation: the new session's id is taken",
                    remediation="Send the same call again.",
                )
            for change in changes:
                self._evidence.keep(self._folder, session_id, change.blobs)
            durable.write_whole(path, b"".join(lines))
            self._settle(path, record.state.status)
        self._reader.remember(lines[-1][:-1], record)
        # What is stored as a whole leaves nothing over.
        self._swept.add(session_id)
        return record

    def append(self, change: Change, last: Record) -> Record:
        """Append `change` durably after `last`; the caller holds the session's lock."""
        line, record = encode_line(change, last)
        session_id = change.state.session_id
        with durable.disk_errors():
            path = self._places.journal(session_id)
            home = self._home_of(change.state.status)
            if home is self._folder and path.parent != home:
                self._require_last(durable.last_line(path), last)
                path = self._move(path, home)
            self._evidence.keep(path.parent, session_id, change.blobs)
            durable.append_line(path, line, lambda stored: self._require_last(stored, last))
            self._settle(path, change.state.status)
        self._reader.remember(line[:-1], record)
        return record

    def restore(
        self, session_id: str, lines: Sequence[bytes], blobs: Mapping[str, bytes]
    ) -> Record:
        """Store a session of another store as it is, or what of it is not here yet."""
        session = sound(session_id, lines, blobs)
        path = self._places.of(session_id).live
        with durable.disk_errors():
            self._make_folders()
            if self._places.is_taken(session_id):
                session.lacking(self.lines(session_id))
                # What is opened again stands among the live before its line is there.
                if self._places.journal(session_id) != path:
                    self._move(self._places.journal(session_id), self._folder)
            self._evidence.keep(self._folder, session_id, session.blobs)
            durable.write_whole(path, b"".join(line + b"\n" for line in session.lines))
            self._settle(path, session.last.state.status)
        return session.last

    def read(self, session_id: str) -> Record:
        """Return the last record of the session."""
        # A session that moves between looking for it and opening it is looked for once more.
        for _ in range(2):
            with suppress(FileNotFoundError), durable.disk_errors():
                line = durable.last_line(self._places.journal(session_id))
                return self._reader.record(session_id, line)
        raise no_session(session_id)

    def lines(self, session_id: str) -> list[bytes]:
        """Return the whole lines of the session's journal, oldest first, without their newlines."""
        for _ in range(2):
            with suppress(FileNotFoundError), durable.disk_errors():
                *whole, _torn = durable.read_file(self._places.journal(session_id)).split(b"\n")
                return whole
        raise no_session(session_id)

    def summaries(
        self, *, live_only: bool = False, project: str | None = None
    ) -> Iterator[SessionSummary | Damage]:
        """Yield the summary of each session, or what is wrong with it."""
        with durable.disk_errors():
            yield from self._summaries.all(live_only=live_only, project=project)

    def page(
        self,
        chosen: Selection,
        limit: int,
        after: Place | None = None,
        by: Order = Order.START,
        *,
        counted: bool = True,
    ) -> Listed:
        """Return chosen sessions after a place, newest first, out of the summaries."""
        with durable.disk_errors():
            return self._summaries.page(chosen, limit, after, by, counted=counted)

    def count(self, chosen: Selection) -> int:
        """Return how many sessions are chosen."""
        with durable.disk_errors():
            return self._summaries.count(chosen)

    def are_fewer(self, chosen: Selection, limit: int) -> bool:
        """Tell whether fewer than `limit` sessions are chosen."""
        with durable.disk_errors():
            return self._summaries.are_fewer(chosen, limit)

    def live_ids(self, project: str | None = None) -> frozenset[str]:
        """Return the ids of the journals among the live ones; those of one project are read."""
        with durable.disk_errors():
            if project is None:
                return self._summaries.live_ids()
            live = self._summaries.all(live_only=True, project=project)
            return frozenset(found.session_id for found in live)

    def _summary(self, session_id: str) -> SessionSummary | Damage | None:
        try:
            with durable.disk_errors():
                line = durable.last_line(self._places.journal(session_id))
            known = self._reader.known(line)
            found = known.state.summary if known else decode_summary(line)
        except (FileNotFoundError, NotFoundError):
            return None
        except LineError as error:
            return Damage(session_id=session_id, reason=_damaged(session_id, str(error)).message)
        except (DiskRefusedError, InvalidArgumentError) as error:
            return Damage(session_id=session_id, reason=error.message)
        if found.session_id != session_id:
            reason = _damaged(session_id, f"it holds session {found.session_id}").message
            return Damage(session_id=session_id, reason=reason)
        return found

    def blob(self, session_id: str, digest: str) -> bytes:
        """Return one piece of large evidence."""
        validate_session_id(session_id)
        content = None
        if is_digest(digest):
            with durable.disk_errors():
                content = self._evidence.read(session_id, digest)
        if content is None:
            raise _damaged(session_id, f"evidence {digest[:12]} is missing or altered")
        return content

    def delete(self, last: Record, reason: str | None, time: datetime) -> bool:
        """Log the deletion, then remove journal, evidence and lock of the session."""
        session_id = last.state.session_id
        note = {"session_id": session_id, "time": time.isoformat(), "reason": reason,
                "last_hash": last.hash}  # fmt: skip
        try:
            path = self._places.journal(session_id)
        except NotFoundError:
            return False
        with durable.disk_errors():
            durable.append_note(self._folder / "deletions.log", encode(note) + b"\n")
            path.unlink(missing_ok=True)
            self._evidence.remove(session_id)
            files = self._places.of(session_id)
            for lock in (files.lock, files.lease):
                lock.unlink(missing_ok=True)
            durable.sync_folder(path.parent)
        self._swept.discard(session_id)
        return True

    def pin(self, digest: str, content: bytes) -> None:
        """Keep a definition's snapshot."""
        path = self._definitions / f"{digest}.json"
        with durable.disk_errors():
            self._make_folders()
            if not path.exists():
                durable.write_whole(path, content)

    def pinned(self, digest: str) -> bytes:
        """Return a definition's snapshot."""
        content = b""
        if is_digest(digest):
            with suppress(FileNotFoundError), durable.disk_errors():
                content = durable.read_file(self._definitions / f"{digest}.json")
        if digest_of(content) != digest:
            raise DamagedStateError(
                f"the pinned definition {digest[:12]} is missing or altered",
                remediation="Restore the state folder from a backup, or delete the session and"
                " start again.",
            )
        return content

    def _make_folders(self) -> None:
        if self._places.are_made:
            return
        state = self._folder.parent
        state.parent.mkdir(parents=True, exist_ok=True)
        for folder in (state, self._folder, self._finished, self._definitions):
            folder.mkdir(mode=durable.PRIVATE_FOLDER, exist_ok=True)
        for folder in (state.parent, state, self._folder):
            durable.sync_folder(folder)
        # State is nobody's source: keep it out of commits, and out of what a gate sees as changed.
        with suppress(FileExistsError):
            durable.write_new(state / ".gitignore", b"*\n")

    def _require_last(self, stored: bytes, last: Record) -> None:
        if self._reader.record(last.state.session_id, stored).hash != last.hash:
            raise ConflictError(
                "Session modified by another operation",
                remediation="Read the session again with get_state, then retry.",
            )

    def _home_of(self, status: Status) -> Path:
        return self._finished if status is Status.COMPLETED else self._folder

    def _move(self, path: Path, home: Path) -> Path:
        """Move a journal, and before it its evidence, to `home`; return where the journal is."""
        self._evidence.move(path.stem, path.parent, home)
        moved = path.rename(home / path.name)
        durable.sync_folder(path.parent)
        durable.sync_folder(home)
        return moved

    def _settle(self, path: Path, status: Status) -> None:
        """Move a journal to where its session belongs after a change that is durable already."""
        home = self._home_of(status)
        if path.parent != home:
            # What cannot be moved now is found where it is, and moved by a later sweep.
            with suppress(OSError):
                # Not through a link that has come in place of a folder.
                self._make_folders()
                self._move(path, home)

    def _named_evidence(self, session_id: str) -> set[str]:
        """Return the digests that any line of the journal names."""
        return {
            item.sha256
            for line in self.lines(session_id)
            for items in self._reader.record(session_id, line).state.evidence.values()
            for item in items.values()
        }

    def _sweep_folders(self) -> None:
        """Remove what crashes left over; the caller holds the store-wide lock.

        What is written aside stands among the live, and so does the lock of what is being deleted,
        which goes last: finished sessions need no looking through, however many there are.
        """
        for folder in (self._folder, self._definitions):
            for path in list(folder.iterdir()):
                of_a_session = path.suffix in {".evidence", LOCK} and path.name != _LIMIT_LOCK
                # Births and pins write aside, and only under the store-wide lock.
                if path.name.endswith(durable.ASIDE):
                    path.unlink(missing_ok=True)
                elif of_a_session and not self._places.is_taken(path.stem):
                    self._evidence.remove(path.stem)
                    (folder / f"{path.stem}{LOCK}").unlink(missing_ok=True)
        for path in list(self._leases.iterdir()) if self._leases.is_dir() else ():
            if not self._places.is_taken(path.stem):
                path.unlink(missing_ok=True)
        for found in list(self.summaries(live_only=True)):
            if isinstance(found, SessionSummary) and found.status is Status.COMPLETED:
                with suppress(ConflictError, NotFoundError), self.locked(found.session_id):
                    path = self._places.journal(found.session_id)
                    if decode_summary(durable.last_line(path)).status is Status.COMPLETED:
                        self._move(path, self._finished)


def _damaged(session_id: str, reason: str) -> DamagedStateError:
    return damaged(session_id, reason, "files")
