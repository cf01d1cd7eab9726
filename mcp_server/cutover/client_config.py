"""The servers that the client configuration of a project names, and which of them is meant.

Read are the project's own files only. A server is meant if `--server` names it; else the one whose
command leads into the project; else the only one there is. Whatever is started was either named by
the person who runs the cutover, or is what their clients start from this folder anyway.
"""

import os
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from mcp_server.cutover import json_tree
from mcp_server.cutover.scanning import ProjectFile, is_client_file
from mcp_server.cutover.servers import ServerCommand
from mcp_server.errors import CutoverError, InvalidArgumentError

_SECTIONS = ("mcpServers", "servers", "mcp_servers", "mcp", "context_servers")
_VARIABLE = re.compile(r"\$\{(?:env:)?(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}")
_SETTING = re.compile(r"[A-Za-z_]\w*=")
_FOLDERS = re.compile(r"\$\{(?:workspaceFolder|workspaceRoot|CLAUDE_PROJECT_DIR)\}")


def find_servers(root: Path, files: Sequence[ProjectFile]) -> list[ServerCommand]:
    """Return every server over stdio that the client configuration in `files` names."""
    found = []
    for file in files:
        if is_client_file(file.path):
            data = _data(file)
            found += [
                server
                for section in _SECTIONS
                for server in _section(root, file.path, _get(data, section))
            ]
    return found


def choose(root: Path, servers: Sequence[ServerCommand], given: str | None) -> ServerCommand | None:
    """Return the server that is meant, None if there is none; raises CutoverError for many."""
    if given is not None:
        named = [server for server in servers if server.name == given]
        return _only(named, given) if named else _parsed(given)
    own = [server for server in servers if _leads_into(root, server)]
    return _only(own or list(servers), None)


def _only(servers: Sequence[ServerCommand], given: str | None) -> ServerCommand | None:
    different = {
        (server.argv, server.cwd, tuple(sorted(server.env.items()))): server for server in servers
    }
    if len(different) <= 1:
        return next(iter(servers), None)
    names = ", ".join(f"{server.name} ({server.source})" for server in different.values())
    raise CutoverError(
        f"the client configuration names {'several servers' if given is None else given + ' twice'}"
        f": {names}",
        remediation='Say which one registers the old tools: --server NAME or --server "COMMAND".',
    )


def _parsed(command: str) -> ServerCommand:
    try:
        argv = shlex.split(command, posix=os.name != "nt")
    except ValueError as error:
        raise InvalidArgumentError(
            f"--server cannot be read as a command: {error}",
            remediation='Quote it, such as --server "python -m my_server".',
        ) from error
    # As on a command line, settings of the environment may stand first.
    settings = list(takewhile(_SETTING.match, argv))
    if len(settings) == len(argv):
        raise InvalidArgumentError(
            "--server is empty", remediation='Write --server "python -m my_server".'
        )
    env = dict(setting.split("=", 1) for setting in settings)
    return ServerCommand(tuple(argv[len(settings) :]), env=env)


def _data(file: ProjectFile) -> Any:
    try:
        if file.path.endswith(".toml"):
            return tomllib.loads(file.text)
        return json_tree.parse(file.text).value
    except (tomllib.TOMLDecodeError, json_tree.JsonTreeError):
        return None


def _get(data: Any, key: str) -> Mapping[str, Any]:
    found = data.get(key) if isinstance(data, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _section(root: Path, source: str, section: Mapping[str, Any]) -> Iterator[ServerCommand]:
    # VS Code nests its servers once more where they stand among its settings.
    inner = _get(section, "servers")
    if inner and not _argv(inner):
        yield from _section(root, source, inner)
        return
    for name, entry in section.items():
        if isinstance(entry, Mapping) and not _is_off(entry) and (argv := _argv(entry)):
            env = _get(entry, "env") or _get(entry, "environment")
            yield ServerCommand(
                tuple(_filled(root, part) for part in argv),
                name,
                source,
                {key: _filled(root, str(value)) for key, value in env.items()},
                _filled(root, str(entry.get("cwd") or ".")),
            )


def _is_off(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("disabled")) or entry.get("enabled") is False


def _argv(entry: Mapping[str, Any]) -> list[str]:
    command = entry.get("command")
    if isinstance(command, Mapping):
        return _argv({"command": command.get("path"), "args": command.get("args")})
    words = command if isinstance(command, list) else [command]
    arguments = entry.get("args")
    argv = [*words, *(arguments if isinstance(arguments, list) else [])]
    return argv if command and all(isinstance(word, str) for word in argv) else []


def _filled(root: Path, text: str) -> str:
    """Return `text` with the variables in it that clients fill in."""

    def value(found: re.Match[str]) -> str:
        default = found["default"] if found["default"] is not None else found[0]
        return os.environ.get(found["name"], default)

    return _VARIABLE.sub(value, _FOLDERS.sub(lambda _: str(root), text))


def _leads_into(root: Path, server: ServerCommand) -> bool:
    """Tell whether a command runs a script or a module of the project."""
    base = root / server.cwd
    search = [
        base,
        *(base / part for part in server.env.get("PYTHONPATH", "").split(os.pathsep) if part),
    ]
    for before, word in zip(("", *server.argv), server.argv, strict=False):
        if before == "-m":
            module = Path(*word.split("."))
            if any((at / module).is_dir() or (at / f"{module}.py").is_file() for at in search):
                return True
        elif word.endswith(".py") and _is_inside(root, base / word):
            return True
    return False


def _is_inside(root: Path, path: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(root)
