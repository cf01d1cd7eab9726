"""The `aos-workflow` command, for people: serve and demo.

Each command imports what it runs when it runs, so that help is instant and `serve` starts fast.
"""

from pathlib import Path
from typing import Annotated

import typer

from mcp_server import __version__

app = typer.Typer(
    name="aos-workflow",
    help="Walk agents through gated workflows over MCP.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
def serve(
    project: Annotated[
        Path | None, typer.Option(help="Project folder; default: found from here.")
    ] = None,
) -> None:
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


def main() -> None:
    """Run the command line."""
    app()
