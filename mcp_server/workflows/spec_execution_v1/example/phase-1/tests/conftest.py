import sqlite3
from pathlib import Path

import pytest


@pytest.fixture
def migrations():
    return Path(__file__).parent.parent / "migrations"


@pytest.fixture
def database(migrations):
    made = sqlite3.connect(":memory:")
    made.executescript((migrations / "0001_usage_events.up.sql").read_text())
    yield made
    made.close()
