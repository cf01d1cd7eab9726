"""The tool `aos_workflow`: a table of 14 thin handlers and the one dispatcher in front of them.

A handler reads its arguments, calls one method of the engine or the state manager, and returns
its dict. The dispatcher screens arguments, looks the handler up, calls it and wraps what comes
back; it alone catches everything, so that whatever happens the caller gets the one envelope.
"""

import inspect
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from mcp.server import MCPServer

from mcp_server.config import (
    MAX_ACTIVE_SESSIONS,
    MAX_EVIDENCE_SIZE,
    STATE_DIR,
    VERIFY_WAIT,
)
from mcp_server.core.encoding import MAX_DEPTH, require_size
from mcp_server.core.identifiers import SESSION_ID_PATTERN, validate_session_id
from mcp_server.core.paths import validate_target
from mcp_server.core.transitions import Action
from mcp_server.errors import (
    DiskRefusedError,
    InternalError,
    InvalidArgumentError,
    WorkflowError,
    quoted,
)
from mcp_server.server import services, telemetry
from mcp_server.server.short_calls import ShortCalls, run, run_long
from mcp_server.server.tools import consenting, publishing
from mcp_server.server.tools.actions import closest, example_call
from mcp_server.server.tools.arguments import Given, require, screen
from mcp_server.server.tools.asking import Asker, Question, Said
from mcp_server.server.tools.redaction import sanitize_error

if TYPE_CHECKING:
    from mcp_server.core.state_manager import StateManager
    from mcp_server.core.workflow_engine import WorkflowEngine

__all__ = [
    "ACTION_HANDLERS",
    "MAX_ACTIVE_SESSIONS",
    "MAX_EVIDENCE_SIZE",
    "SESSION_ID_PATTERN",
    "STATE_DIR",
    "VALID_ACTIONS",
    "aos_workflow",
    "register_workflow_tools",
    "sanitize_error",
    "validate_evidence_size",
    "validate_session_id",
    "validate_target_file",
]

logger = logging.getLogger(__name__)

Answer = dict[str, Any]
Handler = Callable[..., Awaitable[Answer]]

_NAME = re.compile(r"[\w .-]{1,64}\Z")

_short_calls = ShortCalls()

_P = ParamSpec("_P")
_R = TypeVar("_R")

VALID_ACTIONS = frozenset(str(action) for action in Action)


def validate_target_file(target_file: object) -> bool:
    """Return True; raises ValueError for a path that is not inside the project."""
    return validate_target(services.current().settings.project, target_file)


def validate_evidence_size(evidence: object) -> bool:
    """Return True; raises ValueError for evidence over MAX_EVIDENCE_SIZE bytes of JSON."""
    require_size("evidence", evidence, MAX_EVIDENCE_SIZE, MAX_DEPTH)
    return True


def _engine() -> "WorkflowEngine":
    return services.current().engine


def _sessions() -> "StateManager":
    return services.current().sessions


def _note_size() -> int:
    return services.current().settings.max_note_size


