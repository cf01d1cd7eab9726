"""Commands that only look: at what can be started, and at sessions."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mcp_server.cli.completing import categories, session_ids, workflow_names
from mcp_server.cli.running import (
    AsJson,
    InStatus,
    Project,
    State,
    console,
    described,
    run_on_project,
)
from mcp_server.core.transitions import Status

if TYPE_CHECKING:
    from mcp_server.server.services import Services

PANEL = "Look at workflows and sessions"

commands = typer.Typer()

_LIMIT = 20
_INTERVAL = 0.5


@described(commands, PANEL, "workflows", "workflows --category quality", "workflows --json")
def workflows(
    category: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only those of a category.", autocompletion=categories),
    ] = None,
    as_json: AsJson = False,
    project: Project = None,
) -> None:
    """List the workflows that can be started: this project's, then the built-in ones.

    A definition that cannot be read is a warning on standard error; `lint` says more of it. Exits
    with 2 for a category that there is not.
    """
    from mcp_server.viewing.finding import find_workflows  # noqa: PLC0415
    from mcp_server.viewing.printing import print_json, tell_warnings  # noqa: PLC0415
    from mcp_server.viewing.workflows_text import print_workflows  # noqa: PLC0415

    def tell(found: "Services") -> int:
        listed = find_workflows(found, category)
        tell_warnings(listed["warnings"])
        if as_json:
            print_json(console(), listed)
        else:
            print_workflows(console(), listed)
        return 0

    run_on_project(project, tell)


@described(commands, PANEL, "show WORKFLOW", "show code_review_v1", "show code_review_v1 --json")
def show(
    workflow: Annotated[
        str, typer.Argument(help="Name of the workflow.", autocompletion=workflow_names)
    ],
    as_json: AsJson = False,
    project: Project = None,
) -> None:
    """Show one workflow: its phases and tasks, and how each gate finds out what it asks for.

    Exits with 1 if its definition is broken, with 2 if there is no such workflow.
    """
    from mcp_server.viewing.finding import find_workflow  # noqa: PLC0415
    from mcp_server.viewing.printing import print_json  # noqa: PLC0415
    from mcp_server.viewing.workflows_text import print_workflow  # noqa: PLC0415

    def tell(found: "Services") -> int:
        view = find_workflow(found, workflow)
        if as_json:
            print_json(console(), view)
        else:
            print_workflow(console(), view)
        return 0

    run_on_project(project, tell)


@described(commands, PANEL, "sessions", "sessions --status failed", "sessions --all --json")
def sessions(
    status: InStatus = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many.")] = _LIMIT,
    every: Annotated[bool, typer.Option("--all", help="All of them, however many.")] = False,
    as_json: AsJson = False,
    project: Project = None,
    state: State = None,
) -> None:
    """List sessions, newest first.

    What cannot be read is a warning on standard error. Exits with 0 if there are none.
    """
    from mcp_server.viewing.finding import find_sessions  # noqa: PLC0415
    from mcp_server.viewing.printing import print_json, tell_note, tell_warnings  # noqa: PLC0415
    from mcp_server.viewing.session_text import print_sessions  # noqa: PLC0415

    def tell(found: "Services") -> int:
        listed = find_sessions(found.sessions, status, None if every else limit)
        tell_warnings(listed["warnings"])
        shown = listed["sessions"]
        if as_json:
            print_json(console(), listed)
        else:
            out = console()
            print_sessions(out, shown, datetime.now(UTC))
            if not listed["count"] and out.is_terminal:
                tell_note(_none_told(status))
            if len(shown) < listed["count"]:
                tell_note(f"{len(shown)} of {listed['count']} sessions; --all shows all")
        return 0

    run_on_project(project, tell, state)


def _none_told(status: Status | None) -> str:
    if status is not None:
        return f"no session is {status}; without --status all are listed"
    return (
        'no session was started here yet: an agent starts one by aos_workflow(action="start", ...),'
        " and `aos-workflow workflows` shows on what"
    )


@described(
    commands,
    PANEL,
    "show-session SESSION",
    "show-session SESSION --history",
    "show-session SESSION --json",
    name="show-session",
)
def show_session(
    session: Annotated[
        str,
        typer.Argument(metavar="ID", help="The session's id, or enough of its beginning.",
                       autocompletion=session_ids),
    ],
    history: Annotated[
        bool, typer.Option("--history", help="Show every line of its journal instead.")
    ] = False,
    as_json: AsJson = False,
    project: Project = None,
    state: State = None,
) -> None:  # fmt: skip
    """Show one session: its phases, how each piece of evidence is known, and what comes next.

    Exits with 1 if it cannot be read, with 2 if there is no such session or several begin so.
    """
    from mcp_server.viewing.finding import find_session, find_session_id  # noqa: PLC0415
    from mcp_server.viewing.printing import print_json, tell_warnings  # noqa: PLC0415
    from mcp_server.viewing.session_text import print_history, print_session  # noqa: PLC0415

    def tell(found: "Services") -> int:
        session_id = find_session_id(found.sessions, session)
        view = find_session(found, session_id, history=history)
        tell_warnings(view["warnings"])
        if as_json:
            print_json(console(), view)
        elif history:
            print_history(console(), view["history"] or [])
        else:
            print_session(console(), view)
        return 0

    run_on_project(project, tell, state)


@described(commands, PANEL, "watch", "watch --once", "watch --json")
def watch(
    once: Annotated[bool, typer.Option("--once", help="Print how they stand now and end.")] = False,
    interval: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.05, help="How often to look.")
    ] = _INTERVAL,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each change as one line of JSON.")
    ] = False,
    project: Project = None,
    state: State = None,
) -> None:
    """Watch all sessions: how far each is, and gates as they are judged; q or Ctrl-C ends it.

    On a terminal it is a screen that keeps up to date; elsewhere a line for each change as it
    happens, beginning with the sessions that are unfinished. Exits with 0 when it is ended.
    """
    from mcp_server.viewing.live import watch_changes, watch_once, watch_screen  # noqa: PLC0415
    from mcp_server.viewing.watcher import Watcher  # noqa: PLC0415

    def look(found: "Services") -> int:
        watcher, out = Watcher(found.sessions), console()
        if once:
            return watch_once(watcher, out, as_json=as_json)
        if as_json or not out.is_terminal or out.is_dumb_terminal:
            return watch_changes(watcher, out, interval, as_json=as_json)
        return watch_screen(watcher, out, interval)

    run_on_project(project, look, state)


@described(commands, PANEL, "stats", "stats --days 7 --workflow WORKFLOW", "stats --json")
def stats(
    days: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=3_650, help="Sessions started on so many days, today's too."
        ),
    ] = 30,
    workflow: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Sessions of this workflow only.", autocompletion=workflow_names
        ),
    ] = None,
    as_json: AsJson = False,
    project: Project = None,
    state: State = None,
) -> None:
    """Show what the stored sessions add up to: use, where phases fail, and how long they take.

    Deleted and pruned sessions are not in it. Days are those of your time zone. A session that
    cannot be read is a warning on standard error. Exits with 0 if there are none, with 2 for a
    workflow that is neither there nor has a session. Its JSON is told in docs/figures.md.
    """
    from mcp_server.statistics.command import run_stats  # noqa: PLC0415

    run_on_project(
        project,
        lambda found: run_stats(found, days, workflow, console(), as_json=as_json),
        state,
    )
