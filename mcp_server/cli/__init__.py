"""The `aos-workflow` command, for people.

Each command imports what it runs when it runs, so that help is instant and `serve` starts fast. A
module of commands is about one thing, and has a panel of the help to itself. Without a command the
help is shown, which is wrong usage.
"""

from typing import Annotated

import typer

from mcp_server import __version__
from mcp_server.cli import decisions, definitions, environment, serving, sessions, showing, tokens
from mcp_server.cli.helping import Commands
from mcp_server.cli.streams import prepare_streams

EXIT_CODES = (
    "Exit codes: 0 done; 1 something is not as it should be; 2 wrong usage; 74 the output cannot be"
    " written; 130 interrupted; 141 nobody reads the output any more."
)

app = typer.Typer(
    name="aos-workflow",
    cls=Commands,
    help="Walk agents through gated workflows over MCP.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (environment, serving, tokens, showing, decisions, sessions, definitions):
    app.add_typer(group.commands)


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


def main() -> None:
    """Run the command line."""
    prepare_streams()
    app()
