"""The tool's arguments: their published schema, and how raw values are read.

Clients and models send numbers as text, objects as JSON text, explicit nulls and arguments of
their own. What is unambiguous is read as it was meant; everything else is refused in our words,
naming the argument and what came. Text stays text, whatever it looks like.
"""

import difflib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mcp_server.core.identifiers import validate_session_id
from mcp_server.core.transitions import Action, Status
from mcp_server.errors import InvalidArgumentError, quoted
from mcp_server.server.tools.actions import ACTIONS, example_call

MAX_NUMBER = 10_000
MAX_TEXT = 1_000
_SHOWN = 60

_INTEGER = re.compile(r"\s*[+-]?\d{1,9}\s*\Z", re.ASCII)
_CLOSE = 0.85

Schema = Mapping[str, Any]

ARGUMENTS: Mapping[str, Schema] = {
    "action": {"type": "string", "enum": [str(action) for action in Action],
               "description": "What to do"},
    "session_id": {"type": "string", "description": "From start or list_sessions"},
    "workflow_type": {"type": "string", "description": "From list_workflows"},
    "target_file": {"type": "string",
                    "description": "What is worked on: a path relative to the project root"},
    "options": {"type": "object", "description": "Settings of the workflow, at most 64 KiB;"
                " list_sessions: all_projects true"},
    "phase": {"type": "integer", "description": "Phase number; default: the current phase;"
              " for get_state: all in short"},
    "task_number": {"type": "integer", "description": "Task number, as get_phase lists them"},
    "evidence": {"type": "object",
                 "description": "Fields that the gate asks for, at most 10 MiB of JSON"},
    "category": {"type": "string", "description": "Only workflows of this category"},
    "status": {"type": "string", "enum": [str(status) for status in Status],
               "description": "Only sessions in this status"},
    "reason": {"type": "string", "description": "Why, for the log"},
    "checkpoint_note": {"type": "string",
                        "description": "Note for whoever resumes, at most 4 KiB"},
    "reset_evidence": {"type": "boolean",
                       "description": "Drop what was submitted; default false: keep it"},
    "to_phase": {"type": "integer", "description": "An earlier, completed phase"},
    "limit": {"type": "integer", "description": "Items a page, 1 to 100; default 20"},
    "cursor": {"type": "string", "description": "next_cursor of the page before"},
}  # fmt: skip


def screen(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the known arguments that are not null, and warnings for unknown ones.

    Raises InvalidArgumentError for an unknown argument that looks like a misspelt known one.
    """
    warnings: list[str] = []
    for name in raw:
        if name in ARGUMENTS:
            continue
        meant = _misspelt(str(name))
        if meant:
            raise InvalidArgumentError(
                f"unknown argument {quoted(name)}: did you mean {meant}?",
                remediation=f"Send the same call with {meant}=... instead.",
            )
        warnings.append(f"argument {quoted(name)} is not known and was ignored")
    given = {name: value for name, value in raw.items() if name in ARGUMENTS and value is not None}
    return given, warnings


def require(action: Action, given: Mapping[str, Any]) -> None:
    """Raise InvalidArgumentError naming every argument that the action needs and was not given."""
    missing = [name for name in ACTIONS[action].needs if name not in given]
    if missing:
        raise InvalidArgumentError(
            f"{action} needs {' and '.join(missing)}",
            remediation=f"Call {example_call(action)}",
            details={"missing_arguments": missing},
        )


class Given:
    """The arguments of one call, by type; InvalidArgumentError for what does not fit."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        """Read from `arguments`; null is absent."""
        self._values = {name: value for name, value in arguments.items() if value is not None}

    def _needed(self, name: str) -> Any:
        if name not in self._values:
            raise InvalidArgumentError(
                f"{name} is missing", remediation=f"Send the same call with {name}=..."
            )
        return self._values[name]

    def session_id(self) -> str:
        """Return the session id, checked for its format."""
        value: str = self._needed("session_id")
        validate_session_id(value)
        return value

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        return _text(name, self._needed(name), MAX_TEXT)

    def optional_text(self, name: str, *, limit: int = MAX_TEXT) -> str | None:
        """Return a text of at most `limit` bytes, or None."""
        return _text(name, self._values[name], limit) if name in self._values else None

    def number(self, name: str) -> int:
        """Return a whole number that must be there."""
        return _integer(name, self._needed(name))

    def optional_number(self, name: str) -> int | None:
        """Return a whole number, or None."""
        return _integer(name, self._values[name]) if name in self._values else None

    def object(self, name: str) -> dict[str, Any]:
        """Return an object that must be there."""
        return _object(name, self._needed(name))

    def optional_object(self, name: str) -> dict[str, Any] | None:
        """Return an object, or None."""
        return _object(name, self._values[name]) if name in self._values else None

    def option(self, name: str) -> bool:
        """Return a boolean among the options; absent is false."""
        options = self.optional_object("options") or {}
        return self._flag(f"options.{name}", options.get(name, False))

    def flag(self, name: str) -> bool:
        """Return a boolean; absent is false."""
        return self._flag(name, self._values.get(name, False))

    def _flag(self, name: str, value: Any) -> bool:
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise _mistyped(name, "true or false", value)
        return value

    def status(self) -> Status | None:
        """Return the status to filter by, or None."""
        value = self._values.get("status")
        if value is None:
            return None
        if value not in list(Status):
            raise InvalidArgumentError(
                f"unknown status {quoted(value)}",
                remediation=f"Pass one of {', '.join(Status)}, or leave status out.",
            )
        return Status(value)


def _text(name: str, value: Any, limit: int) -> str:
    if not isinstance(value, str):
        raise _mistyped(name, "text", value)
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise InvalidArgumentError(
            f"{name} is too large: {size} bytes, at most {limit}",
            remediation=f"Shorten {name} and send the call again.",
        )
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _mistyped(name, "text that UTF-8 can encode", value)
    return value


def _integer(name: str, value: Any) -> int:
    whole = (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
        or (isinstance(value, str) and _INTEGER.match(value))
    )
    if not whole:
        raise _mistyped(name, "a whole number", value)
    number = int(value)
    if not 0 <= number <= MAX_NUMBER:
        raise InvalidArgumentError(
            f"{name} is out of range: {quoted(number)}",
            remediation=f"Pass a whole number from 0 to {MAX_NUMBER}.",
        )
    return number


def _object(name: str, value: Any) -> dict[str, Any]:
    given = value
    if isinstance(value, str):
        # Some clients send every object as JSON text.
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if not isinstance(value, dict):
        raise _mistyped(name, "an object", given)
    if not all(isinstance(key, str) for key in value):
        raise _mistyped(name, "an object with text keys", value)
    return value


def _mistyped(name: str, expected: str, value: Any) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{name} must be {expected}, got {_kind(value)} {quoted(value)}",
        remediation=f"Send the same call with {name} as {expected}.",
    )


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "boolean"), (int, "number"), (float, "number"), (str, "text"), (list, "list"),
        (dict, "object"),
    )  # fmt: skip
    return next((kind for type_, kind in kinds if isinstance(value, type_)), "value")


def _misspelt(name: str) -> str | None:
    plain = {_plain(known): known for known in ARGUMENTS}
    close = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=_CLOSE)
    return plain[close[0]] if close else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name[:_SHOWN].lower())
