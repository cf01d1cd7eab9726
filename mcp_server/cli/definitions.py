"""Commands for authors of workflows, and on their gates."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcp_server.cli.completing import workflow_names
from mcp_server.cli.helping import Commands
from mcp_server.cli.running import AsJson, Project, console, described, finish, run_on_project
from mcp_server.errors import InvalidArgumentError

if TYPE_CHECKING:
    from mcp_server.server.services import Services

PANEL = "Write workflows"

commands = typer.Typer()

gates = typer.Typer(
    cls=Commands,
    help="Test the gates of workflows.",
    no_args_is_help=True,
)
commands.add_typer(gates, name="gates", rich_help_panel=PANEL)


@described(
    gates,
    PANEL,
    "gates test",
    "gates test code_review_v1",
    "gates test code_review_v1 --json",
    name="test",
)
def gates_test(
    workflows: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORKFLOW]...", help="Names of workflows; default: all there are.",
                       autocompletion=workflow_names),
    ] = None,
    as_json: AsJson = False,
    project: Project = None,
) -> None:  # fmt: skip
    """Replay hostile evidence at every gate, in throw-away folders, and tell what gets through.

    Exits with 1 if anything does, or if a gate cannot be read, with 2 for a name that no workflow
    has.
    """
    from mcp_server.core.limits import Limits  # noqa: PLC0415
    from mcp_server.selftest import run_self_test  # noqa: PLC0415
    from mcp_server.server.services import library_for  # noqa: PLC0415

    def test(found: "Services") -> int:
        library = library_for(found.settings.project)
        limits = Limits(evidence=found.settings.max_evidence_size, depth=found.settings.max_depth)
        return run_self_test(library, limits, workflows or (), console(), as_json=as_json)

    run_on_project(project, test)


@described(
    commands,
    PANEL,
    "lint",
    "lint release_v1 --strict",
    "lint ./workflows --format github",
    "lint --json",
)
def lint(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Folders of definitions, or names of workflows;"
                       " default: the project's own, else the built-in ones.",
                       autocompletion=workflow_names),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="text|json|github", help="How problems are printed."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail as well.")] = False,
    project: Project = None,
) -> None:  # fmt: skip
    """Tell every problem of workflow definitions, with file, line and how to mend it.

    Exits with 1 if there is an error (with --strict, a warning), with 2 for a path that is nothing.
    """
    from mcp_server.linting.command import run_lint  # noqa: PLC0415

    finish(lambda: run_lint(paths or (), project, _format(form, as_json=as_json), strict=strict))


def _format(named: str | None, *, as_json: bool) -> str:
    if as_json and named not in {None, "json"}:
        raise InvalidArgumentError(
            f"--json and --format {named} contradict each other",
            remediation="Leave one of them out.",
        )
    return "json" if as_json else named or "text"


@described(commands, PANEL, "schema metadata", "schema gate")
def schema(
    of: Annotated[str, typer.Argument(metavar="metadata|gate", help="Which kind of file.")],
) -> None:
    """Print the JSON Schema of metadata.json or of gate-definition.yaml, for editors.

    Exits with 2 for any other kind.
    """
    from mcp_server.linting.command import run_schema  # noqa: PLC0415

    finish(lambda: run_schema(of))


@described(commands, PANEL, "new release_v1", "new release_v1 --phases 3 --folder ./workflows")
def new(
    name: Annotated[str, typer.Argument(help="Name of the workflow, such as release_v1.")],
    phases: Annotated[
        int, typer.Option(metavar="N", min=1, max=20, help="How many phases it has.")
    ] = 4,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to put it; default: .praxis-os/workflows."),
    ] = None,
    project: Project = None,
) -> None:
    """Write a new workflow that can be started as it is, with texts that say what to put where.

    Exits with 2 if there is one of this name already; nothing is written over.
    """
    from mcp_server.authoring import new_workflow  # noqa: PLC0415

    run_on_project(
        project,
        lambda found: new_workflow(found.settings.project, name, phases, folder, console()),
    )


@described(commands, PANEL, "render code_review_v1", "render code_review_v1 --output review.md")
def render(
    name: Annotated[
        str, typer.Argument(help="Name of the workflow.", autocompletion=workflow_names)
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page to a file instead.")
    ] = None,
    project: Project = None,
) -> None:
    """Print a workflow as one Markdown page: a diagram, its phases, tasks and gates.

    Exits with 1 if its definition is broken, with 2 if there is no such workflow.
    """
    from mcp_server.authoring import render_workflow  # noqa: PLC0415

    run_on_project(project, lambda found: render_workflow(found.settings.project, name, output))
