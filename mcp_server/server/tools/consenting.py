"""The questions that a refused call leaves for a person, and what their yes does.

Finding a question reads the session; recording an answer goes through `Consent`, as it does from
the command line.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp_server.errors import WorkflowError
from mcp_server.server.tools.asking import Answer, Question, Said, is_asked_for

if TYPE_CHECKING:
    from mcp_server.core.consent import Attempt, Consent, Request
    from mcp_server.core.workflow_engine import WorkflowEngine

ANONYMOUS = "a person at the client"
VIA = "the client"
_FILES_SHOWN = 10
_PROBLEMS_SHOWN = 6


def question_of(consent: "Consent", raw: Mapping[str, Any], answer: Answer) -> Question | None:
    """Return what a person could be asked after `answer`, if anything."""
    if not is_asked_for(raw, answer):
        return None
    session_id = str(raw.get("session_id"))
    try:
        refused = consent.overridable(session_id) if answer.get("override_allowed") else None
        if refused is not None:
            return _override(session_id, answer, refused)
        waiting = answer.get("details", {}).get("waiting_for", ())
        if any("approval_of" in item for item in waiting):
            asked = (r for r in consent.requests(session_id) if not (r.given or r.problem))
            wanted = next(asked, None)
            return _approval(wanted) if wanted else None
    except WorkflowError:
        # The session has moved on meanwhile: there is nothing to ask any more.
        return None
    return None


def record(engine: "WorkflowEngine", said: Said) -> Answer | None:
    """Keep a person's yes; return the answer where that already is one."""
    # Only a person's answer needs these, and few calls have one.
    from mcp_server.core import views  # noqa: PLC0415
    from mcp_server.core.consent import Attempt, Request  # noqa: PLC0415

    question = said.question
    by = said.by.strip() or ANONYMOUS
    if question.kind == "approve":
        request = Request(
            session_id=question.session_id,
            phase=question.phase,
            attempt=question.attempt,
            field=question.field,
            question=question.question,
            files=question.files,
        )
        engine.consent.approve(request, by=by, via=VIA)
        return None
    attempt = Attempt(question.phase, question.attempt)
    state = engine.consent.override(question.session_id, attempt, said.reason, by=by, via=VIA)
    return views.overridden(state)


def recall(engine: "WorkflowEngine", question: Question) -> Answer:
    """Raise the refusal again that a question was about."""
    raise engine.consent.refusal(question.session_id)


def _approval(wanted: "Request") -> Question:
    lines = [f"- {path} ({digest[:12]})" for path, digest in list(wanted.files.items())]
    return Question(
        kind="approve",
        session_id=wanted.session_id,
        phase=wanted.phase,
        attempt=wanted.attempt,
        field=wanted.field,
        question=wanted.question,
        files=dict(wanted.files),
        message="\n".join(
            (
                wanted.question,
                "",
                f"For {wanted.field}, phase {wanted.phase} of {wanted.session_id}.",
                *(["Files:", *lines[:_FILES_SHOWN]] if lines else ()),
            )
        ),
    )


def _override(session_id: str, answer: Answer, refused: "Attempt") -> Question:
    problems = [
        *(f"missing: {name}" for name in answer.get("missing_evidence", ())),
        *answer.get("validation_errors", ()),
    ]
    return Question(
        kind="override",
        session_id=session_id,
        phase=refused.phase,
        attempt=refused.number,
        message="\n".join(
            (
                f"The gate of phase {refused.phase} of {session_id} said no:",
                *(f"- {problem}" for problem in problems[:_PROBLEMS_SHOWN]),
                "",
                "Wave the phase through all the same?",
            )
        ),
    )
