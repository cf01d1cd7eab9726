"""The `aos-workflow` command, for people.

Each command imports what it runs when it runs, so that help is instant and `serve` starts fast.
Exit codes: 0 done, 1 something is not as it should be, 2 wrong usage.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mcp_server import __version__
from mcp_server.core.transitions import Status
from mcp_server.errors import ConfigurationError, InvalidArgumentError, WorkflowError

if TYPE_CHECKING:
    from mcp_server.server.services import Services

app = typer.Typer(
    name="aos-workflow",
    help="Walk agents through gated workflows over MCP.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Project = Annotated[Path | None, typer.Option(help="Project folder; default: found from here.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it; without this only show.")]


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"aos-workflow {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=lambda wanted: _show_version(wanted=wanted),
                     is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:  # fmt: skip
    """Walk agents through gated workflows over MCP."""


@app.command()
def serve(project: Project = None) -> None:
    """Run the MCP server over stdio, as clients start it."""
    from mcp_server.__main__ import serve as serve_stdio  # noqa: PLC0415

    raise typer.Exit(serve_stdio(project))


@app.command()
def demo(
    definitions: Annotated[
        Path | None, typer.Option(help="A folder of further definitions to walk as well.")
    ] = None,
) -> None:
    """Watch a scripted agent walk workflows through the real server, in a throw-away project.

    Exits with 1 if any answer is not as expected.
    """
    from mcp_server.demo import run_demo  # noqa: PLC0415

    raise typer.Exit(run_demo(definitions))


@app.command()
def verify(
    session: Annotated[str, typer.Argument(help="The session's id.")],
    expect: Annotated[
        str | None, typer.Option(help="A hash that verify printed earlier: it must still be there.")
    ] = None,
    project: Project = None,
) -> None:
    """Audit a session: is its journal a chain without gap, and is all its evidence there?"""
    from mcp_server.maintenance import verify_session  # noqa: PLC0415

    _run(project, lambda found: verify_session(found.sessions, session, expect, _console()))


@app.command()
def prune(
    older_than: Annotated[str, typer.Option(help="Age of the last change, such as 30d or 12h.")],
    status: Annotated[Status | None, typer.Option(help="Only sessions in this status.")] = None,
    apply: Apply = False,
    project: Project = None,
) -> None:
    """Delete sessions that have not changed for long, with their evidence; a dry run by default."""
    from mcp_server.maintenance import prune_sessions  # noqa: PLC0415

    _run(
        project,
        lambda found: prune_sessions(found.sessions, older_than, status, _console(), apply=apply),
    )


@app.command("import-state")
def import_state(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The older server's state.")],
    apply: Apply = False,
    project: Project = None,
) -> None:
    """Take over the state files of an older server of this kind; a dry run by default.

    Nothing in DIR changes. Exits with 1 if any file cannot be imported.
    """
    from mcp_server.maintenance import import_sessions  # noqa: PLC0415

    _run(project, lambda found: import_sessions(folder, found, _console(), apply=apply))


def _run(project: Path | None, command: Callable[["Services"], int]) -> None:
    """Run a command on a project's services and exit; a refusal is one line on stderr."""
    from mcp_server.config import load_settings  # noqa: PLC0415
    from mcp_server.server.services import services_for  # noqa: PLC0415

    try:
        code = command(services_for(load_settings(project=project)))
    except WorkflowError as error:
        sys.stderr.write(f"aos-workflow: {error.message}. {error.remediation}\n")
        wrong_usage = isinstance(error, ConfigurationError | InvalidArgumentError)
        code = 2 if wrong_usage else 1
    raise typer.Exit(code)


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """Run the command line."""
    app()
