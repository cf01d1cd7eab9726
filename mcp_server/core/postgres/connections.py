"""Connections to the database: found, pooled, bounded in time, and given up when one breaks.

Nothing is set on a connection for longer than a transaction, and no statement is prepared, so that
a pooler that hands connections from transaction to transaction may stand in between. Safe to share
between threads.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from mcp_server.core.postgres.faults import Patience
from mcp_server.errors import ConfigurationError, WorkflowError

Result = TypeVar("Result")

MOST_CONNECTIONS = 8
"""How many a server has at most; a verification has one more."""

_CONNECT_SECONDS = 4
_LEAST_SECONDS = 2
_TAKE_SECONDS = 1.0
_GIVE_UP_SECONDS = 2.0
_IDLE_SECONDS = 60.0
_SEVERAL = ","


class Connection(psycopg.Connection[TupleRow]):
    """A connection on which no answer is waited for longer than `longest_wait` seconds."""

    longest_wait: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer of the server; raises OperationalError when it takes too long."""
        # A network that swallows packets would otherwise be waited for for ever.
        return super().wait(gen, interval, self.longest_wait if timeout is None else timeout)


class Connections:
    """The connections of one server process to one database."""

    def __init__(self, url: str, *, patience: float, longest_wait: float) -> None:
        """Connect to `url` when asked; put up with faults for `patience` seconds.

        Raises ConfigurationError for what is not the address of a database.
        """
        self._patience = patience
        self._longest_wait = longest_wait
        self._parameters = _parameters(url)
        self._pool = ConnectionPool(
            kwargs={**self._parameters, "autocommit": True, "prepare_threshold": None},
            connection_class=Connection,
            configure=self._bound,
            min_size=0,
            max_size=MOST_CONNECTIONS,
            max_idle=_IDLE_SECONDS,
            # What is given up is begun anew by the next who asks, with no pause by then.
            reconnect_timeout=_GIVE_UP_SECONDS,
            open=False,
        )

    def connect(self) -> Connection:
        """Return a connection that is nobody else's; raises OperationalError."""
        connection = Connection.connect(autocommit=True, prepare_threshold=None, **self._parameters)
        self._bound(connection)
        return connection

    def open(self) -> None:
        """Begin to keep connections at hand."""
        self._pool.open()

    def close(self) -> None:
        """Close all connections that nobody has."""
        self._pool.close()

    def patience(self) -> Patience:
        """Return how long to put up with faults from now on."""
        return Patience(self._patience)

    def take(self) -> Connection:
        """Return a connection, to be given back or dropped; raises OperationalError."""
        return self._pool.getconn(timeout=_TAKE_SECONDS)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next one who needs it."""
        self._pool.putconn(connection)

    def drop(self, connection: Connection) -> None:
        """Close a connection that broke, and those at hand, which broke with it or may have."""
        with suppress(psycopg.Error):
            connection.close()
        self._pool.putconn(connection)
        self._pool.drain()

    def ask(self, step: Callable[[Connection], Result]) -> Result:
        """Carry out a step that only reads, outside of any transaction."""
        patience = self.patience()
        while True:
            try:
                return self._asked_once(step)
            except psycopg.Error as error:
                patience.wait_after(error)

    def _asked_once(self, step: Callable[[Connection], Result]) -> Result:
        connection = self.take()
        try:
            result = step(connection)
        except psycopg.Error:
            self.drop(connection)
            raise
        except WorkflowError:
            self.give_back(connection)
            raise
        self.give_back(connection)
        return result

    def _bound(self, connection: Connection) -> None:
        connection.longest_wait = self._longest_wait


def _parameters(url: str) -> dict[str, Any]:
    """Return what libpq is to be told, with what a server that may move needs."""
    try:
        parameters = conninfo_to_dict(url)
    except psycopg.Error:
        # The reason repeats the address, and with it the password.
        raise ConfigurationError(
            "the state is not the address of a database",
            remediation="Write AOS_WORKFLOW_STATE as postgresql://USER@HOST:PORT/DATABASE, with"
            " everything special in the password percent-encoded.",
        ) from None
    hosts = str(parameters.get("host") or "").count(_SEVERAL) + 1
    parameters.setdefault("connect_timeout", max(_LEAST_SECONDS, _CONNECT_SECONDS // hosts))
    parameters.setdefault("application_name", "aos-workflow")
    # A peer that is gone without a word is found out in about as many seconds.
    parameters.setdefault("keepalives_idle", 10)
    parameters.setdefault("keepalives_interval", 5)
    parameters.setdefault("keepalives_count", 3)
    if hosts > 1:
        parameters.setdefault("target_session_attrs", "read-write")
    return dict(parameters)
