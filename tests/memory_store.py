"""The in-memory twin of the file store: the same promises, no disk."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from mcp_server.core.journal import decode_line, decode_summary, encode_line
from mcp_server.core.models import Change, Record, SessionSummary
from mcp_server.core.restoring import sound
from mcp_server.core.selection import (
    Listed,
    Order,
    Place,
    Selection,
    count_of,
    listed,
)
from mcp_server.core.store import no_session
from mcp_server.core.transitions import Status
from mcp_server.errors import ConflictError, DamagedStateError


class MemoryStore:
    """A SessionStore for tests; safe for the threads of one process."""

    def __init__(self) -> None:
        self._lines: dict[str, list[bytes]] = {}
        self._blobs: dict[tuple[str, str], bytes] = {}
        self._pins: dict[str, bytes] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._leases: set[str] = set()
        self._guard = threading.Lock()
        self.deletions: list[tuple[str, str | None, datetime]] = []

    @contextmanager
    def locked(self, session_id: str) -> Iterator[None]:
        self.read(session_id)
        with self._lock(session_id):
            yield

    @contextmanager
    def verifying(self, session_id: str) -> Iterator[bool]:
        self.read(session_id)
        with self._guard:
            held = session_id not in self._leases
            self._leases.add(session_id)
        try:
            yield held
        finally:
            if held:
                self._leases.discard(session_id)

    def is_verifying(self, session_id: str) -> bool:
        return session_id in self._leases

    @contextmanager
    def exclusive(self, project: str | None = None) -> Iterator[None]:
        with self._lock(""):
            yield

    def _lock(self, name: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault(name, threading.RLock())

    def create(self, changes: Sequence[Change]) -> Record:
        session_id = changes[0].state.session_id
        if session_id in self._lines:
            raise ConflictError("Session modified by another operation", remediation="Retry.")
        self._lines[session_id] = []
        record = None
        for change in changes:
            record = self._add(change, record)
        return record

    def append(self, change: Change, last: Record) -> Record:
        stored = self._lines.get(change.state.session_id)
        if not stored or decode_line(stored[-1]).hash != last.hash:
            raise ConflictError("Session modified by another operation", remediation="Retry.")
        return self._add(change, last)

    def _add(self, change: Change, last: Record | None) -> Record:
        session_id = change.state.session_id
        line, record = encode_line(change, last)
        self._blobs.update({(session_id, key): value for key, value in change.blobs.items()})
        self._lines[session_id].append(line.rstrip(b"\n"))
        return record

    def restore(
        self, session_id: str, lines: Sequence[bytes], blobs: Mapping[str, bytes]
    ) -> Record:
        session = sound(session_id, lines, blobs)
        session.lacking(self._lines.get(session_id, []))
        self._lines[session_id] = list(session.lines)
        self._blobs.update({(session_id, key): value for key, value in session.blobs.items()})
        return session.last

    def read(self, session_id: str) -> Record:
        return decode_line(self.lines(session_id)[-1])

    def lines(self, session_id: str) -> list[bytes]:
        try:
            return list(self._lines[session_id])
        except KeyError:
            raise no_session(session_id) from None

    def summaries(
        self, *, live_only: bool = False, project: str | None = None
    ) -> Iterator[SessionSummary]:
        for lines in list(self._lines.values()):
            summary = decode_summary(lines[-1])
            is_here = project in (None, summary.project)
            if is_here and not (live_only and summary.status is Status.COMPLETED):
                yield summary

    def page(
        self,
        chosen: Selection,
        limit: int,
        after: Place | None = None,
        by: Order = Order.START,
        *,
        counted: bool = True,
    ) -> Listed:
        page = listed(self.summaries(), chosen, limit, after, by)
        return page if counted else Listed(page.sessions)

    def count(self, chosen: Selection) -> int:
        return count_of(self.summaries(), chosen)

    def are_fewer(self, chosen: Selection, limit: int) -> bool:
        return self.count(chosen) < limit

    def live_ids(self, project: str | None = None) -> frozenset[str]:
        return frozenset(one.session_id for one in self.summaries(live_only=True, project=project))

    def blob(self, session_id: str, digest: str) -> bytes:
        try:
            return self._blobs[session_id, digest]
        except KeyError:
            raise DamagedStateError("evidence is missing", remediation="None.") from None

    def delete(self, last: Record, reason: str | None, time: datetime) -> bool:
        session_id = last.state.session_id
        self.deletions.append((session_id, reason, time))
        for key in [key for key in self._blobs if key[0] == session_id]:
            del self._blobs[key]
        return self._lines.pop(session_id, None) is not None

    def pin(self, digest: str, content: bytes) -> None:
        self._pins[digest] = content

    def pinned(self, digest: str) -> bytes:
        try:
            return self._pins[digest]
        except KeyError:
            raise DamagedStateError("the definition is missing", remediation="None.") from None
