"""Lies in the order of things: phases skipped, work made to look new, state edited by hand."""

import json
import os
import shutil
from pathlib import Path

import anyio
import pytest

from mcp_server.config import STATE_DIR, Settings
from mcp_server.server.services import services_for
from tests.builders import BUILT_IN_FOLDER, BUILT_IN_NAMES
from tests.integration.liar import (
    GATES,
    ILLEGAL,
    NOT_PASSED,
    Enter,
    assert_caught,
    assert_passes,
    assert_stands,
    begun,
    entrance,
    example_of,
    journal_of,
    liar_at,
    settle,
)

each_workflow = pytest.mark.parametrize("workflow", BUILT_IN_NAMES)

LENIENT = """checkpoint: {strict: false, allow_override: true}
evidence_schema:
  done: {type: boolean, description: Done}
"""


@pytest.fixture(name="enter")
def make_enter(tmp_path, tmp_path_factory, monkeypatch) -> Enter:
    """Bring the caller to the door of a phase, in a project of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return entrance(tmp_path_factory.getbasetemp(), tmp_path)


@each_workflow
async def test_a_phase_is_completed_in_its_turn_and_once(enter: Enter, workflow: str):
    scene = await enter(workflow, 3)
    honest = scene.work()
    arguments = scene.arguments(honest)
    async with liar_at(scene.project) as agent:
        for phase in (4, 5, 1, 2, 0, 99):
            answer = await agent("complete_phase", **arguments | {"phase": phase})
            await assert_caught(agent, scene, answer, ILLEGAL | {"NotFoundError"}, str(phase))
        await assert_passes(agent, scene, honest)
        answer = await agent("complete_phase", **arguments)
        assert answer["error_type"] == "StateError"
        assert await agent.phases(scene.session_id) == (4, [1, 2, 3])


@each_workflow
async def test_after_a_refusal_comes_retry_and_after_retry_new_work(enter: Enter, workflow: str):
    scene = await enter(workflow, 2)
    here = {"session_id": scene.session_id}
    async with liar_at(scene.project) as agent:
        honest = scene.work()
        wrong = dict.fromkeys(scene.gate.verified_fields, "wrong")
        await assert_caught(agent, scene, await agent.lie(scene, wrong))
        await assert_caught(agent, scene, await agent.lie(scene, honest), ILLEGAL)
        settle()
        await agent.succeed("retry_phase", **here, phase=2, reset_evidence=True)
        answer = await agent.lie(scene, honest)
        await assert_caught(agent, scene, answer)
        assert any("stale" in problem for problem in answer["validation_errors"])
        await agent.succeed("retry_phase", **here, phase=2)
        await assert_passes(agent, scene, scene.work())


@each_workflow
async def test_a_rollback_makes_the_work_stale(enter: Enter, workflow: str):
    scene = await enter(workflow, 2)
    async with liar_at(scene.project) as agent:
        honest = scene.work()
        await assert_passes(agent, scene, honest)
        settle()
        await agent.succeed("rollback", session_id=scene.session_id, to_phase=2)
        answer = await agent.lie(scene, honest)
        await assert_caught(agent, scene, answer)
        assert any("stale" in problem for problem in answer["validation_errors"])


@each_workflow
async def test_a_pause_makes_old_work_no_newer_and_new_work_no_older(enter: Enter, workflow: str):
    scene = await enter(workflow, 2)
    here = {"session_id": scene.session_id}
    async with liar_at(scene.project) as agent:
        honest = scene.work()
        for path in scene.files():
            os.utime(path, (0, 0))
        await agent.succeed("pause", **here)
        answer = await agent.lie(scene, honest)
        assert answer["error_type"] == "StateError"
        await agent.succeed("resume", **here)
        await assert_caught(agent, scene, await agent.lie(scene, honest))
        await agent.succeed("retry_phase", **here, phase=2)
        honest = scene.work()
        settle()
        await agent.succeed("pause", **here)
        await agent.succeed("resume", **here)
        await assert_passes(agent, scene, honest)


@each_workflow
async def test_two_servers_believe_no_more_than_one(enter: Enter, workflow: str):
    scene = await enter(workflow, 4)
    answers = []
    async with liar_at(scene.project) as one, liar_at(scene.project) as two:

        async def lie(agent) -> None:
            answers.append(await agent.lie(scene, scene.examples()))

        async with anyio.create_task_group() as group:
            for agent in (one, two, one, two):
                group.start_soon(lie, agent)
        allowed = NOT_PASSED | ILLEGAL | {"ConflictError"}
        for answer in answers:
            await assert_caught(two, scene, answer, allowed)


@each_workflow
async def test_the_gate_of_the_start_judges_whatever_becomes_of_its_file(tmp_path, workflow: str):
    project = tmp_path / "project"
    folder = project / ".praxis-os" / "workflows" / workflow
    shutil.copytree(BUILT_IN_FOLDER / workflow, folder)
    example_of(workflow).begin(project)
    scene = await begun(workflow, project)
    gate = folder / "phases" / "1" / "gate-definition.yaml"
    bomb = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(50))
    async with liar_at(project) as agent:
        for text in (LENIENT, "", "{", bomb, None):
            gate.unlink(missing_ok=True)
            if text is not None:
                gate.write_text(text, encoding="utf-8")
            await assert_caught(agent, scene, await agent.lie(scene, {"done": True}))
            await agent.succeed("retry_phase", session_id=scene.session_id, phase=1)
        shutil.rmtree(folder)
        await assert_caught(agent, scene, await agent.lie(scene, scene.examples()))
        await agent.succeed("retry_phase", session_id=scene.session_id, phase=1)
        await assert_passes(agent, scene, scene.work())


@each_workflow
async def test_a_lenient_workflow_of_the_same_name_comes_too_late(enter: Enter, workflow: str):
    scene = await enter(workflow, 3)
    folder = scene.project / ".praxis-os" / "workflows" / workflow
    shutil.copytree(BUILT_IN_FOLDER / workflow, folder)
    for gate in folder.glob("phases/*/gate-definition.yaml"):
        gate.write_text(LENIENT, encoding="utf-8")
    async with liar_at(scene.project) as agent:
        await assert_caught(agent, scene, await agent.lie(scene, {"done": True}))


def edit(path: Path, old: bytes, new: bytes) -> None:
    """Change a file by hand."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


