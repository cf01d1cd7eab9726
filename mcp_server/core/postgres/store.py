"""The SessionStore over PostgreSQL.

Promises. A session and its history, a change with the evidence that it names and what lists show
of it, a deletion with its note: each is one transaction. What a thread does while it holds
something is one transaction as well, which ends when it has let go of everything; the locks are
the row of a session, and one advisory lock for each project whose sessions are counted. Nothing
is held between transactions, so the database frees what a dead server held. A change is stored if
the line before it is the last one, and once only, whatever became of the connection meanwhile: see
`transactions`. Safe for any number of threads, processes and machines on one database.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TypeVar

import psycopg

from mcp_server.core.encoding import digest as digest_of
from mcp_server.core.encoding import encode
from mcp_server.core.identifiers import validate_session_id
from mcp_server.core.journal import encode_line
from mcp_server.core.line_reader import LineReader
from mcp_server.core.models import Change, Record, SessionSummary
from mcp_server.core.postgres.connections import Connection, Connections
from mcp_server.core.postgres.keys import halves, key_of
from mcp_server.core.postgres.restoring import restore
from mcp_server.core.postgres.rows import line_of, moved_of, row_of, summary_of
from mcp_server.core.postgres.statements import Statements
from mcp_server.core.postgres.transactions import TimeLimits, Transaction
from mcp_server.core.restoring import sound
from mcp_server.core.selection import UNFINISHED, Listed, Order, Place, Selection
from mcp_server.core.store import damaged, no_session
from mcp_server.errors import ConflictError, DamagedStateError

Result = TypeVar("Result")

_BATCH = 1_000


class PostgresStore:
    """Sessions as rows of one schema, which is there and migrated."""

    def __init__(self, connections: Connections, schema: str, limits: TimeLimits) -> None:
        """Use `schema`; whoever opened it closes the connections."""
        self._connections = connections
        self._schema = schema
        self._limits = limits
        self._sql = Statements(schema)
        self._thread = threading.local()
        self._reader = LineReader("rows")

    def close(self) -> None:
        """Give all connections up."""
        self._connections.close()

    @contextmanager
    def locked(self, session_id: str) -> Iterator[None]:
        """Hold the session's row; raises ConflictError when somebody else does for too long."""
        validate_session_id(session_id)
        with self._held() as transaction:
            transaction.take(lambda connection: self._lock(connection, session_id))
            yield

    @contextmanager
    def exclusive(self, project: str | None = None) -> Iterator[None]:
        """Hold the advisory lock that guards the number of active sessions of a project."""
        key = key_of(self._schema, "limit", project or "")
        with self._held() as transaction:
            transaction.take(lambda connection: _lock_key(connection, key))
            yield

    @contextmanager
    def verifying(self, session_id: str) -> Iterator[bool]:
        """Say to all servers that the session is being verified; yield False if it is already.

        A connection of its own says so for as long as it lives.
        """
        self._require(session_id)
        key = key_of(self._schema, "verifying", session_id)
        lease, held = self._lease(key)
        try:
            yield held
        finally:
            # The database takes a moment to notice that a connection was closed.
            with suppress(psycopg.Error):
                lease.execute("ROLLBACK")
            lease.close()

    def is_verifying(self, session_id: str) -> bool:
        """Tell whether any server is verifying the session."""
        validate_session_id(session_id)
        high, low = halves(key_of(self._schema, "verifying", session_id))
        return self._connections.ask(lambda connection: _is_locked(connection, high, low))

    def create(self, changes: Sequence[Change]) -> Record:
        """Store a new session with its history so far, whole or not at all."""
        lines: list[tuple[bytes, Record]] = []
        for change in changes:
            lines.append(encode_line(change, lines[-1][1] if lines else None))
        if not lines:
            raise ValueError("a session needs a first change")
        last = lines[-1][1]

        def store(connection: Connection) -> None:
            summary = last.state.summary
            if not connection.execute(self._sql["born"], row_of(summary)).rowcount:
                raise ConflictError(
                    "Session modified by another operation: the new session's id is taken",
                    remediation="Send the same call again.",
                )
            for change, (line, record) in zip(changes, lines, strict=True):
                self._keep(connection, change)
                connection.execute(self._sql["first"], line_of(line, record))

        with self._held() as transaction:
            transaction.write(store, self._is_stored(last))
        return last

    def append(self, change: Change, last: Record) -> Record:
        """Append `change` after `last`, with its evidence and what lists show."""
        line, record = encode_line(change, last)
        session_id, seq, previous, line_hash, content = line_of(line, record)
        values = {"id": session_id, "seq": seq, "previous": previous, "hash": line_hash,
                  "line": content}  # fmt: skip

        def store(connection: Connection) -> None:
            try:
                added = connection.execute(self._sql["next"], values).rowcount
            except psycopg.errors.ForeignKeyViolation as error:
                # It was deleted at this very moment, by somebody who held it.
                raise no_session(session_id) from error
            if not added:
                self._require_in(connection, session_id)
                raise ConflictError(
                    "Session modified by another operation",
                    remediation="Read the session again with get_state, then retry.",
                )
            self._keep(connection, change)
            connection.execute(self._sql["moved"], moved_of(record.state.summary))

        with self._held() as transaction:
            transaction.write(store, self._is_stored(record))
        return record

    def restore(
        self, session_id: str, lines: Sequence[bytes], blobs: Mapping[str, bytes]
    ) -> Record:
        """Store a session of another store as it is, or what of it is not here yet."""
        session = sound(session_id, lines, blobs)
        with self._held() as transaction:
            transaction.write(
                lambda connection: restore(connection, self._sql, session),
                self._is_stored(session.last),
            )
        return session.last

    def read(self, session_id: str) -> Record:
        """Return the last record of the session."""
        validate_session_id(session_id)
        row = self._look(lambda c: c.execute(self._sql["last"], [session_id]).fetchone())
        if row is None:
            raise no_session(session_id)
        return self._reader.record(session_id, row[0])

    def lines(self, session_id: str) -> list[bytes]:
        """Return the lines of the session as they were stored, oldest first."""
        validate_session_id(session_id)
        rows = self._look(lambda c: c.execute(self._sql["lines"], [session_id]).fetchall())
        if not rows:
            raise no_session(session_id)
        return [line for (line,) in rows]

    def summaries(
        self, *, live_only: bool = False, project: str | None = None
    ) -> Iterator[SessionSummary]:
        """Yield the summary of each session, from the newest on."""
        chosen = Selection(statuses=UNFINISHED if live_only else None, project=project)
        after: Place | None = None
        while found := self._summaries(chosen, _BATCH, after, Order.START):
            yield from found
            after = found[-1].order

    def page(
        self,
        chosen: Selection,
        limit: int,
        after: Place | None = None,
        by: Order = Order.START,
        *,
        counted: bool = True,
    ) -> Listed:
        """Return chosen sessions after a place, newest first."""
        found = self._summaries(chosen, limit, after, by)
        return Listed(found, self.count(chosen) if counted else None)

    def count(self, chosen: Selection) -> int:
        """Return how many sessions are chosen."""
        asked = self._sql.count(chosen)
        row = self._look(lambda c: c.execute(asked.text, asked.values).fetchone())
        return int(row[0]) if row else 0

    def are_fewer(self, chosen: Selection, limit: int) -> bool:
        """Tell whether fewer than `limit` sessions are chosen."""
        return self.count(chosen) < limit

    def live_ids(self, project: str | None = None) -> frozenset[str]:
        """Return the ids of the sessions that are not finished."""
        asked = self._sql.ids(Selection(statuses=UNFINISHED, project=project))
        rows = self._look(lambda c: c.execute(asked.text, asked.values).fetchall())
        return frozenset(session_id for (session_id,) in rows)

    def blob(self, session_id: str, digest: str) -> bytes:
        """Return one piece of large evidence."""
        validate_session_id(session_id)
        row = self._look(lambda c: c.execute(self._sql["blob"], [session_id, digest]).fetchone())
        if row is None or digest_of(row[0]) != digest:
            raise _damaged(session_id, f"evidence {digest[:12]} is missing or altered")
        content: bytes = row[0]
        return content

    def delete(self, last: Record, reason: str | None, time: datetime) -> bool:
        """Remove the session with its journal and evidence, and note that."""
        session_id = last.state.session_id
        note = encode({"session_id": session_id, "time": time.isoformat(), "reason": reason,
                       "last_hash": last.hash})  # fmt: skip

        def remove(connection: Connection) -> bool:
            if not connection.execute(self._sql["delete"], [session_id]).rowcount:
                return False
            connection.execute(self._sql["note"], [session_id, last.hash, note])
            return True

        def is_removed(connection: Connection) -> bool:
            row = connection.execute(self._sql["deleted"], [session_id, last.hash]).fetchone()
            return row is not None

        with self._held() as transaction:
            return transaction.write(remove, is_removed)

    def pin(self, digest: str, content: bytes) -> None:
        """Keep a definition's snapshot."""
        with self._held() as transaction:
            transaction.write(lambda c: _done(c.execute(self._sql["pin"], [digest, content])))

    def pinned(self, digest: str) -> bytes:
        """Return a definition's snapshot."""
        row = self._look(lambda c: c.execute(self._sql["pinned"], [digest]).fetchone())
        content: bytes = row[0] if row else b""
        if digest_of(content) != digest:
            raise DamagedStateError(
                f"the pinned definition {digest[:12]} is missing or altered",
                remediation="Restore the database from a backup, or delete the session and start"
                " again.",
            )
        return content

    @contextmanager
    def _held(self) -> Iterator[Transaction]:
        """Give the transaction of this thread, which ends with whoever asked for it first."""
        outer: Transaction | None = getattr(self._thread, "transaction", None)
        if outer is not None:
            yield outer
            return
        transaction = Transaction(self._connections, self._limits)
        self._thread.transaction = transaction
        try:
            yield transaction
            transaction.commit()
        finally:
            self._thread.transaction = None
            transaction.roll_back()

    def _look(self, step: Callable[[Connection], Result]) -> Result:
        held: Transaction | None = getattr(self._thread, "transaction", None)
        return held.take(step) if held is not None else self._connections.ask(step)

    def _summaries(
        self, chosen: Selection, limit: int, after: Place | None, by: Order
    ) -> list[SessionSummary]:
        asked = self._sql.page(chosen, limit, after, by)
        rows = self._look(lambda c: c.execute(asked.text, asked.values).fetchall())
        return [summary_of(row) for row in rows]

    def _lock(self, connection: Connection, session_id: str) -> None:
        try:
            row = connection.execute(self._sql["lock"], [session_id]).fetchone()
        except psycopg.errors.LockNotAvailable as error:
            raise _busy(f"session {session_id}") from error
        if row is None:
            raise no_session(session_id)

    def _lease(self, key: int) -> tuple[Connection, bool]:
        patience = self._connections.patience()
        while True:
            try:
                lease = self._connections.connect()
                # It may wait as long as a verification takes. A transaction, because a pooler
                # keeps the connection to the database with it.
                lease.execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0")
                row = lease.execute("SELECT pg_try_advisory_xact_lock(%s)", [key]).fetchone()
                return lease, bool(row and row[0])
            except psycopg.Error as error:
                patience.wait_after(error)

    def _require(self, session_id: str) -> None:
        validate_session_id(session_id)
        self._look(lambda connection: self._require_in(connection, session_id))

    def _require_in(self, connection: Connection, session_id: str) -> None:
        if connection.execute(self._sql["exists"], [session_id]).fetchone() is None:
            raise no_session(session_id)

    def _keep(self, connection: Connection, change: Change) -> None:
        for key, content in change.blobs.items():
            connection.execute(self._sql["keep"], [change.state.session_id, key, content])

    def _is_stored(self, record: Record) -> Callable[[Connection], bool]:
        values = [record.state.session_id, record.seq, record.hash]
        return lambda c: c.execute(self._sql["stored"], values).fetchone() is not None


def _lock_key(connection: Connection, key: int) -> None:
    try:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    except psycopg.errors.LockNotAvailable as error:
        raise _busy("the list of sessions") from error


def _is_locked(connection: Connection, high: int, low: int) -> bool:
    row = connection.execute(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
        " AND classid = %s AND objid = %s"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        [high, low],
    ).fetchone()
    return row is not None


def _done(_result: object) -> None:
    """Take what a statement returned for nothing."""


def _busy(what: str) -> ConflictError:
    return ConflictError(
        f"Session modified by another operation: {what} is locked by another server",
        remediation="Wait a moment and send the same call again.",
    )


def _damaged(session_id: str, reason: str) -> DamagedStateError:
    return damaged(session_id, reason, "rows")
