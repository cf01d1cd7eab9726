"""Who sent a message: what tells one client of this process from another."""

from typing import Any

from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS


def connection_of(ctx: ServerRequestContext[Any, Any]) -> Connection:
    """Return the connection that a message came through."""
    # The SDK tells handlers to push clean-up onto the connection, and has no public way to it.
    return ctx.session._connection  # noqa: SLF001  # pylint: disable=protected-access


def peer_of(ctx: ServerRequestContext[Any, Any]) -> object:
    """Return what all messages of one client share.

    Revisions without a handshake have no connection but the pipe, whose end ends the lifespan.
    """
    if ctx.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS:
        return connection_of(ctx)
    return ctx.lifespan_context
