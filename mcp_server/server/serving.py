"""The SDK's server with what stands beside the tool: resources, prompts, completions, updates.

Every request that is about a project is bound to one here, and a call can be taken back while it
runs. What only some clients ask for is imported when the first of them does, so that starting and
listing the tool cost nothing of it.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.types import (
    CompleteRequestParams,
    CompleteResult,
    EmptyResult,
    GetPromptResult,
    Prompt,
    Resource,
    ResourceTemplate,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

from mcp_server.server import services, short_calls
from mcp_server.server.cancelling import CANCELLED, Cancelling
from mcp_server.server.roots import Find
from mcp_server.server.stdio import LISTEN, StdioServer

if TYPE_CHECKING:
    from mcp_server.server.subscriptions import Subscriptions

CALL = "tools/call"

_FOR_A_PROJECT = frozenset(
    {
        CALL,
        LISTEN,
        "completion/complete",
        "prompts/get",
        "resources/list",
        "resources/read",
        "resources/subscribe",
    }
)

RequestContext = ServerRequestContext[anyio.abc.TaskGroup, Any]


@asynccontextmanager
async def _tasks(_server: MCPServer[Any]) -> AsyncIterator[anyio.abc.TaskGroup]:
    """Give what outlives a request, but not its clients, a place to run."""
    async with anyio.create_task_group() as tasks:
        yield tasks
        tasks.cancel_scope.cancel()


class ProjectServer(StdioServer):
    """A server of one project; `find` says which, at each request."""

    def __init__(self, find: Find, **described: Any) -> None:
        """Describe the server to the SDK by `described`."""
        self._find = find
        self._cancelling = Cancelling()
        self._bus = InMemorySubscriptionBus()
        self._opened: Subscriptions | None = None
        super().__init__(
            **described, lifespan=_tasks, subscriptions=self._bus, middleware=[self._serve]
        )
        handlers = self._lowlevel_server.add_request_handler
        handlers("completion/complete", CompleteRequestParams, self._complete)
        handlers("resources/subscribe", SubscribeRequestParams, self._subscribe)
        handlers("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)

    @property
    def watched(self) -> frozenset[str]:
        """What clients that subscribed watch."""
        return self._opened.watched if self._opened is not None else frozenset()

    async def list_resources(self) -> list[Resource]:
        """Return the workflows and the open sessions."""
        from mcp_server.server import resources  # noqa: PLC0415

        return await resources.listed()

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """Return the templates of all pages."""
        from mcp_server.server import resources  # noqa: PLC0415

        return resources.templates()

    async def read_resource(
        self, uri: Any, context: Context[anyio.abc.TaskGroup, Any] | None = None
    ) -> Iterable[ReadResourceContents]:
        """Return a page; raises MCPError."""
        from mcp_server.server import resources  # noqa: PLC0415

        page = await resources.read(str(uri), context.protocol_version if context else None)
        return [ReadResourceContents(content=page, mime_type=resources.MIME_TYPE)]

    async def list_prompts(self) -> list[Prompt]:
        """Return the prompts."""
        from mcp_server.server import prompts  # noqa: PLC0415

        return prompts.listed()

    async def get_prompt(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        _context: Context[anyio.abc.TaskGroup, Any] | None = None,
    ) -> GetPromptResult:
        """Return a prompt, filled in; raises MCPError."""
        from mcp_server.server import prompts  # noqa: PLC0415

        return await prompts.get(name, arguments)

    async def _serve(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        if ctx.method == CANCELLED:
            self._cancelling.take_back(ctx)
        if ctx.method not in _FOR_A_PROJECT:
            return await call_next(ctx)
        with services.bound(await self._find(ctx)):
            match ctx.method:
                case "tools/call":
                    return await self._call(ctx, call_next)
                case "subscriptions/listen":
                    return await self._subscriptions_of_all().listen(ctx, call_next)
                case _:
                    return await call_next(ctx)

    async def _call(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        with short_calls.told_by(self.awaits_one):
            result = await self._cancelling.carry_out(ctx, call_next)
        if self._opened is not None and self._opened.watched:
            arguments = (ctx.params or {}).get("arguments")
            named = arguments.get("session_id") if isinstance(arguments, Mapping) else None
            await self._opened.changed(str(named))
        return result

    def _subscriptions_of_all(self) -> "Subscriptions":
        if self._opened is None:
            from mcp_server.server.subscriptions import Subscriptions  # noqa: PLC0415

            self._opened = Subscriptions(self._bus)
        return self._opened

    async def _complete(
        self, _ctx: RequestContext, params: CompleteRequestParams
    ) -> CompleteResult:
        from mcp_server.server import completions  # noqa: PLC0415

        found = await completions.complete(params.ref, params.argument, params.context)
        return CompleteResult(completion=found)

    async def _subscribe(self, ctx: RequestContext, params: SubscribeRequestParams) -> EmptyResult:
        return await self._subscriptions_of_all().subscribe(ctx, params)

    async def _unsubscribe(
        self, ctx: RequestContext, params: UnsubscribeRequestParams
    ) -> EmptyResult:
        return await self._subscriptions_of_all().unsubscribe(ctx, params)
