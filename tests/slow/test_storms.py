"""Servers that are killed, and a database that crashes, while many change the same sessions."""

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from mcp_server.core.selection import Selection
from mcp_server.core.transitions import COUNTED
from tests.builders import write_workflow
from tests.postgres_server import Database, Standby, crash, new_schema, new_server, start_again
from tests.slow.storm import Storm, require_sound
from tests.slow.writers import PHASES, WORKFLOW, Server, server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")

SERVERS = 8
SESSIONS = 4
KILLS = 100


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_workflow(tmp_path / "shelf", WORKFLOW, phases=PHASES)
    return tmp_path


@pytest.fixture
def place() -> Database:
    return Database.new()


@pytest.fixture
def served(place: Database, root: Path) -> Iterator[Server]:
    """A server that is not killed, and the sessions."""
    found = server(place, root)
    for number in range(SESSIONS):
        found.engine.start(WORKFLOW, f"{number}.py")
    with closing(found.store):
        yield found


def held(place: Database) -> int:
    """How many transactions and locks of servers there are."""
    with psycopg.connect(place.url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'aos-workflow'"
            " AND state <> 'idle'"
        ).fetchone()
        return int(row[0])


def test_servers_that_are_killed_a_hundred_times_break_no_chain(
    served: Server, place: Database, root: Path, chance: random.Random
):
    storm = Storm(place, root, chance)
    with storm.of(SERVERS):
        for _ in range(KILLS):
            storm.kill_one()
    assert len(storm.stored) > KILLS
    assert require_sound(served, storm.stored) > len(storm.stored)
    # Whatever the dead held, the database has let go of.
    for found in list(served.store.summaries()):
        with served.store.exclusive(), served.store.locked(found.session_id):
            pass
    assert held(place) == 0
    assert served.store.count(Selection(statuses=COUNTED)) <= SESSIONS


def storm_over(place: Database, root: Path, chance: random.Random) -> Storm:
    """A storm that has not begun, on sessions that have."""
    found = server(place, root)
    with closing(found.store):
        for number in range(SESSIONS):
            found.engine.start(WORKFLOW, f"{number}.py")
    return Storm(place, root, chance)


def require_all(storm: Storm, place: Database, root: Path) -> None:
    """Check what the storm left, as a server that begins now sees it."""
    after = server(place, root)
    with closing(after.store):
        assert require_sound(after, storm.stored) > len(storm.stored) > SESSIONS


def test_a_database_that_crashes_under_a_storm_loses_nothing_that_was_said(
    root: Path, chance: random.Random
):
    running = new_server()
    place = Database(running.get_uri(), new_schema())
    storm = storm_over(place, root, chance)
    breath = threading.Event()
    with storm.of(4):
        for _ in range(3):
            breath.wait(chance.uniform(0.2, 0.6))
            crash(running)
            start_again(running)
        breath.wait(1)
        storm.require_going_on()
    require_all(storm, place, root)
    running.stop()


def test_servers_go_on_at_the_standby_when_the_database_is_gone(root: Path, chance: random.Random):
    primary = new_server()
    standby = Standby(primary)
    place = Database(standby.url, new_schema())
    storm = storm_over(place, root, chance)
    with storm.of(4):
        threading.Event().wait(chance.uniform(0.2, 0.6))
        crash(primary)
        standby.promote()
        storm.require_going_on()
    require_all(storm, place, root)
    standby.stop()
