"""A server behind an address: checked as far as that goes without its files, and left clean."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

import anyio
import anyio.to_thread
import pytest

from mcp_server.config import STATE_DIR, Settings
from mcp_server.server.services import services_for
from mcp_server.validating.checks.registry import OWN
from mcp_server.validating.command import main, validate
from mcp_server.validating.connecting import Url
from mcp_server.validating.outcomes import Pace
from mcp_server.validating.project import throwaway
from mcp_server.validating.running import Validation
from tests.validating.http_server import TOKEN, serve
from tests.validating.validation_builders import PATIENT, checks_of, ended, start_script

NOT_CHECKED = {"complete_phase", "get_phase", "get_state", "get_task", "list_workflows",
               "retry_phase", "rollback", "start"}  # fmt: skip


def sessions(project: Path) -> list[str]:
    return sorted(path.stem for path in (project / STATE_DIR).glob("*.jsonl"))


def test_a_server_behind_a_token_holds_and_is_left_as_it_was(project):
    theirs = services_for(Settings(project=project)).engine.start("code_review_v1", "src/a.py")
    with serve(project) as served:
        report = validate(Url(served.url, TOKEN), PATIENT)
    assert report.failed == ()
    assert report.holds
    assert {check.problem for check in report.not_checked} == {OWN}
    assert {check.subject for check in report.not_checked} == NOT_CHECKED
    assert report.verdict("rollback") == "holds in part"
    assert report.timing("rollback").pace is Pace.NOT_MEASURED
    assert report.timing("complete_phase").pace is Pace.HOLDS
    assert sessions(project) == [theirs["session_id"]]


def test_a_stateless_server_holds_as_well(project):
    with serve(project, stateless=True) as served:
        report = validate(Url(served.url, TOKEN), replace(PATIENT, rounds=0), checks_of("pause"))
    assert report.failed == ()
    assert report.verdict("connection") == "holds"


def test_a_token_is_told_nowhere(monkeypatch, capsys):
    monkeypatch.setenv("SECRET", TOKEN)
    url = "http://127.0.0.1:1/mcp?key=" + TOKEN
    assert main(["--url", url, "--token-env", "SECRET"]) == 2
    told = capsys.readouterr()
    assert TOKEN not in told.out + told.err


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_server_that_does_not_let_us_in_is_wrong_usage(project, monkeypatch, capsys, token):
    monkeypatch.setenv("SECRET", token or "")
    with serve(project) as served:
        arguments = ["--url", served.url, *(["--token-env", "SECRET"] if token else [])]
        assert main(arguments) == 2
    assert "cannot be reached" in capsys.readouterr().err


def test_a_server_that_goes_down_fails_and_what_stays_is_told(project):
    with serve(project, down_at=b'"action":"get_task"') as served:
        report = validate(Url(served.url, TOKEN), replace(PATIENT, rounds=0), checks_of("get_task"))
    assert not report.holds
    assert report.verdict("get_task") == "failed"
    assert list(report.left_behind) == sessions(project)
    assert report.left_behind


async def test_a_run_that_is_cancelled_deletes_its_sessions(project):
    with (
        serve(project, hangs_at=b'"action":"get_task"') as served,
        throwaway() as own,
        TemporaryFile("w+", encoding="utf-8") as log,
    ):
        server = Url(served.url, TOKEN)
        validation = Validation(server, own, log, PATIENT, checks_of("get_task"))
        async with anyio.create_task_group() as group:
            group.start_soon(validation.run)
            assert await anyio.to_thread.run_sync(served.hanging.wait, 60)
            assert sessions(project) != []
            # As the limit on the whole run does, and unlike a signal, it cancels time and again.
            group.cancel_scope.cancel()
    assert sessions(project) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_run_that_is_interrupted_deletes_its_sessions(project):
    with serve(project, hangs_at=b'"action":"get_task"') as served:
        process = start_script("--url", served.url, "--token-env", "SECRET", SECRET=TOKEN)
        with ended(process):
            assert served.hanging.wait(60)
            assert sessions(project) != []
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + signal.SIGTERM, b"")
    assert err.endswith(b"interrupted; everything is cleaned up\n")
    assert sessions(project) == []
