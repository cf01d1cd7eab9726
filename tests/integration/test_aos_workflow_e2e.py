"""The main job through a real client: in memory on each protocol revision, and over stdio."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from mcp_server.config import Settings
from mcp_server.core.definitions import Definition, Phase
from mcp_server.example import Example, claims
from mcp_server.server.app import build_server
from mcp_server.server.services import library_for
from mcp_server.server.tools.workflow_tools import VALID_ACTIONS
from tests.builders import (
    BUILT_IN_FOLDER,
    BUILT_IN_NAMES,
    EVIDENCE,
    copy_compat,
    passing_evidence,
    write_workflow,
)
from tests.integration.agent import Agent

REVISIONS = ("2025-06-18", "2025-11-25", "2026-07-28")

Work = Callable[[Phase], dict[str, Any]]
Connect = Callable[[Path], AbstractAsyncContextManager[Agent]]


@pytest.fixture(params=REVISIONS)
def connect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Connect an agent in memory on one protocol revision."""
    revision: str = request.param
    if revision < "2026":
        monkeypatch.setattr("mcp.client.session.LATEST_HANDSHAKE_VERSION", revision)

    @asynccontextmanager
    async def connected(project: Path) -> AsyncIterator[Agent]:
        mode = "legacy" if revision < "2026" else "auto"
        async with Client(build_server(Settings(project=project)), mode=mode) as client:
            assert client.protocol_version == revision
            yield await Agent.of(client)

    return connected


