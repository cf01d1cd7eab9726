import sqlite3
from datetime import UTC, datetime

import pytest

from api.middleware import handle
from billing.recorder import Recorder

ROW = "INSERT INTO usage_events VALUES (?, 'acme', '/parcels', ?)"


def rows(database):
    return database.execute("SELECT customer, endpoint FROM usage_events").fetchall()


def test_the_migration_runs_forwards_and_backwards(database, migrations):
    database.executescript((migrations / "0001_usage_events.down.sql").read_text())

    assert database.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_the_same_key_twice_is_refused(database):
    database.execute(ROW, ("k1", "2026-03-14 12:00:00"))

    with pytest.raises(sqlite3.IntegrityError):
        database.execute(ROW, ("k1", "2026-03-14 12:00:01"))


def test_the_deletion_leaves_nothing_older_than_13_months(database):
    database.execute(ROW, ("old", "2025-02-13 23:59:59"))
    database.execute(ROW, ("kept", "2025-02-14 00:00:00"))

    Recorder(database).delete_old(datetime(2026, 3, 14, tzinfo=UTC))

    assert database.execute("SELECT key FROM usage_events").fetchall() == [("kept",)]


@pytest.mark.parametrize(("status", "events"), [(200, 1), (404, 1), (503, 0)])
def test_a_call_leaves_one_event_unless_it_failed(database, status, events):
    recorder = Recorder(database)

    handle("acme", "/parcels", lambda: status, key="k1", recorder=recorder)
    recorder.flush()

    assert rows(database) == [("acme", "/parcels")] * events


def test_a_retry_with_the_same_key_counts_once(database):
    recorder = Recorder(database)

    for _ in range(2):
        handle("acme", "/parcels", lambda: 200, key="k1", recorder=recorder)
        recorder.flush()

    assert len(rows(database)) == 1


def test_a_call_goes_on_without_the_database_and_drops_are_counted(database):
    recorder = Recorder(database, size=1)
    database.close()

    statuses = []
    for key in ("k1", "k2"):
        statuses.append(handle("acme", "/parcels", lambda: 200, key=key, recorder=recorder))
        recorder.flush()

    assert statuses == [200, 200]
    assert recorder.usage_dropped == 1
