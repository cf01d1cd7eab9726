"""What authors of workflows do from the command line: begin a new one, and print one as a page."""

import os
import shlex
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import typer
from rich.console import Console

from mcp_server.config import discover_root
from mcp_server.core import views
from mcp_server.core.library import WorkflowLibrary
from mcp_server.core.transitions import Action
from mcp_server.errors import ConfigurationError, DiskRefusedError, NotFoundError
from mcp_server.scaffolding import files_of, require_new, write_definition
from mcp_server.server import documents
from mcp_server.server.services import library_for
from mcp_server.viewing.finding import find_place

FOLDER = Path(".praxis-os") / "workflows"
"""Where a project's own workflows are, relative to its root."""


def new_workflow(
    project: Path, name: str, phases: int, folder: Path | None, console: Console
) -> int:
    """Write a new workflow, tell what was written and what to do next; return the exit code."""
    library = library_for(project)
    within = folder.absolute() if folder else _own_folder(project)
    require_new(name, library, within)
    files = files_of(name, phases)
    write_definition(within, name, files)
    console.print(f"Wrote {_shown(within / name)}:")
    for line in _listing(files):
        console.print(f"  {line}")
    _tell_next(project, library, within / name, console)
    return 0


def render_workflow(project: Path, name: str, output: Path | None) -> int:
    """Print one workflow as a Markdown page, or write it to a file; return the exit code."""
    library = library_for(project)
    text = documents.workflow(library, find_place(library, name).name)
    if output is None:
        # As bytes: a page is UTF-8 wherever it is sent.
        typer.echo(text.encode("utf-8"), nl=False)
        return 0
    try:
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise DiskRefusedError(
            f"the page cannot be written: {error.strerror}",
            remediation="Name a file in a folder that is there and writable by --output.",
        ) from error
    return 0


def _own_folder(project: Path) -> Path:
    folder = project / FOLDER
    if not folder.resolve().is_relative_to(project.resolve()):
        raise ConfigurationError(
            f"{FOLDER.as_posix()} leads out of the project through a link",
            remediation="Replace the link by a folder, or name another folder by --folder.",
        )
    return folder


def _listing(files: Iterable[str]) -> list[str]:
    by_folder: dict[str, list[str]] = defaultdict(list)
    for file in files:
        folder, _, name = file.rpartition("/")
        by_folder[folder].append(name)
    return [
        f"{folder}{': ' if folder else ''}{', '.join(names)}" for folder, names in by_folder.items()
    ]


def _tell_next(project: Path, library: WorkflowLibrary, folder: Path, console: Console) -> None:
    name, where = folder.name, _project_option(project)
    console.print("\nNext:")
    console.print(f"  aos-workflow lint --strict {shlex.quote(_shown(folder))}{where}")
    if not _can_start(library, folder):
        console.print(f"It can be started once it is in {FOLDER.as_posix()} of a project.")
        return
    console.print(f"  aos-workflow gates test {name}{where}")
    console.print(f"  aos-workflow render {name}{where}")
    call = views.call(Action.START, workflow_type=name, target_file="src")
    console.print(f"Then your agent can start it, on whatever it is to work on:\n  {call}")


def _project_option(project: Path) -> str:
    """Return the option that the next commands need to find the same project from here."""
    try:
        found = discover_root(os.environ).path
    except ConfigurationError:
        found = None
    return "" if found == project else f" --project {shlex.quote(_shown(project))}"


def _can_start(library: WorkflowLibrary, folder: Path) -> bool:
    try:
        return library.find(folder.name).folder.resolve() == folder.resolve()
    except NotFoundError:
        return False


def _shown(path: Path) -> str:
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)
