"""What the rest of the core asks of a place that keeps sessions.

Three verbs over (session_id, seq): append-if-last, read-last, list. Locks, evidence and pinned
definitions stand beside them. Nothing above a store may assume files. A store is safe to use from
many threads and processes at once: `append` refuses a record that does not follow the last one, and
`locked` keeps a read-modify-write together.

What a thread stores while it holds something is durable when it has let go of all that it holds,
and at the latest then: leaving `locked` or `exclusive` raises if it could not be stored. Whoever
holds both takes `exclusive` first.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from mcp_server.core.models import Change, Damage, Record, SessionSummary
from mcp_server.core.selection import Listed, Order, Place, Selection
from mcp_server.errors import DamagedStateError, NotFoundError


def no_session(session_id: str) -> NotFoundError:
    """Return what is said of a session that is not there, or not there for the caller."""
    return NotFoundError(
        f"no session {session_id}",
        remediation='Call aos_workflow(action="list_sessions") for the sessions that exist.',
    )


def damaged(session_id: str, reason: str, kept: str) -> DamagedStateError:
    """Return what is said of a session that cannot be read; `kept` names what it is kept in."""
    return DamagedStateError(
        f"session {session_id} cannot be read: {reason}",
        remediation=f"Its {kept} were left as they are. Restore them from a backup, or start a new"
        " session; all other sessions go on working.",
    )


class SessionStore(Protocol):
    """Keeps the records of sessions, their evidence, and the definitions that they follow."""

    def locked(self, session_id: str) -> AbstractContextManager[None]:
        """Hold the session; raises ConflictError when somebody else does for too long."""

    def verifying(self, session_id: str) -> AbstractContextManager[bool]:
        """Say that the session is being verified; gives False if somebody else says so already.

        Ends with the process that says it, however it ends. Raises NotFoundError.
        """

    def is_verifying(self, session_id: str) -> bool:
        """Tell whether anybody says that the session is being verified."""

    def exclusive(self, project: str | None = None) -> AbstractContextManager[None]:
        """Hold what guards the number of active sessions, of `project` or of the whole store."""

    def create(self, changes: Sequence[Change]) -> Record:
        """Store a new session with its history so far, whole or not at all.

        Raises ConflictError if there is a session of that id, DiskRefusedError if it cannot be
        written.
        """

    def append(self, change: Change, last: Record) -> Record:
        """Store `change` as the successor of `last`, durably.

        Raises ConflictError if `last` is not the session's last record any more, DiskRefusedError
        if it cannot be written; then nothing has changed.
        """

    def restore(
        self, session_id: str, lines: Sequence[bytes], blobs: Mapping[str, bytes]
    ) -> Record:
        """Store a session of another store byte for byte, or the lines of it that are not here.

        All of it or nothing; the caller holds `exclusive`, and the session if it is here. Raises
        DamagedStateError if it is not sound, ConflictError if what is here is not its beginning.
        """

    def read(self, session_id: str) -> Record:
        """Return the last record; raises NotFoundError or DamagedStateError."""

    def lines(self, session_id: str) -> list[bytes]:
        """Return all records as they were stored, oldest first; raises NotFoundError."""

    def summaries(
        self, *, live_only: bool = False, project: str | None = None
    ) -> Iterator[SessionSummary | Damage]:
        """Yield what lists show of every session, in no order.

        `live_only` omits finished ones, `project` those of others; what cannot be read is in it.
        """

    def page(
        self,
        chosen: Selection,
        limit: int,
        after: Place | None = None,
        by: Order = Order.START,
        *,
        counted: bool = True,
    ) -> Listed:
        """Return the first `limit` chosen sessions after a place, newest first, and their count.

        Whoever does not want them counted spares the store a look at those that are not shown.
        """

    def count(self, chosen: Selection) -> int:
        """Return how many sessions are chosen."""

    def are_fewer(self, chosen: Selection, limit: int) -> bool:
        """Tell whether fewer than `limit` sessions are chosen, reading no more than that takes."""

    def live_ids(self, project: str | None = None) -> frozenset[str]:
        """Return the ids of what `summaries` yields of the live ones."""

    def blob(self, session_id: str, digest: str) -> bytes:
        """Return evidence that was stored with a change; raises DamagedStateError if it is gone."""

    def delete(self, last: Record, reason: str | None, time: datetime) -> bool:
        """Remove the session and its evidence, and log that; False if there was nothing left."""

    def pin(self, digest: str, content: bytes) -> None:
        """Keep a definition's snapshot under its digest; storing it again changes nothing."""

    def pinned(self, digest: str) -> bytes:
        """Return a snapshot; raises DamagedStateError if it is gone or not what its digest says."""
