"""What a person trusts, from the command line: shows each command, and asks on the terminal.

Everything that is asked about is shown on the terminal that answers, so that no redirection can
part the two, and only a terminal can answer: there is no option that says yes. What is kept is
what was shown: a program that changes between the two asks again when it would run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from mcp_server.core.library import Place, WorkflowLibrary
from mcp_server.core.pinning import Pinned
from mcp_server.core.visible import visible
from mcp_server.errors import ConfigurationError, InvalidArgumentError, WorkflowError
from mcp_server.gates.commands import COMMANDS_FILE, Command, CommandError, parse_commands
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import LookFailedError
from mcp_server.gates.probe_settings import CommandSettings
from mcp_server.gates.probes.files import ProjectFiles
from mcp_server.gates.trust import Decision, Trust, TrustStore, program_digest
from mcp_server.server.services import Services, library_for
from mcp_server.terminal import Terminal, open_terminal, person
from mcp_server.viewing.check_shapes import CommandList, CommandRow
from mcp_server.viewing.printing import print_json, tell_note

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Unread:
    """Something whose commands are not known, because it cannot be read."""

    error: Exception
    is_definition: bool

    def __str__(self) -> str:
        """Say what it is."""
        return f"Not read: {self.error}"


def list_commands(
    services: Services, store: TrustStore, console: Console, *, as_json: bool = False
) -> int:
    """Show every command and whether it is trusted, and return the exit code."""
    project = services.settings.project
    _require_believed(store, project)
    commands, problems = collect_commands(services)
    if as_json:
        for problem in map(str, problems):
            tell_note(f"warning: {problem}")
        print_json(console, _listed(commands, problems, project, store))
    else:
        _tell_list(commands, problems, project, store, console)
    return 0


def trust_commands(services: Services, store: TrustStore, console: Console) -> int:
    """Show every command, ask about those that are not trusted, and return the exit code."""
    project = services.settings.project
    _require_believed(store, project)
    commands, problems = collect_commands(services)
    asked = [one for one in commands if store.standing(project, one) is not Trust.TRUSTED]
    if not asked:
        _tell_list(commands, problems, project, store, console)
        return 0
    for problem in map(str, problems):
        console.print(visible(problem), style="red")
    with open_terminal() as terminal:
        declined = 0
        for command in commands:
            _show(command, project, store, terminal.say)
            if command in asked:
                declined += not _ask(command, project, store, terminal)
        terminal.say(f"Commands: {len(commands)}; not trusted: {declined}.")
    return 1 if declined else 0


def _tell_list(
    commands: Sequence[Command],
    problems: Sequence[Unread],
    project: Path,
    store: TrustStore,
    console: Console,
) -> None:
    for problem in map(str, problems):
        console.print(visible(problem), style="red")
    for command in commands:
        _show(command, project, store, console.print)
    open_ones = sum(store.standing(project, one) is not Trust.TRUSTED for one in commands)
    console.print(f"Commands: {len(commands)}; not trusted: {open_ones}.")


def _listed(
    commands: Sequence[Command], problems: Sequence[Unread], project: Path, store: TrustStore
) -> CommandList:
    rows = [_row(command, project, store) for command in commands]
    return {
        "commands": rows,
        "count": len(rows),
        "not_trusted": sum(row["trust"] != Trust.TRUSTED for row in rows),
        "warnings": list(map(str, problems)),
    }


def _row(command: Command, project: Path, store: TrustStore) -> CommandRow:
    decision = store.decision(project, command)
    return {
        "name": command.name,
        "argv": list(command.argv),
        "timeout": command.timeout,
        "env": list(command.env),
        "source": command.source,
        "trust": str(store.standing(project, command)),
        "by": decision.who if decision else None,
    }


def revoke_command(project: Path, store: TrustStore, title: str, console: Console) -> int:
    """Take a person's trust in a command back, after asking, and return the exit code."""
    _require_believed(store, project)
    if not any(made.title == title for made in store.decisions(project)):
        titles = ", ".join(made.title for made in store.decisions(project))
        raise InvalidArgumentError(
            visible(f"no command {title!r} is trusted"),
            remediation=visible(f"Trusted: {titles or 'none'}."),
        )
    with open_terminal() as terminal:
        if not terminal.agrees(f"No longer trust {visible(title)}?"):
            return 1
    store.revoke(project, title)
    console.print(f"{visible(title)} is no longer trusted.")
    return 0


