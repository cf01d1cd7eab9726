"""Which server the client configuration of a project starts, and which one is meant."""

import json
import sys

import pytest

from mcp_server.cutover.client_config import choose, find_servers
from mcp_server.cutover.findings import OLD_TOOLS
from mcp_server.cutover.scanning import scan
from mcp_server.cutover.servers import ServerCommand
from mcp_server.errors import CutoverError, InvalidArgumentError
from tests.cutover.projects import lay

ENTRY = {"command": "python", "args": ["server.py"]}


def servers(root, files):
    lay(root, files)
    return find_servers(root, scan(root, OLD_TOOLS).files)


@pytest.mark.parametrize(("path", "text"), [
    (".mcp.json", {"mcpServers": {"rag": ENTRY}}),
    (".cursor/mcp.json", {"mcpServers": {"rag": ENTRY}}),
    (".vscode/mcp.json", {"servers": {"rag": ENTRY}}),
    (".vscode/settings.json", {"mcp": {"servers": {"rag": ENTRY}}}),
    (".gemini/settings.json", {"mcpServers": {"rag": ENTRY}}),
    ("opencode.json", {"mcp": {"rag": {"type": "local", "command": ["python", "server.py"]}}}),
    (".zed/settings.json", {"context_servers": {"rag": {"command": {"path": "python",
                                                                    "args": ["server.py"]}}}}),
    (".codex/config.toml", '[mcp_servers.rag]\ncommand = "python"\nargs = ["server.py"]\n'),
])  # fmt: skip
def test_each_client_names_its_servers_in_its_own_way(path, text, tmp_path):
    written = text if isinstance(text, str) else json.dumps(text)
    assert servers(tmp_path, {path: written}) == [
        ServerCommand(("python", "server.py"), "rag", path)
    ]


@pytest.mark.parametrize("text", [
    {"mcpServers": {"rag": {"url": "https://example.org"}}},
    {"mcpServers": {"rag": {**ENTRY, "disabled": True}}},
    {"mcpServers": {"rag": {**ENTRY, "enabled": False}}},
    {"mcpServers": {"rag": {"command": "python", "args": [1]}}},
    {"mcpServers": ["rag"]}, ["rag"], {"mcpServers": {"rag": 1}},
])  # fmt: skip
def test_what_is_not_started_over_stdio_is_none(text, tmp_path):
    assert servers(tmp_path, {".mcp.json": json.dumps(text)}) == []


def test_files_that_cannot_be_read_and_files_of_no_client_name_none(tmp_path):
    other = json.dumps({"mcpServers": {"rag": ENTRY}})
    files = {".mcp.json": "{", ".codex/config.toml": "[", "package.json": other}
    assert servers(tmp_path, files) == []


def test_variables_are_filled_in_as_clients_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PLACE", "here")
    monkeypatch.delenv("NOWHERE", raising=False)
    entry = {
        "command": "${workspaceFolder}/bin/python",
        "args": ["${env:PLACE}", "${NOWHERE:-there}", "${NOWHERE}"],
        "env": {"ROOT": "${workspaceFolder}", "N": 1},
        "cwd": "${workspaceFolder}/in",
    }
    (found,) = servers(tmp_path, {".mcp.json": json.dumps({"mcpServers": {"rag": entry}})})
    assert found.argv == (f"{tmp_path}/bin/python", "here", "there", "${NOWHERE}")
    assert (found.env, found.cwd) == ({"ROOT": str(tmp_path), "N": "1"}, f"{tmp_path}/in")


OWN = ServerCommand(("python", "server.py"), "own", "a")
MODULE = ServerCommand(("python", "-m", "pack.server"), "module", "a")
OTHER = ServerCommand(("npx", "other"), "other", "a")


@pytest.mark.parametrize(("known", "given", "meant"), [
    ([], None, None),
    ([OTHER], None, OTHER),
    ([OTHER, OWN], None, OWN),
    ([OTHER, MODULE], None, MODULE),
    ([OWN, ServerCommand(OWN.argv, "again", "b")], None, OWN),
    ([OWN, OTHER], "other", OTHER),
    ([OWN], "python 'my server.py'", ServerCommand(("python", "my server.py"))),
    ([OWN], "A=1 B='c =' python x=1", ServerCommand(("python", "x=1"), env={"A": "1", "B": "c ="})),
])  # fmt: skip
def test_the_server_that_is_meant_is_found(known, given, meant, tmp_path):
    lay(tmp_path, {"server.py": "", "pack/server.py": ""})
    assert choose(tmp_path, known, given) == meant


def test_a_module_may_stand_where_the_environment_says(tmp_path):
    lay(tmp_path, {"src/pack/__init__.py": ""})
    own = ServerCommand(("python", "-m", "pack"), "own", "a", {"PYTHONPATH": "src"})
    assert choose(tmp_path, [OTHER, own], None) == own


def test_several_servers_are_told_with_their_files(tmp_path):
    with pytest.raises(CutoverError, match=r"several servers: other \(a\), module \(a\)"):
        choose(tmp_path, [OTHER, MODULE], None)
    twice = [OTHER, ServerCommand(("npx", "another"), "other", "b")]
    with pytest.raises(CutoverError, match=r"names other twice: other \(a\), other \(b\)"):
        choose(tmp_path, twice, "other")


@pytest.mark.skipif(sys.platform == "win32", reason="quotation marks mean nothing there")
@pytest.mark.parametrize("given", ["", "  ", "A=1", "python 'open"])
def test_a_command_that_is_none_is_wrong_usage(given, tmp_path):
    with pytest.raises(InvalidArgumentError, match="--server"):
        choose(tmp_path, [], given)
