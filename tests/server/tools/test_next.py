"""`next` is a promise: in every status, after every action, it can be called as it stands."""

import ast

import pytest

from mcp_server.core.transitions import Action, Status
from mcp_server.server.tools.workflow_tools import aos_workflow, dispatch
from tests.builders import EVIDENCE, write_workflow
from tests.calls import complete, refused, started

PLACEHOLDERS = {"workflow_type": "small_v1", "target_file": "src/b.py", "evidence": dict(EVIDENCE)}


def call_in(text):
    """The arguments of the call that `text` spells out, placeholders filled in."""
    call = ast.parse(text, mode="eval").body
    assert (call.func.id, call.args) == ("aos_workflow", [])
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    return {name: PLACEHOLDERS[name] if value in ("...", {"...": "..."}) else value
            for name, value in given.items()}  # fmt: skip


async def put(status):
    """A session of the small workflow in `status`, in its second phase."""
    session_id = await started()
    await complete(session_id, 1)
    match status:
        case Status.PAUSED:
            await aos_workflow("pause", session_id)
        case Status.FAILED:
            await aos_workflow("complete_phase", session_id, phase=2, evidence={"tests": 0})
        case Status.COMPLETED:
            await complete(session_id, 2)
    return session_id


ARGUMENTS = {"phase": 2, "task_number": 1, "to_phase": 1, "evidence": dict(EVIDENCE),
             "workflow_type": "small_v1", "target_file": "src/a.py"}  # fmt: skip


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("variant", ["right", "wrong numbers"])
async def test_next_can_be_called_as_it_stands(small, status, action, variant):
    session_id = await put(status)
    arguments = dict(ARGUMENTS)
    if variant == "wrong numbers":
        arguments |= {"phase": 9, "task_number": 9, "to_phase": 2}
    answer = await dispatch({"action": str(action), "session_id": session_id, **arguments})
    assert "next" in answer, answer
    followed = await dispatch(call_in(answer["next"]))
    assert followed["status"] == "success", (answer["next"], followed)


async def test_following_next_alone_leads_from_the_list_to_the_end(small):
    answer, calls = await aos_workflow("list_workflows"), 0
    while not answer.get("workflow_complete"):
        answer = await dispatch(call_in(answer["next"]))
        assert answer["status"] == "success"
        calls += 1
        assert calls < 20


async def test_a_phase_without_tasks_leads_to_its_gate(project):
    folder = write_workflow(project / ".praxis-os" / "workflows")
    (folder / "phases" / "1" / "task-1-do.md").unlink()
    answer = await aos_workflow("start", workflow_type="small_v1", target_file="a.py")
    assert call_in(answer["next"])["action"] == "complete_phase"


async def test_after_a_refusal_next_is_the_retry(small):
    session_id = await started()
    await refused(session_id)
    answer = await aos_workflow("complete_phase", session_id, phase=1, evidence=dict(EVIDENCE))
    assert call_in(answer["next"]) == {
        "action": "retry_phase", "session_id": session_id, "phase": 1,
    }  # fmt: skip
