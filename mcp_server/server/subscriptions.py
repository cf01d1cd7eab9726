"""Telling clients that a resource they subscribed to has changed.

Nothing runs until somebody subscribes. Then what they watch is looked at when a call of this
server may have changed it, and every second for what other processes change: a look reads the last
line of a journal, or a few times of files. What differs from the look before is published on the
SDK's bus, whoever looked. Newer revisions open a stream, `subscriptions/listen`, and the watching
ends with that request; older ones subscribe to single resources, and the watching ends with their
connection, or with their last resource. Belongs to the event loop; only looks run in threads.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Hashable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import anyio.abc
import anyio.to_thread
from mcp import MCPError
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import (
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    SubscriptionBus,
)
from mcp.types import INVALID_PARAMS, EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from mcp_server.core.encoding import digest
from mcp_server.errors import WorkflowError
from mcp_server.server import resources, services
from mcp_server.server.peers import connection_of
from mcp_server.server.services import Services
from mcp_server.server.tools.workflow_tools import enveloped

EVERY_SECONDS = 1.0

MAX_WATCHED = 256
"""Resources that one client may watch."""

LIST = ""
"""What stands among the watched URIs for the list of resources itself."""

RequestContext = ServerRequestContext[anyio.abc.TaskGroup, Any]


class Watch:
    """What all clients of a server watch, and what it was at the last look."""

    def __init__(self, bus: SubscriptionBus) -> None:
        """Publish changes on `bus`."""
        self._bus = bus
        self._watched: Counter[str] = Counter()
        self._seen: dict[str, Hashable] = {}
        self._lock = anyio.Lock()

    @property
    def watched(self) -> frozenset[str]:
        """Everything that anybody watches."""
        return frozenset(self._watched)

    async def begin(self, uris: Collection[str]) -> None:
        """Watch `uris`, from how they are now."""
        self._watched.update(uris)
        await self.look(uri for uri in uris if uri not in self._seen)

    def end(self, uris: Iterable[str]) -> None:
        """Watch `uris` no more, for one of those who do."""
        self._watched -= Counter(uris)
        self._seen = {uri: seen for uri, seen in self._seen.items() if uri in self._watched}

    async def look(self, uris: Iterable[str]) -> None:
        """Look at those of `uris` that are watched, and publish what has changed since."""
        found: dict[str, Hashable] = {}

        async def carried_out() -> dict[str, Any]:
            look = partial(_looked_at, services.current(), wanted)
            found.update(await anyio.to_thread.run_sync(look))
            return {}

        async with self._lock:
            wanted = [uri for uri in uris if uri in self._watched]
            if wanted:
                # What goes wrong is logged there, and looked at again the next time.
                await enveloped("", carried_out)
            for uri, seen in found.items():
                await self._compare(uri, seen)

    async def poll(self, uris: Iterable[str], scope: anyio.CancelScope) -> None:
        """Look at `uris`, whatever they are by then, again and again until `scope` is cancelled."""
        with scope:
            while True:
                await anyio.sleep(EVERY_SECONDS)
                await self.look(uris)

    async def _compare(self, uri: str, seen: Hashable) -> None:
        is_new = uri not in self._seen
        is_same = self._seen.get(uri) == seen
        if uri in self._watched:
            self._seen[uri] = seen
        if not is_new and not is_same:
            event: ServerEvent = ResourceUpdated(uri) if uri != LIST else ResourcesListChanged()
            await self._bus.publish(event)


class Subscriptions:
    """The clients that subscribe, on any revision."""

    def __init__(self, bus: SubscriptionBus) -> None:
        """Tell them through `bus` what changed."""
        self._bus = bus
        self._watch = Watch(bus)
        self._subscribers: dict[Connection, _Subscriber] = {}

    @property
    def watched(self) -> frozenset[str]:
        """Everything that anybody watches."""
        return self._watch.watched

    async def changed(self, session_id: str) -> None:
        """Look at what a call on a session may have changed."""
        await self._watch.look((*resources.uris_of(session_id), LIST))

    async def listen(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        """Watch what a stream asks for, for as long as it is open."""
        wanted = _asked_for(ctx.params)
        if services.current_caller().confined:
            # The SDK delivers whatever is asked for: what a caller may not see is not asked for.
            wanted = await _own(wanted, ctx.protocol_version)
            ctx = replace(ctx, params=_asking_for(wanted, ctx.params))
        async with self._watching(ctx.lifespan_context, wanted):
            return await call_next(ctx)

    async def subscribe(self, ctx: RequestContext, params: SubscribeRequestParams) -> EmptyResult:
        """Watch one more resource for a connection; raises MCPError if there is none."""
        await resources.read(params.uri, ctx.protocol_version)
        connection = connection_of(ctx)
        subscriber = self._subscribers.get(connection)
        if subscriber is None:
            subscriber = _Subscriber(ctx.session, self._bus, self._watch)
            self._subscribers[connection] = subscriber
            subscriber.serve(ctx.lifespan_context)
            connection.exit_stack.callback(self._leave, connection)
        if params.uri not in subscriber.uris:
            if len(subscriber.uris) >= MAX_WATCHED:
                raise MCPError(
                    INVALID_PARAMS, f"at most {MAX_WATCHED} resources. Unsubscribe from one first."
                )
            subscriber.uris.add(params.uri)
            await self._watch.begin((params.uri,))
        return EmptyResult()

    async def unsubscribe(
        self, ctx: RequestContext, params: UnsubscribeRequestParams
    ) -> EmptyResult:
        """Watch a resource no more for a connection."""
        connection = connection_of(ctx)
        subscriber = self._subscribers.get(connection)
        if subscriber is not None and params.uri in subscriber.uris:
            subscriber.uris.discard(params.uri)
            self._watch.end((params.uri,))
            if not subscriber.uris:
                self._leave(connection)
        return EmptyResult()

    def _leave(self, connection: Connection) -> None:
        subscriber = self._subscribers.pop(connection, None)
        if subscriber is not None:
            subscriber.stop()
            self._watch.end(subscriber.uris)

    @asynccontextmanager
    async def _watching(
        self, tasks: anyio.abc.TaskGroup, uris: Collection[str]
    ) -> AsyncIterator[None]:
        scope = anyio.CancelScope()
        try:
            await self._watch.begin(uris)
            if uris:
                tasks.start_soon(self._watch.poll, uris, scope)
            yield
        finally:
            scope.cancel()
            self._watch.end(uris)


class _Subscriber:
    """A connection that subscribes to single resources."""

    def __init__(self, session: ServerSession, bus: SubscriptionBus, watch: Watch) -> None:
        self.uris: set[str] = set()
        self._session = session
        self._watch = watch
        self._unsubscribe = bus.subscribe(self._hear)
        self._delivering, self._polling = anyio.CancelScope(), anyio.CancelScope()
        self._pending: dict[str, None] = {}
        self._wake = anyio.Event()

    def serve(self, tasks: anyio.abc.TaskGroup) -> None:
        """Deliver what the bus says, and poll, in `tasks`."""
        tasks.start_soon(self._deliver)
        tasks.start_soon(self._watch.poll, self.uris, self._polling)

    def stop(self) -> None:
        """Hear no more, and end what `serve` started."""
        self._unsubscribe()
        self._delivering.cancel()
        self._polling.cancel()

    def _hear(self, event: ServerEvent) -> None:
        if isinstance(event, ResourceUpdated) and event.uri in self.uris:
            # Told twice before it was delivered, it is delivered once: it says only "look again".
            self._pending[event.uri] = None
            self._wake.set()

    async def _deliver(self) -> None:
        with self._delivering:
            while True:
                await self._wake.wait()
                self._wake = anyio.Event()
                while self._pending:
                    uri = next(iter(self._pending))
                    del self._pending[uri]
                    await self._session.send_resource_updated(uri)


def _asked_for(params: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return what a stream wants to watch, as far as it is ours; the SDK judges its form."""
    wanted = (params or {}).get("notifications")
    if not isinstance(wanted, Mapping):
        return ()
    uris = wanted.get("resourceSubscriptions")
    named = [uri for uri in uris if isinstance(uri, str)] if isinstance(uris, list) else []
    ours = [uri for uri in dict.fromkeys(named) if resources.target_of(uri) is not None]
    return (*ours[:MAX_WATCHED], *([LIST] if wanted.get("resourcesListChanged") is True else ()))


