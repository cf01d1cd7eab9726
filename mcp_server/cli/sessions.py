"""Commands on stored sessions."""

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.running import Apply, AsJson, Project, console, run_on_project
from mcp_server.core.transitions import Status

commands = typer.Typer()


@commands.command()
def verify(
    session: Annotated[str, typer.Argument(help="The session's id.")],
    expect: Annotated[
        str | None, typer.Option(help="A hash that verify printed earlier: it must still be there.")
    ] = None,
    project: Project = None,
) -> None:
    """Audit a session: is its journal a chain without gap, and is all its evidence there?"""
    from mcp_server.maintenance import verify_session  # noqa: PLC0415

    run_on_project(
        project, lambda found: verify_session(found.sessions, session, expect, console())
    )


@commands.command()
def prune(
    older_than: Annotated[str, typer.Option(help="Age of the last change, such as 30d or 12h.")],
    status: Annotated[Status | None, typer.Option(help="Only sessions in this status.")] = None,
    apply: Apply = False,
    project: Project = None,
) -> None:
    """Delete sessions that have not changed for long, with their evidence; a dry run by default."""
    from mcp_server.maintenance import prune_sessions  # noqa: PLC0415

    run_on_project(
        project,
        lambda found: prune_sessions(found.sessions, older_than, status, console(), apply=apply),
    )


@commands.command("import-state")
def import_state(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The older server's state.")],
    apply: Apply = False,
    project: Project = None,
) -> None:
    """Take over the state files of an older server of this kind; a dry run by default.

    Nothing in DIR changes. Exits with 1 if any file cannot be imported.
    """
    from mcp_server.maintenance import import_sessions  # noqa: PLC0415

    run_on_project(project, lambda found: import_sessions(folder, found, console(), apply=apply))


@commands.command()
def stats(
    days: Annotated[
        int, typer.Option(min=1, max=3_650, help="Sessions started on so many days, today's too.")
    ] = 30,
    workflow: Annotated[
        str | None, typer.Option(metavar="NAME", help="Sessions of this workflow only.")
    ] = None,
    as_json: AsJson = False,
    project: Project = None,
) -> None:
    """Show what the stored sessions add up to: use, where phases fail, and how long they take.

    Deleted and pruned sessions are not in it. Days are those of your time zone. A session that
    cannot be read is a warning on standard error.
    """
    from mcp_server.statistics.command import run_stats  # noqa: PLC0415

    run_on_project(
        project,
        lambda found: run_stats(found.sessions, days, workflow, console(), as_json=as_json),
    )
