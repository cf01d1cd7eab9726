"""The actions that walk a session: list, start, read, complete."""

from mcp_server.server.tools.workflow_tools import SESSION_ID_PATTERN, aos_workflow
from tests.builders import tree
from tests.calls import complete, refused, started


async def test_list_workflows_shows_our_own_before_the_built_in_ones(small):
    answer = await aos_workflow("list_workflows", category="test")
    assert answer == {
        "status": "success",
        "action": "list_workflows",
        "workflows": [
            {
                "workflow_type": "small_v1",
                "name": "Small",
                "version": "1.0.0",
                "category": "test",
                "description": "A small workflow",
                "phases": 2,
                "estimated_duration": "5 minutes",
                "source": ".praxis-os/workflows",
            }
        ],
        "count": 1,
        "next": 'aos_workflow(action="start", workflow_type="...", target_file="...")',
    }


async def test_start_gives_the_first_phase_and_the_next_call(small):
    answer = await aos_workflow(
        "start", workflow_type="small_v1", target_file="src/a.py", options={"depth": 2}
    )
    session_id = answer.pop("session_id")
    assert SESSION_ID_PATTERN.match(session_id)
    assert len(answer.pop("definition")["digest"]) == 12
    assert answer == {
        "status": "success",
        "action": "start",
        "workflow_type": "small_v1",
        "target_file": "src/a.py",
        "other_sessions": [],
        "current_phase": 1,
        "total_phases": 2,
        "phase_content": {
            "phase_number": 1,
            "title": "Phase 1: Work",
            "description": "Do it.",
            "content": "# Phase 1: Work\n\nDo it.\n",
            "tasks": [{"task_number": 1, "title": "Task 1: Do", "file": "task-1-do.md"}],
            "checkpoint": {
                "strict": True,
                "required_evidence": ["tests", "report"],
                "evidence": {
                    "tests": {
                        "type": "integer",
                        "required": True,
                        "description": "Tests",
                        "minimum": 1,
                    },
                    "report": {
                        "type": "string",
                        "required": True,
                        "description": "Path of the report",
                    },
                },
            },
            "artifacts_from_previous_phases": {},
        },
        "next": f'aos_workflow(action="get_task", session_id="{session_id}", phase=1,'
        " task_number=1)",
    }


async def test_start_names_sessions_already_open_for_the_target(small):
    first = await started()
    answer = await aos_workflow("start", workflow_type="small_v1", target_file="src/a.py")
    assert answer["other_sessions"] == [first]


async def test_get_phase_shows_what_earlier_phases_left(small):
    session_id = await started()
    await complete(session_id, 1)
    answer = await aos_workflow("get_phase", session_id)
    assert answer["current_phase"] == 2
    assert answer["phase_content"]["artifacts_from_previous_phases"] == {
        "1": {
            "tests": {"known": "claimed", "size": 1, "value": 3},
            "report": {"known": "claimed", "size": 19, "value": "reports/junit.xml"},
        }
    }


async def test_get_phase_shows_an_earlier_phase_but_no_later_one(small):
    session_id = await started()
    later = await aos_workflow("get_phase", session_id, phase=2)
    assert (later["error_type"], later["details"]) == ("StateError", {"current_phase": 1})
    await complete(session_id, 1)
    earlier = await aos_workflow("get_phase", session_id, phase=1)
    assert earlier["phase_content"]["phase_number"] == 1
    assert earlier["current_phase"] == 2


async def test_get_task_gives_the_text_and_its_steps(small):
    session_id = await started()
    answer = await aos_workflow("get_task", session_id, task_number=1)
    assert answer == {
        "status": "success",
        "action": "get_task",
        "phase": 1,
        "task_number": 1,
        "task_content": {
            "title": "Task 1: Do",
            "content": "# Task 1: Do\n\n**Estimated Time:** 5 minutes\n\n## Steps\n\n"
            "1. Begin\n2. End\n",
            "execution_steps": ["Begin", "End"],
            "estimated_duration": "5 minutes",
        },
        "next": f'aos_workflow(action="complete_phase", session_id="{session_id}", phase=1,'
        ' evidence={"...":"..."})',
    }


async def test_an_unknown_task_is_not_found_and_the_known_ones_are_named(small):
    session_id = await started()
    answer = await aos_workflow("get_task", session_id, task_number=7)
    assert answer == {
        "status": "error",
        "action": "get_task",
        "error": "phase 1 has no task 7",
        "error_type": "NotFoundError",
        "remediation": "Its tasks are: 1.",
        "next": f'aos_workflow(action="get_phase", session_id="{session_id}")',
        "details": {"phase": 1, "task_numbers": [1], "current_phase": 1},
    }


