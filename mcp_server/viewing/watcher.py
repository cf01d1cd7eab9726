"""What changes in the sessions of a project, found by looking again and again.

One look costs a `stat` of each unfinished session's journal; only what has changed is read. Nothing
is written, and no session is held: whether one is being verified is asked of its lease, and whoever
wants that waits for longer than the question takes. For one thread.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from mcp_server.core.journal import LineError, decode_line
from mcp_server.core.models import Record, SessionSummary
from mcp_server.core.selection import Order
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import Action, Outcome, PersonAction, Status
from mcp_server.errors import DamagedStateError, NotFoundError
from mcp_server.viewing.finding import told_damage
from mcp_server.viewing.session_view import moment, session_row, standing_of
from mcp_server.viewing.shapes import Event, Frame, WatchedRow

_WORDS: dict[str, str] = {
    Action.START: "started",
    Action.PAUSE: "paused in phase {phase}",
    Action.RESUME: "phase {phase} taken up again",
    Action.RETRY_PHASE: "phase {phase} tried again",
    Action.ROLLBACK: "back to phase {current}",
    PersonAction.APPROVE: "a person approved in phase {phase}",
    PersonAction.OVERRIDE: "a person waved phase {phase} through",
    Outcome.PASSED: "gate {phase} passed",
    Outcome.FINISHED: "gate {phase} passed: complete",
    Outcome.REFUSED: "gate {phase} refused",
    Outcome.SKIPPED: "a step past phase {phase} was refused",
}
VERIFYING = "gate {phase} is being verified"
VERIFIED = "the verification of gate {phase} ended"
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found."""

    time: datetime
    sessions: Sequence[SessionSummary]
    """Newest change first."""
    verifying: frozenset[str]
    events: Sequence[Event]
    warnings: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Watched:
    """A session as a frame shows it, with the standing of each phase."""

    row: WatchedRow
    standings: list[str]


class Watcher:
    """Looks at the sessions of one project."""

    def __init__(self, sessions: StateManager) -> None:
        """Watch `sessions`."""
        self._sessions = sessions
        self._known: dict[str, SessionSummary] | None = None
        self._verifying: frozenset[str] = frozenset()
        self._records: dict[str, tuple[SessionSummary, Record]] = {}

    def look(self) -> Look:
        """Return how the sessions stand, and what has happened since the last look."""
        everything = self._sessions.summaries()
        found = sorted(everything.sessions, key=Order.CHANGE.place, reverse=True)
        verifying = frozenset(
            one.session_id for one in found
            if one.status is Status.ACTIVE and self._sessions.store.is_verifying(one.session_id)
        )  # fmt: skip
        now = self._sessions.clock()
        unread = {one.session_id for one in everything.damaged}
        events = [
            *self._happened(found),
            *self._deleted({one.session_id for one in found} | unread, now),
            *self._verified(found, verifying, now),
        ]
        self._known = {one.session_id: one for one in found}
        self._verifying = verifying
        for gone in self._records.keys() - self._known.keys():
            del self._records[gone]
        return Look(now, found, verifying, events, told_damage(everything.damaged))

    def frame(self, look: Look, limit: int | None = None) -> Frame:
        """Return what was found as one document, with at most `limit` sessions."""
        return {
            "time": moment(look.time),
            "sessions": [one.row for one in self.watched(look, limit)],
            "count": len(look.sessions),
            "statuses": dict(Counter(str(one.status) for one in look.sessions)),
            "warnings": list(look.warnings),
        }

    def watched(self, look: Look, limit: int | None = None) -> list[Watched]:
        """Return the sessions that changed last, with what happened to each."""
        return [
            _watched(summary, record, verifying=summary.session_id in look.verifying)
            for summary in look.sessions[:limit]
            if (record := self._record(summary)) is not None
        ]

    def _record(self, summary: SessionSummary) -> Record | None:
        known = self._records.get(summary.session_id)
        if known is not None and known[0] == summary:
            return known[1]
        try:
            record = self._sessions.store.read(summary.session_id)
        except (DamagedStateError, NotFoundError):
            # It changed again since it was listed: the next look says how.
            return None
        self._records[summary.session_id] = (summary, record)
        return record

    def _happened(self, found: Sequence[SessionSummary]) -> Iterator[Event]:
        if self._known is None:
            unfinished = [one for one in found if one.status is not Status.COMPLETED]
            for summary in reversed(unfinished):
                record = self._record(summary)
                if record is not None:
                    yield _event("present", record)
            return
        for summary in reversed(found):
            before = self._known.get(summary.session_id)
            if before != summary:
                for record in self._records_since(summary.session_id, before):
                    yield _event("changed", record)

    def _records_since(self, session_id: str, before: SessionSummary | None) -> list[Record]:
        try:
            lines = self._sessions.store.lines(session_id)
            records = [decode_line(line) for line in lines]
        except (LineError, NotFoundError):
            return []
        if before is None:
            return records
        for index in range(len(records) - 1, -1, -1):
            if records[index].state.summary == before:
                return records[index + 1 :]
        return records[-1:]

    def _deleted(self, left: set[str], now: datetime) -> Iterator[Event]:
        for session_id, summary in (self._known or {}).items():
            if session_id not in left:
                yield _plain_event("deleted", summary, DELETED, now)

    def _verified(
        self, found: Sequence[SessionSummary], verifying: frozenset[str], now: datetime
    ) -> Iterator[Event]:
        for summary in found:
            session_id, phase = summary.session_id, summary.current_phase
            if session_id in verifying - self._verifying:
                yield _plain_event("verifying", summary, VERIFYING.format(phase=phase), now)
            elif session_id in self._verifying - verifying:
                yield _plain_event("verified", summary, _ended(summary, self._known), now)


def in_words(record: Record) -> str:
    """Return what a change was."""
    key = record.action if record.outcome is Outcome.DONE else record.outcome
    if record.action is PersonAction.OVERRIDE:
        key = record.action
    words = _WORDS.get(key, f"{record.action} {record.outcome}")
    return words.format(phase=record.phase, current=record.state.current_phase)


def _watched(summary: SessionSummary, record: Record, *, verifying: bool) -> Watched:
    state = record.state
    last = VERIFYING.format(phase=state.current_phase) if verifying else in_words(record)
    row: WatchedRow = {
        **session_row(summary),
        "completed_phases": list(state.completed_phases),
        "verifying": verifying,
        "last": last,
    }
    return Watched(row, [standing_of(number, state) for number in state.phases])


def _event(event: Literal["present", "changed"], record: Record) -> Event:
    state = record.state
    return {
        "time": moment(state.last_updated),
        "event": event,
        "session_id": state.session_id,
        "current_phase": state.current_phase,
        "total_phases": state.total_phases,
        "status": str(state.status),
        "action": str(record.action),
        "outcome": str(record.outcome),
        "last": in_words(record),
    }


def _plain_event(
    event: Literal["verifying", "verified", "deleted"],
    summary: SessionSummary,
    last: str,
    now: datetime,
) -> Event:
    return {
        "time": moment(now),
        "event": event,
        "session_id": summary.session_id,
        "current_phase": summary.current_phase,
        "total_phases": summary.total_phases,
        "status": str(summary.status),
        "action": None,
        "outcome": None,
        "last": last,
    }


def _ended(summary: SessionSummary, known: dict[str, SessionSummary] | None) -> str:
    before = (known or {}).get(summary.session_id, summary)
    return VERIFIED.format(phase=before.current_phase)