@each_workflow
async def test_a_pinned_gate_that_was_edited_judges_nothing(enter: Enter, workflow: str):
    scene = await enter(workflow, 3)
    (pinned,) = (scene.project / STATE_DIR / "definitions").glob("*.json")
    edit(pinned, b'"strict":true', b'"strict":false')
    async with liar_at(scene.project) as agent:
        answer = await agent.lie(scene, scene.examples())
        assert (answer["status"], answer["error_type"]) == ("error", "RuntimeError")
        assert "missing or altered" in answer["error"]


@each_workflow
async def test_a_journal_that_was_edited_is_not_believed(enter: Enter, workflow: str):
    scene = await enter(workflow, 3)
    edit(journal_of(scene), b'"current_phase":3', b'"current_phase":5')
    async with liar_at(scene.project) as agent:
        for answer in (
            await agent("complete_phase", **scene.arguments(scene.examples()) | {"phase": 5}),
            await agent("get_state", session_id=scene.session_id),
        ):
            assert (answer["status"], answer["error_type"]) == ("error", "RuntimeError")
    audit = services_for(Settings(project=scene.project)).sessions.verify(scene.session_id)
    assert not audit.holds
    assert "not what its hash says" in str(audit.problem)


@each_workflow
async def test_lines_of_a_journal_cannot_be_left_out(enter: Enter, workflow: str):
    scene = await enter(workflow, 4)
    journal = journal_of(scene)
    first, *_, last = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + last)
    audit = services_for(Settings(project=scene.project)).sessions.verify(scene.session_id)
    assert audit.problem == "it says it is line 4, and stands at 2"


@each_workflow
async def test_the_history_of_another_session_is_not_one_s_own(enter: Enter, workflow: str):
    scene = await enter(workflow, max(phase for name, phase in GATES if name == workflow))
    young = await begun(workflow, scene.project)
    shutil.copyfile(journal_of(scene), journal_of(young))
    async with liar_at(scene.project) as agent:
        answer = await agent("get_state", session_id=young.session_id)
        assert "it holds session" in answer["error"]
        answer = await agent.lie(young, scene.examples())
        assert answer["error_type"] == "RuntimeError"


@each_workflow
async def test_what_lies_about_in_the_project_sets_nothing(enter: Enter, workflow: str):
    scene = await enter(workflow, 2)
    home = scene.project / "home"
    settings = {"AOS_WORKFLOW_PROJECT": str(home), "HOME": str(home), "AOS_WORKFLOW_STRICT": "0",
                "AOS_WORKFLOW_VERIFY_WAIT": "0"}  # fmt: skip
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    for name in (".env", ".envrc", ".praxis-os/.env", ".praxis-os/config.env"):
        (scene.project / name).write_text(lines, encoding="utf-8")
    (scene.project / ".praxis-os" / "config.json").write_text(json.dumps(settings))
    async with liar_at(scene.project) as agent:
        await assert_caught(agent, scene, await agent.lie(scene, scene.examples()))
        await assert_stands(agent, scene)
    assert not home.exists()
