"""The MCP side: one tool, published on a server."""

from typing import Any

__all__ = ["setup_server"]


def setup_server(mcp_server: Any) -> int:
    """Register the tool with a server and return the number of tools registered."""
    # The SDK takes most of a second to import, and what verifies or is typed needs none of it.
    from mcp_server.server.tools.workflow_tools import register_workflow_tools  # noqa: PLC0415

    return register_workflow_tools(mcp_server)
