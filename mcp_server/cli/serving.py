"""Commands that run the server: for clients, and to be watched."""

from pathlib import Path
from typing import Annotated

import typer

from mcp_server.cli.running import Project, State, described, finish
from mcp_server.errors import InvalidArgumentError

PANEL = "Run the server"

commands = typer.Typer()


@described(
    commands,
    PANEL,
    "serve",
    "serve --project ~/work/shop",
    "serve --http",
    "serve --http 0.0.0.0:8000 --allow-host flows.example.com",
)
def serve(
    address: Annotated[
        str | None, typer.Argument(metavar="[HOST:PORT]", help="With --http; 127.0.0.1:8000.")
    ] = None,
    http: Annotated[bool, typer.Option("--http", help="Serve over streamable HTTP.")] = False,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Tokens of callers; default: your own.")
    ] = None,
    jwt_issuer: Annotated[
        str | None, typer.Option(metavar="URL", help="Accept tokens that this issuer signed.")
    ] = None,
    jwt_audience: Annotated[
        str | None, typer.Option(metavar="AUDIENCE", help="Whom such tokens must be for.")
    ] = None,
    jwks: Annotated[
        str | None, typer.Option(metavar="FILE|URL", help="The issuer's keys; default: its own.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A further name of the server.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None, typer.Option(metavar="ORIGIN", help="A web page that may call.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The endpoint as clients know it.")
    ] = None,
    project: Project = None,
    state: State = None,
) -> None:
    """Run the MCP server over stdio, as clients start it, or with --http over a network.

    Exits with 2 if there is no project to serve, or if others could call it and nothing says who
    may.
    """
    given = {
        "token_file": token_file,
        "jwt_issuer": jwt_issuer,
        "jwt_audience": jwt_audience,
        "jwks": jwks,
        "allowed_hosts": allow_host,
        "allowed_origins": allow_origin,
        "public_url": public_url,
    }
    if not http:
        stray = [name for name, value in {"address": address, **given}.items() if value]
        finish(lambda: _serve_stdio(project, state, stray))
    from mcp_server.http.serving import serve_http  # noqa: PLC0415

    finish(lambda: serve_http(address, project, state, given))


def _serve_stdio(project: Path | None, state: str | None, stray: list[str]) -> int:
    from mcp_server.__main__ import serve as serve_stdio  # noqa: PLC0415

    if stray:
        raise InvalidArgumentError(
            f"{', '.join(stray)}: this is about HTTP", remediation="Add --http to serve over it."
        )
    return serve_stdio(project, state)


@described(commands, PANEL, "demo", "demo --definitions ./my-workflows")
def demo(
    definitions: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A folder of further definitions to walk as well."),
    ] = None,
) -> None:
    """Watch a scripted agent walk workflows through the real server, in a throw-away project.

    A further definition whose gates look for themselves needs a folder example/ with the work that
    they find: docs/workflows.md tells what goes in it. Exits with 1 if any answer is not as
    expected, with 2 for definitions that are not there or have no such example.
    """
    from mcp_server.demo import run_demo  # noqa: PLC0415

    finish(lambda: run_demo(definitions))
