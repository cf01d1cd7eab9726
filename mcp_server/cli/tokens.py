"""Commands on the tokens of callers over HTTP."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcp_server.cli.decisions import PANEL
from mcp_server.cli.helping import Commands
from mcp_server.cli.running import AsJson, console, described, finish

if TYPE_CHECKING:
    from mcp_server.http.tokens import TokenFile

commands = typer.Typer()

token = typer.Typer(cls=Commands, help="Say who may call over HTTP.", no_args_is_help=True)
commands.add_typer(token, name="token", rich_help_panel=PANEL)

Name = Annotated[str, typer.Argument(help="Who gets it, such as ci-runner.")]
File = Annotated[
    Path | None,
    typer.Option("--token-file", metavar="FILE", help="Where tokens are kept; default: your own."),
]


@described(token, PANEL, "token new ci-runner --expires 90d", "token new boss --admin")
def new(
    name: Name,
    admin: Annotated[bool, typer.Option("--admin", help="Show it the sessions of all.")] = False,
    expires: Annotated[
        str | None, typer.Option(metavar="AGE", help="How long it is good, such as 90d.")
    ] = None,
    token_file: File = None,
) -> None:
    """Make a token and print it, this once; what is kept is its hash.

    Exits with 2 if there is one of this name already.
    """
    from mcp_server.http.token_commands import new_token  # noqa: PLC0415

    finish(lambda: new_token(_file(token_file), name, expires, console(), admin=admin))


@described(token, PANEL, "token list", "token list --json", name="list")
def list_(token_file: File = None, as_json: AsJson = False) -> None:
    """Show who has a token, and until when.

    Exits with 2 if the file of tokens cannot be believed.
    """
    from mcp_server.http.token_commands import list_tokens  # noqa: PLC0415

    finish(lambda: list_tokens(_file(token_file), console(), as_json=as_json))


@described(token, PANEL, "token revoke ci-runner")
def revoke(name: Name, token_file: File = None) -> None:
    """Take a token away; running servers refuse it at once.

    Exits with 2 if there is none of this name.
    """
    from mcp_server.http.token_commands import revoke_token  # noqa: PLC0415

    finish(lambda: revoke_token(_file(token_file), name, console()))


def _file(named: Path | None) -> "TokenFile":
    from mcp_server.http.options import load_options  # noqa: PLC0415
    from mcp_server.http.tokens import TokenFile, default_token_file  # noqa: PLC0415

    named = load_options({"token_file": named}).token_file
    return TokenFile(named or default_token_file())
