"""Which commands the server may run, and which it may not any more."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from mcp_server.config import STATE_DIR
from mcp_server.doctor.findings import Finding, fine, note, problem
from mcp_server.doctor.subject import Subject
from mcp_server.errors import ConfigurationError
from mcp_server.gates.commands import Command
from mcp_server.gates.trust import Trust, TrustStore
from mcp_server.linting.problems import listed
from mcp_server.trusting import Unread, collect_commands


def check_trusted(subject: Subject) -> Iterator[Finding]:
    """Say which commands are trusted, which have changed since, and which are gone."""
    if isinstance(subject.services, ConfigurationError) or subject.folder is None:
        return
    store = TrustStore(subject.trust_folder)
    disbelieved = store.problem(subject.folder)
    if disbelieved:
        yield problem(
            f"{store.folder} is not believed: {disbelieved}",
            "Give it to its owner alone (mode 0700, files 0600), outside the project.",
        )
    commands, unread = collect_commands(subject.services)
    yield from _check_readable(unread, subject.folder)
    standing: dict[Trust, list[Command]] = {trust: [] for trust in Trust}
    for command in commands:
        standing[store.standing(subject.folder, command)].append(command)
    for command in standing[Trust.CHANGED]:
        yield problem(f"{command.title} has changed since it was trusted", "aos-workflow trust")
    if standing[Trust.UNKNOWN] and not disbelieved:
        yield note(f"not trusted: {_titles(standing[Trust.UNKNOWN])}", "aos-workflow trust")
    for decision in store.decisions(subject.folder):
        if not any(decision.is_on(command) for command in commands) and not unread:
            yield note(f"{decision.title} is trusted, and nothing runs it any more",
                       f"aos-workflow trust --revoke {shlex.quote(decision.title)}")  # fmt: skip
    trusted = _titles(standing[Trust.TRUSTED]) if standing[Trust.TRUSTED] else "none"
    if commands or not unread:
        yield fine(f"trusted: {trusted}" if commands else "gates of this project run no commands")


def _check_readable(unread: Sequence[Unread], project: Path) -> Iterator[Finding]:
    """Say what keeps commands from being known, but for what other checks have found already."""
    is_state_usable = (project / STATE_DIR).is_dir()
    for one in unread:
        if is_state_usable and not one.is_definition:
            yield problem(str(one), "aos-workflow trust --list")


def _titles(commands: list[Command]) -> str:
    return listed(command.title for command in commands)
