"""Sessions in a list, one session in full, and its journal."""

import json
from datetime import timedelta

import pytest

from mcp_server.config import STATE_DIR
from mcp_server.core.models import Change
from mcp_server.core.transitions import Action, Outcome, Status
from mcp_server.errors import InvalidArgumentError, NotFoundError
from mcp_server.server.tools.workflow_tools import aos_workflow
from mcp_server.viewing.finding import find_session, find_session_id, find_sessions
from mcp_server.viewing.session_text import ago, print_history, print_session, print_sessions
from mcp_server.viewing.session_view import change_rows
from mcp_server.viewing.shapes import SessionList, SessionView
from mcp_server.viewing.signs import STYLES
from tests.builders import EVIDENCE, NOON, tree, write_workflow
from tests.calls import ABSENT, complete, refused, started
from tests.viewing.viewing_builders import (
    EVIL,
    EVIL_SHOWN,
    misfits,
    obeyed,
    plain_console,
    printed,
    terminal,
)

ASKING = {
    "checkpoint": {"strict": True, "allow_override": True},
    "evidence_schema": {
        "ready": {"type": "boolean", "verify": {"approval": "Is it ready?", "of": "notes.md"}},
        "tests": {"type": "integer", "required": True},
    },
}


@pytest.fixture
def small(project):
    write_workflow(project / ".praxis-os" / "workflows")
    return project


@pytest.fixture
def asking(project):
    write_workflow(project / ".praxis-os" / "workflows", gate=ASKING)
    return project


def told(view) -> list[str]:
    console = plain_console()
    print_session(console, view)
    return console.file.getvalue().splitlines()


async def test_sessions_are_listed_newest_first_and_counted(small, services):
    ids = [await started() for _ in range(3)]
    listed = find_sessions(services.sessions, None, 2)
    assert [row["session_id"] for row in listed["sessions"]] == ids[:0:-1]
    assert (listed["count"], listed["warnings"]) == (3, [])
    assert misfits(listed, SessionList) == []
    assert len(find_sessions(services.sessions, None, None)["sessions"]) == 3


async def test_sessions_can_be_narrowed_to_a_status(small, services):
    first, second = await started(), await started()
    await refused(first)
    listed = find_sessions(services.sessions, Status.FAILED, None)
    assert [row["session_id"] for row in listed["sessions"]] == [first]
    assert listed["count"] == 1
    assert second not in str(listed)


async def test_a_session_that_cannot_be_read_is_a_warning_and_hides_no_other(small, services):
    first, second = await started(), await started()
    (small / STATE_DIR / f"{first}.jsonl").write_bytes(b"{}\n")
    listed = find_sessions(services.sessions, None, None)
    assert [row["session_id"] for row in listed["sessions"]] == [second]
    assert [first in warning for warning in listed["warnings"]] == [True]


async def test_a_list_reads_as_rows(small, services):
    session_id = await started()
    await complete(session_id, 1)
    rows = find_sessions(services.sessions, None, None)["sessions"]
    console = plain_console()
    print_sessions(console, rows, NOON)
    changed = rows[0]["last_updated"]
    assert console.file.getvalue() == f"{session_id}\t2/2\tactive\t{changed}\tsrc/a.py\n"
    console = terminal()
    print_sessions(console, rows, services.sessions.clock())
    heading, _, row = printed(console).strip().splitlines()
    assert heading.split() == ["session", "phase", "status", "changed"]
    assert row.split()[:3] == [session_id, "2/2", "active"]
    assert row.split()[-1] == "ago"


@pytest.mark.parametrize(
    ("passed", "shown"),
    [({"seconds": 0}, "0 s"), ({"seconds": 59}, "59 s"), ({"minutes": 61}, "1 h"),
     ({"minutes": 3}, "3 min"), ({"days": 40}, "40 d"), ({"seconds": -5}, "0 s")],
)  # fmt: skip
def test_how_long_ago_is_said_in_the_largest_unit(passed, shown):
    assert ago((NOON - timedelta(**passed)).isoformat(), NOON) == shown


async def test_the_beginning_of_an_id_is_enough_while_only_one_begins_so(small, services):
    first = await started()
    assert find_session_id(services.sessions, first[:10]) == first
    assert find_session_id(services.sessions, first) == first
    second = await started()
    with pytest.raises(InvalidArgumentError) as refusal:
        find_session_id(services.sessions, "small")
    assert refusal.value.message == "2 sessions begin with 'small'"
    assert refusal.value.remediation == f"Write more of the id: {second}, {first}."
    assert find_session_id(services.sessions, second) == second


async def test_an_id_of_which_another_is_the_beginning_means_itself(small, services):
    first = await started()
    state = small / STATE_DIR
    (state / f"{first}_0.jsonl").write_bytes((state / f"{first}.jsonl").read_bytes())
    assert find_session_id(services.sessions, first) == first


