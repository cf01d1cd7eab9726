"""`aos-workflow setup`: puts this server into a client's configuration, and tells what it did.

Exit codes: 0 done or nothing to do, 1 refused with the file as it was, 2 wrong usage, or a name
that another entry has.
"""

import difflib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp_server.config import discover_root
from mcp_server.editing.toml_text import table_text
from mcp_server.errors import InvalidArgumentError, UneditableError
from mcp_server.setting_up.clients import (
    CLIENTS,
    SERVER_NAME,
    Client,
    Entry,
    Named,
    Scope,
)
from mcp_server.setting_up.configs import (
    ConfigText,
    ConfigTextError,
    covers,
    is_off,
    snippet,
)
from mcp_server.setting_up.launching import launch_line
from mcp_server.setting_up.places import Machine, config_path
from mcp_server.setting_up.writing import Read, read_file, replace_file

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for on the command line."""

    client: str
    scope: str | None = None
    name: str = SERVER_NAME
    project: Path | None = None
    only_print: bool = False
    force: bool = False
    remove: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a wish comes to on this machine."""

    client: Client
    scope: Scope
    path: Path
    name: str
    entry: Entry
    root: Path | None


def run_setup(wish: Wish, machine: Machine, backups: Path) -> int:
    """Set a client up and return the exit code.

    Raises InvalidArgumentError, ConfigurationError, UneditableError, DiskRefusedError.
    """
    plan = make_plan(wish, machine)
    if wish.only_print:
        sys.stderr.write(f"For {plan.path}:\n")
        sys.stdout.write(snippet(plan.client, plan.name, plan.entry))
        return 0
    read = read_file(plan.path, plan.root if plan.scope is Scope.PROJECT else None)
    config = _parsed(plan, read.content or b"")
    if wish.remove:
        return _remove(plan, read, config, backups)
    found = config.entries.get(plan.name)
    if covers(found, plan.entry):
        off = " It is switched off there." if is_off(found) else ""
        sys.stdout.write(f"Already set up: {plan.path} has the entry {plan.name}.{off}\n")
        sys.stdout.write(_advice(plan.client))
        return 0
    if plan.name in config.entries and not wish.force:
        sys.stderr.write(_other_entry(plan, found))
        return 2
    with _told_of(plan):
        text = config.with_entry(plan.name, plan.entry)
    _write(plan, read, text, backups, f"Put {plan.name} into {plan.path}")
    _say_where_it_works(plan)
    sys.stdout.write(_advice(plan.client))
    return 0


def _remove(plan: Plan, read: Read, config: ConfigText, backups: Path) -> int:
    if plan.name not in config.entries:
        sys.stdout.write(f"Nothing to do: {plan.path} has no entry {plan.name}.\n")
        return 0
    with _told_of(plan):
        text = config.without_entry(plan.name)
    _write(plan, read, text, backups, f"Took {plan.name} out of {plan.path}")
    sys.stdout.write(f"{plan.client.title} forgets it when it is started again.\n")
    return 0


def _write(plan: Plan, read: Read, text: str, backups: Path, done: str) -> None:
    backup = replace_file(
        read,
        text.encode(),
        backups=backups,
        now=datetime.now(UTC),
        private=plan.scope is Scope.USER,
    )
    sys.stdout.write(f"{done}\n")
    if backup:
        sys.stdout.write(f"The previous file is kept as {backup}\n")


def _say_where_it_works(plan: Plan) -> None:
    command = plan.entry["command"]
    program = command if isinstance(command, str) else command[0]
    if plan.scope is Scope.PROJECT and Path(program).is_absolute():
        sys.stdout.write(
            f"It names {program}, which others on the project do not have: for an entry that fits"
            f" every machine install the command with pipx or uv, then run this with --force.\n"
        )


def make_plan(wish: Wish, machine: Machine) -> Plan:
    """Return what a wish comes to; raises InvalidArgumentError, ConfigurationError."""
    client = _client(wish.client)
    if not _NAME.match(wish.name):
        raise InvalidArgumentError(
            f"{wish.name[:40]!r} is no name of a server",
            remediation="Use at most 64 letters, digits, hyphens and underscores.",
        )
    if wish.only_print and wish.remove:
        raise InvalidArgumentError(
            "--print and --remove do not go together",
            remediation="Take the entry out with --remove alone; the previous file is kept.",
        )
    scope = _scope(wish, client)
    config = client.files[scope]
    named = wish.project is not None and scope is Scope.USER
    root = None
    if scope is Scope.PROJECT or config.project is Named.BY_PATH or named:
        root = discover_root(machine.environment, wish.project).path
    entry = client.entry(launch_line(config, machine, root if scope is Scope.USER else None))
    return Plan(client, scope, config_path(config, machine, root), wish.name, entry, root)


def _client(name: str) -> Client:
    if name in CLIENTS:
        return CLIENTS[name]
    close = difflib.get_close_matches(name, CLIENTS, n=1)
    advice = f"Did you mean {close[0]}? " if close else ""
    raise InvalidArgumentError(
        f"unknown client {name[:40]!r}", remediation=f"{advice}There are {', '.join(CLIENTS)}."
    )


def _scope(wish: Wish, client: Client) -> Scope:
    if wish.scope is None:
        return client.default_scope
    if wish.scope not in client.files:
        known = " or ".join(f"--scope {scope}" for scope in client.files)
        raise InvalidArgumentError(
            f"{client.title} has no configuration of scope {wish.scope[:20]!r}",
            remediation=f"Use {known}.",
        )
    return Scope(wish.scope)


def _parsed(plan: Plan, content: bytes) -> ConfigText:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable(plan, "it is not UTF-8", line) from error
    with _told_of(plan):
        return ConfigText(plan.client, text)


@contextmanager
def _told_of(plan: Plan) -> Iterator[None]:
    try:
        yield
    except ConfigTextError as error:
        raise _unreadable(plan, error.reason, error.line) from error


def _unreadable(plan: Plan, reason: str, line: int | None) -> UneditableError:
    at = f"{plan.path}:{line}" if line else f"{plan.path}"
    return UneditableError(
        f"{at} was left as it is: {reason}",
        remediation="Mend it, then run the command again; --print shows what to put there.",
    )


def _other_entry(plan: Plan, found: Any) -> str:
    return (
        f"aos-workflow: {plan.path} has another entry {plan.name} already:\n"
        f"{_shown(plan.client, plan.name, _without_secrets(found))}"
        f"It was left as it is. It would become:\n{_shown(plan.client, plan.name, plan.entry)}"
        "Add --force to replace it, or --name NAME to add one beside it.\n"
    )


def _shown(client: Client, name: str, entry: Any) -> str:
    """Return the lines of one entry, in the language of the client's file."""
    if client.dialect is None and isinstance(entry, dict):
        return table_text((client.key, name), entry)
    return f"{json.dumps(entry, indent=2, default=str)}\n"


def _without_secrets(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {
        key: dict.fromkeys(value, "...") if isinstance(value, dict) else value
        for key, value in entry.items()
    }


def _advice(client: Client) -> str:
    return f"{client.restart}\nTo check: {client.check}\n"
