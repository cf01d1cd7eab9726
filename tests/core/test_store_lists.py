"""What lists and limits ask of a store, run on each of them."""

from contextlib import closing
from datetime import timedelta
from itertools import count, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.core.file_store import FileStore
from mcp_server.core.lifecycle import pause as paused
from mcp_server.core.lifecycle import roll_back
from mcp_server.core.selection import UNFINISHED, Listed, Order, Selection
from mcp_server.core.transitions import COUNTED, Status
from tests.builders import NOON
from tests.core.session_builders import ID, OTHER_ID, complete, follow, noted, stored
from tests.memory_store import MemoryStore
from tests.postgres_server import open_new

EVERYTHING = Selection()


@pytest.fixture(params=["memory", "files", "postgres"])
def store(request, tmp_path):
    if request.param == "postgres":
        with closing(open_new()) as opened:
            yield opened
    else:
        yield MemoryStore() if request.param == "memory" else FileStore(tmp_path / "state")


def session(number: int) -> str:
    return f"small_v1_a_py_20260314_120000_{number:06x}"


def fill(store):
    """Sessions of two projects and two owners in each status; several share a second."""
    numbers = count()
    for project, owner, status in product(("shop", "bank"), ("ada", "bob"), Status):
        number = next(numbers)
        last = stored(
            store, session(number), now=NOON + timedelta(seconds=number // 3),
            project=project, owner=owner, target_file=f"src/{status}.py",
        )  # fmt: skip
        if status is Status.COMPLETED:
            complete(store, last)
        elif status is not Status.ACTIVE:
            later = {"status": status, "last_updated": NOON + timedelta(hours=number * 7 % 5)}
            follow(store, noted(last.state.model_copy(update=later), "x"), last)
    return list(store.summaries())


SELECTIONS = [
    EVERYTHING,
    Selection(project="shop"),
    Selection(owner="ada"),
    Selection(project="bank", owner="bob"),
    Selection(statuses=frozenset({Status.COMPLETED})),
    Selection(statuses=COUNTED, project="shop"),
    Selection(statuses=UNFINISHED, target_file="src/paused.py"),
    Selection(statuses=UNFINISHED, project="shop", owner="bob", target_file="src/active.py"),
    Selection(target_file="src/completed.py"),
    Selection(project="nobody's"),
    Selection(statuses=frozenset()),
    Selection(beginning="small_v1_a_py_20260314_120000_00000"),
    Selection(beginning=session(3)),
    Selection(beginning="small_v1_a_py_2026031_"),
    Selection(beginning="mall"),
    Selection(containing="00000a"),
    Selection(containing="_00000"),
    Selection(containing="small%"),
    Selection(beginning="small", containing="1", statuses=UNFINISHED, project="shop"),
    Selection(beginning="small", statuses=frozenset({Status.COMPLETED}), owner="bob"),
]


PLACES = {
    Order.START: lambda one: (one.created_at, one.session_id),
    Order.CHANGE: lambda one: (one.last_updated, one.session_id),
}
either_order = pytest.mark.parametrize("by", Order)
counted_or_not = pytest.mark.parametrize("counted", [True, False], ids=["counted", "uncounted"])


@either_order
@counted_or_not
def test_a_page_holds_what_was_chosen_newest_first(store, by, counted):
    everything = fill(store)
    for chosen in SELECTIONS:
        wanted = sorted(filter(chosen.takes, everything), key=PLACES[by], reverse=True)
        for limit in (100, 2, 1):
            found = store.page(chosen, limit, by=by, counted=counted)
            count = len(wanted) if counted else None
            assert found == Listed(wanted[:limit], count, []), (chosen, limit)
        assert store.count(chosen) == len(wanted)


@either_order
@counted_or_not
def test_pages_follow_each_other_without_gap_or_overlap(store, by, counted):
    everything = sorted(fill(store), key=PLACES[by], reverse=True)
    walked, after = [], None
    while found := store.page(EVERYTHING, 5, after, by, counted=counted).sessions:
        walked += found
        after = PLACES[by](found[-1])
    assert walked == everything


def test_a_session_goes_to_the_top_of_a_list_by_change(store):
    first, second = stored(store), stored(store, OTHER_ID)
    changed = paused(first.state, None, NOON + timedelta(days=1))
    last = follow(store, changed, first)
    for counted in (True, False):
        found = store.page(EVERYTHING, 9, by=Order.CHANGE, counted=counted).sessions
        assert found == [last.state.summary, second.state.summary]


def test_the_ids_of_the_live_ones_are_had_alone(store):
    everything = fill(store)
    for project in (None, "shop", "nobody's"):
        wanted = {
            one.session_id
            for one in everything
            if one.status is not Status.COMPLETED and project in (None, one.project)
        }
        assert store.live_ids(project) == wanted


def test_a_place_outlives_the_session_that_named_it(store):
    everything = sorted(fill(store), key=lambda one: one.order, reverse=True)
    store.delete(store.read(everything[4].session_id), None, NOON)
    found = store.page(EVERYTHING, 3, everything[4].order)
    assert (found.sessions, found.count) == (everything[5:8], len(everything) - 1)


def test_the_count_is_of_the_whole_list_on_every_page(store):
    everything = sorted(fill(store), key=lambda one: one.order, reverse=True)
    assert store.page(EVERYTHING, 2, everything[-1].order).count == len(everything)
    assert store.page(EVERYTHING, 2, everything[-1].order).sessions == []


def test_summaries_can_be_had_of_one_project(store):
    everything = fill(store)
    for project, live_only in product(("shop", "nobody's"), (False, True)):
        found = list(store.summaries(live_only=live_only, project=project))
        wanted = [
            one
            for one in everything
            if one.project == project and not (live_only and one.status is Status.COMPLETED)
        ]
        assert sorted(found, key=lambda one: one.order) == sorted(wanted, key=lambda one: one.order)


def test_an_empty_store_has_an_empty_page(store):
    found = store.page(EVERYTHING, 10)
    assert (found.sessions, found.count, store.count(EVERYTHING)) == ([], 0, 0)
    assert store.page(EVERYTHING, 10, by=Order.CHANGE, counted=False) == Listed([])
    assert store.live_ids() == frozenset()


def test_a_list_shows_each_change_at_once(store):
    first = stored(store, project="shop")
    active = Selection(statuses=frozenset({Status.ACTIVE}), project="shop")
    assert store.page(active, 9).sessions == [first.state.summary]
    second = follow(store, paused(first.state, None, NOON), first)
    assert store.count(active) == 0
    assert store.page(Selection(project="shop"), 9).sessions == [second.state.summary]


def test_a_session_that_is_opened_again_is_among_the_live_ones(store):
    done = complete(store, stored(store))
    stored(store, OTHER_ID)
    live = Selection(statuses=UNFINISHED)
    assert store.count(live) == 1
    follow(store, roll_back(done.state, 1, NOON), done)
    assert {one.session_id for one in store.page(live, 9).sessions} == {ID, OTHER_ID}


def test_what_is_stored_while_something_is_held_shows_to_the_holder(store):
    first = stored(store)
    with store.exclusive(), store.locked(ID):
        store.append(paused(first.state, None, NOON), first)
        assert store.count(Selection(statuses=COUNTED)) == 0


@pytest.mark.parametrize("name", ["o'hara; DROP TABLE sessions --", "%s {} %(x)s", "\u6587\n\t\\"])
def test_names_are_values_and_never_statements(store, name):
    stored(store, project=name, owner=name)
    assert store.count(Selection(project=name, owner=name)) == 1
    assert store.count(Selection(project=f"{name} ")) == 0
    assert store.page(Selection(owner=name), 1).sessions[0].project == name


@given(
    seconds=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    limit=st.integers(1, 5),
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_pages_together_are_the_list(store, seconds, limit):
    for found in list(store.summaries()):
        store.delete(store.read(found.session_id), None, NOON)
    for number, second in enumerate(seconds):
        stored(store, session(number), now=NOON + timedelta(seconds=second))
    wanted = sorted((NOON + timedelta(seconds=s), session(n)) for n, s in enumerate(seconds))
    for by, counted in product(Order, (True, False)):
        walked, after = [], None
        while found := store.page(EVERYTHING, limit, after, by, counted=counted).sessions:
            walked += [PLACES[by](one) for one in found]
            after = walked[-1]
        assert walked == wanted[::-1]


@pytest.mark.parametrize(
    "statuses", [COUNTED, None, frozenset({Status.COMPLETED})], ids=["counted", "all", "completed"]
)
def test_whether_there_are_fewer_than_a_limit_is_told_as_counting_would(store, statuses):
    chosen = Selection(statuses=statuses)
    assert (store.are_fewer(chosen, 0), store.are_fewer(chosen, 1)) == (False, True)
    stored(store)
    complete(store, stored(store, OTHER_ID))
    found = store.count(chosen)
    assert found == (2 if statuses is None else 1)
    if statuses == COUNTED:
        # Of those that are left, one does not count.
        with store.locked(ID):
            last = store.read(ID)
            store.append(paused(last.state, None, NOON), last)
        found = 0
    assert [store.are_fewer(chosen, limit) for limit in range(4)] == [n > found for n in range(4)]
