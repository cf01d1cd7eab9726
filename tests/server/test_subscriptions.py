"""Clients hear of changes, at once of those of their own server, and leave nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from mcp import Client, MCPError
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated
from mcp.types import (
    EmptyResult,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)

from mcp_server.config import Settings
from mcp_server.server import subscriptions
from mcp_server.server.app import build_server
from mcp_server.server.services import services_for
from mcp_server.server.serving import ProjectServer
from tests.builders import EVIDENCE, write_workflow
from tests.revisions import HANDSHAKE, REVISIONS, STATELESS, connected

PATIENCE = 30.0
NEVER = 3_600.0

Hear = Callable[[], Any]


@pytest.fixture
def small(project: Path) -> Path:
    write_workflow(project / ".praxis-os" / "workflows")
    return project


@pytest.fixture
def server(small: Path) -> ProjectServer:
    return build_server(Settings(project=small))


@pytest.fixture
def session_id(small: Path) -> str:
    return str(elsewhere(small).engine.start("small_v1", "src/a.py")["session_id"])


@pytest.fixture
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "EVERY_SECONDS", NEVER)


@pytest.fixture
def quick_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "EVERY_SECONDS", 0.005)


def elsewhere(project):
    """The services of another process on the same folder."""
    return services_for.__wrapped__(Settings(project=project))


def page(session_id):
    return f"aos://sessions/{session_id}"


async def call(client, action, **arguments):
    result = await client.call_tool("aos_workflow", {"action": action, **arguments})
    assert not result.is_error
    return result


async def ended(before):
    """Wait until no more runs than before."""
    with anyio.fail_after(PATIENCE):
        while len(asyncio.all_tasks()) > before:
            await anyio.lowlevel.checkpoint()


async def subscribe(client: Client, uri: str) -> None:
    request = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
    await client.session.send_request(request, EmptyResult)


async def unsubscribe(client: Client, uri: str) -> None:
    request = UnsubscribeRequest(params=UnsubscribeRequestParams(uri=uri))
    await client.session.send_request(request, EmptyResult)


@asynccontextmanager
async def subscribed(
    server: ProjectServer, revision: str, *uris: str
) -> AsyncIterator[tuple[Client, Hear]]:
    """Subscribe in the way of a revision; yield the client, and what waits for the next news."""
    heard, told = anyio.create_memory_object_stream[str](100)

    async def on_message(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            heard.send_nowait(str(message.params.uri))

    with heard, told:
        async with connected(server, revision, message_handler=on_message) as client:
            if revision in HANDSHAKE:
                for uri in uris:
                    await subscribe(client, uri)
                yield client, told.receive
                return
            async with client.listen(resource_subscriptions=uris) as news:
                events = aiter(news)

                async def next_uri() -> str:
                    event = await anext(events)
                    assert isinstance(event, ResourceUpdated)
                    return event.uri

                yield client, next_uri


@pytest.mark.parametrize("revision", REVISIONS)
async def test_what_a_call_changes_is_told_at_once(server, session_id, no_polling, revision):
    uri = page(session_id)
    async with subscribed(server, revision, uri, f"{uri}/history") as (client, hear):
        for action in ("pause", "resume"):
            await call(client, action, session_id=session_id)
            with anyio.fail_after(PATIENCE):
                assert {await hear(), await hear()} == {uri, f"{uri}/history"}
        shown = (await client.read_resource(uri)).contents[0].text
        assert "**At work**" in shown


@pytest.mark.parametrize("revision", [HANDSHAKE[0], HANDSHAKE[-1], *STATELESS])
async def test_what_other_processes_change_is_told_too(
    server, small, session_id, quick_polling, revision
):
    uri = page(session_id)
    async with subscribed(server, revision, uri) as (_, hear):
        other = elsewhere(small)
        await asyncio.to_thread(other.engine.complete_phase, session_id, 1, dict(EVIDENCE))
        with anyio.fail_after(PATIENCE):
            assert await hear() == uri
        await asyncio.to_thread(other.sessions.delete_session, session_id)
        with anyio.fail_after(PATIENCE):
            assert await hear() == uri


@pytest.mark.parametrize("revision", [HANDSHAKE[-1], *STATELESS])
async def test_workflows_are_watched_as_well(server, small, quick_polling, revision):
    uris = ("aos://workflows", "aos://workflows/small_v1")
    async with subscribed(server, revision, *uris) as (_, hear):
        metadata = small / ".praxis-os/workflows/small_v1/metadata.json"
        text = metadata.read_text(encoding="utf-8").replace("1.0.0", "1.0.1")
        metadata.write_text(text, encoding="utf-8")
        with anyio.fail_after(PATIENCE):
            assert {await hear(), await hear()} == set(uris)


@pytest.mark.parametrize("revision", [HANDSHAKE[-1], *STATELESS])
async def test_nothing_is_told_of_what_did_not_change(
    server, small, session_id, no_polling, revision
):
    other = elsewhere(small).engine.start("small_v1", "src/b.py")["session_id"]
    async with subscribed(server, revision, page(session_id), page(other)) as (client, hear):
        await call(client, "get_state", session_id=session_id)
        await call(client, "get_task", session_id=session_id, task_number=1)
        await call(client, "start", workflow_type="small_v1", target_file="src/c.py")
        await call(client, "pause", session_id=other)
        with anyio.fail_after(PATIENCE):
            assert await hear() == page(other)


@pytest.mark.parametrize("revision", [HANDSHAKE[-1], *STATELESS])
async def test_what_one_client_does_another_one_hears(server, session_id, no_polling, revision):
    async with (
        connected(server, STATELESS[0]) as other,
        subscribed(server, revision, page(session_id)) as (_, hear),
    ):
        await call(other, "pause", session_id=session_id)
        with anyio.fail_after(PATIENCE):
            assert await hear() == page(session_id)


async def test_a_stream_hears_of_new_and_finished_sessions(server, session_id, no_polling):
    async with (
        connected(server, STATELESS[0]) as client,
        client.listen(resources_list_changed=True) as news,
    ):
        events = aiter(news)
        await call(client, "start", workflow_type="small_v1", target_file="src/b.py")
        with anyio.fail_after(PATIENCE):
            assert await anext(events) == ResourcesListChanged()
        await call(client, "delete_session", session_id=session_id)
        with anyio.fail_after(PATIENCE):
            assert await anext(events) == ResourcesListChanged()


async def test_nothing_is_watched_until_somebody_subscribes_nor_after(
    server, session_id, quick_polling
):
    async with connected(server, HANDSHAKE[-1]) as client:
        await client.list_tools()
        before = len(asyncio.all_tasks())
        for uri in (page(session_id), "aos://workflows"):
            await subscribe(client, uri)
            await subscribe(client, uri)
        assert server.watched == {page(session_id), "aos://workflows"}
        await unsubscribe(client, page(session_id))
        assert server.watched == {"aos://workflows"}
        await unsubscribe(client, "aos://workflows")
        await unsubscribe(client, "aos://workflows")
        assert server.watched == frozenset()
        await ended(before)


async def test_a_stream_that_ends_leaves_nothing_running(server, session_id, quick_polling):
    async with connected(server, STATELESS[0]) as client:
        await client.list_tools()
        before = len(asyncio.all_tasks())
        async with client.listen(resource_subscriptions=[page(session_id), "aos://none"]):
            assert server.watched == {page(session_id)}
        await ended(before)
        assert server.watched == frozenset()


@pytest.mark.parametrize("revision", [HANDSHAKE[-1], *STATELESS])
async def test_a_client_that_goes_away_leaves_nothing_running(
    server, session_id, quick_polling, revision
):
    async with subscribed(server, revision, page(session_id)):
        assert server.watched == {page(session_id)}
    assert server.watched == frozenset()


async def test_a_resource_that_is_not_there_cannot_be_subscribed_to(server):
    async with connected(server, HANDSHAKE[-1]) as client:
        for uri in ("aos://sessions/none", "aos://sessions/../x", "file:///etc/passwd"):
            with pytest.raises(MCPError) as refusal:
                await subscribe(client, uri)
            assert refusal.value.error.code == -32002
        assert server.watched == frozenset()


async def test_a_client_can_watch_only_so_much(server, session_id, no_polling, monkeypatch):
    monkeypatch.setattr(subscriptions, "MAX_WATCHED", 1)
    async with connected(server, HANDSHAKE[-1]) as client:
        await subscribe(client, page(session_id))
        with pytest.raises(MCPError, match="at most 1 resources"):
            await subscribe(client, "aos://workflows")
    async with connected(server, STATELESS[0]) as client:
        uris = [page(session_id), "aos://workflows"]
        async with client.listen(resource_subscriptions=uris):
            assert server.watched == {page(session_id)}
