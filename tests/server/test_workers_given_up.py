"""Verifications that nobody wants any more are stopped; those that somebody waits for go on."""

import os
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from mcp_server.config import Settings
from mcp_server.core.transitions import Status
from mcp_server.server import workers
from mcp_server.server.calls import Call, running
from mcp_server.server.services import services_for
from tests.server.test_cancelling import await_end_of_reader
from tests.server.verifying_builders import WAITING, CommandProject

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")

PATIENT = 60.0


STUBBORN = f"""
import os, pathlib, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
last = pathlib.Path("last.pid")
if last.exists():
    try:
        os.kill(int(last.read_text()), 0)
        pathlib.Path("overlap").touch()
    except ProcessLookupError:
        pass
last.write_text(str(os.getpid()))
{WAITING}
"""
"""A command that ignores being told to end, and notices when the one before is still there."""


@pytest.fixture(params=[WAITING])
def command(project, request):
    made = CommandProject(project, request.param)
    made.trust()
    return made


@pytest.fixture
def services(command, project):
    return services_for.__wrapped__(Settings(project=project, verify_wait=PATIENT))


@pytest.fixture
def session_id(services):
    return services.engine.start("run_v1", "src/a.py")["session_id"]


@pytest.fixture
def threads():
    with ThreadPoolExecutor(3) as pool:
        yield pool


class Heard(Call):
    """A call that says when somebody has begun to wait for it."""

    def __init__(self):
        super().__init__()
        self.is_heard = threading.Event()

    def listen(self, **listeners):
        super().listen(**listeners)
        self.is_heard.set()


def submitted(threads, services, session_id, call, **evidence) -> "Future[dict]":
    def submit():
        with running(call):
            return services.engine.complete_phase(session_id, 1, evidence)

    answer = threads.submit(submit)
    assert call.is_heard.wait(PATIENT)
    return answer


def test_a_call_that_is_left_and_then_taken_back_stops_its_run(
    command, services, session_id, threads
):
    call = Heard()
    answer = submitted(threads, services, session_id, call)
    waiting = command.waiting()
    call.leave()
    # Nobody reads this answer; it came at once, so that the server can end.
    assert answer.result(PATIENT)["verification"] == "running"
    call.cancel()
    await_end_of_reader(waiting)
    waiting.close()

    again = submitted(threads, services, session_id, Heard())
    command.let_go_on("one")
    assert again.result(PATIENT)["phase_completed"] == 1
    assert services.sessions.verify(session_id).lines == 2


def test_a_call_that_is_taken_back_before_it_is_left_stops_its_run_too(
    command, services, session_id, threads
):
    call = Heard()
    answer = submitted(threads, services, session_id, call)
    waiting = command.waiting()
    call.cancel()
    await_end_of_reader(waiting)
    waiting.close()
    assert answer.result(PATIENT)["verification"] == "running"
    assert services.sessions.load(session_id).status is Status.ACTIVE


def test_a_call_that_is_taken_back_before_its_command_runs_starts_none(
    command, services, session_id, threads
):
    call = Heard()
    call.cancel()
    submitted(threads, services, session_id, call).result(PATIENT)
    answer = submitted(threads, services, session_id, Heard())
    command.let_go_on("one")
    assert answer.result(PATIENT)["phase_completed"] == 1
    assert services.sessions.verify(session_id).lines == 2


def test_a_run_goes_on_while_another_call_waits_for_it(command, services, session_id, threads):
    first, second = Heard(), Heard()
    submitted(threads, services, session_id, first)
    answer = submitted(threads, services, session_id, second)
    waiting = command.waiting()
    first.cancel()
    waiting.write("one")
    waiting.close()
    assert answer.result(PATIENT)["phase_completed"] == 1


def test_the_last_call_that_waits_stops_the_run(command, services, session_id, threads):
    first, second = Heard(), Heard()
    for call in (first, second):
        submitted(threads, services, session_id, call)
    waiting = command.waiting()
    first.cancel()
    second.cancel()
    await_end_of_reader(waiting)
    waiting.close()


def test_a_call_that_was_answered_stops_nothing(command, project, session_id, threads):
    impatient = services_for.__wrapped__(Settings(project=project, verify_wait=0.0))
    call = Heard()
    running_on = submitted(threads, impatient, session_id, call).result(PATIENT)
    assert running_on["verification"] == "running"
    waiting = command.waiting()
    call.leave()
    call.cancel()
    waiting.write("one")
    waiting.close()
    patient = services_for.__wrapped__(Settings(project=project, verify_wait=PATIENT))
    # A run of its own would wait for a second writer.
    assert patient.engine.complete_phase(session_id, 1, {})["phase_completed"] == 1


def test_another_submission_may_follow_one_that_was_taken_back(
    command, services, session_id, threads
):
    call = Heard()
    submitted(threads, services, session_id, call)
    waiting = command.waiting()
    call.cancel()
    answer = submitted(threads, services, session_id, Heard(), note="another")
    await_end_of_reader(waiting)
    waiting.close()
    command.let_go_on("one")
    assert answer.result(PATIENT)["phase_completed"] == 1


def test_a_worker_that_does_not_end_is_killed(command, services, session_id, threads, monkeypatch):
    monkeypatch.setattr(workers, "_STOP_PATIENCE", 0.01)
    call = Heard()
    submitted(threads, services, session_id, call)
    waiting = command.waiting()
    os.kill(command.worker(session_id), signal.SIGSTOP)
    call.cancel()
    await_end_of_reader(waiting)
    waiting.close()
    answer = submitted(threads, services, session_id, Heard())
    command.let_go_on("one")
    assert answer.result(PATIENT)["phase_completed"] == 1


@pytest.mark.parametrize("command", [STUBBORN], indirect=True, ids=["stubborn"])
def test_the_next_run_waits_for_the_end_of_the_command_before(
    command, project, services, session_id, threads
):
    call = Heard()
    submitted(threads, services, session_id, call)
    waiting = command.waiting()
    call.cancel()
    answer = submitted(threads, services, session_id, Heard())
    await_end_of_reader(waiting)
    waiting.close()
    command.let_go_on("one")
    assert answer.result(PATIENT)["phase_completed"] == 1
    assert not (project / "overlap").exists()
