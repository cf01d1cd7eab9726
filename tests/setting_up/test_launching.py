"""The command by which clients start the server, as it can be had."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mcp_server.setting_up.clients import CLIENTS, Scope
from mcp_server.setting_up.launching import launch_line, server_line
from tests.setting_up.machines import COMMANDS, machine, program


def path_of(*folders: Path) -> str:
    return os.pathsep.join(map(str, folders))


def test_the_name_is_enough_where_the_path_finds_it(tmp_path):
    assert server_line(machine(tmp_path), whole_path=False) == ["aos-workflow", "serve"]


def test_a_client_that_does_not_search_the_path_gets_the_whole_one(tmp_path):
    found = str(tmp_path / "bin" / COMMANDS)
    assert server_line(machine(tmp_path), whole_path=True) == [found, "serve"]


def test_off_the_path_the_command_of_this_python_is_named(tmp_path):
    there = machine(tmp_path, PATH=str(tmp_path / "empty"))
    own = program(there.scripts)
    assert server_line(there, whole_path=False) == [str(own), "serve"]


def test_without_a_command_the_module_is_run(tmp_path):
    there = machine(tmp_path, PATH="")
    assert server_line(there, whole_path=False) == [str(there.python), "-P", "-m", "mcp_server"]


def test_a_virtual_environment_is_on_the_path_of_its_shell_only(tmp_path):
    venv = tmp_path / "venv"
    own = program(venv / "bin")
    there = replace(
        machine(tmp_path, PATH=path_of(venv / "bin")), prefix=venv, scripts=venv / "bin"
    )
    assert server_line(there, whole_path=False) == ["aos-workflow", "serve"]
    (venv / "pyvenv.cfg").touch()
    assert server_line(there, whole_path=False) == [str(own), "serve"]


def test_an_activated_environment_of_something_else_does_not_count_either(tmp_path):
    program(tmp_path / "other" / "bin")
    there = machine(
        tmp_path, PATH=path_of(tmp_path / "other/bin"), VIRTUAL_ENV=str(tmp_path / "other")
    )
    own = program(there.scripts)
    assert server_line(there, whole_path=False) == [str(own), "serve"]


@pytest.mark.parametrize(
    ("prefix", "line"),
    [
        (".cache/uv/archive-v0/Xy", ["uvx", "aos-workflow", "serve"]),
        (".cache/uv/environments-v2/1a", ["uvx", "aos-workflow", "serve"]),
        (".local/pipx/.cache/1a", ["pipx", "run", "aos-workflow", "serve"]),
        (".cache/pipx/1a", ["pipx", "run", "aos-workflow", "serve"]),
        ("Library/Caches/pipx/1a", ["pipx", "run", "aos-workflow", "serve"]),
        ("AppData/Local/pipx/Cache/1a", ["pipx", "run", "aos-workflow", "serve"]),
    ],
)
def test_an_environment_for_one_run_is_made_again_by_its_runner(tmp_path, prefix, line):
    runner = program(tmp_path / "bin", line[0] + (".exe" if os.name == "nt" else ""))
    there = replace(machine(tmp_path), prefix=tmp_path / prefix)
    assert server_line(there, whole_path=False) == line
    assert server_line(there, whole_path=True) == [str(runner), *line[1:]]


@pytest.mark.parametrize(
    "prefix", [".local/share/pipx/venvs/aos-workflow", ".local/share/uv/tools/a"]
)
def test_an_environment_that_was_installed_stays(tmp_path, prefix):
    there = replace(machine(tmp_path), prefix=tmp_path / prefix)
    assert server_line(there, whole_path=False) == ["aos-workflow", "serve"]


@pytest.mark.parametrize(
    ("client", "scope", "named"),
    [
        ("claude-code", Scope.PROJECT, []),
        ("cursor", Scope.PROJECT, ["--project", "${workspaceFolder}"]),
        ("vscode", Scope.USER, ["--project", "${workspaceFolder}"]),
    ],
)
def test_a_client_that_knows_the_project_says_it_itself(tmp_path, client, scope, named):
    line = launch_line(CLIENTS[client].files[scope], machine(tmp_path), None)
    assert line[1:] == ["serve", *named]


def test_a_project_that_is_named_comes_before_what_the_client_knows(tmp_path):
    for client in ("claude-desktop", "vscode", "claude-code"):
        line = launch_line(CLIENTS[client].files[Scope.USER], machine(tmp_path), tmp_path)
        assert line[1:] == ["serve", "--project", str(tmp_path)]
