"""Whether the state folder can be used, and whether what is in it is sound at a glance."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mcp_server.config import STATE_DIR
from mcp_server.core.file_inspection import HeldLock, StateFolder
from mcp_server.core.models import Damage
from mcp_server.core.state_manager import StateManager
from mcp_server.doctor.findings import Finding, fine, note, problem
from mcp_server.doctor.subject import Subject
from mcp_server.errors import ConfigurationError, WorkflowError
from mcp_server.linting.problems import listed, plural

LEAST_FREE = 100 * 1024 * 1024
"""Bytes: ten submissions of the largest size."""

LONGEST_HOLD = timedelta(minutes=1)
LONGEST_LEASE = timedelta(days=1)
"""What no change of a session, and no trusted command, takes."""


def check_state(subject: Subject) -> Iterator[Finding]:
    """Say whether sessions can be kept, and which of them are damaged."""
    if subject.folder is None:
        return
    if isinstance(subject.services, ConfigurationError):
        yield problem(subject.services.message, subject.services.remediation)
        return
    if subject.services.settings.is_shared:
        yield from _check_database(subject.services.sessions)
        return
    folder = subject.folder / STATE_DIR
    yield from _check_place(folder)
    if folder.is_dir():
        yield from _check_sessions(subject.services.sessions, StateFolder(folder))
        yield from _check_folder(StateFolder(folder))


def _check_database(sessions: StateManager) -> Iterator[Finding]:
    try:
        here = sessions.list_sessions(limit=1)["count"]
        everywhere = sessions.list_sessions(limit=1, all_projects=True)["count"]
    except WorkflowError as error:
        yield problem(error.message, error.remediation)
        return
    yield fine(f"{plural(everywhere, 'session')} in the database, {here} of this project")


def _check_place(folder: Path) -> Iterator[Finding]:
    there = next(filter(os.path.lexists, (folder, *folder.parents)), folder)
    if not there.is_dir():
        yield problem(f"{there} is no folder", "Move it away: sessions are kept there.")
        return
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        yield problem(f"{there} cannot be read and written", f"chmod u+rwx {there}")
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        yield problem(f"only {free:,} bytes are free on its disk", "Free some space.")
    if there != folder:
        yield fine("no session was ever started here")


def _check_sessions(sessions: StateManager, inspected: StateFolder) -> Iterator[Finding]:
    statuses: Counter[str] = Counter()
    damaged: list[Damage] = []
    live: list[str] = []
    for found in sessions.store.summaries():
        if isinstance(found, Damage):
            damaged.append(found)
            continue
        statuses[str(found.status)] += 1
        if found.status != "completed":
            live.append(found.session_id)
    counts = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    yield fine(f"{plural(sum(statuses.values()), 'session')}{': ' if counts else ''}{counts}")
    for one in damaged:
        yield problem(one.reason, f"aos-workflow verify {one.session_id}, then restore its files"
                      " from a backup, or delete them.")  # fmt: skip
    for session_id in live:
        yield from _check_evidence(sessions, inspected, session_id)


def _check_evidence(
    sessions: StateManager, inspected: StateFolder, session_id: str
) -> Iterator[Finding]:
    try:
        missing = inspected.missing_evidence(sessions.load(session_id))
    except WorkflowError:
        # It was deleted meanwhile, or is among the damaged already.
        return
    if missing:
        yield problem(
            f"evidence of session {session_id} is missing: {listed(missing)}",
            f"Restore .evidence from a backup; aos-workflow verify {session_id} says all of it.",
        )


def _check_folder(inspected: StateFolder) -> Iterator[Finding]:
    exposed = inspected.open_to_others()
    if exposed:
        yield problem(
            f"others may read or write {listed(exposed, 3)}",
            f"chmod -R go= {exposed[0] if len(exposed) == 1 else exposed[0].parent}",
        )
    for lock in inspected.held_locks():
        yield _told_lock(lock, datetime.now(UTC))
    leftovers = inspected.leftovers()
    if leftovers:
        yield note(
            f"{plural(len(leftovers), 'file')} left over from interrupted calls",
            "None needed: the next start removes them.",
        )


def _told_lock(lock: HeldLock, now: datetime) -> Finding:
    holder = lock.holder
    who = f"process {holder.pid}" if holder.pid else "a process that left no name"
    doing = "is verifying" if lock.is_lease else "holds the lock of"
    since = f" since {holder.since:%Y-%m-%d %H:%M:%S} UTC" if holder.since else ""
    what = f"{who} {doing} {lock.subject}{since}"
    longest = LONGEST_LEASE if lock.is_lease else LONGEST_HOLD
    if holder.since is None or now - holder.since <= longest:
        return note(what)
    return problem(what, f"Look at it and end it: kill {holder.pid}")
