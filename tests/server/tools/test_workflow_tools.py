"""The tables, the registration, the validators and the dispatcher's envelope."""

import inspect

import pytest

from mcp_server.core.transitions import Action
from mcp_server.errors import InvalidArgumentError
from mcp_server.server import setup_server
from mcp_server.server.tools import workflow_tools
from mcp_server.server.tools.actions import ACTIONS
from mcp_server.server.tools.workflow_tools import (
    ACTION_HANDLERS,
    MAX_EVIDENCE_SIZE,
    SESSION_ID_PATTERN,
    VALID_ACTIONS,
    aos_workflow,
    dispatch,
    register_workflow_tools,
    validate_evidence_size,
    validate_session_id,
    validate_target_file,
)
from tests.calls import ABSENT


def test_there_are_fourteen_actions_and_a_handler_for_each():
    assert len(VALID_ACTIONS) == 14
    assert set(ACTION_HANDLERS) == VALID_ACTIONS == {str(action) for action in Action}


def test_each_handler_is_named_after_its_action_and_is_a_coroutine():
    for action, handler in ACTION_HANDLERS.items():
        assert handler is getattr(workflow_tools, f"_handle_{action}")
        assert inspect.iscoroutinefunction(handler)


def test_the_table_of_actions_describes_exactly_the_actions():
    assert list(ACTIONS) == list(Action)


async def test_any_object_with_a_tool_decorator_gets_the_plain_coroutine(small):
    registered = {}

    class Host:
        def tool(self, **described):
            return lambda function: registered.update({described["name"]: function})

    assert register_workflow_tools(Host()) == 1
    assert list(registered) == ["aos_workflow"]
    answer = await registered["aos_workflow"](action="list_workflows", category="test")
    assert [item["workflow_type"] for item in answer["workflows"]] == ["small_v1"]


def test_setup_server_says_how_many_tools_it_registered():
    class Host:
        def tool(self):
            return lambda function: function

    assert setup_server(Host()) == 1


def test_a_session_id_of_ours_is_valid():
    assert validate_session_id("small_v1_a_py_20260314_120000_0a1b2c") is True
    assert SESSION_ID_PATTERN.match("small_v1_a_py_20260314_120000_0a1b2c")


def test_anything_else_is_no_session_id():
    with pytest.raises(ValueError, match="Invalid session_id format"):
        validate_session_id("../../etc/passwd")


def test_a_relative_target_is_valid_though_it_does_not_exist(project):
    assert validate_target_file("src/not/there.py") is True


def test_a_target_that_climbs_is_refused(project):
    with pytest.raises(ValueError, match="directory traversal"):
        validate_target_file("../../../etc/passwd")


def test_evidence_up_to_the_limit_is_valid():
    overhead = len('{"data":""}')
    assert validate_evidence_size({"data": "x" * (MAX_EVIDENCE_SIZE - overhead)}) is True


def test_one_byte_more_is_too_large():
    overhead = len('{"data":""}')
    with pytest.raises(ValueError, match="too large"):
        validate_evidence_size({"data": "x" * (MAX_EVIDENCE_SIZE - overhead + 1)})


