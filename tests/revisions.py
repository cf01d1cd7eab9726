"""Every revision of the protocol, and a client that speaks it, in memory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.server import MCPServer

HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS = ("2026-07-28",)
REVISIONS = (*HANDSHAKE, *STATELESS)


@asynccontextmanager
async def connected(
    server: MCPServer[Any], revision: str, **settings: Any
) -> AsyncIterator[Client]:
    """Connect a client that speaks `revision` and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        if revision in HANDSHAKE:
            patch.setattr("mcp.client.session.LATEST_HANDSHAKE_VERSION", revision)
        mode = "legacy" if revision in HANDSHAKE else revision
        async with Client(server, mode=mode, **settings) as client:
            assert client.protocol_version == revision
            yield client


class Asking:
    """Asks each thing through a client of its own; has the methods of a client."""

    def __init__(self, server: MCPServer[Any]) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*arguments: Any, **named: Any) -> Any:
            result: Any = None
            async with Client(self._server) as client:
                try:
                    result = await getattr(client, name)(*arguments, **named)
                except MCPError as error:
                    result = error
            if isinstance(result, MCPError):
                raise result
            return result

        return ask
