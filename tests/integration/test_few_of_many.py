"""Who shows a few sessions reads a few, however many there are: counted, not timed."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli import completing
from mcp_server.config import STATE_DIR, Settings
from mcp_server.core.file_store import FileStore
from mcp_server.core.models import Change
from mcp_server.core.transitions import Action, Outcome, Status
from mcp_server.server import completions, prompt_texts, prompts, resources
from mcp_server.server.services import Services
from mcp_server.viewing.finding import find_session_id
from tests.builders import NOON, write_workflow
from tests.postgres_server import open_new
from tests.slow.counting import Cost, cost_of

FEW, MANY, SHOWN = 20, 120, 5
REFUSED = "ids of refused ones first"
TARGET = "what is open on a target"


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch):
    monkeypatch.setattr(resources, "MAX_SESSIONS_LISTED", SHOWN)
    monkeypatch.setattr(completions, "MAX_VALUES", SHOWN)
    monkeypatch.setattr(completing, "MAX_SESSIONS", SHOWN)


def copies(services: Services, number: int) -> Iterator[tuple[Change, Path]]:
    """So many open sessions and as many finished ones, each an hour older than the one before."""
    session_id = services.engine.start("small_v1", "src/a.py")["session_id"]
    model = services.sessions.load(session_id)
    services.sessions.delete_session(session_id)
    state = services.settings.project / STATE_DIR
    for hours in range(number):
        then = NOON - timedelta(hours=hours)
        for status, folder in ((Status.ACTIVE, state), (Status.COMPLETED, state / "finished")):
            made = model.model_copy(
                update={
                    "session_id": f"{status}_small_{hours:06x}_v1", "status": status,
                    "created_at": then, "last_updated": then,
                }
            )  # fmt: skip
            change = Change(action=Action.START, outcome=Outcome.DONE, phase=1, state=made)
            yield change, folder / f"{made.session_id}.jsonl"


def filled(root: Path, number: int, store: Any = None) -> Services:
    """The services of a project with so many sessions, which have not looked at any."""
    write_workflow(root / ".praxis-os" / "workflows")
    services = Services(Settings(project=root), store)
    for change, path in copies(services, number):
        services.sessions.store.create([change])
        if store is None:
            then = change.time.timestamp()
            os.utime(path, (then, then))
    return Services(Settings(project=root), store or FileStore(root / STATE_DIR))


def offered(ref: str, argument: str, typed: str = "") -> Callable[[Services], Any]:
    """What is offered for an argument, looked up."""
    return lambda services: completions._values(services, (ref, argument), typed, {})


READERS: dict[str, Callable[[Services], Any]] = {
    "the list of resources": lambda services: [
        item.name for item in resources.list_of(services) if item.uri.startswith("aos://sess")
    ],
    "all ids": offered(resources.SESSION, "id"),
    "ids that begin so": offered(resources.HISTORY, "id", "active_"),
    "ids that hold this": offered(resources.SESSION, "id", "small"),
    "ids of open ones": offered(prompts.CONTINUE, "session_id"),
    REFUSED: offered(prompts.EXPLAIN, "session_id"),
    TARGET: lambda services: services.sessions.open_for("src/a.py", SHOWN),
    "the latest open one": lambda services: prompt_texts.continue_session(services, {}),
    "ids in a shell": lambda services: [
        name for name, _ in completing._sessions("completed", services)
    ],
    "the beginning of an id": lambda services: find_session_id(
        services.sessions, "active_small_00000a"
    ),
}


def costs_of(read: Callable[[Services], Any], *stores: Services) -> list[Cost]:
    """What it costs to read each of them."""
    return [cost_of(partial(read, services)) for services in stores]


@pytest.mark.parametrize("name", [name for name in READERS if name not in (REFUSED, TARGET)])
def test_journals_that_are_not_shown_are_not_opened(tmp_path, name):
    read = READERS[name]
    with_few, with_many = filled(tmp_path / "few", FEW), filled(tmp_path / "many", MANY)
    few, many = (cost.files["open"] for cost in costs_of(read, with_few, with_many))
    assert few == many
    assert read(with_few) == read(with_many)


@pytest.mark.parametrize("name", [REFUSED, TARGET])
def test_what_only_the_journals_say_is_read_once(tmp_path, name):
    read, services = READERS[name], filled(tmp_path, FEW)
    first, again = costs_of(read, services, services)
    assert first.files["open"] >= FEW
    assert again.files["open"] == 0


@pytest.mark.parametrize("name", READERS)
def test_rows_that_are_not_shown_are_not_fetched(tmp_path, name):
    read = READERS[name]
    with closing(open_new()) as few, closing(open_new()) as many:
        with_few = filled(tmp_path / "few", FEW, few)
        with_many = filled(tmp_path / "many", MANY, many)
        # What is done once in the life of a server is done.
        assert read(with_few) == read(with_many)
        cost, with_more = costs_of(read, with_few, with_many)
    assert with_more.calls <= cost.calls * 1.1


def test_what_is_shown_are_the_latest(tmp_path):
    services = filled(tmp_path, FEW)
    latest = [f"active_small_{hours:06x}_v1" for hours in range(SHOWN + 1)]
    assert READERS["the list of resources"](services) == latest[:SHOWN]
    assert READERS["ids that begin so"](services)[: SHOWN + 1] == latest
    assert READERS["ids in a shell"](services) == [
        f"completed_small_{hours:06x}_v1" for hours in range(SHOWN)
    ]
    text = READERS["the latest open one"](services)
    assert text.startswith("Continue the session active_small_000000_v1.")
    assert text.endswith(f"in case this is not the one: {', '.join(latest[1:])}.")
    assert READERS["the beginning of an id"](services) == "active_small_00000a_v1"


def test_ids_that_hold_a_text_are_not_sought_where_enough_begin_so(tmp_path):
    services = filled(tmp_path, SHOWN + 1)
    begin, hold = (offered(resources.SESSION, "id", typed) for typed in ("active", "ctive"))
    # A list of all looks at the live ones, the finished ones, and the live ones again.
    looks = [costs_of(read, services)[0].files["scandir"] for read in (begin, hold)]
    assert looks == [3, 6]


def test_a_database_is_not_asked_for_what_cannot_stand_in_an_id(tmp_path):
    with closing(open_new()) as store:
        services = filled(tmp_path, 1, store)
        assert [offered(resources.SESSION, "id", typed)(services) for typed in ("\0", "small")] == [
            [], ["completed_small_000000_v1", "active_small_000000_v1"]
        ]  # fmt: skip


def test_the_ids_of_the_live_ones_are_their_names_alone(tmp_path):
    services = filled(tmp_path, FEW)
    cost = cost_of(services.sessions.live_ids)
    assert (cost.files["open"], cost.files["stat"], cost.files["scandir"]) == (0, 0, 1)
    assert services.sessions.live_ids() == {f"active_small_{n:06x}_v1" for n in range(FEW)}
