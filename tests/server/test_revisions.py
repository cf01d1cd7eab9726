"""One table of every revision that the SDK speaks: the whole walk, and all that is beside it."""

import json
from pathlib import Path

import pytest
from mcp import MCPError
from mcp.types import PromptReference
from mcp_types.version import (
    HANDSHAKE_PROTOCOL_VERSIONS,
    KNOWN_PROTOCOL_VERSIONS,
    MODERN_PROTOCOL_VERSIONS,
)

from mcp_server import __version__
from mcp_server.config import Settings
from mcp_server.server.app import INSTRUCTIONS, build_server
from mcp_server.server.icons import ICON
from tests.builders import EVIDENCE, write_workflow
from tests.revisions import HANDSHAKE, REVISIONS, STATELESS, connected
from tests.server.wire import Wire, tool_call


@pytest.fixture
def small(project: Path) -> Path:
    write_workflow(project / ".praxis-os" / "workflows")
    return project


def fields(text):
    """The top-level fields of the text half, which is all that clients of the oldest ones show."""
    lines = [line.split(": ", 1) for line in text.splitlines() if line and line[0].isalpha()]
    return {pair[0]: pair[1] for pair in lines if len(pair) > 1}


async def told(client, action, **arguments):
    result = await client.call_tool("aos_workflow", {"action": action, **arguments})
    (part,) = result.content
    shown = fields(part.text)
    assert shown["action"] == action
    assert result.is_error == (shown["status"] == "error")
    assert result.structured_content["status"] == shown["status"]
    return shown


def test_the_table_covers_every_revision_that_the_sdk_speaks():
    assert HANDSHAKE == HANDSHAKE_PROTOCOL_VERSIONS
    assert STATELESS == MODERN_PROTOCOL_VERSIONS
    assert set(REVISIONS) == set(KNOWN_PROTOCOL_VERSIONS)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_workflow_is_walked_to_its_end(small, revision):
    async with connected(build_server(Settings(project=small)), revision) as client:
        await told(client, "list_workflows")
        begun = await told(client, "start", workflow_type="small_v1", target_file="src/a.py")
        session = {"session_id": begun["session_id"]}
        await told(client, "get_task", **session, task_number=1)
        refused = await told(client, "complete_phase", **session, phase=1, evidence={"tests": 0})
        assert refused["error_type"] == "ValidationError"
        await told(client, "retry_phase", **session, phase=1)
        for phase in (1, 2):
            passed = await told(
                client, "complete_phase", **session, phase=phase, evidence=dict(EVIDENCE)
            )
            assert passed["checkpoint_passed"] == "true"
        assert passed["workflow_complete"] == "true"
        state = await told(client, "get_state", **session)
        assert state["session_status"] == "completed"


@pytest.mark.parametrize("revision", REVISIONS)
async def test_what_is_beside_the_tool_is_there_too(small, revision):
    async with connected(build_server(Settings(project=small)), revision) as client:
        begun = await told(client, "start", workflow_type="small_v1", target_file="src/a.py")
        uri = f"aos://sessions/{begun['session_id']}"
        listed = {item.uri for item in (await client.list_resources()).resources}
        assert listed >= {"aos://workflows", "aos://workflows/small_v1", uri}
        found = (await client.list_resource_templates()).resource_templates
        assert [item.uri_template for item in found] == [
            "aos://workflows/{type}",
            "aos://sessions/{id}",
            "aos://sessions/{id}/history",
        ]
        (content,) = (await client.read_resource(uri)).contents
        assert content.text.startswith("# Small: src/a.py\n")
        assert content.mime_type == "text/markdown"
        with pytest.raises(MCPError) as refusal:
            await client.read_resource("aos://sessions/none")
        assert refusal.value.error.code == (-32002 if revision in HANDSHAKE else -32602)

        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        assert prompts == [
            "start_workflow", "continue_session", "explain_refusal", "review_session"
        ]  # fmt: skip
        prompt = await client.get_prompt("continue_session")
        assert begun["session_id"] in prompt.messages[0].content.text
        offered = await client.complete(
            PromptReference(name="continue_session"), {"name": "session_id", "value": ""}
        )
        assert offered.completion.values == [begun["session_id"]]


@pytest.mark.parametrize("revision", REVISIONS)
async def test_the_server_says_what_it_is_and_can_do(small, revision):
    async with connected(build_server(Settings(project=small)), revision) as client:
        capabilities = client.server_capabilities
        about = client.server_info
        instructions = client.instructions
        (tool,) = (await client.list_tools()).tools
    if revision in HANDSHAKE:
        assert capabilities.tools is not None
        assert capabilities.prompts is not None
        assert capabilities.completions is not None
        assert capabilities.resources.subscribe is True
        assert (about.name, about.version) == ("aos-workflow", __version__)
        assert instructions == INSTRUCTIONS
    assert tool.icons == [ICON]
    assert tool.output_schema is not None
    assert tool.annotations.destructive_hint is True


def test_a_client_without_handshake_discovers_all_of_it(small):
    with Wire(STATELESS[0], small) as wire:
        assert wire.opened["instructions"] == INSTRUCTIONS
        capabilities = wire.opened["capabilities"]
        assert capabilities["resources"] == {"subscribe": True, "listChanged": True}
        assert capabilities.keys() >= {"tools", "prompts", "resources", "completions"}
        about = wire.opened["_meta"]["io.modelcontextprotocol/serverInfo"]
        assert about["title"] == "Gated workflows"
        assert about["icons"] == [ICON.model_dump(mode="json", by_alias=True, exclude_none=True)]


@pytest.mark.parametrize("revision", [HANDSHAKE[0], HANDSHAKE[-1], *STATELESS])
def test_a_process_answers_on_both_eras(small, revision):
    with Wire(revision, small) as wire:
        result = wire.ask("tools/call", tool_call("list_workflows"), number=1)
        assert fields(result["content"][0]["text"])["status"] == "success"


def test_the_icon_is_tiny():
    assert len(json.dumps(ICON.model_dump(mode="json", exclude_none=True))) < 300
