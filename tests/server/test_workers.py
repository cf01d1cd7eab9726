"""Verifications in processes of their own: waited for, picked up, never stuck."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import mcp_server
from mcp_server.config import STATE_VARIABLE, Settings
from mcp_server.core.transitions import Status
from mcp_server.errors import ConflictError, GateRefusedError, VerificationUnavailableError
from mcp_server.server.services import services_for
from tests.server.verifying_builders import REPORT, CommandProject

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")

PATIENT = 60.0


def server(project, wait):
    """The services of a server process of its own."""
    return services_for.__wrapped__(Settings(project=project, verify_wait=wait))


@pytest.fixture
def command(project):
    made = CommandProject(project)
    made.trust()
    return made


def started(services):
    return services.engine.start("run_v1", "src/a.py")["session_id"]


def running(session_id, **evidence):
    shown = "{}" if not evidence else '{"note":"x"}'
    return {
        "verification": "running",
        "phase": 1,
        "next": f'aos_workflow(action="complete_phase", session_id="{session_id}", phase=1,'
        f" evidence={shown})",
    }


def test_a_trusted_command_is_run_and_its_report_read(command, project):
    services = server(project, PATIENT)
    session_id = started(services)
    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {"passed": 2})
        command.let_go_on("one", "two")
        passed = answer.result(PATIENT)

    assert passed["checkpoint_passed"] is True
    assert passed["evidence"]["passed"]["known"] == "executed"
    assert passed["evidence"]["passed"]["observed"]["value"] == 2
    assert passed["evidence"]["passed"]["observed"]["files"][0]["path"] == REPORT


def test_what_the_command_shows_decides_and_not_the_claim(command, project):
    services = server(project, PATIENT)
    session_id = started(services)
    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {"passed": 3})
        command.let_go_on("one", "two")
        with pytest.raises(GateRefusedError) as refusal:
            answer.result(PATIENT)

    (problem,) = refusal.value.fields["validation_errors"]
    assert problem.startswith("passed: claimed 3, but command test")
    assert services.sessions.load(session_id).status is Status.FAILED


def test_a_run_that_outlives_the_wait_is_picked_up_by_the_same_call(command, project):
    services = server(project, 0.0)
    session_id = started(services)
    assert services.engine.complete_phase(session_id, 1, {}) == running(session_id)
    assert services.engine.get_state(session_id)["verification"] == "running"
    assert services.engine.complete_phase(session_id, 1, {}) == running(session_id)

    command.let_go_on("one")
    patient = server(project, PATIENT)
    passed = patient.engine.complete_phase(session_id, 1, {})

    assert passed["phase_completed"] == 1
    assert passed["evidence"]["passed"]["known"] == "executed"
    assert "verification" not in patient.engine.get_state(session_id)


def test_a_refusal_is_picked_up_too_by_any_server(command, project):
    session_id = started(server(project, 0.0))
    first = server(project, 0.0)
    assert first.engine.complete_phase(session_id, 1, {"passed": 9}) == running(session_id) | {
        "next": running(session_id)["next"].replace("{}", '{"passed":9}')
    }

    command.let_go_on("one")
    for patient in (server(project, PATIENT), server(project, PATIENT)):
        with pytest.raises(GateRefusedError) as refusal:
            patient.engine.complete_phase(session_id, 1, {"passed": 9})
        assert refusal.value.fields["checkpoint_passed"] is False
    assert len(server(project, 0.0).sessions.load(session_id).errors) == 1


def test_two_servers_run_one_verification(command, project):
    first, second = server(project, PATIENT), server(project, PATIENT)
    session_id = started(first)
    with ThreadPoolExecutor(2) as calls:
        answers = [
            calls.submit(services.engine.complete_phase, session_id, 1, {})
            for services in (first, second)
        ]
        # A second run would wait for a second writer, and for ever.
        command.let_go_on("one")
        found = [answer.result(PATIENT) for answer in answers]

    assert [answer["phase_completed"] for answer in found] == [1, 1]
    state = first.sessions.load(session_id)
    assert (state.current_phase, state.attempt) == (2, 1)


def test_another_submission_waits_for_the_one_that_runs(command, project):
    services = server(project, 0.0)
    session_id = started(services)
    services.engine.complete_phase(session_id, 1, {})
    with pytest.raises(ConflictError) as refusal:
        services.engine.complete_phase(session_id, 1, {"note": "x"})
    assert refusal.value.fields["next"] == (
        f'aos_workflow(action="get_state", session_id="{session_id}")'
    )
    command.let_go_on("one")
    assert server(project, PATIENT).engine.complete_phase(session_id, 1, {})["phase_completed"] == 1


def test_a_worker_that_is_killed_leaves_nothing_stuck(command, project):
    services = server(project, PATIENT)
    session_id = started(services)
    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {})
        waiting = command.waiting()
        os.kill(command.worker(session_id), signal.SIGKILL)
        with pytest.raises(VerificationUnavailableError) as broken:
            answer.result(PATIENT)
        waiting.close()
    assert broken.value.message == "the verification broke off before it came to a result"
    assert services.sessions.load(session_id).status is Status.ACTIVE
    assert "verification" not in services.engine.get_state(session_id)

    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {})
        command.let_go_on("one")
        assert answer.result(PATIENT)["phase_completed"] == 1


def test_a_session_that_is_set_aside_meanwhile_is_left_as_it_is(command, project):
    services = server(project, PATIENT)
    session_id = started(services)
    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {})
        with command.waiting() as waiting:
            services.sessions.pause(session_id)
            waiting.write("one")
        with pytest.raises(Exception, match="complete_phase is not legal while the session is"):
            answer.result(PATIENT)
    assert services.sessions.load(session_id).status is Status.PAUSED


def test_a_time_limit_is_nobodys_failure(project):
    command = CommandProject(project, timeout=0.5)
    command.trust()
    services = server(project, PATIENT)
    session_id = started(services)
    with pytest.raises(VerificationUnavailableError) as refusal:
        services.engine.complete_phase(session_id, 1, {})
    (problem,) = refusal.value.fields["unverified"]
    assert problem == ("passed: command test did not end within 0.5 seconds; it printed nothing")
    assert services.sessions.load(session_id).errors == ()


def test_a_command_that_nobody_trusts_is_not_run(project):
    CommandProject(project)
    services = server(project, PATIENT)
    session_id = started(services)
    with pytest.raises(GateRefusedError) as refusal:
        services.engine.complete_phase(session_id, 1, {})
    assert refusal.value.fields["validation_errors"] == [
        f"passed: {REPORT} is not there; needed: Passing tests"
    ]


def test_a_module_in_the_working_folder_is_not_imported(command, project, monkeypatch):
    trap = "import pathlib; pathlib.Path('trapped').touch()"
    for name in ("mcp_server.py", "json.py", "pydantic.py"):
        (project / name).write_text(trap, encoding="utf-8")
    monkeypatch.chdir(project)
    services = server(project, PATIENT)
    session_id = started(services)
    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {})
        command.let_go_on("one")
        assert answer.result(PATIENT)["phase_completed"] == 1
    assert not (project / "trapped").exists()


def test_a_worker_has_what_the_server_has_but_for_the_address_of_a_database(
    command, project, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv(STATE_VARIABLE, "postgresql://127.0.0.1/told-to-nobody")
    services = server(project, PATIENT)
    session_id = started(services)
    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {})
        with command.waiting() as waiting:
            worker = command.worker(session_id)
            told, leader = psutil.Process(worker).environ(), os.getsid(worker)
            waiting.write("one")
        assert answer.result(PATIENT)["phase_completed"] == 1
    here = {name: value for name, value in os.environ.items() if name != STATE_VARIABLE}
    search = os.pathsep.join((str(Path(mcp_server.__file__).parent.parent), "elsewhere"))
    assert told == {**here, "PYTHONPATH": search, "OTEL_SDK_DISABLED": "true"}
    # What is typed at the server's terminal does not reach it.
    assert leader == worker


def test_threads_of_one_server_share_a_run(command, project):
    services = server(project, PATIENT)
    session_id = started(services)
    ready = threading.Barrier(4)

    def call():
        ready.wait(PATIENT)
        return services.engine.complete_phase(session_id, 1, {})

    with ThreadPoolExecutor(4) as calls:
        answers = [calls.submit(call) for _ in range(4)]
        command.let_go_on("one")
        assert [answer.result(PATIENT)["phase_completed"] for answer in answers] == [1] * 4
