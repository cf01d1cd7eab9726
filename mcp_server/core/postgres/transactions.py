"""Transactions that survive the connection that they began on.

A transaction is a list of steps. When its connection is lost, it begins again on another one and
takes its steps once more, locks first as they came; if a step comes to anything else than it did
before, others were faster, and the transaction is given up. Where the connection was lost while
the end was under way, nobody knows whether it ended: then the steps meet what they stored
themselves, which `confirm` tells from what others did. So whatever is stored is stored once.

One transaction belongs to one thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from mcp_server.core.postgres.connections import Connection, Connections
from mcp_server.errors import ConflictError, WorkflowError

Result = TypeVar("Result")

_MILLISECONDS = 1_000


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How many seconds a transaction may wait: for a lock, an answer, its next statement."""

    lock: float
    statement: float
    idle: float

    @property
    def begin(self) -> sql.Composed:
        """The statements that begin a transaction under these limits."""
        # In one message: each would be a round trip of its own. LOCAL: a pooler may hand the
        # connection to somebody else afterwards.
        return sql.SQL(
            "BEGIN ISOLATION LEVEL READ COMMITTED;"
            "SET LOCAL lock_timeout = {lock};"
            "SET LOCAL statement_timeout = {statement};"
            "SET LOCAL idle_in_transaction_session_timeout = {idle}"
        ).format(
            lock=_milliseconds(self.lock),
            statement=_milliseconds(self.statement),
            idle=_milliseconds(self.idle),
        )


class _OvertakenError(Exception):
    """A step that is taken again comes to something else."""


class Transaction:
    """Steps that are stored together or not at all."""

    def __init__(self, connections: Connections, limits: TimeLimits) -> None:
        """Begin when the first step is taken."""
        self._connections = connections
        self._begin = limits.begin
        self._connection: Connection | None = None
        self._steps: list[tuple[Callable[[Connection], Any], Any]] = []
        self._writes = False
        self._confirm: Callable[[Connection], bool] | None = None

    def take(self, step: Callable[[Connection], Result]) -> Result:
        """Take a step that stores nothing; what it returns must be the same if taken again."""
        patience = self._connections.patience()
        while True:
            try:
                result = step(self._begun())
            except psycopg.Error as error:
                self._drop()
                patience.wait_after(error)
            except _OvertakenError:
                self.roll_back()
                raise _overtaken() from None
            except WorkflowError:
                # What led to it may have spoiled the transaction.
                self.roll_back()
                raise
            else:
                self._steps.append((step, result))
                return result

    def write(
        self,
        step: Callable[[Connection], Result],
        confirm: Callable[[Connection], bool] | None = None,
    ) -> Result:
        """Take a step that stores something; `confirm` tells whether that is stored.

        It may be left out for what can be stored twice.
        """
        result = self.take(step)
        self._writes = True
        self._confirm = confirm or self._confirm
        return result

    def commit(self) -> None:
        """Store what was written; raises if it could not be, or if nobody can tell."""
        if not self._writes:
            # With nothing to store, all that is left is to let the locks go.
            self.roll_back()
            return
        patience = self._connections.patience()
        in_doubt = False
        while True:
            try:
                connection = self._begun()
                in_doubt = True
                _end(connection)
            except psycopg.Error as error:
                self._drop()
                patience.wait_after(error)
            except _OvertakenError:
                self.roll_back()
                if in_doubt and self._confirm and self._connections.ask(self._confirm):
                    return
                raise _overtaken() from None
            else:
                self._give_back()
                return

    def roll_back(self) -> None:
        """Undo what was not committed; what is begun afterwards takes all steps again."""
        if self._connection is None:
            return
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self._drop()
        else:
            self._give_back()

    def _begun(self) -> Connection:
        if self._connection is None:
            self._connection = self._connections.take()
            self._connection.execute(self._begin)
            for step, before in self._steps:
                try:
                    result = step(self._connection)
                except WorkflowError as error:
                    raise _OvertakenError from error
                if result != before:
                    raise _OvertakenError
        return self._connection

    def _give_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.give_back(connection)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.drop(connection)


def _end(connection: Connection) -> None:
    # A transaction that was broken off ends without an error, and stores nothing.
    if connection.execute("COMMIT").statusmessage != "COMMIT":
        raise psycopg.OperationalError("the transaction was broken off")


def _overtaken() -> ConflictError:
    return ConflictError(
        "Session modified by another operation while the database was out of reach",
        remediation="Read the session again with get_state, then retry.",
    )


def _milliseconds(seconds: float) -> sql.Literal:
    return sql.Literal(max(1, round(seconds * _MILLISECONDS)))
