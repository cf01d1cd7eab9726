"""What people do with stored sessions from the command line: audit, prune, import.

Deciding and storing are done elsewhere; here it is told to the console. `prune` and the import are
dry runs unless they are told to apply.
"""

import re
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from mcp_server.core.models import SessionSummary
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import Status
from mcp_server.core.verification import Verification
from mcp_server.errors import InvalidArgumentError, WorkflowError
from mcp_server.importing import ImportedFile, ImportOutcome, ImportReport, import_state
from mcp_server.server.services import Services
from mcp_server.viewing.printing import line, print_json
from mcp_server.viewing.session_view import session_row
from mcp_server.viewing.shapes import Audit, Import, Pruning

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
    sessions: StateManager,
    session_id: str,
    expected: str | None,
    console: Console,
    *,
    as_json: bool = False,
) -> int:
    """Audit a session, say what came of it and return the exit code: 0 only if all fits."""
    result = sessions.verify(session_id, expected)
    where = f" at line {result.line}" if result.line else ""
    if as_json:
        print_json(console, _audit(result))
    elif result.holds:
        told = (
            f"OK: {session_id}: {result.lines} lines, {result.evidence} pieces of evidence,"
            f" last hash {result.last_hash}"
        )
        console.print(line((told, "green")))
    else:
        console.print(line((f"DAMAGED{where}: {session_id}: {result.problem}", "red")))
    return 0 if result.holds else 1


def prune_sessions(
    sessions: StateManager,
    older_than: str,
    status: Status | None,
    console: Console,
    *,
    apply: bool,
    as_json: bool = False,
) -> int:
    """Delete sessions unchanged for `older_than`, or only show them; return the exit code."""
    old = sessions.prunable(sessions.clock() - parse_age(older_than), status)
    pruning: Pruning = {
        "applied": apply,
        "sessions": [session_row(summary) for summary in old],
        "count": len(old),
        "deleted": 0,
        "problems": [],
    }
    if apply:
        silent = as_json or not console.is_terminal
        with Progress(console=console, disable=silent) as progress:
            for summary in progress.track(old, description="Deleting"):
                _prune(sessions, summary, f"pruned: older than {older_than}", pruning)
    if as_json:
        print_json(console, pruning)
    else:
        _tell_pruning(pruning, console)
    return 1 if pruning["problems"] else 0


def _prune(sessions: StateManager, summary: SessionSummary, reason: str, pruning: Pruning) -> None:
    try:
        pruning["deleted"] += sessions.prune(summary, reason)
    except WorkflowError as error:
        pruning["problems"].append(f"{summary.session_id}: {error.message}")


def _tell_pruning(pruning: Pruning, console: Console) -> None:
    count = pruning["count"]
    if pruning["applied"]:
        for problem in pruning["problems"]:
            console.print(line((problem, "red")))
        console.print(f"{pruning['deleted']} of {count} sessions deleted.")
        return
    for row in pruning["sessions"][:_SHOWN]:
        console.print(line(f"{row['session_id']}  {row['status']}  {row['last_updated']}"))
    if count > _SHOWN:
        console.print(f"... and {count - _SHOWN} more")
    console.print(f"{count} sessions would be deleted; add --apply to delete them.")


def import_sessions(
    folder: Path, services: Services, console: Console, *, apply: bool, as_json: bool = False
) -> int:
    """Import an older server's state files, or only show what would be; return the exit code."""
    report = import_state(folder, services, apply=apply)
    done = _import(report)
    if as_json:
        print_json(console, done)
    else:
        _tell_import(report, done, console)
    return 0 if report.is_complete else 1


def _tell_import(report: ImportReport, done: Import, console: Console) -> None:
    for file in report.files:
        console.print(_told(file))
    count, already, refused = done["count"], done["already"], done["refused"]
    if report.applied:
        console.print(f"{count} imported, {already} already there, {refused} not imported.")
    else:
        console.print(
            f"{count} sessions would be imported, {already} are already there, {refused} cannot;"
            " add --apply to import them."
        )


def _import(report: ImportReport) -> Import:
    wanted = ImportOutcome.IMPORTED if report.applied else ImportOutcome.WOULD_IMPORT
    return {
        "applied": report.applied,
        "files": [
            {"file": file.name, "outcome": str(file.outcome), "session_id": file.session_id,
             "reason": file.reason, "note": file.note}
            for file in report.files
        ],
        "count": report.count(wanted),
        "already": report.count(ImportOutcome.ALREADY),
        "refused": report.count(ImportOutcome.REFUSED),
    }  # fmt: skip


def _audit(result: Verification) -> Audit:
    return {
        "session_id": result.session_id,
        "holds": result.holds,
        "lines": result.lines,
        "evidence": result.evidence,
        "last_hash": result.last_hash,
        "problem": result.problem,
        "line": result.line,
    }


def _told(file: ImportedFile) -> str:
    # A file name may hold anything; a terminal should not obey it.
    name = file.name.encode("unicode_escape").decode("ascii")
    told = f"{name}: {file.outcome}: {file.session_id or file.reason}"
    if file.note:
        told += f"\n    its definition is not at hand ({file.note}): it can be read, not continued"
    return told
