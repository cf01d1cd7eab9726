"""`aos-workflow stats`: reads the stored sessions and tells what they add up to.

Days are those of the local time zone (TZ sets another one). On a terminal the tables fit its width;
anywhere else they are plain lines, as wide as they need to be.
"""

import io
import json
import sys
from datetime import date, datetime, timedelta
from typing import Any

from rich.console import Console

from mcp_server.core.models import Damage
from mcp_server.core.state_manager import StateManager
from mcp_server.core.visible import visible
from mcp_server.server.services import Services, library_for
from mcp_server.statistics.figures import Figures, Tally
from mcp_server.statistics.reading import sessions_since
from mcp_server.statistics.tables import counted, told
from mcp_server.viewing.finding import find_place

SCHEMA_VERSION = 1
"""Of the JSON: raised when something in it changes its meaning or goes."""

_UNBOUNDED = 10_000
"""The width where there is no terminal: nothing that is printed is as wide."""


def run_stats(
    services: Services,
    days: int,
    workflow_type: str | None,
    console: Console,
    *,
    as_json: bool,
) -> int:
    """Tell the figures of the sessions started on the last `days` days; return the exit code.

    A session that cannot be read is a warning on standard error, and no more. Raises NotFoundError
    for a workflow that has no session, and of which there is no definition.
    """
    sessions = services.sessions
    if workflow_type is not None and not _has_sessions(sessions, workflow_type):
        find_place(library_for(services.settings.project), workflow_type)
    now = sessions.clock().astimezone()
    first = now.date() - timedelta(days=days - 1)
    unreadable: list[Damage] = []
    tally = Tally(_local_day, now.date())
    for session, steps in sessions_since(
        sessions.store,
        first,
        _local_day,
        workflow_type,
        unreadable.append,
        project=sessions.scope(),
    ):
        tally.add(session, steps)
    for damage in unreadable:
        sys.stderr.write(f"aos-workflow: warning: {_shown(damage)}\n")
    figures = tally.figures()
    if as_json:
        scope = {
            "schema_version": SCHEMA_VERSION,
            "since": first.isoformat(),
            "until": now.date().isoformat(),
            "utc_offset": now.isoformat(timespec="seconds")[19:],
            "workflow": workflow_type,
        }
        found = scope | as_data(figures) | {"unreadable": [d.session_id for d in unreadable]}
        console.file.write(json.dumps(found, indent=2) + "\n")
        return 0
    scope_told = f"the last {counted(days, 'day')}"
    if workflow_type is not None:
        scope_told += f" of {visible(workflow_type)}"
    _print(console, figures, f"Sessions started in {scope_told}, since {first}")
    return 0


def _has_sessions(sessions: StateManager, workflow_type: str) -> bool:
    return any(
        not isinstance(found, Damage) and found.workflow_type == workflow_type
        for found in sessions.store.summaries(project=sessions.scope())
    )


def as_data(figures: Figures) -> dict[str, Any]:
    """Return the figures as docs/figures.md documents them."""
    return {
        "sessions": figures.sessions,
        "statuses": {str(status): number for status, number in figures.statuses.items()},
        "average_seconds": figures.average_seconds,
        "started_per_day": [
            {"day": day.day.isoformat(), "started": day.started} for day in figures.days
        ],
        "workflows": [
            {
                "workflow_type": w.workflow_type,
                "started": w.started,
                "completed": w.completed,
                "average_seconds": w.average_seconds,
            }
            for w in figures.workflows
        ],
        "phases": [
            {
                "workflow_type": p.workflow_type,
                "phase": p.phase,
                "attempts": p.attempts,
                "refusals": p.refusals,
                "refusal_rate": None if p.refusal_rate is None else round(p.refusal_rate, 4),
                "overrides": p.overrides,
                "rollbacks": p.rollbacks,
                "median_seconds": p.median_seconds,
                "refused_fields": [
                    {"field": name, "refusals": number} for name, number in p.refused_fields
                ],
            }
            for p in figures.phases
        ],
    }


def _print(console: Console, figures: Figures, title: str) -> None:
    if isinstance(console.file, io.TextIOWrapper):
        # Names may hold signs that this terminal has not.
        console.file.reconfigure(errors="backslashreplace")
    parts = told(figures) if figures.sessions else iter(["There are none."])
    if console.is_terminal:
        console.print(title, style="bold", soft_wrap=False)
        for part in parts:
            console.print(part, soft_wrap=False)
        return
    console.width = _UNBOUNDED
    with console.capture() as captured:
        for part in (title, *parts):
            console.print(part)
    # Tables fill their last column up with spaces, which nobody who reads a pipe wants.
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")


def _local_day(time: datetime) -> date:
    return time.astimezone().date()


def _shown(damage: Damage) -> str:
    told_of = damage.session_id in damage.reason
    return visible(damage.reason if told_of else f"{damage.session_id}: {damage.reason}")
