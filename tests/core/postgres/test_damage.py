"""Rows that somebody altered behind the server's back: named, left alone, never believed."""

from contextlib import closing

import psycopg
import pytest

from mcp_server.core.encoding import digest
from mcp_server.errors import DamagedStateError
from tests.core.session_builders import (
    ID,
    LARGE,
    OTHER_ID,
    digest_of,
    follow,
    noted,
    passed,
    stored,
)
from tests.postgres_server import address, new_schema, open_new

LEFT_ALONE = (
    "Its rows were left as they are. Restore them from a backup, or start a new session; all other"
    " sessions go on working."
)


@pytest.fixture
def schema():
    return new_schema()


@pytest.fixture
def store(schema):
    with closing(open_new(schema)) as opened:
        yield opened


def alter(schema, statement, *values):
    """Change rows as no server would."""
    with psycopg.connect(address(), autocommit=True) as connection:
        connection.execute(f"SET search_path TO {schema}")
        assert connection.execute(statement, values).rowcount == 1


def refused(touch):
    """What touching what was altered is refused with."""
    with pytest.raises(DamagedStateError) as refusal:
        touch()
    return refusal.value.message, refusal.value.remediation


def test_altered_evidence_is_damage(store, schema):
    first = stored(store)
    key = digest_of(follow(store, passed(first.state, LARGE), first))
    assert digest(store.blob(ID, key)) == key
    alter(schema, "UPDATE evidence SET content = %s", b"something better")
    assert refused(lambda: store.blob(ID, key)) == (
        f"session {ID} cannot be read: evidence {key[:12]} is missing or altered",
        LEFT_ALONE,
    )


def test_an_altered_definition_is_damage(store, schema):
    key = digest(b"definition")
    store.pin(key, b"definition")
    assert store.pinned(key) == b"definition"
    alter(schema, "UPDATE definitions SET content = %s", b"a milder definition")
    assert refused(lambda: store.pinned(key)) == (
        f"the pinned definition {key[:12]} is missing or altered",
        "Restore the database from a backup, or delete the session and start again.",
    )


def test_an_altered_last_line_is_damage_and_other_sessions_go_on(store, schema):
    stored(store)
    other = stored(store, OTHER_ID)
    line = store.lines(ID)[0].replace(b'"active"', b'"paused"')
    alter(schema, "UPDATE journal SET line = %s WHERE session_id = %s", line, ID)
    assert refused(lambda: store.read(ID)) == (
        f"session {ID} cannot be read: line 1 is not what its hash says",
        LEFT_ALONE,
    )
    assert follow(store, noted(other.state, "on"), other).seq == 2


@pytest.mark.parametrize("reads_first", ["the store that wrote it", "another store"])
def test_the_line_of_another_session_is_damage(store, schema, reads_first):
    stored(store)
    stored(store, OTHER_ID)
    line = store.lines(OTHER_ID)[0]
    alter(schema, "UPDATE journal SET line = %s WHERE session_id = %s", line, ID)
    with closing(open_new(schema)) as other:
        reader = other if reads_first == "another store" else store
        assert refused(lambda: reader.read(ID)) == (
            f"session {ID} cannot be read: it holds session {OTHER_ID}",
            LEFT_ALONE,
        )
