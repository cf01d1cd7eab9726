"""The server is started as a client starts it, and what keeps it from answering is told."""

import re
import sys
from dataclasses import replace

import pytest

from mcp_server.doctor import round_trip
from mcp_server.doctor.round_trip import check_round_trip
from tests.doctor.subjects import problems, sound, subject
from tests.setting_up.machines import program


def test_the_real_server_answers_and_leaves_nothing_behind(project, tmp_path):
    (told,) = sound(list(check_round_trip(subject(project, tmp_path))))
    assert re.fullmatch(r"started in \d+ ms, listed 5 workflows in \d+ ms", told)
    assert list(project.iterdir()) == []


def server(tmp_path, script: str) -> str:
    path = program(tmp_path / "fake", "python")
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first >&2; echo the reason >&2; exit 3", "the reason"),
        ("exit 0", "Connection closed"),
        # A look leaves no compiled files behind.
        ("echo $PYTHONDONTWRITEBYTECODE >&2; exit 3", "1"),
    ],
)
def test_a_server_that_ends_is_told_with_its_last_words(project, tmp_path, script, reason):
    there = subject(project, tmp_path)
    broken = replace(there, machine=replace(there.machine, python=server(tmp_path, script)))
    ((what, remedy),) = problems(check_round_trip(broken))
    assert what == f"the server does not answer: {reason}"
    assert remedy == "Run `aos-workflow serve` in the project to see what it says."


OTHER_SERVER = """\
from mcp.server import MCPServer

server = MCPServer("other")


@server.tool(name={tool!r})
def answer(action: str) -> dict[str, str]:
    return {{"status": "error", "error": "the disk is gone"}}


server.run("stdio")
"""


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        ("other", "the server lists ['other'] instead of aos_workflow"),
        ("aos_workflow", "list_workflows was refused: the disk is gone"),
    ],
)
def test_a_server_that_answers_otherwise_is_told(project, tmp_path, tool, told):
    path = tmp_path / "other.py"
    path.write_text(OTHER_SERVER.format(tool=tool), encoding="utf-8")
    script = server(tmp_path, f'exec "{sys.executable}" "{path}"')
    there = subject(project, tmp_path)
    other = replace(there, machine=replace(there.machine, python=script))
    ((what, _),) = problems(check_round_trip(other))
    assert what == told


def test_a_server_that_says_nothing_is_given_up(project, tmp_path, monkeypatch):
    monkeypatch.setattr(round_trip, "TIME_LIMIT", 0.3)
    there = subject(project, tmp_path)
    silent = replace(
        there,
        machine=replace(there.machine, python=server(tmp_path, "while read line; do :; done")),
    )
    ((what, _),) = problems(check_round_trip(silent))
    assert what == "the server does not answer: it took longer than 0.3 s"


def test_a_python_that_is_not_there_is_told(project, tmp_path):
    there = subject(project, tmp_path)
    gone = replace(there, machine=replace(there.machine, python=tmp_path / "none"))
    ((what, _),) = problems(check_round_trip(gone))
    assert what.startswith("the server does not answer: ")


@pytest.mark.parametrize(
    "environment", [{"AOS_WORKFLOW_PROJECT": "/opt/none"}, {"AOS_WORKFLOW_MAX_DEPTH": "deep"}]
)
def test_what_other_checks_found_already_is_not_tried(project, tmp_path, environment):
    named = None if "AOS_WORKFLOW_PROJECT" in environment else project
    assert list(check_round_trip(subject(named, tmp_path, **environment))) == []