async def test_an_id_of_which_many_newer_ones_are_the_beginning_means_itself(small, services):
    first = await started()
    record = services.sessions.store.read(first)
    for number in range(10):
        made = record.state.model_copy(update={"session_id": f"{first}_{number}"})
        change = Change(action=Action.START, outcome=Outcome.DONE, phase=1, state=made)
        services.sessions.store.create([change])
    assert find_session_id(services.sessions, first) == first
    assert find_session_id(services.sessions, f"{first}_7") == f"{first}_7"
    (small / STATE_DIR / f"{first}.jsonl").write_bytes(b"{}\n")
    assert find_session_id(services.sessions, first) == first


async def test_damaged_sessions_are_among_those_that_begin_so(small, services):
    first, second = await started("src/a.py"), await started("src/b.py")
    (small / STATE_DIR / f"{first}.jsonl").write_bytes(b"{}\n")
    assert find_session_id(services.sessions, first[:-1]) == first
    assert find_session_id(services.sessions, second[:-1]) == second
    with pytest.raises(InvalidArgumentError) as refusal:
        find_session_id(services.sessions, "small")
    assert refusal.value.message == "2 sessions begin with 'small'"
    assert refusal.value.remediation == f"Write more of the id: {second}, {first}."


async def test_of_many_that_begin_so_the_newest_are_named(small, services):
    sessions = [await started() for _ in range(10)]
    with pytest.raises(InvalidArgumentError) as refusal:
        find_session_id(services.sessions, "s")
    named = services.sessions.list_sessions(limit=8)["sessions"]
    assert refusal.value.message == f"{len(sessions)} sessions begin with 's'"
    assert refusal.value.remediation == (
        f"Write more of the id: {', '.join(one['session_id'] for one in named)} and 2 more."
    )


async def test_what_no_id_begins_with_is_refused(small, services):
    await started()
    with pytest.raises(NotFoundError):
        find_session_id(services.sessions, ABSENT)


@pytest.mark.parametrize("given", ["", "../x", "SMALL", "a b", "small\n"])
def test_what_cannot_be_the_beginning_of_an_id_is_wrong_usage(small, services, given):
    with pytest.raises(InvalidArgumentError, match="Invalid session_id format"):
        find_session_id(services.sessions, given)


async def test_a_session_is_shown_with_what_it_stands_on_and_what_is_next(small, services):
    session_id = await started()
    await refused(session_id)
    await aos_workflow("retry_phase", session_id, phase=1)
    await complete(session_id, 1)
    view = find_session(services, session_id)
    assert misfits(view, SessionView) == []
    first, second = view["phases"]
    assert (first["standing"], second["standing"]) == ("completed", "current")
    assert [made["status"] for made in first["attempts"]] == ["failed", "passed"]
    assert [(item["field"], item["known"], item["value"]) for item in first["evidence"]] == [
        ("tests", "claimed", 3),
        ("report", "claimed", "reports/junit.xml"),
    ]
    assert (view["error_count"], view["errors"][0]["problems"][0]) == (1, "report")
    assert (view["next_command"], view["waiting_for"], view["warnings"]) == (None, [], [])
    state = await aos_workflow("get_state", session_id)
    assert view["next"] == state["next"]
    lines = told(view)
    assert lines[:2] == [session_id, "small_v1 1.0.0 on src/a.py: active"]
    assert lines[4].startswith("✓ Phase 1: Work  (attempt 2, ")
    assert lines[5:8] == [
        "    claimed   tests: 3",
        '    claimed   report: "reports/junit.xml"',
        "▶ Phase 2: Work",
    ]
    assert lines[-1] == f"Next  the agent: {state['next']}"


async def test_each_standing_of_a_phase_has_its_sign(small, services):
    seen = set()
    session_id = await started()

    async def note():
        shown = find_session(services, session_id)["phases"]
        seen.update(phase["standing"] for phase in shown)

    await note()
    await refused(session_id)
    await note()
    await aos_workflow("retry_phase", session_id, phase=1)
    await aos_workflow("pause", session_id, checkpoint_note="later")
    await note()
    assert "note: later" in told(find_session(services, session_id))
    await aos_workflow("resume", session_id)
    await complete(session_id, 1)
    await note()
    assert seen == STYLES.keys() - {"overridden"}


async def test_an_approval_that_is_waited_for_is_shown_with_the_command_that_gives_it(
    asking, services
):
    session_id = await started()
    view = find_session(services, session_id)
    (wanted,) = view["waiting_for"]
    assert (wanted["field"], wanted["question"]) == ("ready", "Is it ready?")
    assert wanted["problem"] is not None
    assert view["next_command"] is None

    (asking / "notes.md").write_text("Ready.\n", encoding="utf-8")
    view = find_session(services, session_id)
    (wanted,) = view["waiting_for"]
    assert (wanted["problem"], list(wanted["files"])) == (None, ["notes.md"])
    assert view["next_command"] == f"aos-workflow approve {session_id}"
    lines = told(view)
    at = lines.index("Waits for a person's approval")
    assert lines[at + 1] == "  ready: Is it ready?"
    assert lines[-1] == f"      a person: aos-workflow approve {session_id}"

    (request,) = services.engine.consent.requests(session_id)
    services.engine.consent.approve(request, by="Alex", via="a test")
    assert find_session(services, session_id)["waiting_for"] == []


