"""Measure files against a database: `make bench-scale`, which writes its part of docs/scale.md.

Both are measured in one run, in turn, on the same disk; the database is a PostgreSQL of this
machine, which syncs as it does by default. Takes a few minutes, and is no part of the tests.
"""

import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from psycopg import sql

from mcp_server.core import durable, lifecycle
from mcp_server.core.callers import Caller
from mcp_server.core.file_store import FileStore
from mcp_server.core.journal import encode_line
from mcp_server.core.models import DefinitionRef
from mcp_server.core.state_manager import StateManager
from mcp_server.core.store import SessionStore
from mcp_server.core.transitions import Status
from mcp_server.errors import LimitError
from tests.builders import NOON, definition
from tests.core.session_builders import noted
from tests.postgres_server import Database, new_schema, new_server
from tests.slow.processes import run_together

Where = Path | Database

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "scale.md"
SERVERS = (1, 2, 4, 8)
SECONDS = 3.0
MANY = 100_000
OWNERS = 50
LIMIT = 100
TIMES = 5

FILL = """
INSERT INTO {sessions}
SELECT 'small_v1_old_20260101_000000_' || lpad(to_hex(n), 6, '0'), 'small_v1', 'src/' || n || '.py',
    'completed', 2, 2, %(noon)s + n * interval '1 second', %(noon)s, repeat('d', 64),
    'owner' || n %% %(owners)s, NULL
FROM generate_series(1, %(many)s) AS n
"""


def main() -> int:
    """Measure, print, and write the document."""
    with tempfile.TemporaryDirectory(prefix="aos-scale-") as folder:
        parts = [appends(Path(folder) / "appends"), lists(Path(folder) / "lists")]
    text = "\n\n".join([machine(), *parts])
    sys.stdout.write(f"{text}\n")
    write(text)
    return 0


def write(text: str) -> None:
    """Put what was measured in its place in the document."""
    document = DOCUMENT.read_text(encoding="utf-8")
    place = re.compile(r"(<!-- measured: scale -->\n).*?(<!-- end -->)", re.DOTALL)
    DOCUMENT.write_text(place.sub(lambda m: f"{m[1]}\n{text}\n\n{m[2]}", document), "utf-8")


