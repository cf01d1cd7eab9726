"""What commands share: options, the project's services, the console, and how a command ends.

Exit codes: 0 done; 1 something is not as it should be; 2 wrong usage, where nothing was done for
what was typed: names of what is not there, or is taken, are among it. `streams` has those of output
that cannot be written.
"""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from mcp_server.core.transitions import Status
from mcp_server.core.visible import visible
from mcp_server.errors import ConfigurationError, InvalidArgumentError, NotFoundError, WorkflowError

if TYPE_CHECKING:
    from mcp_server.server.services import Services

Function = TypeVar("Function", bound=Callable[..., Any])

Project = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Project folder; default: found from here.")
]
State = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Database of the sessions, postgresql://...; default: files."),
]
Apply = Annotated[bool, typer.Option("--apply", help="Do it; without this only show.")]
InStatus = Annotated[
    Status | None,
    typer.Option(
        metavar="STATUS", help="Only sessions that are active, paused, failed or completed."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


_WRONG_USAGE = (ConfigurationError, InvalidArgumentError, NotFoundError)
"""What was typed cannot be meant, so nothing was done."""


def described(
    group: typer.Typer, panel: str, *examples: str, name: str | None = None
) -> Callable[[Function], Function]:
    """Add a command to `group` under a heading of the help, which ends in `examples`.

    Its name is that of the function, and its help what stands there, a paragraph a line.
    """

    def add(function: Function) -> Function:
        paragraphs = (inspect.getdoc(function) or "").split("\n\n")
        told = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        calls = [f"$ aos-workflow {example}" for example in examples]
        return group.command(
            name, help=told, epilog="\n\n".join(["Examples:", *calls]), rich_help_panel=panel
        )(function)

    return add


def run_on_project(
    project: Path | None, command: Callable[["Services"], int], state: str | None = None
) -> None:
    """Run a command on a project's services and exit; a refusal is one line on stderr."""
    from mcp_server.config import load_settings  # noqa: PLC0415
    from mcp_server.server.services import services_for  # noqa: PLC0415

    finish(lambda: command(services_for(load_settings(project=project, state=state))))


def finish(command: Callable[[], int]) -> None:
    """Run a command and exit with its code; a refusal is one line on stderr."""
    try:
        code = command()
    except WorkflowError as error:
        told = visible(f"{error.at_terminal}. {error.remediation}")
        sys.stderr.write(f"aos-workflow: {told}\n")
        code = 2 if isinstance(error, _WRONG_USAGE) else 1
    raise typer.Exit(code)


def console() -> Console:
    """Return the console on standard output; plain where that is not a terminal."""
    return Console(highlight=False, markup=False, soft_wrap=True)
