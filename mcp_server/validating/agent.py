"""The agent of a validation: calls the tool within a time limit, and judges every answer.

A call that is not answered, or answered by something that is no answer, raises `UnsoundError`, and
so does an answer that is wrong in itself. A server that has gone, or let `MAX_SILENT` calls go by,
is not called again. Not for use by several tasks at once.
"""

import time
from collections.abc import Mapping
from typing import Any

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.types import CONNECTION_CLOSED, CallToolResult
from pydantic import ValidationError

from mcp_server.validating.answers import TOOL_NAME, Answer, problems, shown
from mcp_server.validating.outcomes import NOT_CALLED

MAX_SILENT = 3
_MAX_PROBLEMS = 3

GONE = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    ConnectionError,
    httpx2.HTTPError,
)
"""What a call raises when the server is no longer there."""


class UnsoundError(Exception):
    """The server did something that it must not do; the message says what."""


class GoneError(UnsoundError):
    """The server cannot be called any more."""


def expect(condition: object, otherwise: str) -> None:
    """Raise UnsoundError unless `condition` holds."""
    if not condition:
        raise UnsoundError(otherwise)


def expect_equal(answer: Mapping[str, Any], **wanted: Any) -> None:
    """Raise UnsoundError unless fields of an answer have the values that they must have."""
    for name, value in wanted.items():
        found = answer.get(name)
        # 1 is True to Python, and is not to a client.
        same = found == value and isinstance(found, bool) == isinstance(value, bool)
        expect(same, f"{name} is {shown(found)}, not {shown(value)}")


class Agent:
    """Calls the tool through a client."""

    def __init__(self, client: Client, *, patience: float, private: tuple[str, ...] = ()) -> None:
        """Wait at most `patience` seconds for an answer; `private` folders must not be named."""
        self._client = client
        self._patience = patience
        self._private = private
        self._silent = 0
        self.started: list[str] = []
        """Every session id that an answer to `start` gave, right or wrong."""
        self.gone = ""
        """Why the server cannot be called any more; empty while it can."""
        self.last_seconds = 0.0
        """How long the last call took."""

    async def succeed(self, action: str, **arguments: Any) -> Answer:
        """Return the answer to a call that must succeed."""
        answer = await self.call(action, **arguments)
        if answer["status"] != "success":
            refusal = f"{answer['error_type']}: {shown(answer['error'])}"
            raise UnsoundError(f"{action} is refused where it is legal: {refusal}")
        return answer

    async def refused(self, error_type: str, action: str, **arguments: Any) -> Answer:
        """Return the answer to a call that must be refused, with this type of error."""
        answer = await self.call(action, **arguments)
        found = answer.get("error_type", "success")
        expect(found == error_type, f"{action} gives {found} where it must give {error_type}")
        return answer

    async def call(self, action: str, **arguments: Any) -> Answer:
        """Return an answer that is sound in itself, whether it says success or error."""
        result = await self.raw({"action": action, **arguments})
        found = result.structured_content
        if action == "start" and isinstance(found, dict) and isinstance(
            found.get("session_id"), str
        ):  # fmt: skip
            self.started.append(found["session_id"])
        wrong = problems(result, action, arguments.get("session_id"), self._private)
        if wrong:
            more = [f"and {len(wrong) - _MAX_PROBLEMS} more"] if len(wrong) > _MAX_PROBLEMS else []
            raise UnsoundError(f"{action}: " + "; ".join([*wrong[:_MAX_PROBLEMS], *more]))
        answer: Answer = result.structured_content or {}
        return answer

    async def raw(self, arguments: Mapping[str, Any]) -> CallToolResult:
        """Return whatever the tool answers; raises UnsoundError if nothing that is a result."""
        if self.gone:
            raise GoneError(f"{NOT_CALLED}{self.gone}")
        what = f"{arguments.get('action', 'a call without action')}"
        began = time.perf_counter()
        try:
            with anyio.fail_after(self._patience):
                result = await self._client.call_tool(TOOL_NAME, dict(arguments))
        except TimeoutError:
            raise self._silence(what) from None
        except GONE as error:
            raise self._loss(f"the server had gone at {what}") from error
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                raise self._loss(f"the server had gone at {what}") from error
            raise UnsoundError(
                f"{what}: protocol error {error.code} in place of an answer: {shown(str(error))}"
            ) from error
        except (RuntimeError, ValidationError) as error:
            # The client's own words for what fits no protocol, or not the published schema.
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UnsoundError(f"{what}: the client refuses the answer: {shown(first)}") from error
        self.last_seconds = time.perf_counter() - began
        self._silent = 0
        return result

    def _silence(self, what: str) -> UnsoundError:
        self._silent += 1
        text = f"no answer to {what} within {self._patience:g} s"
        if self._silent >= MAX_SILENT:
            self.gone = f"{MAX_SILENT} calls in a row had no answer"
        return UnsoundError(text)

    def _loss(self, text: str) -> GoneError:
        self.gone = text
        return GoneError(text)