def machine() -> str:
    """Return where and when this was, and how much else the machine had to do."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} by {platform.python_implementation()}"
        f" {platform.python_version()} on {platform.system()}, {platform.machine()},"
        f" {os.cpu_count()} processors. When it began, {load:.1f} processes wanted to run already:"
        " compare figures of one table with each other, not with those of another machine."
    )


def database() -> Database:
    """Return a database that syncs what it stores, as one outside of tests does."""
    running = new_server()
    with psycopg.connect(running.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = on")
        connection.execute("SELECT pg_reload_conf()")
    return Database(str(running.get_uri()), new_schema())


def opened(where: Where) -> SessionStore:
    """Return a store of a process of its own."""
    return FileStore(where, lock_timeout=60) if isinstance(where, Path) else where.open(lock=60)


def appends(folder: Path) -> str:
    """Return how many changes a second server processes store, as a table."""
    folder.mkdir()
    stored = database()
    opened(stored)
    titles = ("server processes", *(f"{place}, {how}" for how in ("a session each", "one session")
                                    for place in ("files", "database")))  # fmt: skip
    rows = [f"| {' | '.join(titles)} |", "|---|---|---|---|---|"]
    for number in SERVERS:
        figures = [
            f"{rate(where, number, shared=shared):,.0f}"
            for shared in (False, True)
            for where in (folder / f"{number}{shared}", stored)
        ]
        rows.append(f"| {number} | {' | '.join(figures)} |")
    told = (
        "Each process reads a session, changes it and stores the change, as fast as it can, for"
        f" {SECONDS:g} s. One process that only appends a line to a file and syncs it did so"
        f" {syncs(folder / 'syncs'):,.0f} times a second."
    )
    return "\n".join(["### Changes a second", "", told, "", *rows])


def rate(where: Where, servers: int, *, shared: bool) -> float:
    """Return how many changes a second so many processes store."""
    made = [start(where) for _ in range(1 if shared else servers)]
    reports = run_together(change, [(where, made[n % len(made)]) for n in range(servers)])
    return sum(reports) / SECONDS


def start(where: Where) -> str:
    """Begin a session."""
    sessions = StateManager(opened(where), max_active=10_000)
    return sessions.create(definition(), "src/a.py", {}).session_id


def change(where: Where, session_id: str, together: Any, report: Callable[[int], None]) -> None:
    """In a process of its own: change a session until the time is over."""
    sessions = StateManager(opened(where), max_active=10_000)
    sessions.load(session_id)
    together.wait()
    count, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        with sessions.edit(session_id) as draft:
            draft.record(noted(draft.state, str(count)))
        count += 1
    report(count)


def syncs(path: Path) -> float:
    """Return how many lines a second can be appended and synced, with nothing around it."""
    durable.write_new(path, b"\n")
    count, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        durable.append_line(path, b"x" * 1_000 + b"\n", lambda _last: None)
        count += 1
    return count / SECONDS


def lists(folder: Path) -> str:
    """Return how long lists and starts take beside very many sessions, as a table."""
    stored = database()
    fill_files(folder)
    fill_database(stored)
    sides = [dict(timed(where)) for where in (folder, stored)]
    rows = [
        f"| {name} | {' | '.join(f'{side[name] * 1_000:,.1f} ms' for side in sides)} |"
        for name in sides[0]
    ]
    told = (
        f"Of {OWNERS} owners, all but {LIMIT} of them completed. The first list of a process,"
        f" then the median of {TIMES} calls each."
    )
    heading = [f"### Beside {MANY:,} sessions", "", told, ""]
    return "\n".join([*heading, "| | files | database |", "|---|---|---|", *rows])


def timed(where: Where) -> Iterator[tuple[str, float]]:
    """Yield what was called, and how many seconds it took."""
    store = opened(where)
    caller = [Caller("owner3")]
    # One place is free, and taken for a moment at a time.
    sessions = StateManager(store, max_active=LIMIT, caller=lambda: caller[0])
    for number in range(LIMIT - 1):
        sessions.create(definition(), f"live/{number}.py", {})
    yield "list_sessions, the first of a process", took(lambda: sessions.list_sessions(limit=20))
    yield "list_sessions, newest page", often(lambda: sessions.list_sessions(limit=20))
    for status in (Status.ACTIVE, Status.COMPLETED):
        call = _listing(sessions, status)
        yield f"list_sessions, {status}", often(call)
    caller[0] = Caller("owner3", confined=True)
    yield "list_sessions, of one owner", often(lambda: sessions.list_sessions(limit=20))
    began = []
    for number in range(TIMES):
        began.append(took(lambda n=number: sessions.create(definition(), f"s{n}.py", {})))
        newest = sessions.list_sessions(Status.ACTIVE, 1)["sessions"][0]["session_id"]
        sessions.delete_session(newest)
    yield "start, in the last place that is free", median(began)
    sessions.create(definition(), "src/last.py", {})
    yield "start, refused at the limit", often(lambda: refused(sessions))


def _listing(sessions: StateManager, status: Status) -> Callable[[], Any]:
    return lambda: sessions.list_sessions(status, 20)


def refused(sessions: StateManager) -> None:
    """Begin a session too many."""
    with suppress(LimitError):
        sessions.create(definition(), "src/a.py", {})
        raise AssertionError("there was room")


def took(call: Callable[[], Any]) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def often(call: Callable[[], Any]) -> float:
    """Return how many seconds a call takes, as a rule."""
    return median(took(call) for _ in range(TIMES))


def fill_files(folder: Path) -> None:
    """Write very many completed sessions as files, of one line each: lists read the last one."""
    FileStore(folder).pin("0" * 64, b"")
    for number in range(MANY):
        session_id = f"small_v1_old_20260101_000000_{number:06x}"
        born = lifecycle.begin(
            session_id=session_id,
            workflow_type="small_v1",
            target_file=f"src/{number}.py",
            definition=DefinitionRef(version="1.0.0", digest="d" * 64),
            phases=(1, 2),
            options={},
            now=NOON + timedelta(seconds=number),
            owner=f"owner{number % OWNERS}",
        )
        done = born.state.model_copy(update={"status": Status.COMPLETED})
        line, _ = encode_line(born.model_copy(update={"state": done}), None)
        (folder / "finished" / f"{session_id}.jsonl").write_bytes(line)


def fill_database(stored: Database) -> None:
    """Put as many into the database: lists read one table."""
    opened(stored)
    values = {"noon": NOON, "owners": OWNERS, "many": MANY}
    with psycopg.connect(stored.url, autocommit=True) as connection:
        table = sql.Identifier(stored.schema, "sessions")
        connection.execute(sql.SQL(FILL).format(sessions=table), values)
        connection.execute(sql.SQL("ANALYZE {}").format(table))


if __name__ == "__main__":
    raise SystemExit(main())
