"""A caller who sees only their own sessions finds nobody else's beside the tool either."""

from pathlib import Path

import anyio
import pytest
from mcp import MCPError
from mcp.client.subscriptions import ResourceUpdated
from mcp.types import PromptReference, ResourceTemplateReference

from mcp_server.config import Settings
from mcp_server.core.callers import Caller
from mcp_server.server import subscriptions
from mcp_server.server.app import build_server
from mcp_server.server.services import acting, services_for
from tests.builders import write_workflow
from tests.revisions import HANDSHAKE, STATELESS, Asking, connected
from tests.server.test_subscriptions import PATIENCE, call, page, subscribe

ADA, BOB = Caller("token:ada", confined=True), Caller("token:bob", confined=True)


@pytest.fixture
def small(project: Path) -> Path:
    write_workflow(project / ".praxis-os" / "workflows")
    return project


@pytest.fixture
def server(small, monkeypatch):
    monkeypatch.setattr(subscriptions, "EVERY_SECONDS", 3_600.0)
    return build_server(Settings(project=small))


@pytest.fixture
def of_ada(small):
    with acting(ADA):
        engine = services_for(Settings(project=small)).engine
        return str(engine.start("small_v1", "src/a.py")["session_id"])


async def test_pages_and_prompts_of_others_are_not_there(server, of_ada):
    client = Asking(server)
    with acting(BOB):
        for uri in (page(of_ada), f"{page(of_ada)}/history"):
            with pytest.raises(MCPError, match=f"no session {of_ada}"):
                await client.read_resource(uri)
        for name in ("continue_session", "explain_refusal", "review_session"):
            with pytest.raises(MCPError, match=f"no session {of_ada}"):
                await client.get_prompt(name, {"session_id": of_ada})
        text = (await client.get_prompt("continue_session")).messages[0].content.text
        assert text.startswith("No session is open")
        assert page(of_ada) not in {r.uri for r in (await client.list_resources()).resources}
        for ref, name in (
            (PromptReference(name="review_session"), "session_id"),
            (ResourceTemplateReference(uri="aos://sessions/{id}"), "id"),
        ):
            found = await client.complete(ref, {"name": name, "value": ""})
            assert found.completion.values == []
    with acting(ADA):
        shown = (await client.read_resource(page(of_ada))).contents[0].text
        assert "- **Started by:** token:ada" in shown
        history = (await client.read_resource(f"{page(of_ada)}/history")).contents[0].text
        assert "| active, phase 1 | token:ada |" in history


async def test_a_stream_does_not_tell_what_others_do(server, small, of_ada):
    with acting(BOB):
        own = services_for(Settings(project=small)).engine.start("small_v1", "b.py")["session_id"]
        async with (
            connected(server, STATELESS[0]) as client,
            client.listen(
                resource_subscriptions=[page(of_ada), page(own)], resources_list_changed=True
            ) as news,
        ):
            assert server.watched == {page(own)}
            with acting(ADA):
                await call(client, "pause", session_id=of_ada)
                await call(client, "start", workflow_type="small_v1", target_file="c.py")
            await call(client, "pause", session_id=own)
            with anyio.fail_after(PATIENCE):
                assert await anext(aiter(news)) == ResourceUpdated(page(own))


async def test_a_session_of_others_cannot_be_subscribed_to(server, of_ada):
    with acting(BOB):
        async with connected(server, HANDSHAKE[-1]) as client:
            with pytest.raises(MCPError, match=f"no session {of_ada}"):
                await subscribe(client, page(of_ada))
    assert server.watched == frozenset()


async def test_what_others_try_is_not_told_to_the_owner(server, small, of_ada):
    with acting(ADA):
        async with (
            connected(server, STATELESS[0]) as client,
            client.listen(resource_subscriptions=[page(of_ada), "aos://workflows"]) as news,
        ):
            with acting(BOB):
                answer = await client.call_tool(
                    "aos_workflow", {"action": "pause", "session_id": of_ada}
                )
                assert answer.structured_content["error_type"] == "NotFoundError"
            await call(client, "pause", session_id=of_ada)
            events = aiter(news)
            with anyio.fail_after(PATIENCE):
                assert await anext(events) == ResourceUpdated(page(of_ada))
