"""Which tools a server should list once it is cut over, told before anything is done."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from mcp_server.cutover.findings import NEW_TOOL
from mcp_server.cutover.servers import Listing


def expected_tools(before: Listing, old: Collection[str]) -> tuple[Mapping[str, Any], ...]:
    """Return the tools that there were without the old ones, and `aos_workflow`."""
    kept = tuple(tool for tool in before.tools if tool["name"] not in {*old, NEW_TOOL})
    return (*kept, published_tool())


def published_tool() -> Mapping[str, Any]:
    """Return `aos_workflow` as a server on our SDK lists it; a bridge differs a little."""
    # The SDK takes most of a second to import.
    from mcp.server import MCPServer  # noqa: PLC0415

    from mcp_server.server import setup_server  # noqa: PLC0415

    server: MCPServer[Any] = MCPServer("expected")
    setup_server(server)
    (tool,) = asyncio.run(server.list_tools())
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)
