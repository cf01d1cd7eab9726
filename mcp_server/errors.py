"""The whole error hierarchy: what can go wrong, in the words the agent reads.

Rules: code raises leaves only, never `WorkflowError` itself. A leaf fixes the `error_type` of the
answer; an instance adds what happened (with the values that were given) and the caller's next
call. No message holds an absolute path. This module imports nothing of ours, so that every layer
may raise.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

_SHOWN = 60
_PATH = re.compile(r"(^|[\s'\"=(:])([/~\\]|[A-Za-z]:[\\/])|file:")


def quoted(value: object) -> str:
    """Return how a message repeats a value that was given: short, and never an absolute path."""
    if isinstance(value, dict | list):
        return f"of {len(value)} items"
    if isinstance(value, str):
        return "that looks like a path" if _PATH.search(value[:_SHOWN]) else repr(value[:_SHOWN])
    return repr(value)[:_SHOWN] if isinstance(value, bool | float) else _number(value)


def _number(value: object) -> str:
    if not isinstance(value, int):
        return f"of type {type(value).__name__}"
    return str(value) if abs(value) < 10**_SHOWN else "that is huge"


class WorkflowError(Exception):
    """A refusal with a stable type, a message and a remedy.

    `details` goes to the answer's `details`; `fields` go to its top level. `at_terminal` is the
    message where only the user sees it, who may be shown whole paths.
    """

    error_type: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        remediation: str,
        details: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        at_terminal: str | None = None,
    ) -> None:
        """Say what happened, and what the caller may do about it."""
        super().__init__(message)
        self.message = message
        self.at_terminal = at_terminal or message
        self.remediation = remediation
        self.details = dict(details or {})
        self.fields = dict(fields or {})

    def __str__(self) -> str:
        """Return the message."""
        return self.message

    def as_data(self) -> dict[str, Any]:
        """Return the error as plain data, for another process of this server to raise again."""
        return {
            "kind": type(self).__name__,
            "message": self.message,
            "remediation": self.remediation,
            "details": self.details,
            "fields": self.fields,
        }


def from_data(data: Mapping[str, Any]) -> WorkflowError:
    """Return the error that `as_data` made plain; raises KeyError if it is none."""
    kinds = {kind.__name__: kind for kind in WorkflowError.__subclasses__()}
    return kinds[data["kind"]](
        data["message"],
        remediation=data["remediation"],
        details=data["details"],
        fields=data["fields"],
    )


class InvalidArgumentError(WorkflowError, ValueError):
    """An argument is missing, mistyped, out of range, too large, or points outside the project."""

    error_type = "ValueError"


class NotFoundError(WorkflowError):
    """There is no such session, workflow, phase or task."""

    error_type = "NotFoundError"


class StateError(WorkflowError):
    """The action is not legal in the session's state."""

    error_type = "StateError"


class GateRefusedError(WorkflowError):
    """The gate looked and said no."""

    error_type = "ValidationError"


class VerificationUnavailableError(WorkflowError):
    """The gate could not look; this is not the agent's failure."""

    error_type = "VerificationUnavailable"


class ConflictError(WorkflowError):
    """Somebody else changed the session, or holds its lock."""

    error_type = "ConflictError"


class LimitError(WorkflowError):
    """Too many sessions are active."""

    error_type = "LimitError"


class DefinitionError(WorkflowError):
    """A workflow on disk is broken; the message names the file and, where known, the line."""

    error_type = "DefinitionError"


class DiskRefusedError(WorkflowError):
    """The disk refuses: permission denied, read-only, full."""

    error_type = "PermissionError"


class StoreUnavailableError(WorkflowError):
    """What keeps the sessions does not answer; the same call may succeed later."""

    error_type = "RuntimeError"


class DamagedStateError(WorkflowError):
    """What is stored of a session cannot be read, or is not what its hash says."""

    error_type = "RuntimeError"


class ConfigurationError(WorkflowError):
    """The server cannot tell what to serve, or a setting makes no sense."""

    error_type = "RuntimeError"


class CutoverError(WorkflowError):
    """A code base cannot be cut over, or brought back, as it is."""

    error_type = "RuntimeError"


class UneditableError(WorkflowError):
    """A file of another program cannot be changed safely; it was left as it is."""

    error_type = "RuntimeError"


class InternalError(WorkflowError):
    """Anything else: a defect of ours, known to the log by its incident id."""

    error_type = "RuntimeError"
