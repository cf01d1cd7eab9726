"""Commands on what is around the server: the clients that start it, and whether all is well."""

from typing import Annotated

import typer

from mcp_server.cli.running import AsJson, Project, console, described, finish

PANEL = "Set up"

commands = typer.Typer()


@described(
    commands,
    PANEL,
    "setup claude-code",
    "setup vscode --scope user",
    "setup codex --print",
    "setup cursor --remove",
)
def setup(
    client: Annotated[str, typer.Argument(
        metavar="CLIENT", help="claude-code, claude-desktop, cursor, vscode, codex, gemini, cline,"
        " windsurf or opencode.")],
    scope: Annotated[str | None, typer.Option(
        metavar="project|user", help="Set it up for this project, or for you in all of them;"
        " default: the project, where the client has a file for it.")] = None,
    name: Annotated[str, typer.Option(
        metavar="NAME", help="What the entry is called.")] = "aos-workflow",
    only_print: Annotated[bool, typer.Option(
        "--print", help="Only print what belongs into the client's file.")] = False,
    force: Annotated[bool, typer.Option(
        "--force", help="Replace another entry of that name.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the entry out again.")] = False,
    project: Project = None,
) -> None:  # fmt: skip
    """Put this server into the configuration of an MCP client; the rest of the file stays as it is.

    Exits with 1 if the file cannot be changed safely, with 2 if it has another entry of that name.
    """
    from mcp_server.setting_up.command import Wish, run_setup  # noqa: PLC0415
    from mcp_server.setting_up.places import Machine  # noqa: PLC0415
    from mcp_server.setting_up.writing import default_backup_folder  # noqa: PLC0415

    wish = Wish(client, scope, name, project, only_print, force, remove)
    finish(lambda: run_setup(wish, Machine.here(), default_backup_folder()))


@described(commands, PANEL, "doctor", "doctor --json")
def doctor(as_json: AsJson = False, project: Project = None) -> None:
    """Tell whether all is well around the server, and what to do where it is not; changes nothing.

    Exits with 1 if there is a problem. Its JSON is told in docs/setup.md.
    """
    from mcp_server.doctor.command import run_doctor  # noqa: PLC0415
    from mcp_server.setting_up.places import Machine  # noqa: PLC0415

    finish(lambda: run_doctor(Machine.here(), project, console(), json=as_json))
