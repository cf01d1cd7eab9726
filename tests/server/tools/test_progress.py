"""While a command runs for one call, the server answers others and shows signs of life."""

import os

import anyio
import pytest
from mcp import Client

from mcp_server.config import Settings
from mcp_server.server.app import build_server
from mcp_server.server.tools import progress
from tests.integration.agent import Agent
from tests.revisions import REVISIONS, connected
from tests.server.verifying_builders import CommandProject

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")


@pytest.fixture
def command(project):
    made = CommandProject(project)
    made.trust()
    return made


@pytest.mark.parametrize("revision", REVISIONS)
async def test_other_calls_are_answered_and_progress_is_told(
    command, project, monkeypatch, revision
):
    monkeypatch.setattr(progress, "_EVERY_SECONDS", 0.01)
    told: list[tuple[float, str | None]] = []
    alive = anyio.Event()

    async def on_progress(done: float, _total: float | None, message: str | None) -> None:
        told.append((done, message))
        alive.set()

    server = build_server(Settings(project=project, verify_wait=60))
    async with connected(server, revision) as client:
        agent = await Agent.of(client)
        started = await agent.succeed("start", workflow_type="run_v1", target_file="src/a.py")
        session = {"session_id": started["session_id"]}
        arguments = {"action": "complete_phase", **session, "phase": 1, "evidence": {}}
        passed = []

        async def complete() -> None:
            result = await client.call_tool(
                "aos_workflow", arguments, progress_callback=on_progress
            )
            passed.append(result.structured_content)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(complete)
            with anyio.fail_after(60):
                await alive.wait()
                waiting = await anyio.to_thread.run_sync(command.waiting)
                state = await agent.succeed("get_state", **session)
                assert state["verification"] == "running"
                assert "get_state" in state["next"]
                await agent.succeed("list_workflows")
                waiting.write("one")
                waiting.close()

    assert passed[0]["phase_completed"] == 1
    assert told[0] == (1, "verifying for 1 s")
    assert [done for done, _ in told] == sorted(done for done, _ in told)


async def test_a_call_that_does_not_verify_reports_nothing(command, project, monkeypatch):
    monkeypatch.setattr(progress, "_EVERY_SECONDS", 0.0)
    told = []

    async def on_progress(*progress_told) -> None:
        told.append(progress_told)

    async with Client(build_server(Settings(project=project))) as client:
        await client.call_tool(
            "aos_workflow", {"action": "list_workflows"}, progress_callback=on_progress
        )
    assert told == []
