"""The tables, and how a database comes to have them: numbered steps, each carried out once.

All lies in one schema of our own, so that the database may be one that others use. A schema that
somebody else made anything in, or that a newer server migrated, is left as it is. Servers that
start at the same time migrate one after the other: the steps run under an advisory lock.
"""

import psycopg
from psycopg import sql

from mcp_server.core.postgres.connections import Connection
from mcp_server.core.postgres.keys import key_of
from mcp_server.errors import ConfigurationError

_VERSIONS = "aos_workflow_migrations"

_FIRST = """
CREATE TABLE {schema}.sessions (
    session_id    text COLLATE "C" PRIMARY KEY,
    workflow_type text NOT NULL,
    target_file   text NOT NULL,
    status        text NOT NULL,
    current_phase integer NOT NULL,
    total_phases  integer NOT NULL,
    created_at    timestamptz NOT NULL,
    last_updated  timestamptz NOT NULL,
    definition    text NOT NULL,
    owner         text,
    project       text
-- Most changes touch no indexed column; with room on its page, a row stays where it is.
) WITH (fillfactor = 80);
-- One index for each list: everything, a project, a person, and each of them in one status. What
-- one person started is few: those of a project among them are sought.
CREATE INDEX sessions_all ON {schema}.sessions (created_at DESC, session_id DESC);
CREATE INDEX sessions_all_by_status
    ON {schema}.sessions (status, created_at DESC, session_id DESC);
CREATE INDEX sessions_of_project
    ON {schema}.sessions (project, created_at DESC, session_id DESC);
CREATE INDEX sessions_of_project_by_status
    ON {schema}.sessions (project, status, created_at DESC, session_id DESC);
CREATE INDEX sessions_of_owner
    ON {schema}.sessions (owner, created_at DESC, session_id DESC);
CREATE INDEX sessions_of_owner_by_status
    ON {schema}.sessions (owner, status, created_at DESC, session_id DESC);
CREATE INDEX sessions_unfinished
    ON {schema}.sessions (project, target_file) WHERE status <> 'completed';
-- The bytes of a line are what its hash is of; the columns beside them are for finding it.
CREATE TABLE {schema}.journal (
    session_id text COLLATE "C" NOT NULL REFERENCES {schema}.sessions ON DELETE CASCADE,
    seq        integer NOT NULL CHECK (seq > 0),
    previous   text NOT NULL,
    hash       text NOT NULL,
    line       bytea NOT NULL,
    PRIMARY KEY (session_id, seq)
);
CREATE TABLE {schema}.evidence (
    session_id text COLLATE "C" NOT NULL REFERENCES {schema}.sessions ON DELETE CASCADE,
    sha256     text COLLATE "C" NOT NULL,
    content    bytea NOT NULL,
    PRIMARY KEY (session_id, sha256)
);
CREATE TABLE {schema}.definitions (
    digest  text COLLATE "C" PRIMARY KEY,
    content bytea NOT NULL
);
CREATE TABLE {schema}.deletions (
    session_id text COLLATE "C" NOT NULL,
    last_hash  text NOT NULL,
    note       bytea NOT NULL
);
CREATE INDEX deletions_of_session ON {schema}.deletions (session_id);
"""

_LISTS_BY_CHANGE = """
-- What is offered while an id is typed goes by the last change. Each change of a session moves its
-- row in the indexes now, for some tenths of a millisecond; a list would sort the whole project.
CREATE INDEX sessions_of_project_by_change
    ON {schema}.sessions (project, last_updated DESC, session_id DESC);
"""

MIGRATIONS = (_FIRST, _LISTS_BY_CHANGE)
"""What makes each version of the schema from the one before it. What was released never changes."""

_USED = {
    "sessions": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "journal": ("SELECT", "INSERT"),
    "evidence": ("SELECT", "INSERT"),
    "definitions": ("SELECT", "INSERT"),
    "deletions": ("SELECT", "INSERT"),
}
"""The rights that the server needs; what is deleted with a session needs none."""


def migrate(connection: Connection, schema: str, patience: float) -> None:
    """Bring `schema` to the version of this server; raises ConfigurationError.

    Waits at most `patience` seconds for another server that is at it.
    """
    if _version(connection, schema) != len(MIGRATIONS):
        with connection.transaction():
            milliseconds = sql.Literal(round(patience * 1_000))
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(milliseconds))
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [key_of(schema, "migrations")])
            version = _version(connection, schema)
            if version is None:
                _make_schema(connection, schema)
            for number, statements in enumerate(MIGRATIONS[version or 0 :], (version or 0) + 1):
                connection.execute(sql.SQL(statements).format(schema=sql.Identifier(schema)))
                connection.execute(
                    sql.SQL("INSERT INTO {} (version) VALUES ({})").format(
                        sql.Identifier(schema, _VERSIONS), sql.Literal(number)
                    )
                )
    _require_rights(connection, schema)


def _version(connection: Connection, schema: str) -> int | None:
    """Return the version of the schema, None if there is nothing in it."""
    found = connection.execute(
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s",
        [schema],
    ).fetchall()
    names = {name for (name,) in found}
    if not names:
        return None
    if _VERSIONS not in names:
        raise ConfigurationError(
            f"the schema {schema} of the database holds something else",
            remediation="It was left as it is. Name another one with AOS_WORKFLOW_STATE_SCHEMA.",
        )
    version = _newest(connection, schema)
    if version > len(MIGRATIONS):
        raise ConfigurationError(
            f"the schema {schema} of the database was made by a newer server (version {version},"
            f" this one knows {len(MIGRATIONS)})",
            remediation="It was left as it is. Upgrade aos-workflow here as well.",
        )
    return version


def _newest(connection: Connection, schema: str) -> int:
    query = sql.SQL("SELECT max(version) FROM {}").format(sql.Identifier(schema, _VERSIONS))
    try:
        row = connection.execute(query).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        raise _no_rights(schema) from None
    return int(row[0] or 0) if row else 0


def _make_schema(connection: Connection, schema: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone()
    if known is None:
        # IF NOT EXISTS asks for the right to create even where there is one.
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    connection.execute(
        sql.SQL(
            "CREATE TABLE {} (version integer PRIMARY KEY,"
            " migrated_at timestamptz NOT NULL DEFAULT now())"
        ).format(sql.Identifier(schema, _VERSIONS))
    )


def _require_rights(connection: Connection, schema: str) -> None:
    wanted = [
        (sql.Identifier(schema, table).as_string(connection), right)
        for table, rights in _USED.items()
        for right in rights
    ]
    tables, rights = zip(*wanted, strict=True)
    row = connection.execute(
        "SELECT has_schema_privilege(%s, 'USAGE') AND ("
        " SELECT bool_and(has_table_privilege(wanted.relation, wanted.privilege))"
        " FROM unnest(%s::text[], %s::text[]) AS wanted (relation, privilege))",
        [schema, list(tables), list(rights)],
    ).fetchone()
    if row is None or not row[0]:
        raise _no_rights(schema)


def _no_rights(schema: str) -> ConfigurationError:
    return ConfigurationError(
        f"the user of the database may not use the schema {schema}",
        remediation=f"Let its owner run: GRANT USAGE ON SCHEMA {schema} TO that user, and GRANT"
        f" SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO that user.",
    )
