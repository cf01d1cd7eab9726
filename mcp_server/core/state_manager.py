"""Sessions as the rest of the server sees them: create, load, edit, list, pause, delete.

`edit` is the one door through which a stored session changes, and `adopt` the one through which
a session comes to be. The number of active sessions is
checked and changed under one store-wide lock, so that two servers cannot both take the last
place. Holds no state of its own: safe to share between threads.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mcp_server.core import lifecycle, refusals, views
from mcp_server.core.callers import LOCAL, Caller, Owned
from mcp_server.core.definitions import Definition
from mcp_server.core.identifiers import make_session_id, validate_session_id
from mcp_server.core.models import (
    Change,
    Damage,
    DefinitionRef,
    Record,
    SessionState,
    SessionSummary,
)
from mcp_server.core.paging import Page, page_of
from mcp_server.core.store import SessionStore, no_session
from mcp_server.core.transitions import COUNTED, Action, Status, require_legal
from mcp_server.core.verification import Verification, verify
from mcp_server.core.watching import saw
from mcp_server.errors import ConflictError, DamagedStateError, LimitError, NotFoundError

Answer = dict[str, Any]


def utc_now() -> datetime:
    """Return the time as sessions record it."""
    return datetime.now(UTC)


def local_caller() -> Caller:
    """Return the caller of a server that serves nobody but whoever runs it."""
    return LOCAL


def no_project() -> None:
    """Say that nobody knows which repository is served."""


def random_suffix() -> str:
    """Return the 6 hex digits that make a session id unique."""
    return secrets.token_hex(3)


@dataclass(slots=True)
class Draft:
    """A session held for editing: what is stored, and the change that is to follow, if any."""

    stored: Record
    change: Change | None = None

    @property
    def state(self) -> SessionState:
        """The state as it is stored."""
        return self.stored.state

    def record(self, change: Change) -> SessionState:
        """Store `change` when the edit ends without an exception; return its state."""
        self.change = change
        return change.state


class StateManager:
    """The sessions of one project."""

    def __init__(
        self,
        store: SessionStore,
        *,
        max_active: int,
        clock: Callable[[], datetime] = utc_now,
        new_suffix: Callable[[], str] = random_suffix,
        caller: Callable[[], Caller] = local_caller,
        project: Callable[[], str | None] = no_project,
        shared: bool = False,
    ) -> None:
        """Keep sessions in `store`, at most `max_active` of them active or failed at once.

        `caller` says who makes the running call, `project` which repository is served, and
        `shared` whether the store holds sessions of other repositories besides.
        """
        self._store = store
        self._max_active = max_active
        self.clock = clock
        self._new_suffix = new_suffix
        self._caller = caller
        self._project = project
        self._shared = shared

    @property
    def store(self) -> SessionStore:
        """Where the sessions are."""
        return self._store

    def create(
        self,
        definition: Definition,
        target_file: str,
        options: Mapping[str, Any],
        commit: str | None = None,
    ) -> SessionState:
        """Pin `definition` and store a new session of it; raises LimitError at the limit."""
        now = self.clock()
        workflow_type = definition.workflow_type
        change = lifecycle.begin(
            session_id=make_session_id(workflow_type, target_file, now, self._new_suffix()),
            workflow_type=workflow_type,
            target_file=target_file,
            definition=DefinitionRef(version=definition.version, digest=definition.digest),
            phases=definition.phase_numbers,
            options=options,
            now=now,
            commit=commit,
            owner=self._caller().name,
            project=self._project(),
        )
        return self.adopt(definition, [change])

    def adopt(self, definition: Definition, changes: Sequence[Change]) -> SessionState:
        """Pin `definition` and store a session with its history so far, whole or not at all.

        Raises LimitError when too many are active, ConflictError when the id is taken.
        """
        with self._store.exclusive():
            if changes[-1].state.status in COUNTED:
                self._require_room()
            self._store.pin(definition.digest, definition.snapshot)
            return saw(self._store.create([self._signed(change) for change in changes]).state)

    def load(self, session_id: str) -> SessionState:
        """Return the state of a session; raises NotFoundError."""
        validate_session_id(session_id)
        try:
            return self._seen(self._store.read(session_id)).state
        except DamagedStateError:
            if self._caller().confined:
                # Whose it is cannot be read, so it may not be told that it is there.
                raise no_session(session_id) from None
            raise

    @contextmanager
    def edit(
        self, session_id: str, expected_seq: int | None = None, *, activates: bool = False
    ) -> Iterator[Draft]:
        """Hold a session, yield a draft of it, and store what the draft records.

        An exception inside stores nothing. `expected_seq` refuses a session that has moved on;
        `activates` says that the change may make the session count as active.
        """
        validate_session_id(session_id)
        if activates or self._caller().confined:
            # Looking first keeps a call on an unknown session from making folders, and one on
            # somebody else's from learning by its lock that it exists.
            self.load(session_id)
        room = self._store.exclusive() if activates else nullcontext()
        with room, self._store.locked(session_id):
            draft = Draft(self._seen(self._store.read(session_id)))
            if expected_seq is not None and draft.stored.seq != expected_seq:
                raise ConflictError(
                    f"Session modified by another operation: it is at change {draft.stored.seq},"
                    f" not {expected_seq}",
                    remediation="Read the session again with get_state, then retry.",
                )
            with refusals.teaching(draft.state):
                yield draft
            if draft.change is not None:
                before, after = draft.state.status, draft.change.state.status
                if after in COUNTED and before not in COUNTED:
                    self._require_room()
                saw(self._store.append(self._signed(draft.change), draft.stored).state)

    def open_for(self, target_file: str) -> list[str]:
        """Return the ids of unfinished sessions on `target_file`, newest first."""
        found = [
            summary
            for summary in self._store.summaries(live_only=True)
            if isinstance(summary, SessionSummary)
            and self._shows(summary)
            and summary.target_file == target_file
            and summary.status is not Status.COMPLETED
        ]
        found.sort(key=lambda summary: summary.order, reverse=True)
        return [summary.session_id for summary in found]

    def by_last_change(self, *, open_only: bool = False) -> list[SessionSummary]:
        """Return the sessions that lists show, the one that changed last first."""
        found = [
            summary
            for summary in self._store.summaries(live_only=open_only)
            if isinstance(summary, SessionSummary)
            and self._shows(summary)
            and not (open_only and summary.status is Status.COMPLETED)
        ]
        found.sort(key=lambda summary: (summary.last_updated, summary.session_id), reverse=True)
        return found

    def summaries(self, status: Status | None = None) -> tuple[list[SessionSummary], list[Damage]]:
        """Return the sessions of `status`, newest first, and those that cannot be read."""
        summaries: list[SessionSummary] = []
        damaged: list[Damage] = []
        live_only = status is not None and status is not Status.COMPLETED
        for found in self._store.summaries(live_only=live_only):
            if isinstance(found, Damage):
                damaged.append(found)
            elif self._shows(found) and (status is None or found.status is status):
                summaries.append(found)
        summaries.sort(key=lambda summary: summary.order, reverse=True)
        return summaries, damaged

    def list_sessions(
        self, status: Status | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Answer:
        """Return one page of session summaries, newest first."""
        summaries, damaged = self.summaries(status)
        page: Page[SessionSummary] = page_of(
            summaries,
            key=lambda summary: (summary.created_at.isoformat(), summary.session_id),
            show=views.session_summary,
            limit=limit,
            cursor=cursor,
            newest_first=True,
        )
        answer: Answer = {"sessions": page.shown, "count": len(summaries)}
        if page.next_cursor:
            answer["next_cursor"] = page.next_cursor
        # Whose a damaged session is cannot be read.
        if damaged and not self._caller().confined:
            answer["warnings"] = views.bounded(
                (
                    item.reason
                    if item.session_id in item.reason
                    else f"{item.session_id}: {item.reason}"
                    for item in damaged
                ),
                1_000,
            )
        if page.shown:
            newest = page.shown[0]["session_id"]
            answer["next"] = views.call(Action.GET_STATE, session_id=newest)
        return answer

    def get_session(self, session_id: str) -> Answer:
        """Return everything about a session but its evidence."""
        state = self.load(session_id)
        return {"session": views.session_details(state), "next": views.next_step(state)}

    def pause(self, session_id: str, note: str | None = None) -> Answer:
        """Set an active session aside."""
        with self.edit(session_id) as draft:
            state = draft.record(lifecycle.pause(draft.state, note, self.clock()))
        checkpoint = {"phase": state.current_phase, "timestamp": views.timestamp(state.paused_at),
                      "note": note}  # fmt: skip
        return {
            "session_id": session_id,
            "paused": True,
            "checkpoint": checkpoint,
            "resume_capable": state.resume_capable,
            "next": views.call(Action.RESUME, session_id=session_id),
        }

    def delete_session(self, session_id: str, reason: str | None = None) -> Answer:
        """Remove a session and all evidence that was submitted to it."""
        self.load(session_id)
        with self._store.locked(session_id):
            stored = self._seen(self._store.read(session_id))
            require_legal(stored.state.status, Action.DELETE_SESSION)
            removed = self._store.delete(stored, reason, self.clock())
        return {
            "session_id": session_id,
            "deleted": True,
            "cleanup": {"state_file_removed": removed, "artifacts_preserved": False},
            "next": views.call(Action.LIST_SESSIONS),
        }

    def lines(self, session_id: str) -> list[bytes]:
        """Return the journal of a session, oldest line first; raises NotFoundError."""
        validate_session_id(session_id)
        if self._caller().confined:
            self.load(session_id)
        return self._store.lines(session_id)

    def verify(self, session_id: str, expected: str | None = None) -> Verification:
        """Audit the journal and the evidence of a session; `expected` is a hash noted earlier."""
        lines = self.lines(session_id)
        return verify(session_id, lines, lambda key: self._store.blob(session_id, key), expected)

    def prunable(self, before: datetime, status: Status | None = None) -> list[SessionSummary]:
        """Return the sessions that have not changed since `before`, oldest first."""
        found = [
            summary
            for summary in self._store.summaries()
            if isinstance(summary, SessionSummary)
            and summary.last_updated < before
            and (status is None or summary.status is status)
        ]
        return sorted(found, key=lambda summary: summary.order)

    def prune(self, summary: SessionSummary, reason: str) -> bool:
        """Delete a session unless it has changed or gone since it was listed."""
        try:
            with self._store.locked(summary.session_id):
                stored = self._store.read(summary.session_id)
                if stored.state.last_updated != summary.last_updated:
                    return False
                return self._store.delete(stored, reason, self.clock())
        except NotFoundError:
            return False

    def _signed(self, change: Change) -> Change:
        return change.model_copy(update={"principal": self._caller().name})

    def _seen(self, stored: Record) -> Record:
        """Return a record that the caller may know of; raises NotFoundError."""
        if not self._caller().may_see(stored.state):
            raise no_session(stored.state.session_id)
        saw(stored.state)
        return stored

    def _shows(self, session: Owned) -> bool:
        """Tell whether lists show a session: the caller's, of the repository that is served."""
        here = not self._shared or session.project == self._project()
        return here and self._caller().may_see(session)

    def _require_room(self) -> None:
        counted = sum(
            isinstance(found, SessionSummary) and found.status in COUNTED
            for found in self._store.summaries(live_only=True)
        )
        if counted >= self._max_active:
            raise LimitError(
                f"{counted} sessions are active or failed; the limit is {self._max_active}",
                remediation="Finish, pause or delete one first:"
                f" {views.call(Action.LIST_SESSIONS, status='active')}",
                details={"active": counted, "limit": self._max_active},
            )