async def _change(method: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Call a method that blocks, but seldom for long."""
    if services.current().is_embedded:
        return await _short_calls.run(run, method, *args, **kwargs)
    return await run(method, *args, **kwargs)


async def _look(method: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Call a method that reads little: going to a thread for a file would take longer."""
    if services.current().is_embedded:
        return method(*args, **kwargs)
    return await run(method, *args, **kwargs)


async def _complete(method: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Call a method that takes long where a gate looks, and else is short."""
    if services.current().is_embedded:
        return await _short_calls.run(run_long, method, *args, **kwargs)
    return await run_long(method, *args, **kwargs)


async def _handle_list_workflows(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _look(
        _engine().list_workflows,
        given.optional_text("category"),
        given.optional_number("limit"),
        given.optional_text("cursor"),
    )


async def _handle_start(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _change(
        _engine().start,
        given.text("workflow_type"),
        given.text("target_file"),
        given.optional_object("options"),
    )


async def _handle_get_phase(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _look(_engine().get_phase, given.session_id(), given.optional_number("phase"))


async def _handle_get_task(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _look(
        _engine().get_task,
        given.session_id(),
        given.number("task_number"),
        given.optional_number("phase"),
    )


async def _handle_complete_phase(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _complete(
        _engine().complete_phase,
        given.session_id(),
        given.number("phase"),
        given.object("evidence"),
    )


async def _handle_get_state(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _look(
        _engine().get_state,
        given.session_id(),
        given.optional_number("phase"),
        given.optional_text("cursor"),
    )


async def _handle_list_sessions(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _change(
        _sessions().list_sessions,
        given.status(),
        given.optional_number("limit"),
        given.optional_text("cursor"),
        all_projects=given.option("all_projects"),
    )


async def _handle_get_session(**arguments: Any) -> Answer:
    return await _look(_sessions().get_session, Given(arguments).session_id())


async def _handle_delete_session(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _change(
        _sessions().delete_session,
        given.session_id(),
        given.optional_text("reason", limit=_note_size()),
    )


async def _handle_pause(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _change(
        _sessions().pause,
        given.session_id(),
        given.optional_text("checkpoint_note", limit=_note_size()),
    )


async def _handle_resume(**arguments: Any) -> Answer:
    return await _change(_engine().resume, Given(arguments).session_id())


async def _handle_retry_phase(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _change(
        _engine().retry_phase,
        given.session_id(),
        given.number("phase"),
        reset_evidence=given.flag("reset_evidence"),
    )


async def _handle_rollback(**arguments: Any) -> Answer:
    given = Given(arguments)
    return await _change(_engine().rollback, given.session_id(), given.number("to_phase"))


async def _handle_get_errors(**arguments: Any) -> Answer:
    return await _look(_engine().get_errors, Given(arguments).session_id())


ACTION_HANDLERS: dict[str, Handler] = {
    "list_workflows": _handle_list_workflows,
    "start": _handle_start,
    "get_phase": _handle_get_phase,
    "get_task": _handle_get_task,
    "complete_phase": _handle_complete_phase,
    "get_state": _handle_get_state,
    "list_sessions": _handle_list_sessions,
    "get_session": _handle_get_session,
    "delete_session": _handle_delete_session,
    "pause": _handle_pause,
    "resume": _handle_resume,
    "retry_phase": _handle_retry_phase,
    "rollback": _handle_rollback,
    "get_errors": _handle_get_errors,
}


async def aos_workflow(
    action: str,
    session_id: str | None = None,
    workflow_type: str | None = None,
    target_file: str | None = None,
    options: dict[str, Any] | None = None,
    phase: int | None = None,
    task_number: int | None = None,
    evidence: dict[str, Any] | None = None,
    category: str | None = None,
    status: str | None = None,
    reason: str | None = None,
    checkpoint_note: str | None = None,
    reset_evidence: bool = False,
    to_phase: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Answer:
    """Carry out one action of the workflow tool and return its answer; never raises."""
    # The parameters are the arguments, one to one: naming them again could only go wrong.
    return await dispatch(dict(locals()))


async def dispatch(raw: Mapping[str, Any]) -> Answer:
    """Answer a call from its raw arguments."""

    async def carried_out() -> Answer:
        handler = _handler_of(raw.get("action"))
        given, warnings = screen(raw)
        require(Action(str(raw["action"])), given)
        answer = await handler(**given)
        if warnings:
            answer = answer | {"warnings": [*answer.get("warnings", []), *warnings[:10]]}
        return answer

    return await telemetry.counted(enveloped, raw.get("action"), carried_out)


async def enveloped(action: Any, carry_out: Callable[[], Awaitable[Answer]]) -> Answer:
    """Answer with what `carry_out` gives: the one envelope for success and failure alike."""
    # Echoed only if it can be a name: what else stands there may be a path, or a novel.
    head = {"action": action if isinstance(action, str) and _NAME.match(action) else ""}
    try:
        return {"status": "success", **head, **await carry_out()}
    except WorkflowError as error:
        return _refusal(head, error)
    except Exception as error:  # noqa: BLE001 - the one place that catches everything
        return _refusal(head, _unexpected(error))


def _handler_of(action: Any) -> Handler:
    handler = ACTION_HANDLERS.get(action) if isinstance(action, str) else None
    if handler is not None:
        return handler
    if isinstance(action, str):
        close = closest(action)
        meant = f"; did you mean {close}?" if close else ""
        message = f"Unknown action: {quoted(action)}{meant}"
        remedy = example_call(close or Action.LIST_WORKFLOWS)
    else:
        message = "Unknown action: action is missing or not text"
        remedy = example_call(Action.LIST_WORKFLOWS)
    raise InvalidArgumentError(
        message,
        remediation=f"Call one of valid_actions, such as {remedy}",
        fields={"valid_actions": list(ACTION_HANDLERS)},
    )


def _refusal(head: Answer, error: WorkflowError) -> Answer:
    answer = {
        "status": "error",
        **head,
        "error": error.message,
        "error_type": error.error_type,
        "remediation": error.remediation,
        **error.fields,
    }
    return answer | ({"details": error.details} if error.details else {})


def _unexpected(error: Exception) -> WorkflowError:
    incident = secrets.token_hex(4)
    logger.error("incident %s", incident, exc_info=error)
    safe = sanitize_error(error)
    if safe["error_type"] == "PermissionError":
        refusal: WorkflowError = DiskRefusedError(
            safe["error"], remediation="Give the server the right to read and write the project."
        )
        return refusal
    return InternalError(
        f"Internal server error (incident {incident})",
        remediation=f"Nothing was changed. Look for incident {incident} in the server's log.",
        details={"incident": incident},
    )


def register_workflow_tools(mcp_server: Any, *, patience: float = VERIFY_WAIT) -> int:
    """Register the tool with a server and return how many tools that made: 1.

    An SDK server gets results whose two halves are each complete; any other object whose
    `.tool(...)` returns a decorator gets the plain coroutine. A person at the client is given
    `patience` seconds for each question.
    """
    if isinstance(mcp_server, MCPServer):
        publishing.publish(mcp_server, Asker(dispatch, _find, _record, _recall, patience))
    else:
        _tool_decorator(mcp_server)(aos_workflow)
    return 1


async def _find(raw: Mapping[str, Any], answered: Answer) -> Question | None:
    found: list[Question | None] = [None]

    async def carried_out() -> Answer:
        found[0] = await run(consenting.question_of, _engine().consent, raw, answered)
        return {}

    # What goes wrong here asks nobody, and leaves the answer as it was.
    await enveloped(raw.get("action"), carried_out)
    return found[0]


async def _record(said: Said, raw: Mapping[str, Any]) -> Answer:
    async def carried_out() -> Answer:
        overridden = await run(consenting.record, _engine(), said)
        return overridden or {}

    if said.question.kind == "override":
        return await telemetry.counted(enveloped, raw.get("action"), carried_out)
    kept = await enveloped(raw.get("action"), carried_out)
    return kept if kept["status"] == "error" else await dispatch(raw)


async def _recall(question: Question) -> Answer:
    async def carried_out() -> Answer:
        return await run(consenting.recall, _engine(), question)

    return await telemetry.counted(enveloped, Action.COMPLETE_PHASE, carried_out)


def _tool_decorator(host: Any) -> Callable[[Handler], Any]:
    """Return the decorator of a foreign host, described as far as its `tool` lets us."""
    described = {"name": publishing.NAME, "description": publishing.description()}
    parameters = inspect.signature(host.tool).parameters
    if not any(kind.kind is inspect.Parameter.VAR_KEYWORD for kind in parameters.values()):
        described = {name: text for name, text in described.items() if name in parameters}
    decorator: Callable[[Handler], Any] = host.tool(**described)
    return decorator
