"""Ten thousand finished sessions in the database cost those who work on live ones nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from mcp_server.core.postgres.statements import Statements
from mcp_server.core.selection import UNFINISHED, Order, Selection
from mcp_server.core.transitions import COUNTED, Status
from tests.builders import EVIDENCE, NOON, write_workflow
from tests.postgres_server import Database
from tests.slow.counting import cost_of
from tests.slow.writers import PHASES, WORKFLOW, server

FEW, MANY = 10, 10_000
PROJECTS, OWNERS = 20, 10

FINISHED = """
INSERT INTO {schema}.sessions
SELECT 'small_v1_old_20260101_000000_' || lpad(to_hex(n), 6, '0'), 'small_v1', 'src/' || n || '.py',
    'completed', 3, 3, %(noon)s + n / 3 * interval '1 second',
    %(noon)s + n / 3 * interval '1 second', repeat('d', 64),
    'owner' || n %% %(owners)s, 'project' || n %% %(projects)s
FROM generate_series(1, %(number)s) AS n
"""


def filled(number: int) -> Database:
    """A database with so many finished sessions of several projects and owners."""
    place = Database.new()
    place.open().close()
    values = {"noon": NOON, "owners": OWNERS, "projects": PROJECTS, "number": number}
    with psycopg.connect(place.url, autocommit=True) as connection:
        statement = sql.SQL(FINISHED).format(schema=sql.Identifier(place.schema))
        connection.execute(statement, values)
        connection.execute(f"ANALYZE {place.schema}.sessions")
    return place


@pytest.fixture(scope="module")
def many() -> Database:
    return filled(MANY)


def costs(place: Database, root: Path) -> Iterator[tuple[str, int]]:
    """How many calls of anything each action makes."""
    served = server(place, root)
    engine, sessions = served.engine, served.sessions

    def complete(session_id: str, phase: int) -> Callable[[], Any]:
        return lambda: engine.complete_phase(session_id, phase, EVIDENCE)

    with closing(served.store):
        # What is done once in the life of a server is done.
        session_id = engine.start(WORKFLOW, "a.py")["session_id"]
        sessions.list_sessions(Status.ACTIVE)
        yield "start", cost_of(lambda: engine.start(WORKFLOW, "a.py")).calls
        yield "get_phase", cost_of(lambda: engine.get_phase(session_id)).calls
        yield "active", cost_of(lambda: sessions.list_sessions(Status.ACTIVE)).calls
        yield "page", cost_of(lambda: sessions.list_sessions(limit=2)).calls
        for phase in range(1, PHASES + 1):
            yield f"complete_phase {phase}", cost_of(complete(session_id, phase)).calls
        yield "rollback", cost_of(lambda: engine.rollback(session_id, 1)).calls
        yield "delete", cost_of(lambda: sessions.delete_session(session_id)).calls


def test_no_action_does_more_with_ten_thousand_finished_sessions_than_with_ten(many, tmp_path):
    write_workflow(tmp_path / "shelf", WORKFLOW, phases=PHASES)
    pairs = zip(costs(filled(FEW), tmp_path), costs(many, tmp_path), strict=True)
    for (name, with_few), (_, with_many) in pairs:
        assert with_many <= with_few * 1.1, name


ONE = frozenset({Status.COMPLETED})
LISTS = {
    "everything": Selection(),
    "a status": Selection(statuses=ONE),
    "a rare status": Selection(statuses=frozenset({Status.PAUSED})),
    "a project": Selection(project="project3"),
    "a status of a project": Selection(project="project3", statuses=ONE),
    "a rare status of a project": Selection(
        project="project3", statuses=frozenset({Status.FAILED})
    ),
    "an owner": Selection(owner="owner3"),
    "a status of an owner": Selection(owner="owner3", statuses=ONE),
    "an owner in a project": Selection(owner="owner3", project="project3"),
    "a status of an owner in a project": Selection(
        owner="owner3", project="project3", statuses=ONE
    ),
    "a target": Selection(project="project3", target_file="a.py", statuses=UNFINISHED),
}


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)


def rows_read(place: Database, text: sql.Composed, values: dict[str, Any]) -> int:
    """How many rows the database looks at, those that it then leaves out as well."""
    with psycopg.connect(place.url) as connection:
        asked = sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) ") + text
        row = connection.execute(asked, values).fetchone()
    plan = row[0] if not isinstance(row[0], str) else json.loads(row[0])
    leaves = [node for node in nodes_of(plan[0]["Plan"]) if "Plans" not in node]
    return max(
        round(node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) for node in leaves
    )


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("deep", [False, True], ids=["first", "later"])
def test_a_page_reads_hardly_more_rows_than_it_shows(many, name, deep):
    after = (NOON + timedelta(seconds=MANY // 6), "small") if deep else None
    asked = Statements(many.schema).page(LISTS[name], 21, after)
    # What an owner has in a project is sought in all that the owner has; and where nearly every
    # session is in the status, those in others may be passed over.
    most = MANY // OWNERS if "owner" in name else 2 * 21
    assert rows_read(many, asked.text, asked.values) <= most


BY_CHANGE = {
    "a project": Selection(project="project3"),
    "an owner in a project": Selection(owner="owner3", project="project3"),
    "what is open in a project": Selection(project="project3", statuses=UNFINISHED),
    "ids that begin so": Selection(project="project3", beginning="small_v1_old_"),
    "one id": Selection(project="project3", beginning="small_v1_old_20260101_000000_0003e"),
    "ids that hold this": Selection(project="project3", containing="_old_"),
}


@pytest.mark.parametrize("name", BY_CHANGE)
@pytest.mark.parametrize("deep", [False, True], ids=["first", "later"])
def test_a_page_by_change_reads_hardly_more_rows_than_it_shows(many, name, deep):
    after = (NOON + timedelta(seconds=MANY // 6), "small") if deep else None
    asked = Statements(many.schema).page(BY_CHANGE[name], 21, after, Order.CHANGE)
    most = MANY // OWNERS if "owner" in name else 2 * 21
    assert rows_read(many, asked.text, asked.values) <= most


def test_the_count_of_the_active_reads_the_active(many):
    asked = Statements(many.schema).count(Selection(project="project3", statuses=COUNTED))
    assert rows_read(many, asked.text, asked.values) == 0
