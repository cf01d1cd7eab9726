"""The bridge as it is written: whole, self-contained, and faithful to aos-workflow."""

import ast
import asyncio
import importlib.util
import os
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import TypeAdapter

from mcp_server.cutover import aos_workflow_bridge as source
from mcp_server.cutover.bridge import MODULE, bridge_text, fallback
from mcp_server.server.tools.arguments import ARGUMENTS
from mcp_server.server.tools.publishing import description

TEXT = bridge_text()

FAKE = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") == "initialize":
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": {}}), flush=True)
    elif message.get("method") == "tools/call":
        given = message["params"]["arguments"]
        %s
"""
ECHO = 'answer = {"structuredContent": given}'
SEND = '; print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer}), flush=True)'


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{MODULE}_of_a_test", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def written(tmp_path: Path) -> ModuleType:
    """The bridge as the cutover writes it, as a module of a server."""
    path = tmp_path / f"{MODULE}.py"
    path.write_text(TEXT, encoding="utf-8")
    return loaded(path)


@pytest.fixture
def bridge(written: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The bridge in front of a child that answers as `fake` says."""
    module = loaded(Path(source.__file__))
    module.TOOL, module.FALLBACK = written.TOOL, written.FALLBACK
    module.__file__ = written.__file__
    module.ANSWERING_SECONDS = 30

    def fake(reply: str) -> ModuleType:
        child = tmp_path / "child.py"
        child.write_text(FAKE % reply, encoding="utf-8")
        monkeypatch.setenv("AOS_WORKFLOW_COMMAND", f"{sys.executable} {child.as_posix()}")
        return module

    yield fake
    module.BRIDGE.end()


class Host:
    """A host whose `tool` takes a name and no more."""

    def tool(self, name: str) -> Any:
        self.name = name
        return lambda function: setattr(self, "function", function)


def test_the_written_bridge_imports_the_standard_library_alone():
    imported = {
        alias.name.partition(".")[0]
        if isinstance(node, ast.Import)
        else node.module.partition(".")[0]
        for node in ast.walk(ast.parse(TEXT))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    # Without pydantic the arguments have no schema; whoever has a host with one has pydantic.
    assert imported - set(sys.stdlib_module_names) == {"pydantic"}
    ast.parse(TEXT, feature_version=(3, 9))


def test_the_written_bridge_publishes_what_the_server_publishes(written):
    tool = {"description": description(), "arguments": dict(ARGUMENTS)}
    assert (tool, fallback()) == (written.TOOL, written.FALLBACK)
    assert list(written.signature().parameters) == list(ARGUMENTS)


@pytest.mark.parametrize("value", [{"a": 1}, "text", None, 7])
def test_an_argument_takes_any_value_and_has_its_schema(value, bridge):
    schema = {"type": "integer", "description": "Phase"}
    made = TypeAdapter(bridge("pass").annotation(schema))
    assert (made.validate_python(value), made.json_schema()) == (value, schema)


async def test_a_call_is_handed_on_without_what_is_absent(bridge):
    host = Host()
    assert bridge(ECHO + SEND).register_aos_workflow(host) == 1
    assert host.name == "aos_workflow"
    answer = await host.function(action="get_task", session_id="s", phase=None, task_number=2)
    assert answer == {"action": "get_task", "session_id": "s", "task_number": 2}


async def test_calls_at_once_find_their_answers(bridge):
    module = bridge(ECHO + SEND)
    answers = await asyncio.gather(*(module.aos_workflow(action=str(at)) for at in range(20)))
    assert answers == [{"action": str(at)} for at in range(20)]
    assert threading.active_count() < 60


def test_a_child_that_died_is_started_anew(bridge):
    module = bridge('sys.exit() if given["action"] == "die" else None; ' + ECHO + SEND)
    refused = module.BRIDGE.call({"action": "die"})
    assert (refused["status"], refused["action"], refused["error_type"]) == (
        "error", "die", "RuntimeError",
    )  # fmt: skip
    assert refused["error"] == "aos-workflow cannot be reached: it ended before it answered"
    assert module.BRIDGE.call({"action": "start"}) == {"action": "start"}


MUTE = """os.close(1) if given["action"] == "fall silent" else None; """


def test_a_child_that_will_never_answer_again_is_started_anew(bridge):
    module = bridge("import os; " + MUTE + ECHO + SEND)
    refused = module.BRIDGE.call({"action": "fall silent"})
    assert refused["error"] == "aos-workflow cannot be reached: it ended before it answered"
    silent = module.BRIDGE._child
    assert silent._process.poll() is None
    with pytest.raises(module.BridgeError, match=r"\Ait ended\Z"):
        silent.ask("tools/call", {}, 0.5)
    assert module.BRIDGE.call({"action": "start"}) == {"action": "start"}
    assert (module.BRIDGE._child is silent, silent._process.poll() is None) == (False, False)


LEAVING = (
    'import subprocess; hold = lambda: (subprocess.Popen([sys.executable, "-c",'
    ' "import sys; open(sys.argv[1]).read()", given["note"]]), sys.exit());'
    ' hold() if given["action"] == "die" else None; '
)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="waits on a named pipe")
def test_a_child_that_died_and_left_its_output_open_is_started_anew(bridge, tmp_path, monkeypatch):
    module = bridge(LEAVING + ECHO + SEND)
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.setattr(module, "ANSWERING_SECONDS", 0.5)
    refused = module.BRIDGE.call({"action": "die", "note": str(tmp_path / "fifo")})
    try:
        assert refused["error"].endswith("it did not answer within 0.5 seconds")
        died = module.BRIDGE._child
        died._process.wait(30)
        assert (died._ended, died.is_alive) == (False, False)
        monkeypatch.setattr(module, "ANSWERING_SECONDS", 30)
        assert module.BRIDGE.call({"action": "start"}) == {"action": "start"}
    finally:
        # Who holds the output waits for this.
        (tmp_path / "fifo").write_bytes(b"")


