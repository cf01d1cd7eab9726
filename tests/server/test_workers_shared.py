"""Verifications of sessions in a database: one at a time in all servers, and no address told."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psutil
import pytest

from mcp_server.config import STATE_VARIABLE, Settings
from mcp_server.core.transitions import Status
from mcp_server.errors import VerificationUnavailableError
from mcp_server.server.services import services_for
from tests.postgres_server import address, new_schema
from tests.server.verifying_builders import CommandProject

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")

PATIENT = 60.0


@pytest.fixture
def command(project):
    made = CommandProject(project)
    made.trust()
    return made


@pytest.fixture
def servers(project, monkeypatch):
    """What makes servers of one database, whose address the client put into the environment."""
    url = f"{address()}&application_name=told-to-nobody"
    monkeypatch.setenv(STATE_VARIABLE, url)
    schema, opened = new_schema(), []

    def server(wait=PATIENT):
        given = {"project": project, "project_id": "shop", "state": url, "verify_wait": wait}
        services = services_for.__wrapped__(
            Settings.model_validate({**given, "state_schema": schema})
        )
        opened.append(services.sessions.store)
        return services

    yield server
    for store in opened:
        store.close()


def started(services):
    return services.engine.start("run_v1", "src/a.py")["session_id"]


def worker() -> psutil.Process:
    """The process that verifies: one of another test may not have ended yet."""
    children = psutil.Process().children()
    found = [child for child in children if "mcp_server.verifying" in child.cmdline()]
    return max(found, key=psutil.Process.create_time)


def test_two_servers_run_one_verification_and_both_are_told(command, servers):
    first, second = servers(), servers()
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
    assert first.sessions.load(session_id).attempt == 1


def test_a_verification_that_runs_is_seen_by_any_server(command, servers):
    first, second = servers(0.0), servers()
    session_id = started(first)
    with ThreadPoolExecutor(1) as calls:
        first.engine.complete_phase(session_id, 1, {})
        with command.waiting() as waiting:
            assert second.engine.get_state(session_id)["verification"] == "running"
            answer = calls.submit(second.engine.complete_phase, session_id, 1, {})
            waiting.write("one")
        assert answer.result(PATIENT)["phase_completed"] == 1
    assert "verification" not in servers().engine.get_state(session_id)


def test_a_worker_that_is_killed_leaves_nothing_stuck(command, servers):
    services = servers()
    session_id = started(services)
    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {})
        with command.waiting():
            os.kill(worker().pid, signal.SIGKILL)
            with pytest.raises(VerificationUnavailableError):
                answer.result(PATIENT)
        assert services.sessions.load(session_id).status is Status.ACTIVE
        again = calls.submit(services.engine.complete_phase, session_id, 1, {})
        command.let_go_on("one")
        assert again.result(PATIENT)["phase_completed"] == 1


def test_no_process_that_verifies_shows_the_address_of_the_database(command, servers):
    services = servers()
    session_id = started(services)
    with ThreadPoolExecutor(1) as calls:
        answer = calls.submit(services.engine.complete_phase, session_id, 1, {})
        with command.waiting() as waiting:
            verifying = worker()
            for process in (verifying, *verifying.children(recursive=True)):
                shown = f"{process.cmdline()} {process.environ()}"
                assert "told-to-nobody" not in shown
                assert STATE_VARIABLE not in process.environ()
            waiting.write("one")
        assert answer.result(PATIENT)["phase_completed"] == 1


def test_the_state_of_a_project_is_not_shared_by_one_that_is_called_otherwise(command, servers):
    services = servers()
    started(services)
    other = services.settings.model_copy(update={"project_id": "bank"})
    sessions = services_for.__wrapped__(other).sessions
    with closing(sessions.store) as store:
        assert len(list(store.summaries())) == 1
        assert sessions.list_sessions()["count"] == 0
