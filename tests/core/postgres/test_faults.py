"""What becomes of a change when the network or the database fails at the worst moment."""

import threading
from contextlib import closing, suppress

import psycopg
import pytest

from mcp_server.core.lifecycle import pause
from mcp_server.core.postgres.faults import Patience, is_passing
from mcp_server.core.state_manager import StateManager
from mcp_server.core.verification import verify
from mcp_server.errors import (
    ConflictError,
    DiskRefusedError,
    LimitError,
    NotFoundError,
    StoreUnavailableError,
)
from tests.builders import NOON, definition
from tests.core.postgres.proxy import Proxy
from tests.core.session_builders import ID, LARGE, OTHER_ID, birth, follow, noted, passed, stored
from tests.postgres_server import address, new_schema, open_new


@pytest.fixture
def proxy():
    with Proxy(address()) as between:
        yield between


@pytest.fixture
def schema():
    return new_schema()


@pytest.fixture
def store(proxy, schema):
    """A store behind the proxy."""
    with closing(open_new(schema, proxy.url, lock=2.0, state=6.0)) as opened:
        proxy.commits = 0
        yield opened


@pytest.fixture
def other(schema):
    """Another server's store, which nothing stands before."""
    with closing(open_new(schema)) as opened:
        yield opened


def holds(store, session_id=ID):
    """How many lines the journal has, if it is a chain."""
    audit = verify(session_id, store.lines(session_id), lambda key: store.blob(session_id, key))
    assert audit.holds, audit
    return audit.lines


def test_an_append_whose_answer_was_lost_is_found_and_not_done_again(store, proxy, other):
    first = stored(store)
    proxy.lose_the_next_answer_to_commit()
    last = follow(store, passed(first.state, LARGE), first)
    assert other.read(ID) == last
    assert (holds(other), proxy.commits) == (2, 2)


def test_an_append_that_was_lost_on_the_way_is_sent_again(store, proxy, other):
    first = stored(store)
    proxy.lose_the_next_commit()
    last = follow(store, passed(first.state, LARGE), first)
    assert other.read(ID) == last
    assert (holds(other), proxy.commits) == (2, 3)


def test_a_birth_whose_answer_was_lost_is_found_and_not_done_again(store, proxy, other):
    proxy.lose_the_next_answer_to_commit()
    first = stored(store)
    assert other.read(ID) == first
    assert (holds(other), proxy.commits) == (1, 1)


def test_a_deletion_whose_answer_was_lost_is_one_deletion(store, proxy, other):
    first = stored(store)
    proxy.lose_the_next_answer_to_commit()
    with store.locked(ID):
        assert store.delete(first, "done", NOON) is True
    assert list(other.summaries()) == []
    with pytest.raises(NotFoundError):
        other.read(ID)


def test_what_another_did_after_a_lost_answer_leaves_it_found(store, proxy, other):
    first = stored(store)
    with store.locked(ID):
        second = store.append(noted(first.state, "mine"), first)
        proxy.lose_the_next_answer_to_commit()
    third = follow(other, noted(second.state, "theirs"), second)
    assert other.read(ID) == third
    assert holds(other) == 3


def test_a_connection_that_breaks_while_a_session_is_held_is_replaced(store, proxy, other):
    first = stored(store)
    with store.locked(ID):
        assert store.read(ID) == first
        proxy.cut()
        last = store.append(noted(first.state, "on"), first)
    assert other.read(ID) == last


def test_who_was_overtaken_while_out_of_reach_is_told_so_and_stores_nothing(store, proxy, other):
    first = stored(store)
    with store.locked(ID):
        assert store.read(ID) == first
        proxy.cut()
        second = follow(other, noted(first.state, "faster"), first)
        with pytest.raises(ConflictError, match="while the database was out of reach"):
            store.append(noted(first.state, "slower"), first)
    assert other.read(ID) == second
    assert holds(other) == 2


