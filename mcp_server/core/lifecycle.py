"""What each change makes of a session: pure functions from a state to the `Change` that follows it.

Whether a change is legal is decided by `transitions`; these functions ask it first, so that no
caller can forget to. Every function takes the time, none looks at a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mcp_server.core.encoding import DEEPEST, decode, digest, encode, encode_submitted
from mcp_server.core.models import (
    MAX_ERRORS,
    MAX_HISTORY,
    Approval,
    Change,
    Conclusion,
    DefinitionRef,
    ErrorEntry,
    EvidenceItem,
    ObservationRecord,
    Override,
    PhaseAttempt,
    SessionState,
    SourceRecord,
)
from mcp_server.core.transitions import (
    TABLE,
    Action,
    AnyAction,
    Outcome,
    PersonAction,
    Status,
    next_status,
    require_legal,
)
from mcp_server.errors import StateError
from mcp_server.gates.observation import Known, Observation

MAX_INLINE_VALUE = 1_024
MAX_INLINE_PHASE = 4_096
"""Bytes of JSON that a state carries along: of one value, and of all values of a phase."""

MAX_SOURCES = 5
"""How many of the files that showed a value a state carries along."""


@dataclass(frozen=True, slots=True)
class Submission:
    """Evidence made ready: one item a field, and the bytes of large values by digest."""

    items: Mapping[str, EvidenceItem]
    blobs: Mapping[str, bytes]


def prepare(
    evidence: Mapping[str, Any],
    known: Mapping[str, Known] | None = None,
    observed: Mapping[str, ObservationRecord] | None = None,
) -> Submission:
    """Make evidence ready for storing; what `known` does not name is claimed."""
    items: dict[str, EvidenceItem] = {}
    blobs: dict[str, bytes] = {}
    inline_left = MAX_INLINE_PHASE
    for name, value in evidence.items():
        content = encode_submitted("evidence", value, DEEPEST)
        inline = len(content) <= min(MAX_INLINE_VALUE, inline_left)
        if inline:
            inline_left -= len(content)
        else:
            blobs[digest(content)] = content
        items[name] = EvidenceItem(
            known=(known or {}).get(name, Known.CLAIMED),
            size=len(content),
            sha256=digest(content),
            inline=inline,
            # As it is read back: a tuple is a list by then, and a key that is a number is text.
            value=decode(content) if inline else None,
            observation=(observed or {}).get(name),
        )
    return Submission(items, blobs)


def record_of(seen: Observation, now: datetime) -> ObservationRecord:
    """Return what is recorded of a look at `now`."""
    return ObservationRecord(
        probe=seen.probe,
        time=now,
        sources=tuple(
            SourceRecord(path=s.path, size=s.size, sha256=s.sha256, modified=s.modified)
            for s in seen.sources[:MAX_SOURCES]
        ),
        more_sources=max(len(seen.sources) - MAX_SOURCES, 0),
    )


def begin(
    *,
    session_id: str,
    workflow_type: str,
    target_file: str,
    definition: DefinitionRef,
    phases: tuple[int, ...],
    options: Mapping[str, Any],
    now: datetime,
    commit: str | None = None,
    owner: str | None = None,
    project: str | None = None,
) -> Change:
    """Return the birth of a session at the first of its phases."""
    first = phases[0]
    state = SessionState(
        session_id=session_id,
        workflow_type=workflow_type,
        target_file=target_file,
        definition=definition,
        options=decode(encode(options)),
        status=Status.ACTIVE,
        phases=phases,
        current_phase=first,
        history=(PhaseAttempt(phase=first, attempt=1, status="in_progress", started_at=now),),
        created_at=now,
        last_updated=now,
        first_commit=commit,
        phase_commit=commit,
        owner=owner,
        project=project,
    )
    return Change(action=Action.START, outcome=Outcome.DONE, phase=first, state=state)


def may_complete(state: SessionState) -> bool:
    """Tell whether the current phase may be completed now."""
    return (state.status, Action.COMPLETE_PHASE) in TABLE


def pass_phase(
    state: SessionState,
    submission: Submission,
    now: datetime,
    *,
    commit: str | None = None,
    concluded: Conclusion | None = None,
) -> Change:
    """Let the current phase pass: on to the next one, or to the end."""
    outcome, update = _onward(state, "passed", now, commit)
    update["evidence"] = {**state.evidence, state.current_phase: dict(submission.items)}
    update["concluded"] = concluded
    return _change(state, Action.COMPLETE_PHASE, outcome, now, update, blobs=submission.blobs)


def override_phase(state: SessionState, override: Override, commit: str | None = None) -> Change:
    """Let a person wave the current phase through; its evidence stays what it is."""
    *earlier, refused = state.history
    waved = refused.model_copy(update={"status": "overridden"})
    before = state.model_copy(update={"history": (*earlier, waved)})
    outcome, update = _onward(before, "overridden", override.time, commit)
    update["overrides"] = (*state.overrides, override)
    return _change(state, PersonAction.OVERRIDE, outcome, override.time, update)


def approve(state: SessionState, approval: Approval) -> Change:
    """Record a person's yes; one for the same field takes the place of an earlier one."""
    others = (a for a in state.approvals if (a.phase, a.field) != (approval.phase, approval.field))
    update = {"approvals": (*others, approval)}
    return _change(state, PersonAction.APPROVE, Outcome.DONE, approval.time, update)


