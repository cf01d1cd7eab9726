"""get_state: a kilobyte in each half, and one phase in full."""

import pytest

from benchmarks.sizes import Halves
from mcp_server.core.artifacts import in_full
from mcp_server.core.lifecycle import prepare
from mcp_server.server.tools.workflow_tools import aos_workflow
from tests.builders import EVIDENCE, write_workflow
from tests.calls import complete, refused, started

FIELDS = {
    "tests": {"known": "claimed", "size": 1, "value": 3},
    "report": {"known": "claimed", "size": 19, "value": "reports/junit.xml"},
}
VALUES = {f"field_{number:02}": "v" * 150 for number in range(20)}
LOG = "x" * 2_000
LOG_DIGEST = prepare({"log": LOG}).items["log"].sha256
MORE = {
    **{name: {"known": "claimed", "size": 152, "value": value} for name, value in VALUES.items()},
    "log": {"known": "claimed", "size": 2_002, "sha256": LOG_DIGEST[:12]},
}


@pytest.fixture
def long(project):
    """A workflow of eight phases."""
    return write_workflow(project / ".praxis-os" / "workflows", phases=8)


async def test_a_small_session_shows_everything(small):
    session_id = await started()
    await complete(session_id, 1)
    await complete(session_id, 2)
    answer = await aos_workflow("get_state", session_id)
    times = [answer.pop(name) for name in ("created_at", "last_updated")]
    assert times == sorted(times)
    assert len(answer["definition"].pop("digest")) == 12
    assert answer == {
        "status": "success",
        "action": "get_state",
        "session_id": session_id,
        "workflow_type": "small_v1",
        "target_file": "src/a.py",
        "current_phase": 2,
        "total_phases": 2,
        "completed_phases": [1, 2],
        "session_status": "completed",
        "artifacts": {"1": FIELDS, "2": FIELDS},
        "resume_capable": False,
        "definition": {"version": "1.0.0"},
        "next": 'aos_workflow(action="list_workflows")',
    }


async def test_a_large_session_is_a_kilobyte_and_each_phase_is_told_on_demand(long):
    session_id = await started()
    evidence = {**EVIDENCE, **VALUES, "log": LOG}
    for phase in range(1, 8):
        await aos_workflow("complete_phase", session_id, phase=phase, evidence=evidence)
    answer = await aos_workflow("get_state", session_id)
    halves = Halves.of(answer)
    assert max(halves.structured, halves.text) <= 1_024
    newest = answer["artifacts"].pop("7")
    assert answer["artifacts"] == {str(number): {"more_fields": 23} for number in range(1, 7)}
    assert (newest["tests"], newest["report"]) == (FIELDS["tests"], FIELDS["report"])
    assert len(newest) - 1 + newest["more_fields"] == 23
    assert answer["warnings"] == ["told in part: get_state with phase=N tells all of phase N"]
    assert answer["next"] == f'aos_workflow(action="get_phase", session_id="{session_id}")'
    del answer["warnings"]
    assert await aos_workflow("get_state", session_id, phase=4) == {
        **answer,
        "artifacts": {"4": FIELDS | MORE},
    }


async def test_the_current_phase_has_no_artifacts_but_what_is_kept_for_it(small):
    session_id = await started()
    await refused(session_id)
    answer = await aos_workflow("get_state", session_id, phase=1)
    assert answer == await aos_workflow("get_state", session_id)
    assert (answer["artifacts"], answer["kept_evidence"]) == ({}, ["tests"])


@pytest.mark.parametrize("phase", [2, 9])
async def test_a_phase_that_cannot_be_shown_is_refused_as_by_get_phase(small, phase):
    session_id = await started()
    refusal = await aos_workflow("get_phase", session_id, phase=phase)
    assert refusal["status"] == "error"
    answer = await aos_workflow("get_state", session_id, phase=phase)
    assert answer == {**refusal, "action": "get_state"}


async def test_a_phase_that_is_not_reached_is_refused_with_the_way_on(small):
    session_id = await started()
    assert await aos_workflow("get_state", session_id, phase=2) == {
        "status": "error",
        "action": "get_state",
        "error": "phase 2 is not reached yet: the current phase is 1",
        "error_type": "StateError",
        "remediation": "Complete the current phase first.",
        "next": f'aos_workflow(action="get_phase", session_id="{session_id}")',
        "details": {"current_phase": 1},
    }


async def test_a_phase_that_does_not_exist_is_refused_with_those_that_do(small):
    session_id = await started()
    answer = await aos_workflow("get_state", session_id, phase=9)
    assert answer["error_type"] == "NotFoundError"
    assert answer["details"] == {"phases": [1, 2], "current_phase": 1}


async def test_a_phase_is_read_as_a_number(small):
    session_id = await started()
    await complete(session_id, 1)
    answer = await aos_workflow("get_state", session_id, phase="1")
    assert answer["artifacts"] == {"1": FIELDS}
    answer = await aos_workflow("get_state", session_id, phase="first")
    assert answer["error"] == "phase must be a whole number, got text 'first'"


MANY = {f"field_{number:03}": "v" * 150 for number in range(120)}


@pytest.fixture
async def many(small):
    """A session whose first phase passed with more evidence than an answer holds."""
    session_id = await started()
    await aos_workflow("complete_phase", session_id, phase=1, evidence={**EVIDENCE, **MANY})
    return session_id


async def test_the_fields_of_one_phase_come_in_pages(many):
    told, cursor, pages = {}, None, 0
    while pages == 0 or cursor:
        answer = await aos_workflow("get_state", many, phase=1, cursor=cursor)
        halves = Halves.of(answer)
        assert max(halves.structured, halves.text) <= 8_192
        page = answer["artifacts"]["1"]
        told |= page
        cursor, pages = answer.get("next_cursor"), pages + 1
        left = 122 - (len(told) - ("more_fields" in told))
        assert page.get("more_fields", 0) == left
    told.pop("more_fields")
    expected = prepare({**EVIDENCE, **MANY}).items
    assert told == {name: in_full(item) for name, item in expected.items()}
    assert pages == 2


@pytest.mark.parametrize("cursor", ["?", "WyJub3RoaW5nIl0"], ids=["no cursor", "of no field"])
async def test_a_cursor_of_no_page_is_refused(many, cursor):
    answer = await aos_workflow("get_state", many, phase=1, cursor=cursor)
    assert (answer["status"], answer["error_type"]) == ("error", "ValueError")
    assert answer["error"] == f"cursor '{cursor}' is not one that this tool gave"


async def test_a_cursor_without_its_phase_is_refused(many):
    answer = await aos_workflow("get_state", many, cursor="WyJ0ZXN0cyJd")
    assert answer == {
        "status": "error",
        "action": "get_state",
        "error": "cursor needs phase: the pages of get_state are the fields of one phase",
        "error_type": "ValueError",
        "remediation": "Pass the phase that the page before was of, or no cursor.",
    }
