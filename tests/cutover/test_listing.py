"""The process that asks a server: what it answers, and that it gives up."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_server.cutover import listing
from tests.cutover.projects import lay, small

JOB = {"argv": [sys.executable, "server.py"], "env": {}, "timeout": 30.0, "call": None}
SILENT = "import sys; sys.stdin.read()"
CALL = {"action": "list_workflows"}
NEW = """@mcp.tool(name="aos_workflow")
def anything(action):
    return {"status": "success", "action": action}


"""


def asked(root: Path, **fields: Any) -> dict[str, Any]:
    with (root / "log").open("w+", encoding="utf-8") as log:
        return anyio.run(listing._told, {**JOB, "cwd": str(root), **fields}, log)


def test_the_tools_are_listed(tmp_path):
    answer = asked(lay(tmp_path, small()), call=CALL)
    assert [tool["name"] for tool in answer["tools"]] == [
        "start_workflow",
        "current_date",
        "get_task",
    ]
    assert answer["tools"][0]["inputSchema"] == {"type": "object", "properties": {"session_id": {}}}
    assert "called" not in answer


def test_aos_workflow_is_called_where_it_is_listed(tmp_path):
    called = asked(lay(tmp_path, small(NEW)), call=CALL)["called"]
    assert (called["is_error"], called["structured"]) == (False, None)
    assert json.loads(called["text"]) == {"status": "success", **CALL}


@pytest.mark.parametrize(("argv", "problem"), [
    (["no-such-command"], "No such file or directory"),
    ([sys.executable, "-c", "raise SystemExit(3)"], "Connection closed"),
])  # fmt: skip
def test_a_server_that_cannot_be_asked_is_a_problem(argv, problem, tmp_path):
    assert asked(tmp_path, argv=argv) == {"problem": problem}


def test_a_server_that_does_not_answer_is_given_up_on(tmp_path, monkeypatch):
    read, write = os.pipe()
    monkeypatch.setattr(listing, "_INPUT", read)
    silent = {**JOB, "cwd": str(tmp_path), "timeout": 0.2, "argv": [sys.executable, "-c", SILENT]}
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        answer = anyio.run(listing._within_limits, silent, log)
    os.close(write)
    assert answer == {"problem": "it did not answer within 0.2 seconds"}


def test_the_end_of_the_input_calls_it_off(tmp_path):
    job = {**JOB, "cwd": str(tmp_path), "argv": [sys.executable, "-c", SILENT]}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mcp_server.cutover.listing"],
        input=json.dumps(job).encode() + b"\n",
        env={**os.environ, "PYTHONPATH": str(Path(listing.__file__).parents[2])},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(done.stdout) == {"problem": "it was called off", "output": ""}