@asynccontextmanager
async def over_stdio(project: Path) -> AsyncIterator[Agent]:
    """Connect an agent to the server as clients start it."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_server"], env=dict(os.environ), cwd=project
    )
    async with Client(server, read_timeout_seconds=60) as client:
        yield await Agent.of(client)


async def walk(agent: Agent, definition: Definition, work: Work, target: str) -> None:
    """Walk a workflow from its first phase to its end, reading every task and doing the work."""
    started = await agent.succeed(
        "start", workflow_type=definition.workflow_type, target_file=target
    )
    session = {"session_id": started["session_id"]}
    assert started["total_phases"] == len(definition.phases)
    for phase in definition.phases:
        shown = await agent.succeed("get_phase", **session)
        assert shown["phase_content"]["phase_number"] == phase.phase_number
        assert shown["phase_content"]["content"] == phase.content
        for task in shown["phase_content"]["tasks"]:
            read = await agent.succeed("get_task", **session, task_number=task["task_number"])
            assert read["task_content"]["content"] == phase.task(task["task_number"]).content
        passed = await agent.succeed(
            "complete_phase", **session, phase=phase.phase_number, evidence=work(phase)
        )
        assert passed["checkpoint_passed"] is True
        last = phase is definition.phases[-1]
        assert passed.get("workflow_complete", False) is last
    state = await agent.succeed("get_state", **session)
    assert state["session_status"] == "completed"
    assert state["completed_phases"] == list(definition.phase_numbers)


async def test_every_action_succeeds_and_refuses_with_both_halves_complete(project, connect):
    write_workflow(project / ".praxis-os" / "workflows")
    async with connect(project) as agent:
        await agent.succeed("list_workflows")
        await agent("list_workflows", limit=0)
        started = await agent.succeed("start", workflow_type="small_v1", target_file="src/a.py")
        await agent("start", workflow_type="small_v1", target_file="../a.py")
        session = {"session_id": started["session_id"]}
        await agent.succeed("get_phase", **session)
        await agent("get_phase", **session, phase=2)
        await agent.succeed("get_task", **session, task_number=1)
        await agent("get_task", **session, task_number=5)
        await agent("complete_phase", **session, phase=1, evidence={"tests": True})
        await agent.succeed("get_errors", **session)
        await agent("pause", **session)
        await agent("retry_phase", **session, phase=2)
        await agent.succeed("retry_phase", **session, phase=1)
        await agent.succeed("complete_phase", **session, phase=1, evidence=dict(EVIDENCE))
        await agent("resume", **session)
        await agent.succeed("pause", **session, checkpoint_note='{"not": "parsed"}')
        await agent("rollback", **session, to_phase=1)
        await agent.succeed("resume", **session)
        await agent.succeed("rollback", **session, to_phase=1)
        await agent.succeed("get_state", **session)
        await agent("get_state", session_id="../x")
        await agent.succeed("list_sessions", status="active")
        await agent("list_sessions", status="open")
        await agent.succeed("get_session", **session)
        await agent.succeed("delete_session", **session, reason="done")
        for action in ("delete_session", "get_session", "get_errors"):
            await agent(action, **session)
        assert agent.seen == {(a, s) for a in VALID_ACTIONS for s in ("success", "error")}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "Unknown action: action is missing or not text"),
        ({"action": None}, "Unknown action: action is missing or not text"),
        ({"action": 5}, "Unknown action: action is missing or not text"),
        ({"action": "stop"}, "Unknown action: 'stop'"),
        ({"action": "start"}, "start needs workflow_type and target_file"),
        ({"action": "get_state", "sesion_id": "x"},
         "unknown argument 'sesion_id': did you mean session_id?"),
        ({"action": "get_state", "session_id": 5}, "Invalid session_id format: 5"),
        ({"action": "list_sessions", "limit": 2.5}, "limit must be a whole number, got number 2.5"),
        ({"action": "list_sessions", "limit": True},
         "limit must be a whole number, got boolean True"),
        ({"action": "list_sessions", "limit": [1]},
         "limit must be a whole number, got list of 1 items"),
    ],
    ids=str,
)  # fmt: skip
async def test_a_call_that_fits_no_schema_gets_our_envelope(project, connect, arguments, error):
    async with connect(project) as agent:
        answer = await agent(**arguments)
        assert answer["error"] == error


async def test_arguments_arrive_as_they_were_sent(project, connect):
    write_workflow(project / ".praxis-os" / "workflows")
    async with connect(project) as agent:
        started = await agent.succeed("start", workflow_type="small_v1", target_file="[1, 2]")
        assert started["target_file"] == "[1, 2]"
        session = {"session_id": started["session_id"], "wait_for_previous": True}
        paused = await agent.succeed("pause", **session, checkpoint_note="null", reason=None)
        assert paused["checkpoint"]["note"] == "null"
        assert paused["warnings"] == ["argument 'wait_for_previous' is not known and was ignored"]
        await agent.succeed("resume", **session)
        read = await agent.succeed("get_task", **session, task_number="1", phase=1.0)
        assert (read["task_number"], read["phase"]) == (1, 1)


async def test_a_session_goes_on_in_another_server(project, connect):
    write_workflow(project / ".praxis-os" / "workflows")
    async with connect(project) as agent:
        started = await agent.succeed("start", workflow_type="small_v1", target_file="a.py")
        session = {"session_id": started["session_id"]}
        await agent.succeed("complete_phase", **session, phase=1, evidence=dict(EVIDENCE))
    async with connect(project) as agent:
        passed = await agent.succeed("complete_phase", **session, phase=2, evidence=dict(EVIDENCE))
        assert passed["workflow_complete"] is True


@pytest.mark.parametrize("name", BUILT_IN_NAMES)
async def test_a_built_in_workflow_is_walked_to_its_end_over_stdio(project, name):
    example = Example.of(BUILT_IN_FOLDER / name)
    example.begin(project)

    def work(phase: Phase) -> dict[str, Any]:
        example.work(phase.phase_number, project)
        return claims(phase.gate)

    async with over_stdio(project) as agent:
        await walk(agent, library_for(project).load(name), work, example.target_file)


async def test_the_foreign_static_workflow_is_walked_to_its_end_over_stdio(project, compat):
    copy_compat(compat, project)
    definition = library_for(project).load("spec_creation_v1")
    assert definition.phase_numbers == (0, 1, 2, 3, 4, 5)
    async with over_stdio(project) as agent:
        listed = await agent.succeed("list_workflows")
        sources = {item["workflow_type"]: item["source"] for item in listed["workflows"]}
        assert sources["spec_creation_v1"] == ".praxis-os/workflows"
        await walk(agent, definition, lambda phase: passing_evidence(phase.gate), "src/orders.py")


def rpc(method: str, number: int | None = None, **params: Any) -> bytes:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(message | ({} if number is None else {"id": number})).encode() + b"\n"


def test_nothing_but_protocol_goes_to_standard_output(project):
    hello = {"protocolVersion": "2025-11-25", "capabilities": {},
             "clientInfo": {"name": "test", "version": "1"}}  # fmt: skip
    call = {"name": "aos_workflow", "arguments": {"action": "start", "workflow_type": "none",
                                                  "target_file": "/etc/passwd"}}  # fmt: skip
    sent = (
        rpc("initialize", 1, **hello)
        + rpc("notifications/initialized")
        + b"this is no message\n"
        + rpc("tools/list", 2)
        + rpc("tools/call", 3, **call)
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "mcp_server", "--project", str(project)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        process.stdin.write(sent)
        process.stdin.flush()
        lines = []
        while len({line.get("id") for line in lines} & {1, 2, 3}) < 3:
            lines.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        rest = process.stdout.read()
        assert process.wait(timeout=20) == 0
    assert rest == b""
    assert all(line["jsonrpc"] == "2.0" for line in lines)


def test_a_server_with_nothing_sensible_to_serve_says_so_in_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server"], cwd=tmp_path,
        env={**os.environ, "AOS_WORKFLOW_PROJECT": str(tmp_path / "gone")},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"aos-workflow: AOS_WORKFLOW_PROJECT is not a folder: '{tmp_path / 'gone'}'. Name an"
        " existing folder, or start the server inside the project.\n"
    )
