"""What people do with stored sessions from the command line: audit, prune, import.

Deciding and storing are done elsewhere; here it is told to the console. `prune` and the import are
dry runs unless they are told to apply.
"""

import re
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import Status
from mcp_server.core.views import timestamp
from mcp_server.errors import InvalidArgumentError, WorkflowError
from mcp_server.importing import ImportedFile, ImportOutcome, import_state
from mcp_server.server.services import Services

_AGE = re.compile(r"(?P<number>\d{1,6})(?P<unit>[mhdw])\Z", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SHOWN = 20


def parse_age(text: str) -> timedelta:
    """Return the age that `text` names, such as 30d, 12h or 2w."""
    found = _AGE.match(text)
    if not found:
        raise InvalidArgumentError(
            f"{text[:20]!r} is not an age",
            remediation="Write a number and a unit (m, h, d or w), such as 30d.",
        )
    return timedelta(**{_UNITS[found["unit"]]: int(found["number"])})


def verify_session(
    sessions: StateManager, session_id: str, expected: str | None, console: Console
) -> int:
    """Audit a session, say what came of it and return the exit code: 0 only if all fits."""
    result = sessions.verify(session_id, expected)
    if result.holds:
        console.print(
            f"OK: {session_id}: {result.lines} lines, {result.evidence} pieces of evidence,"
            f" last hash {result.last_hash}",
            style="green",
        )
        return 0
    where = f" at line {result.line}" if result.line else ""
    console.print(f"DAMAGED{where}: {session_id}: {result.problem}", style="red")
    return 1


def prune_sessions(
    sessions: StateManager, older_than: str, status: Status | None, console: Console, *, apply: bool
) -> int:
    """Delete sessions unchanged for `older_than`, or only show them; return the exit code."""
    old = sessions.prunable(sessions.clock() - parse_age(older_than), status)
    if not apply:
        for summary in old[:_SHOWN]:
            console.print(
                f"{summary.session_id}  {summary.status}  {timestamp(summary.last_updated)}",
            )
        if len(old) > _SHOWN:
            console.print(f"... and {len(old) - _SHOWN} more")
        console.print(f"{len(old)} sessions would be deleted; add --apply to delete them.")
        return 0
    deleted, problems = 0, list[str]()
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Deleting", total=len(old))
        for summary in old:
            try:
                deleted += sessions.prune(summary, f"pruned: older than {older_than}")
            except WorkflowError as error:
                problems.append(f"{summary.session_id}: {error.message}")
            progress.advance(task)
    for problem in problems:
        console.print(problem, style="red")
    console.print(f"{deleted} of {len(old)} sessions deleted.")
    return 1 if problems else 0


def import_sessions(folder: Path, services: Services, console: Console, *, apply: bool) -> int:
    """Import an older server's state files, or only show what would be; return the exit code."""
    report = import_state(folder, services, apply=apply)
    for file in report.files:
        console.print(_told(file))
    refused = report.count(ImportOutcome.REFUSED)
    already = report.count(ImportOutcome.ALREADY)
    if apply:
        imported = report.count(ImportOutcome.IMPORTED)
        console.print(f"{imported} imported, {already} already there, {refused} not imported.")
    else:
        planned = report.count(ImportOutcome.WOULD_IMPORT)
        console.print(
            f"{planned} sessions would be imported, {already} are already there, {refused} cannot;"
            " add --apply to import them."
        )
    return 0 if report.is_complete else 1


def _told(file: ImportedFile) -> str:
    # A file name may hold anything; a terminal should not obey it.
    name = file.name.encode("unicode_escape").decode("ascii")
    told = f"{name}: {file.outcome}: {file.session_id or file.reason}"
    if file.note:
        told += f"\n    its definition is not at hand ({file.note}): it can be read, not continued"
    return told
