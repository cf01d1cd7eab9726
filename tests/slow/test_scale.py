"""Ten thousand finished sessions cost those who work on live ones nothing."""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.core.transitions import Status
from tests.builders import EVIDENCE, library, write_workflow
from tests.slow.counting import Cost, cost_of
from tests.slow.finished import add_finished
from tests.slow.writers import PHASES, WORKFLOW, server

FEW, MANY = 10, 10_000
MEBIBYTE = 1024 * 1024


def project(root: Path, finished: int) -> tuple[Path, list[str]]:
    """A project with so many finished sessions; returns its state folder and their ids."""
    write_workflow(root / "shelf", WORKFLOW, phases=PHASES)
    folder = root / ".praxis-os" / "state" / "workflows"
    definition = library(root / "shelf").load(WORKFLOW)
    return folder, add_finished(folder, definition, finished)


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A state folder with ten finished sessions, and their ids."""
    return project(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def ten_thousand(
    tmp_path_factory: pytest.TempPathFactory,
    ten: tuple[Path, list[str]],
) -> tuple[Path, list[str]]:
    """The same with ten thousand, made after it, so that both have been still for a while."""
    return project(tmp_path_factory.mktemp("many"), MANY)


@pytest.fixture
def many(ten_thousand: tuple[Path, list[str]]) -> Iterator[tuple[Path, list[str]]]:
    """Ten thousand, with no live sessions but those of the test that uses it."""
    yield ten_thousand
    delete_live(ten_thousand[0])


@pytest.fixture
def few(ten: tuple[Path, list[str]]) -> Iterator[tuple[Path, list[str]]]:
    """Ten, likewise."""
    yield ten
    delete_live(ten[0])


def delete_live(folder: Path) -> None:
    """Delete the sessions of a state folder that are not finished."""
    served = server(folder, folder.parents[2])
    for found in list(served.store.summaries(live_only=True)):
        served.sessions.delete_session(found.session_id)


def costs(folder: Path) -> Iterator[tuple[str, Cost]]:
    """What each action costs a server that has just begun, and one that has worked a while."""
    served = server(folder, folder.parents[2])

    def start() -> dict[str, Any]:
        return served.engine.start(WORKFLOW, "a.py")

    def complete(session_id: str, phase: int) -> Callable[[], Any]:
        return lambda: served.engine.complete_phase(session_id, phase, EVIDENCE)

    yield "the first list", cost_of(lambda: served.sessions.list_sessions(Status.ACTIVE))
    yield "the first start", cost_of(start)
    session_id = start()["session_id"]
    yield "start", cost_of(start)
    yield "get_phase", cost_of(lambda: served.engine.get_phase(session_id))
    yield (
        "the list of the active",
        cost_of(lambda: served.sessions.list_sessions(Status.ACTIVE)),
    )
    for phase in range(1, PHASES + 1):
        yield f"complete_phase {phase}", cost_of(complete(session_id, phase))
    yield "rollback", cost_of(lambda: served.engine.rollback(session_id, 1))
    yield "delete", cost_of(lambda: served.sessions.delete_session(session_id))


def test_no_action_does_more_with_ten_thousand_finished_sessions_than_with_ten(few, many):
    for (name, with_few), (_, with_many) in zip(costs(few[0]), costs(many[0]), strict=True):
        assert with_many.files == with_few.files, name
        assert with_few.files, name
        assert with_many.calls <= with_few.calls * 1.1, name


def test_a_list_of_everything_that_is_not_new_reads_nothing_again(many):
    served = server(many[0], many[0].parents[2])
    first = cost_of(served.sessions.list_sessions).files
    again = cost_of(served.sessions.list_sessions).files
    assert first["open"] >= MANY
    assert again["open"] == 0


def test_each_session_is_on_one_page_while_others_come_move_and_go(many, chance):
    folder, finished = many
    served = server(folder, folder.parents[2])
    live = [served.engine.start(WORKFLOW, "a.py")["session_id"] for _ in range(40)]
    coming, moving, going = [], iter(live[:20]), iter(chance.sample(finished, 40))
    deleted: set[str] = set()
    seen: Counter[str] = Counter()
    cursor, pages = None, 0
    while cursor or not pages:
        page = served.sessions.list_sessions(limit=100, cursor=cursor)
        seen.update(session["session_id"] for session in page["sessions"])
        cursor, pages = page.get("next_cursor"), pages + 1
        if pages % 10 == 0:
            coming.append(served.engine.start(WORKFLOW, "a.py")["session_id"])
            if session_id := next(moving, None):
                for phase in range(1, PHASES + 1):
                    served.engine.complete_phase(session_id, phase, EVIDENCE)
            if session_id := next(going, None):
                served.sessions.delete_session(session_id)
                deleted.add(session_id)
    stayed = {*finished, *live} - deleted
    assert pages > MANY / 100
    assert {session_id: seen[session_id] for session_id in stayed if seen[session_id] != 1} == {}
    assert max(seen.values()) == 1
    assert not seen.keys() & set(coming)
    assert served.sessions.list_sessions(limit=1)["count"] == len(stayed) + len(coming)


def test_a_list_of_ten_thousand_sessions_takes_less_than_40_mebibytes(many):
    served = server(many[0], many[0].parents[2])
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        count = served.sessions.list_sessions()["count"]
        served.sessions.list_sessions()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count > MANY * 0.9
    assert peak - before < 40 * MEBIBYTE