def test_evidence_is_measured_in_bytes_not_characters():
    with pytest.raises(ValueError, match="too large"):
        validate_evidence_size({"data": "é" * (MAX_EVIDENCE_SIZE // 2)})


async def test_an_unknown_action_is_answered_with_the_closest_one_and_all_valid_ones(small):
    answer = await aos_workflow("get_fase")
    assert answer == {
        "status": "error",
        "action": "get_fase",
        "error": "Unknown action: 'get_fase'; did you mean get_phase?",
        "error_type": "ValueError",
        "remediation": "Call one of valid_actions, such as"
        ' aos_workflow(action="get_phase", session_id=...)',
        "valid_actions": [str(action) for action in Action],
    }


@pytest.mark.parametrize("action", [None, 5, ["start"], {"a": 1}], ids=repr)
async def test_an_action_that_is_no_text_is_unknown(small, action):
    answer = await dispatch({"action": action})
    assert answer["error"] == "Unknown action: action is missing or not text"
    assert len(answer["valid_actions"]) == 14


@pytest.mark.parametrize(
    ("action", "name"),
    [(action, name) for action, spec in ACTIONS.items() for name in spec.needs],
)
async def test_each_missing_argument_is_named(small, action, name):
    given = {other: "x" for other in ACTIONS[action].needs if other != name}
    answer = await dispatch({"action": str(action), **given})
    assert answer["error"] == f"{action} needs {name}"
    assert answer["details"] == {"missing_arguments": [name]}


async def test_all_missing_arguments_are_named_at_once(small):
    answer = await aos_workflow("start")
    assert answer["error"] == "start needs workflow_type and target_file"


@pytest.mark.parametrize("name", [name for a in ACTIONS.values() for name in a.needs[:1] if name])
async def test_a_handler_called_on_its_own_refuses_a_missing_argument(small, name):
    action = next(a for a, spec in ACTIONS.items() if spec.needs[:1] == (name,))
    with pytest.raises(InvalidArgumentError, match=f"{name} is missing"):
        await ACTION_HANDLERS[action]()


async def test_a_handler_ignores_arguments_that_are_not_its_own(small):
    answer = await ACTION_HANDLERS["list_sessions"](phase=3, evidence={}, to_phase=None)
    assert answer == {"sessions": [], "count": 0}


async def test_a_broken_definition_is_refused_at_start_and_warned_of_in_the_list(small):
    (small / ".praxis-os" / "workflows" / "bad_v1").mkdir()
    (small / ".praxis-os" / "workflows" / "bad_v1" / "metadata.json").write_text(
        '{"workflow_type": \n', encoding="utf-8"
    )
    answer = await aos_workflow("start", workflow_type="bad_v1", target_file="a.py")
    assert answer["error_type"] == "DefinitionError"
    assert answer["error"].startswith(".praxis-os/workflows/bad_v1/metadata.json:2: not JSON")
    listed = await aos_workflow("list_workflows", category="test")
    assert listed["count"] == 1
    assert listed["warnings"] == [answer["error"]]


async def test_an_unknown_workflow_is_not_found_and_the_known_ones_are_named(small):
    answer = await aos_workflow("start", workflow_type="smal_v1", target_file="a.py")
    assert answer["error"] == "no workflow 'smal_v1'"
    assert "small_v1" in answer["details"]["workflow_types"]


async def test_anything_unexpected_is_an_internal_error_with_an_incident_in_the_log(
    small, monkeypatch, caplog
):
    async def explode(**_arguments):
        raise RuntimeError(f"secret in {small}")

    monkeypatch.setitem(ACTION_HANDLERS, "get_state", explode)
    answer = await aos_workflow("get_state", ABSENT)
    incident = answer["details"]["incident"]
    assert answer == {
        "status": "error",
        "action": "get_state",
        "error": f"Internal server error (incident {incident})",
        "error_type": "RuntimeError",
        "remediation": f"Nothing was changed. Look for incident {incident} in the server's log.",
        "details": {"incident": incident},
    }
    assert [record.message for record in caplog.records] == [f"incident {incident}"]


async def test_a_permission_error_is_told_as_one(small, monkeypatch):
    async def refuse(**_arguments):
        raise PermissionError(13, "Permission denied", str(small / "secret"))

    monkeypatch.setitem(ACTION_HANDLERS, "get_state", refuse)
    answer = await aos_workflow("get_state", ABSENT)
    assert answer["error_type"] == "PermissionError"
    assert answer["error"] == "[Errno 13] Permission denied: <path>"


@pytest.mark.parametrize(
    ("older", "action"),
    [("start_workflow", "start"), ("get_current_phase", "get_phase"),
     ("get_workflow_state", "get_state")],
)  # fmt: skip
async def test_the_name_of_an_older_tool_is_answered_with_the_action_that_replaced_it(
    older, action
):
    answer = await aos_workflow(older)
    assert answer["error"] == f"Unknown action: '{older}'; did you mean {action}?"
    assert f'aos_workflow(action="{action}"' in answer["remediation"]
