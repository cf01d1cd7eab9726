"""Reads the lines of one store, most of which it wrote or read a moment ago.

Each line is hashed each time it is read; bytes whose hash is known hold the record that is known.
Records are frozen, so that all may have them. Each store has a reader of its own: what another
process wrote, or this one before it was started again, is read from the bytes. Touches no disk;
safe to share between threads.
"""

import threading

from mcp_server.core.journal import LineError, decode_line, hash_of, stated_hash
from mcp_server.core.models import Record
from mcp_server.core.store import damaged

_KEPT_LINES = 32
_KEPT_LINE = 64 * 1024
"""How many lines are remembered, and the longest of them in bytes."""


class LineReader:
    """Reads lines into records, and remembers the last ones."""

    def __init__(self, kept: str) -> None:
        """Know no line yet; `kept` names what sessions are kept in."""
        self._kept = kept
        self._guard = threading.Lock()
        self._known: dict[str, Record] = {}

    def record(self, session_id: str, line: bytes) -> Record:
        """Return the record of a session's line; raises DamagedStateError."""
        record = self.known(line)
        if record is None:
            try:
                record = decode_line(line)
            except LineError as error:
                raise damaged(session_id, str(error), self._kept) from error
            self.remember(line, record)
        if record.state.session_id != session_id:
            raise damaged(session_id, f"it holds session {record.state.session_id}", self._kept)
        return record

    def known(self, line: bytes) -> Record | None:
        """Return the record of a line that is remembered, if these are its bytes."""
        record = self._known.get(stated_hash(line))
        return record if record is not None and hash_of(line) == record.hash else None

    def remember(self, line: bytes, record: Record) -> None:
        """Keep what a line holds: it was decoded, or written, just now."""
        if len(line) > _KEPT_LINE:
            return
        with self._guard:
            self._known.pop(record.hash, None)
            self._known[record.hash] = record
            if len(self._known) > _KEPT_LINES:
                del self._known[next(iter(self._known))]
