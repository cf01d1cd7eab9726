"""A database that cannot be used: told in a line, at once, without its password."""

import logging
import socket
import threading
import traceback
from contextlib import closing

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from mcp_server.core.postgres import migrations
from mcp_server.core.postgres.opening import Waits, open_store
from mcp_server.errors import ConfigurationError
from tests.core.postgres.proxy import Proxy
from tests.core.session_builders import stored
from tests.postgres_server import address, new_schema, open_new

PASSWORD = "hunter" + "two"
KNOWN = len(migrations.MIGRATIONS)


def refused(url: str, schema: str = "aos_workflow") -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        open_store(url, schema, Waits(lock=10, state=30))
    told = "".join(traceback.format_exception(raised.value))
    assert PASSWORD not in told + repr(raised.value)
    assert "\n" not in raised.value.message + raised.value.remediation
    return raised.value


def admin(statement: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(address(), autocommit=True) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def role():
    """A user of the database who may do nothing yet."""
    name = f"role_{new_schema()}"
    admin(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    return name


def as_role(role: str) -> str:
    server = conninfo_to_dict(address())
    return f"postgresql://{role}:{PASSWORD}@/{server['dbname']}?host={server['host']}"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_database_where_nobody_listens_is_told():
    error = refused(f"postgresql://ada:{PASSWORD}@127.0.0.1:{closed_port()}/work")
    assert error.message == (
        "the database of the sessions cannot be used: nobody listens at its address"
    )
    assert error.remediation.startswith("Correct AOS_WORKFLOW_STATE (postgresql://USER@HOST")


def test_a_host_without_an_address_is_told():
    error = refused(f"postgresql://ada:{PASSWORD}@nowhere.invalid/work")
    assert error.message.endswith(": its host has no address")


def test_a_server_that_never_answers_is_given_up_within_seconds():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        error = refused(f"postgresql://ada:{PASSWORD}@127.0.0.1:{port}/work?connect_timeout=2")
    assert error.message.endswith(": it did not answer in time")


def test_a_database_that_does_not_exist_is_told(role):
    error = refused(as_role(role).replace("/postgres?", "/nothing?"))
    assert error.message.endswith('cannot be used: database "nothing" does not exist')


def test_a_user_that_does_not_exist_is_told():
    error = refused(as_role("nobody_at_all"))
    assert error.message.endswith('cannot be used: role "nobody_at_all" does not exist')


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ada:{PASSWORD}@host:port/work",
        f"postgresql://ada:{PASSWORD}@host/work?nothing=1",
        f"postgresql://ada:{PASSWORD}%zz@host/work",
    ],
)
def test_what_is_not_an_address_is_told_without_repeating_it(url):
    error = refused(url)
    assert "AOS_WORKFLOW_STATE" in error.remediation


def test_a_user_who_may_not_make_the_schema_is_told_what_to_run(role):
    schema = new_schema()
    error = refused(as_role(role), schema)
    assert error.message == f"the user of the database may not make or change the schema {schema}"
    assert f"CREATE SCHEMA {schema} AUTHORIZATION" in error.remediation
    assert admin("SELECT 1 FROM pg_namespace WHERE nspname = %s", schema) == []


