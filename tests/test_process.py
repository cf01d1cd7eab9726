"""The server as a process: what it survives, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import mcp_server
from mcp_server.config import Settings
from mcp_server.core.transitions import Status
from mcp_server.core.verification import verify
from mcp_server.server.services import services_for
from tests.builders import EVIDENCE, write_workflow
from tests.server.verifying_builders import CommandProject
from tests.wire import GUARD, Wire, call, line, read_all, request

PACKAGE = Path(mcp_server.__file__).parent
MANY = 10_000
MEBIBYTE = 1_024

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="ends processes by signals")
needs_named_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")


@pytest.fixture
def small(project):
    """A project with a small workflow."""
    write_workflow(project / ".praxis-os" / "workflows")
    return project


def started(wire, workflow_type="small_v1"):
    answer = wire.answer("start", workflow_type=workflow_type, target_file="src/a.py")
    return answer["session_id"]


def peak(wire):
    """The most memory that the server has had so far, in KiB; None where nobody can tell."""
    status = Path(f"/proc/{wire.process.pid}/status")
    if not status.exists():
        return None
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text(encoding="utf-8"))[1])


def leave(wire):
    wire.close()


def terminate(wire):
    wire.process.terminate()


def interrupt(wire):
    wire.process.send_signal(signal.SIGINT)


def audited(project, session_id):
    """The stored session, after every line of its journal was found to be what it was."""
    store = services_for.__wrapped__(Settings(project=project)).sessions.store
    audit = verify(session_id, store.lines(session_id), lambda key: store.blob(session_id, key))
    assert audit.holds
    return store.read(session_id).state


ODD = (
    b"garbage",
    b'{"jsonrpc":"2.0","id":1,"met',
    b"\xff\xfe\x00",
    b"\x00" * 1_000,
    b"[" * 100_000,
    b'{"jsonrpc":"2.0","id":[],"method":"tools/call"}',
    line(call(1, "get_state"))[:-1].replace(b"get_state", b"\\ud800"),
    line(call(1, "get_phase"))[:-1].replace(b'"get_phase"', b"9" * 10_000),
    line(call(1, "get_phase"))[:-1].replace(b'"get_phase"', b"[" * 400 + b"]" * 400),
)


def test_whatever_a_line_holds_it_is_answered_and_so_is_the_next_call(small):
    with Wire(small) as wire:
        for sent in ODD:
            wire.send(sent + b"\n")
            told = wire.read()
            assert "error" in told or told["result"]["isError"] is True, sent[:99]
            assert wire.answer("list_sessions")["status"] == "success", sent[:99]


def test_a_line_of_a_hundred_megabytes_is_skipped_and_not_held(small):
    with Wire(small) as wire:
        before = peak(wire)
        head, tail = line(call(1, "get_state", reason="|")).split(b"|")
        wire.send(head)
        for _ in range(100):
            wire.send(b"x" * 1_000_000)
        wire.send(tail)
        told = wire.read()
        assert (told["id"], told["error"]["code"]) == (1, -32600)
        assert "too large: 100000" in told["error"]["message"]
        assert wire.answer("list_sessions")["status"] == "success"
        if before is not None:
            assert peak(wire) - before < 32 * MEBIBYTE


def test_evidence_just_over_its_limit_is_refused_by_the_tool_itself(small):
    with Wire(small) as wire:
        answer = wire.answer(
            "complete_phase",
            session_id=started(wire),
            phase=1,
            evidence={"log": "x" * (10 * 1024 * 1024)},
        )
        assert (answer["error_type"], "too large" in answer["error"]) == ("ValueError", True)


def test_ten_thousand_requests_at_once_are_all_answered(small):
    with Wire(small) as wire:
        before = peak(wire)
        sent = b"".join(line(call(number, "list_sessions")) for number in range(MANY))
        sending = threading.Thread(target=wire.send, args=(sent,))
        sending.start()
        assert {told["id"] for told in read_all(wire, MANY)} == set(range(MANY))
        sending.join(GUARD)
        assert wire.answer("list_sessions")["status"] == "success"
        if before is not None:
            assert peak(wire) - before < 32 * MEBIBYTE


def test_calls_that_were_sent_before_the_input_closed_are_answered(small):
    with Wire(small) as wire:
        # The first call is slower than all others.
        assert wire.answer("list_sessions")["status"] == "success"
        wire.send(line(call(1, "list_sessions")) + line(call(2, "list_workflows"))[:-1])
        wire.close()
        assert sorted(told["id"] for told in read_all(wire, 2)) == [1, 2]
        assert wire.exit_code() == 0


@pytest.mark.parametrize(
    "end",
    [leave, pytest.param(terminate, marks=needs_signals),
     pytest.param(interrupt, marks=needs_signals)],
)  # fmt: skip
def test_the_server_ends_when_it_is_told_to(small, end):
    with Wire(small) as wire:
        session_id = started(wire)
        end(wire)
        assert wire.exit_code() == 0
    assert audited(small, session_id).status is Status.ACTIVE


@pytest.mark.parametrize("end", [leave, pytest.param(terminate, marks=needs_signals)])
def test_a_call_that_waits_for_a_lock_does_not_keep_the_server(small, end):
    with Wire(small, AOS_WORKFLOW_LOCK_TIMEOUT="600") as wire:
        session_id = started(wire)
        services = services_for.__wrapped__(Settings(project=small))
        with services.sessions.edit(session_id):
            wire.send(line(call(1, "pause", session_id=session_id)))
            # Answered while the other waits.
            assert wire.answer("list_sessions")["status"] == "success"
            end(wire)
            assert wire.exit_code() == 0
    assert audited(small, session_id).status is Status.ACTIVE


@pytest.mark.parametrize("end", [leave, pytest.param(terminate, marks=needs_signals)])
@needs_named_pipes
def test_a_verification_outlives_the_server_and_comes_to_its_end(project, end):
    command = CommandProject(project)
    command.trust()
    with Wire(project, AOS_WORKFLOW_VERIFY_WAIT="600") as wire:
        session_id = started(wire, "run_v1")
        submitted = {"session_id": session_id, "phase": 1, "evidence": {"passed": 2}}
        wire.send(line(call(1, "complete_phase", **submitted)))
        with command.waiting() as waiting:
            end(wire)
            assert wire.exit_code() == 0
            worker = command.worker(session_id)
            waiting.write("one two")
    with Wire(project) as wire:
        while wire.answer("get_state", session_id=session_id).get("verification") == "running":
            pass
        passed = wire.answer("complete_phase", **submitted)
    assert (passed["checkpoint_passed"], worker > 0) == (True, True)
    assert audited(project, session_id).completed_phases == (1,)


@needs_signals
def test_a_server_killed_in_a_flood_of_changes_leaves_every_session_whole(small):
    with Wire(small) as wire:
        sessions = [started(wire) for _ in range(4)]
        changes = b"".join(
            line(call(f"{n}-{session_id}", action, session_id=session_id))
            for n in range(50)
            for session_id in sessions
            for action in ("pause", "resume")
        )
        wire.send(changes)
        read_all(wire, 20)
        terminate(wire)
        assert wire.exit_code() == 0
    for session_id in sessions:
        assert audited(small, session_id).status in {Status.ACTIVE, Status.PAUSED}


def test_requests_may_come_from_a_file_and_answers_go_to_one(small, tmp_path):
    greeting = {"protocolVersion": "2025-11-25", "capabilities": {}}
    told = tmp_path / "told"
    asked = tmp_path / "asked"
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize"}
    client = {"clientInfo": {"name": "file", "version": "1"}}
    asked.write_bytes(
        line({**hello, "params": greeting | client})
        + line({"jsonrpc": "2.0", "method": "notifications/initialized"})
        + line(request(1, "tools/list"))
    )
    with asked.open("rb") as source, told.open("wb") as sink:
        done = subprocess.run(
            [sys.executable, "-m", "mcp_server"],
            cwd=small,
            stdin=source,
            stdout=sink,
            timeout=GUARD,
            check=False,
        )
    assert (done.returncode, told.read_bytes().count(b'"result"')) == (0, 2)


def test_no_module_warns_when_it_is_imported():
    modules = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.is_relative_to(PACKAGE / "workflows")
    ]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(f"import {name}" for name in modules)],
        cwd=PACKAGE.parent,
        capture_output=True,
        timeout=GUARD,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_passed_phase_survives_the_end_of_the_server(small):
    with Wire(small) as wire:
        session_id = started(wire)
        passed = wire.answer(
            "complete_phase", session_id=session_id, phase=1, evidence=dict(EVIDENCE)
        )
        wire.close()
        assert (passed["checkpoint_passed"], wire.exit_code()) == (True, 0)
    assert audited(small, session_id).completed_phases == (1,)
