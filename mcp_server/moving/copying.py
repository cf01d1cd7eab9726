"""Carries sessions from one store to another, byte for byte, and checks what arrived.

Rules. A session is held at its source while it is copied, and stored whole or not at all. What is
there already is only ever extended; where the two have gone different ways, both are left. What is
damaged is left, and stops nothing else. Nothing is taken away from the source. A dry run locks and
writes nothing. So a run that was broken off, or that others worked beside, is simply repeated.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from mcp_server.core.models import Damage, SessionSummary
from mcp_server.core.restoring import (
    Relation,
    SoundSession,
    damaged,
    named_in,
    relation,
    sound,
)
from mcp_server.core.store import SessionStore
from mcp_server.core.verification import verify
from mcp_server.errors import ConflictError, DamagedStateError, NotFoundError
from mcp_server.moving.sides import Sides


class MoveOutcome(StrEnum):
    """What became of a session."""

    COPIED = "copied"
    EXTENDED = "extended"
    WOULD_COPY = "would be copied"
    WOULD_EXTEND = "would be extended"
    ALREADY = "already there"
    CONFLICT = "conflict"
    DAMAGED = "damaged"
    IN_USE = "in use"


LEFT = frozenset({MoveOutcome.CONFLICT, MoveOutcome.DAMAGED, MoveOutcome.IN_USE})
"""The outcomes of a session that is not, or would not be, at the target as it is at the source."""


@dataclass(frozen=True, slots=True)
class MovedSession:
    """What became of one session; `reason` says why it was left, `note` what should be known."""

    session_id: str
    outcome: MoveOutcome
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A sound session at the source, what it follows, and how the target compares."""

    session: SoundSession
    definitions: frozenset[str]
    relation: Relation


class _InUseError(Exception):
    """Somebody holds, verifies or deleted the session."""


class Move:
    """One run over the sessions of a source."""

    def __init__(self, sides: Sides, *, apply: bool) -> None:
        """Carry sessions from one side to the other, or only look what would come of it."""
        self._source = sides.source.store
        self._target = sides.target.store
        self._becomes_shared = sides.target.is_shared
        self._project = sides.project
        self._apply = apply

    def found(self) -> list[SessionSummary | Damage]:
        """Return the sessions at the source, oldest first, after those that cannot be read."""
        there = list(self._source.summaries(project=self._project))
        broken = [found for found in there if isinstance(found, Damage)]
        sessions = [found for found in there if isinstance(found, SessionSummary)]
        broken.sort(key=lambda damage: damage.session_id)
        return [*broken, *sorted(sessions, key=lambda summary: summary.order)]

    def session(self, found: SessionSummary | Damage) -> MovedSession:
        """Carry one session over, or say what would become of it."""
        session_id = found.session_id
        if isinstance(found, Damage):
            return MovedSession(session_id, MoveOutcome.DAMAGED, found.reason)
        try:
            with self._held(session_id):
                return self._carried(session_id)
        except _InUseError as error:
            return MovedSession(session_id, MoveOutcome.IN_USE, str(error))
        except ConflictError as error:
            return MovedSession(session_id, MoveOutcome.CONFLICT, error.message)
        except DamagedStateError as error:
            return MovedSession(session_id, MoveOutcome.DAMAGED, error.message)

    @contextmanager
    def _held(self, session_id: str) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                if self._apply:
                    stack.enter_context(self._source.locked(session_id))
                is_busy = self._source.is_verifying(session_id)
            except (ConflictError, NotFoundError) as error:
                raise _InUseError(error.message) from error
            if is_busy:
                raise _InUseError("a phase of it is being verified")
            yield

    def _carried(self, session_id: str) -> MovedSession:
        found = self._look(session_id)
        note = None
        if self._becomes_shared and found.session.last.state.project is None:
            note = "it names no project: a shared database shows it among those of all projects"
        match found.relation:
            case Relation.DIFFERENT:
                reason = "what is there under its id has another history"
                return MovedSession(session_id, MoveOutcome.CONFLICT, reason)
            case Relation.SAME:
                outcome = MoveOutcome.ALREADY
            case Relation.AHEAD:
                outcome, note = MoveOutcome.ALREADY, "it has gone on there"
            case Relation.BEGINNING:
                outcome = self._stored(found)
        if self._apply or outcome is MoveOutcome.ALREADY:
            self._check(found)
        return MovedSession(session_id, outcome, note=note)

    def _look(self, session_id: str) -> _Found:
        try:
            lines = self._source.lines(session_id)
        except NotFoundError as error:
            raise _InUseError(error.message) from error
        names = named_in(session_id, lines)
        blobs = {digest: self._source.blob(session_id, digest) for digest in names.evidence}
        session = sound(session_id, lines, blobs)
        for digest in names.definitions:
            self._source.pinned(digest)
        there = _lines_of(self._target, session_id)
        return _Found(session, names.definitions, relation(there, session.lines))

    def _stored(self, found: _Found) -> MoveOutcome:
        session = found.session
        is_new = not _lines_of(self._target, session.session_id)
        if not self._apply:
            return MoveOutcome.WOULD_COPY if is_new else MoveOutcome.WOULD_EXTEND
        with ExitStack() as stack:
            stack.enter_context(self._target.exclusive(session.last.state.project))
            with suppress(NotFoundError):
                stack.enter_context(self._target.locked(session.session_id))
            for digest in found.definitions:
                self._target.pin(digest, self._source.pinned(digest))
            self._target.restore(session.session_id, session.lines, session.blobs)
        return MoveOutcome.COPIED if is_new else MoveOutcome.EXTENDED

    def _check(self, found: _Found) -> None:
        """Audit what is at the target now; raises DamagedStateError."""
        session_id, last = found.session.session_id, found.session.last
        lines = self._target.lines(session_id)
        audit = verify(session_id, lines, lambda key: self._target.blob(session_id, key), last.hash)
        if audit.problem is not None:
            raise damaged(session_id, f"at the target, {audit.problem}")
        for digest in found.definitions:
            self._target.pinned(digest)


def _lines_of(store: SessionStore, session_id: str) -> list[bytes]:
    try:
        return store.lines(session_id)
    except NotFoundError:
        return []
