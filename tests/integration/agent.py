"""A scripted agent, and the checks that every answer of every action must pass."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema
from mcp import Client
from mcp.types import CallToolResult

from mcp_server.core.rendering import MAX_LINE


def assert_sound(result: CallToolResult, output_schema: Mapping[str, Any]) -> dict[str, Any]:
    """Check both halves of a result and return its structured one."""
    answer = result.structured_content
    assert isinstance(answer, dict)
    jsonschema.validate(answer, output_schema)
    assert result.is_error == (answer["status"] == "error")
    if result.is_error:
        assert answer["error_type"]
        assert answer["error"]
        assert answer["remediation"]
    (part,) = result.content
    assert max(map(len, part.text.split("\n"))) <= MAX_LINE
    assert_tells_all(part.text, answer)
    return answer


def assert_tells_all(text: str, answer: Any) -> None:
    """Check that the text half holds every key and value of the structured half."""
    flat = "".join(text.split())
    if isinstance(answer, dict):
        for key, value in answer.items():
            if key != "content":
                assert f"{''.join(key.split())}:" in flat
            assert_tells_all(text, value)
    elif isinstance(answer, list):
        for value in answer:
            assert_tells_all(text, value)
    else:
        shown = answer if isinstance(answer, str) else json.dumps(answer)
        assert "".join(shown.split()) in flat


class Agent:
    """Calls the tool through a client; every answer is checked."""

    def __init__(self, client: Client, output_schema: Mapping[str, Any]) -> None:
        self._client = client
        self._schema = output_schema
        self.seen: set[tuple[str, str]] = set()

    @classmethod
    async def of(cls, client: Client) -> "Agent":
        """Return an agent that has listed the tools."""
        (tool,) = (await client.list_tools()).tools
        assert tool.name == "aos_workflow"
        return cls(client, tool.output_schema)

    async def __call__(self, action: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Call the tool and return the answer, whatever its status."""
        given = arguments if action is None else {"action": action, **arguments}
        answer = assert_sound(await self._client.call_tool("aos_workflow", given), self._schema)
        self.seen.add((str(action), answer["status"]))
        return answer

    async def succeed(self, action: str, **arguments: Any) -> dict[str, Any]:
        """Call the tool and return the answer, which must be a success."""
        answer = await self(action, **arguments)
        assert answer["status"] == "success", answer
        return answer
