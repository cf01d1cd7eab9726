"""How a store comes to be: connected to once, and migrated, or refused in a line for a person.

A wrong address, password or right should be told at once, so nothing here is tried again.
"""

import re
from dataclasses import dataclass

import psycopg

from mcp_server.core.postgres.connections import Connections
from mcp_server.core.postgres.migrations import migrate
from mcp_server.core.postgres.store import PostgresStore
from mcp_server.core.postgres.transactions import TimeLimits
from mcp_server.errors import ConfigurationError

_MIGRATION_SECONDS = 4.0

_REFUSED = re.compile(r"FATAL:\s+(?P<reason>[^\n]{1,120})")
"""What the database itself says when it lets nobody in; it names no password."""

_REASONS = {
    "timeout": "it did not answer in time",
    "resolve": "its host has no address",
    "translate": "its host has no address",
    "refused": "nobody listens at its address",
}


@dataclass(frozen=True, slots=True)
class Waits:
    """How many seconds to wait: for a lock, and for a database that is out of reach."""

    lock: float
    state: float


def open_store(url: str, schema: str, waits: Waits) -> PostgresStore:
    """Return the store at `url`, migrated; raises ConfigurationError."""
    # A third of the patience for one answer leaves two for other connections.
    longest = waits.lock + waits.state / 3
    connections = Connections(url, patience=waits.state, longest_wait=longest)
    try:
        with connections.connect() as connection:
            migrate(connection, schema, _MIGRATION_SECONDS)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"the user of the database may not make or change the schema {schema}",
            remediation=f"Let an administrator run: CREATE SCHEMA {schema} AUTHORIZATION that"
            " user; or start the server once as a user who may, who owns the tables if there are"
            " any.",
        ) from error
    except psycopg.OperationalError as error:
        raise _unusable(error) from error
    connections.open()
    limits = TimeLimits(lock=waits.lock, statement=longest, idle=waits.state)
    return PostgresStore(connections, schema, limits)


def _reason(error: psycopg.Error) -> str:
    """Return what is wrong in words that hold neither paths nor passwords."""
    told = str(error)
    if refused := _REFUSED.search(told):
        return refused["reason"].strip()
    known = (reason for sign, reason in _REASONS.items() if sign in told.lower())
    return next(known, "it could not be reached")


def _unusable(error: psycopg.Error) -> ConfigurationError:
    return ConfigurationError(
        f"the database of the sessions cannot be used: {_reason(error)}",
        remediation="Correct AOS_WORKFLOW_STATE (postgresql://USER@HOST:PORT/DATABASE), or see that"
        " the database runs and lets this machine in.",
    )
