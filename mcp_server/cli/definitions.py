"""Commands for authors of workflows, and on their gates."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcp_server.cli.running import AsJson, Project, console, finish, run_on_project

if TYPE_CHECKING:
    from mcp_server.server.services import Services

commands = typer.Typer()

gates = typer.Typer(help="Look at the gates of workflows.", no_args_is_help=True)
commands.add_typer(gates, name="gates")


@gates.command("test")
def gates_test(
    workflows: Annotated[
        list[str] | None, typer.Argument(help="Names of workflows; default: all there are.")
    ] = None,
    as_json: AsJson = False,
    project: Project = None,
) -> None:
    """Replay hostile evidence at every gate, in throw-away folders, and tell what gets through.

    Exits with 1 if anything does, or if a gate cannot be read.
    """
    from mcp_server.core.limits import Limits  # noqa: PLC0415
    from mcp_server.selftest import run_self_test  # noqa: PLC0415
    from mcp_server.server.services import library_for  # noqa: PLC0415

    def test(found: "Services") -> int:
        library = library_for(found.settings.project)
        limits = Limits(evidence=found.settings.max_evidence_size, depth=found.settings.max_depth)
        return run_self_test(library, limits, workflows or (), console(), as_json=as_json)

    run_on_project(project, test)


@commands.command()
def lint(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Folders of definitions, or names of workflows;"
                       " default: the project's own, else the built-in ones."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="text|json|github", help="How problems are printed.")
    ] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail as well.")] = False,
    project: Project = None,
) -> None:  # fmt: skip
    """Tell every problem of workflow definitions, with file, line and how to mend it.

    Exits with 1 if there is an error (with --strict, a warning), with 2 for a path that is nothing.
    """
    from mcp_server.linting.command import run_lint  # noqa: PLC0415

    finish(lambda: run_lint(paths or (), project, form, strict=strict))


@commands.command()
def schema(
    of: Annotated[str, typer.Argument(metavar="metadata|gate", help="Which kind of file.")],
) -> None:
    """Print the JSON Schema of metadata.json or of gate-definition.yaml, for editors."""
    from mcp_server.linting.command import run_schema  # noqa: PLC0415

    finish(lambda: run_schema(of))


@commands.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the workflow, such as release_v1.")],
    phases: Annotated[int, typer.Option(min=1, max=20, help="How many phases it has.")] = 4,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to put it; default: .praxis-os/workflows."),
    ] = None,
    project: Project = None,
) -> None:
    """Write a new workflow that can be started as it is, with texts that say what to put where.

    Exits with 1 if there is one of this name already; nothing is written over.
    """
    from mcp_server.authoring import new_workflow  # noqa: PLC0415

    run_on_project(
        project,
        lambda found: new_workflow(found.settings.project, name, phases, folder, console()),
    )


@commands.command()
def render(
    name: Annotated[str, typer.Argument(help="Name of the workflow.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page to a file instead.")
    ] = None,
    project: Project = None,
) -> None:
    """Print a workflow as one Markdown page: a diagram, its phases, tasks and gates."""
    from mcp_server.authoring import render_workflow  # noqa: PLC0415

    run_on_project(project, lambda found: render_workflow(found.settings.project, name, output))
