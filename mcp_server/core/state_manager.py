"""Sessions as the rest of the server sees them: create, load, edit, list, pause, delete.

`edit` is the one door through which a stored session changes, and `adopt` the one through which
a session comes to be. The number of active sessions of a project is checked and changed under one
lock, so that two servers cannot both take the last place. Of a session of another project nothing
is judged: its files are elsewhere. Holds no state of its own: safe to share between threads.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mcp_server.core import lifecycle, refusals, views
from mcp_server.core.callers import LOCAL, Caller
from mcp_server.core.definitions import Definition
from mcp_server.core.identifiers import make_session_id, validate_session_id
from mcp_server.core.models import (
    Change,
    DefinitionRef,
    Record,
    SessionState,
    SessionSummary,
)
from mcp_server.core.session_lists import SessionLists
from mcp_server.core.store import SessionStore, no_session
from mcp_server.core.transitions import COUNTED, Action, require_legal
from mcp_server.core.verification import Verification, verify
from mcp_server.core.watching import saw
from mcp_server.errors import (
    ConflictError,
    DamagedStateError,
    LimitError,
    NotFoundError,
    StateError,
)

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


class StateManager(SessionLists):
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
        super().__init__(store, caller=caller, project=project, shared=shared)
        self._max_active = max_active
        self.clock = clock
        self._new_suffix = new_suffix

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
        with self._store.exclusive(self.scope()):
            if changes[-1].state.status in COUNTED:
                self._require_room()
            self._store.pin(definition.digest, definition.snapshot)
            stored = self._store.create([self._signed(change) for change in changes])
        return saw(stored.state)

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

    def load_here(self, session_id: str) -> SessionState:
        """Return the state of a session of the repository that is served; raises StateError."""
        state = self.load(session_id)
        self._require_here(state)
        return state

    @contextmanager
    def edit(
        self,
        session_id: str,
        expected_seq: int | None = None,
        *,
        activates: bool = False,
        elsewhere: bool = False,
    ) -> Iterator[Draft]:
        """Hold a session, yield a draft of it, and store what the draft records.

        An exception inside stores nothing. `expected_seq` refuses a session that has moved on;
        `activates` says that the change may make the session count as active, `elsewhere` that it
        may be one of another repository: the change looks at no files.
        """
        validate_session_id(session_id)
        takes_room = False
        if activates or self._caller().confined:
            # Looking first keeps a call on an unknown session from making folders, and one on
            # somebody else's from learning by its lock that it exists.
            found = self.load(session_id)
            takes_room = activates and found.status not in COUNTED
        room = self._store.exclusive(self.scope()) if takes_room else nullcontext()
        stored: Record | None = None
        with room, self._store.locked(session_id):
            draft = Draft(self._seen(self._store.read(session_id)))
            if expected_seq is not None and draft.stored.seq != expected_seq:
                raise _changed(f"it is at change {draft.stored.seq}, not {expected_seq}")
            with refusals.teaching(draft.state):
                if not elsewhere:
                    self._require_here(draft.state)
                yield draft
            if draft.change is not None:
                before, after = draft.state.status, draft.change.state.status
                if after in COUNTED and before not in COUNTED:
                    if not takes_room:
                        raise _changed(f"it is {before} now")
                    self._require_room()
                stored = self._store.append(self._signed(draft.change), draft.stored)
        if stored is not None:
            saw(stored.state)

    def get_session(self, session_id: str) -> Answer:
        """Return everything about a session but its evidence."""
        state = self.load(session_id)
        return {"session": views.session_details(state), "next": views.next_step(state)}

    def pause(self, session_id: str, note: str | None = None) -> Answer:
        """Set an active session aside."""
        with self.edit(session_id, elsewhere=True) as draft:
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

    def _require_here(self, state: SessionState) -> None:
        """Raise StateError for a session of a repository that is not the one served."""
        if self._shared and state.project != self.scope():
            raise StateError(
                f"session {state.session_id} belongs to another project ("
                f"{views.clip(state.project or 'none', 80)}): here are other files to look at",
                remediation="Call this from a server in a clone of that project; reading, pausing"
                " and deleting the session work from here.",
            )

    def _require_room(self) -> None:
        if self.counts_below(self._max_active):
            return
        counted = self.counted()
        raise LimitError(
            f"{counted} sessions are active or failed; the limit is {self._max_active}",
            remediation="Finish, pause or delete one first:"
            f" {views.call(Action.LIST_SESSIONS, status='active')}",
            details={"active": counted, "limit": self._max_active},
        )


def _changed(how: str) -> ConflictError:
    return ConflictError(
        f"Session modified by another operation: {how}",
        remediation="Read the session again with get_state, then retry.",
    )
