"""How arguments are read: what is unambiguous is meant, all else is refused in our words."""

import pytest

from mcp_server.core.transitions import Status
from mcp_server.server.tools.workflow_tools import aos_workflow, dispatch
from tests.builders import tree
from tests.calls import refused, started


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sesion_id", "session_id"),
        ("sessionId", "session_id"),
        ("session", "session_id"),
        ("tasknumber", "task_number"),
        ("evidences", "evidence"),
        ("target_files", "target_file"),
        ("Phase", "phase"),
    ],
)
async def test_a_misspelt_argument_is_an_error_that_names_the_right_one(small, written, meant):
    answer = await dispatch({"action": "get_state", written: "x"})
    assert answer["error"] == f"unknown argument {written!r}: did you mean {meant}?"


@pytest.mark.parametrize("name", ["wait_for_previous", "explanation", "toolCallId", "_meta"])
async def test_an_argument_of_the_client_s_own_is_ignored_with_a_warning(small, name):
    answer = await dispatch({"action": "list_sessions", name: True})
    assert answer == {
        "status": "success",
        "action": "list_sessions",
        "sessions": [],
        "count": 0,
        "warnings": [f"argument {name!r} is not known and was ignored"],
    }


async def test_an_explicit_null_is_an_absent_argument(small):
    answer = await dispatch({"action": "list_sessions", "status": None, "limit": None})
    assert answer["count"] == 0


@pytest.mark.parametrize("number", [1, "1", 1.0, " 1 ", "+1"], ids=repr)
async def test_a_number_may_come_as_text_or_float(small, number):
    session_id = await started()
    answer = await dispatch(
        {"action": "get_task", "session_id": session_id, "task_number": number, "phase": number}
    )
    assert answer["task_number"] == 1


@pytest.mark.parametrize(
    "number", [1.5, True, False, "one", "1.5", "", [], {}, float("nan"), float("inf"), "\u0661"],
    ids=repr,
)  # fmt: skip
async def test_what_is_no_whole_number_is_refused(small, number):
    session_id = await started()
    answer = await dispatch({"action": "get_task", "session_id": session_id, "task_number": number})
    assert answer["error_type"] == "ValueError"
    assert answer["error"].startswith("task_number must be a whole number, got ")


@pytest.mark.parametrize("number", [-1, 10_001, 10**400], ids=["negative", "large", "huge"])
async def test_a_number_out_of_range_is_refused(small, number):
    session_id = await started()
    answer = await dispatch({"action": "get_phase", "session_id": session_id, "phase": number})
    assert answer["error"].startswith("phase is out of range")


@pytest.mark.parametrize("evidence", ["done", "[1]", [1], 5, True, "{"], ids=repr)
async def test_evidence_that_is_no_object_is_refused_and_changes_nothing(small, evidence):
    session_id = await started()
    before = tree(small)
    answer = await dispatch(
        {"action": "complete_phase", "session_id": session_id, "phase": 1, "evidence": evidence}
    )
    assert answer["error_type"] == "ValueError"
    assert answer["error"].startswith("evidence must be an object, got ")
    assert tree(small) == before


async def test_an_object_may_come_as_json_text(small):
    session_id = await started()
    answer = await dispatch(
        {
            "action": "complete_phase",
            "session_id": session_id,
            "phase": 1,
            "evidence": '{"tests": 3, "report": "r.xml"}',
        }
    )
    assert answer["checkpoint_passed"] is True


@pytest.mark.parametrize("note", ['{"k": 1}', "[1, 2]", "null", "true", "12"])
async def test_free_text_that_looks_like_json_stays_text(small, note):
    session_id = await started()
    answer = await aos_workflow("pause", session_id, checkpoint_note=note)
    assert answer["checkpoint"]["note"] == note


@pytest.mark.parametrize(("flag", "read"), [("true", True), ("False", False), (True, True)])
async def test_a_flag_may_come_as_text(small, flag, read):
    session_id = await started()
    await refused(session_id)
    answer = await aos_workflow("retry_phase", session_id, phase=1, reset_evidence=flag)
    assert answer["evidence_reset"] is read


@pytest.mark.parametrize("flag", ["yes", 1, [], "1"], ids=repr)
async def test_what_is_no_flag_is_refused(small, flag):
    session_id = await started()
    await refused(session_id)
    answer = await aos_workflow("retry_phase", session_id, phase=1, reset_evidence=flag)
    assert answer["error"].startswith("reset_evidence must be true or false, got ")


async def test_an_unknown_status_is_refused_with_the_known_ones(small):
    answer = await aos_workflow("list_sessions", status="open")
    assert answer["error"] == "unknown status 'open'"
    assert all(status in answer["remediation"] for status in Status)


async def test_text_that_is_not_text_is_refused(small):
    answer = await aos_workflow("start", workflow_type=5, target_file="a.py")
    assert answer["error"] == "workflow_type must be text, got number 5"


async def test_a_note_over_its_limit_is_refused(small):
    session_id = await started()
    answer = await aos_workflow("pause", session_id, checkpoint_note="é" * 2049)
    assert answer["error"] == "checkpoint_note is too large: 4098 bytes, at most 4096"


async def test_options_over_their_limit_are_refused_and_nothing_is_written(small):
    before = tree(small)
    answer = await aos_workflow(
        "start", workflow_type="small_v1", target_file="a.py", options={"x": "y" * 65536}
    )
    assert answer["error"] == "options is too large: 65544 bytes of JSON, at most 65536"
    assert tree(small) == before
