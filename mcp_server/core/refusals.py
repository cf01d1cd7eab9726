"""The refusals on a session: what the agent is told, and what is recorded of it. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from mcp_server.core import views
from mcp_server.core.models import ErrorEntry, SessionState
from mcp_server.core.transitions import Action
from mcp_server.errors import GateRefusedError, NotFoundError, StateError, WorkflowError
from mcp_server.gates.evaluation import Verdict

_RECORDED_FIELDS = 8
_RECORDED_PROBLEMS = 4


@contextmanager
def teaching(state: SessionState) -> Iterator[None]:
    """Have every refusal of a call on a session say where it stands and the next legal call."""
    try:
        yield
    except (NotFoundError, StateError) as error:
        error.details.setdefault("current_phase", state.current_phase)
        error.fields.setdefault("next", views.next_step(state))
        raise


def gate_refused(state: SessionState, verdict: Verdict) -> GateRefusedError:
    """Return the gate's no, with every field that it asks for."""
    phase = state.current_phase
    parts = [f"{len(verdict.missing)} missing"] if verdict.missing else []
    if verdict.problems:
        parts.append(f"{len(verdict.problems)} not satisfied")
    retry = views.call(Action.RETRY_PHASE, session_id=state.session_id, phase=phase)
    return GateRefusedError(
        f"the gate of phase {phase} refused the evidence: {', '.join(parts)}",
        remediation="Do what is missing, call retry_phase, then complete_phase again; what was"
        " submitted is kept, so send only what changes.",
        fields={
            "checkpoint_passed": False,
            "missing_evidence": views.bounded(verdict.missing, 3_000),
            "validation_errors": views.bounded(map(views.clip, verdict.problems), 3_000),
            "next": retry,
        },
    )


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
    """Return what is recorded of a refusal, kept short."""
    details: dict[str, Any] = dict(refusal.details)
    if verdict is not None:
        problems = verdict.problems[:_RECORDED_PROBLEMS]
        details["missing_evidence"] = list(verdict.missing)[:_RECORDED_FIELDS]
        details["validation_errors"] = [views.clip(text, 120) for text in problems]
    return ErrorEntry(
        phase=phase,
        timestamp=now,
        error_type=refusal.error_type,
        message=refusal.message,
        details=details,
        remediation=views.clip(refusal.remediation, 160),
    )
