"""The MCP side: the tool and the server that offers it."""

from typing import Any

from mcp_server.server.tools.workflow_tools import register_workflow_tools


def setup_server(mcp_server: Any) -> int:
    """Register all tools with `mcp_server` and return how many there are."""
    return register_workflow_tools(mcp_server)
