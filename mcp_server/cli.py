"""The `aos-workflow` command, for people.

Each command imports what it runs when it runs, so that help is instant and `serve` starts fast.
Exit codes: 0 done, 1 something is not as it should be, 2 wrong usage.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mcp_server import __version__
from mcp_server.core.transitions import Status
from mcp_server.errors import ConfigurationError, InvalidArgumentError, WorkflowError

if TYPE_CHECKING:
    from mcp_server.server.services import Services

app = typer.Typer(
    name="aos-workflow",
    help="Walk agents through gated workflows over MCP.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

gates = typer.Typer(help="Look at the gates of workflows.", no_args_is_help=True)
app.add_typer(gates, name="gates")

Project = Annotated[Path | None, typer.Option(help="Project folder; default: found from here.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it; without this only show.")]


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
def serve(project: Project = None) -> None:
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


@app.command()
def verify(
    session: Annotated[str, typer.Argument(help="The session's id.")],
    expect: Annotated[
        str | None, typer.Option(help="A hash that verify printed earlier: it must still be there.")
    ] = None,
    project: Project = None,
) -> None:
    """Audit a session: is its journal a chain without gap, and is all its evidence there?"""
    from mcp_server.maintenance import verify_session  # noqa: PLC0415

    _run(project, lambda found: verify_session(found.sessions, session, expect, _console()))


@app.command()
def prune(
    older_than: Annotated[str, typer.Option(help="Age of the last change, such as 30d or 12h.")],
    status: Annotated[Status | None, typer.Option(help="Only sessions in this status.")] = None,
    apply: Apply = False,
    project: Project = None,
) -> None:
    """Delete sessions that have not changed for long, with their evidence; a dry run by default."""
    from mcp_server.maintenance import prune_sessions  # noqa: PLC0415

    _run(
        project,
        lambda found: prune_sessions(found.sessions, older_than, status, _console(), apply=apply),
    )


@app.command("import-state")
def import_state(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The older server's state.")],
    apply: Apply = False,
    project: Project = None,
) -> None:
    """Take over the state files of an older server of this kind; a dry run by default.

    Nothing in DIR changes. Exits with 1 if any file cannot be imported.
    """
    from mcp_server.maintenance import import_sessions  # noqa: PLC0415

    _run(project, lambda found: import_sessions(folder, found, _console(), apply=apply))


@app.command()
def trust(
    only_list: Annotated[bool, typer.Option("--list", help="Only show, ask nothing.")] = False,
    revoke: Annotated[
        str | None, typer.Option(metavar="NAME", help="A command to trust no longer.")
    ] = None,
    project: Project = None,
) -> None:
    """Show every command that gates may run, and ask on the terminal which ones to trust.

    Exits with 1 if any was declined, with 2 if there is no terminal to ask on.
    """
    from mcp_server.gates.trust import TrustStore, default_trust_folder  # noqa: PLC0415
    from mcp_server.trusting import revoke_command, trust_commands  # noqa: PLC0415

    def decide(found: "Services") -> int:
        root, store = found.settings.project, TrustStore(default_trust_folder())
        if revoke is not None:
            return revoke_command(root, store, revoke, _console())
        return trust_commands(found, store, _console(), only_list=only_list)

    _run(project, decide)


@app.command()
def approve(
    session: Annotated[str, typer.Argument(help="The session's id.")],
    override: Annotated[
        bool, typer.Option("--override", help="Wave a refused phase through instead.")
    ] = False,
    project: Project = None,
) -> None:
    """Give a person's approval that a gate waits for; asks on the terminal for a one-time code.

    Exits with 1 if anything was declined, with 2 if there is no terminal to ask on.
    """
    from mcp_server.approving import approve_session, override_session  # noqa: PLC0415

    ask = override_session if override else approve_session
    _run(project, lambda found: ask(found, session))


@gates.command("test")
def gates_test(
    workflows: Annotated[
        list[str] | None, typer.Argument(help="Names of workflows; default: all there are.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
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
        return run_self_test(library, limits, workflows or (), _console(), as_json=as_json)

    _run(project, test)


@app.command()
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

    _finish(lambda: run_lint(paths or (), project, form, strict=strict))


@app.command()
def schema(
    of: Annotated[str, typer.Argument(metavar="metadata|gate", help="Which kind of file.")],
) -> None:
    """Print the JSON Schema of metadata.json or of gate-definition.yaml, for editors."""
    from mcp_server.linting.command import run_schema  # noqa: PLC0415

    _finish(lambda: run_schema(of))


@app.command()
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

    _run(
        project,
        lambda found: new_workflow(found.settings.project, name, phases, folder, _console()),
    )


@app.command()
def render(
    name: Annotated[str, typer.Argument(help="Name of the workflow.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page to a file instead.")
    ] = None,
    project: Project = None,
) -> None:
    """Print a workflow as one Markdown page: a diagram, its phases, tasks and gates."""
    from mcp_server.authoring import render_workflow  # noqa: PLC0415

    _run(project, lambda found: render_workflow(found.settings.project, name, output))


def _run(project: Path | None, command: Callable[["Services"], int]) -> None:
    """Run a command on a project's services and exit; a refusal is one line on stderr."""
    from mcp_server.config import load_settings  # noqa: PLC0415
    from mcp_server.server.services import services_for  # noqa: PLC0415

    _finish(lambda: command(services_for(load_settings(project=project))))


def _finish(command: Callable[[], int]) -> None:
    """Run a command and exit with its code; a refusal is one line on stderr."""
    try:
        code = command()
    except WorkflowError as error:
        sys.stderr.write(f"aos-workflow: {error.message}. {error.remediation}\n")
        wrong_usage = isinstance(error, ConfigurationError | InvalidArgumentError)
        code = 2 if wrong_usage else 1
    raise typer.Exit(code)


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """Run the command line."""
    app()