def _onward(
    state: SessionState, ended: str, now: datetime, commit: str | None
) -> tuple[Outcome, dict[str, Any]]:
    later = [phase for phase in state.phases if phase > state.current_phase]
    update: dict[str, Any] = {
        "completed_phases": (*state.completed_phases, state.current_phase),
        "history": _ended(state, ended, now),
    }
    if later:
        update["current_phase"] = later[0]
        update["history"] = _begun(update["history"], later[0], now)
        update["phase_commit"] = commit
    return Outcome.PASSED if later else Outcome.FINISHED, update


def refuse_phase(
    state: SessionState,
    submission: Submission,
    error: ErrorEntry,
    now: datetime,
    *,
    concluded: Conclusion | None = None,
) -> Change:
    """Record the gate's no; what was submitted is kept for the next attempt."""
    update = {
        "evidence": {**state.evidence, state.current_phase: dict(submission.items)},
        "history": _ended(state, "failed", now),
        "concluded": concluded,
        **_with_error(state, error),
    }
    return _change(
        state, Action.COMPLETE_PHASE, Outcome.REFUSED, now, update, blobs=submission.blobs
    )


def refuse_skip(state: SessionState, error: ErrorEntry, now: datetime) -> Change:
    """Record an attempt to complete a phase ahead of the current one."""
    update = _with_error(state, error)
    return _change(state, Action.COMPLETE_PHASE, Outcome.SKIPPED, now, update)


def pause(state: SessionState, note: str | None, now: datetime) -> Change:
    """Set the session aside."""
    update = {"paused_at": now, "checkpoint_note": note}
    return _change(state, Action.PAUSE, Outcome.DONE, now, update)


def resume(state: SessionState, now: datetime) -> Change:
    """Take the session up again; the note stays until the next pause."""
    return _change(state, Action.RESUME, Outcome.DONE, now, {"paused_at": None})


def retry_phase(state: SessionState, *, reset_evidence: bool, now: datetime) -> Change:
    """Open the current phase for another attempt."""
    require_legal(state.status, Action.RETRY_PHASE)
    evidence = dict(state.evidence)
    if reset_evidence:
        evidence.pop(state.current_phase, None)
    update = {
        "evidence": evidence,
        "history": _begun(state.history, state.current_phase, now),
        # A yes to a phase as a whole does not outlive the attempt that it was given for.
        "approvals": tuple(a for a in state.approvals if a.files or a.phase != state.current_phase),
    }
    return _change(state, Action.RETRY_PHASE, Outcome.DONE, now, update)


def roll_back(
    state: SessionState, to_phase: int, now: datetime, *, commit: str | None = None
) -> Change:
    """Make an earlier phase the current one; its own evidence stays, that of later ones goes."""
    require_legal(state.status, Action.ROLLBACK)
    if to_phase not in state.completed_phases:
        earlier = ", ".join(map(str, state.completed_phases)) or "none is completed yet"
        raise StateError(
            f"cannot roll back to phase {to_phase}: rollback goes to an earlier, completed phase"
            f" (current phase {state.current_phase}; earlier: {earlier})",
            remediation="Name one of the completed phases as to_phase, or go on with the current"
            " phase.",
            details={"current_phase": state.current_phase,
                     "completed_phases": list(state.completed_phases)},
        )  # fmt: skip
    update = {
        "current_phase": to_phase,
        "completed_phases": tuple(p for p in state.completed_phases if p < to_phase),
        "evidence": {p: items for p, items in state.evidence.items() if p <= to_phase},
        "history": _begun(_ended(state, "rolled_back", now), to_phase, now),
        "phase_commit": commit,
        "approvals": tuple(a for a in state.approvals if a.phase < to_phase),
        "overrides": tuple(o for o in state.overrides if o.phase < to_phase),
    }
    return _change(state, Action.ROLLBACK, Outcome.DONE, now, update)


def _change(
    state: SessionState,
    action: AnyAction,
    outcome: Outcome,
    now: datetime,
    update: Mapping[str, Any],
    *,
    blobs: Mapping[str, bytes] | None = None,
) -> Change:
    status = next_status(state.status, action, outcome)
    fixed = {"concluded": None, **update, "status": status, "last_updated": now}
    after = state.model_copy(update=fixed)
    return Change(
        action=action, outcome=outcome, phase=state.current_phase, state=after, blobs=blobs or {}
    )


def _ended(state: SessionState, status: str, now: datetime) -> tuple[PhaseAttempt, ...]:
    return tuple(
        attempt.model_copy(update={"status": status, "completed_at": now})
        if attempt.completed_at is None
        else attempt
        for attempt in state.history
    )


def _begun(
    history: tuple[PhaseAttempt, ...], phase: int, now: datetime
) -> tuple[PhaseAttempt, ...]:
    earlier = [attempt.attempt for attempt in history if attempt.phase == phase]
    begun = PhaseAttempt(
        phase=phase, attempt=max(earlier, default=0) + 1, status="in_progress", started_at=now
    )
    return (*history, begun)[-MAX_HISTORY:]


def _with_error(state: SessionState, error: ErrorEntry) -> dict[str, Any]:
    earlier = (*state.errors[:-1], *(entry.in_short for entry in state.errors[-1:]))
    return {
        "errors": (*earlier, error)[-MAX_ERRORS:],
        "error_count": state.error_count + 1,
    }
