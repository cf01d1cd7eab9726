"""A call that its client takes back stops what works for it; nothing else does."""

import os
import select
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from mcp.types import CancelledNotification, CancelledNotificationParams

from mcp_server.config import Settings
from mcp_server.server.app import build_server
from mcp_server.server.services import services_for
from tests.integration.agent import Agent
from tests.revisions import connected
from tests.server.verifying_builders import CommandProject
from tests.server.wire import PATIENCE, Wire, tool_call

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")

ERAS = ("2025-11-25", "2026-07-28")


@pytest.fixture
def command(project: Path) -> CommandProject:
    made = CommandProject(project)
    made.trust()
    return made


def started(wire):
    answer = wire.call(1, "start", workflow_type="run_v1", target_file="src/a.py")
    return answer["session_id"]


def submission(session_id):
    return tool_call("complete_phase", session_id=session_id, phase=1, evidence={})


def changes(project, session_id):
    sessions = services_for(Settings(project=project)).sessions
    return sessions.verify(session_id).lines


def picked_up(project, session_id):
    """What a server of its own answers to the same submission."""
    services = services_for.__wrapped__(Settings(project=project, verify_wait=PATIENCE))
    return services.engine.complete_phase(session_id, 1, {})


def await_end_of_reader(pipe):
    """Wait until whoever reads from the pipe has gone."""
    poll = select.poll()
    poll.register(pipe, 0)
    assert poll.poll(PATIENCE * 1_000), "the command was not ended"


@pytest.mark.parametrize("revision", ERAS)
def test_a_cancelled_call_ends_its_command_and_records_nothing(command, project, revision):
    with Wire(revision, project) as wire:
        session_id = started(wire)
        wire.send("tools/call", submission(session_id), number=7)
        waiting = command.waiting()
        wire.tell("notifications/cancelled", {"requestId": 7, "reason": "the user pressed Esc"})
        await_end_of_reader(waiting)
        waiting.close()
        assert changes(project, session_id) == 1

        # A run of its own, which begins when the lease is free.
        wire.send("tools/call", submission(session_id), number=8)
        command.let_go_on("one")
        passed = wire.answer_to(8)["structuredContent"]

    assert passed["phase_completed"] == 1
    assert passed["evidence"]["passed"]["known"] == "executed"
    assert changes(project, session_id) == 2
    # A call that was taken back is not answered.
    assert 7 not in {message.get("id") for message in wire.others}


@pytest.mark.parametrize("revision", ERAS)
def test_a_call_that_was_answered_cannot_be_taken_back(command, project, revision):
    with Wire(revision, project, AOS_WORKFLOW_VERIFY_WAIT="0") as wire:
        session_id = started(wire)
        running = wire.ask("tools/call", submission(session_id), number=7)
        assert running["structuredContent"]["verification"] == "running"
        waiting = command.waiting()
        for number in (0, 1, 7, "7", 99, True, None, [7]):
            wire.tell("notifications/cancelled", {"requestId": number})
        assert wire.call(8, "get_state", session_id=session_id)["verification"] == "running"
        waiting.write("one")
        waiting.close()
        # A run of its own would wait for a second writer.
        assert picked_up(project, session_id)["phase_completed"] == 1


@pytest.mark.parametrize("revision", ERAS)
def test_the_end_of_the_connection_takes_nothing_back(command, project, revision):
    with Wire(revision, project) as wire:
        session_id = started(wire)
        wire.send("tools/call", submission(session_id), number=7)
        waiting = command.waiting()
        assert wire.close() == 0

        waiting.write("one")
        waiting.close()
        assert picked_up(project, session_id)["phase_completed"] == 1
    assert changes(project, session_id) == 2


async def test_a_client_cannot_take_back_the_call_of_another_one(command, project):
    server = build_server(Settings(project=project, verify_wait=PATIENCE))
    async with connected(server, ERAS[0]) as first, connected(server, ERAS[0]) as second:
        agent = await Agent.of(first)
        session = await agent.succeed("start", workflow_type="run_v1", target_file="src/a.py")
        passed = []

        async def complete() -> None:
            arguments = {"phase": 1, "evidence": {}}
            passed.append(
                await agent("complete_phase", session_id=session["session_id"], **arguments)
            )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(complete)
            waiting = await anyio.to_thread.run_sync(command.waiting)
            for number in range(20):
                params = CancelledNotificationParams(request_id=number)
                await second.session.send_notification(CancelledNotification(params=params))
            await second.list_tools()
            waiting.write("one")
            waiting.close()
    assert passed[0]["phase_completed"] == 1
