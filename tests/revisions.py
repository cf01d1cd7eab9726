"""Every revision of the protocol, and a client that speaks it, in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client
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
