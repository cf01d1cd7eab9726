"""What only a person can do: approve what a gate asks a person for, or wave its no through.

Whoever calls this has asked a person: through the client's own question, or on a terminal. No
argument of the tool leads here. What was shown is what is recorded: an approval names the digests
of the files, and is refused when they are no longer what the person saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from mcp_server.core import lifecycle, refusals
from mcp_server.core.completion import facts_of
from mcp_server.core.models import Approval, Override, SessionState
from mcp_server.core.pinning import Pinned
from mcp_server.core.state_manager import StateManager
from mcp_server.core.transitions import PersonAction, require_legal
from mcp_server.errors import (
    ConflictError,
    GateRefusedError,
    InvalidArgumentError,
    StateError,
)
from mcp_server.gates.model import Gate
from mcp_server.gates.probe_settings import ApprovalSettings
from mcp_server.gates.probes.look import PhaseFacts

MAX_REASON = 1_000


class Subjects(Protocol):
    """What knows the files that an approval is of."""

    def subject(
        self, field: str, settings: ApprovalSettings, facts: PhaseFacts
    ) -> tuple[str, Mapping[str, str]]:
        """Return the question, filled, and the digests of the files by path."""

    def commit_for(self, *gates: Gate) -> str | None:
        """Return the commit that is checked out, if any of `gates` will ask what changed since."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The attempt at a phase that a person was shown."""

    phase: int
    number: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a person is asked to approve, as they are shown it."""

    session_id: str
    phase: int
    attempt: int
    field: str
    question: str
    files: Mapping[str, str]
    given: bool = False
    """Whether it is approved already, as it stands."""
    problem: str | None = None
    """Why it cannot be approved yet."""

    @property
    def shown(self) -> tuple[object, ...]:
        """What a yes is to."""
        return self.phase, self.attempt, self.field, self.question, dict(self.files)


class Consent:
    """Records what people said."""

    def __init__(self, sessions: StateManager, pinned: Pinned, subjects: Subjects) -> None:
        """Record in `sessions`."""
        self._sessions = sessions
        self._pinned = pinned
        self._subjects = subjects

    def requests(self, session_id: str) -> list[Request]:
        """Return what the gate of the current phase asks a person for."""
        return self._requests(self._sessions.load_here(session_id))

    def approve(self, request: Request, *, by: str, via: str) -> SessionState:
        """Record that a person approved what `request` showed them.

        Raises ConflictError when that is not what is asked now, StateError when nothing is.
        """
        with self._sessions.edit(request.session_id) as draft:
            require_legal(draft.state.status, PersonAction.APPROVE)
            now = next((r for r in self._requests(draft.state) if r.field == request.field), None)
            if now is None or now.problem is not None:
                reason = now.problem if now else f"nobody is asked to approve {request.field!r}"
                raise StateError(
                    f"phase {draft.state.current_phase}: {reason}",
                    remediation="Read the session again: it may have moved on.",
                )
            if now.shown != request.shown:
                raise ConflictError(
                    "what is to be approved changed while it was being looked at",
                    remediation="Look at it again, then approve.",
                )
            approval = Approval(
                phase=now.phase,
                field=now.field,
                by=_plain(by),
                via=via,
                time=self._sessions.clock(),
                files=dict(now.files),
            )
            return draft.record(lifecycle.approve(draft.state, approval))

    def overridable(self, session_id: str) -> Attempt | None:
        """Return the refused attempt that a person may wave through now, if there is one."""
        state = self._sessions.load_here(session_id)
        if self._overridable(state) is not None:
            return None
        return Attempt(state.current_phase, state.attempt)

    def refusal(self, session_id: str) -> GateRefusedError:
        """Return once more the no that a person was asked about."""
        state = self._sessions.load(session_id)
        return refusals.repeated(state, self._gate(state))

    def override(
        self, session_id: str, attempt: Attempt, reason: str, *, by: str, via: str
    ) -> SessionState:
        """Let the refused `attempt` pass on a person's word, recorded with the reason.

        Raises StateError where the gate does not allow it or has not refused, ConflictError when
        there was another attempt since.
        """
        if not reason.strip() or len(reason) > MAX_REASON:
            raise InvalidArgumentError(
                f"an override needs a reason of at most {MAX_REASON} characters",
                remediation="Say why the gate's no does not hold here.",
            )
        with self._sessions.edit(session_id) as draft:
            state = draft.state
            refused = self._overridable(state)
            if refused is not None:
                raise refused
            if attempt != Attempt(state.current_phase, state.attempt):
                raise ConflictError(
                    f"the refusal that was shown is not the last one: phase {state.current_phase},"
                    f" attempt {state.attempt}",
                    remediation="Look at the last refusal, then decide.",
                )
            following = self._pinned(state.definition.digest).phase_after(attempt.phase)
            commit = self._subjects.commit_for(*([following.gate] if following else ()))
            override = Override(
                phase=attempt.phase,
                by=_plain(by),
                via=via,
                time=self._sessions.clock(),
                reason=_plain(reason),
            )
            return draft.record(lifecycle.override_phase(state, override, commit))

    def _overridable(self, state: SessionState) -> StateError | None:
        try:
            require_legal(state.status, PersonAction.OVERRIDE)
        except StateError as error:
            return error
        if self._gate(state).checkpoint.allow_override:
            return None
        return StateError(
            f"the gate of phase {state.current_phase} does not allow an override",
            remediation="Mend the work and retry the phase.",
        )

    def _requests(self, state: SessionState) -> list[Request]:
        return [
            self._request(state, name, probe)
            for name, field in self._gate(state).verified_fields.items()
            for probe in field.probes
            if isinstance(probe, ApprovalSettings)
        ]

    def _request(self, state: SessionState, field: str, settings: ApprovalSettings) -> Request:
        facts = facts_of(state)
        wanted = Request(state.session_id, facts.phase, facts.attempt, field, settings.question, {})
        try:
            question, files = self._subjects.subject(field, settings, facts)
        except StateError as error:
            return replace(wanted, problem=error.message)
        given = any(a.field == field and dict(a.files) == dict(files) for a in facts.approvals)
        return replace(wanted, question=question, files=files, given=given)

    def _gate(self, state: SessionState) -> Gate:
        return self._pinned(state.definition.digest).phase(state.current_phase).gate


def _plain(text: str) -> str:
    """Return `text` as it can be stored: half characters that a terminal passed on replaced."""
    return text.strip().encode("utf-8", "replace").decode("utf-8")
