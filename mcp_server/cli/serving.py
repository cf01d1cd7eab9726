"""Commands that run the server: for clients, and to be watched."""

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.running import Project, State, described

PANEL = "Run the server"

commands = typer.Typer()


@described(commands, PANEL, "serve", "serve --project ~/work/shop")
def serve(project: Project = None, state: State = None) -> None:
    """Run the MCP server over stdio, as clients start it.

    Exits with 2 if there is no project to serve.
    """
    from mcp_server.__main__ import serve as serve_stdio  # noqa: PLC0415

    raise typer.Exit(serve_stdio(project, state))


@described(commands, PANEL, "demo", "demo --definitions ./my-workflows")
def demo(
    definitions: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A folder of further definitions to walk as well."),
    ] = None,
) -> None:
    """Watch a scripted agent walk workflows through the real server, in a throw-away project.

    Exits with 1 if any answer is not as expected.
    """
    from mcp_server.demo import run_demo  # noqa: PLC0415

    raise typer.Exit(run_demo(definitions))
