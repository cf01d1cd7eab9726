"""A bare server of the SDK with one tool that does nothing: what memory is measured against.

Imports nothing of ours.
"""

from typing import Any

from mcp.server import MCPServer


def bare_server() -> MCPServer[Any]:
    """Return the server."""
    server: MCPServer[Any] = MCPServer("bare", log_level="WARNING")

    @server.tool()
    def nothing() -> str:
        """Do nothing."""
        return ""

    return server


if __name__ == "__main__":
    bare_server().run("stdio")
