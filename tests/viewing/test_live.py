"""`watch` where there is no screen, and how a screen is laid out."""

import json

import pytest

from mcp_server.config import STATE_DIR
from mcp_server.viewing.board import board
from mcp_server.viewing.live import watch_changes, watch_once
from mcp_server.viewing.shapes import Event, Frame
from mcp_server.viewing.signs import ASCII, UNICODE
from mcp_server.viewing.watcher import Watcher
from tests.builders import NOON, write_workflow
from tests.calls import complete, refused, started
from tests.viewing.viewing_builders import misfits, plain_console, printed, terminal


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows")
    return project


@pytest.fixture
def watcher(services):
    return Watcher(services.sessions)


def ending_after(*steps):
    """A wait in which one of `steps` is taken each time, and that is interrupted at the end."""
    left = list(steps)

    def wait(_seconds):
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    return wait


async def test_each_change_is_a_line_as_it_happens(small, services, watcher):
    session_id = await started()
    sessions, console = services.sessions, plain_console()
    wait = ending_after(
        lambda: sessions.pause(session_id), lambda: sessions.delete_session(session_id)
    )
    assert watch_changes(watcher, console, 0.1, as_json=False, wait=wait) == 0
    rows = [line.split("\t") for line in console.file.getvalue().splitlines()]
    assert [row[1:] for row in rows] == [
        [session_id, "1/2", "active", "started"],
        [session_id, "1/2", "paused", "paused in phase 1"],
        [session_id, "1/2", "paused", "deleted"],
    ]


async def test_each_change_is_one_json_object_on_its_line(small, services, watcher):
    session_id = await started()
    console = plain_console()
    wait = ending_after(lambda: services.sessions.pause(session_id))
    watch_changes(watcher, console, 0.1, as_json=True, wait=wait)
    events = [json.loads(line) for line in console.file.getvalue().splitlines()]
    assert [(event["event"], event["action"], event["outcome"]) for event in events] == [
        ("present", "start", "done"),
        ("changed", "pause", "done"),
    ]
    assert [misfits(event, Event) for event in events] == [[], []]


async def test_what_cannot_be_read_is_warned_of_once(small, watcher, capsys):
    session_id = await started()
    (small / STATE_DIR / f"{session_id}.jsonl").write_bytes(b"{}\n")
    console = plain_console()
    watch_changes(watcher, console, 0.1, as_json=True, wait=ending_after(int, int))
    assert console.file.getvalue() == ""
    assert capsys.readouterr().err.count(session_id) == 1


@pytest.mark.parametrize("as_json", [True, False])
async def test_one_frame_is_printed_and_that_is_all(small, watcher, as_json):
    session_id = await started()
    await refused(session_id)
    console = plain_console()
    assert watch_once(watcher, console, as_json=as_json) == 0
    text = console.file.getvalue()
    if as_json:
        frame = json.loads(text)
        assert misfits(frame, Frame) == []
        assert frame["statuses"] == {"failed": 1}
    else:
        assert text.split("\t")[:4] == [session_id, "1/2", "✗░", "failed"]


def drawn(watcher, width, signs=UNICODE, *, room=10):
    look = watcher.look()
    console = terminal(width)
    frame = watcher.frame(look, room)
    console.print(board(frame, watcher.watched(look, room), NOON, signs, keys="q to leave"))
    return [line.rstrip() for line in printed(console).splitlines()]


async def test_a_screen_counts_lists_and_says_how_to_leave(small, watcher):
    first, second = await started(), await started()
    await complete(first, 1)
    await refused(second)
    counts, headings, *rows, gap, keys = drawn(watcher, 120)
    assert counts == "2 sessions  1 active  1 failed"
    assert headings.split() == ["session", "phases", "last", "ago"]
    assert [row.split()[:6] for row in rows] == [
        [second, "✗░", "1/2", "gate", "1", "refused"],
        [first, "█▓", "2/2", "gate", "1", "passed"],
    ]
    assert (gap, keys) == ("", "q to leave")


async def test_a_small_screen_says_how_many_it_has_no_room_for(small, watcher):
    for _ in range(3):
        await started()
    shown = drawn(watcher, 120, room=1)
    assert len(shown) == 5
    assert shown[-1] == "and 2 more; q to leave"


@pytest.mark.parametrize("width", [20, 40, 60, 200])
@pytest.mark.parametrize("signs", [UNICODE, ASCII], ids=["unicode", "ascii"])
async def test_a_screen_keeps_to_its_width_whatever_that_is(small, watcher, width, signs):
    await started()
    shown = drawn(watcher, width, signs)
    assert len(shown) == 5
    assert max(map(len, shown)) <= width
    assert signs is UNICODE or "".join(shown).isascii()


def test_a_screen_of_no_sessions_says_so(small, watcher):
    counts, headings, gap, keys = drawn(watcher, 80)
    assert headings.split() == ["session", "phases", "last", "ago"]
    assert (counts, gap, keys) == ("0 sessions", "", "q to leave")