def test_a_user_without_rights_on_the_tables_is_told_what_to_run(role):
    schema = new_schema()
    open_new(schema).close()
    assert "GRANT USAGE ON SCHEMA" in refused(as_role(role), schema).remediation
    admin(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    admin(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
    error = refused(as_role(role), schema)
    assert error.message == f"the user of the database may not use the schema {schema}"


def test_the_rights_that_it_says_are_enough(role):
    schema = new_schema()
    open_new(schema).close()
    admin(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    admin(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
    with closing(open_new(schema, as_role(role))) as store:
        last = stored(store)
        store.delete(last, None, last.state.created_at)


def test_a_schema_that_an_administrator_made_is_enough(role):
    schema = new_schema()
    admin(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
    with closing(open_new(schema, as_role(role))) as store:
        stored(store)


def test_a_schema_of_something_else_is_left_as_it_is():
    schema = new_schema()
    admin(f"CREATE SCHEMA {schema}")
    admin(f"CREATE TABLE {schema}.sessions (mine integer)")
    error = refused(address(), schema)
    assert error.message == f"the schema {schema} of the database holds something else"
    assert "AOS_WORKFLOW_STATE_SCHEMA" in error.remediation
    assert tables(schema) == ["sessions"]


def tables(schema: str) -> list[object]:
    found = admin("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", schema)
    return [name for (name,) in found]


def test_a_schema_of_a_newer_server_is_left_as_it_is():
    schema = new_schema()
    open_new(schema).close()
    admin(f"INSERT INTO {schema}.aos_workflow_migrations (version) VALUES (99)")  # noqa: S608
    error = refused(address(), schema)
    assert error.message == (
        f"the schema {schema} of the database was made by a newer server (version 99, this one"
        f" knows {KNOWN})"
    )
    assert "Upgrade aos-workflow" in error.remediation


def test_servers_that_start_at_once_migrate_once():
    schema = new_schema()
    together = threading.Barrier(5)
    failures: list[BaseException] = []

    def start() -> None:
        together.wait()
        try:
            open_new(schema).close()
        except Exception as error:  # noqa: BLE001 - told to the test below
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert admin(f"SELECT version FROM {schema}.aos_workflow_migrations ORDER BY 1") == [  # noqa: S608
        (number,) for number in range(1, KNOWN + 1)
    ]


def test_an_older_schema_is_brought_up_to_date_and_keeps_what_it_holds(monkeypatch):
    schema = new_schema()
    with closing(open_new(schema)) as store:
        record = stored(store)
    further = "ALTER TABLE {schema}.sessions ADD COLUMN colour text"
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, further))
    with closing(open_new(schema)) as store:
        assert store.read(record.state.session_id) == record
    newest = admin(f"SELECT max(version) FROM {schema}.aos_workflow_migrations")  # noqa: S608
    assert newest == [(KNOWN + 1,)]


def test_a_schema_of_each_older_version_is_brought_up_to_date(monkeypatch):
    for known in range(1, KNOWN):
        schema = new_schema()
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:known])
            with closing(open_new(schema)) as store:
                record = stored(store)
        with closing(open_new(schema)) as store:
            assert store.read(record.state.session_id) == record
        assert indexes(schema) == indexes_of_a_new_one()


def test_a_user_who_may_not_bring_an_older_schema_up_to_date_is_told_who_may(role, monkeypatch):
    schema = new_schema()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        open_new(schema).close()
    admin(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    admin(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
    error = refused(as_role(role), schema)
    assert error.message == f"the user of the database may not make or change the schema {schema}"
    assert error.remediation.endswith(
        "or start the server once as a user who may, who owns the tables if there are any."
    )
    open_new(schema).close()
    open_store(as_role(role), schema, Waits(lock=10, state=30)).close()


def indexes(schema: str) -> list[object]:
    query = "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = %s ORDER BY 1, 2"
    return list(admin(query, schema))


def indexes_of_a_new_one() -> list[object]:
    schema = new_schema()
    open_new(schema).close()
    return indexes(schema)


def test_a_migration_that_fails_leaves_nothing_half_done(monkeypatch):
    schema = new_schema()
    broken = "CREATE TABLE {schema}.half (a integer); SELECT 1 / 0"
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
    with pytest.raises(psycopg.errors.DivisionByZero):
        open_new(schema)
    assert tables(schema) == []


def test_a_second_address_is_tried_where_the_first_does_not_answer():
    with Proxy(address()) as proxy:
        port = proxy.url.rpartition(":")[2].partition("/")[0]
        url = f"postgresql://postgres@127.0.0.1:{closed_port()},127.0.0.1:{port}/postgres"
        with closing(open_new(url=url)) as store:
            assert stored(store).seq == 1


def test_no_password_is_in_any_log_of_a_life_with_faults(role, caplog):
    caplog.set_level(logging.DEBUG)
    schema = new_schema()
    admin(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
    with Proxy(address()) as proxy:
        url = proxy.url.replace("postgresql://postgres@", f"postgresql://{role}:{PASSWORD}@")
        with closing(open_new(schema, url, lock=0.2, state=0.5)) as store:
            record = stored(store)
            assert PASSWORD not in f"{store!r} {store.__dict__}"
            proxy.cut()
            assert store.read(record.state.session_id) == record
            proxy.refuses = True
            proxy.cut()
            with pytest.raises(Exception, match="did not answer") as raised:
                store.read(record.state.session_id)
    assert caplog.text
    assert PASSWORD not in caplog.text + "".join(traceback.format_exception(raised.value))
