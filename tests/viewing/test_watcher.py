"""What has happened since the last look: each change once, in order, and nothing touched."""

import pytest

from mcp_server.config import STATE_DIR
from mcp_server.server.tools.workflow_tools import aos_workflow
from mcp_server.viewing.board import event_line, frame_rows
from mcp_server.viewing.shapes import Event, Frame
from mcp_server.viewing.signs import ASCII, UNICODE
from mcp_server.viewing.watcher import Watcher
from tests.builders import tree, write_workflow
from tests.calls import complete, refused, started
from tests.viewing.viewing_builders import EVIL, EVIL_SHOWN, misfits, obeyed


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows")
    return project


@pytest.fixture
def watcher(services):
    return Watcher(services.sessions)


def gist(events):
    return [(event["event"], event["session_id"], event["status"], event["last"])
            for event in events]  # fmt: skip


def happened(watcher):
    return gist(watcher.look().events)


async def test_the_first_look_tells_of_unfinished_sessions_in_the_order_of_their_changes(
    small, watcher
):
    done, first, second = await started(), await started(), await started()
    await complete(done, 1)
    await complete(done, 2)
    await refused(first)
    assert happened(watcher) == [
        ("present", second, "active", "started"),
        ("present", first, "failed", "gate 1 refused"),
    ]
    assert happened(watcher) == []


async def test_each_change_is_told_once_in_words(small, watcher):
    assert happened(watcher) == []
    session_id = await started()
    assert happened(watcher) == [("changed", session_id, "active", "started")]
    await refused(session_id)
    assert happened(watcher) == [("changed", session_id, "failed", "gate 1 refused")]
    assert happened(watcher) == []


async def test_changes_between_two_looks_are_all_told_in_order(small, watcher):
    session_id = await started()
    watcher.look()
    await refused(session_id)
    await aos_workflow("retry_phase", session_id, phase=1)
    await aos_workflow("complete_phase", session_id, phase=2, evidence={"tests": 1})
    await complete(session_id, 1)
    await aos_workflow("pause", session_id)
    await aos_workflow("resume", session_id)
    await complete(session_id, 2)
    await aos_workflow("rollback", session_id, to_phase=1)
    events = watcher.look().events
    assert [misfits(event, Event) for event in events] == [[]] * len(events)
    assert [event["last"] for event in events] == [
        "gate 1 refused",
        "phase 1 tried again",
        "a step past phase 1 was refused",
        "gate 1 passed",
        "paused in phase 2",
        "phase 2 taken up again",
        "gate 2 passed: complete",
        "back to phase 1",
    ]


async def test_a_session_that_began_between_two_looks_is_told_from_its_beginning(small, watcher):
    watcher.look()
    session_id = await started()
    await refused(session_id)
    assert [last for *_, last in happened(watcher)] == ["started", "gate 1 refused"]


async def test_a_finished_session_that_is_opened_again_tells_that_alone(small, watcher):
    session_id = await started()
    await complete(session_id, 1)
    await complete(session_id, 2)
    assert happened(watcher) == []
    await aos_workflow("rollback", session_id, to_phase=1)
    assert happened(watcher) == [("changed", session_id, "active", "back to phase 1")]


async def test_a_deleted_session_is_told_as_it_was(small, watcher):
    session_id = await started()
    watcher.look()
    await aos_workflow("delete_session", session_id)
    assert happened(watcher) == [("deleted", session_id, "active", "deleted")]
    assert happened(watcher) == []


async def test_a_session_that_is_damaged_is_a_warning_and_not_deleted(small, watcher):
    session_id = await started()
    watcher.look()
    (small / STATE_DIR / f"{session_id}.jsonl").write_bytes(b"{}\n")
    look = watcher.look()
    assert (look.events, look.sessions) == ([], [])
    assert [session_id in warning for warning in look.warnings] == [True]


async def test_a_verification_is_told_while_it_runs_and_when_it_ends(small, services, watcher):
    session_id = await started()
    watcher.look()
    with services.sessions.store.verifying(session_id):
        look = watcher.look()
        assert gist(look.events) == [
            ("verifying", session_id, "active", "gate 1 is being verified")
        ]
        (row,) = watcher.frame(look)["sessions"]
        assert (row["verifying"], row["last"]) == (True, "gate 1 is being verified")
        assert happened(watcher) == []
    assert happened(watcher) == [
        ("verified", session_id, "active", "the verification of gate 1 ended")
    ]


async def test_a_verification_that_comes_to_a_result_tells_that_first(small, services, watcher):
    session_id = await started()
    with services.sessions.store.verifying(session_id):
        watcher.look()
        await complete(session_id, 1)
    assert [last for *_, last in happened(watcher)] == [
        "gate 1 passed",
        "the verification of gate 1 ended",
    ]


async def test_whoever_looks_keeps_nobody_from_verifying_or_writing(small, services, watcher):
    session_id = await started()
    store = services.sessions.store
    with store.verifying(session_id):
        watcher.look()
    for _ in range(5):
        watcher.look()
        with store.verifying(session_id) as held:
            assert held
    with store.locked(session_id):
        assert watcher.look().verifying == frozenset()


async def test_looking_writes_nothing(small, services, watcher):
    session_id = await started()
    with services.sessions.store.verifying(session_id):
        pass
    leases = small / STATE_DIR / "verifying"
    lease = leases / f"{session_id}.lock"
    lease.write_bytes(b"who held it last")
    before, names = tree(small), sorted(leases.iterdir())
    watcher.frame(watcher.look())
    assert (tree(small), sorted(leases.iterdir())) == (before, names)
    # Opening the file to ask whether it is locked may empty it; nobody's name is put there.
    assert lease.read_bytes() in {b"who held it last", b""}


async def test_a_frame_shows_the_newest_change_on_top_and_counts_all(small, watcher):
    first, second, third = await started(), await started(), await started()
    await refused(first)
    await complete(second, 1)
    look = watcher.look()
    frame = watcher.frame(look, 2)
    assert misfits(frame, Frame) == []
    assert [row["session_id"] for row in frame["sessions"]] == [second, first]
    assert (frame["count"], frame["statuses"]) == (3, {"active": 2, "failed": 1})
    rows = frame_rows(watcher.watched(look), UNICODE)
    assert [row.cells[:4] for row in rows] == [
        (second, "2/2", "█▓", "active"),
        (first, "1/2", "✗░", "failed"),
        (third, "1/2", "▓░", "active"),
    ]
    assert [row.cells[2] for row in frame_rows(watcher.watched(look), ASCII)] == ["#>", "x.", ">."]


def test_a_terminal_does_not_obey_the_line_of_an_event():
    event = {"time": EVIL, "session_id": EVIL, "current_phase": 1, "total_phases": 2,
             "status": "active", "last": f"\t{EVIL}\n"}  # fmt: skip
    assert obeyed(event_line(event)) == []
    assert event_line(event).split("\t") == [
        EVIL_SHOWN, EVIL_SHOWN, "1/2", "active", rf"\t{EVIL_SHOWN}\n"
    ]  # fmt: skip