async def test_a_verification_that_runs_is_said(small, services):
    session_id = await started()
    with services.sessions.store.verifying(session_id):
        view = find_session(services, session_id)
    assert view["verification"] == "running"
    assert "A verification is running." in told(view)
    assert find_session(services, session_id)["verification"] is None


async def test_a_refusal_that_a_person_may_wave_through_says_how_and_then_that_one_did(
    asking, services
):
    session_id = await started()
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={"tests": "x"})
    assert answer["error_type"] == "ValidationError"
    view = find_session(services, session_id)
    assert view["next_command"] == f"aos-workflow approve {session_id} --override"
    attempt = services.engine.consent.overridable(session_id)
    services.engine.consent.override(session_id, attempt, "It is late", by="Alex", via="a test")
    view = find_session(services, session_id)
    assert (view["phases"][0]["standing"], view["overrides"][0]["reason"]) == (
        "overridden",
        "It is late",
    )
    assert view["overrides"][0]["by"] == "Alex"


async def test_a_session_whose_definition_is_gone_is_shown_without_titles(small, services):
    session_id = await started()
    for pinned in (small / STATE_DIR / "definitions").iterdir():
        pinned.unlink()
    view = find_session(services, session_id)
    assert [phase["title"] for phase in view["phases"]] == ["", ""]
    assert view["warnings"][0].startswith("the pinned definition ")
    assert "▶ Phase 1" in told(view)


async def test_the_journal_reads_as_rows(small, services):
    session_id = await started()
    await refused(session_id)
    view = find_session(services, session_id, history=True)
    assert misfits(view, SessionView) == []
    console = plain_console()
    print_history(console, view["history"])
    rows = [row.split("\t") for row in console.file.getvalue().splitlines()]
    assert [[row[0], *row[2:6]] for row in rows] == [
        ["1", "start", "1", "done", "active"],
        ["2", "complete_phase", "1", "refused", "failed"],
    ]
    by = {record["by"] for record in view["history"]}
    assert {row[6] for row in rows} == by
    assert all(name.startswith("local:") for name in by)
    assert rows[1][7] == services.sessions.verify(session_id).last_hash[:12]


async def test_a_line_of_the_journal_that_cannot_be_read_says_why(small, services):
    session_id = await started()
    (line,) = services.sessions.store.lines(session_id)
    damaged, whole = change_rows([line.replace(b"src/a.py", b"src/b.py"), line])
    assert (damaged["line"], damaged["hash"]) == (1, None)
    assert damaged["problem"]
    assert (whole["line"], whole["problem"]) == (2, None)


async def test_large_evidence_is_named_by_its_size(small, services):
    session_id = await started()
    large = {**EVIDENCE, "report": "x" * 2_000}
    await aos_workflow("complete_phase", session_id, phase=1, evidence=large)
    view = find_session(services, session_id)
    item = view["phases"][0]["evidence"][1]
    assert "value" not in item
    assert "    claimed   report: 2002 bytes" in told(view)


@pytest.mark.parametrize("make", [plain_console, terminal])
async def test_a_terminal_does_not_obey_a_session(small, services, make):
    session_id = await started()
    evil = {"tests": 3, "report": EVIL}
    await aos_workflow("complete_phase", session_id, phase=1, evidence={**evil, "tests": 0})
    await aos_workflow("retry_phase", session_id, phase=1)
    await aos_workflow("complete_phase", session_id, phase=1, evidence=evil)
    await aos_workflow("pause", session_id, checkpoint_note=EVIL)
    view = find_session(services, session_id, history=True)
    view["errors"][0]["message"] = view["errors"][0]["problems"][0] = EVIL
    view["definition"]["moved_on"] = view["target_file"] = EVIL
    view["options"] = {EVIL: EVIL}
    view["waiting_for"] = [
        {"field": EVIL, "question": EVIL, "files": {EVIL: EVIL}, "problem": EVIL}
    ]
    view["phases"][0]["title"] = EVIL
    console = make()
    print_session(console, view)
    print_history(console, view["history"])
    assert obeyed(console.file.getvalue()) == []
    assert printed(console).count(EVIL_SHOWN) >= 8


async def test_looking_changes_nothing(small, services):
    session_id = await started()
    await refused(session_id)
    before = tree(small)
    find_sessions(services.sessions, None, None)
    find_session(services, session_id, history=True)
    assert tree(small) == before
    assert json.dumps(find_session(services, session_id))
