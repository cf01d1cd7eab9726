"""Counting where a worker process or a person decides: once, in the server that answers."""

import asyncio
import os

import pytest
from mcp import Client
from mcp.types import ElicitResult

from mcp_server.config import Settings
from mcp_server.server import services as wiring
from mcp_server.server.app import build_server
from mcp_server.server.tools.workflow_tools import aos_workflow
from tests.builders import write_workflow
from tests.integration.agent import Agent
from tests.server.telemetry_builders import CALLS, FINISHED, STARTED, VERDICTS, counting
from tests.server.verifying_builders import GATE, CommandProject

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")

PATIENT = 60.0
OVERRIDABLE = {
    "checkpoint": {"strict": True, "allow_override": True},
    "evidence_schema": {"tests": {"type": "integer", "minimum": 1}},
}


def server(project, wait):
    """The services of a server process of its own."""
    return wiring.services_for.__wrapped__(Settings(project=project, verify_wait=wait))


@pytest.fixture
def command(project):
    made = CommandProject(project)
    write_workflow(project / ".praxis-os" / "workflows", "one_v1", phases=1, gate=GATE)
    made.trust()
    return made


async def call(services, action, **arguments):
    with wiring.bound(services):
        return await aos_workflow(action, **arguments)


async def begun(services):
    answer = await call(services, "start", workflow_type="one_v1", target_file="a.py")
    return {"session_id": answer["session_id"], "phase": 1, "evidence": {}}


async def concluded(services, submission):
    """Have a worker come to a result while nobody waits for it."""
    answer = await call(services, "complete_phase", **submission)
    assert answer["verification"] == "running"


@needs_pipes
async def test_what_a_worker_process_came_to_is_counted_where_it_is_answered(command, project):
    services = server(project, PATIENT)
    with counting() as counted:
        submission = await begun(services)
        going_on = asyncio.to_thread(command.let_go_on, "one")
        answer, _ = await asyncio.gather(call(services, "complete_phase", **submission), going_on)
        assert answer["workflow_complete"] is True
        assert counted.of(VERDICTS) == {("pass", "one_v1"): 1}
        assert counted.of(FINISHED) == {("one_v1",): 1}


@needs_pipes
@pytest.mark.parametrize(("passing", "verdict"), [(("one",), "pass"), ((), "fail")])
async def test_a_result_that_is_picked_up_later_is_counted_once_however_often(
    command, project, passing, verdict
):
    services = server(project, 0.0)
    with counting() as counted:
        submission = await begun(services)
        await concluded(services, submission)
        assert counted.of(VERDICTS) == {}
        await asyncio.to_thread(command.let_go_on, *passing)
        patient = server(project, PATIENT)
        while (await call(patient, "complete_phase", **submission)).get("verification"):
            pass
        for again in (services, patient):
            await call(again, "complete_phase", **submission)

        assert counted.of(VERDICTS) == {(verdict, "one_v1"): 1}
        finished = {("one_v1",): 1} if verdict == "pass" else {}
        assert counted.of(FINISHED) == finished
        assert counted.of(STARTED) == {("one_v1",): 1}


@needs_pipes
async def test_a_phase_that_leads_to_the_next_is_counted_once_too(command, project):
    services = server(project, PATIENT)
    with counting() as counted:
        answer = await call(services, "start", workflow_type="run_v1", target_file="a.py")
        submission = {"session_id": answer["session_id"], "phase": 1, "evidence": {}}
        going_on = asyncio.to_thread(command.let_go_on, "one")
        await asyncio.gather(call(services, "complete_phase", **submission), going_on)
        again = await call(services, "complete_phase", **submission)
        assert again["next_phase"]["phase_number"] == 2
        assert counted.of(VERDICTS) == {("pass", "run_v1"): 1}


@needs_pipes
async def test_a_worker_process_exports_nothing(command, project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(project))
    told = "import os; open('told', 'a').write(os.environ.get('OTEL_SDK_DISABLED', 'no') + ' ')"
    (project / "sitecustomize.py").write_text(told, encoding="utf-8")
    monkeypatch.chdir(project)
    services = server(project, PATIENT)
    submission = await begun(services)
    going_on = asyncio.to_thread(command.let_go_on, "one")
    await asyncio.gather(call(services, "complete_phase", **submission), going_on)
    assert (project / "told").read_text(encoding="utf-8").split()[0] == "true"


class Person:
    """Says the same to every question."""

    def __init__(self, **said):
        self._said = ElicitResult(action="accept", content=said)

    async def __call__(self, _context, _params):
        return self._said


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("waves", [True, False])
async def test_a_session_that_a_person_waves_through_is_finished_and_its_verdict_stays_a_no(
    project, mode, waves
):
    write_workflow(project / ".praxis-os" / "workflows", "one_v1", phases=1, gate=OVERRIDABLE)
    person = Person(wave_through=waves, reason="an experiment")
    with counting() as counted:
        made = build_server(Settings(project=project))
        async with Client(made, mode=mode, elicitation_callback=person) as client:
            agent = await Agent.of(client)
            answer = await agent("start", workflow_type="one_v1", target_file="a.py")
            submission = {"session_id": answer["session_id"], "phase": 1, "evidence": {"tests": 0}}
            answer = await agent("complete_phase", **submission)
        assert answer.get("workflow_complete", False) is waves
        assert counted.of(VERDICTS) == {("fail", "one_v1"): 1}
        assert counted.of(FINISHED) == ({("one_v1",): 1} if waves else {})
        refusals = counted.of(CALLS)["complete_phase", "ValidationError"]
        assert refusals == (2 if mode == "auto" and not waves else 1)
