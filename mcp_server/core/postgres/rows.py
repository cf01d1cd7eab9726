"""Rows of the tables: what is stored of a summary and of a line, and how a summary is read back."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from mcp_server.core.models import Record, SessionSummary
from mcp_server.core.transitions import Status


def row_of(summary: SessionSummary) -> list[Any]:
    """Return the row of a new session."""
    return [
        summary.session_id, summary.workflow_type, summary.target_file, str(summary.status),
        summary.current_phase, summary.total_phases, summary.created_at, summary.last_updated,
        summary.definition, summary.owner, summary.project,
    ]  # fmt: skip


def moved_of(summary: SessionSummary) -> list[Any]:
    """Return what a change makes of a session's row, with its id last."""
    return [
        str(summary.status), summary.current_phase, summary.total_phases, summary.last_updated,
        summary.target_file, summary.owner, summary.project, summary.session_id,
    ]  # fmt: skip


def line_of(line: bytes, record: Record) -> tuple[str, int, str, str, bytes]:
    """Return the row of a line, with or without its newline."""
    session_id = record.state.session_id
    return session_id, record.seq, record.previous, record.hash, line.removesuffix(b"\n")


def summary_of(row: Sequence[Any]) -> SessionSummary:
    """Return what a row of a session says."""
    (session_id, workflow_type, target_file, status, current_phase, total_phases, created_at,
     last_updated, definition, owner, project) = row  # fmt: skip
    return SessionSummary(
        session_id=session_id,
        workflow_type=workflow_type,
        target_file=target_file,
        status=Status(status),
        current_phase=current_phase,
        total_phases=total_phases,
        # The database gives times in the zone of the connection.
        created_at=created_at.astimezone(UTC),
        last_updated=last_updated.astimezone(UTC),
        definition=definition,
        owner=owner,
        project=project,
    )