async def _own(uris: Iterable[str], protocol_version: str) -> tuple[str, ...]:
    """Return what a caller who sees only their own sessions may hear of."""
    seen: list[str] = []
    for uri in uris:
        # That the list changes would tell what others do.
        with suppress(MCPError):
            await resources.read(uri, protocol_version)
            seen.append(uri)
    return tuple(seen)


def _asking_for(uris: tuple[str, ...], params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**(params or {}), "notifications": {"resourceSubscriptions": list(uris)}}


def _looked_at(at_hand: Services, uris: Iterable[str]) -> dict[str, Hashable]:
    return {uri: _fingerprint(at_hand, uri) for uri in uris}


def _fingerprint(at_hand: Services, uri: str) -> Hashable:
    """Return what differs whenever the resource does, whoever looks."""
    if uri == LIST:
        return (
            digest(resources.page_of(at_hand, resources.Target()).encode("utf-8")),
            at_hand.sessions.live_ids(),
        )
    target = resources.target_of(uri)
    if target is None:
        return None
    try:
        if target.session_id is None:
            return digest(resources.page_of(at_hand, target).encode("utf-8"))
        store = at_hand.sessions.store
        last = store.read(target.session_id).hash
        return last, not target.is_history and store.is_verifying(target.session_id)
    except WorkflowError as error:
        return error.message
