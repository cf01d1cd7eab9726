"""Calls that their client takes back while somebody works for them.

A call ends early for two reasons that must not be mistaken for each other: its client cancels it,
and a verification that nobody else waits for is stopped; or the connection ends, and the
verification goes on. The SDK ends the handler in both cases. What tells them apart is the client's
`notifications/cancelled`, which is seen here just after that; over HTTP of the revisions without a
handshake it is the closed stream itself. A notification that names a call which has been answered,
as some clients send after every call, finds nothing. Belongs to the event loop.
"""

from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_server.server.calls import Call, running
from mcp_server.server.peers import peer_of

CANCELLED = "notifications/cancelled"

MAX_LEFT = 256
"""Calls that ended early and are kept until their client says why; older ones are forgotten."""

RequestContext = ServerRequestContext[Any, Any]
_Key = tuple[int, str]


class Cancelling:
    """The calls of all clients that have not been answered."""

    def __init__(self) -> None:
        """Know of none."""
        # The peer is kept with its call, for as long as it is known by its identity.
        self._calls: dict[_Key, tuple[Call, object]] = {}

    async def carry_out(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        """Let a call be answered, so that it can be taken back meanwhile."""
        call, peer = Call(), peer_of(ctx)
        key = _key(peer, ctx.request_id)
        self._calls[key] = (call, peer)
        is_over = True
        try:
            with running(call):
                return await call_next(ctx)
        except anyio.get_cancelled_exc_class():
            call.leave()
            if _closing_cancels(ctx):
                call.cancel()
            else:
                is_over = False
            raise
        finally:
            if is_over and self._calls.get(key, (None,))[0] is call:
                del self._calls[key]
            for oldest in list(self._calls)[:-MAX_LEFT]:
                if self._calls[oldest][0].has_left:
                    del self._calls[oldest]

    def take_back(self, ctx: RequestContext) -> None:
        """Cancel the call that a notification names, if it has not been answered."""
        named = (ctx.params or {}).get("requestId")
        if isinstance(named, str | int):
            call, _ = self._calls.pop(_key(peer_of(ctx), named), (None, None))
            if call is not None:
                call.cancel()


def _key(peer: object, request_id: object) -> _Key:
    # Some clients send the number of a request as text when they cancel it.
    return id(peer), str(request_id)


def _closing_cancels(ctx: RequestContext) -> bool:
    return ctx.request is not None and ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
