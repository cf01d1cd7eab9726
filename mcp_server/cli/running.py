"""What commands share: options, the project's services, the console, and how a command ends.

Exit codes: 0 done, 1 something is not as it should be, 2 wrong usage.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mcp_server.errors import ConfigurationError, InvalidArgumentError, WorkflowError

if TYPE_CHECKING:
    from mcp_server.server.services import Services

Project = Annotated[Path | None, typer.Option(help="Project folder; default: found from here.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it; without this only show.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def run_on_project(project: Path | None, command: Callable[["Services"], int]) -> None:
    """Run a command on a project's services and exit; a refusal is one line on stderr."""
    from mcp_server.config import load_settings  # noqa: PLC0415
    from mcp_server.server.services import services_for  # noqa: PLC0415

    finish(lambda: command(services_for(load_settings(project=project))))


def finish(command: Callable[[], int]) -> None:
    """Run a command and exit with its code; a refusal is one line on stderr."""
    try:
        code = command()
    except WorkflowError as error:
        sys.stderr.write(f"aos-workflow: {error.message}. {error.remediation}\n")
        wrong_usage = isinstance(error, ConfigurationError | InvalidArgumentError)
        code = 2 if wrong_usage else 1
    raise typer.Exit(code)


def console() -> Console:
    """Return the console on standard output; plain where that is not a terminal."""
    return Console(highlight=False, markup=False, soft_wrap=True)
