"""A server behind an address: checked as far as that goes without its files, and left clean."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.config import STATE_DIR, Settings
from mcp_server.server.services import services_for
from mcp_server.validating.checks.registry import OWN
from mcp_server.validating.command import main, validate
from mcp_server.validating.connecting import Url
from mcp_server.validating.outcomes import Pace
from tests.validating.http_server import TOKEN, serve
from tests.validating.validation_builders import PATIENT

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "validate_aos_workflow.py"

NOT_CHECKED = {"complete_phase", "get_phase", "get_state", "get_task", "list_workflows",
               "retry_phase", "rollback", "start"}  # fmt: skip


def sessions(project: Path) -> list[str]:
    return sorted(path.stem for path in (project / STATE_DIR).glob("*.jsonl"))


@pytest.mark.parametrize("stateless", [False, True], ids=["stateful", "stateless"])
def test_a_server_behind_a_token_holds_and_is_left_as_it_was(project, stateless):
    theirs = services_for(Settings(project=project)).engine.start("code_review_v1", "src/a.py")
    with serve(project, stateless=stateless) as served:
        report = validate(Url(served.url, TOKEN), PATIENT)
    assert report.failed == ()
    assert report.holds
    assert {check.problem for check in report.not_checked} == {OWN}
    assert {check.subject for check in report.not_checked} == NOT_CHECKED
    assert report.timing("rollback").pace is Pace.NOT_MEASURED
    assert report.timing("complete_phase").pace is Pace.HOLDS
    assert sessions(project) == [theirs["session_id"]]


def test_the_token_of_the_environment_is_sent_and_told_nowhere(project, monkeypatch, capsys):
    monkeypatch.setenv("SECRET", TOKEN)
    with serve(project) as served:
        arguments = ["--url", served.url, "--token-env", "SECRET", "--slack", "100", "--json"]
        assert main([*arguments, "--rounds", "1"]) == 0
    told = capsys.readouterr()
    assert TOKEN not in told.out + told.err
    data = json.loads(told.out)
    assert data["memory"]["verdict"] == "not measured"
    assert data["memory"]["reason"] == "the server is not started by this run"


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_server_that_does_not_let_us_in_is_wrong_usage(project, monkeypatch, capsys, token):
    monkeypatch.setenv("SECRET", token or "")
    with serve(project) as served:
        arguments = ["--url", served.url, *(["--token-env", "SECRET"] if token else [])]
        assert main(arguments) == 2
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_run_that_is_interrupted_deletes_its_sessions(project):
    with serve(project, hangs_at=b'"action":"pause"') as served:
        arguments = ["--url", served.url, "--token-env", "SECRET"]
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            env={**os.environ, "SECRET": TOKEN}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with process:
            assert served.hanging.wait(60)
            assert sessions(project) != []
            process.send_signal(signal.SIGTERM)
            told = process.communicate(timeout=60)
    assert (process.returncode, told[0]) == (128 + signal.SIGTERM, b"")
    assert told[1].endswith(b"interrupted; everything is cleaned up\n")
    assert sessions(project) == []
