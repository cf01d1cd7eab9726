"""Promises of all answers: small, without paths, and nothing written where it must not be."""

import json
import shutil

import pytest

from benchmarks.sizes import BESIDE_CONTENT, Halves
from mcp_server.server.tools.workflow_tools import aos_workflow, dispatch
from tests.builders import tree, write_workflow
from tests.calls import ABSENT, started

LIMIT = 8_192


def size(answer):
    return len(json.dumps(answer, ensure_ascii=False).encode("utf-8"))


@pytest.fixture
def vast(project):
    """A workflow whose gate asks for 120 fields with long names."""
    fields = {f"field_{number:03}_{'x' * 100}": {"type": "integer", "minimum": 5}
              for number in range(120)}  # fmt: skip
    write_workflow(project / ".praxis-os" / "workflows", gate={"evidence_schema": fields})
    return fields


async def test_refusals_errors_and_histories_stay_small_whatever_the_gate(vast):
    session_id = await started()
    for attempt in range(20):
        evidence = dict.fromkeys(vast, 1) if attempt % 2 else {}
        refusal = await aos_workflow("complete_phase", session_id, phase=1, evidence=evidence)
        assert refusal["error_type"] == "ValidationError"
        assert size(refusal) < LIMIT
        await aos_workflow("retry_phase", session_id, phase=1, reset_evidence=True)
    assert "more" in refusal["validation_errors"][-1]
    errors = await aos_workflow("get_errors", session_id)
    assert size(errors) < LIMIT
    assert errors["error_count"] == 20
    earlier = 20 - len(errors["errors"])
    assert errors["warnings"] == [f"{earlier} earlier ones are in the session's journal"]
    assert size(await aos_workflow("get_session", session_id)) < LIMIT
    passed = await aos_workflow(
        "complete_phase", session_id, phase=1, evidence=dict.fromkeys(vast, 9)
    )
    assert passed["checkpoint_passed"] is True
    assert size(passed) < LIMIT
    state = await aos_workflow("get_state", session_id)
    assert Halves.of(state).larger <= BESIDE_CONTENT
    assert size(await aos_workflow("get_state", session_id, phase=1)) < LIMIT


async def test_a_list_of_many_broken_workflows_stays_small(project):
    shelf = project / ".praxis-os" / "workflows"
    for number in range(60):
        folder = write_workflow(shelf, f"workflow_{number:02}", metadata={"description": "d" * 500})
        if number % 2:
            (folder / "metadata.json").write_text("{" + " " * 400, encoding="utf-8")
    listed = await aos_workflow("list_workflows", limit=100)
    assert size(listed) < LIMIT
    assert listed["next_cursor"]
    assert listed["warnings"][-1].startswith("... and ")


@pytest.mark.parametrize(
    "arguments",
    [
        {"action": "/srv/secret/project"},
        {"action": "start", "workflow_type": "/srv/secret/project", "target_file": "a"},
        {"action": "start", "workflow_type": "small_v1", "target_file": "/srv/secret/project"},
        {"action": "get_state", "session_id": "/srv/secret/project"},
        {"action": "list_sessions", "status": "/srv/secret/project"},
        {"action": "list_sessions", "cursor": "/srv/secret/project"},
        {"action": "list_sessions", "limit": "/srv/secret/project"},
        {"action": "list_workflows", "category": "/srv/secret/project"},
        {"action": "list_sessions", "/srv/secret/project": 1},
        {"action": "get_state", "session_id": "C:\\secret\\project"},
        {"action": "get_state", "session_id": "~/secret/project"},
    ],
    ids=str,
)
async def test_no_answer_repeats_an_absolute_path(project, arguments):
    assert "secret" not in json.dumps(await dispatch(arguments))


@pytest.mark.parametrize("action", ["resume", "rollback", "pause", "delete_session", "get_state"])
async def test_a_call_on_an_unknown_session_writes_nothing(project, action):
    answer = await dispatch({"action": action, "session_id": ABSENT, "to_phase": 1})
    assert answer["error_type"] == "NotFoundError"
    assert list(project.iterdir()) == []


@pytest.mark.parametrize("linked", [".praxis-os", "state", "workflows", "finished", "definitions"])
async def test_state_is_not_written_outside_the_project_through_a_link(project, linked):
    outside = project.parent / "outside"
    outside.mkdir()
    parts = [".praxis-os", "state", "workflows", linked]
    place = project.joinpath(*parts[: parts.index(linked) + 1])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    answer = await aos_workflow("start", workflow_type="code_review_v1", target_file="a.py")
    assert answer["error_type"] in {"RuntimeError", "PermissionError"}
    assert "link" in answer["error"]
    assert tree(outside) == {}


@pytest.mark.parametrize("name", ["", "a\nb", "a\x1b[2J"])
async def test_a_field_name_that_a_terminal_would_obey_is_refused(project, name):
    write_workflow(project / ".praxis-os" / "workflows")
    session_id = await started()
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence={name: 1})
    assert answer["error"] == (
        "evidence has a field whose name is empty or holds control characters"
    )


async def test_two_spellings_of_a_target_are_one_target(project):
    write_workflow(project / ".praxis-os" / "workflows")
    first = await started()
    answer = await aos_workflow("start", workflow_type="small_v1", target_file="./src//a.py")
    assert (answer["target_file"], answer["other_sessions"]) == ("src/a.py", [first])


async def test_an_unknown_category_is_answered_with_the_known_ones(project):
    answer = await aos_workflow("list_workflows", category="tests")
    known = "code_generation, documentation, implementation, quality"
    assert answer["warnings"] == [f"no workflow of category 'tests'; there are: {known}"]


@pytest.mark.parametrize("action", ["pause", "get_state", "resume", "delete_session"])
async def test_a_state_folder_removed_while_running_is_an_error_and_not_the_end(project, action):
    write_workflow(project / ".praxis-os" / "workflows")
    session_id = await started()
    shutil.rmtree(project / ".praxis-os" / "state")
    answer = await dispatch({"action": action, "session_id": session_id})
    assert answer["error_type"] == "NotFoundError"
    assert not (project / ".praxis-os" / "state").exists()
    again = await started()
    assert (await aos_workflow("list_sessions"))["sessions"][0]["session_id"] == again
