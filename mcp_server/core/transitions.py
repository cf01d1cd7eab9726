"""What may happen to a session, and what becomes of it: one table.

A session is always in one of four statuses:

- `active`: an agent works on the current phase.
- `paused`: set aside on purpose. It does not count against the limit of active sessions, and
  nothing but `resume`, reading and deleting is legal, so that "paused" means that the work really
  stands still.
- `failed`: the gate of the current phase said no. Before the next attempt the agent must call
  `retry_phase` (or go back with `rollback`): a second guess at the gate without reading the errors
  first is what this status is here to stop.
- `completed`: the last gate let the session through. Only `rollback` opens it again.

A person, and nobody else, has two actions of their own, which the tool does not offer: `approve`
says yes where a gate asks for a person, and moves nothing; `override` waves a phase through whose
gate said no, where the gate allows it.

Each entry maps (status, action) to the outcomes that the action can have and the status that
follows. `complete_phase` is the only action with more than one outcome: the gate lets the phase
pass, lets the last phase pass, refuses, or the agent named a phase ahead of the current one
(`skipped`), which is recorded but moves nothing. What is not in the table is refused and changes
nothing. Reading is legal in every status and deleting ends the session from any, so neither needs
an entry.

Pure: imports neither clock nor disk. The diagram in the documentation is drawn from this table.
"""

from collections.abc import Mapping
from enum import StrEnum

from mcp_server.errors import StateError


class Status(StrEnum):
    """Where a session stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    FAILED = "failed"
    COMPLETED = "completed"


class Action(StrEnum):
    """The 14 actions of the tool."""

    LIST_WORKFLOWS = "list_workflows"
    START = "start"
    GET_PHASE = "get_phase"
    GET_TASK = "get_task"
    COMPLETE_PHASE = "complete_phase"
    GET_STATE = "get_state"
    LIST_SESSIONS = "list_sessions"
    GET_SESSION = "get_session"
    DELETE_SESSION = "delete_session"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY_PHASE = "retry_phase"
    ROLLBACK = "rollback"
    GET_ERRORS = "get_errors"


class PersonAction(StrEnum):
    """What only a person can do: through the client's own questions, or on a terminal."""

    APPROVE = "approve"
    OVERRIDE = "override"


AnyAction = Action | PersonAction


class Outcome(StrEnum):
    """What came of an action that changes a session."""

    DONE = "done"
    PASSED = "passed"
    FINISHED = "finished"
    REFUSED = "refused"
    SKIPPED = "skipped"


TABLE: Mapping[tuple[Status, AnyAction], Mapping[Outcome, Status]] = {
    (Status.ACTIVE, Action.COMPLETE_PHASE): {
        Outcome.PASSED: Status.ACTIVE,
        Outcome.FINISHED: Status.COMPLETED,
        Outcome.REFUSED: Status.FAILED,
        Outcome.SKIPPED: Status.ACTIVE,
    },
    (Status.ACTIVE, PersonAction.APPROVE): {Outcome.DONE: Status.ACTIVE},
    (Status.FAILED, PersonAction.OVERRIDE): {
        Outcome.PASSED: Status.ACTIVE,
        Outcome.FINISHED: Status.COMPLETED,
    },
    (Status.ACTIVE, Action.PAUSE): {Outcome.DONE: Status.PAUSED},
    (Status.ACTIVE, Action.ROLLBACK): {Outcome.DONE: Status.ACTIVE},
    (Status.PAUSED, Action.RESUME): {Outcome.DONE: Status.ACTIVE},
    (Status.FAILED, Action.RETRY_PHASE): {Outcome.DONE: Status.ACTIVE},
    (Status.FAILED, Action.ROLLBACK): {Outcome.DONE: Status.ACTIVE},
    (Status.COMPLETED, Action.ROLLBACK): {Outcome.DONE: Status.ACTIVE},
}

ALWAYS_LEGAL = frozenset(
    {
        Action.GET_PHASE,
        Action.GET_TASK,
        Action.GET_STATE,
        Action.GET_SESSION,
        Action.GET_ERRORS,
        Action.DELETE_SESSION,
    }
)
"""Actions on a session that every status allows."""

CHANGES = frozenset(action for _, action in TABLE if isinstance(action, Action))
"""Actions of the tool that only some statuses allow."""

COUNTED = frozenset({Status.ACTIVE, Status.FAILED})
"""Statuses that count against the limit of active sessions."""


def legal_actions(status: Status) -> tuple[Action, ...]:
    """Return the changing actions that `status` allows, in the order of the tool."""
    return tuple(action for action in Action if (status, action) in TABLE)


def require_legal(status: Status, action: AnyAction) -> None:
    """Raise StateError unless `status` allows `action`."""
    if action in ALWAYS_LEGAL or (status, action) in TABLE:
        return
    legal = ", ".join(legal_actions(status))
    reading = "get_phase, get_task, get_state, get_session, get_errors, delete_session"
    raise StateError(
        f"{action} is not legal while the session is {status}",
        remediation=f"Legal now: {legal}; and always: {reading}.",
        details={
            "session_status": str(status),
            "legal_actions": list(legal_actions(status)),
        },
    )


def next_status(status: Status, action: AnyAction, outcome: Outcome) -> Status:
    """Return the status that follows; raises StateError where the action is not legal."""
    require_legal(status, action)
    return TABLE[status, action][outcome]
