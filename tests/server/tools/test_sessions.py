"""The actions that manage and recover sessions."""

import pytest

from mcp_server.server.tools.workflow_tools import VALID_ACTIONS, aos_workflow
from tests.calls import ABSENT, complete, refused, started


async def test_pause_and_resume_keep_the_note_and_count_the_time(small):
    session_id = await started()
    paused = await aos_workflow("pause", session_id, checkpoint_note="until Monday")
    assert (paused["paused"], paused["resume_capable"]) == (True, True)
    assert paused["checkpoint"]["phase"] == 1
    assert paused["checkpoint"]["note"] == "until Monday"
    resumed = await aos_workflow("resume", session_id)
    assert (resumed["resumed"], resumed["current_phase"]) == (True, 1)
    assert resumed["checkpoint_note"] == "until Monday"
    assert resumed["paused_duration_seconds"] >= 0
    assert resumed["phase_content"]["phase_number"] == 1


async def test_rollback_clears_later_phases_and_keeps_the_history(small):
    session_id = await started()
    await complete(session_id, 1)
    await complete(session_id, 2)
    answer = await aos_workflow("rollback", session_id, to_phase=1)
    assert (answer["rolled_back"], answer["from_phase"], answer["to_phase"]) == (True, 2, 1)
    assert answer["artifacts_cleared"] == [2]
    assert answer["phase_content"]["phase_number"] == 1
    session = (await aos_workflow("get_session", session_id))["session"]
    assert [(a["phase"], a["attempt"], a["status"]) for a in session["phase_history"]] == [
        (1, 1, "passed"),
        (2, 1, "passed"),
        (1, 2, "in_progress"),
    ]


async def test_a_rolled_back_phase_keeps_its_own_evidence_for_the_next_attempt(small):
    session_id = await started()
    await complete(session_id, 1)
    await aos_workflow("rollback", session_id, to_phase=1)
    state = await aos_workflow("get_state", session_id)
    assert (state["artifacts"], state["kept_evidence"]) == ({}, ["report", "tests"])
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={"tests": 4})
    assert answer["checkpoint_passed"] is True


async def test_rollback_goes_to_an_earlier_phase_only(small):
    session_id = await started()
    answer = await aos_workflow("rollback", session_id, to_phase=1)
    assert answer["error_type"] == "StateError"
    assert answer["details"] == {"current_phase": 1, "completed_phases": []}


async def test_list_sessions_is_newest_first_and_filters_by_status(small):
    first, second = await started(), await started()
    await aos_workflow("pause", first)
    everything = await aos_workflow("list_sessions")
    assert [s["session_id"] for s in everything["sessions"]] == [second, first]
    paused = await aos_workflow("list_sessions", status="paused")
    assert [(s["session_id"], s["status"]) for s in paused["sessions"]] == [(first, "paused")]
    assert paused["count"] == 1


async def test_list_sessions_pages_through_all_of_them_once(small):
    ids = [await started() for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = await aos_workflow("list_sessions", limit=2, cursor=cursor)
        assert page["count"] == 5
        seen += [session["session_id"] for session in page["sessions"]]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)


async def test_get_session_shows_options_and_history(small):
    answer = await aos_workflow(
        "start", workflow_type="small_v1", target_file="src/a.py", options={"depth": 2}
    )
    session = (await aos_workflow("get_session", answer["session_id"]))["session"]
    assert session["options"] == {"depth": 2}
    assert session["status"] == "active"
    (attempt,) = session["phase_history"]
    assert attempt["started_at"] == session["created_at"]
    assert (attempt["completed_at"], attempt["duration_seconds"]) == (None, None)


async def test_a_deleted_session_is_gone(small):
    session_id = await started()
    answer = await aos_workflow("delete_session", session_id, reason="a mistake")
    assert answer == {
        "status": "success",
        "action": "delete_session",
        "session_id": session_id,
        "deleted": True,
        "cleanup": {"state_file_removed": True, "artifacts_preserved": False},
        "next": 'aos_workflow(action="list_sessions")',
    }
    again = await aos_workflow("get_state", session_id)
    assert again["error_type"] == "NotFoundError"
    assert (await aos_workflow("list_sessions"))["count"] == 0


async def test_get_errors_of_a_clean_session_is_empty(small):
    session_id = await started()
    answer = await aos_workflow("get_errors", session_id)
    assert (answer["errors"], answer["error_count"], answer["last_error"]) == ([], 0, None)


async def test_get_state_says_when_the_definition_on_disk_has_moved_on(small):
    session_id = await started()
    before = (await aos_workflow("get_state", session_id))["definition"]
    phase = small / ".praxis-os" / "workflows" / "small_v1" / "phases" / "1" / "phase.md"
    phase.write_text("# Another title\n", encoding="utf-8")
    after = (await aos_workflow("get_state", session_id))["definition"]
    assert "moved_on" not in before
    assert after["moved_on"].startswith("the workflow on disk is now 1.0.0 (")
    served = await aos_workflow("get_phase", session_id)
    assert served["phase_content"]["title"] == "Phase 1: Work"


async def test_an_edited_gate_does_not_change_a_session_that_runs(small):
    session_id = await started()
    phases = small / ".praxis-os" / "workflows" / "small_v1" / "phases"
    (phases / "1" / "gate-definition.yaml").write_text(
        "evidence_schema: {anything: {type: string, required: false}}\n", encoding="utf-8"
    )
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={"anything": "x"})
    assert answer["missing_evidence"] == ["tests", "report"]


@pytest.mark.parametrize(
    "action", sorted(VALID_ACTIONS - {"list_workflows", "list_sessions", "start"})
)
async def test_every_action_on_an_unknown_session_is_not_found(small, action):
    answer = await aos_workflow(
        action, ABSENT, phase=1, to_phase=1, task_number=1, evidence={"tests": 1}
    )  # fmt: skip
    assert answer == {
        "status": "error",
        "action": action,
        "error": f"no session {ABSENT}",
        "error_type": "NotFoundError",
        "remediation": 'Call aos_workflow(action="list_sessions") for the sessions that exist.',
    }


async def test_the_limit_of_active_sessions_counts_failed_but_not_paused_ones(small, monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_MAX_ACTIVE_SESSIONS", "2")
    first, second = await started(), await started()
    await refused(second)
    refusal = await aos_workflow("start", workflow_type="small_v1", target_file="src/a.py")
    assert (refusal["error_type"], refusal["details"]) == (
        "LimitError",
        {"active": 2, "limit": 2},
    )
    await aos_workflow("pause", first)
    await started()
    resume = await aos_workflow("resume", first)
    assert resume["error_type"] == "LimitError"
    state = await aos_workflow("get_state", first)
    assert state["session_status"] == "paused"


async def test_the_rollback_of_a_completed_session_respects_the_limit(small, monkeypatch):
    monkeypatch.setenv("AOS_WORKFLOW_MAX_ACTIVE_SESSIONS", "1")
    done = await started()
    await complete(done, 1)
    await complete(done, 2)
    await started()
    answer = await aos_workflow("rollback", done, to_phase=1)
    assert answer["error_type"] == "LimitError"
