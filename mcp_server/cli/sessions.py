"""Commands that keep stored sessions: audit, prune, take over, move."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcp_server.cli.completing import session_ids
from mcp_server.cli.running import (
    Apply,
    AsJson,
    InStatus,
    Project,
    State,
    console,
    described,
    finish,
    run_on_project,
)

if TYPE_CHECKING:
    from mcp_server.server.services import Services

PANEL = "Keep sessions"

commands = typer.Typer()


@described(
    commands,
    PANEL,
    "verify SESSION",
    "verify SESSION --expect HASH",
    "verify SESSION --json",
)
def verify(
    session: Annotated[
        str,
        typer.Argument(help="The session's id, or enough of its beginning.",
                       autocompletion=session_ids),
    ],
    expect: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A hash that verify printed earlier: it must still be"
                     " there."),
    ] = None,
    as_json: AsJson = False,
    project: Project = None,
    state: State = None,
) -> None:  # fmt: skip
    """Audit a session: is its journal a chain without gap, and is all its evidence there?

    Exits with 1 if not, with 2 if there is no such session.
    """
    from mcp_server.maintenance import verify_session  # noqa: PLC0415
    from mcp_server.viewing.finding import find_session_id  # noqa: PLC0415

    def audit(found: "Services") -> int:
        session_id = find_session_id(found.sessions, session)
        return verify_session(found.sessions, session_id, expect, console(), as_json=as_json)

    run_on_project(project, audit, state)


@described(
    commands, PANEL, "prune --older-than 30d", "prune --older-than 2w --status completed --apply"
)
def prune(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Age of the last change, such as 30d or 12h.")
    ],
    status: InStatus = None,
    apply: Apply = False,
    as_json: AsJson = False,
    project: Project = None,
    state: State = None,
) -> None:
    """Delete sessions that have not changed for long, with their evidence; a dry run by default.

    Exits with 1 if any of them could not be deleted.
    """
    from mcp_server.maintenance import prune_sessions  # noqa: PLC0415

    run_on_project(
        project,
        lambda found: prune_sessions(
            found.sessions, older_than, status, console(), apply=apply, as_json=as_json
        ),
        state,
    )


@described(
    commands,
    PANEL,
    "import-state ../old/state",
    "import-state ../old/state --apply",
    name="import-state",
)
def import_state(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The older server's state.")],
    apply: Apply = False,
    as_json: AsJson = False,
    project: Project = None,
    state: State = None,
) -> None:
    """Take over the state files of an older server of this kind; a dry run by default.

    Nothing in DIR changes. Exits with 1 if any file cannot be imported.
    """
    from mcp_server.maintenance import import_sessions  # noqa: PLC0415

    run_on_project(
        project,
        lambda found: import_sessions(folder, found, console(), apply=apply, as_json=as_json),
        state,
    )


@described(
    commands,
    PANEL,
    "migrate-state --from . --to postgresql://me@db/sessions",
    "migrate-state --from . --to postgresql://me@db/sessions --apply",
    "migrate-state --from postgresql://me@db/sessions --to ../clone --apply",
    name="migrate-state",
)
def migrate_state(
    source: Annotated[str, typer.Option(
        "--from", metavar="PLACE", help="Where the sessions are: a folder of a project or of"
        " state, or postgresql://...")],
    target: Annotated[str, typer.Option(
        "--to", metavar="PLACE", help="Where they go: a project folder, or postgresql://...")],
    apply: Apply = False,
    all_projects: Annotated[bool, typer.Option(
        "--all-projects", help="Take the sessions of all projects out of a database.")] = False,
    as_json: AsJson = False,
    project: Project = None,
) -> None:  # fmt: skip
    """Copy sessions between files and a database, byte for byte; a dry run by default.

    Out of a database come the sessions of one project. Nothing at the source changes; running it
    again goes on where it stopped. Exits with 1 if any session is left: damaged, in use, or with
    another history at the other place.
    """
    from mcp_server.moving.command import migrate_state as migrate  # noqa: PLC0415
    from mcp_server.moving.sides import Wish  # noqa: PLC0415

    wish = Wish(source, target, project, all_projects)
    finish(lambda: migrate(wish, console(), apply=apply, as_json=as_json))
