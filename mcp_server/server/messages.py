"""Lines into messages of the protocol, and messages into lines.

What is no message is answered as JSON-RPC says, with the id of the request where it can be told:
a client that waits for that id is answered at once and need not wait out its time limit. Text that
JSON can write and UTF-8 cannot (half a surrogate pair) is let through, to be refused by the tool in
its own words.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from mcp_server.server.framing import KEPT, TooLong

_ID = rb'"id"\s*:\s*(-?\d{1,18}|"[ !#-\[\]-~]{1,128}")'
_FIRST = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?' + _ID + rb"\s*,")
# Before the brace that ends a message stands its own last member, never a nested one's.
_LAST = re.compile(rb'[,{]\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?' + _ID + rb"\s*\}\s*\Z")


class UnreadableError(Exception):
    """A line that is no message; `answer` is what its sender is told."""

    def __init__(self, code: int, message: str, request_id: RequestId | None) -> None:
        """Say why, and to which request if that is known."""
        super().__init__(message)
        error = ErrorData(code=code, message=message)
        self.answer = JSONRPCError(jsonrpc="2.0", id=request_id, error=error)


def read_message(line: bytes) -> JSONRPCMessage:
    """Return the message that a line holds; raises UnreadableError."""
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        return _read_slowly(line)
    if isinstance(message, JSONRPCNotification) and b'"id"' in line:
        return _read_slowly(line)
    return message


def too_long(line: TooLong, limit: int) -> UnreadableError:
    """Return the refusal of a line that was skipped because of its length."""
    return UnreadableError(
        INVALID_REQUEST,
        f"Invalid Request: the message is too large: {line.size} bytes, at most {limit}",
        _id_at_the_ends(line.head, line.tail),
    )


def write_message(message: JSONRPCMessage) -> bytes:
    """Return the line of a message, with its newline."""
    try:
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
    except PydanticSerializationError:
        # Half a surrogate pair can be written in JSON's own escapes only.
        text = json.dumps(message.model_dump(by_alias=True, exclude_unset=True))
    return text.encode("utf-8") + b"\n"


def _read_slowly(line: bytes) -> JSONRPCMessage:
    """Read what the strict parser refuses: either it is no message, or its text is odd."""
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _unparsed("the line is not UTF-8", None) from error
    except json.JSONDecodeError as error:
        raise _unparsed("the line is not JSON", None) from error
    except (RecursionError, ValueError) as error:
        # It is JSON, as far as it was read, of a kind that nobody needs.
        kind = "nested too deeply" if isinstance(error, RecursionError) else "a number too long"
        raise _unparsed(kind, _id_at_the_ends(line[:KEPT], line[-KEPT:])) from error
    try:
        message = jsonrpc_message_adapter.validate_python(value, by_name=False)
    except ValidationError as error:
        raise _no_message(value) from error
    # To the SDK a request whose id is none is a notification, which nobody would answer.
    if isinstance(message, JSONRPCNotification) and "id" in value:
        raise _no_message(value)
    return message


def _no_message(value: Any) -> UnreadableError:
    text = "Invalid Request: not a message of JSON-RPC 2.0"
    return UnreadableError(INVALID_REQUEST, text, _request_id(value))


def _unparsed(reason: str, request_id: RequestId | None) -> UnreadableError:
    return UnreadableError(PARSE_ERROR, f"Parse error: {reason}", request_id)


# An id beside no method is that of a request of ours: echoed, it would look like an answer to one
# of the client's.


def _request_id(value: Any) -> RequestId | None:
    if not isinstance(value, Mapping) or "method" not in value:
        return None
    known = value.get("id")
    if isinstance(known, str):
        return known if known.isprintable() else None
    return known if isinstance(known, int) and not isinstance(known, bool) else None


def _id_at_the_ends(head: bytes, tail: bytes) -> RequestId | None:
    found = _FIRST.match(head) or _LAST.search(tail)
    if found is None or b'"method"' not in head:
        return None
    known: RequestId = json.loads(found[1])
    return known