async def test_passing_evidence_opens_the_next_phase(small):
    session_id = await started()
    answer = await complete(session_id, 1)
    assert answer == {
        "status": "success",
        "action": "complete_phase",
        "phase_completed": 1,
        "checkpoint_passed": True,
        "evidence_accepted": ["tests", "report"],
        "evidence": {"tests": {"known": "claimed"}, "report": {"known": "claimed"}},
        "warnings": [],
        "next_phase": {
            "phase_number": 2,
            "title": "Phase 2: Work",
            "description": "Do it.",
        },
        "next": f'aos_workflow(action="get_phase", session_id="{session_id}")',
    }


async def test_the_last_phase_completes_the_workflow(small):
    session_id = await started()
    await complete(session_id, 1)
    answer = await complete(session_id, 2)
    assert answer["workflow_complete"] is True
    assert "next_phase" not in answer
    state = await aos_workflow("get_state", session_id)
    assert (state["session_status"], state["resume_capable"]) == ("completed", False)
    assert (state["current_phase"], state["completed_phases"]) == (2, [1, 2])


async def test_a_refusal_names_every_field_that_is_missing_or_wrong(small):
    session_id = await started()
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={"tests": 0})
    retry = f'aos_workflow(action="retry_phase", session_id="{session_id}", phase=1)'
    assert answer == {
        "status": "error",
        "action": "complete_phase",
        "error": "the gate of phase 1 refused the evidence: 1 missing, 1 not satisfied",
        "error_type": "ValidationError",
        "remediation": "Do what is missing, call retry_phase, then complete_phase again; what"
        " was submitted is kept, so send only what changes.",
        "checkpoint_passed": False,
        "missing_evidence": ["report"],
        "validation_errors": ["tests: expected minimum 1, got 0; submit: Tests"],
        "next": retry,
    }


async def test_empty_evidence_is_refused_by_the_gate_and_recorded(small):
    session_id = await started()
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={})
    assert answer["checkpoint_passed"] is False
    assert answer["missing_evidence"] == ["tests", "report"]
    errors = await aos_workflow("get_errors", session_id)
    assert errors["error_count"] == 1


async def test_a_refused_session_needs_retry_phase_before_the_next_attempt(small):
    session_id = await started()
    await refused(session_id)
    again = await complete(session_id, 1)
    assert again["error_type"] == "StateError"
    assert again["details"] == {
        "session_status": "failed",
        "legal_actions": ["retry_phase", "rollback"],
        "current_phase": 1,
    }


async def test_a_retry_keeps_what_was_submitted_and_merges_over_it(small):
    session_id = await started()
    await aos_workflow(
        "complete_phase", session_id, phase=1, evidence={"tests": 0, "report": "r.xml"}
    )
    retry = await aos_workflow("retry_phase", session_id, phase=1)
    assert (retry["retrying"], retry["attempt"], retry["evidence_reset"]) == (True, 2, False)
    assert [error["message"] for error in retry["previous_errors"]] == [
        "the gate of phase 1 refused the evidence: 1 not satisfied"
    ]
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={"tests": 5})
    assert answer["evidence_accepted"] == ["tests", "report"]


async def test_a_retry_with_reset_forgets_what_was_submitted(small):
    session_id = await started()
    await refused(session_id)
    await aos_workflow("retry_phase", session_id, phase=1, reset_evidence=True)
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={"report": "r.xml"})
    assert answer["missing_evidence"] == ["tests"]


async def test_only_the_current_phase_can_be_retried(small):
    session_id = await started()
    await complete(session_id, 1)
    await aos_workflow("complete_phase", session_id, phase=2, evidence={"tests": 0})
    answer = await aos_workflow("retry_phase", session_id, phase=1)
    assert (answer["error_type"], answer["details"]) == ("StateError", {"current_phase": 2})


async def test_skipping_ahead_is_refused_and_recorded(small):
    session_id = await started()
    answer = await complete(session_id, 2)
    assert answer["error"] == (
        "cannot complete phase 2: the current phase is 1, and phases are completed in order"
    )
    errors = await aos_workflow("get_errors", session_id)
    assert [(error["phase"], error["error_type"]) for error in errors["errors"]] == [
        (2, "StateError")
    ]
    assert (await aos_workflow("get_state", session_id))["session_status"] == "active"


async def test_completing_a_phase_twice_is_refused_and_changes_nothing(small):
    session_id = await started()
    await complete(session_id, 1)
    before = tree(small)
    answer = await complete(session_id, 1)
    assert answer["error_type"] == "StateError"
    assert tree(small) == before


async def test_a_phase_that_does_not_exist_is_not_found(small):
    session_id = await started()
    answer = await complete(session_id, 9)
    assert (answer["error_type"], answer["details"]) == (
        "NotFoundError",
        {"phases": [1, 2], "current_phase": 1},
    )