def _require_believed(store: TrustStore, project: Path) -> None:
    problem = store.problem(project)
    if problem:
        raise ConfigurationError(
            f"the folder of trusted commands is not believed: {problem}",
            remediation="Give it to its owner alone (mode 0700, files 0600), outside the project.",
        )


def collect_commands(services: Services) -> tuple[list[Command], list[Unread]]:
    """Return every command that a project may come to run, each once, and what cannot be read."""
    project = services.settings.project
    library = library_for(project)
    commands, problems = _defined(project), list[Unread]()
    definitions = [partial(_in_definition, place, library) for place in library.places()]
    for read in (*definitions, partial(_in_sessions, services)):
        try:
            commands += read()
        except (WorkflowError, CommandError) as error:
            problems.append(Unread(error, is_definition=read in definitions))
    merged: dict[tuple[str | None, str], Command] = {}
    for command in commands:
        command = replace(command, program=program_digest(project, command.argv))  # noqa: PLW2901
        known = merged.setdefault((command.name, command.digest), command)
        if command.source not in known.source.split(", "):
            known = replace(known, source=f"{known.source}, {command.source}")
        merged[command.name, command.digest] = known
    return list(merged.values()), problems


def _defined(project: Path) -> list[Command]:
    try:
        return list(parse_commands(ProjectFiles(project).read(COMMANDS_FILE).text()).values())
    except CommandError as error:
        at = f"{COMMANDS_FILE}:{error.line}" if error.line else COMMANDS_FILE
        raise ConfigurationError(f"{at}: {error.reason}", remediation=f"Mend {at}.") from error
    except LookFailedError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return []
        raise ConfigurationError(error.reason, remediation=f"Mend {COMMANDS_FILE}.") from error


def _in_definition(place: Place, library: WorkflowLibrary) -> list[Command]:
    return [
        command
        for phase in library.static_phases(place)
        for command in _in_gate(
            phase.gate,
            place.shown(place.folder / "phases" / str(phase.phase_number) / "gate-definition.yaml"),
        )
    ]


def _in_sessions(services: Services) -> list[Command]:
    """Return the commands of what unfinished sessions follow: lists of work have gates as well."""
    pinned = Pinned(services.sessions.store)
    followed = {(found.workflow_type, found.definition)
                for found in services.sessions.unfinished()}  # fmt: skip
    return [
        command
        for name, digest in sorted(followed)
        for phase in pinned(digest).phases
        for command in _in_gate(phase.gate, f"phase {phase.phase_number} of a session of {name}")
    ]


def _in_gate(gate: Gate, source: str) -> Iterator[Command]:
    for field in gate.verified_fields.values():
        for settings in field.probes:
            if isinstance(settings, CommandSettings) and settings.argv is not None:
                yield Command(None, settings.argv, settings.timeout, settings.env, source)


def _show(command: Command, project: Path, store: TrustStore, say: Say) -> None:
    say("")
    say(visible(f"{command.name or '(in a gate)'}   from {command.source}"))
    say(f"    {visible(command.line)}")
    environment = ", ".join(command.env) or "nothing of its own"
    say(visible(f"    time limit {command.timeout:g} s; environment: {environment}"))
    if command.program:
        say(f"    content of its program: {command.program[:12]}")
    decision = store.decision(project, command)
    if decision is None:
        say("    new: nobody has trusted it")
    elif decision.digest == command.digest:
        say(visible(f"    trusted by {decision.who} on {decision.when:%Y-%m-%d}"))
    else:
        _show_change(command, decision, say)


def _show_change(command: Command, decision: Decision, say: Say) -> None:
    say(visible(f"    CHANGED since {decision.who} trusted it on {decision.when:%Y-%m-%d}; then:"))
    if decision.settings == command.settings_digest:
        say("        the same line, but its program or script had another content")
        return
    old = Command(decision.name, decision.argv, decision.timeout, decision.env)
    environment = ", ".join(old.env) or "nothing of its own"
    say(f"        {visible(old.line)}")
    say(visible(f"        time limit {old.timeout:g} s; environment: {environment}"))


def _ask(command: Command, project: Path, store: TrustStore, terminal: Terminal) -> bool:
    if not terminal.agrees("    May the server run this in this project?"):
        return False
    store.trust(project, command, who=person(), when=datetime.now(UTC))
    return True
