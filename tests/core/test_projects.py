"""A store that several projects share: each sees its own sessions, and judges no other's."""

from functools import partial

import pytest

from mcp_server.core.selection import Selection
from mcp_server.core.state_manager import StateManager
from mcp_server.errors import ConfigurationError, InvalidArgumentError, LimitError, StateError
from tests.builders import Clock, definition
from tests.core.session_builders import noted
from tests.memory_store import MemoryStore

SHOP, BANK = "a" * 40, "b" * 40


@pytest.fixture
def store():
    return MemoryStore()


def serving(store, project, *, max_active=10, shared=True):
    return StateManager(
        store, max_active=max_active, clock=Clock(), project=lambda: project, shared=shared
    )


def start(sessions, target="a.py"):
    return sessions.create(definition(), target, {}).session_id


def listed(sessions, **options):
    return [shown["session_id"] for shown in sessions.list_sessions(**options)["sessions"]]


def test_a_list_shows_the_sessions_of_this_project(store):
    shop, bank = serving(store, SHOP), serving(store, BANK)
    mine, theirs = start(shop), start(bank)
    assert (listed(shop), listed(bank)) == ([mine], [theirs])
    assert shop.list_sessions()["count"] == 1


def test_a_list_shows_those_of_all_projects_on_request(store):
    shop, bank = serving(store, SHOP), serving(store, BANK)
    mine, theirs = start(shop), start(bank)
    answer = shop.list_sessions(all_projects=True)
    assert answer["count"] == 2
    shown = {one["session_id"]: one["project"] for one in answer["sessions"]}
    assert shown == {mine: SHOP, theirs: BANK}


def test_a_store_of_ones_own_shows_everything_and_names_no_project(store):
    start(serving(store, SHOP))
    own = serving(store, None, shared=False)
    start(own)
    for everywhere in (False, True):
        answer = own.list_sessions(all_projects=everywhere)
        assert answer["count"] == 2
        assert not any("project" in one for one in answer["sessions"])


def test_open_sessions_of_a_target_are_those_of_this_project(store):
    shop, bank = serving(store, SHOP), serving(store, BANK)
    mine = start(shop)
    start(bank)
    assert shop.open_for("a.py") == [mine]


def test_the_limit_is_of_each_project(store):
    shop, bank = serving(store, SHOP, max_active=1), serving(store, BANK, max_active=1)
    start(shop)
    start(bank)
    with pytest.raises(LimitError, match="1 sessions are active or failed; the limit is 1"):
        start(shop)
    assert store.count(Selection()) == 2


def test_pruning_leaves_other_projects_alone(store):
    shop, bank = serving(store, SHOP), serving(store, BANK)
    mine = start(shop)
    start(bank)
    later = Clock().now.replace(year=2030)
    assert [found.session_id for found in shop.prunable(later)] == [mine]


def test_a_session_of_another_project_can_be_read_paused_and_deleted(store):
    shop, bank = serving(store, SHOP), serving(store, BANK)
    theirs = start(bank)
    assert shop.load(theirs).project == BANK
    assert shop.get_session(theirs)["session"]["session_id"] == theirs
    assert shop.verify(theirs).holds
    assert shop.pause(theirs)["paused"] is True
    assert shop.delete_session(theirs)["deleted"] is True


def edit(sessions, session_id, **options):
    with sessions.edit(session_id, **options) as draft:
        draft.record(noted(draft.state, "note"))


DOORS = {
    "edit": edit,
    "activating edit": partial(edit, activates=True),
    "load_here": StateManager.load_here,
}


@pytest.mark.parametrize("door", DOORS)
def test_a_session_of_another_project_is_not_judged_here(store, door):
    shop, bank = serving(store, SHOP), serving(store, BANK)
    theirs = start(bank)
    before = store.lines(theirs)
    with pytest.raises(StateError) as refused:
        DOORS[door](shop, theirs)
    assert refused.value.message == (
        f"session {theirs} belongs to another project ({BANK}): here are other files to look at"
    )
    assert refused.value.remediation.startswith("Call this from a server in a clone of that")
    assert store.lines(theirs) == before
    bank.load_here(theirs)
    edit(bank, theirs)


def test_a_project_without_identity_is_told_how_to_get_one(store):
    theirs = start(serving(store, BANK))
    nobody = serving(store, None)
    for act in (
        lambda: start(nobody),
        nobody.list_sessions,
        nobody.counted,
        lambda: nobody.load_here(theirs),
    ):
        with pytest.raises(ConfigurationError) as refused:
            act()
        assert "AOS_WORKFLOW_PROJECT_ID" in refused.value.remediation
    assert nobody.load(theirs).project == BANK
    assert nobody.list_sessions(all_projects=True)["count"] == 1


def test_a_cursor_goes_on_where_the_page_ended_and_nothing_else_does(store):
    shop = serving(store, SHOP)
    ids = [start(shop, f"{n}.py") for n in range(3)]
    first = shop.list_sessions(limit=2)
    assert listed(shop, limit=2, cursor=first["next_cursor"]) == [ids[0]]
    # A pair that names no time, one whose time has no zone, and a cursor of another list.
    for cursor in ("WyJub29uIiwiYSJd", "WyIyMDI2LTAxLTAxIiwiYSJd", "WyJhIl0", "?"):
        with pytest.raises(InvalidArgumentError, match="is not one that this tool gave"):
            shop.list_sessions(cursor=cursor)
