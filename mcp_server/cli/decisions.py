"""Commands that ask a person on the terminal: what to trust, what to approve."""

from typing import TYPE_CHECKING, Annotated

import typer

from mcp_server.cli.running import Project, console, run_on_project

if TYPE_CHECKING:
    from mcp_server.server.services import Services

commands = typer.Typer()


@commands.command()
def trust(
    only_list: Annotated[bool, typer.Option("--list", help="Only show, ask nothing.")] = False,
    revoke: Annotated[
        str | None, typer.Option(metavar="NAME", help="A command to trust no longer.")
    ] = None,
    project: Project = None,
) -> None:
    """Show every command that gates may run, and ask on the terminal which ones to trust.

    Exits with 1 if any was declined, with 2 if there is no terminal to ask on.
    """
    from mcp_server.gates.trust import TrustStore, default_trust_folder  # noqa: PLC0415
    from mcp_server.trusting import revoke_command, trust_commands  # noqa: PLC0415

    def decide(found: "Services") -> int:
        root, store = found.settings.project, TrustStore(default_trust_folder())
        if revoke is not None:
            return revoke_command(root, store, revoke, console())
        return trust_commands(found, store, console(), only_list=only_list)

    run_on_project(project, decide)


@commands.command()
def approve(
    session: Annotated[str, typer.Argument(help="The session's id.")],
    override: Annotated[
        bool, typer.Option("--override", help="Wave a refused phase through instead.")
    ] = False,
    project: Project = None,
) -> None:
    """Give a person's approval that a gate waits for; asks on the terminal for a one-time code.

    Exits with 1 if anything was declined, with 2 if there is no terminal to ask on.
    """
    from mcp_server.approving import approve_session, override_session  # noqa: PLC0415

    ask = override_session if override else approve_session
    run_on_project(project, lambda found: ask(found, session))