def test_the_child_of_another_process_is_neither_asked_nor_ended(bridge):
    module = bridge(ECHO + SEND)
    assert module.BRIDGE.call({"action": "start"}) == {"action": "start"}
    inherited = module.BRIDGE._child
    # As it is in a process that was forked off.
    inherited.owner = 0
    try:
        assert inherited.is_alive is False
        assert module.BRIDGE.call({"action": "start"}) == {"action": "start"}
        assert module.BRIDGE._child is not inherited
        assert inherited._process.poll() is None
    finally:
        inherited.owner = os.getpid()
        inherited.end()


def test_a_child_that_does_not_answer_is_given_up_on(bridge, monkeypatch):
    module = bridge("pass")
    monkeypatch.setattr(module, "ANSWERING_SECONDS", 0.05)
    assert module.BRIDGE.call({})["error"].endswith("it did not answer within 0.05 seconds")


@pytest.mark.parametrize(("answer", "said"), [
    ('{"content": [{"type": "text", "text": "no such tool"}]}', "no such tool"),
    ('{"content": []}', "its answer is empty"),
])  # fmt: skip
def test_an_answer_without_structure_is_an_error(answer, said, bridge):
    assert bridge(f"answer = {answer}{SEND}").BRIDGE.call({})["error"].endswith(said)


def test_what_else_the_child_writes_disturbs_nothing(bridge):
    noise = (
        'print("starting\\n[]"); print(json.dumps({"id": 99, "result": {}}));'
        ' print(json.dumps({"id": "a", "method": "ping"}), flush=True);'
        " pong = json.loads(sys.stdin.readline());"
        ' print(json.dumps({"id": "b", "method": "roots/list"}), flush=True);'
        " no = json.loads(sys.stdin.readline());"
        ' answer = {"structuredContent": {"pong": pong["result"], "no": no["error"]["code"]}}'
    )
    assert bridge(noise + SEND).BRIDGE.call({}) == {"pong": {}, "no": -32601}


def test_a_refusal_of_the_child_is_told(bridge):
    error = '{"jsonrpc": "2.0", "id": message["id"], "error": {"code": 1, "message": "no"}}'
    module = bridge(f"print(json.dumps({error}), flush=True)")
    assert module.BRIDGE.call({})["error"].endswith("cannot be reached: no")


@pytest.mark.parametrize(("named", "project", "command"), [
    ("run 'my aos'", "", ["run", "my aos", "serve", "--project"]),
    ("run", "/p", ["run", "serve"]),
])  # fmt: skip
def test_the_environment_says_what_to_start(named, project, command, bridge, monkeypatch):
    module = bridge(ECHO)
    monkeypatch.setenv("AOS_WORKFLOW_COMMAND", named)
    monkeypatch.setenv("AOS_WORKFLOW_PROJECT", project)
    assert module.child_command()[: len(command)] == command


def test_without_a_word_the_command_of_the_cutover_is_the_last_resort(bridge, monkeypatch):
    module = bridge(ECHO)
    monkeypatch.delenv("AOS_WORKFLOW_COMMAND")
    monkeypatch.setattr(module.shutil, "which", lambda *_, **__: None)
    assert module.child_command()[:2] == [sys.executable, "-P"]


def test_the_project_is_the_nearest_with_its_folder(bridge, tmp_path, monkeypatch):
    module = bridge(ECHO)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert module.project_root() == str(elsewhere)
    (tmp_path / ".praxis-os").mkdir()
    assert module.project_root() == str(tmp_path)
