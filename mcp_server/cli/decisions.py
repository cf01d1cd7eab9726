"""Commands that ask a person on the terminal: what to trust, what to approve."""

from typing import TYPE_CHECKING, Annotated

import typer

from mcp_server.cli.completing import session_ids
from mcp_server.cli.running import Project, State, console, described, run_on_project
from mcp_server.errors import InvalidArgumentError

if TYPE_CHECKING:
    from mcp_server.server.services import Services

PANEL = "Decide what only a person may"

commands = typer.Typer()


@described(commands, PANEL, "trust", "trust --list", "trust --list --json", "trust --revoke test")
def trust(
    only_list: Annotated[bool, typer.Option("--list", help="Only show, ask nothing.")] = False,
    revoke: Annotated[
        str | None, typer.Option(metavar="NAME", help="A command to trust no longer.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the list as JSON; with --list.")
    ] = False,
    project: Project = None,
    state: State = None,
) -> None:
    """Show every command that gates may run, and ask on the terminal which ones to trust.

    Exits with 1 if any was declined, with 2 if there is no terminal to ask on or no such command.
    """
    from mcp_server.gates.trust import TrustStore, default_trust_folder  # noqa: PLC0415
    from mcp_server.trusting import list_commands, revoke_command, trust_commands  # noqa: PLC0415

    def decide(found: "Services") -> int:
        if as_json and not only_list:
            raise InvalidArgumentError(
                "--json goes with --list", remediation="A person is asked on a terminal."
            )
        root, store = found.settings.project, TrustStore(default_trust_folder())
        if revoke is not None:
            return revoke_command(root, store, revoke, console())
        if only_list:
            return list_commands(found, store, console(), as_json=as_json)
        return trust_commands(found, store, console())

    run_on_project(project, decide, state)


@described(
    commands,
    PANEL,
    "approve SESSION",
    "approve SESSION --override",
)
def approve(
    session: Annotated[
        str,
        typer.Argument(help="The session's id, or enough of its beginning.",
                       autocompletion=session_ids),
    ],
    override: Annotated[
        bool, typer.Option("--override", help="Wave a refused phase through instead.")
    ] = False,
    project: Project = None,
    state: State = None,
) -> None:  # fmt: skip
    """Give a person's approval that a gate waits for; asks on the terminal for a one-time code.

    Exits with 1 if anything was declined, with 2 if there is no terminal to ask on or no such
    session.
    """
    from mcp_server.approving import approve_session, override_session  # noqa: PLC0415
    from mcp_server.viewing.finding import find_session_id  # noqa: PLC0415

    ask = override_session if override else approve_session
    run_on_project(
        project, lambda found: ask(found, find_session_id(found.sessions, session)), state
    )
