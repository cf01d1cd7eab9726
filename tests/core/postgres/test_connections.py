"""What a connection asks of the database that it leads to, and of the network on the way."""

from contextlib import closing

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from mcp_server.core.postgres.connections import Connections
from tests.core.session_builders import stored
from tests.postgres_server import address, new_schema, new_server, open_new

ASKED = {
    "application_name": "aos-workflow",
    "connect_timeout": "4",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
"""What is asked of every connection to one address."""


def parameters(url):
    """What a connection to `url` was opened with, as far as it was asked for here."""
    connections = Connections(url, patience=1, longest_wait=10)
    with closing(connections.connect()) as connection:
        told = connection.info.get_parameters()
    return {name: told[name] for name in (*ASKED, "target_session_attrs") if name in told}


def folder(url):
    """The folder of the socket of the database at `url`."""
    return conninfo_to_dict(url)["host"]


def several(*folders, **more):
    """One address of several databases, in order."""
    asked = "".join(f"&{name}={value}" for name, value in more.items())
    return f"postgresql://postgres@/postgres?host={','.join(folders)}{asked}"


def test_a_peer_that_is_gone_without_a_word_is_not_waited_for_for_ever():
    assert parameters(address()) == ASKED


def test_several_addresses_share_the_time_and_one_that_may_be_written_to_is_wanted():
    here = folder(address())
    assert parameters(several(here, here)) == ASKED | {
        "connect_timeout": "2",
        "target_session_attrs": "read-write",
    }


def test_what_the_address_itself_asks_for_is_left_as_it_is():
    here = folder(address())
    own = {"connect_timeout": "9", "keepalives_idle": "60", "target_session_attrs": "primary"}
    assert parameters(several(here, here, **own)) == ASKED | own


@pytest.fixture
def mirror():
    """A database that may be read only, as the one that follows another."""
    running = new_server()
    with psycopg.connect(running.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
    yield running
    running.stop()


def test_a_database_that_may_be_read_only_is_passed_over_for_the_next_address(mirror):
    schema = new_schema()
    both = several(folder(mirror.get_uri()), folder(address()))
    with closing(open_new(schema, both)) as store:
        first = stored(store)
    with closing(open_new(schema)) as store:
        assert store.read(first.state.session_id) == first
