"""`serve --http` as a process: what keeps it from serving, and how it ends."""

import os
import signal
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx2
import pytest
from typer.testing import CliRunner

from mcp_server.cli import app
from mcp_server.config import STATE_DIR
from mcp_server.core.file_store import FileStore
from mcp_server.http.options import HttpOptions
from tests.http.http_builders import (
    PATIENCE,
    STATELESS,
    answer_of,
    call,
    client,
    headers_for,
    message,
    post,
    served,
)
from tests.http.processes import started

runner = CliRunner()
MIB = 1024 * 1024
DRAIN = HttpOptions().drain_timeout

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--http 192.0.2.1:8000", "nothing says who may call"),
        ("--http --allow-host flows.example.com", "nothing says who may call"),
        ("--http --public-url https://flows.example.com/mcp", "nothing says who may call"),
        ("--http x:y", "'x:y' is no address to listen on"),
        ("--http --jwt-issuer https://id.example.com", "an issuer and an audience go together"),
        ("--http --token-file .", "the token file"),
        ("--http --project none", "--project is not a folder"),
        ("127.0.0.1:8000", "address: this is about HTTP"),
        ("--public-url https://x/mcp --jwks k", "jwks, public_url: this is about HTTP"),
    ],
)
def test_what_cannot_serve_says_so_in_a_line(project, line, told):
    done = runner.invoke(app, ["serve", *line.split()])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("aos-workflow: ")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_told(project):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = runner.invoke(app, ["serve", "--http", f"127.0.0.1:{taken.getsockname()[1]}"])
    assert done.exit_code == 2
    assert "cannot be listened on" in done.stderr


def health(url, path):
    with client() as asking:
        return asking.get(httpx2.URL(url).join(path))


def test_health_says_what_does_not_hold_and_nothing_of_where(project, tmp_path):
    with served(project) as url:
        assert (health(url, "/healthz").json(), health(url, "/readyz").json()) == (
            {"status": "ok"},
            {"status": "ok", "checks": {"project": "ok", "store": "ok", "accepting": "ok"}},
        )
    with served(project) as url:
        project.rename(tmp_path / "elsewhere")
        found = health(url, "/readyz")
        assert found.status_code == 503
        assert found.json()["checks"]["project"] == "failed"
        assert str(tmp_path) not in found.text
        assert health(url, "/healthz").status_code == 200


def test_a_body_may_be_a_little_larger_than_evidence_and_no_larger(project):
    with served(project, settings={"max_evidence_size": 1_000}) as url:
        session = call(url, action="start", workflow_type="code_review_v1", target_file="src/a.py")[
            "session_id"
        ]
        named = {"action": "complete_phase", "session_id": session, "phase": 1}
        refused = call(url, **named, evidence={"a": "x" * 10_000})
        assert refused["error_type"] == "ValueError"
        assert "too large" in refused["error"]
        assert post(url, **named, evidence={"a": "x" * 2 * MIB}).status_code == 413


def test_a_body_without_a_length_is_counted_as_it_comes(project):
    def parts():
        for _ in range(64):
            yield b"x" * MIB

    with served(project) as url, client() as asking:
        refused = asking.post(url, headers=headers_for(), content=parts())
        assert refused.status_code == 413


def refuses_connections(url):
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname, where.port), PATIENCE).close()
    except OSError:
        return True
    return False


@posix
@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
def test_a_running_call_is_finished_before_the_server_ends(project, ends):
    with started(project) as (process, url), client() as asking, ExitStack() as held:
        session = call(url, action="start", workflow_type="code_review_v1", target_file="src/a.py")[
            "session_id"
        ]
        held.enter_context(FileStore(project / STATE_DIR).locked(session))
        pause = message(action="pause", session_id=session)
        with asking.stream("POST", url, headers=headers_for(), json=pause) as response:
            # The head of the answer is here: the call runs, and waits for the lock.
            process.send_signal(ends)
            while not refuses_connections(url):
                assert process.poll() is None
            held.close()
            answer = answer_of(response.read().decode())
        assert (answer["status"], process.wait(PATIENCE)) == ("success", 0)


@posix
def test_a_second_signal_does_not_wait(project):
    with started(project) as (process, url), client() as asking, ExitStack() as held:
        session = call(url, action="start", workflow_type="code_review_v1", target_file="src/a.py")[
            "session_id"
        ]
        store = FileStore(project / STATE_DIR)
        held.enter_context(store.locked(session))
        pause = message(action="pause", session_id=session)
        with asking.stream("POST", url, headers=headers_for(), json=pause):
            process.send_signal(signal.SIGTERM)
            while not refuses_connections(url):
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == -signal.SIGTERM
        assert store.read(session).seq == 1


@posix
def test_a_stream_of_news_does_not_keep_the_server(project):
    about = {
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    listen = message(
        "subscriptions/listen", notifications={"resourcesListChanged": True}, _meta=about
    )
    headers = headers_for(revision=STATELESS) | {"Mcp-Method": "subscriptions/listen"}
    with (
        started(project) as (process, url),
        client() as asking,
        asking.stream("POST", url, headers=headers, json=listen) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        process.send_signal(signal.SIGTERM)
        # Were it waited for, it would be for as long as calls are, which is longer.
        assert process.wait(DRAIN / 2) == 0


def test_nothing_but_its_address_is_said(project):
    with started(project) as (process, url):
        call(url, action="list_sessions")
        post(url, "wrong", action="list_sessions")
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
    assert said == ""