def test_the_last_place_is_not_taken_twice_by_who_lost_the_lock_meanwhile(store, proxy, other):
    suffixes = iter(["0000aa", "0000bb", "0000cc"])
    mine, theirs = (
        StateManager(one, max_active=1, new_suffix=lambda: next(suffixes)) for one in (store, other)
    )
    create = store.create

    def overtaken(changes):
        # The room was counted under the lock; now the connection, and with it the lock, is gone.
        proxy.cut()
        theirs.create(definition(), "b.py", {})
        return create(changes)

    store.create = overtaken
    with pytest.raises(ConflictError, match="while the database was out of reach"):
        mine.create(definition(), "a.py", {})
    del store.create
    assert [found.target_file for found in other.summaries()] == ["b.py"]
    with pytest.raises(LimitError):
        mine.create(definition(), "c.py", {})


def test_connections_that_went_stale_at_rest_are_replaced(store, proxy, other):
    first = stored(store)
    proxy.cut()
    assert store.read(ID) == first
    proxy.cut()
    last = follow(store, noted(first.state, "on"), first)
    assert other.read(ID) == last


def test_a_database_that_moved_is_found_at_its_other_address(schema, other):
    with Proxy(address()) as old, Proxy(address()) as new:
        new.refuses = True
        with closing(open_new(schema, together(old, new))) as store:
            first = stored(store)
            old.refuses, new.refuses = True, False
            old.cut()
            last = follow(store, noted(first.state, "moved"), first)
        assert new.accepted > 0
    assert other.read(ID) == last


def together(*proxies):
    """One address of all of them, in order."""
    ports = [proxy.url.rpartition(":")[2].partition("/")[0] for proxy in proxies]
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://postgres@{hosts}/postgres"


def test_a_network_that_stands_still_is_waited_for(store, proxy, other):
    first = stored(store)
    proxy.stall()
    told: list[object] = []
    waiting = threading.Thread(target=lambda: told.append(store.read(ID)))
    waiting.start()
    waiting.join(0.3)
    assert told == []
    proxy.go_on()
    waiting.join(10)
    assert told == [first]


def test_a_database_that_is_gone_for_good_is_an_error_that_says_retry(proxy, schema):
    with closing(open_new(schema, proxy.url, lock=0.2, state=0.6)) as store:
        first = stored(store)
        proxy.refuses = True
        proxy.cut()
        for act in (lambda: store.read(ID), lambda: follow(store, noted(first.state, "x"), first)):
            with pytest.raises(StoreUnavailableError) as refused:
                act()
            assert refused.value.message == "the database of the sessions did not answer in 0.6 s"
            assert refused.value.remediation.startswith("Retry: ")
            assert refused.value.error_type == "RuntimeError"
        proxy.refuses = False
        # Each try waits its time out, and the pool a little longer the longer nobody answered.
        for _ in range(20):
            with suppress(StoreUnavailableError):
                assert store.read(ID) == first
                return
        pytest.fail("the database is back, and is not asked")


def test_an_answer_that_never_comes_is_not_waited_for_for_ever(proxy, schema):
    with closing(open_new(schema, proxy.url, lock=0.2, state=0.6)) as store:
        stored(store)
        proxy.stall()
        with pytest.raises(StoreUnavailableError):
            store.read(ID)
        proxy.go_on()
        assert store.read(ID).seq == 1


def refuse_inserts(schema: str, state: str) -> None:
    """Make the database refuse lines with an error of that class."""
    with psycopg.connect(address(), autocommit=True) as connection:
        connection.execute(
            f"CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
        )
        connection.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT ON {schema}.journal"
            f" EXECUTE FUNCTION {schema}.refuse()"
        )


def accept_inserts(schema: str) -> None:
    """Let the database work again."""
    with psycopg.connect(address(), autocommit=True) as connection:
        connection.execute(f"DROP TRIGGER refuse ON {schema}.journal")


def test_a_full_disk_is_waited_for_and_then_told(schema):
    with closing(open_new(schema, state=0.5)) as store:
        first = stored(store)
        refuse_inserts(schema, "53100")
        with pytest.raises(DiskRefusedError, match="the disk of the database is full"):
            follow(store, noted(first.state, "on"), first)
        assert store.read(ID) == first
        accept_inserts(schema)
        assert follow(store, noted(first.state, "on"), first).seq == 2


