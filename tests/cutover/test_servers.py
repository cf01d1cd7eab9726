"""Starting a server and comparing its tools; the comparison needs no server."""

import sys

import pytest

from mcp_server.cutover.servers import Listing, ServerCommand, list_tools, problems_after, size_of
from tests.cutover.projects import OLD, lay, small

SCHEMA = {"type": "object"}


def listing(*names: str, **more: object) -> Listing:
    return Listing(tuple({"name": name, "inputSchema": SCHEMA} for name in names), **more)


def answering(**said: object) -> Listing:
    called = {"is_error": False, "structured": None, "text": "", **said}
    return listing("current_date", "aos_workflow", called=called)


BEFORE = listing("current_date", "get_task", "start_workflow")


@pytest.mark.parametrize("after", [
    listing("current_date", "aos_workflow"),
    answering(structured={"status": "success"}),
    answering(text='{"status": "success"}'),
])  # fmt: skip
def test_a_server_that_is_cut_over_has_no_problems(after):
    assert problems_after(BEFORE, after, OLD) == []


@pytest.mark.parametrize(("after", "problem"), [
    (listing(problem="it died"), "the server does not start any more: it died"),
    (listing("current_date"), "aos_workflow is listed 0 times"),
    (listing("current_date", "aos_workflow", "aos_workflow"), "aos_workflow is listed 2 times"),
    (listing("current_date", "aos_workflow", "get_task"), "still listed: get_task"),
    (listing("aos_workflow"), "current_date is gone"),
    (Listing(({"name": "current_date", "inputSchema": {}}, *listing("aos_workflow").tools)),
     "current_date has another schema than before"),
    (Listing(({"name": "current_date", "inputSchema": SCHEMA, "outputSchema": SCHEMA},
              *listing("aos_workflow").tools)), "current_date has another schema than before"),
    (listing("current_date", "aos_workflow", "more"), "new and not expected: more"),
    (answering(structured={"result": {"status": "error", "error": "no"}}),
     'aos_workflow(action="list_workflows") fails: no'),
    (answering(is_error=True, text="boom"), 'aos_workflow(action="list_workflows") fails: boom'),
    (answering(text='{"status": "error"}'),
     'aos_workflow(action="list_workflows") fails: {"status": "error"}'),
])  # fmt: skip
def test_each_problem_afterwards_is_told(after, problem):
    assert problems_after(BEFORE, after, OLD) == [problem]


def test_the_size_is_what_a_client_is_sent():
    assert size_of({"name": "\u00fc"}) == len('{"name":"\u00fc"}'.encode())
    assert listing("a", "b").size == 2 * size_of({"name": "a", "inputSchema": SCHEMA})


def test_a_server_is_started_in_its_project_and_leaves_nothing_there(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    lay(tmp_path, small())
    found = list_tools(tmp_path, ServerCommand((sys.executable, "server.py")))
    assert (found.names, found.problem, found.called) == (
        ["start_workflow", "current_date", "get_task"], "", None,
    )  # fmt: skip
    assert not (tmp_path / "__pycache__").exists()


def test_a_command_that_is_not_there_is_told(tmp_path):
    found = list_tools(tmp_path, ServerCommand(("no-such-command",)))
    assert (found.tools, found.problem) == ((), "No such file or directory")
