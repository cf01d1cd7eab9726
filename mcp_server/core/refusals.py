"""The refusals on a session: what the agent is told, and what is recorded of it. Pure."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from mcp_server.core import views
from mcp_server.core.models import ErrorEntry, SessionState
from mcp_server.core.transitions import Action
from mcp_server.errors import (
    GateRefusedError,
    NotFoundError,
    StateError,
    VerificationUnavailableError,
    WorkflowError,
)
from mcp_server.gates.evaluation import Verdict
from mcp_server.gates.model import Gate
from mcp_server.gates.observation import Judgement, Observation

_SEEN = 360
"""Bytes of a refusal that tell what was found to be well; what was not is the matter."""


@contextmanager
def teaching(state: SessionState) -> Iterator[None]:
    """Have every refusal of a call on a session say where it stands and the next legal call."""
    try:
        yield
    except (NotFoundError, StateError) as error:
        error.details.setdefault("current_phase", state.current_phase)
        error.fields.setdefault("next", views.next_step(state))
        raise


def gate_refused(
    state: SessionState, verdict: Verdict, gate: Gate, seen: Mapping[str, Observation]
) -> GateRefusedError:
    """Return the gate's no, with every field that it asks for and what the server saw."""
    phase = state.current_phase
    parts = [f"{len(verdict.missing)} missing"] if verdict.missing else []
    if verdict.problems:
        parts.append(f"{len(verdict.problems)} not satisfied")
    return GateRefusedError(
        f"the gate of phase {phase} refused the evidence: {', '.join(parts)}",
        remediation=_remedy(state, gate),
        fields={
            "checkpoint_passed": False,
            **_override(gate),
            **_of_the_evidence(verdict),
            **_observed(seen),
            "next": _retry(state),
        },
    )


def override_command(session_id: str) -> str:
    """Return what a person types to wave a refused phase through."""
    return f"aos-workflow approve {session_id} --override"


def unavailable(
    state: SessionState, verdict: Verdict, seen: Mapping[str, Observation]
) -> VerificationUnavailableError:
    """Return the answer of a gate that could not look: nobody's failure, nothing recorded."""
    phase = state.current_phase
    remedies = views.bounded(verdict.remedies, 800)
    waiting = [look.details for look in seen.values()
               if look.details and look.judgement is Judgement.COULD_NOT_VERIFY]  # fmt: skip
    return VerificationUnavailableError(
        f"the gate of phase {phase} could not verify {len(verdict.unverified)} of its fields",
        remediation=" ".join(remedies) or "Ask the people of the project to make it verifiable.",
        details={"current_phase": phase, **({"waiting_for": waiting[:4]} if waiting else {})},
        fields={
            "checkpoint_passed": False,
            "unverified": views.bounded(map(views.clip, verdict.unverified), 2_000),
            **_observed(seen),
            "next": views.call(Action.GET_STATE, session_id=state.session_id),
        },
    )


def repeated(state: SessionState, gate: Gate) -> GateRefusedError:
    """Return once more the gate's no to a submission that was judged in the meantime."""
    last = state.errors[-1]
    return GateRefusedError(
        last.message,
        remediation=_remedy(state, gate),
        fields={
            "checkpoint_passed": False,
            **_override(gate),
            "missing_evidence": last.details.get("missing_evidence", []),
            "validation_errors": last.details.get("validation_errors", []),
            "next": _retry(state),
        },
    )


def _of_the_evidence(verdict: Verdict) -> dict[str, Any]:
    return {
        "missing_evidence": views.bounded(verdict.missing, 2_000),
        "validation_errors": views.bounded(map(views.clip, verdict.problems), 3_000),
    }


def _remedy(state: SessionState, gate: Gate) -> str:
    remedy = (
        "Do what is missing, call retry_phase, then complete_phase again; what was submitted is"
        " kept, so send only what changes."
    )
    if gate.verified_fields:
        remedy += " retry_phase makes reports stale: produce them again after it."
    if gate.checkpoint.allow_override:
        remedy += f" A person may wave it through: {override_command(state.session_id)}"
    return remedy


def _override(gate: Gate) -> dict[str, Any]:
    return {"override_allowed": True} if gate.checkpoint.allow_override else {}


def _retry(state: SessionState) -> str:
    return views.call(Action.RETRY_PHASE, session_id=state.session_id, phase=state.current_phase)


def _observed(seen: Mapping[str, Observation]) -> dict[str, Any]:
    found = {name: look for name, look in seen.items() if look.judgement is Judgement.PASS}
    return {"observed": views.observed(found, _SEEN)} if found else {}


def phase_ahead(state: SessionState, phase: int) -> StateError:
    """Return the refusal to complete a phase before its turn."""
    return StateError(
        f"cannot complete phase {phase}: the current phase is {state.current_phase}, and phases are"
        " completed in order",
        remediation="Complete the current phase first.",
        details={"current_phase": state.current_phase},
        fields={"next": views.next_step(state)},
    )


def phase_behind(state: SessionState, phase: int) -> StateError:
    """Return the refusal to complete a phase twice."""
    return StateError(
        f"phase {phase} is already completed: the current phase is {state.current_phase}",
        remediation="Go on with the current phase.",
        details={"current_phase": state.current_phase},
    )


def entry(
    phase: int, refusal: WorkflowError, now: datetime, verdict: Verdict | None = None
) -> ErrorEntry:
    """Return what is recorded of a refusal: all that its answer says of the evidence."""
    details: dict[str, Any] = dict(refusal.details)
    if verdict is not None:
        details |= _of_the_evidence(verdict)
    return ErrorEntry(
        phase=phase,
        timestamp=now,
        error_type=refusal.error_type,
        message=refusal.message,
        details=details,
        remediation=views.clip(refusal.remediation, 160),
    )
