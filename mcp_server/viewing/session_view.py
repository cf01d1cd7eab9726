"""One session as people look at it: where it stands, on what grounds, and what comes next; pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mcp_server.core import views
from mcp_server.core.consent import Request
from mcp_server.core.definitions import Definition
from mcp_server.core.journal import LineError, decode_line
from mcp_server.core.models import ErrorEntry, EvidenceItem, SessionState, SessionSummary
from mcp_server.core.refusals import override_command
from mcp_server.core.transitions import Status
from mcp_server.viewing.shapes import (
    AttemptRow,
    ChangeRow,
    ErrorRow,
    EvidenceRow,
    PhaseStanding,
    SessionRow,
    SessionView,
    WaitingRow,
)

_CURRENT = {Status.ACTIVE: "current", Status.FAILED: "refused", Status.PAUSED: "paused"}
_PROBLEM_KEYS = ("missing_evidence", "validation_errors")


def session_row(summary: SessionSummary) -> SessionRow:
    """Return a session as lists show it."""
    return {
        "session_id": summary.session_id,
        "workflow_type": summary.workflow_type,
        "target_file": summary.target_file,
        "current_phase": summary.current_phase,
        "total_phases": summary.total_phases,
        "status": str(summary.status),
        "created_at": moment(summary.created_at),
        "last_updated": moment(summary.last_updated),
    }


def session_view(
    state: SessionState,
    answer: Mapping[str, Any],
    definition: Definition | None,
    requests: Sequence[Request],
    *,
    can_override: bool,
) -> SessionView:
    """Return all that is known of a session.

    `answer` is what get_state says of it; without a `definition` phases have no titles.
    """
    waiting = [_waiting(request) for request in requests if not request.given]
    return {
        **session_row(state.summary),
        "definition": {**answer["definition"], "digest": state.definition.digest},
        "options": dict(state.options),
        "checkpoint_note": state.checkpoint_note,
        "verification": answer.get("verification"),
        "phases": [_phase(number, state, definition) for number in state.phases],
        "errors": [_error(entry) for entry in state.errors],
        "error_count": state.error_count,
        "waiting_for": waiting,
        "overrides": [
            {"phase": made.phase, "by": made.by, "time": moment(made.time), "reason": made.reason}
            for made in state.overrides
        ],
        "next": answer["next"],
        "next_command": _command(state, waiting, can_override=can_override),
        "history": None,
        "warnings": [],
    }


def standing_of(number: int, state: SessionState) -> str:
    """Return where a session stands with a phase: one of those that signs have a sign for."""
    if number in state.completed_phases:
        last = [made.status for made in state.history if made.phase == number][-1:]
        return "overridden" if last == ["overridden"] else "completed"
    return _CURRENT.get(state.status, "ahead") if number == state.current_phase else "ahead"


def change_rows(lines: Iterable[bytes]) -> list[ChangeRow]:
    """Return what each line of a journal says, oldest first."""
    return [_change(number, content) for number, content in enumerate(lines, start=1)]


def moment(time: datetime) -> str:
    """Return a time as documents show it."""
    return views.timestamp(time) or ""


def _phase(number: int, state: SessionState, definition: Definition | None) -> PhaseStanding:
    return {
        "phase_number": number,
        "title": definition.phase(number).title if definition else "",
        "standing": standing_of(number, state),
        "attempts": _attempts(number, state),
        "evidence": [
            _evidence(name, item) for name, item in state.evidence.get(number, {}).items()
        ],
    }


def _attempts(number: int, state: SessionState) -> list[AttemptRow]:
    return [
        {
            "attempt": made.attempt,
            "status": made.status,
            "started_at": moment(made.started_at),
            "completed_at": views.timestamp(made.completed_at),
            "duration_seconds": made.duration_seconds,
        }
        for made in state.history
        if made.phase == number
    ]


def _evidence(name: str, item: EvidenceItem) -> EvidenceRow:
    seen = item.observation
    row: EvidenceRow = {
        "field": name,
        "known": str(item.known),
        "size": item.size,
        "sha256": item.sha256,
        "seen_by": seen.probe if seen else None,
        "files": [source.path for source in seen.sources] if seen else [],
    }
    if item.inline:
        row["value"] = item.value
    return row


def _error(entry: ErrorEntry) -> ErrorRow:
    return {
        "phase": entry.phase,
        "timestamp": moment(entry.timestamp),
        "error_type": entry.error_type,
        "message": entry.message,
        "problems": [str(problem) for key in _PROBLEM_KEYS
                     for problem in entry.details.get(key, ())],
        "remediation": entry.remediation,
    }  # fmt: skip


def _waiting(request: Request) -> WaitingRow:
    return {
        "field": request.field,
        "question": request.question,
        "files": dict(request.files),
        "problem": request.problem,
    }


def _command(
    state: SessionState, waiting: Sequence[WaitingRow], *, can_override: bool
) -> str | None:
    if any(one["problem"] is None for one in waiting):
        return f"aos-workflow approve {state.session_id}"
    return override_command(state.session_id) if can_override else None


def _change(number: int, content: bytes) -> ChangeRow:
    try:
        record = decode_line(content)
    except LineError as error:
        return {"line": number, "time": None, "action": None, "phase": None, "outcome": None,
                "status": None, "by": None, "hash": None, "problem": str(error)}  # fmt: skip
    return {
        "line": number,
        "time": moment(record.state.last_updated),
        "action": str(record.action),
        "phase": record.phase,
        "outcome": str(record.outcome),
        "status": str(record.state.status),
        "by": record.principal,
        "hash": record.hash,
        "problem": None,
    }
