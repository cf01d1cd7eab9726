"""What clients are told about the tool: one tool, its schemas, its size."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client
from mcp.server import MCPServer
from mcp.types import Tool

from mcp_server.config import Settings
from mcp_server.core.transitions import Action
from mcp_server.server import setup_server
from mcp_server.server.app import INSTRUCTIONS, build_server
from mcp_server.server.tools.actions import ACTIONS

SNAPSHOT = Path(__file__).parent / "published_tool.json"


@pytest.fixture
async def tool(project: Path) -> Tool:
    async with Client(build_server(Settings(project=project))) as client:
        (listed,) = (await client.list_tools()).tools
        return listed


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


async def test_the_published_tool_is_the_one_of_the_snapshot(tool):
    published = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert published == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


async def test_a_plain_sdk_server_publishes_the_same_tool(project, tool):
    server = MCPServer("host")
    assert setup_server(server) == 1
    async with Client(server) as client:
        (listed,) = (await client.list_tools()).tools
        assert listed == tool
        answer = await client.call_tool("aos_workflow", {"action": "list_sessions"})
        assert answer.structured_content["count"] == 0


async def test_the_definition_stays_small(tool):
    paid = size(tool.name) + size(tool.description) + size(tool.input_schema)
    assert paid <= 4_500
    assert paid + size(tool.output_schema) <= 8_000
    assert len(tool.description) <= 3_500
    assert len(INSTRUCTIONS) <= 2_000


async def test_the_input_schema_is_flat_and_describes_every_argument(tool):
    schema = tool.input_schema
    assert schema["type"] == "object"
    assert schema["required"] == ["action"]
    text = json.dumps([schema, tool.output_schema])
    assert not any(f'"{word}"' in text for word in ("anyOf", "oneOf", "allOf", "$ref", "$defs"))
    for argument in schema["properties"].values():
        assert argument["description"]
        assert argument["type"] in {"string", "integer", "boolean", "object"}
    assert schema["properties"]["action"]["enum"] == [str(action) for action in Action]


async def test_the_schemas_are_sound(tool):
    for schema in (tool.input_schema, tool.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_the_description_lists_every_action_with_its_arguments(tool):
    lines = tool.description.splitlines()
    assert lines[1:15] == [
        f"- {a}({spec.signature}): {spec.summary}" for a, spec in ACTIONS.items()
    ]


async def test_annotations_are_true_to_the_worst_action(tool):
    assert tool.annotations.destructive_hint is True
    assert tool.annotations.read_only_hint is False


async def test_a_client_that_hides_tools_and_long_results_shows_this_one_and_its_tasks_whole(tool):
    assert tool.meta == {
        "anthropic/alwaysLoad": True,
        "anthropic/maxResultSizeChars": 200_000,
    }


async def test_instructions_carry_the_words_that_a_tool_search_looks_for(project):
    async with Client(build_server(Settings(project=project))) as client:
        assert client.instructions == INSTRUCTIONS
    words = ("workflow", "phase", "gate", "checklist", "task", "evidence", "checkpoint", "proof",
             "session", "pause", "resume", "continue", "rollback", "retry", "next")  # fmt: skip
    assert [word for word in words if word not in INSTRUCTIONS] == []
