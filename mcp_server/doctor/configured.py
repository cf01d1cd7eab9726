"""Which clients have an entry for this server, and whether what the entries name is there."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

from mcp_server.config import PROJECT_VARIABLE
from mcp_server.doctor.findings import Finding, fine, note, problem
from mcp_server.doctor.subject import Subject
from mcp_server.editing.json_text import RELAXED
from mcp_server.setting_up.clients import CLIENTS, SERVER_NAME, Client, Scope
from mcp_server.setting_up.configs import ConfigText, ConfigTextError, is_off
from mcp_server.setting_up.launching import COMMAND
from mcp_server.setting_up.places import config_paths


@dataclass(frozen=True, slots=True)
class Configured:
    """An entry for this server in a client's file."""

    client: str
    scope: Scope
    path: Path
    name: str
    entry: Mapping[str, Any]

    @property
    def line(self) -> list[str]:
        """The command line of the entry; empty if it has none."""
        command, arguments = self.entry.get("command"), self.entry.get("args")
        words = command if isinstance(command, list) else [command]
        words = [*words, *(arguments if isinstance(arguments, list) else [])]
        return [word for word in words if isinstance(word, str)]

    @property
    def project(self) -> str | None:
        """The folder that the entry names, None if it leaves that to the client."""
        named = dict(zip(self.line, self.line[1:], strict=False)).get("--project")
        for key in ("env", "environment"):
            environment = self.entry.get(key)
            if named is None and isinstance(environment, dict):
                named = environment.get(PROJECT_VARIABLE)
        return named if isinstance(named, str) and "${" not in named else None

    @property
    def mend(self) -> str:
        """The command that writes the entry anew."""
        name = f" --name {self.name}" if self.name != SERVER_NAME else ""
        return f"aos-workflow setup {self.client} --scope {self.scope}{name} --force"


def check_clients(subject: Subject) -> Iterator[Finding]:
    """Say which clients start this server, and which of them cannot."""
    count = 0
    for name, client in CLIENTS.items():
        for scope in client.files:
            for path in _paths(subject, client, scope):
                for found in _entries(name, client, scope, path):
                    if isinstance(found, Finding):
                        yield found
                    else:
                        count += 1
                        yield from _check(found, client, subject.machine.environment)
    if not count:
        first, *others = CLIENTS
        advice = f"{COMMAND} setup {first} (or one of {', '.join(others)})"
        yield note("no client has an entry for this server", advice)


def _paths(subject: Subject, client: Client, scope: Scope) -> list[Path]:
    if scope is Scope.PROJECT and subject.folder is None:
        return []
    places = config_paths(client.files[scope], subject.machine, subject.folder)
    return [path for path in places if path.is_file()]


def _entries(name: str, client: Client, scope: Scope, path: Path) -> Iterator[Configured | Finding]:
    """Yield the entries for this server in a file, or why it cannot be read."""
    # How strictly a client reads its file is the client's business: here it is only looked at.
    lenient = replace(client, dialect=RELAXED) if client.dialect else client
    content = b""
    try:
        content = path.read_bytes()
        entries = ConfigText(lenient, content.decode()).entries
    except (OSError, UnicodeDecodeError, ConfigTextError) as error:
        at = f"{path}:{error.line}" if isinstance(error, ConfigTextError) else str(path)
        reason = error.strerror if isinstance(error, OSError) else str(error)
        told = f"{client.title}: {at} cannot be read: {reason}"
        # A file of the project is one that setup would have to write to.
        ours = scope is Scope.PROJECT or COMMAND.encode() in content
        yield problem(told, f"Mend {path}.") if ours else note(told, f"Mend {path}.")
        return
    for key, entry in entries.items():
        if isinstance(entry, dict):
            found = Configured(name, scope, path, key, entry)
            if _is_ours(found):
                yield found


def _is_ours(found: Configured) -> bool:
    names = {PureWindowsPath(word).stem for word in found.line}
    return found.name == SERVER_NAME or COMMAND in names or "mcp_server" in found.line


def _check(found: Configured, client: Client, environment: Mapping[str, str]) -> Iterator[Finding]:
    entry = f"{client.title}: {found.name} in {found.path}"
    if not found.line:
        yield problem(f"{entry} has no command", found.mend)
        return
    missing = False
    if not _can_be_run(found.line[0], environment):
        missing = True
        yield problem(f"{entry}: there is no command {found.line[0]}", found.mend)
    if found.project is not None and not Path(found.project).is_dir():
        missing = True
        yield problem(f"{entry}: there is no folder {found.project}",
                      f"{found.mend} --project FOLDER")  # fmt: skip
    if is_off(found.entry):
        yield note(f"{entry} is switched off", f"Switch it on in {client.title}.")
    elif not missing:
        yield fine(entry)


def _can_be_run(command: str, environment: Mapping[str, str]) -> bool:
    expanded = os.path.expanduser(command)  # noqa: PTH111 (a name alone must stay one)
    return shutil.which(expanded, path=environment.get("PATH", "")) is not None
