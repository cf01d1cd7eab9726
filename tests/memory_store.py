"""The in-memory twin of the file store: the same promises, no disk."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from mcp_server.core.encoding import digest as digest_of
from mcp_server.core.encoding import encode
from mcp_server.core.models import NO_HASH, Change, Record
from mcp_server.errors import ConflictError, DamagedStateError, NotFoundError


class MemoryStore:
    """A SessionStore for tests; safe for the threads of one process."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._blobs: dict[tuple[str, str], bytes] = {}
        self._pins: dict[str, bytes] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()
        self.deletions: list[tuple[str, str | None, datetime]] = []

    @contextmanager
    def locked(self, session_id: str) -> Iterator[None]:
        self.read(session_id)
        with self._lock(session_id):
            yield

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._lock(""):
            yield

    def _lock(self, name: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault(name, threading.RLock())

    def append(self, change: Change, last: Record | None) -> Record:
        session_id = change.state.session_id
        stored = self._records.get(session_id)
        if (stored and stored.hash) != (last and last.hash):
            raise ConflictError("Session modified by another operation", remediation="Retry.")
        previous = last.hash if last else NO_HASH
        body = encode([previous, change.state.model_dump(mode="json")])
        record = Record(seq=last.seq + 1 if last else 1, hash=digest_of(body), state=change.state)
        self._blobs.update({(session_id, key): value for key, value in change.blobs.items()})
        self._records[session_id] = record
        return record

    def read(self, session_id: str) -> Record:
        try:
            return self._records[session_id]
        except KeyError:
            raise NotFoundError(f"no session {session_id}", remediation="List them.") from None

    def records(self, *, live_only: bool = False) -> Iterator[Record]:
        del live_only
        yield from list(self._records.values())

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
        return self._records.pop(session_id, None) is not None

    def pin(self, digest: str, content: bytes) -> None:
        self._pins[digest] = content

    def pinned(self, digest: str) -> bytes:
        try:
            return self._pins[digest]
        except KeyError:
            raise DamagedStateError("the definition is missing", remediation="None.") from None
