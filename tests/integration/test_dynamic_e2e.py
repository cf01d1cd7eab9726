"""Workflows whose phases come from a list, walked through the real server."""

from typing import Any

import pytest
from mcp import Client

from mcp_server.config import Settings
from mcp_server.core.definitions import Definition
from mcp_server.example import Example, claims
from mcp_server.server.app import build_server
from mcp_server.server.services import library_for
from tests.builders import BUILT_IN_FOLDER, copy_compat, passing_evidence
from tests.integration.agent import Agent

LISTS = {
    "agent-os-upgrade": [3, 8, 6, 7, 6, 7],
    "aos-workflow": [3, 4, 6, 8, 5, 6],
    "divio-docs": [3, 4, 2, 5, 4, 1, 3],
    "dual-transport": [3, 7, 7, 6, 4],
}
"""Tasks of each phase, the static one first."""


async def walk(agent: Agent, started: dict[str, Any], definition: Definition, work: Any) -> None:
    """Read every task of every phase, do the work, and complete the phases to the end."""
    session = {"session_id": started["session_id"]}
    for phase in definition.phases:
        shown = (await agent.succeed("get_phase", **session))["phase_content"]
        assert shown["phase_number"] == phase.phase_number
        assert len(shown["tasks"]) == len(phase.tasks)
        for task in shown["tasks"]:
            read = await agent.succeed("get_task", **session, task_number=task["task_number"])
            assert "[TASK_NAME]" not in read["task_content"]["content"]
        passed = await agent.succeed(
            "complete_phase", **session, phase=phase.phase_number, evidence=work(phase)
        )
    assert passed["workflow_complete"] is True


@pytest.mark.parametrize("name", LISTS)
async def test_a_real_list_of_another_project_is_walked_to_its_end(project, compat, name):
    copy_compat(compat, project)
    (project / "spec").mkdir()
    (project / "spec" / "tasks.md").write_bytes((compat / f"tasks/{name}.tasks.md").read_bytes())
    options = {"spec_path": "spec"}
    definition = library_for(project).load("spec_execution_v1", options)
    assert [len(phase.tasks) for phase in definition.phases] == LISTS[name]

    async with Client(build_server(Settings(project=project))) as client:
        agent = await Agent.of(client)
        started = await agent.succeed(
            "start", workflow_type="spec_execution_v1", target_file="spec", options=options
        )
        assert started["total_phases"] == len(LISTS[name])
        await walk(agent, started, definition, lambda phase: passing_evidence(phase.gate))


async def test_what_one_workflow_specifies_another_one_executes(project):
    creation = Example.of(BUILT_IN_FOLDER / "spec_creation_v1")
    execution = Example.of(BUILT_IN_FOLDER / "spec_execution_v1")
    assert execution.target_file == creation.target_file

    def working(example: Example) -> Any:
        def work(phase: Any) -> dict[str, Any]:
            example.work(phase.phase_number, project)
            return claims(phase.gate)

        return work

    creation.begin(project)
    async with Client(build_server(Settings(project=project))) as client:
        agent = await Agent.of(client)
        target = {"target_file": creation.target_file}
        started = await agent.succeed("start", workflow_type="spec_creation_v1", **target)
        specified = library_for(project).load("spec_creation_v1")
        await walk(agent, started, specified, working(creation))

        options = {"spec_path": creation.target_file}
        executed = library_for(project).load("spec_execution_v1", options)
        started = await agent.succeed(
            "start", workflow_type="spec_execution_v1", **target, options=options
        )
        await walk(agent, started, executed, working(execution))