@pytest.mark.parametrize("state", ["57014", "40001", "40P01", "25006", "57P01"])
def test_a_fault_that_passes_in_time_is_not_noticed(schema, state):
    with closing(open_new(schema)) as store:
        first = stored(store)
        refuse_inserts(schema, state)
        mending = threading.Timer(0.2, accept_inserts, [schema])
        mending.start()
        last = follow(store, noted(first.state, "on"), first)
        mending.join()
        assert store.read(ID) == last
        assert holds(store) == 2


def test_a_right_that_was_taken_away_is_told_at_once(schema):
    with closing(open_new(schema)) as store:
        first = stored(store)
        refuse_inserts(schema, "42501")
        with pytest.raises(DiskRefusedError, match="lacks a right") as refused:
            follow(store, noted(first.state, "on"), first)
        assert refused.value.error_type == "PermissionError"


def test_a_lock_that_another_holds_for_too_long_is_named(schema, other):
    stored(other)
    with closing(open_new(schema, lock=0.05)) as store:
        require_refused(store, other)


def require_refused(store, other):
    with other.locked(ID), pytest.raises(ConflictError) as refused, store.locked(ID):
        pytest.fail("two held it")
    assert refused.value.message == (
        f"Session modified by another operation: session {ID} is locked by another server"
    )
    with (
        other.exclusive("shop"),
        pytest.raises(ConflictError, match="the list of sessions is locked"),
        store.exclusive("shop"),
    ):
        pytest.fail("two held it")


def test_the_limits_of_two_projects_are_held_apart(store, other):
    with other.exclusive("shop"), store.exclusive("bank"):
        pass


def test_a_caught_refusal_leaves_the_rest_of_what_is_held_whole(store, other):
    first = stored(store)
    with store.exclusive():
        with pytest.raises(ConflictError):
            store.create([birth(target_file="again.py")])
        second = store.create([birth(OTHER_ID)])
    assert (other.read(ID), other.read(OTHER_ID)) == (first, second)


def test_an_exception_undoes_what_was_stored_while_something_was_held(store, other):
    first = stored(store)
    with suppress(LookupError), store.locked(ID):
        store.append(passed(first.state, LARGE), first)
        raise LookupError
    assert other.read(ID) == first


def test_a_lease_ends_with_its_connection(store, proxy, other):
    stored(store)
    with store.verifying(ID) as mine:
        assert (mine, other.is_verifying(ID)) == (True, True)
        proxy.cut()
        until(lambda: not other.is_verifying(ID))
    with other.verifying(ID) as theirs:
        assert theirs is True


def until(holds) -> None:
    """Wait for what another process does soon."""
    pause = threading.Event()
    for _ in range(500):
        if holds():
            return
        pause.wait(0.01)
    pytest.fail("it never came to be")


def test_pauses_grow_and_end_with_the_patience():
    now = [0.0]
    slept: list[float] = []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    patience = Patience(10, clock=lambda: now[0], sleep=sleep)
    lost = psycopg.OperationalError("gone")
    while patience.left > 2:
        patience.wait_after(lost)
    now[0] = 9.99
    with pytest.raises(StoreUnavailableError, match="in 10 s"):
        patience.wait_after(lost)
    bounds = [min(0.05 * 2**n, 2.0) for n in range(len(slept))]
    assert all(bound / 2 <= pause <= bound for bound, pause in zip(bounds, slept, strict=True))
    assert slept


def test_only_what_may_pass_is_tried_again():
    assert is_passing(psycopg.OperationalError("server closed the connection"))
    assert is_passing(psycopg.errors.AdminShutdown())
    assert is_passing(psycopg.errors.TooManyConnections())
    assert not is_passing(psycopg.errors.UndefinedTable())
    assert not is_passing(psycopg.errors.UniqueViolation())
    assert not is_passing(psycopg.ProgrammingError("wrong"))


def test_a_pause_of_a_session_survives_a_cut(store, proxy):
    first = stored(store)
    manager = StateManager(store, max_active=9, clock=lambda: NOON)
    proxy.lose_the_next_answer_to_commit()
    assert manager.pause(ID, "later")["paused"] is True
    assert manager.load(ID) == pause(first.state, "later", NOON).state
